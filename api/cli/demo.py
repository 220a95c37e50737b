"""`procvars demo`: the server on the embedded database, with a small bank, three sample users, and an account of the
bank's process engine.
"""

import asyncio
import secrets
import shlex
import shutil
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from procvars.adapters.identity.shared_secret import issue
from procvars.api.demo import claims
from procvars.api.demo.loading import load
from procvars.api.http.console_sign_in import SampleUser
from procvars.api.settings import Settings

WORKSPACE = "demo"
_LIFETIME = timedelta(days=7)
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Account:
    user: str
    name: str
    role: str
    org_roles: tuple[str, ...]
    workspace_roles: tuple[str, ...]


_PEOPLE = (
    _Account("olivia", "Olivia Org", "organisation admin", ("ORG_ADMIN",), ("WORKSPACE_ADMIN",)),
    _Account("walter", "Walter Workspace", "workspace admin", (), ("WORKSPACE_ADMIN",)),
    _Account("vera", "Vera Viewer", "viewer", (), ("VIEWER",)),
)
_ENGINE = _Account("engine", "Process Engine", "engine", (), ("ENGINE",))


@dataclass(frozen=True, slots=True)
class SampleUsers:
    """Accounts of the demo, with tokens signed by the secret of its settings."""

    people: tuple[SampleUser, ...]
    """An organisation admin, a workspace admin and a viewer, in this order."""
    engine: SampleUser


def demo_settings(data_dir: Path, engine_url: str | None) -> Settings:
    """Return settings with everything in one directory, including the secret, created at the first start and useless
    elsewhere.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    secret = data_dir / "demo-secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(48))
    return Settings(
        data_dir=data_dir,
        database_url=None,
        engines=None if engine_url is None else claims.write_settings(data_dir, engine_url, WORKSPACE),
        jwt_secret=SecretStr(secret.read_text()),
        jwks_url=None,
        jwt_issuer=None,
        jwt_audience=None,
        oidc_client_id=None,
        log_format="console",
    )


def sample_users(settings: Settings) -> SampleUsers:
    """Issue the tokens of the demo's accounts."""
    return SampleUsers(tuple(_sample_user(settings, person) for person in _PEOPLE), _sample_user(settings, _ENGINE))


def load_when_ready(users: SampleUsers, host: str, port: int, data_dir: Path, engine_url: str | None) -> None:
    """Wait for the server in a thread, load the bank through the public API, and print what to try."""
    threading.Thread(target=_load, args=(users, f"http://{host}:{port}", data_dir, engine_url), daemon=True).start()


def _load(users: SampleUsers, address: str, data_dir: Path, engine_url: str | None) -> None:
    asyncio.run(_load_through_api(address, users, engine_url))
    print(_what_to_try(address, users, data_dir, engine_url), flush=True)


async def _load_through_api(address: str, users: SampleUsers, engine_url: str | None) -> None:
    async with _client(address, users.engine) as engine, _client(address, users.people[0]) as operator:
        async with asyncio.timeout(_START_SECONDS):
            while not await _answers(engine, address):
                await asyncio.sleep(0.1)
        await load(engine, operator, WORKSPACE)
        if engine_url is not None:
            await claims.start_claims(engine_url, operator, WORKSPACE)


def _client(address: str, user: SampleUser) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {user.token}"}
    return httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=60)


async def _answers(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/healthz")).is_success
    except httpx.TransportError:
        return False


def _sample_user(settings: Settings, account: _Account) -> SampleUser:
    assert settings.jwt_secret is not None
    token = issue(
        settings.jwt_secret.get_secret_value(),
        user=account.user,
        name=account.name,
        org_roles=account.org_roles,
        workspace_roles={WORKSPACE: account.workspace_roles},
        lifetime=_LIFETIME,
    )
    return SampleUser(account.name, account.role, token)


def _what_to_try(address: str, users: SampleUsers, data_dir: Path, engine_url: str | None) -> str:
    accounts = "\n".join(f"  {user.name} ({user.role}):\n    {user.token}" for user in (*users.people, users.engine))
    workspace = f"{address}/api/v1/workspaces/{WORKSPACE}"
    program = str(Path(sys.argv[0]).absolute())
    procvars = "procvars" if shutil.which("procvars") == program else shlex.quote(program)
    on_its_data = f"--data-dir {shlex.quote(str(data_dir.absolute()))}"
    return f"""
procvars is at {address}    workspace: {WORKSPACE}

The console asks which of three people you are. For the API, tokens of the same three and of the process engine, which
alone starts instances and writes their data; they are good for a week:
{accounts}

Try it. A customer typed 50000 instead of 75000:
  TOKEN={users.people[1].token}
  W={workspace}
  curl -i -H "Authorization: Bearer $TOKEN" $W/instances/loan-1001/variables
  curl -X PATCH -H "Authorization: Bearer $TOKEN" -H 'If-Match: "<the version in ETag>"' \\
       -H 'Content-Type: application/merge-patch+json' \\
       -d '{{"application": {{"income": 75000}}}}' "$W/instances/loan-1001/variables?reason=typing+error"
  curl -H "Authorization: Bearer $TOKEN" $W/instances/loan-1001/sync
  curl -H "Authorization: Bearer $TOKEN" "$W/audit-log?instance_id=loan-1001"

The command line works on the same data, while the demo runs:
  {procvars} history show loan-1001 {on_its_data}
  {procvars} history verify --all {on_its_data}
  {procvars} projections list {on_its_data}
{"" if engine_url is None else claims.what_to_try(engine_url)}
Ctrl-C stops all of it.
"""
