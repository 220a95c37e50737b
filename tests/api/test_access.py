"""Who may call what: every route of the application, from one table that is made of the routes themselves."""

from datetime import timedelta

import httpx
import pytest

from tests import plain_http
from tests.conftest import Server, token

PERMISSION_FREE = {"/api/v1/me"}
PUBLIC = {"/api/v1/healthz", "/api/v1/readyz", "/api/v1/metrics"}
ENGINE_POSTS = (
    "/instances", "/status", "/data", "/subprocesses", "/navigation-snapshots", "/navigate-back", "/integrations",
    "/response", "/tasks", "/close", "/imports",
)  # fmt: skip
SAMPLE = {
    "workspace": "bank", "instance_id": "x", "key": "x", "version": "1", "task_id": "x", "integration_id": "x",
    "entry": "x", "name": "current_variables", "bulk_id": "x", "incident_id": "x", "consumer": "x",
}  # fmt: skip
READING = ("/search", "/refresh")
"""Calls that read, although they are no GET."""


@pytest.fixture(scope="module")
def routes(server: Server) -> list[tuple[str, str]]:
    paths = plain_http.get(f"{server.address}/openapi.json").json()["paths"]
    found = [(method.upper(), path) for path, methods in paths.items() for method in methods]
    assert len(found) > 35
    return [(method, path) for method, path in found if path not in PUBLIC]


def call(server: Server, method: str, path: str, authorization: str | None) -> httpx.Response:
    headers = {} if authorization is None else {"Authorization": f"Bearer {authorization}"}
    return plain_http.request(method, f"{server.address}{path.format(**SAMPLE)}", headers=headers)


def test_every_route_needs_a_token(server: Server, routes: list[tuple[str, str]]) -> None:
    """No token, an expired one, and one signed by somebody else are refused everywhere."""
    expired = token(org=("ORG_ADMIN",), lifetime=timedelta(seconds=-60))
    forged = token(org=("ORG_ADMIN",))[:-4] + "AAAA"
    for method, path in routes:
        for authorization, slug in ((None, "unauthenticated"), (expired, "token-expired"), (forged, "token-invalid")):
            answer = call(server, method, path, authorization)
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.json()["type"] == f"urn:procvars:{slug}"
            assert answer.headers["www-authenticate"].startswith("Bearer")


def test_another_workspace_does_not_exist(server: Server, routes: list[tuple[str, str]]) -> None:
    """404 for every route of a workspace in which the caller has no role."""
    stranger = token(workspaces={"other": ("WORKSPACE_ADMIN",)})
    of_a_workspace = [(method, path) for method, path in routes if "{workspace}" in path]
    assert len(of_a_workspace) > 25
    for method, path in of_a_workspace:
        answer = call(server, method, path, stranger)
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["type"] == "urn:procvars:workspace-not-found"


def test_a_role_that_gives_nothing_is_denied_everywhere(server: Server, routes: list[tuple[str, str]]) -> None:
    """403 names the permission that is missing."""
    nobody = token(workspaces={"bank": ("NOBODY",)})
    for method, path in routes:
        if path in PERMISSION_FREE:
            continue
        answer = call(server, method, path, nobody)
        assert answer.status_code == 403, (method, path, answer.text)
        assert answer.json()["type"] == "urn:procvars:permission-denied"
        assert answer.json()["permission"].startswith(("wks_", "org_"))


def test_a_viewer_reads_and_changes_nothing(server: Server, routes: list[tuple[str, str]]) -> None:
    """Whatever is not a reading is denied to a viewer."""
    viewer = token(workspaces={"bank": ("VIEWER",)})
    changing = [(method, path) for method, path in routes if method != "GET" and not path.endswith(READING)]
    assert len(changing) > 15
    for method, path in changing:
        assert call(server, method, path, viewer).status_code == 403, (method, path)


@pytest.mark.parametrize(
    "authorization",
    [token(org=("ORG_ADMIN",), workspaces={}), token(workspaces={"bank": ("WORKSPACE_ADMIN",)})],
    ids=["organisation admin", "workspace admin"],
)
def test_no_person_does_what_the_engine_does(server: Server, routes: list[tuple[str, str]], authorization: str) -> None:
    """Administrators neither start instances nor write data past snapshots and audit log; the permission is named."""
    of_the_engine = [(method, path) for method, path in routes if method == "POST" and path.endswith(ENGINE_POSTS)]
    of_the_engine += [(method, path) for method, path in routes if path.endswith("/events")]
    of_the_engine += [
        (method, path) for method, path in routes if method != "GET" and path.endswith("/consumers/{consumer}")
    ]
    assert len(of_the_engine) == 14
    for method, path in of_the_engine:
        answer = call(server, method, path, authorization)
        assert answer.status_code == 403, (method, path, answer.text)
        assert answer.json()["permission"] == "wks_process_instance_execute"


def test_the_engine_edits_no_variables(server: Server) -> None:
    """What an operator changes is a person's to answer for."""
    engine = token("engine", workspaces={"bank": ("ENGINE",)})
    for method in ("PUT", "PATCH"):
        answer = call(server, method, "/api/v1/workspaces/{workspace}/instances/{instance_id}/variables", engine)
        assert answer.status_code == 403, answer.text
        assert answer.json()["permission"] == "wks_process_instance_variables_edit"


@pytest.mark.parametrize("workspace", ["bank%20", "a" * 65, "b%0A", "%C3%A9"])
def test_what_is_no_name_of_a_workspace_is_refused_everywhere(
    server: Server, routes: list[tuple[str, str]], workspace: str
) -> None:
    """Also for whoever may do everything; and the refusal says which part of the path is wrong."""
    admin = token(org=("ORG_ADMIN",))
    for method, path in routes:
        if "{workspace}" in path:
            answer = call(server, method, path.replace("{workspace}", workspace), admin)
            assert answer.status_code == 422, (method, path, answer.text)
            assert answer.json()["type"] == "urn:procvars:invalid-argument"
            assert answer.json()["errors"][0]["path"] == "/workspace"
