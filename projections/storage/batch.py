"""A batch as few statements instead of several per event: its unseen events by instance, and rows as columns for
`unnest`.
"""

from collections.abc import Mapping, Sequence

from procvars.domain.events import WRITES, Event, Recorded


def instance_ids(events: Sequence[Recorded[Event]], kinds: tuple[type[Event], ...]) -> list[str]:
    """Return the distinct streams with an event of these kinds in the batch."""
    found = (recorded.event for recorded in events)
    return list(dict.fromkeys(event.originator_id for event in found if isinstance(event, kinds)))


def unseen_events(
    events: Sequence[Recorded[Event]], versions: Mapping[str, int], kinds: tuple[type[Event], ...]
) -> dict[str, list[Event]]:
    """Return stream → its events of these kinds above the version that the read model has, oldest first, each once.

    A write of the variables that is directly followed by another is left out: the later one carries the whole document.
    """
    found: dict[str, list[Event]] = {}
    reached = dict(versions)
    for recorded in events:
        event = recorded.event
        stream = event.originator_id
        if not isinstance(event, kinds) or event.originator_version <= reached.get(stream, 0):
            continue
        reached[stream] = event.originator_version
        fresh = found.setdefault(stream, [])
        if fresh and isinstance(event, WRITES) and isinstance(fresh[-1], WRITES):
            fresh.pop()
        fresh.append(event)
    return found


def columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Return the rows, at least one, as one list per column."""
    return [list(column) for column in zip(*rows, strict=True)]
