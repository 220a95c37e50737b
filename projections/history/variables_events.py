"""Events that set variables, read uniformly: who caused them, why, and the patch that repeats what they did."""

from typing import Literal

from procvars.domain.events import InstanceStarted, Patch, ProcessVariablesModified, VariablesEvent

Origin = Literal["operator", "engine", "import"]


def origin_of(event: VariablesEvent) -> Origin:
    if event.imported is not None:
        return "import"
    return "operator" if isinstance(event, ProcessVariablesModified) else "engine"


def reason_of(event: VariablesEvent) -> str | None:
    """Return the operator's reason; None for the engine, which gives none."""
    return event.reason if isinstance(event, ProcessVariablesModified) else None


def patch_of(event: VariablesEvent) -> Patch:
    """Return the event's RFC 6902 patch; that of an instance's start adds the whole document at the path `""`.

    The patches of a stream, applied in order to nothing, give the document of every version.
    """
    if isinstance(event, InstanceStarted):
        return [{"op": "add", "path": "", "value": event.variables}]
    return event.patch
