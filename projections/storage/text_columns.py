"""What a read model keeps in PostgreSQL's `text`: JSON as exact text, and texts without NUL, which `text` cannot hold.

JSON text escapes NUL, so documents lose nothing. In a plain column (a title, a reason, a keyword to search by) U+FFFD
stands for it, and in what is compared with such a column.
"""

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Json
from procvars.domain.errors import ReadTooLarge

_INDEXED = 200
ANY_SIZE = 2**62
"""For a caller that reads texts of any size."""


class RawJson(str):
    """A JSON text as it was stored, to be spliced into an answer as it is: parsing would cost time, and exactness."""

    __slots__ = ()


def stored_json(text: str | None) -> RawJson:
    """Return a text of a query that leaves it out where it is larger than its caller reads. Raises ReadTooLarge then."""
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
    """Values that came with a request, as parameters of a statement."""
    return {name: _comparable(value) for name, value in values.items()}


def like_prefix(prefix: str) -> str:
    """The LIKE pattern for the first 200 characters of what begins with exactly this."""
    escaped = prefix[:_INDEXED].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped + "%"


def _comparable(value: object) -> object:
    if isinstance(value, str):
        return without_nul(value)
    if isinstance(value, list):
        return [_comparable(element) for element in value]
    return value
