"""Signing in: the sample users of the demo, and a real OpenID provider with the authorization code flow and PKCE."""

import json
from collections.abc import Iterator

import pytest
from playwright.async_api import expect

from tests import plain_http
from tests.api.bank import start
from tests.conftest import Server
from tests.console.conftest import NewConsole, Operator
from tests.console.demo_server import DemoServer
from tests.console.openid_provider import AUDIENCE, CLIENT_ID, OpenIdProvider
from tests.console.operator_console import OperatorConsole


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    running = OpenIdProvider()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def bank_server(provider: OpenIdProvider, demo: DemoServer) -> Iterator[Server]:
    """A second server on the demo's database, which has a workspace of its own."""
    settings = {
        "PROCVARS_JWT_SECRET": None,
        "PROCVARS_JWKS_URL": f"{provider.issuer}/jwks",
        "PROCVARS_JWT_ISSUER": provider.issuer,
        "PROCVARS_JWT_AUDIENCE": AUDIENCE,
        "PROCVARS_OIDC_CLIENT_ID": CLIENT_ID,
        "PROCVARS_OIDC_SCOPE": "openid profile procvars",
    }
    running = Server(demo.data_dir, environment=settings).start()
    yield running
    running.stop()


@pytest.fixture
async def grace(provider: OpenIdProvider, bank_server: Server, new_console: NewConsole) -> OperatorConsole:
    """Somebody with a browser of her own, not signed in yet."""
    provider.lifetime, provider.refreshes, provider.refresh_accepted = 3_600, 0, True
    return await new_console(bank_server.address)


async def sign_in(console: OperatorConsole) -> str:
    """Through the provider's own page; returns the access token."""
    await console.button("Sign in").click()
    await console.button("grace").click()
    await expect(console.button("Account: Grace")).to_be_visible()
    return str(json.loads(await console.page.evaluate("sessionStorage['procvars.tokens']"))["access"])


@pytest.mark.parametrize(
    ("name", "edits", "projections"),
    [("Olivia Org", True, True), ("Walter Workspace", True, False), ("Vera Viewer", False, False)],
)
async def test_sample_users(operator: Operator, name: str, edits: bool, projections: bool) -> None:
    """Each of the three signs in with one click, and sees what their roles allow."""
    console = await operator(name)
    await console.open("loan-1005")
    await expect(console.page.get_by_role("tree")).to_be_visible()
    await expect(console.button("Modify variables")).to_be_visible(visible=edits)
    await expect(console.page.get_by_role("link", name="Projections")).to_be_visible(visible=projections)
    await console.button(f"Account: {name}").click()
    await console.page.get_by_role("menuitem", name="Sign out").click()
    await expect(console.page.get_by_role("region", name="Sample users")).to_be_visible()


def test_the_demo_prints_the_tokens_of_three_people_and_the_engine(demo: DemoServer) -> None:
    """All four are ready for the API; only the engine executes, and the console does not offer it."""
    tokens = [line.strip() for line in demo.printed if line.startswith("    ey")]
    headers = [{"Authorization": f"Bearer {token}"} for token in tokens]
    found = [
        plain_http.get(f"{demo.address}/api/v1/me", headers=header).raise_for_status().json() for header in headers
    ]
    executing = "wks_process_instance_execute"
    assert [(who["user"], executing in who["workspaces"]["demo"]["permissions"]) for who in found] == [
        ("olivia", False),
        ("walter", False),
        ("vera", False),
        ("engine", True),
    ]
    offered = plain_http.get(f"{demo.address}/console-config.json").json()["sample_users"]
    assert [user["token"] for user in offered] == tokens[:3]


async def test_a_provider_signs_people_in(grace: OperatorConsole, provider: OpenIdProvider) -> None:
    """Code flow with PKCE: back on the page that was asked for, with no code in the address, and out again."""
    wanted = f"{grace.address}/w/bank/instances?status=STARTED"
    await grace.page.goto(wanted)
    await sign_in(grace)
    await expect(grace.page).to_have_url(wanted)
    await expect(grace.page.get_by_text("Sample data")).to_be_hidden()
    await grace.picture("openid")
    await grace.button("Account: Grace").click()
    await grace.page.get_by_role("menuitem", name="Sign out").click()
    await grace.page.get_by_role("heading", name="Signed out").wait_for()
    await grace.page.get_by_role("link", name="Back").click()
    await expect(grace.button("Sign in")).to_be_visible()


async def test_a_refusal_by_the_provider_is_shown(grace: OperatorConsole) -> None:
    """The provider's own words, and a way to try again."""
    await grace.page.goto(grace.address)
    await grace.button("Sign in").click()
    await grace.button("denied").click()
    await expect(grace.page.get_by_text("The bank says no.")).to_be_visible()
    await grace.button("Try again").click()
    await expect(grace.button("Sign in")).to_be_visible()


async def test_a_foreign_code_is_not_taken(grace: OperatorConsole) -> None:
    """A link with somebody else's code signs nobody in (RFC 6749, section 10.12)."""
    foreign = f"{grace.address}/auth/callback?code=stolen&state=guessed"
    await grace.page.goto(foreign)
    await expect(grace.page.get_by_text("This sign-in was not started here.")).to_be_visible()
    await grace.page.goto(grace.address)
    await grace.button("Sign in").click()
    await expect(grace.button("grace")).to_be_visible()
    await grace.page.goto(foreign)
    await expect(grace.page.get_by_text("This sign-in was not started here.")).to_be_visible()


async def test_an_old_token_is_renewed_unseen(grace: OperatorConsole, provider: OpenIdProvider) -> None:
    """A token about to end is exchanged by the refresh token before it is used."""
    provider.lifetime = 5
    await grace.page.goto(grace.address)
    await sign_in(grace)
    provider.lifetime = 3_600
    async with grace.page.expect_response("**/instances?*") as answering:
        await grace.button("Refresh").click()
    assert (await answering.value).ok
    assert provider.refreshes >= 1


async def test_calls_at_the_same_time_renew_once(grace: OperatorConsole, provider: OpenIdProvider) -> None:
    """A page asks for several things at once; a provider may accept a refresh token only once."""
    provider.lifetime = 5
    await grace.page.goto(grace.address)
    await sign_in(grace)
    await grace.page.get_by_role("link", name="Bulk modifications").click()
    await expect(grace.page.get_by_text("Nobody has changed many instances")).to_be_visible()
    provider.lifetime, before = 3_600, provider.refreshes
    await grace.page.get_by_role("link", name="Process instances").click()
    await expect(grace.page.get_by_text("There are no process instances")).to_be_visible()
    assert provider.refreshes == before + 1


async def test_an_ended_sign_in_loses_no_text(grace: OperatorConsole, provider: OpenIdProvider) -> None:
    """In the middle of an edit the sign-in ends: another window signs in again, and the review goes on."""
    await grace.page.goto(grace.address)
    token = await sign_in(grace)
    headers = {"Authorization": f"Bearer {token}"}
    with plain_http.Client(base_url=f"{grace.address}/api/v1", headers=headers, timeout=40) as api:
        instance = start(api, {"a": "before"})
    await grace.page.goto(f"{grace.address}/w/bank/instances/{instance}")
    await grace.edit()
    await grace.replace("before", "after")
    provider.refresh_accepted = False
    await grace.page.route(
        "**/api/v1/**",
        lambda route, request: route.continue_(
            headers={**request.headers, "authorization": request.headers["authorization"].replace(token, f"{token}x")}
        ),
    )
    await grace.button("Save").click()
    ended = grace.page.get_by_role("dialog", name="Your sign-in has ended")
    async with grace.page.expect_popup() as opening:
        await ended.get_by_role("button", name="Sign in").click()
    popup = await opening.value
    await popup.get_by_role("button", name="grace").click()
    review = grace.page.get_by_role("dialog", name="Review before saving")
    await expect(review).to_contain_text("after")
    await review.get_by_role("button", name="Apply changes").click()
    await grace.is_saved()


async def test_a_provider_that_is_away(new_console: NewConsole, provider: OpenIdProvider, demo: DemoServer) -> None:
    """The console says what is wrong, and the server goes on answering."""
    settings = {
        "PROCVARS_JWT_SECRET": None,
        "PROCVARS_JWKS_URL": f"{provider.issuer}/jwks",
        "PROCVARS_JWT_ISSUER": "http://127.0.0.1:9/realms/away",
        "PROCVARS_JWT_AUDIENCE": AUDIENCE,
        "PROCVARS_OIDC_CLIENT_ID": CLIENT_ID,
    }
    server = Server(demo.data_dir, environment=settings).start()
    try:
        console = await new_console(server.address)
        await console.page.goto(server.address)
        await expect(console.page.get_by_role("alert")).to_contain_text("settings cannot be read")
        async with plain_http.AsyncClient(base_url=server.address) as http:
            answer = await http.get("/console-config.json")
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:procvars:provider-unavailable")
            assert (await http.get("/healthz")).is_success
    finally:
        server.stop()
