"""The audit log as CSV (RFC 4180), written page by page, so that a log of any length takes the memory of one page."""

import csv
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import fields
from datetime import UTC, datetime
from typing import Final

from procvars.projections.audit_log import AuditItem
from procvars.projections.storage.paging import Page

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
MOST_ENTRIES: Final = 100_000
"""Largest `limit` of a file; without one it has the whole log."""
_COLUMNS: Final = tuple(field.name for field in fields(AuditItem))
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a text begins that a spreadsheet program would run as a formula."""


async def csv_parts(
    page: Page[AuditItem], next_page: Callable[[str], Awaitable[Page[AuditItem]]], limit: int | None
) -> AsyncIterator[bytes]:
    """Yield the file: a line with the names of the columns, then a line for each of up to `limit` entries from `page` on."""
    yield _lines([_COLUMNS])
    left = limit
    while True:
        items = page.items[:left]
        yield _lines(map(_row, items))
        if left is not None:
            left -= len(items)
        if page.next is None or left == 0:
            return
        page = await next_page(page.next)


def _row(item: AuditItem) -> list[str]:
    return [_cell(getattr(item, name)) for name in _COLUMNS]


def _cell(value: object) -> str:
    """Return the text of a cell; an apostrophe keeps a spreadsheet program from running what somebody wrote."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case str():
            return f"'{value}" if value.startswith(_FORMULA) else value
        case _:
            return str(value)


def _lines(rows: Iterable[Iterable[str]]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows(rows)
    return file.getvalue().encode()
