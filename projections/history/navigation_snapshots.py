"""Variables kept for navigating back, as they were: no modification reaches them."""

from dataclasses import dataclass
from datetime import datetime

from procvars.domain.documents.values import Document
from procvars.domain.errors import NoSuchVersion
from procvars.domain.events import NavigationSnapshotTaken
from procvars.projections.history.streams import EventStreams


@dataclass(frozen=True, slots=True)
class NodeSnapshot:
    node: str
    version: int
    """Version of the instance at which it was taken."""
    taken_at: datetime
    variables: Document


async def navigation_snapshots(streams: EventStreams, instance_id: str) -> list[NodeSnapshot]:
    """Return the newest snapshot of each node, newest first; an empty list for an unknown instance.

    Raises NoSuchVersion if the stream has no variables for a snapshot, which `verify` explains.
    """
    newest: dict[str, NavigationSnapshotTaken] = {}
    async for recorded in streams.stream(instance_id, topics=[NavigationSnapshotTaken]):
        if isinstance(event := recorded.event, NavigationSnapshotTaken):
            newest.pop(event.node, None)  # keeps the nodes in the order of their newest snapshots
            newest[event.node] = event
    return [await _with_variables(streams, event) for event in reversed(newest.values())]


async def _with_variables(streams: EventStreams, event: NavigationSnapshotTaken) -> NodeSnapshot:
    version = event.originator_version
    variables = await streams.variables_at(event.originator_id, version)
    if variables is None:
        raise NoSuchVersion()
    return NodeSnapshot(node=event.node, version=version, taken_at=event.timestamp, variables=variables)
