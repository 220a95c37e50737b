"""Pages of lists: each page begins where the one before it ended, whatever was added since."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from procvars.domain.errors import InvalidArgument

DEFAULT_LIMIT = 50
MAX_LIMIT = 200

T = TypeVar("T")

Key = tuple[datetime | str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: list[T]
    next: str | None
    """Cursor of the next page; None on the last one."""


def checked_limit(limit: int | None) -> int:
    """Return the number of items per page. Raises InvalidArgument for a limit outside 1 to `MAX_LIMIT`."""
    if limit is None:
        return DEFAULT_LIMIT
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidArgument(f"limit is {limit}; it has to be 1 to {MAX_LIMIT}", argument="limit")
    return limit


def page(found: Sequence[T], limit: int, key: Callable[[T], Key], *, cut: bool = False) -> Page[T]:
    """Return the page of `found`, up to `limit` + 1 items; the extra one, or `cut`, means that there is a next page."""
    items = list(found[:limit])
    return Page(items, encode_cursor(key(items[-1])) if cut or len(found) > limit else None)


def encode_cursor(key: Key) -> str:
    """Return the key of a page's last item as an opaque text."""
    parts = [part.isoformat() if isinstance(part, datetime) else part for part in key]
    return base64.urlsafe_b64encode(json.dumps(parts, separators=(",", ":")).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, *types: type[datetime | str | int]) -> Key | None:
    """Return the key that a page begins after; None for the first page.

    Raises InvalidArgument for what `encode_cursor` did not make of parts of these types.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        return tuple(_part(part, kind) for part, kind in zip(parts, types, strict=True))
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidArgument("invalid cursor: this list did not return it", argument="cursor") from error


def _part(part: object, kind: type[datetime | str | int]) -> datetime | str | int:
    if kind is datetime and isinstance(part, str):
        time = datetime.fromisoformat(part)
        if time.tzinfo is not None:
            return time
    elif kind is int and type(part) is int and abs(part) < 2**63:
        return part
    elif kind is str and isinstance(part, str) and "\0" not in part:
        part.encode()  # raises for a lone surrogate, which the database cannot compare
        return part
    raise ValueError(part)
