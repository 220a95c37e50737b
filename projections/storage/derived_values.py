"""Values that a definition takes from the variables for a read model; those left out are logged."""

from functools import lru_cache

import structlog

from procvars.domain.definition import Definition, Group
from procvars.domain.documents.values import Document, Json
from procvars.domain.rules.extraction import extraction

MAX_SEARCHED_VALUES = 10_000
"""Values of a list that can be searched for; each is a row or a field of an index."""

_TOO_EXPENSIVE = "it would need too much work on the variables of some instance"
_INVALID = "it was accepted by an earlier release and is not valid"

log = structlog.get_logger(__name__)


def derived_values(definition: Definition, group: Group, variables: Document) -> dict[str, Json]:
    """Return key → value of the group, without what is absent, too expensive to find, or of an invalid rule."""
    found = extraction(definition.fields[group], variables)
    for reason, fields in ((_TOO_EXPENSIVE, found.too_expensive), (_INVALID, found.invalid)):
        for item in fields:
            _log(definition.workspace, definition.key, definition.version, group, item.key, item.path, reason)
    return found.values


@lru_cache(maxsize=1024)
def _log(workspace: str, definition: str, version: int, group: Group, key: str, path: str, reason: str) -> None:
    """Log once per rule and version of the definition: whole batches may repeat it."""
    log.warning(
        "values of a rule are left out",
        workspace=workspace,
        definition=definition,
        version=version,
        group=group,
        key=key,
        path=path,
        reason=reason,
    )
