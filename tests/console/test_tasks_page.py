"""The tasks of the whole workspace."""

from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.async_api import expect

from tests.console.conftest import Operator
from tests.console.demo_server import merge, open_task, start_instance, synced


async def test_a_task_is_found_by_a_keyword_that_was_corrected(operator: Operator, bank: httpx.Client) -> None:
    """Filters stand in the address, so that a view can be sent to a colleague; the instance is a link."""
    variables = {"customer": {"name": "Tasha Taskova", "accountNumber": "TASK-1"}}
    instance = start_instance(bank, variables, title="Has a task")
    open_task(bank, instance, "Call Tasha")
    merge(bank, instance, {"customer": {"accountNumber": "TASK-22"}}, "a digit was missing")
    synced(bank, instance)
    console = await operator()
    page = console.page
    await page.get_by_role("link", name="Tasks", exact=True).click()
    await expect(page.get_by_role("row").filter(has_text="Call Tasha")).to_be_visible()
    await console.picture("tasks-page")
    await page.get_by_label("Keyword value").fill("task-2*")
    await console.button("Filter").click()
    await expect(page.get_by_role("row")).to_have_count(2)
    await page.get_by_label("Status").select_option("Open")
    assert parse_qs(urlsplit(page.url).query) == {"keyword": ["task-2*"], "status": ["OPEN"]}
    shared = await operator("Olivia Org")
    await shared.page.goto(page.url)
    await expect(shared.page.get_by_role("row")).to_have_count(2)
    await expect(shared.page.get_by_label("Keyword value")).to_have_value("task-2*")
    await shared.page.get_by_role("link", name=instance).click()
    await expect(shared.page.get_by_role("tabpanel", name="Tasks").get_by_text("Call Tasha")).to_be_visible()


async def test_a_filter_that_no_task_fits(operator: Operator) -> None:
    """It says so, and is cleared by one click."""
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/tasks?keyword=nobody&status=CLOSED")
    await expect(console.page.get_by_text("No task fits these filters.")).to_be_visible()
    await console.button("Clear filters").click()
    await expect(console.page).to_have_url(f"{console.address}/w/demo/tasks")
