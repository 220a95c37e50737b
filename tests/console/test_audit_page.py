"""The audit log of the whole workspace."""

import codecs
import csv
import io
import re
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from playwright.async_api import expect

from tests.console.conftest import Operator
from tests.console.demo_server import W, merge, start_instance
from tests.waiting import until


def change_in_bulk(api: httpx.Client, instance: str, reason: str) -> None:
    """Until the job has ended, and its entry is in the log."""
    body = {"select": {"ids": [instance]}, "merge": {"a": 2}, "reason": reason}
    job = api.post(f"{W}/bulk-modifications", json=body)
    assert job.status_code == 202, job.text

    def its_entry() -> bool:
        found = api.get(f"{W}/audit-log", params={"event": "Update bulk"}).raise_for_status().json()["items"]
        return any(job.json()["id"] in entry["subject_identifier"] for entry in found)

    until("the entry of the job", its_entry)


async def test_entries_of_all_instances(operator: Operator, bank: httpx.Client) -> None:
    """Filters stand in the address, so that a view can be sent to a colleague; instances are links."""
    first, second = (start_instance(bank, {"a": 1}, title=title) for title in ("First audited", "Second audited"))
    for instance in (first, second):
        merge(bank, instance, {"a": 2}, "looked at by an auditor")
    console = await operator()
    page = console.page
    await page.get_by_role("link", name="Audit log", exact=True).click()
    for instance in (first, second):
        await expect(page.get_by_role("row").filter(has_text=instance)).to_be_visible()
    await page.get_by_label("User").fill("Olivia Org")
    await page.get_by_label("Event").fill("Update")
    await console.button("Filter").click()
    await expect(page).to_have_url(f"{console.address}/w/demo/audit-log?user=olivia&event=Update")
    await console.picture("audit-page")
    shared = await operator("Olivia Org")
    await shared.page.goto(page.url)
    assert parse_qs(urlsplit(shared.page.url).query) == {"user": ["olivia"], "event": ["Update"]}
    await shared.page.get_by_role("row").filter(has_text=first).click()
    await expect(shared.dialog.get_by_text("looked at by an auditor")).to_be_visible()
    await shared.button("Close").click()
    await shared.page.get_by_role("link", name=first).click()
    await expect(shared.page.get_by_role("heading", name="First audited")).to_be_visible()


async def test_the_entry_of_a_bulk_modification_leads_to_it(operator: Operator, bank: httpx.Client) -> None:
    """Not to an instance of that name, which there is none."""
    instance = start_instance(bank, {"a": 1}, title="Changed in bulk")
    change_in_bulk(bank, instance, "audited in bulk")
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/audit-log?event=Update+bulk")
    await console.page.get_by_role("link", name="bulk-modification:").first.click()
    await expect(console.page.get_by_text("audited in bulk").first).to_be_visible()
    await expect(console.page).to_have_url(re.compile("/bulk-modifications/"))


async def test_a_filter_that_nothing_fits(operator: Operator) -> None:
    """It says so, and is cleared by one click."""
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/audit-log?user=nobody")
    await expect(console.page.get_by_text("No entry fits these filters.")).to_be_visible()
    await console.button("Clear filters").click()
    await expect(console.page).to_have_url(f"{console.address}/w/demo/audit-log")


async def test_the_filtered_log_as_a_file(operator: Operator, bank: httpx.Client, tmp_path: Path) -> None:
    """Export CSV saves the entries that fit the filters, with what spreadsheet programs need to read them."""
    instance = start_instance(bank, {"a": 1}, title="Exported")
    merge(bank, instance, {"a": 2}, "für die Prüfung")
    console = await operator()
    await console.page.goto(f"{console.address}/w/demo/audit-log?user=olivia&event=Update")
    await expect(console.page.get_by_role("row").filter(has_text=instance)).to_be_visible()
    async with console.page.expect_download() as downloading:
        await console.button("Export CSV").click()
    download = await downloading.value
    assert download.suggested_filename == "audit-log-demo.csv"
    await download.save_as(tmp_path / "log.csv")
    text = (tmp_path / "log.csv").read_bytes()
    assert text.startswith(codecs.BOM_UTF8)
    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"), newline="")))
    assert {row["user"] for row in rows} == {"olivia"}
    assert ("für die Prüfung", instance) in [(row["reason"], row["subject_identifier"]) for row in rows]
    await expect(console.page.get_by_text(f"Exported {len(rows)} entr")).to_be_visible()
