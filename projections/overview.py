"""Overview of a workspace: how many instances there are of which status and definition, and who modified what lately.

Its cost has a bound, whatever the size of the workspace: nothing is counted beyond `MOST`, and each count has an index.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from psycopg import errors

from procvars.domain.errors import InvalidArgument
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.projection import Connection
from procvars.projections.storage.text_columns import arguments

MOST: Final = 10_000
"""Number up to which instances are counted, and newest modifications looked at."""
DAYS: Final = 14
_MOST_DEFINITIONS: Final = 50
_MOST_EDITORS: Final = 20

_BY_STATUS = """
SELECT s.status, (
    SELECT count(*) FROM (
        SELECT FROM current_variables c WHERE c.workspace = %(workspace)s AND c.status = s.status LIMIT %(most)s + 1
    ) AS counted)
FROM unnest(%(statuses)s::text[]) WITH ORDINALITY AS s (status, place) ORDER BY s.place
"""
# Jumps from one definition to the next in the index, instead of reading all entries between them.
_BY_DEFINITION = """
WITH RECURSIVE found (definition) AS (
    SELECT (SELECT c.definition FROM current_variables c WHERE c.workspace = %(workspace)s ORDER BY c.definition LIMIT 1)
    UNION ALL
    SELECT (SELECT c.definition FROM current_variables c
        WHERE c.workspace = %(workspace)s AND c.definition > f.definition ORDER BY c.definition LIMIT 1)
    FROM found f WHERE f.definition IS NOT NULL
)
SELECT f.definition, (
    SELECT count(*) FROM (
        SELECT FROM current_variables c
        WHERE c.workspace = %(workspace)s AND c.definition = f.definition LIMIT %(most)s + 1
    ) AS counted)
FROM (SELECT definition FROM found WHERE definition IS NOT NULL LIMIT %(definitions)s) AS f
"""
_FIRST_DAY = """
SELECT (%(now)s AT TIME ZONE %(timezone)s)::date - %(days)s + 1,
    ((%(now)s AT TIME ZONE %(timezone)s)::date - %(days)s + 1)::timestamp AT TIME ZONE %(timezone)s
"""
_MODIFICATIONS = """
WITH recent AS MATERIALIZED (
    SELECT time, user_id, user_name, subject_identifier FROM audit_log
    WHERE workspace = %(workspace)s AND time >= %(since)s
        AND subject = 'Process variables' AND event = 'Update' AND status = 'Success'
    ORDER BY time DESC LIMIT %(most)s
)
SELECT (r.time AT TIME ZONE %(timezone)s)::date, r.user_id, max(r.user_name), c.definition, count(*), min(r.time), max(r.time)
FROM recent r LEFT JOIN current_variables c ON c.id = r.subject_identifier
GROUP BY 1, r.user_id, c.definition
"""


@dataclass(frozen=True, slots=True)
class StatusCount:
    status: InstanceStatus
    instances: int
    more: bool
    """Whether there are more than were counted."""


@dataclass(frozen=True, slots=True)
class DefinitionCount:
    definition: str
    instances: int
    more: bool


@dataclass(frozen=True, slots=True)
class DayCount:
    day: date
    modifications: int


@dataclass(frozen=True, slots=True)
class Editor:
    """Modifications of one person in the instances of one definition."""

    user: str
    user_name: str
    definition: str | None
    """None where the read model of the instances is behind."""
    modifications: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class RecentModifications:
    days: list[DayCount]
    """Each of the last days, oldest first."""
    editors: list[Editor]
    """Those with the most modifications first."""
    since: datetime
    """Time from which on every modification was counted: the beginning of the first day, or later if there are too many."""
    complete: bool
    """Whether that is the beginning of the first day."""


async def instances_by_status(connection: Connection, workspace: str) -> list[StatusCount]:
    """Return the number of instances of every status, also of those that none has."""
    values = arguments(workspace=workspace, statuses=[status.value for status in InstanceStatus], most=MOST)
    rows = await (await connection.execute(_BY_STATUS, values)).fetchall()
    return [StatusCount(InstanceStatus(status), min(found, MOST), found > MOST) for status, found in rows]


async def instances_by_definition(connection: Connection, workspace: str) -> list[DefinitionCount]:
    """Return the number of instances of up to fifty definitions that have any, in the order of their keys."""
    values = arguments(workspace=workspace, definitions=_MOST_DEFINITIONS, most=MOST)
    rows = await (await connection.execute(_BY_DEFINITION, values)).fetchall()
    return [DefinitionCount(definition, min(found, MOST), found > MOST) for definition, found in rows]


async def recent_modifications(
    connection: Connection, workspace: str, *, now: datetime, timezone: str
) -> RecentModifications:
    """Return operators' modifications in the last days, which begin and end as they do in the time zone.

    Raises InvalidArgument for an unknown time zone.
    """
    zone = arguments(timezone=timezone, now=now, days=DAYS)
    try:
        row = await (await connection.execute(_FIRST_DAY, zone)).fetchone()
    except errors.InvalidParameterValue as error:
        raise InvalidArgument(f"{timezone!r} is no time zone; one is Europe/Berlin", argument="timezone") from error
    assert row is not None
    first_day, since = row
    values = arguments(workspace=workspace, since=since, timezone=timezone, most=MOST)
    rows = await (await connection.execute(_MODIFICATIONS, values)).fetchall()
    by_day: Counter[date] = Counter()
    by_editor: dict[tuple[str, str | None], Editor] = {}
    for day, user, user_name, definition, found, _, last_at in rows:
        by_day[day] += found
        before = by_editor.get((user, definition))
        if before is not None:
            found, last_at = found + before.modifications, max(last_at, before.last_at)
        by_editor[user, definition] = Editor(user, user_name, definition, found, last_at)
    complete = by_day.total() < MOST
    days = (first_day + timedelta(days=number) for number in range(DAYS))
    editors = sorted(by_editor.values(), key=lambda one: (-one.modifications, one.user, one.definition or ""))
    return RecentModifications(
        days=[DayCount(day, by_day[day]) for day in days],
        editors=editors[:_MOST_EDITORS],
        since=since if complete else min(row[5] for row in rows),
        complete=complete,
    )
