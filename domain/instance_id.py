"""Ids of process instances: no other id in the store can be one."""

import re

LONGEST = 200
"""Length of the longest id, in characters."""
DEFINITION_PREFIX = "definition:"
"""Prefix of the streams of definitions, which no instance's id has."""
BULK_PREFIX = "bulk-modification:"
"""Prefix of the streams of bulk modifications, which no instance's id has."""
ARCHIVE_PREFIX = "archive-file:"
"""Prefix of the streams of archives, which no instance's id has."""
_OTHERS = (DEFINITION_PREFIX, BULK_PREFIX, ARCHIVE_PREFIX)

# Control characters, and halves of surrogate pairs, which no encoding can write.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_DOT_SEGMENTS = (".", "..")
"""Segments that clients and proxies resolve in a URL, so that such an instance could not be requested."""


def is_instance_id(text: str) -> bool:
    """Return whether an instance could have this id; only the event store knows whether one has it."""
    return (
        0 < len(text) <= LONGEST
        and not text.startswith(_OTHERS)
        and text not in _DOT_SEGMENTS
        and _FORBIDDEN.search(text) is None
    )


def is_stream_id(text: str) -> bool:
    """Return whether a stream of the store could have this id, that of an instance or of anything else."""
    prefix = next((one for one in _OTHERS if text.startswith(one)), "")
    return is_instance_id(text.removeprefix(prefix))
