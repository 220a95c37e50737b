"""Documents that no projection looks at are not decoded, and nobody can tell from what a rebuild makes: those of writes that
another write follows directly, and those before a modification that has the whole document after it.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from procvars.adapters.postgres import event_rows
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.adapters.postgres.search import PostgresSearch
from procvars.api.processes.store import Store
from procvars.domain.documents.documents import decode
from procvars.domain.documents.values import Json
from procvars.domain.events import WRITES, Event, ProcessVariablesModified, Recorded, SupersededWrite
from procvars.domain.instance import has_whole_document
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.projection import Connection, Documents, Projection
from procvars.projections.search_index import SearchIndex
from procvars.projections.storage.packed_json import readable
from procvars.projections.task_keywords import TaskKeywords
from tests.projections.rebuilding.banks import EDITS, Bank, follow, rows
from tests.projections.rebuilding.test_rebuild_steps import parked, rebuilt

DAMAGE = "UPDATE stored_events SET state = 'damaged' WHERE originator_id = %s AND originator_version = %s"
READ_MODELS = {
    "current_variables": ["current_variables", "latest_changes"],
    "search_index": ["search_index", "search_values"],
    "task_keywords": ["task_keywords", "task_keyword_values", "task_instances"],
}


class Poisoned(CurrentVariables):
    """A projection with a mistake: it cannot take one reason."""

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        for event in (recorded.event for recorded in events):
            if isinstance(event, ProcessVariablesModified) and event.reason == "poison":
                raise ValueError(f"cannot take {event.reason}")
        await super().apply(connection, generation, events)


def projections(store: Store) -> list[Projection]:
    return [CurrentVariables(), SearchIndex(store.events, PostgresSearch()), TaskKeywords(store.events)]


async def page(events: PostgresEventStore, documents: Documents) -> list[Recorded[Event]]:
    until = await events.last_position()
    return await events.of_partition(0, 1, after=0, until=until, limit=1000, documents=documents)


def shown(bank: Bank, instance: str) -> tuple[int, Json]:
    """Version and variables that readers see."""
    packed = bank.ask("SELECT packed FROM current_variables WHERE id = %s", instance)
    return bank.ask("SELECT version FROM current_variables WHERE id = %s", instance), decode(readable(packed))


async def test_only_writes_that_another_one_follows_are_superseded(bank: Bank) -> None:
    async with bank.store() as store:
        whole, newest = await page(store.events, Documents.ALL), await page(store.events, Documents.NEWEST)
    assert [one.position for one in newest] == [one.position for one in whole]
    following = {(one.event.originator_id, one.event.originator_version): one.event for one in whole}
    passed_over = 0
    for full, one in zip(whole, newest, strict=True):
        event = full.event
        after = following.get((event.originator_id, event.originator_version + 1))
        if isinstance(event, WRITES) and isinstance(after, WRITES):
            assert isinstance(one.event, SupersededWrite)
            passed_over += 1
        elif has_whole_document(event):
            assert one.event == event.model_copy(update={"previous": {}})
        else:
            assert one.event == event
        assert (one.event.originator_id, one.event.originator_version) == (
            event.originator_id,
            event.originator_version,
        )
    assert passed_over > EDITS


async def test_events_without_documents_have_all_else(bank: Bank) -> None:
    async with bank.store() as store:
        whole, without = await page(store.events, Documents.ALL), await page(store.events, Documents.NONE)
    for full, one in zip(whole, without, strict=True):
        event = full.event
        if isinstance(event, ProcessVariablesModified):
            event = event.model_copy(update={"previous": {}, "body": None})
        assert one.event == event


@pytest.mark.parametrize("largest_page", [1, 20_000, 10**7])
@pytest.mark.parametrize("name", READ_MODELS)
async def test_a_rebuilt_read_model_is_that_of_the_server(bank: Bank, name: str, largest_page: int) -> None:
    """However few events fit into a page."""
    await bank.follow()
    before = rows(bank, READ_MODELS[name])
    async with bank.store() as store:
        store.events._rows._budget = replace(event_rows.WHOLE, memory=largest_page)
        (projection,) = [one for one in projections(store) if one.name == name]
        await rebuilt(bank, store, projection)
    assert rows(bank, READ_MODELS[name]) == before


async def test_the_last_readable_write_counts(bank: Bank) -> None:
    """Where the one that follows it is damaged."""
    async with bank.store() as store:
        version = await store.events.last_version("i-0")
        expected = await store.events.variables_at("i-0", version - 1)
        bank.change(DAMAGE, "i-0", version)
        await rebuilt(bank, store, CurrentVariables())
        assert parked(bank) == ["i-0"]
        assert shown(bank, "i-0") == (version - 1, expected)


async def test_the_last_write_that_can_be_applied_counts(bank: Bank) -> None:
    """Where the projection cannot take the one that follows it."""
    async with bank.store() as store:
        version = await store.events.last_version("i-0")
        await bank.edit(1, reason="poison", instances=1)
        await rebuilt(bank, store, Poisoned())
        assert parked(bank) == ["i-0"]
        assert shown(bank, "i-0") == (version, await store.events.variables_at("i-0", version))
        await follow(bank.runner(store, Poisoned()))
