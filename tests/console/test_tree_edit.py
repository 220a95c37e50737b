"""Editing one value at a time in the tree."""

import json

import httpx
from playwright.async_api import Locator, expect

from tests.console.conftest import Operator
from tests.console.demo_server import start_instance, variables_text
from tests.console.operator_console import OperatorConsole

DOCUMENT = (
    '{"customer":{"name":"Ana","rate":1.10,"active":true},"lines":[{"id":12345678901234567890}],"note":"a\\r\\nb"}'
)


def row(console: OperatorConsole, text: str) -> Locator:
    return console.page.get_by_role("tree").get_by_role("treeitem").filter(has_text=text).last


async def edit_value(console: OperatorConsole, text: str) -> Locator:
    """From a row to the dialog that asks for its value."""
    await row(console, text).click()
    await console.button("Edit value").click()
    await expect(console.dialog).to_be_visible()
    return console.dialog


async def test_values_and_members_are_edited_in_the_tree(operator: Operator, bank: httpx.Client) -> None:
    """Replaced, added and removed, reviewed and saved as any edit; what was left alone is as it was written."""
    instance = start_instance(bank, DOCUMENT, title="Edited in the tree")
    console = await operator()
    page = console.page
    await console.open(instance)
    await row(console, "rate").click()
    await console.button("Edit here").click()
    await expect(page.get_by_role("tree", name="Variables under edit")).to_be_visible()
    await expect(row(console, "rate")).to_have_attribute("aria-selected", "true")
    dialog = await edit_value(console, "rate")
    await dialog.get_by_label("Value").fill("1,2")
    await expect(dialog.get_by_text("Not a number")).to_be_visible()
    await expect(dialog.get_by_role("button", name="OK")).to_be_disabled()
    await dialog.get_by_label("Value").fill("1.20")
    await console.picture("tree-value")
    await page.keyboard.press("Enter")
    await expect(row(console, "rate:1.20")).to_be_visible()
    await row(console, "lines").click()
    await console.button("Add element").click()
    await dialog.get_by_label("Type").select_option("JSON: an object, a list, or any value as it is written")
    await dialog.get_by_label("Value").fill('{"id": 2}')
    await dialog.get_by_role("button", name="OK").click()
    await row(console, "customer").click()
    await console.button("Add member").click()
    await dialog.get_by_label("Name").fill("name")
    await expect(dialog.get_by_text("There is a member of this name already.")).to_be_visible()
    await dialog.get_by_label("Name").fill("vip/level")
    await dialog.get_by_label("Value").fill("gold")
    await dialog.get_by_role("button", name="OK").click()
    await expect(row(console, "vip/level")).to_have_attribute("aria-selected", "true")
    await row(console, "active").click()
    await console.button("Remove").click()
    await expect(row(console, "active")).to_be_hidden()
    await console.picture("tree-edit")
    await console.save("by the tree")
    text = variables_text(bank, instance)
    assert json.loads(text) == {
        "customer": {"name": "Ana", "rate": 1.2, "vip/level": "gold"},
        "lines": [{"id": 12345678901234567890}, {"id": 2}],
        "note": "a\r\nb",
    }
    assert "1.20" in text and "12345678901234567890" in text


async def test_a_change_of_type_is_told_and_a_change_is_undone(operator: Operator, bank: httpx.Client) -> None:
    """By the keyboard: F2, Delete and Insert on a row; Undo takes back one change at a time."""
    instance = start_instance(bank, DOCUMENT, title="Undone in the tree")
    console = await operator()
    page = console.page
    await page.goto(f"{console.address}/w/demo/instances/{instance}/variables?edit=1&path=/customer/name")
    await expect(row(console, "name")).to_have_attribute("aria-selected", "true")
    tree = page.get_by_role("tree")
    await tree.focus()
    await page.keyboard.press("F2")
    await console.dialog.get_by_label("Type").select_option("Null")
    await expect(console.dialog.get_by_text("Text becomes Null")).to_be_visible()
    await console.button("OK").click()
    await expect(row(console, "name:null")).to_be_visible()
    await expect(tree).to_be_focused()
    await page.keyboard.press("Delete")
    await expect(row(console, "name:")).to_be_hidden()
    await page.keyboard.press("Insert")
    await console.dialog.get_by_role("button", name="Cancel").click()
    await console.button("Undo").click()
    await expect(row(console, "name:null")).to_be_visible()
    await console.button("Undo").click()
    await expect(row(console, 'name:"Ana"')).to_be_visible()
    await expect(page.get_by_text("No changes yet.")).to_be_visible()
    await console.button("Edit").click()
    await expect(console.line('"name": "Ana"')).to_be_visible()


async def test_text_that_a_field_would_change_is_edited_as_it_is_written(
    operator: Operator, bank: httpx.Client
) -> None:
    """Browsers make every end of a line the same: such a text is offered as JSON."""
    instance = start_instance(bank, DOCUMENT, title="Ends of lines")
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/instances/{instance}/variables?edit=1&path=/note")
    dialog = await edit_value(console, "note")
    await expect(dialog.get_by_label("Value")).to_have_value('"a\\r\\nb"')
    await dialog.get_by_label("Value").fill('"a\\r\\nc"')
    await dialog.get_by_role("button", name="OK").click()
    await console.save("the end of a line")
    assert json.loads(variables_text(bank, instance))["note"] == "a\r\nc"
