"""Stored JSON text goes into an answer as it is."""

from datetime import UTC, datetime

from procvars.api.http.answers import encoded
from procvars.domain.documents.numbers import fraction
from procvars.projections.storage.text_columns import RawJson
from tests.big_integers import big_integer


def test_stored_text_is_spliced_and_not_parsed() -> None:
    """Not a character of it changes: parsing would rewrite 1e2 and the space."""
    assert encoded({"a": RawJson('{"x": 1e2}'), "b": [1]}) == b'{"a":{"x": 1e2},"b":[1]}'


def test_large_integers_beside_stored_text() -> None:
    """What no Python number keeps is written as it came."""
    value = {
        "n": big_integer(2**80),
        "d": fraction("1.10"),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "raw": RawJson('{"m":1208925819614629174706177}'),
    }
    expected = (
        b'{"n":1208925819614629174706176,"d":1.10,"at":"2026-01-02T00:00:00Z","raw":{"m":1208925819614629174706177}}'
    )
    assert encoded(value) == expected
