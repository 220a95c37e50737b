"""Values of PostgreSQL's type `text`: JSON as exact text, and texts without NUL, which `text` cannot hold.

JSON text escapes NUL, so documents lose nothing. In a plain column (a title, a reason, a keyword to search by), and in
what is compared with it, U+FFFD replaces NUL.
"""

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Json
from procvars.domain.errors import ReadTooLarge

_INDEXED = 200
ANY_SIZE = 2**62
"""Limit of a caller that reads texts of any size."""


class RawJson(str):
    """JSON text as stored, for an answer that contains it unchanged: parsing would cost time, and exactness."""

    __slots__ = ()


def stored_json(text: str | None) -> RawJson:
    """Return the text of a query that leaves out those larger than its caller reads. Raises ReadTooLarge then."""
    if text is None:
        raise ReadTooLarge
    return RawJson(text)


def raw_json(value: Json) -> RawJson:
    return RawJson(encode(value).decode())


def without_nul(text: str) -> str:
    return text.replace("\0", "\ufffd")


def without_nul_or_none(text: str | None) -> str | None:
    return None if text is None else without_nul(text)


def arguments(**values: object) -> dict[str, object]:
    """Return values of a request as parameters of a statement."""
    return {name: _comparable(value) for name, value in values.items()}


def like_prefix(prefix: str) -> str:
    """Return the LIKE pattern for texts that begin with the first 200 characters of `prefix`."""
    escaped = prefix[:_INDEXED].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped + "%"


def _comparable(value: object) -> object:
    if isinstance(value, str):
        return without_nul(value)
    if isinstance(value, list):
        return [_comparable(element) for element in value]
    return value
