"""What is heavy: the sizes above which a request is for the lane, measured in docs/decisions/0012-heavy-lane.md."""

from procvars.adapters.postgres.event_rows import ReadBudget

LIGHT_BODY_BYTES = 64 * 1024
"""Size of the largest body that the server's own event loop parses."""
LIGHT_TEXT_BYTES = 256 * 1024
"""Size of the largest text that it passes on as it is stored."""
LIGHT_READS = ReadBudget(
    event_bytes=3 * LIGHT_BODY_BYTES,  # an event has the document before, the body, and the patch from one to the other
    memory=4 * 2**20,
    stream_memory=4 * 2**20,
)
