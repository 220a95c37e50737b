"""Whether a stream is what this software would have written: an auditor's check of the event store itself."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from procvars.projections.history.invariants import INVARIANTS, Replayed, step
from procvars.projections.history.streams import EventStreams
from procvars.projections.history.versions import Unread, every_version


@dataclass(frozen=True, slots=True)
class Mismatch:
    instance_id: str
    version: int
    """Of the event that does not fit; 0 where there is no event at all."""
    message: str


async def verify(streams: EventStreams, instance_id: str) -> list[Mismatch]:
    """Everything that is wrong with the stream, oldest first; none for a stream in order. Raises StoreUnavailable.

    One event that is wrong is reported once: the ones after it are held against what it says. What an event that cannot
    be read may have changed is not held against anything until a later event says it again.
    """
    so_far = Replayed()
    found: list[Mismatch] = []
    async for entry in every_version(streams, instance_id):
        if isinstance(entry, Unread):
            so_far.lose(entry.version)
            found.append(Mismatch(instance_id, entry.version, entry.why))
            continue
        taken = step(entry)
        messages = [message for invariant in INVARIANTS for message in invariant(so_far, taken)]
        found += [Mismatch(instance_id, entry.originator_version, message) for message in messages]
        so_far.follow(taken)
    if not so_far.version:
        found.append(Mismatch(instance_id, 0, "there are no events of such an instance"))
    return found


async def verify_all(
    streams: EventStreams, instance_ids: AsyncIterable[str]
) -> AsyncIterator[tuple[str, list[Mismatch]]]:
    """Each instance's id with its mismatches, as soon as they are known."""
    async for instance_id in instance_ids:
        yield instance_id, await verify(streams, instance_id)
