"""Blame: who last set each value of an instance's variables, found by replaying the patches of its events."""

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import cast

from procvars.domain.errors import InstanceNotFound, NoSuchVersion
from procvars.domain.events import VariablesEvent
from procvars.domain.instance import VARIABLES_EVENTS
from procvars.projections.history.attributions import AttributedDocument, Attribution
from procvars.projections.history.streams import EventStreams
from procvars.projections.history.variables_events import Origin, origin_of, patch_of, reason_of


@dataclass(frozen=True, slots=True)
class BlamedLeaf:
    """A scalar, or an empty object or array, at the JSON Pointer `path`; `version` is the one that set it last."""

    path: str
    version: int
    user: str
    user_name: str
    time: datetime
    reason: str | None
    origin: Origin


async def blame(
    streams: EventStreams, instance_id: str, version: int | None, *, skip: int = 0, limit: int | None = None
) -> list[BlamedLeaf]:
    """Return the leaves of the document at `version` (None: now), in document order, without the first `skip` and at
    most `limit` of them; an empty document is one leaf, `""`.

    A leaf belongs to the event that wrote it, even if that replaced or moved a container with an equal leaf inside; an
    emptied container belongs to the event that removed its last member. Memory is proportional to the document, however
    long its history.

    Raises InstanceNotFound, NoSuchVersion, and PatchFailed if the stored patches do not fit, which `verify` explains.
    """
    last = await streams.last_version(instance_id)
    if not last:
        raise InstanceNotFound()
    if version is not None and not 1 <= version <= last:
        raise NoSuchVersion()
    document = AttributedDocument()
    async for recorded in streams.without_documents().stream(instance_id, topics=VARIABLES_EVENTS):
        event = cast(VariablesEvent, recorded.event)
        if version is not None and event.originator_version > version:
            break
        document.apply(patch_of(event), _attribution(event))
    saved = await streams.variables_at(instance_id, last if version is None else version)
    return [
        BlamedLeaf(path, by.version, by.user, by.user_name, by.time, by.reason, by.origin)
        for path, by in islice(document.leaves(saved), skip, None if limit is None else skip + limit)
    ]


def _attribution(event: VariablesEvent) -> Attribution:
    return Attribution(
        version=event.originator_version,
        user=event.user,
        user_name=event.user_name,
        time=event.timestamp,
        reason=reason_of(event),
        origin=origin_of(event),
    )
