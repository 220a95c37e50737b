"""Warnings to an operator, before and after an edit, about what it does not reach: one function each, in the order
shown.
"""

from collections.abc import Mapping

from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Document, Json
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus

Warning = dict[str, Json]


def warnings_about(instance: Instance, new: Document, child_statuses: Mapping[str, InstanceStatus]) -> list[Warning]:
    """Return `[{code, detail, instances | nodes | integrations}]` for replacing the instance's variables with `new`."""
    found = (
        _subprocesses_not_updated(child_statuses),
        _back_navigation_restores_old_values(instance, new),
        _integration_already_called(instance),
    )
    return [warning for warning in found if warning]


def modifications_lost(versions: list[int]) -> list[Warning]:
    """Return the warning of a navigation back that resets data, for the operators' modifications that it undoes."""
    if not versions:
        return []
    detail = "Going back to this node restores its snapshot and undoes modifications that operators made since."
    return [{"code": "modifications-lost", "detail": detail, "versions": list(versions)}]


def _subprocesses_not_updated(child_statuses: Mapping[str, InstanceStatus]) -> Warning | None:
    running: list[Json] = [child for child, status in child_statuses.items() if status.is_active]
    if not running:
        return None
    detail = "Subprocesses that have started keep their own copy of the variables: they are not updated."
    return {"code": "subprocesses-not-updated", "detail": detail, "instances": running}


def _back_navigation_restores_old_values(instance: Instance, new: Document) -> Warning | None:
    if not instance.navigation_snapshots:
        return None
    now = fingerprint(new)
    nodes: list[Json] = [node for node, kept in instance.navigation_snapshots.items() if kept.fingerprint != now]
    if not nodes:
        return None
    detail = "Navigating back to these nodes with a reset of the data brings the old values back."
    return {"code": "back-navigation-restores-old-values", "detail": detail, "nodes": nodes}


def _integration_already_called(instance: Instance) -> Warning | None:
    waiting = instance.waiting_integrations
    if not waiting:
        return None
    names = ", ".join(waiting.values())
    detail = f"A token waits for an answer of {names}, which was called with the old values and is not called again."
    return {"code": "integration-already-called", "detail": detail, "integrations": list(waiting)}
