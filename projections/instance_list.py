"""List of the instances of a workspace, as `projections/current_variables.py` stores them."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from psycopg import errors, sql

from procvars.domain.errors import ProjectionBehind
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.current_variables import ITEM, LATEST_CHANGES, InstanceItem, item_of
from procvars.projections.projection import Connection
from procvars.projections.storage.paging import Page, checked_limit, decode_cursor, page
from procvars.projections.storage.text_columns import arguments

_LIST = (
    ITEM
    + """
{joined}
WHERE c.workspace = %(workspace)s
    AND (%(any_status)s OR c.status = ANY(%(status)s))
    AND (%(definition)s::text IS NULL OR c.definition = %(definition)s)
    AND (%(parent_id)s::text IS NULL OR c.parent_id = %(parent_id)s)
    AND (%(started_after)s::timestamptz IS NULL OR c.started_at > %(started_after)s)
    AND (%(started_before)s::timestamptz IS NULL OR c.started_at < %(started_before)s)
    AND (%(is_first)s OR ({columns}) {beyond} ({last}))
ORDER BY {order}
LIMIT %(limit)s + 1
"""
)
_JOINED = f"JOIN {LATEST_CHANGES} l ON l.id = c.id AND l.workspace = c.workspace"
_COLUMN_TYPES: dict[str, type[datetime | str | int]] = {
    "started_at": datetime,
    "updated_at": datetime,
    "definition": str,
    "title": str,
    "status": str,
    "version": int,
    "id": str,
}
# As its index has it: without regard to case, by the first 100 characters.
_TITLE = sql.SQL("left(lower({}), 100)")


class Sort(StrEnum):
    """What a list of instances is sorted by, descending after a minus. Each has an index that has this order."""

    STARTED = "started_at"
    STARTED_DESCENDING = "-started_at"
    UPDATED = "updated_at"
    UPDATED_DESCENDING = "-updated_at"
    TITLE = "title"
    TITLE_DESCENDING = "-title"
    DEFINITION = "definition"
    DEFINITION_DESCENDING = "-definition"
    STATUS = "status"
    STATUS_DESCENDING = "-status"
    VERSION = "version"
    VERSION_DESCENDING = "-version"

    @property
    def is_descending(self) -> bool:
        return self.value.startswith("-")

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns by which the order is total: instances with the same value are in the order of their starts."""
        return tuple(dict.fromkeys((self._first, "started_at", "id")))

    @property
    def is_of_changes(self) -> bool:
        """Whether every event of an instance changes its place."""
        return self._first in ("updated_at", "version")

    @property
    def _first(self) -> str:
        return self.value.removeprefix("-")


async def instances(
    connection: Connection,
    workspace: str,
    *,
    status: Sequence[InstanceStatus] = (),
    definition: str | None = None,
    started_after: datetime | None = None,
    started_before: datetime | None = None,
    parent_id: str | None = None,
    sort: Sort = Sort.STARTED_DESCENDING,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[InstanceItem]:
    """Return the instances, started strictly between the two times; without a `status`, those of any.

    Raises InvalidArgument for an invalid limit or cursor, and ProjectionBehind while the read model, as an earlier release
    stored it, waits for a rebuild and does not have the order.
    """
    limit = checked_limit(limit)
    types = [_COLUMN_TYPES[column] for column in sort.columns]
    last = decode_cursor(cursor, *types)
    values = arguments(
        workspace=workspace,
        any_status=not status,
        status=[one.value for one in status],
        definition=definition,
        parent_id=parent_id,
        started_after=started_after,
        started_before=started_before,
        is_first=last is None,
        limit=limit,
        **dict(zip(_last_names(sort), last or [None] * len(types), strict=True)),
    )
    # Not prepared: planned with its values, the query loses its unused filters and an index can serve the rest.
    try:
        found = await (await connection.execute(_list_statement(sort), values, prepare=False)).fetchall()
    except errors.UndefinedTable as missing:  # until a generation of an earlier release is rebuilt
        raise ProjectionBehind() from missing
    return page([item_of(*row) for row in found], limit, attrgetter(*sort.columns))


def _last_names(sort: Sort) -> list[str]:
    """Return the parameters for the last item of the page before, a column each."""
    return [f"last_{column}" for column in sort.columns]


def _list_statement(sort: Sort) -> sql.Composed:
    direction = sql.SQL(" DESC" if sort.is_descending else " ASC")
    table = "l" if sort.is_of_changes else "c"
    columns = [_compared(column, sql.Identifier(table, column)) for column in sort.columns]
    last = [
        _compared(column, sql.Placeholder(name)) for column, name in zip(sort.columns, _last_names(sort), strict=True)
    ]
    return sql.SQL(_LIST).format(
        joined=sql.SQL(_JOINED if sort.is_of_changes else ""),
        columns=sql.SQL(", ").join(columns),
        beyond=sql.SQL("<" if sort.is_descending else ">"),
        last=sql.SQL(", ").join(last),
        order=sql.SQL(", ").join(column + direction for column in columns),
    )


def _compared(column: str, value: sql.Composable) -> sql.Composable:
    return _TITLE.format(value) if column == "title" else value
