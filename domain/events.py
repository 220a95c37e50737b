"""Events, in the past tense: the only source of truth.

Names reflect the storage format: a stored TOPIC or field is never renamed. A change of shape is a new `class_version`
with an upcaster (`domain/upcasters.py`) and a golden file of the old one (`tests/domain/golden/`).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Final, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, SkipValidation

from procvars.domain.bulk.job_state import JobState
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Imported

# Values come from the strict parser, or from an event that did: validating them again would cost more than the rest of
# an event.
Value = Annotated[Any, SkipValidation]
Variables = Annotated[dict[str, Any], SkipValidation]
Patch = Annotated[list[dict[str, Any]], SkipValidation]
Warnings = Annotated[list[dict[str, Any]], SkipValidation]

EditKind = Literal["put", "json-patch", "merge-patch", "restore", "reapply", "bulk"]


class Event(BaseModel):
    """Something that happened in one stream: that of an instance, a definition, a bulk modification or an archive."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_timedelta="iso8601")
    TOPIC: ClassVar[str]
    class_version: ClassVar[int] = 1

    originator_id: str
    """Id of the stream: the instance's id, `definition_stream()` of a definition, `BULK_PREFIX` and a job's id, or
    `ARCHIVE_PREFIX` and an archive's name.
    """
    originator_version: int
    """Version in the stream: 1 for its first event, without gaps but before `InstanceArchived`."""
    timestamp: datetime
    """Time of the decision, in UTC."""
    workspace: str
    user: str
    """The `sub` of the user."""
    user_name: str
    imported: Imported | None = None
    """None for an event that happened here. Only the state of an imported one has it."""

    @property
    def arrived_at(self) -> datetime:
        """Time from which the event is here, and can be applied."""
        return self.timestamp if self.imported is None else self.imported.at


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
    """JSON Patch (RFC 6902) from the previous to the new document."""
    previous: Variables
    """The whole previous document."""
    reason: str | None
    url: str
    """The URL of the request."""
    body: Value
    """The JSON of the request."""
    kind: EditKind
    base_version: int
    """Version that the operator saw; lower than the previous one if the edit was rebased."""
    idempotency_key: str | None
    fingerprint: str | None
    """Hash of the request with the idempotency key, to tell a repetition from another edit."""
    bulk_id: str | None
    warnings: Warnings
    """Warnings to the operator about what this edit does not reach."""


class SubprocessStarted(Event):
    """The instance started a subprocess, which has a separate stream."""

    TOPIC: ClassVar[str] = "SubprocessStarted"

    child_id: str
    definition: str
    params_to_copy: list[str] | None


class NavigationSnapshotTaken(Event):
    """The variables as they are at this version were kept for navigating back to a node."""

    TOPIC: ClassVar[str] = "NavigationSnapshotTaken"

    node: str
    fingerprint: str
    """Hash of the variables, so that an edit can tell whether they differ without reading them again."""


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
    """The engine opened a task for a person."""

    TOPIC: ClassVar[str] = "TaskOpened"

    task_id: str
    title: str
    node: str | None
    assignee: str | None
    metadata: Variables


class TaskClosed(Event):
    """The engine closed a task, as it is done."""

    TOPIC: ClassVar[str] = "TaskClosed"

    task_id: str


class VariableTypesObserved(Event):
    """The instance runs in a real engine, whose variables have these types."""

    TOPIC: ClassVar[str] = "VariableTypesObserved"

    engine: str
    """Its name in the settings."""
    types: dict[str, str]
    """Variable → type, of those that the engine had then."""


class IncidentRetried(Event):
    """An operator told the real engine to try again what had failed."""

    TOPIC: ClassVar[str] = "IncidentRetried"

    incident_id: str
    activity: str
    message: str
    """What the engine said about the failure."""


class InstanceArchived(Event):
    """The history of a finished instance was moved to a file: this is all that is left of its stream, and its end."""

    TOPIC: ClassVar[str] = "InstanceArchived"

    status: InstanceStatus
    """The instance's final status."""
    events: int
    """Number of events before this one, which the file has: the versions from 1 on."""
    file: str
    """File with the histories of the archive, below the folder of archives."""
    sha256: str
    """SHA-256 of the file as it is stored, in hexadecimal digits."""


class DefinitionPublished(Event):
    """A process definition was published, for the first time or again."""

    TOPIC: ClassVar[str] = "DefinitionPublished"

    key: str
    name: str
    keywords: list[dict[str, str]]
    search: list[dict[str, str]]
    task_fields: list[dict[str, str]]
    json_schema: Value


class BulkModificationEnded(Event):
    """One change was made to many instances: what their own events do not say."""

    TOPIC: ClassVar[str] = "BulkModificationEnded"

    url: str
    """The URL of the request."""
    request: Variables
    """The JSON that was sent: `select`, `patch` or `merge` or `undo`, and `reason`."""
    digest: str
    undoes: str | None
    """Id of the bulk modification that this one undid."""
    state: JobState
    cancelled_by: str | None
    total: int
    changed: int
    unchanged: int
    skipped: int
    failed: int


class InstancesArchived(Event):
    """The histories of finished instances were moved to a file: what happened to all of them at once."""

    TOPIC: ClassVar[str] = "InstancesArchived"

    file: str
    sha256: str
    before: str
    """Time before which the newest event of each of them happened (RFC 3339)."""
    instances: int
    events: int
    """Number of events of all of them."""


class UnreadableEvent(Event):
    """Placeholder for an event that cannot be read: it is damaged, or a newer release stored it. Never stored itself;
    its time, workspace and user are meaningless.
    """

    TOPIC: ClassVar[str] = "UnreadableEvent"

    stored_topic: str
    """Topic of the stored event."""
    why: str


class SupersededWrite(Event):
    """Placeholder for one of `WRITES` that is directly followed by another one, for a reader of documents: nothing comes
    between them that could show its document. Never stored itself; its time, workspace and user are meaningless.
    """

    TOPIC: ClassVar[str] = "SupersededWrite"


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
    VariableTypesObserved,
    IncidentRetried,
)
"""Events that an instance's history consists of. An archived instance has `InstanceArchived` in its place."""
EVENTS: tuple[type[Event], ...] = (
    *INSTANCE_EVENTS,
    InstanceArchived,
    DefinitionPublished,
    BulkModificationEnded,
    InstancesArchived,
)

WRITES: Final = (VariablesWritten, ProcessVariablesModified, NavigatedBack)
"""Events after an instance's start that set its document. Each has the whole of it."""

VariablesEvent = InstanceStarted | VariablesWritten | ProcessVariablesModified | NavigatedBack
"""Events that set the document; the newest of them is enough to know it."""

_UNKNOWN_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def no_start(event: Event) -> ValueError:
    """Return the error of a stream that begins with this event."""
    return ValueError(f"the stream of {event.originator_id} does not begin with InstanceStarted")


def unreadable(stream: str, version: int, stored_topic: str, why: str) -> UnreadableEvent:
    """Return the placeholder for an event that cannot be read."""
    return UnreadableEvent(**_of_a_placeholder(stream, version), stored_topic=stored_topic, why=why)


def superseded(stream: str, version: int) -> SupersededWrite:
    """Return the placeholder for a write that is directly followed by another one."""
    return SupersededWrite.model_construct(**_of_a_placeholder(stream, version))


def _of_a_placeholder(stream: str, version: int) -> dict[str, Any]:
    """Return the fields that every event has."""
    return {
        "originator_id": stream,
        "originator_version": version,
        "timestamp": _UNKNOWN_TIME,
        "workspace": "",
        "user": "",
        "user_name": "",
    }


E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True, slots=True)
class Recorded(Generic[E_co]):
    """An event with its position in the whole store, which is in commit order."""

    position: int
    event: E_co
    memory: int = 0
    """Approximate memory of the decoded event, in bytes; 0 if unknown."""
