"""A bulk modification that is cancelled in the console while it runs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.console.conftest import NewConsole
from tests.console.demo_server import DemoServer, W
from tests.waiting import until

JOBS = f"{W}/bulk-modifications"
MANY = [f"many-{number}" for number in range(5000)]


@pytest.fixture
def own_demo(tmp_path: Path) -> Iterator[DemoServer]:
    """A server of its own: the lists of other tests stay short."""
    running = DemoServer(tmp_path).start()
    yield running
    running.stop()


def import_many(api: httpx.Client) -> None:
    started = {
        "type": "InstanceStarted",
        "time": "2026-01-01T09:00:00Z",
        "actor": {"user": "engine"},
        "payload": {"definition": "loan-pricing", "variables": {"pricing": {"interestRate": 4.5}}},
    }
    lines = "\n".join(json.dumps({"id": one, "events": [started]}) for one in MANY)
    answer = api.post(f"{W}/imports", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert answer.json()["imported"] == len(MANY), answer.text


def ordered(api: httpx.Client, instances: list[str], **how: Any) -> dict[str, Any]:
    """A job that ended."""
    asked = {"select": {"ids": instances}, "merge": {"pricing": {"interestRate": 3.5}}, "reason": "Regulation 2026/17"}
    job = api.post(JOBS, json={**asked, **how}).raise_for_status().json()
    return until(
        "the job ends",
        lambda: dict(api.get(f"{JOBS}/{job['id']}").raise_for_status().json()),
        lambda seen: seen["state"] != "running",
        seconds=120,
    )


def changed_by(api: httpx.Client, job_id: str) -> int:
    """The number of instances that a job changed, by the event store."""
    found: int = 0
    after: int = 0
    while True:
        query: dict[str, str | int] = {"after": after, "limit": 500, "types": "ProcessVariablesModified"}
        page = api.get(f"{W}/events", params=query).raise_for_status().json()
        found += sum(event["payload"].get("bulk_id") == job_id for event in page["items"])
        if page["next"] == after:
            return found
        after = int(page["next"])


async def test_a_run_is_cancelled_in_the_middle(new_console: NewConsole, own_demo: DemoServer) -> None:
    """What had been changed stays changed and nothing more is; the page says so, and offers to undo it."""
    with own_demo.client() as api:
        import_many(api)
        dry_run = ordered(api, MANY, dry_run=True)
        console = await (await new_console(own_demo.address)).sign_in("Walter Workspace")
        page = console.page
        await page.goto(f"{own_demo.address}/w/demo/bulk-modifications/{dry_run['id']}")
        await console.button(f"Change {len(MANY)} instances").click()
        await expect(page.get_by_text(re.compile(rf"^[1-9]\d* of {len(MANY)} instances"))).to_be_visible()
        await expect(console.button("Cancel")).to_be_visible()
        await console.picture("bulk-running")
        await console.button("Cancel").click()
        await expect(page.get_by_text("It was cancelled: what had been changed stays changed.")).to_be_visible()
        await expect(console.button("Undo")).to_be_visible()
        await console.picture("bulk-cancelled")
        run = page.url.rpartition("/")[2]
        job = api.get(f"{JOBS}/{run}").raise_for_status().json()
        assert (job["state"], job["cancelled_by"]) == ("cancelled", "walter")
        assert 0 < job["changed"] < len(MANY)
        # Whatever would still be under way for it is done before a later job is.
        assert ordered(api, MANY[-1:], dry_run=True)["state"] == "done"
        assert changed_by(api, run) == job["changed"]
