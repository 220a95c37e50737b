"""Modifications of an instance's variables, by operators and by the engine, newest first."""

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from procvars.domain.events import EditKind, NavigatedBack, Patch, ProcessVariablesModified, VariablesEvent
from procvars.domain.instance import VARIABLES_EVENTS
from procvars.projections.history.streams import EventStreams
from procvars.projections.history.variables_events import Origin, origin_of, patch_of, reason_of

_MEMORY = 16 * 2**20
"""Bytes that the decoded events of one page may take, about, before no more are read."""


@dataclass(frozen=True, slots=True)
class Modification:
    """A change of the variables, which created `version`."""

    version: int
    time: datetime
    user: str
    user_name: str
    reason: str | None
    patch: Patch
    """Difference from the previous document; an instance's start adds the whole document at the path `""`."""
    origin: Origin
    kind: EditKind | None
    """Kind of an operator's edit; None for the engine."""
    event: str
    """The topic of the event."""
    bulk_id: str | None
    lost_modifications: list[int] | None
    """Versions of the operators' modifications that a navigation back undid; None for all other events."""


async def modifications(
    streams: EventStreams, instance_id: str, before_version: int | None, limit: int
) -> list[Modification]:
    """Return at most `limit` modifications below `before_version` (None: the newest), newest first; fewer when their
    documents are large, but at least one.

    A navigation back that keeps the data is left out. An unknown instance has none.
    """
    before = before_version if before_version is not None else await streams.last_version(instance_id) + 1
    changes = streams.without_documents()
    found: list[Modification] = []
    memory = 0
    while (wanted := limit - len(found)) > 0 and not (found and memory > _MEMORY):
        page = await changes.stream_backwards(instance_id, before=before, topics=VARIABLES_EVENTS, limit=wanted)
        events = [cast(VariablesEvent, recorded.event) for recorded in page]
        found += [_modification(event) for event in events if not isinstance(event, NavigatedBack) or event.reset_data]
        memory += sum(recorded.memory for recorded in page)
        if not page:
            break
        before = events[-1].originator_version
    return found


def _modification(event: VariablesEvent) -> Modification:
    edit = event if isinstance(event, ProcessVariablesModified) else None
    return Modification(
        version=event.originator_version,
        time=event.timestamp,
        user=event.user,
        user_name=event.user_name,
        reason=reason_of(event),
        patch=patch_of(event),
        origin=origin_of(event),
        kind=edit.kind if edit else None,
        event=event.TOPIC,
        bulk_id=edit.bulk_id if edit else None,
        lost_modifications=event.lost_modifications if isinstance(event, NavigatedBack) else None,
    )
