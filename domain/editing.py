"""Edits of an instance's variables by operators: the request, the policies that it has to satisfy, and the decision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from procvars.domain.definition import Definition
from procvars.domain.document_policies import EditRules, check_operators_document
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import fingerprint, same
from procvars.domain.documents.errors import RebaseConflict
from procvars.domain.documents.patch import Changes, Patch
from procvars.domain.documents.values import Document, Json
from procvars.domain.engine_values import check_engine_types
from procvars.domain.errors import InstanceNotEditable, VersionConflict
from procvars.domain.events import EditKind, ProcessVariablesModified
from procvars.domain.instance import Instance, evolve
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Provenance
from procvars.domain.rules.extraction import extract
from procvars.domain.warnings import Warning, warnings_about

REASON_CHARACTERS: Final = 1000
"""Length of the longest reason."""


@dataclass(frozen=True, slots=True)
class ReplaceDocument:
    document: Document


@dataclass(frozen=True, slots=True)
class ApplyPatch:
    """JSON Patch (RFC 6902)."""

    patch: Patch


@dataclass(frozen=True, slots=True)
class ApplyMergePatch:
    """JSON Merge Patch (RFC 7396)."""

    merge_patch: Json


Change = ReplaceDocument | ApplyPatch | ApplyMergePatch


class EditTerms(NamedTuple):
    """Terms that PUT, PATCH, restore and reapply have in common: everything of an edit but the change itself."""

    base_version: int
    """Version of the instance that the operator saw."""
    rebase: bool
    """Whether to resolve a conflict by applying the change to the current values, if nobody else touched the same
    paths.
    """
    reason: str | None
    url: str
    """URL of the request for the audit log."""
    idempotency_key: str | None = None


class Edit(NamedTuple):
    """An operator's requested change of the variables of an instance."""

    kind: EditKind
    change: Change
    body: Json
    """The JSON of the request."""
    terms: EditTerms
    bulk_id: str | None = None
    known_fingerprint: str | None = None
    """The `fingerprint_of` kind and body, where many edits have the same."""

    @property
    def fingerprint(self) -> str | None:
        """Hash of what a repetition with the idempotency key repeats; None without a key."""
        if self.terms.idempotency_key is None:
            return None
        return self.known_fingerprint or fingerprint_of(self.kind, self.body)


def fingerprint_of(kind: EditKind, body: Json) -> str:
    """Return the hash of an edit's request."""
    return fingerprint([kind, body])


class EditOutcome(NamedTuple):
    """Outcome of an edit; `event` is None if it changes nothing."""

    event: ProcessVariablesModified | None
    before: Instance
    """The instance before the edit."""

    def instance(self) -> Instance:
        """Return the instance after the edit."""
        return self.before if self.event is None else evolve(self.before, self.event)


@dataclass(frozen=True, slots=True)
class Affects:
    """Keys and task ids whose values an edit would change in the read models."""

    keywords: list[str]
    search: list[str]
    tasks: list[str]


@dataclass(frozen=True, slots=True)
class Preview:
    version: int
    """Version of the instance whose variables the edit would change."""
    patch: Patch
    changes: Changes
    warnings: list[Warning]
    affects: Affects
    variables: Document
    """As the edit would leave them."""
    definition: Definition


def only_active_instances(instance: Instance) -> None:
    """Raise InstanceNotEditable, with `instance_status`, for an instance that is not active."""
    if not instance.editable:
        raise InstanceNotEditable(instance_status=instance.status.value)


def decide_edit(
    instance: Instance,
    edit: Edit,
    provenance: Provenance,
    *,
    rules: EditRules,
    child_statuses: Mapping[str, InstanceStatus],
    base: Document | None,
) -> EditOutcome:
    """Return the event that the edit makes, if it changes anything.

    `base` are the variables at `edit.terms.base_version`, needed if that is not the instance's version.

    Raises InstanceNotEditable, VersionConflict (with `current_version` and `changed_paths`), what
    `check_operators_document` and `check_engine_types` raise, and what a patch can raise: PatchFailed, NotAnObject, TooDeep.
    """
    only_active_instances(instance)
    new = based_document(instance, edit.change, edit.terms.base_version, rebase=edit.terms.rebase, base=base)
    patch = json_patch.diff(instance.variables, new)
    if not patch:
        return EditOutcome(event=None, before=instance)
    of_schema = check_operators_document(instance.variables, new, patch, rules)
    if instance.engine is not None:
        check_engine_types(instance.variables, new, instance.engine_types)
    warnings = [*warnings_about(instance, new, child_statuses), *of_schema]
    event = ProcessVariablesModified(
        **provenance.header(instance.id, instance.version + 1),
        patch=patch,
        previous=instance.variables,
        reason=edit.terms.reason,
        url=edit.terms.url,
        body=edit.body,
        kind=edit.kind,
        base_version=edit.terms.base_version,
        idempotency_key=edit.terms.idempotency_key,
        fingerprint=edit.fingerprint,
        bulk_id=edit.bulk_id,
        warnings=warnings,
    )
    return EditOutcome(event, before=instance)


def preview_edit(
    instance: Instance,
    change: Change,
    *,
    rules: EditRules,
    child_statuses: Mapping[str, InstanceStatus],
    base_version: int | None = None,
    rebase: bool = False,
    base: Document | None = None,
) -> Preview:
    """Return what the edit would do if it were made now.

    `base` are the variables at `base_version`, needed if that is not the instance's version; without a base version the
    edit is based on what is current. Raises as `decide_edit` does.
    """
    only_active_instances(instance)
    previous = instance.variables
    new = based_document(instance, change, base_version, rebase=rebase, base=base)
    patch = json_patch.diff(previous, new)
    of_schema = check_operators_document(previous, new, patch, rules)
    if instance.engine is not None:
        check_engine_types(previous, new, instance.engine_types)
    definition = rules.definition
    keywords = _keys_that_change(extract(definition.keywords, previous), extract(definition.keywords, new))
    search = _keys_that_change(extract(definition.search, previous), extract(definition.search, new))
    data = _keys_that_change(extract(definition.task_fields, previous), extract(definition.task_fields, new))
    tasks = instance.open_tasks if keywords or data else []
    return Preview(
        version=instance.version,
        patch=patch,
        changes=json_patch.changes(previous, patch),
        warnings=[*warnings_about(instance, new, child_statuses), *of_schema] if patch else [],
        affects=Affects(keywords=keywords, search=search, tasks=tasks),
        variables=new,
        definition=definition,
    )


def changed(document: Document, change: Change) -> Document:
    """Return the document after the change. Raises PatchFailed, NotAnObject, TooDeep."""
    match change:
        case ReplaceDocument():
            return change.document
        case ApplyPatch():
            return json_patch.apply(document, change.patch, max_shifted=json_patch.MAX_SHIFTED)
        case ApplyMergePatch():
            return json_patch.merge(document, change.merge_patch)


def require_version(instance: Instance, base_version: int | None, base: Document | None) -> None:
    """Raise VersionConflict where a call is based on another version than the instance's; `base` are its variables."""
    if base_version not in (None, instance.version):
        raise VersionConflict(current_version=instance.version, changed_paths=_touched_since(base, instance))


def based_document(
    instance: Instance, change: Change, base_version: int | None, *, rebase: bool, base: Document | None
) -> Document:
    """Return the variables after a change that is based on a version, whose variables are `base`.

    Raises VersionConflict, and as `changed`.
    """
    current = instance.variables
    if base_version in (None, instance.version):
        return changed(current, change)
    if base is None or not rebase:
        raise VersionConflict(current_version=instance.version, changed_paths=_touched_since(base, instance))
    # A patch is rebased as it is: its `test` operations have to hold for the current values too.
    mine = change.patch if isinstance(change, ApplyPatch) else json_patch.diff(base, changed(base, change))
    try:
        return json_patch.apply(current, json_patch.rebase(base, current, mine))
    except RebaseConflict as conflict:
        detail = "Somebody else changed the same values since the version that this edit is based on."
        raise VersionConflict(
            detail,
            current_version=instance.version,
            changed_paths=_touched_since(base, instance),
            conflicting_paths=[*conflict.paths],
        ) from conflict


def _touched_since(base: Document | None, instance: Instance) -> list[Json]:
    """Return the paths that differ from the base; none where the instance has not come to its version."""
    if base is None:
        return []
    return [*json_patch.touched_paths(base, json_patch.diff(base, instance.variables))]


def _keys_that_change(before: Mapping[str, Json], after: Mapping[str, Json]) -> list[str]:
    keys = [*before, *(key for key in after if key not in before)]
    return [key for key in keys if key not in before or key not in after or not same(before[key], after[key])]
