"""A server whose tokens come from a provider with roles of its own: who may do what, and why somebody may do nothing."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.adapters.identity.test_openid import AUDIENCE, ISSUER, RSA_KEY, Provider, public, signed
from tests.conftest import NewServer, Server

RULES = [
    {"claim": "realm_access.roles", "value": "auditor", "workspace_roles": {"bank": ["VIEWER"]}},
    {"claim": "preferred_username", "value": "service-account-*", "workspace_roles": {"*": ["ENGINE"]}},
    {"claim": "groups", "value": "/strange", "workspace_roles": {"bank": ["NO_SUCH_ROLE"]}},
]


@pytest.fixture
def served(new_server: NewServer) -> Iterator[Server]:
    provider = Provider()
    provider.publish(public(RSA_KEY, "one"))
    yield new_server(
        environment={
            "PROCVARS_JWT_SECRET": None,
            "PROCVARS_JWKS_URL": provider.url,
            "PROCVARS_JWT_ISSUER": ISSUER,
            "PROCVARS_JWT_AUDIENCE": AUDIENCE,
            "PROCVARS_ROLE_RULES": json.dumps(RULES),
        }
    )
    provider.stop()


def test_roles_come_from_the_providers_claims(served: Server) -> None:
    """An auditor reads one workspace, the engine's service account works in all, others are told why they have nothing."""

    def ask(**claims: Any) -> httpx.Client:
        return served.client(signed(exp=time.time() + 600, **claims))

    with ask(realm_access={"roles": ["auditor"]}) as auditor:
        told = auditor.get("/me").json()
        assert [*told["workspaces"]] == ["bank"] and "nothing_because" not in told
        assert auditor.put("/workspaces/bank/definitions/loan", json={}).status_code == 403
    with ask(sub="e-1", preferred_username="service-account-engine") as engine:
        body = {"name": "Loan", "keywords": [], "search": [], "task_fields": []}
        for workspace in ("bank", "shop"):
            engine.put(f"/workspaces/{workspace}/definitions/loan", json=body).raise_for_status()
        assert {*engine.get("/me").json()["workspaces"]} == {"bank", "shop"}
    with ask(org_roles=["ORG_ADMIN"]) as nobody:
        told = nobody.get("/me").json()
        assert told["workspaces"] == {} and told["permissions"] == []
        assert "realm_access.roles, preferred_username, groups" in told["nothing_because"]
        assert nobody.get("/workspaces/bank/definitions").status_code == 404
    with ask(groups=["/strange"]) as strange:
        assert "NO_SUCH_ROLE" in strange.get("/me").json()["nothing_because"]
