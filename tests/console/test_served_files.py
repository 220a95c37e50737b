"""The console's files as the server sends them: small, cached as long as they are good, and locked to this origin."""

from pathlib import Path

import httpx
import pytest
from playwright.async_api import expect

from procvars.api.http.console_files import ConsoleFiles
from procvars.api.http.errors import ConsoleNotBuilt
from tests import plain_http
from tests.console.conftest import NewConsole
from tests.console.demo_server import DemoServer

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'"
)
FIRST_PAGE_BYTES = 60_000
LOCKFILE = Path(__file__).parent.parent.parent / "api" / "console" / "package-lock.json"


@pytest.fixture
def http(demo: DemoServer) -> httpx.Client:
    return plain_http.Client(base_url=demo.address)


@pytest.mark.parametrize(
    "path", ["/", "/projections", "/auth/callback", "/auth/again", "/w/demo/instances/a.b/history"]
)
def test_every_path_of_the_console_is_its_page(http: httpx.Client, path: str) -> None:
    """What a path means is found out in the browser; the page itself is asked for anew each time."""
    answer = http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert '<div id="app">' in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"] == CSP
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert http.head(path).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api", 404),
        ("GET", "/api/v1/workspaces/demo/search", 405),
        ("POST", "/healthz", 405),
        ("POST", "/projections", 405),
        ("GET", "/assets/index-of-another-build.js", 404),
    ],
)
def test_what_is_not_the_consoles_stays_a_problem(http: httpx.Client, method: str, path: str, status: int) -> None:
    """A wrong path of the API is no page, and an asset of another build is no HTML."""
    answer = http.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/openapi.json", "/console-config.json"])
def test_the_roots_own_paths_are_not_the_console(http: httpx.Client, path: str) -> None:
    """They answer in JSON, as before."""
    assert http.get(path).headers["content-type"] == "application/json"


def test_nothing_but_the_build_is_served(http: httpx.Client, demo: DemoServer) -> None:
    """No way out of the folder, and no compressed form under a name of its own."""
    for path in ("/../console_files.py", "/..%2fconsole_files.py", "/%2e%2e/package.json", "/index.html.br"):
        with http.stream("GET", httpx.URL(demo.address).copy_with(raw_path=path.encode())) as answer:
            assert "default-src 'none'" in answer.headers["content-security-policy"]
            assert answer.headers["content-type"] == "text/html; charset=utf-8"


def linked(http: httpx.Client) -> list[str]:
    """Scripts and styles that the page loads by itself."""
    page = http.get("/").text
    return [part.split('"')[0] for part in page.split('"/')[1:]]


def test_assets_are_cached_for_good(http: httpx.Client) -> None:
    """Their names change with what is in them."""
    paths = [path for path in linked(http) if path.startswith("assets/")]
    assert {Path(path).suffix for path in paths} == {".js", ".css"}
    for path in paths:
        answer = http.get(f"/{path}")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br;q=0.5", "br"), ("gzip", "gzip"), ("br;q=0", None)])
def test_assets_come_as_the_client_accepts_them(http: httpx.Client, accepted: str, encoding: str | None) -> None:
    """Compressed when it was built; the same text for everybody."""
    path = next(path for path in linked(http) if path.endswith(".js"))
    answer = http.get(f"/{path}", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    if encoding != "br":  # httpx reads it only with an extra package
        assert answer.text == http.get(f"/{path}", headers={"Accept-Encoding": "identity"}).text


def test_the_first_page_is_light(http: httpx.Client) -> None:
    """Page, scripts and style are small in gzip; every other page, and the editor, come when they are needed."""
    total = 0
    for path in ["", *linked(http)]:
        with http.stream("GET", f"/{path}", headers={"Accept-Encoding": "gzip"}) as answer:
            assert answer.is_success
            total += sum(len(chunk) for chunk in answer.iter_raw())
    assert total < FIRST_PAGE_BYTES
    assert "monaco" not in http.get("/").text


async def test_a_browser_loads_no_more_for_the_list(new_console: NewConsole, demo: DemoServer) -> None:
    """Nothing that the scripts ask for on their own, on the way to the list of instances, is beyond the same bound."""
    console = await (await new_console(demo.address)).sign_in("Olivia Org")
    await expect(console.page.get_by_role("table")).to_be_visible()
    sizes: dict[str, int] = await console.page.evaluate(
        "Object.fromEntries([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
        ".filter(entry => !entry.name.includes('/api/')).map(entry => [entry.name, entry.encodedBodySize]))"
    )
    assert any(name.endswith(".js") for name in sizes)
    assert 10_000 < sum(sizes.values()) < FIRST_PAGE_BYTES, sizes


def test_a_console_that_is_not_built_says_so(tmp_path: Path) -> None:
    """`/` names the command that builds it."""
    with pytest.raises(ConsoleNotBuilt, match="make install"):
        ConsoleFiles.below(tmp_path).named("")


def test_the_lock_file_names_no_registry() -> None:
    """Packages come from whichever registry npm is configured for."""
    text = LOCKFILE.read_text()
    assert '"integrity"' in text
    assert '"resolved"' not in text
