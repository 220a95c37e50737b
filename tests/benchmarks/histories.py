"""Event stores with a history, made without HTTP."""

from datetime import UTC, datetime

import psycopg

from procvars.domain.document_policies import EditRules
from procvars.domain.editing import decide_edit
from procvars.domain.events import Event
from procvars.domain.provenance import Provenance
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import CALLER, DEFINITION, Commands, replacing

_LIMIT = 10 * 2**20
# The state of an event does not name its stream, so that it is as good under another id.
_MULTIPLY = """
INSERT INTO stored_events (originator_id, originator_version, topic, state)
SELECT originator_id || '-' || n, originator_version, topic, state
FROM stored_events, generate_series(2, %s) n WHERE topic <> 'DefinitionPublished'
ORDER BY originator_version, n, originator_id
"""


async def edit_in_turns(commands: Commands, instances: int, edits: int) -> None:
    """Starts the instances and edits all of them in turn, as edits come when many people work."""
    await commands.publish_definition()
    events = commands.store.events
    definition = await events.definition(CALLER.workspace, DEFINITION)
    assert definition is not None
    rules = EditRules(definition, _LIMIT)
    for number in range(instances):
        await commands.start_instance(f"i-{number}", loan_application(0, number))
    for edit in range(1, edits + 1):
        group: list[Event] = []
        for number in range(instances):
            instance = await events.load(f"i-{number}", fresh=False)
            instance = instance or await events.load(f"i-{number}", fresh=True)
            assert instance is not None
            provenance = Provenance(CALLER, datetime.now(UTC))
            asked = replacing(instance.version, loan_application(edit, number))
            event = decide_edit(instance, asked, provenance, rules=rules, child_statuses={}, base=None).event
            assert event is not None
            group.append(event)
        await events.append(group)


def multiply(database_url: str, times: int) -> None:
    """That many instances for each that is there, with the same history."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(_MULTIPLY, (times,))
        connection.execute("VACUUM ANALYZE stored_events")
