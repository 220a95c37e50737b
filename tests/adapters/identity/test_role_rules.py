"""Roles from the claims of real providers, by the rules that docs/security.md recommends for each of them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from procvars.adapters.identity.claims import verified_token
from procvars.adapters.identity.role_rules import RoleRule, RoleRules

RULES = TypeAdapter(list[RoleRule])
_GUIDE = Path(__file__).parents[3] / "docs" / "security.md"
_KEYCLOAK, _ENTRA, _AUTH0 = re.findall(r"```json\n(\[.*?\])\n```", _GUIDE.read_text(), re.DOTALL)
_GROUP = "0f3c1c5e-6f0e-4a39-9f4e-2f6a7f0d8a11"

Roles = tuple[tuple[str, ...], dict[str, tuple[str, ...]]]


def roles(rules: str, claims: Mapping[str, Any]) -> Roles:
    """Roles in the organisation and by workspace of a token with these claims."""
    token = {"sub": "u", "exp": 2_000_000_000, **claims}
    actor = verified_token(token, now=0, leeway=0, rules=RoleRules(RULES.validate_json(rules))).actor
    return actor.org_roles, dict(actor.workspace_roles)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"realm_access": {"roles": ["offline_access", "procvars-operators"]}}, (("OPERATOR",), {})),
        ({"resource_access": {"account": {"roles": ["x"]}, "procvars": {"roles": ["auditor"]}}}, (("VIEWER",), {})),
        ({"groups": ["/hr/people", "/credit/retail"]}, ((), {"loans": ("WORKSPACE_ADMIN",)})),
        ({"preferred_username": "service-account-engine-7"}, (("ENGINE",), {})),
        ({"preferred_username": "engine-7", "groups": ["/credit"]}, ((), {})),
        ({"realm_access": "procvars-operators", "resource_access": {"procvars": ["auditor"]}}, ((), {})),
    ],
)
def test_tokens_of_keycloak(claims: dict[str, Any], expected: Roles) -> None:
    assert roles(_KEYCLOAK, claims) == expected


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"roles": ["Procvars.Admin"], "groups": [_GROUP]}, (("ORG_ADMIN",), {"loans": ("WORKSPACE_ADMIN",)})),
        ({"roles": ["Engine.Execute"], "idtyp": "app"}, (("ENGINE",), {})),
        ({"scp": "User.Read"}, ((), {})),
    ],
)
def test_tokens_of_entra_id(claims: dict[str, Any], expected: Roles) -> None:
    assert roles(_ENTRA, claims) == expected


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"https://bank.example/roles": ["credit operator"]}, ((), {"loans": ("WORKSPACE_ADMIN",)})),
        ({"permissions": ["audit:read", "other"]}, (("VIEWER",), {})),
        ({"sub": "abc123@clients"}, (("ENGINE",), {})),
        ({"https://elsewhere.example/roles": ["credit operator"]}, ((), {})),
    ],
)
def test_tokens_of_auth0(claims: dict[str, Any], expected: Roles) -> None:
    assert roles(_AUTH0, claims) == expected


def test_words_of_a_text_count_and_those_of_a_list_do_not() -> None:
    """As scopes are written: `openid audit:read`. An element of a list is one name, with its spaces."""
    rules = json.dumps([{"claim": "scope", "value": "audit:read", "org_roles": ["VIEWER"]}])
    assert roles(rules, {"scope": "openid audit:read"}) == (("VIEWER",), {})
    assert roles(rules, {"scope": ["openid audit:read"]}) == ((), {})
    assert roles(rules, {"scope": ["openid", "audit:read"]}) == (("VIEWER",), {})


def test_with_rules_a_token_does_not_name_its_own_roles() -> None:
    """Whoever may write a claim at the provider is not whoever gives rights here."""
    rules = json.dumps([{"claim": "groups", "value": "x", "org_roles": ["VIEWER"]}])
    assert roles(rules, {"org_roles": ["ORG_ADMIN"], "workspace_roles": {"loans": ["WORKSPACE_ADMIN"]}}) == ((), {})


def test_all_rules_that_fit_count_once() -> None:
    rules = json.dumps(
        [
            {"claim": "groups", "value": "a*", "workspace_roles": {"loans": ["VIEWER"], "cards": ["VIEWER"]}},
            {"claim": "groups", "value": "ab", "workspace_roles": {"loans": ["VIEWER", "WORKSPACE_ADMIN"]}},
        ]
    )
    expected = {"loans": ("VIEWER", "WORKSPACE_ADMIN"), "cards": ("VIEWER",)}
    assert roles(rules, {"groups": ["ab"]}) == ((), expected)


@pytest.mark.parametrize(
    "rule", [{"claim": "groups"}, {"value": "x"}, {"claim": "g", "value": "x", "worksace_roles": {}}]
)
def test_a_typing_error_in_a_rule_is_refused(rule: dict[str, Any]) -> None:
    """A rule that gave nothing would be looked for for a long time."""
    with pytest.raises(ValidationError):
        RULES.validate_python([rule])
