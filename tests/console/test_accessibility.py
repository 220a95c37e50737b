"""Every page and dialog by axe, in light and in dark; and reading on a phone."""

from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import expect

from tests.console.conftest import NewConsole
from tests.console.demo_server import DemoServer, merge, start_instance
from tests.console.operator_console import OperatorConsole

AXE = Path(__file__).parent.parent.parent / "api" / "console" / "node_modules" / "axe-core" / "axe.min.js"
Findings = dict[str, list[str]]
SHOWN = {
    "subprocesses": "Credit check",
    "tasks": "Compare appraisals",
    "snapshots": "Before version 6",
    "history": "Version 6",
    "audit-log": "Process variables",
    "sync": "up to date",
}
"""What the tabs of loan-1005 have."""

PAGES = {"overview": "Overview", "tasks": "Tasks", "audit-log": "Audit log"}
"""Pages of the workspace and their headings."""

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
    "device_scale_factor": 2,
}

# Colours are all that differs in the dark.
RULES = {"light": "{}", "dark": "{ runOnly: ['color-contrast'] }"}


class Inspection:
    """Goes through the console with axe, in light and in dark, and keeps what it found, by page."""

    def __init__(self, console: OperatorConsole) -> None:
        self.console = console
        self.findings: Findings = {}
        self._axe = AXE.read_text()

    async def of(self, name: str) -> None:
        page = self.console.page
        await page.evaluate(f"window.axe ?? (() => {{ {self._axe} }})()")
        for theme in ("dark", "light"):
            await page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            await expect(page.locator(f"html[data-theme={theme}]")).to_be_attached()
            await page.evaluate(
                "Promise.all(document.getAnimations().map(animation => animation.finished.catch(() => {})))"
            )
            result: dict[str, Any] = await page.evaluate(f"axe.run({RULES[theme]})")
            assert any(result[kind] for kind in ("passes", "violations", "incomplete")), "axe saw nothing"
            found = [
                f"{violation['id']} ({violation['impact']}): {node['target']} {node['failureSummary']}"
                for violation in result["violations"]
                if violation["impact"] in ("serious", "critical")
                for node in violation["nodes"]
            ]
            if found:
                self.findings[f"{name}, {theme}"] = found
            await self.console.picture(f"{theme}-{name}")


async def test_no_page_has_serious_findings(new_console: NewConsole, demo: DemoServer, bank: httpx.Client) -> None:
    """WCAG A and AA, as far as axe sees them: names, roles, contrast, focus."""
    instance = start_instance(bank, {"a": 1, "b": [True, None], "c": "text"}, title="Inspected")
    merge(bank, instance, {"a": 2}, "for the history")
    console = await new_console(demo.address)
    inspection = Inspection(console)
    page = console.page
    await page.goto(demo.address)
    await expect(page.get_by_role("region", name="Sample users")).to_be_visible()
    await inspection.of("sign-in")
    await console.sign_in("Olivia Org")
    await page.goto(f"{demo.address}/w/demo/instances")  # where she lands depends on which workspaces there are
    await expect(page.get_by_role("table")).to_be_visible()
    await inspection.of("instances")
    await page.get_by_role("button", name="Actions for Inspected").click()
    await expect(page.get_by_role("menu")).to_be_visible()
    await inspection.of("row-menu")
    await page.goto(f"{demo.address}/w/demo/instances?text=payslip&status=ON_HOLD")
    await expect(page.get_by_text("Search data")).to_be_visible()
    await inspection.of("search")
    await console.button("Columns").click()
    await inspection.of("columns")
    await page.keyboard.press("Escape")
    await console.button("Saved filters").click()
    await page.get_by_role("menuitem", name="Save these filters…").click()
    await inspection.of("save-filters")
    await console.button("Cancel").click()
    for tab, shows in SHOWN.items():
        await console.open("loan-1005", tab)
        await expect(page.get_by_role("tabpanel").get_by_text(shows).first).to_be_visible()
        await inspection.of(tab)
    await console.open(instance)
    await page.get_by_label("Show who changed what").check()
    await expect(page.get_by_role("treeitem").filter(has_text="Olivia Org").first).to_be_visible()
    await inspection.of("variables-tree")
    await page.get_by_label("View", exact=True).select_option("JSON view")
    await expect(console.line('"a"')).to_be_visible()
    await inspection.of("variables-json")
    await page.goto(f"{demo.address}/w/demo/instances/{instance}/variables?edit=1&path=/b")
    await expect(page.get_by_role("tree", name="Variables under edit")).to_be_visible()
    await inspection.of("tree-edit")
    await console.button("Edit value").click()
    await inspection.of("tree-value")
    await console.dialog.get_by_role("button", name="Cancel").click()
    await console.open("loan-1005")
    await console.edit()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text("{")
    await page.keyboard.press("Control+Space")
    await expect(page.get_by_role("listbox", name="Suggest").get_by_role("option").first).to_be_visible()
    await inspection.of("suggestions")
    await page.keyboard.press("Escape")
    await console.button("Cancel").click()
    await console.button("Discard changes").click()
    await console.open(instance)
    await console.edit()
    await console.replace('"a": 2', '"a": ')
    await expect(page.get_by_role("region", name="Errors")).to_be_visible()
    await inspection.of("edit-invalid")
    await page.keyboard.insert_text("3")
    await expect(page.get_by_role("region", name="Errors")).to_be_hidden()
    await console.button("Compare").click()
    await expect(page.locator(".editor.modified")).to_contain_text('"a"')
    await inspection.of("compare")
    review = await console.review()
    await inspection.of("review")
    merge(bank, instance, {"a": 4}, "in between")
    await review.get_by_role("button", name="Apply changes").click()
    await console.button("Compare three ways").click()
    await inspection.of("three-ways")
    await console.dialog.get_by_label("Mine").check()
    await console.button("Continue with this").click()
    await console.save("inspected")
    await inspection.of("saved")
    await page.get_by_role("tab", name="Audit Log").click()
    await page.get_by_role("table").locator("tbody tr").first.click()
    await expect(console.line('"a"')).to_be_visible()
    await inspection.of("audit-entry")
    await page.goto(f"{demo.address}/w/demo/bulk-modifications/new?id={instance}")
    await expect(page.get_by_role("textbox", name="Change as JSON")).to_be_focused()
    await page.keyboard.press("Control+a")
    await page.keyboard.insert_text('{"a": 5}')
    await page.get_by_label("Reason").fill("inspected")
    await inspection.of("bulk-new")
    await console.button("Dry run").click()
    await console.button("Change 1 instance").click()
    await expect(page.get_by_text("1 instance was changed")).to_be_visible()
    await expect(console.line('"a"')).to_be_visible()
    await inspection.of("bulk-job")
    await console.button("Undo").click()
    await expect(console.dialog).to_be_visible()
    await inspection.of("bulk-undo")
    await page.goto(f"{demo.address}/w/demo/bulk-modifications")
    await expect(page.get_by_role("link", name="inspected").first).to_be_visible()
    await inspection.of("bulk-list")
    await page.goto(f"{demo.address}/w/demo/audit-log")
    await expect(page.get_by_role("row").filter(has_text="Update bulk").first).to_be_visible()
    await inspection.of("audit-log-page")
    await page.goto(f"{demo.address}/w/demo/tasks")
    await expect(page.get_by_role("table").locator("tbody tr").first).to_be_visible()
    await inspection.of("tasks-page")
    await page.goto(f"{demo.address}/w/demo/overview")
    await expect(page.get_by_role("img", name="modifications in 14 days")).to_be_visible()
    await page.get_by_text("As a table").click()
    await inspection.of("overview-page")
    await page.goto(f"{demo.address}/projections")
    await expect(page.get_by_role("listitem", name="Search")).to_be_visible()
    await inspection.of("projections")
    await console.button("Rebuild Search").click()
    await expect(console.dialog).to_be_visible()
    await inspection.of("rebuild-dialog")
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(console.dialog.get_by_role("table", name="Keyboard shortcuts")).to_be_visible()
    await inspection.of("shortcuts")
    await page.goto(f"{demo.address}/no/such/page")
    await expect(page.get_by_role("heading", name="Nothing here")).to_be_visible()
    await inspection.of("nothing-here")
    assert inspection.findings == {}


async def fits_a_phone(console: OperatorConsole, name: str) -> None:
    await console.picture(f"phone-{name}")
    widths = await console.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1] == PHONE["viewport"]["width"], (name, widths)


async def test_editing_in_the_tree_on_a_phone(new_console: NewConsole, demo: DemoServer, bank: httpx.Client) -> None:
    """From the row to the review, with nothing to scroll sideways."""
    instance = start_instance(bank, {"customer": {"name": "Ana"}}, title="Edited on a phone")
    console = await (await new_console(demo.address, **PHONE)).sign_in("Walter Workspace")
    page = console.page
    await console.open(instance)
    await page.get_by_role("treeitem").filter(has_text="name").last.tap()
    await console.button("Edit here").tap()
    await console.button("Edit value").tap()
    await fits_a_phone(console, "tree-value")
    await console.dialog.get_by_label("Value").fill("Ioana")
    await console.button("OK").tap()
    await expect(page.get_by_role("treeitem").filter(has_text="Ioana").last).to_be_visible()
    await fits_a_phone(console, "tree-edit")
    await console.save("on the way")


async def test_reading_on_a_phone(new_console: NewConsole, demo: DemoServer) -> None:
    """Nothing has to be scrolled sideways at 390 px, from the list to the audit entry."""
    console = await new_console(demo.address, **PHONE)
    page = console.page

    async def fits(name: str) -> None:
        await fits_a_phone(console, name)

    await console.sign_in("Vera Viewer")
    await expect(page.get_by_role("table")).to_be_visible()
    await fits("instances")
    await console.button("Saved filters").click()
    box = await page.get_by_role("menu", name="Saved filters").bounding_box()
    assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 390, box
    await page.keyboard.press("Escape")
    for path, heading in PAGES.items():
        await page.goto(f"{demo.address}/w/demo/{path}")
        await expect(page.get_by_role("heading", name=heading, exact=True)).to_be_visible()
        await expect(page.get_by_role("table").first.locator("tbody tr").first).to_be_visible()
        await fits(f"{path}-page")
    await page.goto(f"{demo.address}/w/demo/instances?definition=loan-application&size=100")
    await page.get_by_role("link", name="Ingrid Lindqvist").tap()
    await expect(page.get_by_role("tree")).to_be_visible()
    await fits("tree")
    for tab in ("Tasks", "Snapshots", "History", "Audit Log", "Sync"):
        name = tab.lower().replace(" ", "-")
        await page.get_by_role("tab", name=tab).tap()
        await expect(page.get_by_role("tabpanel", name=tab).get_by_text(SHOWN[name]).first).to_be_visible()
        await fits(name)
    await page.get_by_role("tab", name="Audit Log").tap()
    await page.get_by_role("table").locator("tbody tr").first.tap()
    await expect(console.dialog.get_by_text("variables?reason=")).to_be_visible()
    await fits("audit-entry")
