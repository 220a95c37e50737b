"""Commands to an instance, in the imperative, each with its caller; the handlers add the time."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from procvars.commands.ports import KeyedRequest
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import Change, EditTerms
from procvars.domain.events import EditKind
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller


@dataclass(frozen=True, slots=True)
class Command:
    caller: Caller
    instance_id: str


@dataclass(frozen=True, slots=True)
class StepTerms:
    """What any of the engine's calls may say besides what it asks for."""

    base_version: int | None = None
    """The version of the instance that the call is based on; None for any."""
    rebase: bool = False
    request: KeyedRequest | None = None


@dataclass(frozen=True, slots=True)
class Step(Command):
    """One of the engine's calls."""

    terms: StepTerms = field(default=StepTerms(), kw_only=True)


@dataclass(frozen=True, slots=True)
class ModifyVariables(Command):
    kind: EditKind
    change: Change
    body: Json
    """The JSON of the request."""
    terms: EditTerms


@dataclass(frozen=True, slots=True)
class PreviewModification(Command):
    change: Change
    base_version: int | None = None
    """The version of the instance that the change is based on; None for the current one."""
    rebase: bool = False


@dataclass(frozen=True, slots=True)
class RestoreSnapshot(Command):
    version: int
    terms: EditTerms


@dataclass(frozen=True, slots=True)
class ReapplyModification(Command):
    version: int
    terms: EditTerms


@dataclass(frozen=True, slots=True)
class PublishDefinition:
    caller: Caller
    key: str
    name: str
    keywords: Sequence[dict[str, str]]
    search: Sequence[dict[str, str]]
    task_fields: Sequence[dict[str, str]]
    json_schema: Json
    base_version: int | None = None
    """The version that the new definition is based on, 0 for none; None for any."""


@dataclass(frozen=True, slots=True)
class StartInstance(Step):
    definition: str
    title: str | None
    variables: Document


@dataclass(frozen=True, slots=True)
class StartSubprocess(Step):
    child_id: str
    definition: str
    params_to_copy: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class ChangeStatus(Step):
    status: InstanceStatus


@dataclass(frozen=True, slots=True)
class WriteVariables(Step):
    change: Change


@dataclass(frozen=True, slots=True)
class TakeNavigationSnapshot(Step):
    node: str


@dataclass(frozen=True, slots=True)
class NavigateBack(Step):
    node: str
    reset_data: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class CallIntegration(Step):
    integration_id: str
    name: str
    request: Json


@dataclass(frozen=True, slots=True)
class AnswerIntegration(Step):
    integration_id: str
    response: Json


@dataclass(frozen=True, slots=True)
class OpenTask(Step):
    task_id: str
    title: str
    node: str | None
    assignee: str | None
    metadata: Document


@dataclass(frozen=True, slots=True)
class CloseTask(Step):
    task_id: str
