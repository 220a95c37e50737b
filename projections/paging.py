"""Pages of a list: a cursor is opaque to the caller, and names the last item of the page by the list's sort key."""

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from domain.errors import InvalidArgument

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next` is the cursor of the page after this one, or None at the end."""

    items: Sequence[T]
    next: str | None


def page_of(items: Sequence[T], limit: int, key: Callable[[T], tuple[datetime, str]]) -> Page[T]:
    """`items`: up to `limit` + 1 of them, of which the one too many tells that there is more."""
    if len(items) <= limit:
        return Page(items, None)
    moment, name = key(items[limit - 1])
    text = json.dumps([moment.isoformat(), name]).encode()
    return Page(items[:limit], base64.urlsafe_b64encode(text).decode().rstrip("="))


def position_of(cursor: str | None) -> tuple[datetime | None, str]:
    """Time and id of the last item seen; (None, "") at the beginning. Raises InvalidArgument for a cursor not of ours."""
    if cursor is None:
        return None, ""
    try:
        moment, name = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        found = datetime.fromisoformat(moment)
        if found.tzinfo is None or not isinstance(name, str) or "\0" in name:
            raise ValueError("not a cursor")
    except (ValueError, TypeError) as error:
        raise InvalidArgument("The cursor is not one that this list gave.") from error
    return found, name
