"""Decisions of the process engine, one function for each step of the process."""

from collections.abc import Sequence

from procvars.domain.definition import Definition
from procvars.domain.document_policies import EditRules, check_engines_document, engine_warnings
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import Change, based_document
from procvars.domain.errors import (
    InstanceNotActive,
    IntegrationAlreadyAnswered,
    InvalidArgument,
    InvalidTransition,
    NoSuchIntegration,
    NoSuchNavigationSnapshot,
    NoSuchTask,
    TaskAlreadyClosed,
)
from procvars.domain.events import (
    Event,
    InstanceStarted,
    InstanceStatusChanged,
    IntegrationAnswered,
    IntegrationCalled,
    NavigatedBack,
    NavigationSnapshotTaken,
    SubprocessStarted,
    TaskClosed,
    TaskOpened,
    VariablesWritten,
)
from procvars.domain.instance import Instance, variables_after
from procvars.domain.instance_id import is_instance_id
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from procvars.domain.warnings import Warning, modifications_lost


def start(
    instance_id: str, title: str | None, variables: Document, provenance: Provenance, *, rules: EditRules
) -> tuple[InstanceStarted, list[Warning]]:
    """Start an instance. Raises InvalidArgument where the id cannot be one, and DocumentTooLarge."""
    if not is_instance_id(instance_id):
        raise InvalidArgument("That cannot be the id of an instance.", path="/id")
    warnings = check_engines_document(variables, rules)
    event = InstanceStarted(
        **provenance.header(instance_id, 1),
        definition=rules.definition.key,
        title=title or rules.definition.name,
        variables=variables,
    )
    return event, warnings


def start_subprocess(
    parent: Instance,
    child_id: str,
    params_to_copy: Sequence[str] | None,
    provenance: Provenance,
    *,
    definition: Definition,
) -> tuple[tuple[SubprocessStarted, InstanceStarted], list[Warning]]:
    """Start a child with a copy of the named top-level variables, or of all. Raises InvalidArgument for a missing name.

    The schema of the child's definition only warns of its copy: a subprocess may start with a part of what it needs.
    """
    must_be_active(parent)
    missing: list[Json] = [name for name in params_to_copy or () if name not in parent.variables]
    if missing:
        raise InvalidArgument(f"The parent has no variables {', '.join(map(str, missing))}.", missing=missing)
    names = parent.variables if params_to_copy is None else params_to_copy
    told = SubprocessStarted(
        **provenance.header(parent.id, parent.version + 1),
        child_id=child_id,
        definition=definition.key,
        params_to_copy=None if params_to_copy is None else list(params_to_copy),
    )
    child = InstanceStarted(
        **provenance.header(child_id, 1),
        definition=definition.key,
        title=definition.name,
        variables={name: parent.variables[name] for name in names},
        parent_id=parent.id,
    )
    return (told, child), engine_warnings(child.variables, definition)


def change_status(instance: Instance, status: InstanceStatus, provenance: Provenance) -> InstanceStatusChanged:
    """Move the instance to another status. Raises InvalidTransition."""
    if not instance.status.may_become(status):
        detail = f"An instance that is {instance.status} cannot become {status}."
        raise InvalidTransition(detail, instance_status=instance.status.value)
    return InstanceStatusChanged(**provenance.header(instance.id, instance.version + 1), status=status)


def status_after(instance: Instance, event: Event) -> InstanceStatus:
    return event.status if isinstance(event, InstanceStatusChanged) else instance.status


def write_variables(
    instance: Instance,
    change: Change,
    provenance: Provenance,
    *,
    rules: EditRules,
    base_version: int | None = None,
    rebase: bool = False,
    base: Document | None = None,
) -> tuple[VariablesWritten | None, list[Warning]]:
    """Return the event of the write, None where it changes nothing.

    `base`: the variables at `base_version`, needed where that is another version.

    Raises VersionConflict, DocumentTooLarge, PatchFailed, NotAnObject, TooDeep.
    """
    must_be_active(instance)
    new = based_document(instance, change, base_version, rebase=rebase, base=base)
    patch = json_patch.diff(instance.variables, new)
    if not patch:
        return None, []
    warnings = check_engines_document(new, rules)
    header = provenance.header(instance.id, instance.version + 1)
    return VariablesWritten(**header, patch=patch, previous=instance.variables), warnings


def take_navigation_snapshot(instance: Instance, node: str, provenance: Provenance) -> NavigationSnapshotTaken:
    must_be_active(instance)
    header = provenance.header(instance.id, instance.version + 1)
    return NavigationSnapshotTaken(**header, node=node, fingerprint=fingerprint(instance.variables))


def navigate_back(
    instance: Instance,
    node: str,
    provenance: Provenance,
    *,
    reset_to: Document | None,
    modifications_since: Sequence[int],
    resets_since: Sequence[NavigatedBack] = (),
) -> NavigatedBack:
    """Return the event of a way back.

    `reset_to`: the variables of the node's snapshot, or None to keep them as they are; `modifications_since` and
    `resets_since`: versions of the operators' modifications after that snapshot, and the back navigations that have
    undone some of them already. Raises NoSuchNavigationSnapshot.
    """
    must_be_active(instance)
    kept = instance.navigation_snapshots.get(node)
    if kept is None:
        raise NoSuchNavigationSnapshot(node=node)
    patch = [] if reset_to is None else json_patch.diff(instance.variables, reset_to)
    return NavigatedBack(
        **provenance.header(instance.id, instance.version + 1),
        node=node,
        reset_data=reset_to is not None,
        snapshot_version=kept.version,
        patch=patch,
        previous=instance.variables,
        lost_modifications=_in_effect(instance.version, kept.version, modifications_since, resets_since)
        if patch
        else [],
    )


def warnings_of_way_back(event: NavigatedBack, definition: Definition) -> list[Warning]:
    """Return the warnings about what a way back undoes, and about the variables that it brings back."""
    of_schema = engine_warnings(variables_after(event), definition) if event.patch else []
    return [*modifications_lost(event.lost_modifications), *of_schema]


def _in_effect(version: int, after: int, modifications: Sequence[int], resets: Sequence[NavigatedBack]) -> list[int]:
    """Return which of the modifications after a version the variables of a later one have: those that no reset undid."""
    found: list[int] = []
    while version > after:
        reset = next((each for each in reversed(resets) if each.originator_version <= version), None)
        since = after if reset is None else reset.originator_version
        found += [modification for modification in modifications if since < modification <= version]
        if reset is None:
            break
        version = reset.snapshot_version
    return sorted(found)


def call_integration(
    instance: Instance, integration_id: str, name: str, request: Json, provenance: Provenance
) -> IntegrationCalled:
    must_be_active(instance)
    header = provenance.header(instance.id, instance.version + 1)
    return IntegrationCalled(**header, integration_id=integration_id, name=name, request=request)


def answer_integration(
    instance: Instance, integration_id: str, response: Json, provenance: Provenance
) -> IntegrationAnswered:
    """Record the answer of an integration. Raises NoSuchIntegration, IntegrationAlreadyAnswered."""
    must_be_active(instance)
    integration = instance.integrations.get(integration_id)
    if integration is None:
        raise NoSuchIntegration()
    if not integration.waiting:
        raise IntegrationAlreadyAnswered()
    header = provenance.header(instance.id, instance.version + 1)
    return IntegrationAnswered(**header, integration_id=integration_id, response=response)


def open_task(
    instance: Instance,
    task_id: str,
    title: str,
    provenance: Provenance,
    *,
    node: str | None,
    assignee: str | None,
    metadata: Document,
) -> TaskOpened:
    must_be_active(instance)
    header = provenance.header(instance.id, instance.version + 1)
    return TaskOpened(**header, task_id=task_id, title=title, node=node, assignee=assignee, metadata=metadata)


def close_task(instance: Instance, task_id: str, provenance: Provenance) -> TaskClosed:
    """Close a task. Raises NoSuchTask, TaskAlreadyClosed."""
    must_be_active(instance)
    if task_id not in instance.tasks:
        raise NoSuchTask()
    if not instance.tasks[task_id]:
        raise TaskAlreadyClosed()
    return TaskClosed(**provenance.header(instance.id, instance.version + 1), task_id=task_id)


def must_be_active(instance: Instance) -> None:
    if not instance.status.is_active:
        raise InstanceNotActive(instance_status=instance.status.value)
