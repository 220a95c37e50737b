"""What can happen, in the past tense: the only truth there is.

Names reflect the storage format: a TOPIC or a field that has been stored is never renamed. A change of shape is a new
`class_version` with an upcaster (`domain/upcasters.py`) and a golden file of the old one (`tests/domain/golden/`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, SkipValidation

from procvars.domain.instance_status import InstanceStatus

# Values come from the strict parser, or from an event that did: walking through them again would cost more than the rest
# of an event together.
Value = Annotated[Any, SkipValidation]
Variables = Annotated[dict[str, Any], SkipValidation]
Patch = Annotated[list[dict[str, Any]], SkipValidation]
Warnings = Annotated[list[dict[str, Any]], SkipValidation]

EditKind = Literal["put", "json-patch", "merge-patch", "restore", "reapply", "bulk"]


class Event(BaseModel):
    """Something that happened in one stream: that of a process instance, or that of a process definition."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")
    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    originator_id: str
    """The stream: the instance's id, or `definition_stream()` of a definition."""
    originator_version: int
    """1 for the first event of a stream, without gaps."""
    timestamp: datetime
    """When it was decided, in UTC."""
    workspace: str
    user: str
    """The `sub` of who did it."""
    user_name: str


class InstanceStarted(Event):
    """The engine started a process instance, or a subprocess with a copy of its parent's variables."""

    TOPIC: ClassVar[str] = "InstanceStarted"

    definition: str
    title: str
    variables: Variables
    parent_id: str | None = None


class InstanceStatusChanged(Event):
    """The engine moved the instance to another status."""

    TOPIC: ClassVar[str] = "InstanceStatusChanged"

    status: InstanceStatus


class VariablesWritten(Event):
    """The engine itself wrote variables, as a step of the process."""

    TOPIC: ClassVar[str] = "VariablesWritten"

    patch: Patch
    previous: Variables


class ProcessVariablesModified(Event):
    """An operator modified the variables of an active instance."""

    TOPIC: ClassVar[str] = "ProcessVariablesModified"
    class_version: ClassVar[int] = 2

    patch: Patch
    """RFC 6902, from the previous to the new document."""
    previous: Variables
    """The whole document as it was."""
    reason: str | None
    url: str
    """The URL of the request."""
    body: Value
    """The JSON that the request carried."""
    kind: EditKind
    base_version: int
    """The version that the operator had seen; lower than the one before this where the edit was rebased."""
    idempotency_key: str | None
    fingerprint: str | None
    """Of what was asked for under the idempotency key, to tell a repetition from another edit."""
    bulk_id: str | None
    warnings: Warnings
    """What the operator was told about what this edit does not reach."""


class SubprocessStarted(Event):
    """The instance started a subprocess; the child has a stream of its own."""

    TOPIC: ClassVar[str] = "SubprocessStarted"

    child_id: str
    definition: str
    params_to_copy: list[str] | None


class NavigationSnapshotTaken(Event):
    """The variables as they are at this version were kept for navigating back to a node."""

    TOPIC: ClassVar[str] = "NavigationSnapshotTaken"

    node: str
    fingerprint: str
    """Of the variables, so that an edit can tell that they differ without reading them again."""


class NavigatedBack(Event):
    """The process went back to a node; with `reset_data` its variables returned to the node's snapshot."""

    TOPIC: ClassVar[str] = "NavigatedBack"

    node: str
    reset_data: bool
    snapshot_version: int
    patch: Patch
    previous: Variables
    lost_modifications: list[int]
    """Versions of the operators' modifications that the reset undid."""


class IntegrationCalled(Event):
    """An external system was called with these values; a token waits for its answer."""

    TOPIC: ClassVar[str] = "IntegrationCalled"

    integration_id: str
    name: str
    request: Value


class IntegrationAnswered(Event):
    """The external system answered: the token waits no longer."""

    TOPIC: ClassVar[str] = "IntegrationAnswered"

    integration_id: str
    response: Value


class TaskOpened(Event):
    """A person has something to do."""

    TOPIC: ClassVar[str] = "TaskOpened"

    task_id: str
    title: str
    node: str | None
    assignee: str | None
    metadata: Variables


class TaskClosed(Event):
    """It is done."""

    TOPIC: ClassVar[str] = "TaskClosed"

    task_id: str


class DefinitionPublished(Event):
    """A process definition was configured, for the first time or anew."""

    TOPIC: ClassVar[str] = "DefinitionPublished"

    key: str
    name: str
    keywords: list[dict[str, str]]
    search: list[dict[str, str]]
    task_fields: list[dict[str, str]]
    json_schema: Value


class UnreadableEvent(Event):
    """The place of an event in its stream, where nothing else of it can be read: it is damaged, or a newer release stored
    it. Never stored itself; its time, workspace and user stand for nothing.
    """

    TOPIC: ClassVar[str] = "UnreadableEvent"

    stored_topic: str
    """What it is stored as."""
    why: str


INSTANCE_EVENTS: tuple[type[Event], ...] = (
    InstanceStarted,
    InstanceStatusChanged,
    VariablesWritten,
    ProcessVariablesModified,
    SubprocessStarted,
    NavigationSnapshotTaken,
    NavigatedBack,
    IntegrationCalled,
    IntegrationAnswered,
    TaskOpened,
    TaskClosed,
)
EVENTS: tuple[type[Event], ...] = (*INSTANCE_EVENTS, DefinitionPublished)

WRITES: Final = (VariablesWritten, ProcessVariablesModified, NavigatedBack)
"""The events after an instance's start that set its document. Each carries the whole of it."""

VariablesEvent = InstanceStarted | VariablesWritten | ProcessVariablesModified | NavigatedBack
"""Those that set the document. The newest of them is enough to know it."""

_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def no_start(event: Event) -> ValueError:
    """Return the error of a stream that begins with this event."""
    return ValueError(f"the stream of {event.originator_id} does not begin with InstanceStarted")


def unreadable(stream: str, version: int, stored_topic: str, why: str) -> UnreadableEvent:
    """Return what stands for an event that cannot be read."""
    return UnreadableEvent(
        originator_id=stream,
        originator_version=version,
        timestamp=_UNKNOWN_TIME,
        workspace="",
        user="",
        user_name="",
        stored_topic=stored_topic,
        why=why,
    )


E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E_co]):
    """An event at its place in the order of the whole store, which is the order of commits."""

    position: int
    event: E_co
    memory: int = 0
    """Bytes, about, that the decoded event takes; known where the event was decoded."""
