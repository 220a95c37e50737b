"""Removal of archived instances from a read model, the same for every projection."""

from collections.abc import Sequence

from procvars.domain.events import Event, InstanceArchived, Recorded
from procvars.projections.projection import Connection, Projection


async def apply_events(
    connection: Connection, projection: Projection, generation: int, events: Sequence[Recorded[Event]]
) -> None:
    """Apply the events, in the transaction that `connection` is in; of an instance that they archive nothing stays.

    Nothing follows an archiving in its stream, so what precedes it in the batch need not be applied. Raises as
    `Projection.apply`.
    """
    # Every batch pays for this, and isinstance() of a Pydantic class takes several times as long.
    archived = [recorded.event.originator_id for recorded in events if type(recorded.event) is InstanceArchived]
    if not archived:
        await projection.apply(connection, generation, events)
        return
    gone = set(archived)
    left = [recorded for recorded in events if recorded.event.originator_id not in gone]
    if left:
        await projection.apply(connection, generation, left)
    await projection.generations.remove(connection, generation, archived)
