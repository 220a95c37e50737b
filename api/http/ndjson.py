"""Lines of a body of newline-delimited JSON, as they arrive."""

from collections.abc import AsyncIterator, Sequence
from typing import NamedTuple


class Line(NamedTuple):
    number: int
    """From 1; empty lines count."""
    text: bytes | None
    """None for a line that is too long, of which nothing is kept."""


async def complete_lines(chunks: AsyncIterator[bytes], longest: int) -> AsyncIterator[Sequence[Line]]:
    """Yield the lines that each chunk completes, without empty ones; never more than `longest` bytes of one are kept."""
    pending: list[bytes] = []
    size = number = 0
    async for chunk in chunks:
        *ends, begun = chunk.split(b"\n")
        found = []
        for end in ends:
            number += 1
            size += len(end)
            line = Line(number, b"".join((*pending, end)).strip() if size <= longest else None)
            if line.text != b"":
                found.append(line)
            pending, size = [], 0
        size += len(begun)
        if size <= longest:
            pending.append(begun)
        else:
            pending.clear()
        if found:
            yield found
    last = Line(number + 1, b"".join(pending).strip() if size <= longest else None)
    if last.text != b"":
        yield [last]
