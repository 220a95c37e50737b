"""Named consumers of the event feed: how far each of them is, and which events it refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from procvars.adapters.postgres.pool import Connection
from procvars.domain.errors import InvalidArgument, NoSuchConsumer, TooManyConsumers
from procvars.domain.instance_id import is_instance_id
from procvars.projections.storage.versions_until import NEWEST_UNTIL, UNTIL

_MOST_CONSUMERS = 100
"""Consumers of a workspace; every reader of an instance's state looks at all of them."""
_MOST_SHOWN = 1000
_MOST_COUNTED = 2000
_MOST_MEASURED = 500

_OTHERS = "SELECT count(*) FROM consumers WHERE workspace = %(workspace)s AND name <> %(name)s"
_ACKNOWLEDGE = """
INSERT INTO consumers (workspace, name, position) VALUES (%(workspace)s, %(name)s, %(position)s)
ON CONFLICT (workspace, name) DO UPDATE SET position = excluded.position, acknowledged_at = now()
"""
_WITHDRAW = """
DELETE FROM consumer_refusals
WHERE workspace = %(workspace)s AND consumer = %(name)s AND position > %(position)s
"""
_EVENTS = """
SELECT notification_id, originator_id, originator_version FROM stored_events
WHERE workspace = %s AND notification_id = ANY(%s)
"""
_REFUSE = """
INSERT INTO consumer_refusals (workspace, consumer, position, instance_id, version, reason)
SELECT %s, %s, n.* FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::text[]) AS n
ON CONFLICT (workspace, consumer, position) DO UPDATE SET reason = excluded.reason
RETURNING xmax = 0  -- whether the row is new
"""
_COUNT = """
UPDATE consumers SET refused = refused + %(added)s WHERE workspace = %(workspace)s AND name = %(name)s
RETURNING name, position, acknowledged_at, refused
"""
_LIST = """
SELECT name, position, acknowledged_at, refused FROM consumers
WHERE workspace = %(workspace)s AND (%(name)s::text IS NULL OR name = %(name)s) ORDER BY name
"""
_REFUSALS = """
SELECT position, instance_id, version, reason FROM consumer_refusals
WHERE workspace = %s AND consumer = %s ORDER BY position DESC LIMIT %s
"""
_FORGET = "DELETE FROM consumers WHERE workspace = %s AND name = %s"
# Probes ask, and must not take long: neither for consumers that are gone, nor for many of them.
_LAGS = """
SELECT c.workspace, c.name,
    (SELECT count(*) FROM (
        SELECT FROM stored_events e
        WHERE e.workspace = c.workspace AND e.notification_id > c.position LIMIT %s
    ) AS behind),
    c.refused
FROM consumers c ORDER BY c.acknowledged_at DESC LIMIT %s
"""
# A refused edit counts until the consumer has applied a later edit of the instance.
_ARRIVALS = f"""
SELECT c.name, c.acknowledged_at, ({NEWEST_UNTIL.format(position="c.position")}), r.version, r.reason
FROM consumers c
LEFT JOIN LATERAL (
    SELECT f.version, f.reason FROM consumer_refusals f
    WHERE f.instance_id = %(instance)s AND f.workspace = c.workspace AND f.consumer = c.name
    ORDER BY f.version DESC LIMIT 1
) r ON r.version >= coalesce((
    SELECT e.originator_version FROM stored_events e
    WHERE {UNTIL.format(position="c.position")} AND e.topic = 'ProcessVariablesModified'
    ORDER BY e.originator_version DESC LIMIT 1
), 0)
WHERE c.workspace = %(workspace)s ORDER BY c.name
"""


class ArrivalState(StrEnum):
    WAITING = "waiting"
    """The consumer has not come to the instance's newest event."""
    APPLIED = "applied"
    REFUSED = "refused"
    """The consumer did not apply an edit, and no later one either."""


class Refusal(NamedTuple):
    position: int
    reason: str


@dataclass(frozen=True, slots=True)
class ConsumerStatus:
    name: str
    position: int
    acknowledged_at: datetime
    refused: int
    """Number of events that the consumer refused."""


@dataclass(frozen=True, slots=True)
class ConsumerLag:
    workspace: str
    name: str
    events: int
    """Number of events that the consumer has not acknowledged; 2,000 for more."""
    refused: int


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    position: int
    instance_id: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class ArrivalStatus:
    """Where an instance's events are on their way to a consumer."""

    version: int
    """The newest version that the consumer has handled; 0 for none."""
    current: bool
    state: ArrivalState
    refused_version: int | None
    detail: str | None
    """The consumer's reason for a refusal."""
    acknowledged_at: datetime


async def acknowledge(
    connection: Connection, workspace: str, name: str, position: int, refused: Sequence[Refusal]
) -> ConsumerStatus:
    """Keep that the consumer has handled everything up to that position, which may be earlier than its last one.

    Refusals behind the position are withdrawn; earlier ones stay. Raises InvalidArgument for a refusal of no event of the
    workspace, TooManyConsumers.
    """
    keys = {"workspace": workspace, "name": name, "position": position}
    async with connection.transaction():
        events = await _events(connection, workspace, position, refused)
        row = await (await connection.execute(_OTHERS, keys)).fetchone()
        if row is not None and row[0] >= _MOST_CONSUMERS:
            raise TooManyConsumers(limit=_MOST_CONSUMERS)
        await connection.execute(_ACKNOWLEDGE, keys)
        added = -(await connection.execute(_WITHDRAW, keys)).rowcount
        if refused:
            reasons = {one.position: one.reason for one in refused}
            columns = (list(reasons), *zip(*(events[one] for one in reasons), strict=True), list(reasons.values()))
            rows = await connection.execute(_REFUSE, (workspace, name, *map(list, columns)))
            added += sum(row[0] for row in await rows.fetchall())
        row = await (await connection.execute(_COUNT, {**keys, "added": added})).fetchone()
        assert row is not None
        return ConsumerStatus(*row)


async def _events(
    connection: Connection, workspace: str, position: int, refused: Sequence[Refusal]
) -> Mapping[int, tuple[str, int]]:
    """Return position → instance and version of the refused events. Raises InvalidArgument, which lists the others."""
    if not refused:
        return {}
    rows = await connection.execute(_EVENTS, (workspace, [one.position for one in refused]))
    found = {row[0]: (row[1], row[2]) for row in await rows.fetchall() if is_instance_id(row[1])}
    errors = [
        {"path": f"/refused/{index}/position", "message": message}
        for index, one in enumerate(refused)
        if (message := _mistake(one.position, position, one.position in found))
    ]
    if errors:
        raise InvalidArgument(
            "Only events up to the acknowledged position can be refused.", errors=errors[:_MOST_SHOWN]
        )
    return found


def _mistake(refused: int, position: int, exists: bool) -> str | None:
    if refused > position:
        return "it is behind the acknowledged position"
    return None if exists else "no event of an instance of this workspace has this position"


async def consumers(connection: Connection, workspace: str) -> list[ConsumerStatus]:
    """Return the workspace's consumers, by name."""
    rows = await connection.execute(_LIST, {"workspace": workspace, "name": None})
    return [ConsumerStatus(*row) for row in await rows.fetchall()]


async def consumer(connection: Connection, workspace: str, name: str) -> ConsumerStatus:
    """Return one of them. Raises NoSuchConsumer."""
    row = await (await connection.execute(_LIST, {"workspace": workspace, "name": name})).fetchone()
    if row is None:
        raise NoSuchConsumer()
    return ConsumerStatus(*row)


async def consumer_lags(connection: Connection) -> list[ConsumerLag]:
    """Return how far the consumers of all workspaces are behind, at most five hundred."""
    rows = await connection.execute(_LAGS, (_MOST_COUNTED, _MOST_MEASURED), prepare=True)
    return [ConsumerLag(*row) for row in await rows.fetchall()]


async def refused_events(connection: Connection, workspace: str, name: str) -> list[RefusedEvent]:
    """Return what the consumer refused, newest first, at most a thousand."""
    rows = await connection.execute(_REFUSALS, (workspace, name, _MOST_SHOWN))
    return [RefusedEvent(*row) for row in await rows.fetchall()]


async def forget(connection: Connection, workspace: str, name: str) -> None:
    """Forget the consumer and what it refused. Raises NoSuchConsumer."""
    if not (await connection.execute(_FORGET, (workspace, name))).rowcount:
        raise NoSuchConsumer()


async def arrivals(connection: Connection, workspace: str, instance_id: str, version: int) -> dict[str, ArrivalStatus]:
    """Return how far each consumer, by name, is with the instance, whose newest version is `version`."""
    rows = await connection.execute(_ARRIVALS, {"workspace": workspace, "instance": instance_id}, prepare=True)
    return {row[0]: _arrival(version, *row[1:]) for row in await rows.fetchall()}


def _arrival(
    newest: int, acknowledged_at: datetime, handled: int | None, refused_version: int | None, reason: str | None
) -> ArrivalStatus:
    state = ArrivalState.APPLIED
    if refused_version is not None:
        state = ArrivalState.REFUSED
    elif (handled or 0) < newest:
        state = ArrivalState.WAITING
    applied = state is ArrivalState.APPLIED
    return ArrivalStatus(handled or 0, applied, state, refused_version, reason, acknowledged_at)
