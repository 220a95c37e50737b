"""Commands to an instance, in the imperative, each with its caller; the handlers add the time."""

from collections.abc import Sequence
from dataclasses import dataclass

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
class ModifyVariables(Command):
    kind: EditKind
    change: Change
    body: Json
    """The JSON of the request."""
    terms: EditTerms


@dataclass(frozen=True, slots=True)
class PreviewModification(Command):
    change: Change


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


@dataclass(frozen=True, slots=True)
class StartInstance(Command):
    definition: str
    title: str | None
    variables: Document


@dataclass(frozen=True, slots=True)
class StartSubprocess(Command):
    child_id: str
    definition: str
    params_to_copy: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class ChangeStatus(Command):
    status: InstanceStatus


@dataclass(frozen=True, slots=True)
class WriteVariables(Command):
    change: Change


@dataclass(frozen=True, slots=True)
class TakeNavigationSnapshot(Command):
    node: str


@dataclass(frozen=True, slots=True)
class NavigateBack(Command):
    node: str
    reset_data: bool
    dry_run: bool


@dataclass(frozen=True, slots=True)
class CallIntegration(Command):
    integration_id: str
    name: str
    request: Json


@dataclass(frozen=True, slots=True)
class AnswerIntegration(Command):
    integration_id: str
    response: Json


@dataclass(frozen=True, slots=True)
class OpenTask(Command):
    task_id: str
    title: str
    node: str | None
    assignee: str | None
    metadata: Document


@dataclass(frozen=True, slots=True)
class CloseTask(Command):
    task_id: str
