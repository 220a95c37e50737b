"""A definition changes what many instances are found by: a rebuild makes the read models follow, and the list says so."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from procvars.commands.messages import PublishDefinition
from procvars.projections.rebuilding.due import DERIVED_AT_ONCE
from tests.api.bank import DEFINITION, W, define, start, states, synced
from tests.benchmarks.temporary_database import CALLER, command_layer
from tests.projections.rebuilding.banks import Bank, rows
from tests.waiting import until

SEARCH = [{"key": "income", "path": "$.application.income", "type": "number"}]
BY_STATUS = [*SEARCH, {"key": "status", "path": "$.status", "type": "keyword"}]
KEYWORDS = [{"key": "customer", "path": "$.customer.name"}]
TASK_FIELDS = [{"key": "status", "path": "$.creditCheck.status"}]


async def many_more(bank: Bank) -> None:
    """More than a batch derives anew."""
    async with command_layer(bank.url) as commands:
        starting = (commands.start_instance(f"m-{number}", {"status": "new"}) for number in range(DERIVED_AT_ONCE))
        await asyncio.gather(*starting)
    await bank.follow()


async def publish(bank: Bank, name: str, keywords: list[Any], search: list[Any]) -> None:
    command = PublishDefinition(CALLER, "loan", name, keywords, search, TASK_FIELDS, None)
    async with command_layer(bank.url) as commands:
        await commands.execution.publish_definition(command)
    await bank.follow()


@pytest.mark.parametrize(
    ("name", "keywords", "search", "reason", "view"),
    [
        ("search_index", KEYWORDS, BY_STATUS, "search keys of loan changed", "search_index"),
        ("task_keywords", [], SEARCH, "keywords or task fields of loan changed", "task_instances"),
    ],
)
async def test_of_many_instances_it_is_announced(
    bank: Bank, name: str, keywords: list[Any], search: list[Any], reason: str, view: str
) -> None:
    """The projection goes on meanwhile, with the new definition for what it follows; a rebuild makes it whole."""
    await many_more(bank)
    before = rows(bank, [view])
    await publish(bank, "Loan", keywords, search)
    listed = bank.listed(name)
    assert (listed["state"], listed["rebuild_due"], listed["lag_events"]) == ("running", reason, 0)
    others = json.loads(bank.run("projections", "list", "--json").stdout)["items"]
    assert [item["name"] for item in others if item["rebuild_due"]] == [name]
    assert rows(bank, [view]) == before
    assert bank.run("projections", "check", name).returncode == 3
    rebuilt = bank.run("projections", "rebuild", name, "--yes")
    assert rebuilt.returncode == 0, rebuilt.stderr
    assert bank.listed(name)["rebuild_due"] is None
    assert bank.run("projections", "check", name).returncode == 0
    assert bank.ask("SELECT count(*) FROM rebuilds_due") == 0


async def test_what_changes_nothing_for_a_read_model_needs_no_rebuild(bank: Bank) -> None:
    """Another name of the definition, and of few instances anything: the batch itself derives them anew."""
    await publish(bank, "Loan", KEYWORDS, BY_STATUS)
    assert bank.ask("SELECT count(*) FROM rebuilds_due") == 0
    assert bank.run("projections", "check", "search_index").returncode == 0
    await many_more(bank)
    await publish(bank, "Loan with another name", KEYWORDS, BY_STATUS)
    assert bank.ask("SELECT count(*) FROM rebuilds_due") == 0


def test_the_server_rebuilds_what_is_due(api: httpx.Client) -> None:
    """Without an operator: the instances that were there are found by the new key, and the list is quiet again."""
    last = [start(api, {"place": f"p-{number}"}, definition="moved") for number in range(DERIVED_AT_ONCE + 1)][-1]
    synced(api, last)
    changed = [*DEFINITION["search"], {"key": "place", "path": "$.place", "type": "keyword"}]
    define(api, "moved", search=changed)

    def index() -> dict[str, Any]:
        return states(api)["search_index"]

    until("it is announced", index, lambda item: item["rebuild_due"] == "search keys of moved changed")
    until("it begins", index, lambda item: item["state"] == "rebuilding")
    until("it is done", index, lambda item: item["rebuild_due"] is None)
    query = {"keys": [{"key": "place", "value": "p-500"}]}
    assert [hit["instance_id"] for hit in api.post(f"{W}/search", json=query).json()["hits"]] == [last]
    until("it goes on as before", index, lambda item: item["state"] == "running")
