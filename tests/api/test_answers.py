"""Stored JSON text goes into an answer as it is."""

from datetime import UTC, datetime

from procvars.api.http.answers import encoded
from procvars.projections.storage.text_columns import RawJson


def test_stored_text_is_spliced_and_not_parsed() -> None:
    """Not a character of it changes: parsing would rewrite 1e2 and the space."""
    assert encoded({"a": RawJson('{"x": 1e2}'), "b": [1]}) == b'{"a":{"x": 1e2},"b":[1]}'


def test_large_integers_beside_stored_text() -> None:
    """Where orjson has to give up, the answer has the same values."""
    value = {"n": 2**80, "at": datetime(2026, 1, 2, tzinfo=UTC), "raw": RawJson('{"m":1208925819614629174706177}')}
    expected = b'{"n":1208925819614629174706176,"at":"2026-01-02T00:00:00Z","raw":{"m":1208925819614629174706177}}'
    assert encoded(value) == expected
