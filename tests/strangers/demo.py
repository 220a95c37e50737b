"""What there is to see in the demo, as a stranger starts it."""

import re
import shlex

from tests import plain_http
from tests.packaging import run
from tests.strangers.started import Started
from tests.waiting import until

_COMMAND = re.compile(r"^  (.*procvars'? (?:history|projections) .*)$", re.MULTILINE)


def assert_demonstrates(demo: Started) -> None:
    """Console, instances, and tokens and commands that were printed and are ready to be used."""
    assert "<title>" in plain_http.get(demo.address).text
    tokens = until("tokens are printed", lambda: re.findall(r"eyJ[\w.-]+", demo.log.read_text()), bool)
    with plain_http.Client(base_url=f"{demo.address}/api/v1", headers={"Authorization": f"Bearer {tokens[0]}"}) as api:
        instances = until(
            "the bank is there",
            lambda: api.get("/workspaces/demo/instances").json()["items"],
            lambda items: len(items) > 5,
        )
        assert api.get(f"/workspaces/demo/instances/{instances[0]['id']}/variables").is_success
    commands = [shlex.split(line) for line in _COMMAND.findall(demo.log.read_text())]
    assert len(commands) == 3
    elsewhere = demo.log.parent
    shown, verified, listed = (run(*command, cwd=elsewhere, environment=demo.environment) for command in commands)
    assert "version" in shown and "snapshot_history" in listed
    assert verified == ""
