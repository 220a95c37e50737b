"""Editing: what cannot be saved, what is lost by nothing, and what stays exactly as it was."""

import json
import time

import httpx
from playwright.async_api import Request, Route, expect

from tests.console.conftest import Operator
from tests.console.demo_server import start_instance, variables_text

VALID = '{\n"a": 1,\n"b": [2, "two"],\n"c": {"x": 3}\n}'
INVALID = {
    "a missing comma": ('"a": 1,', '"a": 1', "Missing comma"),
    "a trailing comma": ('{"x": 3}', '{"x": 3,}', "Trailing comma"),
    "a missing quote": ('"b"', 'b"', "quote"),
    "an unclosed bracket": ('"two"]', '"two"', "]"),
    "a comment": ("2,", "2, // two\n", "JSON has no comments"),
    "a key that is there twice": ('"b"', '"a"', "twice"),
}


async def test_invalid_json_cannot_be_saved(operator: Operator, bank: httpx.Client) -> None:
    """Save is off and says why, the list of errors names the place, and correcting it turns Save on again."""
    console = await operator()
    await console.open(start_instance(bank, {"a": 1}, title="Invalid"))
    await console.edit()
    errors = console.page.get_by_role("region", name="Errors")
    for mistake, (right, wrong, said) in INVALID.items():
        await console.page.keyboard.press("Control+a")
        await console.page.keyboard.insert_text(VALID.replace(right, wrong))
        await expect(errors.get_by_role("button").first, mistake).to_contain_text("Line ")
        await expect(errors, mistake).to_contain_text(said)
        await expect(console.button("Save"), mistake).to_be_disabled()
        await expect(console.page.get_by_text("to correct first."), mistake).to_be_visible()
        await expect(console.page.locator(".squiggly-error").first, mistake).to_be_attached()
        await console.picture("invalid-" + mistake.replace(" ", "-"))
        await console.page.keyboard.press("Control+a")
        await console.page.keyboard.insert_text(VALID)
        await expect(errors, mistake).to_be_hidden()
        await expect(console.button("Save"), mistake).to_be_enabled()


async def test_an_error_leads_to_its_place(operator: Operator, bank: httpx.Client) -> None:
    """Clicking an error puts the cursor there: what is typed next corrects it."""
    console = await operator()
    await console.open(start_instance(bank, {"a": 1, "b": {"c": 2}}, title="Leads there"))
    await console.edit()
    await console.replace('"a": 1,', '"a": 1')
    await console.page.get_by_role("region", name="Errors").get_by_role("button").click()
    await expect(console.editor).to_be_focused()
    await console.page.keyboard.insert_text(",")
    await expect(console.page.get_by_role("region", name="Errors")).to_be_hidden()


async def test_compare_and_back_loses_nothing(operator: Operator, bank: httpx.Client) -> None:
    """Both sides are shown; text, and even the undo history, are the same after the way there and back."""
    console = await operator()
    await console.open(start_instance(bank, {"city": "Graz", "zip": "8010"}, title="Compared"))
    await console.edit()
    await console.replace("Graz", "Linz")
    await console.button("Compare").click()
    original = console.page.locator(".editor.original")
    modified = console.page.locator(".editor.modified")
    await expect(original).to_contain_text('"city": "Graz"')
    await expect(modified).to_contain_text('"city": "Linz"')
    await expect(original.locator(".line-delete").first).to_be_attached()
    await expect(modified.locator(".line-insert").first).to_be_attached()
    await console.picture("compare")
    await console.button("Edit").click()
    await expect(console.editor).to_be_focused()
    await expect(console.line('"city": "Linz"')).to_be_visible()
    await console.page.keyboard.press("Control+z")
    await expect(console.page.get_by_text("No changes yet.")).to_be_visible()
    await console.page.keyboard.press("Control+y")
    await console.save("There and back")
    await console.tree_shows("city", '"Linz"')


async def test_cancel_asks_before_changes_are_dropped(operator: Operator, bank: httpx.Client) -> None:
    """Cancel, another tab and the browser's Back ask; only Discard changes drops them."""
    instance = start_instance(bank, {"a": 1}, title="Not dropped")
    console = await operator()
    await console.open(instance)
    await console.edit()
    await console.replace("1", "2")
    for leave in (console.button("Cancel"), console.page.get_by_role("tab", name="History")):
        await leave.click()
        await console.dialog.get_by_role("button", name="Keep editing").click()
        await expect(console.line('"a": 2')).to_be_visible()
    await console.page.go_back()
    await console.dialog.get_by_role("button", name="Discard changes").click()
    await expect(console.button("Modify variables")).to_be_visible()
    assert json.loads(variables_text(bank, instance)) == {"a": 1}


async def test_what_is_not_edited_stays_as_it_was(operator: Operator, bank: httpx.Client) -> None:
    """Integers beyond 64 bits, 1.0 and -0.0 come back to the character after an edit of something else."""
    document = '{"big":12345678901234567890,"one":1.0,"zero":-0.0,"nul":"\\u0000","umlaut":"Zoë","note":"before"}'
    instance = start_instance(bank, document, title="Exact")
    before = variables_text(bank, instance)
    console = await operator()
    await console.open(instance)
    await console.tree_shows("big", "12345678901234567890")
    await console.tree_shows("one", "1.0")
    await console.edit()
    await console.replace('"before"', '"after"')
    review = await console.review()
    await expect(review.get_by_role("heading", name="What changes (1 changed)")).to_be_visible()
    await review.get_by_role("button", name="Go back").click()
    await console.save("Only the note")
    assert variables_text(bank, instance) == before.replace("before", "after")


async def test_the_review_shows_what_the_server_says(operator: Operator, bank: httpx.Client) -> None:
    """A long list of which everything changes is one change of the patch, with the old values of the text."""
    console = await operator()
    await console.open(start_instance(bank, {"l": [number + 0.1 for number in range(200)]}, title="A long list"))
    await console.edit()
    await console.page.keyboard.press("Control+a")
    await console.page.keyboard.insert_text(json.dumps({"l": [number + 0.5 for number in range(200)]}))
    review = await console.review()
    await expect(review.get_by_role("heading", name="What changes (1 changed)")).to_be_visible()
    row = review.get_by_role("list", name="Changes").get_by_role("listitem")
    await expect(row.locator("del")).to_contain_text("0.1")
    await expect(row.locator("ins")).to_contain_text("0.5")


async def test_only_another_layout_is_nothing_to_save(operator: Operator, bank: httpx.Client) -> None:
    """White space is no value: the review says so, and there is nothing to apply."""
    console = await operator()
    await console.open(start_instance(bank, {"a": 1}, title="Layout"))
    await console.edit()
    await console.replace('"a": 1', '"a":      1')
    review = await console.review()
    await expect(review.get_by_role("heading", name="no value changes")).to_be_visible()
    await expect(review.get_by_role("button", name="Apply changes")).to_be_disabled()


async def test_a_refusal_by_the_schema_is_said_in_the_review(operator: Operator) -> None:
    """The definition's JSON Schema allows no negative income; the text stays to be corrected."""
    console = await operator()
    await console.open("loan-1101")
    await console.edit()
    await console.replace('"termMonths": ', '"termMonths": -')
    await console.button("Save").click()
    refusal = console.page.get_by_text("The process definition does not allow these values.")
    await expect(refusal).to_contain_text("/application/termMonths")
    await expect(console.line('"termMonths": -')).to_be_visible()


async def test_by_keyboard_alone(operator: Operator, bank: httpx.Client) -> None:
    """From the list of instances to the saved change without a mouse."""
    instance = start_instance(bank, {"key": "old"}, title="AAA keyboard")
    console = await operator()
    keyboard = console.page.keyboard
    await console.page.goto(f"{console.address}/w/demo/instances")
    row_menu = console.page.get_by_role("button", name="Actions for AAA keyboard")
    await expect(row_menu).to_be_visible()
    for _ in range(60):
        if await row_menu.evaluate("element => element === document.activeElement"):
            break
        await keyboard.press("Tab")
    await expect(row_menu).to_be_focused()
    await keyboard.press("Enter")
    await expect(console.page.get_by_role("menuitem", name="Modify variables")).to_be_focused()
    await keyboard.press("Enter")
    await console.editor_is_ready()
    await console.replace("old", "new")
    await keyboard.press("Control+s")
    reason = console.dialog.get_by_label("Reason")
    await expect(reason).to_be_focused()
    await keyboard.type("Without a mouse")
    await keyboard.press("Tab")
    await expect(console.dialog.get_by_role("button", name="Go back")).to_be_focused()
    await keyboard.press("Tab")
    await keyboard.press("Enter")
    await console.is_saved()
    assert json.loads(variables_text(bank, instance)) == {"key": "new"}


async def test_tab_leaves_the_editor_when_asked(operator: Operator, bank: httpx.Client) -> None:
    """Ctrl+M lets Tab move on, so the editor is no trap for the keyboard (WCAG 2.1.2)."""
    console = await operator()
    await console.open(start_instance(bank, {"a": 1}, title="No trap"))
    await console.edit()
    await console.page.keyboard.press("Control+m")
    await console.page.keyboard.press("Shift+Tab")
    await expect(console.page.get_by_role("textbox", name="Reason")).to_be_focused()


async def test_a_lost_answer_is_fetched_by_the_same_key(operator: Operator, bank: httpx.Client) -> None:
    """The server saved, but its answer was lost: the text stays, the same key is sent again, and one version is made."""
    instance = start_instance(bank, {"a": 1}, title="Lost answer")
    console = await operator()
    keys: list[str | None] = []

    async def lose_the_first_answer(route: Route, request: Request) -> None:
        if request.method != "PUT":
            await route.continue_()
            return
        keys.append(await request.header_value("idempotency-key"))
        if len(keys) == 1:
            await route.fetch()
            await route.abort("connectionreset")
        else:
            await route.continue_()

    await console.page.route("**/variables?*", lose_the_first_answer)
    await console.open(instance)
    await console.edit()
    await console.replace("1", "2")
    review = await console.review()
    await review.get_by_label("Reason").fill("Over a bad line")
    await review.get_by_role("button", name="Apply changes").click()
    await expect(console.page.get_by_text("The connection is lost.")).to_be_visible()
    await console.picture("lost-connection")
    await console.button("Try now").click()
    await console.is_saved()
    await expect(console.page.get_by_text("Saved as version 2.")).to_be_visible()
    assert len(keys) == 2
    assert keys[0] == keys[1] is not None


async def test_work_goes_on_when_the_network_is_back(operator: Operator, bank: httpx.Client) -> None:
    """Offline at Apply: nothing is lost, and the change is sent by itself once the browser is online."""
    instance = start_instance(bank, {"a": 1}, title="Offline")
    console = await operator()
    await console.open(instance)
    await console.edit()
    await console.replace("1", "2")
    review = await console.review()
    await console.page.context.set_offline(True)
    await review.get_by_role("button", name="Apply changes").click()
    await expect(console.page.get_by_text("Your text is safe here.")).to_be_visible()
    await console.page.context.set_offline(False)
    await console.is_saved()
    assert json.loads(variables_text(bank, instance)) == {"a": 2}


async def test_stopping_keeps_the_text(operator: Operator, bank: httpx.Client) -> None:
    """Whoever does not want to wait for the network goes back to the editor, with everything in it."""
    console = await operator()
    await console.open(start_instance(bank, {"a": 1}, title="Stopped"))
    await console.edit()
    await console.replace("1", "2")
    review = await console.review()
    await console.page.context.set_offline(True)
    await review.get_by_role("button", name="Apply changes").click()
    await review.get_by_role("button", name="Stop and go back").click()
    await expect(console.line('"a": 2')).to_be_visible()
    await expect(console.button("Save")).to_be_enabled()


async def test_five_megabytes_open_and_can_be_edited(operator: Operator, bank: httpx.Client) -> None:
    """The page answers while a document of 5 MB is shown, edited and saved: it is never busy for a whole second."""
    rows = [
        {"id": number, "name": f"customer {number}", "balance": 1.0, "tags": ["a", "b"]} for number in range(68_000)
    ]
    document = json.dumps({"marker": "before", "rows": rows})
    assert len(document) > 5_000_000
    instance = start_instance(bank, document, title="Large")
    console = await operator()
    await console.page.evaluate(
        "new PerformanceObserver(list => { for (const one of list.getEntries()) "
        "window.longest = Math.max(window.longest ?? 0, one.duration); }).observe({ type: 'longtask' })"
    )
    await console.page.get_by_role("link", name="Large").click()
    await console.page.get_by_label("Filter variables").fill("customer 67999")
    await expect(console.page.get_by_role("treeitem").filter(has_text="customer 67999")).to_be_visible()
    await console.edit()
    await console.replace('"before"', '"after"')
    started = time.monotonic()
    review = await console.review()
    assert time.monotonic() - started < 10
    await expect(review.get_by_role("heading", name="What changes (1 changed)")).to_be_visible()
    await review.get_by_role("button", name="Apply changes").click()
    await console.is_saved()
    assert json.loads(variables_text(bank, instance))["marker"] == "after"
    longest = await console.page.evaluate("window.longest")
    assert longest < 1_000, f"the page was busy for {longest:.0f} ms"
