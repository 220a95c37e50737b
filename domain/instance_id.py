"""Which texts can be the id of a process instance. Everything else in the store has an id that cannot be one."""

import re

LONGEST = 200
"""Characters."""
DEFINITION_PREFIX = "definition:"
"""What the streams of definitions begin with, and no instance's id does."""
BULK_PREFIX = "bulk-modification:"
"""What the streams of bulk modifications begin with, and no instance's id does."""

# Control characters, and halves of surrogate pairs, which no encoding can write.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DOT_SEGMENTS = (".", "..")
"""Clients and proxies resolve them in a URL, so that nobody could ask for such an instance."""


def is_instance_id(text: str) -> bool:
    """Return whether an instance could have this id; whether one has it is for the event store to say."""
    return (
        0 < len(text) <= LONGEST
        and not text.startswith((DEFINITION_PREFIX, BULK_PREFIX))
        and text not in _DOT_SEGMENTS
        and _FORBIDDEN.search(text) is None
    )


def is_stream_id(text: str) -> bool:
    """Return whether a stream of the store could have this id: an instance's, a definition's, or a bulk modification's."""
    return is_instance_id(text.removeprefix(DEFINITION_PREFIX).removeprefix(BULK_PREFIX))
