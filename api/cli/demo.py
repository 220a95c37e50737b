"""`procvars demo`: the server on the embedded database, with a small bank in it and three people who may sign in."""

import asyncio
import secrets
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from adapters.identity.shared_secret import issue
from api.console_sign_in import SampleUser
from api.demo.loading import load
from api.settings import Settings

WORKSPACE = "demo"
_LIFETIME = timedelta(days=7)
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class _Person:
    user: str
    name: str
    role: str
    org_roles: tuple[str, ...]
    workspace_roles: tuple[str, ...]


_PEOPLE = (
    _Person("olivia", "Olivia Org", "organisation admin", ("ORG_ADMIN",), ("WORKSPACE_ADMIN",)),
    _Person("walter", "Walter Workspace", "workspace admin", (), ("WORKSPACE_ADMIN",)),
    _Person("vera", "Vera Viewer", "viewer", (), ("VIEWER",)),
)


def demo_settings(data_dir: Path) -> Settings:
    """Everything in one directory, the secret too: it is made at the first start and worth nothing elsewhere."""
    data_dir.mkdir(parents=True, exist_ok=True)
    secret = data_dir / "demo-secret"
    if not secret.exists():
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(48))
    return Settings(
        data_dir=data_dir,
        database_url=None,
        jwt_secret=SecretStr(secret.read_text()),
        jwks_url=None,
        jwt_issuer=None,
        jwt_audience=None,
        oidc_client_id=None,
        log_format="console",
    )


def sample_users(settings: Settings) -> tuple[SampleUser, ...]:
    """An organisation admin, a workspace admin and a viewer, in this order, with tokens by the secret of the settings."""
    return tuple(SampleUser(person.name, person.role, _token(settings, person)) for person in _PEOPLE)


def load_when_ready(users: Sequence[SampleUser], host: str, port: int) -> None:
    """In a thread of its own: waits for the server, loads the bank through the public API, says what to try."""
    threading.Thread(target=_load, args=(users, f"http://{host}:{port}"), daemon=True).start()


def _load(users: Sequence[SampleUser], address: str) -> None:
    asyncio.run(_load_through_api(address, users[0].token))
    print(_what_to_try(address, users), flush=True)


async def _load_through_api(address: str, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=60) as client:
        async with asyncio.timeout(_START_SECONDS):
            while not await _answers(client, address):
                await asyncio.sleep(0.1)
        await load(client, WORKSPACE)


async def _answers(client: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await client.get(f"{address}/healthz")).is_success
    except httpx.TransportError:
        return False


def _token(settings: Settings, user: _Person) -> str:
    assert settings.jwt_secret is not None
    return issue(
        settings.jwt_secret.get_secret_value(),
        user=user.user,
        name=user.name,
        org_roles=user.org_roles,
        workspace_roles={WORKSPACE: user.workspace_roles},
        lifetime=_LIFETIME,
    )


def _what_to_try(address: str, users: Sequence[SampleUser]) -> str:
    people = "\n".join(f"  {user.name} ({user.role}):\n    {user.token}" for user in users)
    workspace = f"{address}/api/v1/workspaces/{WORKSPACE}"
    return f"""
procvars is at {address}    workspace: {WORKSPACE}

The console asks who you are. For the API, tokens of the same three people, good for a week:
{people}

Try it. A customer typed 50000 instead of 75000:
  TOKEN={users[1].token}
  W={workspace}
  curl -i -H "Authorization: Bearer $TOKEN" $W/instances/loan-1001/variables
  curl -X PATCH -H "Authorization: Bearer $TOKEN" -H 'If-Match: "<the version in ETag>"' \\
       -H 'Content-Type: application/merge-patch+json' \\
       -d '{{"application": {{"income": 75000}}}}' "$W/instances/loan-1001/variables?reason=typing+error"
  curl -H "Authorization: Bearer $TOKEN" $W/instances/loan-1001/sync
  curl -H "Authorization: Bearer $TOKEN" "$W/audit-log?instance_id=loan-1001"

Ctrl-C stops all of it.
"""
