"""One change to many instances, ordered, looked at, watched and undone in the console."""

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from playwright.async_api import Locator, Route, expect

from tests.console.conftest import Operator
from tests.console.demo_server import W, merge, start_instance, synced, variables_text
from tests.console.operator_console import OperatorConsole

RATE_AND_FEES = json.dumps(
    [
        {"op": "test", "path": "/pricing/interestRate", "value": 4.25},
        {"op": "replace", "path": "/pricing/interestRate", "value": 3.5},
        {"op": "add", "path": "/pricing/fees", "value": {"processing": 50, "regulatory": 25}},
    ]
)


@pytest.fixture
def definition(bank: httpx.Client) -> str:
    """A definition of its own, so that no other test's instances are selected."""
    key = f"regulated-{uuid4().hex[:8]}"
    answer = bank.put(f"{W}/definitions/{key}", json={"name": key, "keywords": [], "search": [], "task_fields": []})
    assert answer.is_success, answer.text
    return key


def priced(bank: httpx.Client, definition: str, title: str, rate: float = 4.25) -> str:
    variables = {"pricing": {"interestRate": rate, "fees": {"processing": 75}}}
    return start_instance(bank, variables, definition=definition, title=title)


def pricing(bank: httpx.Client, instance: str) -> dict[str, Any]:
    return dict(json.loads(variables_text(bank, instance))["pricing"])


async def written(console: OperatorConsole, change: str, reason: str, format_: str = "JSON Patch") -> None:
    """Writes the change in the page of a new bulk modification, and orders the dry run."""
    await console.button(format_).click()
    text = console.page.get_by_role("textbox", name="Change as JSON")
    # The editor takes the focus when it is there, which may be before the click on the format.
    await text.focus()
    await expect(text).to_be_focused()
    await console.page.keyboard.press("Control+a")
    await console.page.keyboard.insert_text(change)
    await console.page.get_by_label("Reason").fill(reason)


def result(console: OperatorConsole, instance: str) -> Locator:
    return console.page.get_by_role("table", name="Results per instance").get_by_role("row").filter(has_text=instance)


def repriced(bank: httpx.Client, instance: str) -> str:
    """The id of a bulk modification of this instance."""
    asked = {"select": {"ids": [instance]}, "merge": {"pricing": {"interestRate": 3.5}}, "reason": "to be undone"}
    return str(bank.post(f"{W}/bulk-modifications", json=asked).raise_for_status().json()["id"])


def jobs_because(bank: httpx.Client, reason: str) -> list[str]:
    jobs = bank.get(f"{W}/bulk-modifications").raise_for_status().json()["items"]
    return [job["id"] for job in jobs if job["reason"] == reason]


async def test_8_all_affected_instances_at_once(operator: Operator, bank: httpx.Client, definition: str) -> None:
    """A regulation changes rate and fees of all that match; a dry run first, then the run, then all of it is undone."""
    affected = [priced(bank, definition, f"Priced before {number}") for number in range(3)]
    other = priced(bank, definition, "Priced by hand", rate=3.0)
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/instances?definition={definition}&status=STARTED")
    await console.button("Modify all that match").click()
    await written(console, RATE_AND_FEES, "Regulation 2026/17")
    await console.picture("bulk-new")
    await console.button("Dry run").click()
    await expect(console.page.get_by_text("3 instances would be changed, 0 unchanged, 1 skipped")).to_be_visible()
    await expect(result(console, affected[0])).to_contain_text("3.5")
    await expect(result(console, other)).to_contain_text("Skipped")
    await console.picture("bulk-dry-run")
    assert pricing(bank, affected[0])["interestRate"] == 4.25

    await console.button("Change 3 instances").click()
    await expect(console.page.get_by_text("3 instances were changed, 0 unchanged, 1 skipped")).to_be_visible()
    await console.button("Skipped 1").click()
    await expect(result(console, affected[0])).to_have_count(0)
    await expect(result(console, other)).to_be_visible()
    await console.picture("bulk-done")
    for instance in affected:
        assert pricing(bank, instance) == {"interestRate": 3.5, "fees": {"processing": 50, "regulatory": 25}}
    assert pricing(bank, other)["interestRate"] == 3.0

    merge(bank, affected[0], {"pricing": {"interestRate": 3.25}}, "a customer's own agreement")
    await console.button("Undo").click()
    await console.dialog.get_by_label("Reason").fill("The regulation was withdrawn")
    await console.dialog.get_by_role("button", name="Undo", exact=True).click()
    await expect(console.page.get_by_text("2 instances were changed, 0 unchanged, 1 skipped")).to_be_visible()
    await expect(result(console, affected[0])).to_contain_text("Skipped")
    assert pricing(bank, affected[1]) == {"interestRate": 4.25, "fees": {"processing": 75}}
    assert pricing(bank, affected[0])["interestRate"] == 3.25
    await console.page.get_by_role("link", name="Bulk modifications").first.click()
    undone = console.page.get_by_role("row").filter(has_text="The regulation was withdrawn")
    await expect(undone).to_contain_text("Undo")
    await console.picture("bulk-list")


async def test_ticked_instances(operator: Operator, bank: httpx.Client, definition: str) -> None:
    """Only those that are ticked are changed, by a merge patch; a dry run that is edited starts with what was written."""
    ticked, left = (priced(bank, definition, title) for title in ("Ticked loan", "Left alone"))
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/instances?definition={definition}")
    await console.page.get_by_label("Tick Ticked loan").check()
    await console.picture("bulk-ticked")
    await console.button("Modify 1 instance").click()
    await written(console, '{"pricing": {"interestRate": 1.25}}', "ticked", "Merge patch")
    await console.button("Dry run").click()
    await console.page.get_by_role("link", name="Edit the change").click()
    await expect(console.line("1.25")).to_be_visible()
    await expect(console.page.get_by_label("Reason")).to_have_value("ticked")
    await console.button("Dry run").click()
    await console.button("Change 1 instance").click()
    await expect(console.page.get_by_text("1 instance was changed")).to_be_visible()
    assert '"interestRate":1.25' in variables_text(bank, ticked).replace(" ", "")
    assert pricing(bank, left)["interestRate"] == 4.25


async def test_a_selection_that_has_changed_is_refused(operator: Operator, bank: httpx.Client, definition: str) -> None:
    """The run is held against the dry run: an instance that has come since is not changed unseen."""
    first = priced(bank, definition, "First")
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/bulk-modifications/new?definition={definition}")
    await written(console, '{"pricing": {"interestRate": 2}}', "digest", "Merge patch")
    await console.button("Dry run").click()
    await expect(console.button("Change 1 instance")).to_be_enabled()
    priced(bank, definition, "Second")
    await console.button("Change 1 instance").click()
    await expect(console.page.get_by_role("main").get_by_role("alert").first).to_contain_text(
        "Other instances are selected by now"
    )
    assert pricing(bank, first)["interestRate"] == 4.25


async def test_the_same_for_others(operator: Operator, bank: httpx.Client, definition: str) -> None:
    """A change made to one instance is the change of a bulk modification of the others."""
    model, other = (priced(bank, definition, title) for title in ("Model", "Other"))
    merge(bank, model, {"pricing": {"interestRate": 2.50}}, "the new rate")
    console = await operator()
    await console.open(model, "history")
    await console.page.get_by_role("button", name=f"Version {synced(bank, model)}").click()
    await console.page.get_by_role("link", name="Apply the same to others").click()
    await expect(console.line('"/pricing/interestRate"')).to_be_visible()
    await console.button("Dry run").click()
    await expect(result(console, model)).to_contain_text("Unchanged")
    await console.button("Change 1 instance").click()
    await expect(console.page.get_by_text("1 instance was changed, 1 unchanged")).to_be_visible()
    assert pricing(bank, other)["interestRate"] == 2.5


async def test_one_modification_of_several_is_undone(operator: Operator, bank: httpx.Client, definition: str) -> None:
    """A wrong edit is taken back; a later edit of other values stays."""
    instance = priced(bank, definition, "Edited twice")
    merge(bank, instance, {"pricing": {"interestRate": 45}}, "a typing error")
    wrong = synced(bank, instance)
    merge(bank, instance, {"pricing": {"currency": "EUR"}}, "was missing")
    console = await operator()
    await console.open(instance, "history")
    await console.page.get_by_role("button", name=f"Version {wrong} ").click()
    await console.button("Undo this modification").click()
    await console.dialog.get_by_label("Reason").fill("4.25 was right")
    await console.button("Show what would change").click()
    await expect(result(console, instance)).to_contain_text("4.25")
    await console.picture("undo-modification")
    await console.button("Change 1 instance").click()
    await expect(console.page.get_by_text("1 instance was changed")).to_be_visible()
    assert pricing(bank, instance) == {"interestRate": 4.25, "fees": {"processing": 75}, "currency": "EUR"}


async def test_an_undo_whose_answer_was_lost_is_ordered_once(
    operator: Operator, bank: httpx.Client, definition: str
) -> None:
    """Asked again, the server knows it by its key; with another reason it is another one."""
    instance = priced(bank, definition, "Lost answer")
    job = repriced(bank, instance)
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/bulk-modifications/{job}")
    lost: list[str] = []

    async def lose_the_first_answer(route: Route) -> None:
        answer = await route.fetch()
        if lost:
            await route.fulfill(response=answer)
        else:
            lost.append((await answer.json())["id"])
            await route.abort("connectionreset")

    await console.page.route(f"**/bulk-modifications/{job}/undo", lose_the_first_answer)
    await console.button("Undo").click()
    await console.dialog.get_by_label("Reason").fill("asked twice")
    await console.dialog.get_by_role("button", name="Undo", exact=True).click()
    await expect(console.dialog.get_by_role("alert")).to_be_visible()
    await console.dialog.get_by_role("button", name="Undo", exact=True).click()
    await expect(console.page.get_by_role("heading", name="asked twice")).to_be_visible()
    assert console.page.url.endswith(lost[0])
    assert jobs_because(bank, "asked twice") == lost


async def test_who_may_only_read_sees_jobs_but_orders_none(operator: Operator) -> None:
    """A viewer has the list of jobs; there is nothing to tick and nothing to order."""
    console = await operator("Vera Viewer")
    await console.page.goto(f"{console.address}/w/demo/bulk-modifications")
    await expect(console.page.get_by_role("heading", name="Bulk modifications")).to_be_visible()
    await expect(console.page.get_by_role("link", name="New bulk modification")).to_have_count(0)
    await console.page.goto(f"{console.address}/w/demo/bulk-modifications/new")
    await expect(console.page.get_by_text("This page needs the permission")).to_be_visible()
    await console.page.goto(f"{console.address}/w/demo/instances")
    await expect(console.page.get_by_role("table")).to_be_visible()
    await expect(console.page.get_by_role("table").get_by_role("checkbox")).to_have_count(0)
