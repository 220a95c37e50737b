"""Values of a real engine that a delivery wrote over unseen, found in the engine's history.

Between the reading of the engine's values and the writing of an edit the engine may have written itself. Its history then
has the engine's write directly before ours, with a value that is not the one which the edit replaced.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from procvars.commands.engine_port import VariableUpdate
from procvars.commands.engine_records import DueEdit, EngineRecords
from procvars.commands.ports import EventStore
from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import Document
from procvars.domain.engine_values import changed_names, means_same
from procvars.domain.events import ProcessVariablesModified
from procvars.domain.instance import variables_after

_CLOCKS_APART = timedelta(seconds=10)

log = structlog.get_logger(__name__)


async def find_lost_updates(
    updates: Sequence[VariableUpdate], store: EventStore, records: EngineRecords, since: datetime
) -> None:
    """Look for such values in these rows of the history, and tell of them with the edit's delivery.

    Raises StoreUnavailable.
    """
    rows: dict[tuple[str, str], dict[int, VariableUpdate]] = {}
    for update in updates:
        rows.setdefault((update.instance_id, update.name), {})[update.revision] = update
    instances = list({instance_id for instance_id, _ in rows})
    if not instances:
        return
    async for recorded in store.events_at(await records.delivered_since(instances, since)):
        event = recorded.event
        if not isinstance(event, ProcessVariablesModified):  # it cannot be read
            continue
        edit = DueEdit(event.originator_id, event.originator_version)
        paths = _written_over(event.previous, variables_after(event), edit, rows, event.timestamp)
        if not paths:
            continue
        detail = "The process engine wrote these values itself in the moment before the edit replaced them."
        if await records.lost_updates(edit, paths, detail):
            log.warning(
                "an edit replaced values that nobody had seen",
                instance_id=edit.instance_id,
                version=edit.version,
                paths=paths,
            )


def _written_over(
    previous: Document,
    new: Document,
    edit: DueEdit,
    rows: dict[tuple[str, str], dict[int, VariableUpdate]],
    saved: datetime,
) -> list[str]:
    found = []
    for name in changed_names(previous, new):
        if name not in previous or name not in new:
            continue
        updates = rows.get((edit.instance_id, name), {})
        ours = [
            update
            for update in updates.values()
            if update.time >= saved - _CLOCKS_APART and means_same(update.type, update.value, new[name])
        ]
        before = updates.get(max((update.revision for update in ours), default=0) - 1)
        if before is not None and not any(
            means_same(before.type, before.value, value) for value in (previous[name], new[name])
        ):
            found.append(join([name]))
    return found
