"""Shortcuts: find, edit, compare, save, and the help that names them."""

import json

import httpx
from playwright.async_api import expect

from tests.console.conftest import NewConsole, Operator
from tests.console.demo_server import DemoServer, start_instance, variables_text


async def test_an_edit_by_the_keyboard_alone(operator: Operator, bank: httpx.Client) -> None:
    """From the page to the saved change without a click."""
    instance = start_instance(bank, {"a": "before"}, title="By keyboard")
    console = await operator()
    keyboard = console.page.keyboard
    await console.open(instance)
    await expect(console.page.get_by_role("tree")).to_be_visible()
    await keyboard.press("/")
    await expect(console.page.get_by_label("Filter variables")).to_be_focused()
    await keyboard.type("e/?")
    await expect(console.page.get_by_label("Filter variables")).to_have_value("e/?")
    await console.page.get_by_role("tree").focus()
    await keyboard.press("e")
    await console.editor_is_ready()
    await keyboard.press("Control+a")
    await keyboard.insert_text('{"a": "e after"}')
    await keyboard.press("Alt+k")
    await expect(console.page.locator(".editor.modified")).to_contain_text("e after")
    await keyboard.press("Alt+k")
    await expect(console.editor).to_be_focused()
    await keyboard.press("Control+s")
    review = console.page.get_by_role("dialog", name="Review before saving")
    await review.get_by_label("Reason").press_sequentially("keys, e and /")
    await review.get_by_role("button", name="Apply changes").press("Enter")
    await console.is_saved()
    assert json.loads(variables_text(bank, instance)) == {"a": "e after"}


async def test_who_may_only_read_has_no_key_for_editing(operator: Operator) -> None:
    """Neither the key nor the help offers it."""
    console = await operator("Vera Viewer")
    await console.open("loan-1005")
    await expect(console.page.get_by_role("tree")).to_be_visible()
    await console.page.keyboard.press("e")
    await console.page.keyboard.press("?")
    await expect(console.dialog.get_by_text("Find: go to the search field")).to_be_visible()
    await expect(console.dialog.get_by_text("Modify the variables")).to_be_hidden()
    assert "edit" not in console.page.url


async def test_keys_alone_can_be_turned_off(new_console: NewConsole, demo: DemoServer) -> None:
    """For whom they are in the way (WCAG 2.1.4); the choice is kept, and the menu still has the help."""
    console = await (await new_console(demo.address)).sign_in("Walter Workspace")
    page = console.page
    await expect(page.get_by_role("table")).to_be_visible()
    await page.keyboard.press("?")
    await console.picture("shortcuts")
    await console.dialog.get_by_label("Keys without Ctrl or Alt").uncheck()
    await page.keyboard.press("Escape")
    await expect(console.dialog).to_be_hidden()
    await page.reload()
    await expect(page.get_by_role("table")).to_be_visible()
    await page.keyboard.press("?")
    await page.keyboard.press("/")
    await expect(page.get_by_label("Id or title")).not_to_be_focused()
    await expect(console.dialog).to_be_hidden()
    await console.button("Account: Walter Workspace").click()
    await page.get_by_role("menuitem", name="Keyboard shortcuts").click()
    await console.dialog.get_by_label("Keys without Ctrl or Alt").check()
    await console.button("Close").click()
    await expect(console.dialog).to_be_hidden()
    await page.keyboard.press("/")
    await expect(page.get_by_label("Id or title")).to_be_focused()
