"""The instances that a bulk modification is for, as the read models know them."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from procvars.domain.bulk.job import Selected
from procvars.domain.errors import InvalidArgument, TooManyInstances
from procvars.domain.instance_id import is_instance_id
from procvars.projections import search_index
from procvars.projections.projection import Connection
from procvars.projections.search.store import KeyCondition, SearchQuery, SearchStore
from procvars.projections.storage.paging import MAX_LIMIT
from procvars.projections.storage.text_columns import arguments

_IN_BULK = """
    SELECT i.instance_id AS id, array_agg(i.version) AS versions FROM bulk_items i JOIN bulk_jobs j ON j.id = i.job_id
    WHERE j.id = %(bulk_id)s AND j.workspace = %(workspace)s AND NOT j.dry_run AND i.outcome = 'changed'
    GROUP BY 1
"""
_OF_BULK = _IN_BULK + "ORDER BY 1 LIMIT %(limit)s"
# The versions, newest first, are those of the modifications that the selection names.
_SELECT = f"""
WITH modified AS (
    SELECT subject_identifier AS id, array_agg(version ORDER BY version DESC) AS versions FROM audit_log
    WHERE %(any_modification)s AND workspace = %(workspace)s AND event = 'Update' AND status = 'Success'
        AND (%(modified_by)s::text IS NULL
            OR (left(user_id, 200) = left(%(modified_by)s, 200) AND user_id = %(modified_by)s))
        AND (%(modified_from)s::timestamptz IS NULL OR time >= %(modified_from)s)
        AND (%(modified_to)s::timestamptz IS NULL OR time <= %(modified_to)s)
        AND (%(bulk_id)s::text IS NULL OR bulk_id = %(bulk_id)s)
    GROUP BY 1
), in_bulk AS (
    {_IN_BULK}
)
SELECT c.id, coalesce(modified.versions, in_bulk.versions)
FROM current_variables c LEFT JOIN modified ON modified.id = c.id LEFT JOIN in_bulk ON in_bulk.id = c.id
WHERE c.workspace = %(workspace)s
    AND (NOT %(any_modification)s OR modified.id IS NOT NULL)
    AND (%(bulk_id)s::text IS NULL OR in_bulk.id IS NOT NULL)
    AND (%(any_definition)s OR c.definition = ANY(%(definitions)s))
    AND (%(any_status)s OR c.status = ANY(%(statuses)s))
    AND (%(ids)s::text[] IS NULL OR c.id = ANY(%(ids)s))
    AND (%(title_prefix)s::text IS NULL OR starts_with(lower(c.title), lower(%(title_prefix)s)))
    AND (%(title_contains)s::text IS NULL OR strpos(lower(c.title), lower(%(title_contains)s)) > 0)
ORDER BY c.id LIMIT %(limit)s
"""


class TitleCondition(NamedTuple):
    """Ignores case."""

    prefix: str | None = None
    contains: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """All of it has to be true of an instance. None and no elements: whatever it is."""

    definitions: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    ids: tuple[str, ...] | None = None
    keys: tuple[KeyCondition, ...] = ()
    title: TitleCondition | None = None
    modified_by: str | None = None
    modified_from: datetime | None = None
    modified_to: datetime | None = None
    bulk_id: str | None = None
    """A bulk modification that changed the instance."""

    @property
    def is_empty(self) -> bool:
        return self == Selection()

    @property
    def names_modifications(self) -> bool:
        """Whether it says which modifications of an instance could be undone."""
        return self.names_times_or_users or self.bulk_id is not None

    @property
    def names_instances_alone(self) -> bool:
        """Whether the instances are all that it says."""
        return self.ids is not None and self == Selection(ids=self.ids)

    @property
    def names_bulk_alone(self) -> bool:
        """Whether a bulk modification is all that it says: its own results are never behind."""
        return self.bulk_id is not None and self == Selection(bulk_id=self.bulk_id)

    @property
    def names_times_or_users(self) -> bool:
        """Whether it says who modified an instance, or when."""
        return any(one is not None for one in (self.modified_by, self.modified_from, self.modified_to))


def checked(selection: Selection, *, undo: bool) -> Selection:
    """Return the selection with each id once. Raises InvalidArgument where it says nothing, or nothing to undo."""
    if selection.is_empty:
        raise InvalidArgument("The selection is empty: it would be every instance of the workspace.", argument="select")
    if undo and not selection.names_modifications:
        detail = "To undo modifications, select them by modified_by, modified_from, modified_to or bulk_id."
        raise InvalidArgument(detail, argument="select")
    if selection.ids is None:
        return selection
    if strange := [one for one in selection.ids if not is_instance_id(one)]:
        raise InvalidArgument(f"{strange[0][:200]!r} cannot be the id of an instance.", argument="select")
    return replace(selection, ids=tuple(sorted(set(selection.ids))))


async def page_by_keys(
    connection: Connection, store: SearchStore, workspace: str, selection: Selection, cursor: str | None
) -> tuple[list[str], str | None]:
    """Return the ids of a page of the instances that the search keys find, and the cursor of the next page.

    Raises as `projections.search_index.search`.
    """
    query = SearchQuery(
        workspace=workspace,
        keys=selection.keys,
        definitions=selection.definitions or None,
        statuses=selection.statuses or None,
        limit=MAX_LIMIT,
        cursor=cursor,
    )
    found = await search_index.search(connection, store, query)
    return [hit.instance_id for hit in found.items], found.next


async def selected(
    connection: Connection, workspace: str, selection: Selection, *, undo: bool, most: int
) -> list[Selected]:
    """Return the instances in the order of their ids; `selection.keys` is left to `page_by_keys`.

    Raises TooManyInstances, with `limit`.
    """
    if selection.names_instances_alone:
        found = [Selected(instance_id) for instance_id in selection.ids or ()]
    else:
        rows = await _rows(connection, workspace, selection, most + 1)
        found = [Selected(instance_id, tuple(versions or ()) if undo else None) for instance_id, versions in rows]
    if len(found) > most:
        raise TooManyInstances(f"More than {most:,} instances are selected.", limit=most)
    return sorted(found)


async def _rows(
    connection: Connection, workspace: str, selection: Selection, limit: int
) -> list[tuple[str, list[int] | None]]:
    title = selection.title or TitleCondition()
    values = arguments(
        workspace=workspace,
        any_modification=selection.names_times_or_users,
        modified_by=selection.modified_by,
        modified_from=selection.modified_from,
        modified_to=selection.modified_to,
        bulk_id=selection.bulk_id,
        any_definition=not selection.definitions,
        definitions=list(selection.definitions),
        any_status=not selection.statuses,
        statuses=list(selection.statuses),
        ids=None if selection.ids is None else list(selection.ids),
        title_prefix=title.prefix,
        title_contains=title.contains,
        limit=limit,
    )
    # Not prepared: planned with its values, what is not asked for falls away.
    statement = _OF_BULK if selection.names_bulk_alone else _SELECT
    return await (await connection.execute(statement, values, prepare=False)).fetchall()
