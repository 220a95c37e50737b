"""Comparison of a live read model with one rebuilt from the events, instance by instance, without stopping it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

from procvars.projections.projection import Connection, EventArchive, Projection
from procvars.projections.rebuilding.rebuild import NewGeneration, catch_up
from procvars.projections.running.positions import live_projection, lock_projection

_PAGE = 500
_CHUNK = 200
_ROUNDS = 5
_PAUSE_SECONDS = 0.5


async def differing(
    connection: Connection, projection: Projection, archive: EventArchive, anew: NewGeneration
) -> list[str]:
    """Return the sorted ids of the streams whose contents differ between the live generation and the rebuilt one.

    Both advance during the comparison, so a difference only makes a stream a suspect, which is compared again with the
    live generation locked and the other one at the same position; repeatedly, as a projection fed by several workers is
    ahead of its position.
    """
    live = (await live_projection(connection, projection.name)).generation
    suspects: set[str] = set()
    for one, other in ((anew.number, live), (live, anew.number)):
        async for stream_ids in _pages(connection, projection, one):
            suspects |= await _different(connection, projection, stream_ids, one, other)
    for attempt in range(_ROUNDS):
        if suspects and attempt:
            await asyncio.sleep(_PAUSE_SECONDS)
        chosen = sorted(suspects)
        for start in range(0, len(chosen), _CHUNK):
            chunk = chosen[start : start + _CHUNK]
            suspects -= set(chunk) - await _at_the_same_position(connection, projection, archive, anew, chunk)
    return sorted(suspects)


async def _at_the_same_position(
    connection: Connection, projection: Projection, archive: EventArchive, anew: NewGeneration, chunk: Sequence[str]
) -> set[str]:
    async with connection.transaction():
        live = await lock_projection(connection, projection.name, wait=True)
        assert live is not None
        await catch_up(connection, projection, archive, anew, until=live.position)
        return await _different(connection, projection, chunk, live.generation, anew.number)


async def _pages(connection: Connection, projection: Projection, generation: int) -> AsyncIterator[list[str]]:
    after = ""
    while found := await projection.generations.stream_ids(connection, generation, after=after, limit=_PAGE):
        yield found
        after = found[-1]


async def _different(
    connection: Connection, projection: Projection, stream_ids: Sequence[str], one: int, other: int
) -> set[str]:
    left = await projection.generations.contents(connection, one, stream_ids)
    right = await projection.generations.contents(connection, other, stream_ids)
    return {stream_id for stream_id in stream_ids if left.get(stream_id) != right.get(stream_id)}
