"""Steps of an instance's history in another system, one class for each event that they become here.

Their fields are those of the payload that the event feed sends, so that what a feed said can be imported. What follows from
the steps before, such as the previous variables, may be left out; where it is given it has to agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from procvars.domain.editing import REASON_CHARACTERS
from procvars.domain.events import (
    EditKind,
    InstanceStarted,
    InstanceStatusChanged,
    IntegrationAnswered,
    IntegrationCalled,
    NavigatedBack,
    NavigationSnapshotTaken,
    ProcessVariablesModified,
    SubprocessStarted,
    TaskClosed,
    TaskOpened,
    Value,
    Variables,
    VariablesWritten,
)
from procvars.domain.instance_status import InstanceStatus

_URL_CHARACTERS: Final = 8192

Line = Annotated[str, Field(max_length=512, pattern=r"^[^\x00]*$")]
"""A text that read models have in a column: PostgreSQL's text cannot hold NUL."""


class Happening(BaseModel):
    """What happened in a step."""

    model_config = ConfigDict(extra="forbid")


class Started(Happening):
    definition: str
    variables: Variables
    title: Line | None = None
    parent_id: str | None = None


class StatusChanged(Happening):
    status: InstanceStatus


class Write(Happening):
    """A change of the variables, by its `patch` or by all the `variables` after it."""

    patch: Value = None
    variables: Value = None
    previous: Value = None


class Written(Write):
    pass


class Modified(Write):
    """An operator's modification. What refers to other things of its store is not taken over."""

    reason: Annotated[str, Field(max_length=REASON_CHARACTERS)] | None = None
    url: Annotated[str, Field(max_length=_URL_CHARACTERS)] = ""
    body: Value = None
    kind: EditKind | None = None
    base_version: int | None = None
    warnings: list[dict[str, Any]] = Field(default_factory=list)
    idempotency_key: Value = None
    fingerprint: Value = None
    bulk_id: Value = None


class StartedSubprocess(Happening):
    child_id: str
    definition: str
    params_to_copy: list[str] | None = None


class SnapshotTaken(Happening):
    node: Line
    fingerprint: Value = None


class WentBack(Write):
    node: Line
    reset_data: StrictBool
    snapshot_version: int | None = None
    lost_modifications: list[int] | None = None


class Called(Happening):
    integration_id: Line
    name: Line
    request: Any


class Answered(Happening):
    integration_id: Line
    response: Any


class Opened(Happening):
    task_id: Line
    title: Line
    node: Line | None = None
    assignee: Line | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)


class Closed(Happening):
    task_id: Line


HAPPENINGS: Final[dict[str, type[Happening]]] = {
    InstanceStarted.TOPIC: Started,
    InstanceStatusChanged.TOPIC: StatusChanged,
    VariablesWritten.TOPIC: Written,
    ProcessVariablesModified.TOPIC: Modified,
    SubprocessStarted.TOPIC: StartedSubprocess,
    NavigationSnapshotTaken.TOPIC: SnapshotTaken,
    NavigatedBack.TOPIC: WentBack,
    IntegrationCalled.TOPIC: Called,
    IntegrationAnswered.TOPIC: Answered,
    TaskOpened.TOPIC: Opened,
    TaskClosed.TOPIC: Closed,
}
"""Type of an event → what happened. Instances of a real engine have further events, and are imported from the engine."""


@dataclass(frozen=True, slots=True)
class Step:
    """A step: what happened, when, and by whom."""

    happening: Happening
    time: datetime
    """Timezone-aware, in UTC."""
    user: str
    user_name: str


@dataclass(frozen=True, slots=True)
class History:
    """All steps of an instance, oldest first: the first is its start."""

    id: str
    steps: Sequence[Step]
