"""Settings that the console requests before anybody has signed in."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from procvars.api.http.answers import answer
from procvars.api.http.console_sign_in import OpenIdClient
from procvars.api.http.services import services

router = APIRouter(include_in_schema=False)


@router.get("/console-config.json")
async def console_config(request: Request) -> Response:
    """Return `{sample_users: [{name, role, token}] | null, oidc: {issuer, client_id, scope, …} | null}`."""
    sign_in = services(request).console_sign_in
    content = {
        "sample_users": sign_in.sample_users or None,
        "oidc": await _shown(sign_in.client) if sign_in.client else None,
    }
    return answer(content, headers={"Cache-Control": "no-store"})


async def _shown(client: OpenIdClient) -> dict[str, Any]:
    endpoints = asdict(await client.provider.endpoints())
    found = {name: value for name, value in endpoints.items() if value is not None}
    return {**found, "client_id": client.client_id, "scope": client.scope}
