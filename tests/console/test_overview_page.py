"""The overview of a workspace: what an operator looks at first."""

import httpx
from playwright.async_api import expect

from tests.console.conftest import Operator
from tests.console.demo_server import merge, start_instance


def act(api: httpx.Client, action: str) -> None:
    api.post(f"/projections/task_keywords/{action}").raise_for_status()


async def test_it_leads_to_what_it_counts(operator: Operator, bank: httpx.Client) -> None:
    """A status leads to its instances, a person to their entries of the audit log; the chart is a table too."""
    instance = start_instance(bank, {"a": 1}, title="Counted")
    merge(bank, instance, {"a": 2}, "for the overview")
    console = await operator("Olivia Org")
    page = console.page
    await page.get_by_role("link", name="Overview", exact=True).click()
    await expect(page.get_by_role("img", name="modifications in 14 days")).to_be_visible()
    for name in ("Current variables", "Audit log", "Search"):
        row = page.get_by_role("table", name="Read models").get_by_role("row").filter(has_text=name)
        await expect(row).to_contain_text("Running")
    await console.picture("overview")
    await page.get_by_text("As a table").click()
    days = page.get_by_role("table", name="Modifications by day").locator("tbody tr")
    await expect(days).to_have_count(14)
    assert int(await days.last.locator("td").last.inner_text()) > 0
    await page.get_by_role("table", name="Who modified what").get_by_role("link", name="Olivia Org").first.click()
    await expect(page.get_by_role("row").filter(has_text=instance)).to_be_visible()
    await page.go_back()
    await page.get_by_role("table", name="Instances by status").get_by_role("link", name="Failed").click()
    await expect(page).to_have_url(f"{console.address}/w/demo/instances?status=FAILED")


async def test_a_viewer_has_it_too(operator: Operator) -> None:
    """Without the way to the projections, which the viewer may not run."""
    console = await operator("Vera Viewer")
    await console.page.goto(f"{console.address}/w/demo/overview")
    await expect(console.page.get_by_role("heading", name="Read models")).to_be_visible()
    await expect(console.page.get_by_role("link", name="All projections")).to_be_hidden()


async def test_a_read_model_that_stands_still_is_seen(operator: Operator, bank: httpx.Client) -> None:
    """Its state says so."""
    console = await operator()
    act(bank, "pause")
    try:
        await console.page.goto(f"{console.address}/w/demo/overview")
        row = console.page.get_by_role("table", name="Read models").get_by_role("row").filter(has_text="Task")
        await expect(row).to_contain_text("Paused")
    finally:
        act(bank, "resume")
