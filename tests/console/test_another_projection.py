"""What a further projection costs: its own file and a line in the registry. A throw-away one, `sixth_projection/`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.conftest import NewConsole
from tests.console.demo_server import DemoServer

FOLDER = Path(__file__).parent / "sixth_projection"
ROOT = Path(__file__).parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{FOLDER}{os.pathsep}{ROOT}"}
NAME = "edit_counts"


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    """A demo of a release that has the projection."""
    running = DemoServer(tmp_path_factory.mktemp("extended"), environment=ENVIRONMENT).start()
    yield running
    running.stop()


def test_it_is_listed_synchronised_rebuilt_and_checked(extended: DemoServer) -> None:
    """By the calls that every projection has, and nothing was written for it there."""
    with extended.client() as api:
        listed = {item["name"]: item["title"] for item in api.get("/projections").json()["items"]}
        assert listed[NAME] == "Edit counts"
        waited = api.get("/workspaces/demo/instances/loan-1001/sync", params={"wait": 30}).json()
        assert waited["projections"][NAME]["current"] is True
        api.post(f"/projections/{NAME}/rebuild").raise_for_status()
        differing = api.post(f"/projections/{NAME}/check")
        while differing.status_code == 409:  # the rebuild still runs
            differing = api.post(f"/projections/{NAME}/check")
        assert differing.json() == {"equal": True, "differing": []}


async def test_the_console_shows_it(extended: DemoServer, new_console: NewConsole) -> None:
    """By its title, as it does the others."""
    olivia = await (await new_console(extended.address)).sign_in("Olivia Org")
    await olivia.page.get_by_role("link", name="Projections").click()
    await expect(olivia.page.get_by_role("listitem", name="Edit counts")).to_contain_text("Running")


def test_a_worker_that_was_forgotten_is_noticed() -> None:
    """The check of docker-compose.yml fails until the projection has its worker there."""
    check = "tests/test_containers.py::test_each_projection_has_its_worker"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", check]
    done = subprocess.run(command, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True)
    assert done.returncode == 1
    assert f"['worker', '{NAME}']" in done.stdout
