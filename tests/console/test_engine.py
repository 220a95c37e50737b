"""A stuck claim of a real engine, from the incident to its end, in the browser."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import expect

from tests.console.conftest import NewConsole
from tests.console.demo_server import DemoServer, W
from tests.console.operator_console import OperatorConsole
from tests.services.service import Service


@pytest.fixture(scope="module")
def engine_demo(camunda7: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    running = DemoServer(tmp_path_factory.mktemp("engine-demo"), engine=camunda7.address).start()
    yield running
    running.stop()


@pytest.fixture
async def walter(new_console: NewConsole, engine_demo: DemoServer) -> AsyncIterator[OperatorConsole]:
    yield await (await new_console(engine_demo.address)).sign_in("Walter Workspace")


async def test_a_stuck_claim_is_corrected_tried_again_and_ends(
    walter: OperatorConsole, engine_demo: DemoServer
) -> None:
    """The page says what failed; an edit and one more try, and the engine has finished the process."""
    page = walter.page
    with engine_demo.client() as api:
        query = {"definition": "claim", "status": "STARTED"}
        claims = api.get(f"{W}/instances", params=query).raise_for_status().json()["items"]
    await walter.open(next(claim["id"] for claim in claims if claim["title"].startswith("CLAIM-1")))
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
