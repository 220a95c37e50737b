"""A stuck claim of a real engine, from the incident to its end, in the browser."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import expect

from tests import plain_http
from tests.console.conftest import NewConsole
from tests.console.demo_server import DemoServer, W
from tests.console.operator_console import OperatorConsole
from tests.services.camunda7_engine import PASSWORD, USER
from tests.services.service import Service
from tests.waiting import until


@pytest.fixture(scope="module")
def engine_demo(camunda7: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    running = DemoServer(tmp_path_factory.mktemp("engine-demo"), engine=camunda7.address).start()
    yield running
    running.stop()


@pytest.fixture
async def walter(new_console: NewConsole, engine_demo: DemoServer) -> AsyncIterator[OperatorConsole]:
    yield await (await new_console(engine_demo.address)).sign_in("Walter Workspace")


def claim(demo: DemoServer, title: str) -> str:
    with demo.client() as api:
        query = {"definition": "claim", "status": "STARTED"}
        claims = api.get(f"{W}/instances", params=query).raise_for_status().json()["items"]
    return str(next(found["id"] for found in claims if found["title"].startswith(title)))


def edited_by_both(demo: DemoServer, engine: Service, instance: str, kind: str, *, mine: int, engines: int) -> None:
    """An edit of the amount that has not yet arrived in the engine when the engine writes another."""
    with demo.client() as api:
        api.post("/projections/engine_delivery/pause").raise_for_status()
        try:
            version = api.get(f"{W}/instances/{instance}/sync").json()["version"]
            headers = {"If-Match": f'"{version}"', "Content-Type": "application/merge-patch+json"}
            url = f"{W}/instances/{instance}/variables"
            api.patch(url, json={"amount": mine}, headers=headers).raise_for_status()
            changed = {"modifications": {"amount": {"type": kind, "value": engines}}}
            written = plain_http.post(
                f"{engine.address}/process-instance/{instance}/variables", json=changed, auth=(USER, PASSWORD)
            )
            written.raise_for_status()
        finally:
            api.post("/projections/engine_delivery/resume").raise_for_status()


@pytest.mark.parametrize(
    ("title", "kind", "button", "left"),
    [
        ("CLAIM-2", "Long", "Take the engine's values", 500),
        ("CLAIM-4", "Integer", "Apply mine again", 400),
    ],
)
async def test_a_conflict_with_the_engine_is_decided(
    walter: OperatorConsole,
    engine_demo: DemoServer,
    camunda7: Service,
    title: str,
    kind: str,
    button: str,
    left: int,
) -> None:
    """The page names the variable that both have changed, and the operator says whose value it keeps."""
    instance = claim(engine_demo, title)
    await asyncio.to_thread(edited_by_both, engine_demo, camunda7, instance, kind, mine=400, engines=500)
    await walter.open(instance)
    engine = walter.page.get_by_role("region", name="Process engine")
    await expect(engine.get_by_role("status").get_by_text("amount")).to_be_visible()
    await walter.picture("engine-conflict")
    await engine.get_by_role("button", name=button).click()
    await expect(engine.get_by_role("button", name=button)).to_have_count(0)
    await walter.tree_shows("amount", str(left))
    url = f"{camunda7.address}/process-instance/{instance}/variables/amount"

    def kept() -> object:
        return plain_http.get(url, auth=(USER, PASSWORD)).json()["value"]

    await asyncio.to_thread(until, "the engine has it", kept, lambda value: value == left)


async def test_a_stuck_claim_is_corrected_tried_again_and_ends(
    walter: OperatorConsole, engine_demo: DemoServer
) -> None:
    """The page says what failed; an edit and one more try, and the engine has finished the process."""
    page = walter.page
    await walter.open(claim(engine_demo, "CLAIM-1"))
    incident = page.get_by_role("region", name="Incident at calculate-payout")
    await expect(incident).to_contain_text("rate")
    await walter.picture("engine-incident")
    await walter.edit()
    await walter.replace('"amount": 1250', '"amount": 1250, "rate": 0.8')
    await walter.save("the rate was missing")
    engine = page.get_by_role("region", name="Saved").get_by_text("has the change")
    await expect(engine).to_be_visible()
    await incident.get_by_role("button", name="Try again").click()
    await expect(page.get_by_text("Finished", exact=True)).to_be_visible()
    await expect(incident).to_have_count(0)
    await walter.tree_shows("payout", "1000.0")
    await page.get_by_role("tab", name="Audit Log").click()
    await expect(page.get_by_role("row").filter(has_text="Retry")).to_be_visible()
    await page.get_by_role("row").filter(has_text="Update").get_by_role("button").click()
    await expect(walter.dialog).to_contain_text("Delivered")
    await walter.picture("engine-audit")
