"""`procvars demo`: the server on the embedded database, with a small bank in it and three people who may sign in."""

import asyncio
import secrets
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
from pydantic import SecretStr

from adapters.identity.shared_secret import issue
from api.demo.loading import load
from api.settings import Settings

WORKSPACE = "demo"
_LIFETIME = timedelta(days=7)
_START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class SampleUser:
    user: str
    name: str
    role: str
    org_roles: tuple[str, ...]
    workspace_roles: tuple[str, ...]


SAMPLE_USERS = (
    SampleUser("olivia", "Olivia Org", "organisation admin", ("ORG_ADMIN",), ("WORKSPACE_ADMIN",)),
    SampleUser("walter", "Walter Workspace", "workspace admin", (), ("WORKSPACE_ADMIN",)),
    SampleUser("vera", "Vera Viewer", "viewer", (), ("VIEWER",)),
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
        log_format="console",
    )


def load_when_ready(settings: Settings, host: str, port: int) -> None:
    """In a thread of its own: waits for the server, loads the bank through the public API, says what to try."""
    threading.Thread(target=_load, args=(settings, f"http://{host}:{port}"), daemon=True).start()


def _load(settings: Settings, address: str) -> None:
    tokens = {user.user: _token(settings, user) for user in SAMPLE_USERS}
    asyncio.run(_load_through_api(address, tokens[SAMPLE_USERS[0].user]))
    print(_what_to_try(address, tokens), flush=True)


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


def _token(settings: Settings, user: SampleUser) -> str:
    assert settings.jwt_secret is not None
    return issue(
        settings.jwt_secret.get_secret_value(),
        user=user.user,
        name=user.name,
        org_roles=user.org_roles,
        workspace_roles={WORKSPACE: user.workspace_roles},
        lifetime=_LIFETIME,
    )


def _what_to_try(address: str, tokens: dict[str, str]) -> str:
    people = "\n".join(f"  {user.name} ({user.role}):\n    {tokens[user.user]}" for user in SAMPLE_USERS)
    workspace = f"{address}/api/v1/workspaces/{WORKSPACE}"
    return f"""
procvars is at {address}    workspace: {WORKSPACE}

Tokens of three people, good for a week:
{people}

Try it. A customer typed 50000 instead of 75000:
  TOKEN={tokens[SAMPLE_USERS[1].user]}
  W={workspace}
  curl -i -H "Authorization: Bearer $TOKEN" $W/instances/loan-1001/variables
  curl -X PATCH -H "Authorization: Bearer $TOKEN" -H 'If-Match: "<the version in ETag>"' \\
       -H 'Content-Type: application/merge-patch+json' \\
       -d '{{"application": {{"income": 75000}}}}' "$W/instances/loan-1001/variables?reason=typing+error"
  curl -H "Authorization: Bearer $TOKEN" $W/instances/loan-1001/sync
  curl -H "Authorization: Bearer $TOKEN" "$W/audit-log?instance_id=loan-1001"

Ctrl-C stops all of it.
"""
