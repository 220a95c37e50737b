"""The list of instances: finding, sorting, saved filters, columns, and how often it asks the server."""

import httpx
from playwright.async_api import Request, expect

from tests.console.conftest import NewConsole, Operator
from tests.console.demo_server import DemoServer, W, merge, start_instance
from tests.console.operator_console import OperatorConsole


def address_of(console: OperatorConsole, query: str) -> str:
    return f"{console.address}/w/demo/instances{query}"


async def test_an_instance_is_found_by_id_and_by_title(operator: Operator, bank: httpx.Client) -> None:
    """The whole id, or a part of the title without regard to case and accents; a filter applies as well."""
    instance = start_instance(bank, {"a": 1}, title="Zoë Findable: lost papers")
    console = await operator()
    find = console.page.get_by_label("Id or title")
    rows = console.page.locator("tbody tr")
    for text in (instance, "zoe findable", "LOST PAPERS"):
        await find.fill(text)
        await console.button("Search").click()
        await expect(rows).to_have_count(1)
        await expect(rows).to_contain_text("Zoë Findable")
    await console.button("Status: Any").click()
    await console.page.get_by_role("checkbox", name="Failed").check()
    await expect(console.page.get_by_text("No process instance fits these filters.")).to_be_visible()


async def test_a_page_of_a_search_is_one_call(operator: Operator) -> None:
    """However many rows it has: the hits have all that is shown."""
    console = await operator()
    await expect(console.page.get_by_role("table")).to_be_visible()
    await console.page.wait_for_load_state("networkidle")
    asked: list[str] = []

    def note(request: Request) -> None:
        if "/api/v1/" in request.url:
            asked.append(f"{request.method} {request.url.split('/api/v1')[1]}")

    console.page.on("request", note)
    await console.page.get_by_label("Search text").fill("loan")
    await console.page.get_by_label("Id or title").fill("a")
    async with console.page.expect_response("**/search"):
        await console.button("Search").click()
    await console.page.wait_for_load_state("networkidle")
    assert asked == [f"POST {W}/search"]


async def test_the_list_is_sorted_by_its_headings(operator: Operator) -> None:
    """Up, down, and another column; the order stands in the address, and is that of the whole list."""
    console = await operator()
    page = console.page
    started = page.get_by_role("columnheader", name="Started")
    await expect(started).to_have_attribute("aria-sort", "descending")
    newest = await page.locator("tbody tr").first.inner_text()
    await started.get_by_role("button").click()
    await expect(page).to_have_url(address_of(console, "?sort=started_at"))
    await expect(started).to_have_attribute("aria-sort", "ascending")
    await expect(page.locator("tbody tr").first).not_to_have_text(newest)
    status = page.get_by_role("columnheader", name="Status")
    for sort, first in (("status", "Failed"), ("-status", "Terminated")):
        await status.get_by_role("button").click()
        await expect(page).to_have_url(address_of(console, f"?sort={sort}"))
        await expect(page.locator("tbody tr").first.locator("[data-label=Status]")).to_have_text(first)
    await page.get_by_label("Order").select_option("Newest first")
    await expect(page).to_have_url(address_of(console, ""))


async def test_every_column_is_sorted_by(new_console: NewConsole, demo: DemoServer, bank: httpx.Client) -> None:
    """Each heading sorts the whole list; whoever opens the address gets the same order."""
    changed = start_instance(bank, {"a": 1}, title="zz Sorted last")
    merge(bank, changed, {"a": 2})
    console = await (await new_console(demo.address)).sign_in("Vera Viewer")
    page = console.page
    await console.button("Columns").click()
    await page.get_by_role("group", name="Columns").get_by_label("Version").check()
    await page.keyboard.press("Escape")
    for name, column in {
        "Title": "title", "Definition": "definition", "Status": "status", "Started": "started_at",
        "Updated": "updated_at", "Version": "version",
    }.items():  # fmt: skip
        heading = page.get_by_role("columnheader", name=name)
        await heading.get_by_role("button").click()
        await expect(page).to_have_url(address_of(console, f"?sort={column}"))
        await expect(heading).to_have_attribute("aria-sort", "ascending")
    last = page.locator("tbody tr").first
    for sort in ("-title", "-updated_at"):
        await page.goto(address_of(console, f"?sort={sort}"))
        await expect(last).to_contain_text("zz Sorted last")
    await console.picture("sorted")


async def test_filters_are_saved_under_a_name(new_console: NewConsole, demo: DemoServer) -> None:
    """They are there after the next sign-in at this browser, lead to the same address, and can be removed."""
    console = await (await new_console(demo.address)).sign_in("Vera Viewer")
    page = console.page
    await page.goto(address_of(console, "?status=ON_HOLD&sort=status"))
    await console.button("Saved filters").click()
    await page.get_by_role("menuitem", name="Save these filters…").click()
    await console.dialog.get_by_label("Name").fill("Waiting")
    await console.picture("save-filters")
    await console.button("Save").click()
    await expect(page.get_by_text("Saved as “Waiting”")).to_be_visible()
    await page.goto(address_of(console, ""))
    await console.button("Saved filters").click()
    await page.get_by_role("menuitem", name="Waiting").click()
    await expect(page).to_have_url(address_of(console, "?status=ON_HOLD&sort=status"))
    await console.button("Saved filters").click()
    await page.get_by_role("menuitem", name="Remove “Waiting”").click()
    await console.button("Saved filters").click()
    await expect(page.get_by_role("menuitem", name="Waiting")).to_be_hidden()


async def test_columns_are_chosen_and_remembered(new_console: NewConsole, demo: DemoServer) -> None:
    """What somebody does not need is left out, also after the page is loaded again."""
    console = await (await new_console(demo.address)).sign_in("Vera Viewer")
    page = console.page
    await console.button("Columns").click()
    columns = page.get_by_role("group", name="Columns")
    await columns.get_by_label("Updated").uncheck()
    await columns.get_by_label("Version").check()
    await console.picture("columns")
    await page.reload()
    await expect(page.get_by_role("columnheader", name="Version")).to_be_visible()
    await expect(page.get_by_role("columnheader", name="Updated")).to_be_hidden()


async def test_the_list_refreshes_by_itself_if_asked(operator: Operator, bank: httpx.Client) -> None:
    """An instance that starts meanwhile appears without a click."""
    console = await operator()
    await console.page.get_by_label("Refresh every 10 s").check()
    start_instance(bank, {"a": 1}, title="Came by itself")
    await expect(console.page.get_by_role("row").filter(has_text="Came by itself")).to_be_visible()
    await console.page.get_by_label("Refresh every 10 s").uncheck()
