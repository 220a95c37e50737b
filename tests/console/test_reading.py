"""Looking at instances: who may see what, and the tabs that answer an auditor's questions."""

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.async_api import Locator, expect

from procvars.projections.registry import PROJECTION_NAMES
from tests.console.conftest import Operator
from tests.console.demo_server import (
    acknowledge,
    forget_consumer,
    merge,
    newest_position,
    start_instance,
    variables_text,
)


async def test_a_viewer_sees_everything_read_only(operator: Operator) -> None:
    """No Modify variables in any menu, none in the tab, and the address of edit mode says which permission is missing."""
    vera = await operator("Vera Viewer")
    await expect(vera.page.get_by_role("link", name="Projections")).to_be_hidden()
    await vera.page.get_by_role("button", name="Actions for").first.click()
    await expect(vera.page.get_by_role("menuitem", name="Open")).to_be_visible()
    await expect(vera.page.get_by_role("menuitem", name="Modify variables")).to_be_hidden()
    await vera.page.goto(f"{vera.address}/w/demo/instances/loan-1005/variables?edit=1")
    await expect(vera.page.get_by_text("That needs the permission process_variables_edit")).to_be_visible()
    await expect(vera.button("Modify variables")).to_be_hidden()
    await vera.picture("viewer")
    await vera.page.get_by_label("View", exact=True).select_option("JSON view")
    text = vera.page.get_by_role("textbox", name="Process variables, read only")
    await text.focus()
    await vera.page.keyboard.type("x")
    await expect(vera.page.get_by_text("Cannot edit in read-only editor").first).to_be_visible()
    await vera.page.get_by_role("tab", name="Snapshots").click()
    await expect(vera.page.get_by_role("button", name="View the snapshot before version 6")).to_be_visible()
    await expect(vera.page.get_by_role("button", name="Restore the snapshot before version 6")).to_be_hidden()


async def test_edit_is_hidden_for_finished_instances(operator: Operator) -> None:
    """Only Started and On Hold can be modified; edit mode says which status the instance has."""
    walter = await operator()
    await walter.page.goto(f"{walter.address}/w/demo/instances?status=FINISHED")
    row = walter.page.get_by_role("row").filter(has_text="loan-1102")
    await row.get_by_role("button", name="Actions for").click()
    await expect(walter.page.get_by_role("menuitem", name="Open")).to_be_visible()
    await expect(walter.page.get_by_role("menuitem", name="Modify variables")).to_be_hidden()
    await walter.page.goto(f"{walter.address}/w/demo/instances/loan-1102/variables?edit=1")
    await expect(walter.page.get_by_text("This instance is Finished.")).to_be_visible()
    await expect(walter.button("Modify variables")).to_be_hidden()
    await walter.open("loan-1006")
    await expect(walter.page.get_by_text("On Hold")).to_be_visible()
    await expect(walter.button("Modify variables")).to_be_visible()


async def test_the_secondary_menu_modifies_and_exports(operator: Operator, bank: httpx.Client, tmp_path: Path) -> None:
    """Modify variables leads to edit mode from any tab; Export gives the document as the server has it."""
    instance = start_instance(bank, '{"big":12345678901234567890,"one":1.0}', title="Exported")
    walter = await operator()
    await walter.open(instance, "history")
    await walter.button("More actions").click()
    async with walter.page.expect_download() as downloading:
        await walter.page.get_by_role("menuitem", name="Export").click()
    download = await downloading.value
    assert download.suggested_filename == f"{instance}-v1.json"
    await download.save_as(tmp_path / "exported.json")
    assert (tmp_path / "exported.json").read_text() == variables_text(bank, instance)
    await walter.button("More actions").click()
    await walter.page.get_by_role("menuitem", name="Modify variables").click()
    await walter.editor_is_ready()


async def test_filters_stand_in_the_address(operator: Operator) -> None:
    """Status, definition and search go into the address, so that a view can be sent to a colleague."""
    walter = await operator()
    await walter.page.get_by_role("button", name="Status: Any").click()
    await walter.page.get_by_role("checkbox", name="On Hold").check()
    await expect(walter.page.get_by_role("row")).to_have_count(2)
    await walter.page.get_by_role("checkbox", name="Failed").check()
    await walter.page.keyboard.press("Escape")
    await walter.page.get_by_label("Definition").select_option("Loan application")
    await expect(walter.page.get_by_role("row").filter(has_text="Loan application")).to_have_count(2)
    query = parse_qs(urlsplit(walter.page.url).query)
    assert query == {"status": ["ON_HOLD", "FAILED"], "definition": ["loan-application"]}
    olivia = await operator("Olivia Org")
    await olivia.page.goto(walter.page.url)
    await expect(olivia.page.get_by_role("row").filter(has_text="Kenji Tanaka: waits for a payslip")).to_be_visible()
    await olivia.button("Clear filters").click()
    await olivia.page.get_by_label("Started from").fill("2099-01-01")
    await expect(olivia.page.get_by_text("No process instance fits these filters.")).to_be_visible()


async def test_search_by_key_and_by_words(operator: Operator) -> None:
    """A number with >=, and words of a text field; the hits show the values that they were found by."""
    walter = await operator()
    await walter.page.get_by_label("Search key").fill("amount")
    await walter.page.get_by_label("Key value").fill(">= 42000")
    await walter.button("Search").click()
    row = walter.page.get_by_role("row").filter(has_text="loan-1005")
    await expect(row).to_contain_text("amount 42000")
    await walter.button("Clear filters").click()
    await walter.page.get_by_label("Search text").fill("missing payslip")
    await walter.page.keyboard.press("Enter")
    await expect(walter.page.get_by_role("row").filter(has_text="loan-1006")).to_be_visible()
    await expect(walter.page.get_by_role("row").filter(has_text="loan-1005")).to_be_hidden()


async def test_pages_of_a_long_list(operator: Operator) -> None:
    """Next and Previous turn the pages of the list."""
    walter = await operator()
    first = walter.page.locator("tbody tr").first
    newest = await first.inner_text()
    await walter.button("Next").click()
    await expect(walter.page.get_by_text("Page 2")).to_be_visible()
    await expect(first).not_to_have_text(newest)
    await walter.button("Previous").click()
    await expect(walter.page.get_by_text("Page 1")).to_be_visible()
    await expect(walter.button("Previous")).to_be_disabled()


async def test_a_snapshot_is_restored_with_a_reason(operator: Operator, bank: httpx.Client) -> None:
    """The old values become current again as a new modification, whose reason is in the history."""
    instance = start_instance(bank, {"a": "first"}, title="Restored")
    merge(bank, instance, {"a": "second"}, "by mistake")
    merge(bank, instance, {"b": "third"})
    walter = await operator()
    await walter.open(instance, "snapshots")
    await walter.page.get_by_role("button", name="View the snapshot before version 2").click()
    await expect(walter.dialog).to_contain_text('"a": "first"')
    await walter.dialog.get_by_role("button", name="Compare with current").click()
    await expect(walter.dialog.get_by_role("list", name="Changes")).to_contain_text('"first" → "second"')
    await expect(walter.dialog.locator(".editor.modified .line-insert").first).to_be_attached()
    await walter.picture("snapshots-compared")
    await walter.dialog.get_by_role("button", name="Close").click()
    await walter.page.get_by_role("button", name="Restore the snapshot before version 2").click()
    rows = walter.dialog.get_by_role("list", name="Changes")
    await expect(rows).to_contain_text('"second" → "first"')
    await expect(rows.get_by_role("listitem").filter(has_text='"third"')).to_be_visible()
    await walter.dialog.get_by_label("Reason").fill("The second was a mistake")
    await walter.dialog.get_by_role("button", name="Restore").click()
    await walter.is_saved()
    assert json.loads(variables_text(bank, instance)) == {"a": "first"}
    await walter.page.get_by_role("tab", name="History").click()
    entry = walter.page.get_by_role("list", name="Modifications, newest first").get_by_role("listitem").first
    await expect(entry).to_contain_text("Version 4 · Walter Workspace")
    await expect(entry).to_contain_text("The second was a mistake")


async def test_two_snapshots_are_compared(operator: Operator) -> None:
    """Any two can be marked, and are shown side by side."""
    walter = await operator()
    await walter.open("loan-1005", "snapshots")
    for version in (5, 6):
        await walter.page.get_by_label(f"Compare the snapshot before version {version}").check()
    await walter.button("Compare the two").click()
    await expect(walter.page.get_by_role("dialog", name="Compare: before version 5 → before version 6")).to_be_visible()
    await expect(walter.dialog.get_by_role("list", name="Changes")).to_contain_text("48 → 60")


async def test_history_says_who_when_why_and_what(operator: Operator) -> None:
    """A modification unfolds into a readable difference, and leads to the variables as they were then."""
    walter = await operator()
    await walter.open("loan-1005", "history")
    entry = walter.page.get_by_role("listitem").filter(has_text="Version 5")
    await entry.get_by_role("button", name="Version 5").click()
    await expect(entry.get_by_role("list", name="Changes")).to_contain_text("48 → 60")
    await walter.picture("history")
    await entry.get_by_role("link", name="Variables at version 5").click()
    await expect(walter.page.get_by_text("as they were at version 5")).to_be_visible()
    await walter.tree_shows("termMonths", "60")
    await walter.page.get_by_role("tab", name="History").click()
    await walter.page.get_by_label("Variables at version").fill("4")
    await walter.button("Show version").click()
    await walter.tree_shows("termMonths", "48")


async def test_blame_stands_beside_the_tree(operator: Operator) -> None:
    """Who last set each value: the person with their name, or the process itself."""
    walter = await operator()
    await walter.open("loan-1005")
    await walter.page.get_by_label("Show who changed what").check()
    await walter.page.get_by_label("Filter variables").fill("termMonths")
    row = walter.page.get_by_role("treeitem").filter(has_text="termMonths")
    await expect(row).to_contain_text("Olivia Org")
    await expect(row).to_contain_text("v5")
    await row.click()
    await expect(walter.page.get_by_text("Term agreed with the branch, ticket OPS-311")).to_be_visible()
    await walter.picture("blame")
    await walter.page.get_by_label("Filter variables").fill("purpose")
    await expect(walter.page.get_by_role("treeitem").filter(has_text="purpose")).to_contain_text("the process itself")


async def test_the_tree_copies_paths(operator: Operator, bank: httpx.Client) -> None:
    """By the keyboard too: c copies the JSONPath of the selected value."""
    walter = await operator()
    await walter.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await walter.open(start_instance(bank, {"list": [{"odd name": 1}]}, title="Copied"))
    await walter.page.get_by_role("treeitem").filter(has_text="odd name").click()
    await walter.button("Copy path").click()
    assert await walter.page.evaluate("navigator.clipboard.readText()") == "$.list[0]['odd name']"
    await walter.page.get_by_role("tree").press("ArrowUp")
    await walter.page.get_by_role("tree").press("c")
    await expect(walter.page.get_by_text("Path copied: $.list[0]", exact=True)).to_be_visible()
    assert await walter.page.evaluate("navigator.clipboard.readText()") == "$.list[0]"


async def test_the_audit_log_shows_body_and_url(operator: Operator, bank: httpx.Client) -> None:
    """Event Update, Subject Process variables, newest first; a click shows the complete body and the URL."""
    instance = start_instance(bank, {"a": 1, "b": {"c": 1}}, title="Audited")
    merge(bank, instance, {"a": 2}, "first")
    merge(bank, instance, {"b": {"c": 2}}, "second")
    walter = await operator()
    await walter.open(instance, "audit-log")
    rows = walter.page.get_by_role("table").locator("tbody tr")
    await expect(rows).to_have_count(2)
    for text in ("Olivia Org", "Process variables", "Update", instance, "3", "Success"):
        await expect(rows.first).to_contain_text(text)
    await rows.first.click()
    details = walter.page.get_by_role("dialog", name="Update · Process variables")
    await expect(details).to_contain_text(f"/api/v1/workspaces/demo/instances/{instance}/variables?reason=second")
    await expect(walter.line('"c": 2')).to_be_visible()
    await expect(details).to_contain_text("second")
    await walter.picture("audit-entry")


async def test_the_audit_log_is_filtered(operator: Operator, bank: httpx.Client) -> None:
    """By user, subject, event and day, together and each for itself; clearing shows everything again."""
    instance = start_instance(bank, {"a": 1}, title="Filtered")
    walter = await operator()
    await walter.open(instance)
    await walter.edit()
    await walter.replace("1", "2")
    await walter.save("Walter's")
    merge(bank, instance, {"a": 3}, "Olivia's")
    await walter.page.get_by_role("tab", name="Audit Log").click()
    rows = walter.page.get_by_role("table").locator("tbody tr")
    await expect(rows).to_have_count(2)
    form = walter.page.get_by_role("form", name="Filter the audit log")

    async def answered(button: Locator) -> None:
        """Until the new answer is shown: the rows of the one before stay in view while it comes."""
        async with walter.page.expect_response("**/audit-log?*"):
            await button.click()
        await expect(walter.page.get_by_role("tabpanel").get_by_text("Loading")).to_be_hidden()

    for field, value, expected in (
        ("User", "walter", 1),
        ("User", "Walter Workspace", 1),
        ("User", "nobody", 0),
        ("Subject", "Process variables", 2),
        ("Event", "Update", 2),
        ("Event", "Delete", 0),
        ("From", "2099-01-01", 0),
        ("Until", "2099-01-01", 2),
    ):
        await form.get_by_label(field).fill(value)
        await answered(form.get_by_role("button", name="Filter"))
        await expect(rows, f"{field} {value}").to_have_count(expected)
        await answered(form.get_by_role("button", name="Clear filters"))
        await expect(rows, f"cleared after {field} {value}").to_have_count(2)
    await form.get_by_label("User").fill("olivia")
    await form.get_by_label("User").press("Enter")
    await expect(rows).to_have_count(1)
    await expect(rows.first).to_contain_text("Olivia Org")


async def test_subprocesses_tasks_and_sync(operator: Operator) -> None:
    """The other tabs: the child with its own page, the task with its keywords, and five read models up to date."""
    walter = await operator()
    await walter.open("loan-1005", "subprocesses")
    await walter.page.get_by_role("row").filter(has_text="Credit check").get_by_role("link").click()
    await expect(walter.page.get_by_role("link", name="loan-1005")).to_be_visible()
    await walter.open("loan-1005", "tasks")
    task = walter.page.get_by_role("row").filter(has_text="Compare appraisals")
    await expect(task).to_contain_text("customerName Ingrid Lindqvist")
    await walter.page.get_by_role("tab", name="Sync").click()
    await expect(walter.page.get_by_role("list", name="Read models").get_by_text("up to date")).to_have_count(
        len(PROJECTION_NAMES)
    )


async def test_sync_shows_what_a_consumer_refused(operator: Operator, bank: httpx.Client) -> None:
    """A consumer of the feed refuses an edit: the open tab says so and why, beside the read models."""
    instance = start_instance(bank, '{"n": 1}', title="Refused")
    merge(bank, instance, {"n": 2}, "a correction")
    edit = newest_position(bank)
    acknowledge(bank, "ledger", edit - 1)
    try:
        walter = await operator()
        await walter.open(instance, "sync")
        shown = walter.page.get_by_role("list", name="Consumers")
        await expect(shown).to_contain_text("has not come to it yet, is at version 1")
        acknowledge(bank, "ledger", edit, refusal="the loan is closed")
        await expect(shown).to_contain_text("refused version 2: the loan is closed")
        await walter.picture("consumer-refused")
        acknowledge(bank, "ledger", edit - 1)
        acknowledge(bank, "ledger", edit)
        await expect(shown).to_contain_text("has applied version 2")
    finally:
        forget_consumer(bank, "ledger")


async def test_projections_are_paused_and_resumed(operator: Operator) -> None:
    """State and lag of each read model; pause and resume take effect while the page is open."""
    olivia = await operator("Olivia Org")
    await olivia.page.get_by_role("link", name="Projections").click()
    card = olivia.page.get_by_role("listitem", name="Search")
    await expect(card).to_contain_text("Running")
    await card.get_by_role("button", name="Pause Search").click()
    await expect(card).to_contain_text("Paused")
    await olivia.picture("projections-paused")
    await card.get_by_role("button", name="Resume Search").click()
    await expect(card).to_contain_text("Running")


async def test_an_unknown_address_leads_home(operator: Operator) -> None:
    """Also an instance that is not there is said in plain words."""
    walter = await operator()
    await walter.page.goto(f"{walter.address}/no/such/page")
    await expect(walter.page.get_by_role("heading", name="Nothing here")).to_be_visible()
    await walter.page.goto(f"{walter.address}/w/demo/instances/no-such")
    await expect(walter.page.get_by_text("This does not exist, or you have no role in its workspace.")).to_be_visible()


async def test_a_projection_is_rebuilt_and_checked(operator: Operator) -> None:
    """A rebuild goes on beside the live read model; a check finds it equal to one built from the events."""
    olivia = await operator("Olivia Org")
    await olivia.page.get_by_role("link", name="Projections").click()
    card = olivia.page.get_by_role("listitem", name="Task Manager")
    await card.get_by_role("button", name="Rebuild Task Manager").click()
    await olivia.button("Start rebuild").click()
    await expect(card.get_by_role("progressbar", name="Rebuild of Task Manager")).to_be_visible()
    await expect(card).to_contain_text("Rebuilding")
    await olivia.picture("projections-rebuilding")
    await expect(card.get_by_role("button", name="Rebuild Task Manager")).to_be_enabled()
    await expect(card).to_contain_text("Running")
    await card.get_by_role("button", name="Check Task Manager").click()
    await expect(card).to_contain_text("Checked: it is equal to one built from the events.")
    await olivia.picture("projections-checked")
