"""Sizes above which a request goes to the heavy lane, measured in docs/decisions/0012-heavy-lane.md."""

from procvars.adapters.postgres.event_rows import ReadBudget

LIGHT_BODY_BYTES = 64 * 1024
"""Size in bytes of the largest body that the server's own event loop parses."""
LIGHT_TEXT_BYTES = 256 * 1024
"""Size in bytes of the largest stored text that it passes on."""
LIGHT_READS = ReadBudget(
    event_bytes=3 * LIGHT_BODY_BYTES,  # an event has the document before, the body, and the patch from one to the other
    memory=4 * 2**20,
    stream_memory=4 * 2**20,
)
