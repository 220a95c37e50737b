"""A bank's operator: the wheel, a PostgreSQL of their own, roles that are separated and a secret in a file, by the pages of
docs/ as they stand.
"""

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
from tests.strangers.started import running


def test_a_database_of_ones_own_is_prepared_served_backed_up_and_restored(
    bare: dict[str, str], installed: Path, tmp_path: Path
) -> None:
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
            shell(backup, old, tmp_path, url(old, "procvars_app"), installed)
        shell(restore, new, tmp_path, url(new, "procvars_app"), installed)
        shell(verify, new, tmp_path, url(new, "procvars_app"), installed)
        with _serving({**settings, "PROCVARS_DATABASE_URL": url(new, "procvars_app")}, tmp_path) as api:
            assert synced(api, instance)["version"] == 2
            assert variables(api, instance) == {"income": 75000}
            (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
            assert entry["reason"] == "typing error"


@contextmanager
def _serving(environment: Mapping[str, str], folder: Path) -> Iterator[httpx.Client]:
    """`procvars serve`, which ends by itself when it is told to."""
    port = free_port()
    command = ["procvars", "serve", "--port", str(port)]
    headers = {"Authorization": f"Bearer {token(org=('ORG_ADMIN', 'ENGINE'))}"}
    with running(command, port, folder, folder / f"serve-{port}.log", environment) as server:
        with plain_http.Client(base_url=f"{server.address}/api/v1", headers=headers, timeout=40) as api:
            yield api
        server.process.terminate()
        assert server.process.wait(30) == 0
