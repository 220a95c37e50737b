"""What the console is told before anybody has signed in, and which settings it takes."""

import os

from tests import plain_http
from tests.command_line import run
from tests.conftest import Server


def test_a_server_offers_nobody_a_ready_token(server: Server) -> None:
    """Sample users are the demo's alone; without a provider there is no sign-in."""
    answer = plain_http.get(f"{server.address}/console-config.json")
    assert answer.json() == {"sample_users": None, "oidc": None}
    assert answer.headers["cache-control"] == "no-store"


def test_a_client_needs_the_providers_keys() -> None:
    """A sign-in whose tokens the server cannot verify would lead nowhere: exit code 1, and the setting is named."""
    environment = {**os.environ, "PROCVARS_JWT_SECRET": "x" * 40, "PROCVARS_OIDC_CLIENT_ID": "console"}
    done = run(environment, "serve")
    assert done.returncode == 1
    assert "PROCVARS_OIDC_CLIENT_ID goes with PROCVARS_JWKS_URL" in done.stderr
