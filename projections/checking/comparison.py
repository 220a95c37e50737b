"""Differences between the streams of a read model and the event store, found by counting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from procvars.projections.projection import Connection, Projection
from procvars.projections.running.parked import parked_among
from procvars.projections.running.positions import LiveProjection
from procvars.projections.storage.counted import NOTHING, Counted, Tally, difference, sum_of

_TALLIES = """
SELECT originator_id, topic, count(*) FILTER (WHERE notification_id <= %(position)s),
    max(originator_version) FILTER (WHERE notification_id <= %(position)s), count(*), max(originator_version)
FROM stored_events WHERE originator_id = ANY(%(streams)s) GROUP BY originator_id, topic
"""


@dataclass(frozen=True, slots=True)
class _Stored:
    """Tallies of a stream in the event store, by topic: up to the projection's position, and in total."""

    until: Mapping[str, Tally]
    all: Mapping[str, Tally]


async def differing(
    connection: Connection, projection: Projection, live: LiveProjection, streams: Sequence[str]
) -> dict[str, str]:
    """Return stream → how the read model differs in it; parked streams, which lag behind by design, are left out."""
    if not streams:
        return {}
    waiting = await parked_among(connection, projection.name, live.generation, streams)
    counted = await projection.counted(connection, live.generation, streams)
    stored = await _stored(connection, streams, live.position)
    found: dict[str, str] = {}
    for stream in streams:
        if stream not in waiting and (detail := _difference(counted, stream, stored.get(stream))) is not None:
            found[stream] = detail
    return found


def _difference(counted: Sequence[Counted], stream: str, stored: _Stored | None) -> str | None:
    for one in counted:
        topics = [kind.TOPIC for kind in one.kinds]
        least, most = (
            sum_of(tallies.get(topic, NOTHING) for topic in topics)
            for tallies in ((stored.until, stored.all) if stored else ({}, {}))
        )
        if (detail := difference(one, stream, least, most)) is not None:
            return detail
    return None


async def _stored(connection: Connection, streams: Sequence[str], position: int) -> dict[str, _Stored]:
    values = {"position": position, "streams": list(streams)}
    until: dict[str, dict[str, Tally]] = {}
    everything: dict[str, dict[str, Tally]] = {}
    for row in await (await connection.execute(_TALLIES, values, prepare=True)).fetchall():
        until.setdefault(row[0], {})[row[1]] = Tally(row[2], row[3])
        everything.setdefault(row[0], {})[row[1]] = Tally(row[4], row[5])
    return {stream: _Stored(until[stream], everything[stream]) for stream in until}
