"""What a client asks first: who am I, where may I work, and what is defined there."""

import httpx

from tests.api.bank import DEFINITION, W, define, put, start
from tests.conftest import Server, token

EVERYTHING_OF_A_PERSON = {
    "wks_process_instance_read", "wks_process_instance_variables_edit", "wks_audit_read", "wks_task_read",
    "wks_definition_edit",
}  # fmt: skip


def workspaces_of(server: Server, authorization: str) -> dict[str, set[str]]:
    with server.client(authorization) as client:
        found = client.get("/me").json()["workspaces"]
    return {name: set(item["permissions"]) for name, item in found.items()}


def test_an_organisation_admin_is_told_every_workspace(api: httpx.Client, server: Server) -> None:
    """Their token lists no workspace, and they may do in each that exists whatever a person may."""
    define(api)
    api.put("/workspaces/branch-2/definitions/card", json=DEFINITION).raise_for_status()
    found = workspaces_of(server, token(org=("ORG_ADMIN",), workspaces={}))
    assert found["bank"] == found["branch-2"] == EVERYTHING_OF_A_PERSON


def test_an_organisation_role_without_workspace_permissions_names_no_workspace(server: Server) -> None:
    """Whoever runs the projections does not learn which workspaces there are."""
    assert workspaces_of(server, token(org=("OPERATOR",), workspaces={})) == {}


def test_others_are_told_their_own_workspaces(server: Server) -> None:
    """Roles in a workspace are listed also where that workspace is still empty."""
    found = workspaces_of(server, token(workspaces={"empty": ("VIEWER",)}))
    assert found == {"empty": {"wks_process_instance_read", "wks_audit_read", "wks_task_read"}}


def test_whoever_has_nothing_is_told_why(server: Server) -> None:
    """A token without a role is not an error, and not a riddle."""
    with server.client(token(workspaces={})) as client:
        told = client.get("/me").json()
    assert (told["workspaces"], told["permissions"]) == ({}, [])
    assert told["nothing_because"].startswith("The token names no role")


def test_definitions_are_listed_in_their_newest_version(api: httpx.Client) -> None:
    """Each key once, in the shape of a single definition, and nothing of another workspace."""
    define(api, "list-b", name="first")
    define(api, "list-b", name="second")
    define(api, "list-a", schema={"type": "object"})
    api.put("/workspaces/bank-2/definitions/list-c", json=DEFINITION).raise_for_status()
    items = [item for item in api.get(f"{W}/definitions").json()["items"] if item["key"].startswith("list-")]
    assert items == [api.get(f"{W}/definitions/{key}").json() for key in ("list-a", "list-b")]
    assert [(item["name"], item["version"]) for item in items] == [(DEFINITION["name"], 1), ("second", 2)]


def test_blame_has_people_by_name(api: httpx.Client, server: Server) -> None:
    """A client shows the person's name, not only the account."""
    instance = start(api, {"a": 1, "b": 1})
    with server.client(token("grace", workspaces={"bank": ("WORKSPACE_ADMIN",)})) as grace:
        assert put(grace, instance, {"a": 2, "b": 1}).is_success
    items = api.get(f"{W}/instances/{instance}/variables/blame").json()["items"]
    assert {item["path"]: item["user_name"] for item in items} == {"/a": "Grace", "/b": "Ada"}
