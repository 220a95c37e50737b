"""Debian's Chromium, driven by Playwright, on a real `procvars demo`."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from tests.console.demo_server import DemoServer
from tests.console.operator_console import OperatorConsole

# The first is for running as root; the others keep the browser from calling anybody on its own.
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Long enough for a machine that is busy with other tests: nothing waits longer than it has to.
expect.set_options(timeout=30_000)
DESKTOP = {"viewport": {"width": 1280, "height": 800}}

NewConsole = Callable[..., Awaitable[OperatorConsole]]
Operator = Callable[..., Awaitable[OperatorConsole]]


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoServer]:
    running = DemoServer(tmp_path_factory.mktemp("demo")).start()
    yield running
    running.stop()


@pytest.fixture
def bank(demo: DemoServer) -> Iterator[httpx.Client]:
    """The demo's API, as an organisation admin who is the engine too."""
    with demo.client() as client:
        yield client


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "there is no Chromium: tests/console/install-chromium installs it"
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield running
        await running.close()


@pytest.fixture
async def new_console(browser: Browser) -> AsyncIterator[NewConsole]:
    """Opens consoles in browsers of their own, each another person's; none of them may have shown an error."""
    opened: list[OperatorConsole] = []
    own: list[BrowserContext] = []

    async def new(address: str, desk: BrowserContext | None = None, **how: Any) -> OperatorConsole:
        if desk is None:
            desk = await browser.new_context(**{**DESKTOP, **how})
            own.append(desk)
        console = OperatorConsole(await desk.new_page(), address)
        opened.append(console)
        return console

    yield new
    for console in opened:
        await console.page.context.set_offline(False)
        await console.page.close()
    for context in own:
        await context.close()
    assert [console.troubles for console in opened if console.troubles] == []


@pytest.fixture(scope="session")
async def desks(browser: Browser) -> dict[str, BrowserContext]:
    """Everybody's own browser, with what it has cached; being signed in is a matter of each page."""
    return {
        name: await browser.new_context(**DESKTOP)  # type: ignore[arg-type]
        for name in ("Olivia Org", "Walter Workspace", "Vera Viewer")
    }


@pytest.fixture
def operator(new_console: NewConsole, demo: DemoServer, desks: dict[str, BrowserContext]) -> Operator:
    """Somebody signed in to the demo, by name."""

    async def signed_in(name: str = "Walter Workspace") -> OperatorConsole:
        return await (await new_console(demo.address, desks[name])).sign_in(name)

    return signed_in
