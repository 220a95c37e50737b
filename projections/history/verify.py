"""Audit of the event store itself: whether a stream is what this software would have written."""

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass

from procvars.projections.history.invariants import INVARIANTS, Replayed, step
from procvars.projections.history.streams import EventStreams
from procvars.projections.history.versions import Unread, every_version


@dataclass(frozen=True, slots=True)
class Mismatch:
    instance_id: str
    version: int
    """Version of the event that does not fit; 0 if there are no events."""
    message: str


async def verify(streams: EventStreams, instance_id: str) -> list[Mismatch]:
    """Return everything that is wrong with the stream, oldest first; an empty list for a stream in order.

    An error is reported once: later events are compared with what the wrong event says. What an unreadable event may
    have changed is not compared until a later event states it again. Raises StoreUnavailable.
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
    """Yield each instance's id with its mismatches, as soon as they are known."""
    async for instance_id in instance_ids:
        yield instance_id, await verify(streams, instance_id)
