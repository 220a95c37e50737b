"""What an edit costs in the life of an instance: after 10,000 modifications against after 10, loaded from the store."""

import time
from datetime import UTC, datetime
from functools import partial
from itertools import count
from statistics import median

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.pool import borrowed
from procvars.commands.decision_loop import DecisionLoop
from procvars.commands.editing import Editing
from procvars.domain.document_policies import EditRules
from procvars.domain.editing import decide_edit
from procvars.domain.events import Event
from procvars.domain.instance import evolve
from procvars.domain.provenance import Provenance
from tests.benchmarks.measurement import Measurement, medians
from tests.benchmarks.sample_documents import as_json, loan_application
from tests.benchmarks.temporary_database import (
    CALLER,
    DEFINITION,
    Cluster,
    Commands,
    command_layer,
    replace_variables,
    replacing,
)

_LONG, _SHORT = 10_000, 10
_EDITS = 60
_GROUP = 250
_LIMIT = 10 * 2**20


async def measure(cluster: Cluster) -> list[Measurement]:
    async with command_layer(cluster.new_database()) as commands:
        await commands.publish_definition()
        await _instance_with("long", _LONG, commands)
        shorts = count()

        async def short() -> float:
            instance = f"short-{next(shorts)}"
            await _instance_with(instance, _SHORT, commands)
            return await _edits(instance, commands)

        async with borrowed(commands.store.pool) as connection:
            await connection.execute("ANALYZE stored_events")  # as autovacuum does, only not at a time of its choosing
        after_many, after_few = await medians(partial(_edits, "long", commands), short, rounds=7)
    return [
        Measurement("an edit after 10,000 / after 10 modifications", after_many, after_few, "ms", 1.3, at_least=False)
    ]


async def _instance_with(instance_id: str, modifications: int, commands: Commands) -> None:
    await commands.start_instance(instance_id, loan_application(0))
    events = commands.store.events
    instance = await events.load(instance_id, fresh=True)
    definition = await events.definition(CALLER.workspace, DEFINITION)
    assert instance is not None and definition is not None
    rules = EditRules(definition, _LIMIT)
    group: list[Event] = []
    for number in range(1, modifications + 1):
        provenance = Provenance(CALLER, datetime.now(UTC))
        edit = replacing(instance.version, loan_application(number))
        event = decide_edit(instance, edit, provenance, rules=rules, child_statuses={}, base=None).event
        assert event is not None
        instance = evolve(instance, event)
        group.append(event)
        if len(group) == _GROUP or number == modifications:
            await events.append(group)
            group = []


async def _edits(instance_id: str, commands: Commands) -> float:
    """Milliseconds of an edit by a process that knows nothing of the instance yet: the median of some."""
    version = await commands.store.events.last_version(instance_id)
    seconds = []
    for number in range(_EDITS):
        events = PostgresEventStore(commands.store.pool, commands.store.appender, EventMapper())
        await events.definition(CALLER.workspace, DEFINITION)
        editing = Editing(events, DecisionLoop(events, lambda: datetime.now(UTC)), max_document_bytes=_LIMIT)
        raw = as_json(loan_application(-number - version))
        started = time.perf_counter()
        answer = await editing.modify(replace_variables(instance_id, version, raw))
        seconds.append(time.perf_counter() - started)
        version = answer.version
    return 1000 * median(seconds)
