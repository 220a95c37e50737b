"""Two people edit the same instance in two browsers: nobody's work is overwritten, and nobody's is lost."""

import json
from dataclasses import dataclass

import httpx
import pytest
from playwright.async_api import expect

from tests.console.conftest import Operator
from tests.console.demo_server import start_instance, variables_text
from tests.console.operator_console import OperatorConsole


@dataclass(frozen=True)
class Conflict:
    """Walter has an edit that was begun before Olivia saved hers, which he is told of where both changed the same value
    before he reviews it, and otherwise when he saves.
    """

    instance: str
    walter: OperatorConsole


async def conflict(operator: Operator, bank: httpx.Client, theirs: tuple[str, str], mine: tuple[str, str]) -> Conflict:
    instance = start_instance(bank, {"income": "i0", "city": "c0", "rate": "r0"}, title="Two people")
    walter, olivia = await operator("Walter Workspace"), await operator("Olivia Org")
    for person in (walter, olivia):
        await person.open(instance)
        await person.edit()
    await olivia.replace(*theirs)
    await olivia.save("She was faster")
    await walter.replace(*mine)
    if theirs[0] == mine[0]:
        await walter.button("Save").click()
    else:
        review = await walter.review()
        await expect(review).to_contain_text("Someone else has changed this instance since you opened it.")
        await expect(review.get_by_role("heading", name="What changes (1 changed)")).to_be_visible()
        await expect(review.get_by_role("list", name="Changes")).to_contain_text(" → ".join(map(json.dumps, mine)))
        await review.get_by_label("Reason").fill("He came second")
        await review.get_by_role("button", name="Apply changes").click()
    met = walter.page.get_by_role("dialog", name="Someone else saved first")
    await expect(met).to_contain_text("Olivia Org saved version 2")
    await expect(met).to_contain_text("She was faster")
    return Conflict(instance, walter)


def stored(bank: httpx.Client, instance: str) -> dict[str, str]:
    return dict(json.loads(variables_text(bank, instance)))


async def test_other_values_are_rebased(operator: Operator, bank: httpx.Client) -> None:
    """They changed something else: Rebase my changes keeps both."""
    met = await conflict(operator, bank, ("i0", "i-olivia"), ("c0", "c-walter"))
    await expect(met.walter.dialog.get_by_role("list", name="Changes")).to_contain_text("i-olivia")
    await met.walter.picture("conflict-rebase")
    await met.walter.button("Rebase my changes").click()
    await met.walter.is_saved()
    assert stored(bank, met.instance) == {"income": "i-olivia", "city": "c-walter", "rate": "r0"}


async def test_reload_takes_theirs(operator: Operator, bank: httpx.Client) -> None:
    """Reload and drop my changes begins anew from what they saved."""
    met = await conflict(operator, bank, ("i0", "i-olivia"), ("c0", "c-walter"))
    await met.walter.button("Reload and drop my changes").click()
    await expect(met.walter.line('"income": "i-olivia"')).to_be_visible()
    await expect(met.walter.line('"city": "c0"')).to_be_visible()
    await expect(met.walter.page.get_by_text("No changes yet.")).to_be_visible()
    assert stored(bank, met.instance) == {"income": "i-olivia", "city": "c0", "rate": "r0"}


@pytest.mark.parametrize(("kept", "value"), [("Mine", "i-walter"), ("Theirs", "i-olivia")])
async def test_the_same_value_is_chosen_by_hand(operator: Operator, bank: httpx.Client, kept: str, value: str) -> None:
    """Both changed one value: no rebase is offered, but a three-way comparison, and the choice is saved as an edit."""
    met = await conflict(operator, bank, ("i0", "i-olivia"), ("i0", "i-walter"))
    await expect(met.walter.dialog).to_contain_text("You both changed the same values, so you have to decide")
    await expect(met.walter.button("Rebase my changes")).to_be_hidden()
    await met.walter.button("Compare three ways").click()
    row = met.walter.dialog.get_by_role("row").filter(has_text="income")
    for cell in ('"i0"', '"i-olivia"', '"i-walter"'):
        await expect(row).to_contain_text(cell)
    await expect(met.walter.button("Continue with this")).to_be_disabled()
    await row.get_by_label(kept).check()
    await met.walter.picture(f"conflict-three-ways-{kept.lower()}")
    await met.walter.button("Continue with this").click()
    await expect(met.walter.line(f'"income": "{value}"')).to_be_visible()
    if kept == "Mine":
        await met.walter.save("Decided after a call")
    assert stored(bank, met.instance)["income"] == value


async def test_going_back_keeps_the_text(operator: Operator, bank: httpx.Client) -> None:
    """Nothing has to be decided at once: the edit goes on, and the conflict comes again."""
    met = await conflict(operator, bank, ("i0", "i-olivia"), ("c0", "c-walter"))
    await met.walter.dialog.get_by_role("button", name="Go back").click()
    await expect(met.walter.button("Save")).to_be_focused()
    await expect(met.walter.line('"city": "c-walter"')).to_be_visible()
    await met.walter.replace("r0", "r-walter")
    review = await met.walter.review()
    await review.get_by_role("button", name="Apply changes").click()
    await met.walter.button("Rebase my changes").click()
    await met.walter.is_saved()
    assert stored(bank, met.instance) == {"income": "i-olivia", "city": "c-walter", "rate": "r-walter"}
