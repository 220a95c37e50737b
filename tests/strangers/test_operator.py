"""A bank's operator: the wheel, a PostgreSQL of their own, roles that are separated and a secret in a file, by the pages of
docs/ as they stand.
"""

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests import plain_http
from tests.api.bank import W, put, start, synced, variables
from tests.conftest import SECRET, token
from tests.docs.operations_page import blocks, postgres, prepare, shell, url
from tests.packaging import run
from tests.separated_roles import separate
from tests.services.free_port import free_port
from tests.waiting import until


def test_a_database_of_ones_own_is_prepared_served_backed_up_and_restored(bare: dict[str, str], tmp_path: Path) -> None:
    """The owner migrates; the server's role may not change events; what was saved before the backup comes back, verified."""
    backup, restore, verify = blocks("Backups", "bash")
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    with postgres() as old, postgres() as new:
        prepare(old)
        owner = {**bare, "PROCVARS_DATABASE_URL": url(old, "procvars")}
        run("procvars", "migrate", cwd=tmp_path, environment=owner)
        separate(url(old, "postgres"))
        settings = {**bare, "PROCVARS_JWT_SECRET_FILE": str(secret)}
        with _serving({**settings, "PROCVARS_DATABASE_URL": url(old, "procvars_app")}, tmp_path) as api:
            assert api.get("/readyz").json()["status"] == "ready"
            assert "procvars_projection_lag_events" in api.get("/metrics").text
            instance = start(api, {"income": 1.10})
            put(api, instance, {"income": 75000}, reason="typing error").raise_for_status()
            synced(api, instance)
            shell(backup, old, tmp_path, url(old, "procvars_app"))
        shell(restore, new, tmp_path, url(new, "procvars_app"))
        shell(verify, new, tmp_path, url(new, "procvars_app"))
        with _serving({**settings, "PROCVARS_DATABASE_URL": url(new, "procvars_app")}, tmp_path) as api:
            assert synced(api, instance)["version"] == 2
            assert variables(api, instance) == {"income": 75000}
            (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
            assert entry["reason"] == "typing error"


@contextmanager
def _serving(environment: Mapping[str, str], folder: Path) -> Iterator[httpx.Client]:
    """`procvars serve`, which ends by itself when it is told to."""
    port = free_port()
    log = folder / f"serve-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["procvars", "serve", "--port", str(port)], cwd=folder, env=environment, stdout=output, stderr=output
        )
    headers = {"Authorization": f"Bearer {token(org=('ORG_ADMIN', 'ENGINE'))}"}
    try:
        with plain_http.Client(base_url=f"http://127.0.0.1:{port}/api/v1", headers=headers, timeout=40) as api:
            until(
                "it answers", lambda: api.get("/healthz").is_success, not_yet=httpx.TransportError, more=log.read_text
            )
            yield api
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
