"""What is no id of an instance is not found by any route, whatever else of that name the store has."""

import json
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests import plain_http
from tests.api.bank import DEFINITION, W, define, start
from tests.command_line import run
from tests.conftest import NewServer, Server, token

EVERY_ROLE: dict[str, tuple[str, ...]] = {"bank": ("WORKSPACE_ADMIN", "ENGINE"), "shop": ("WORKSPACE_ADMIN", "ENGINE")}
MALFORMED = (
    ".", "%2e", "..", "%2E%2e", "%0a", "a%0Ab", "a%00b", "%7f", "%c2%85", "%ff", "%", "%zz", "a%2fb", "a%5cb", "%20", "+",
    "%252e", "x" * 201, "%F0%9F%98%80" * 201, "%C3%A9" * 4000, "%ed%a0%80", "definition:", "definition%3abank%3aloan", "'; --",
)  # fmt: skip
BODIES = {
    "PUT": ("application/json", {}),
    "PATCH": ("application/merge-patch+json", {}),
    "POST": ("application/json", {"status": "ON_HOLD"}),
}


@pytest.fixture(scope="module")
def routes(server: Server) -> list[tuple[str, str]]:
    """Method and path of every route that has an instance's id in its path."""
    paths = plain_http.get(f"{server.address}/openapi.json").json()["paths"]
    found = [
        (method.upper(), path)
        for path, item in paths.items()
        if "{instance_id}" in path
        for method in item
        if method != "parameters"
    ]
    assert len(found) > 20
    return found


@pytest.fixture
def connection(server: Server) -> Iterator[HTTPConnection]:
    """Sends a path as it is, where a client library would resolve `..` in it."""
    connection = HTTPConnection("127.0.0.1", server.port, timeout=40)
    yield connection
    connection.close()


def asked(connection: HTTPConnection, method: str, path: str, user: str) -> tuple[int, Any]:
    """Status and problem of a request as well-formed as can be, but for the id."""
    path = path.replace("{workspace}", "bank").replace("{name}", "audit_log").replace("{version}", "1")
    path = path.replace("{task_id}", "t").replace("{integration_id}", "i")
    content_type, body = BODIES.get(method, ("application/json", {}))
    if path.endswith("/data"):
        content_type, body = BODIES["PATCH"]
    headers = {"Authorization": f"Bearer {user}", "Content-Type": content_type, "If-Match": '"1"'}
    connection.request(method, path, json.dumps(body), headers)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read() or b"{}")


def test_no_malformed_id_is_found(server: Server, routes: list[tuple[str, str]], connection: HTTPConnection) -> None:
    """404 or 422 on every route, with a problem, and the connection lives on."""
    user = token("admin", org=("ORG_ADMIN",), workspaces=EVERY_ROLE)
    for method, path in routes:
        for instance_id in MALFORMED:
            status, problem = asked(
                connection, method, path.replace("{instance_id}", quote(instance_id, safe="%+';")), user
            )
            assert status in (404, 422), (method, path, instance_id, status, problem)


def test_a_definition_is_no_instance(server: Server, routes: list[tuple[str, str]], connection: HTTPConnection) -> None:
    """The same answer whether there is such a definition or not, in the caller's workspace or in another's."""
    with server.client(token("admin", org=("ORG_ADMIN",), workspaces=EVERY_ROLE)) as api:
        define(api)
        api.put("/workspaces/shop/definitions/order", json=DEFINITION).raise_for_status()
    user = token("reader", org=("ORG_ADMIN",), workspaces={"bank": EVERY_ROLE["bank"]})
    for method, path in routes:
        answers = [
            asked(connection, method, path.replace("{instance_id}", stream), user)
            for stream in ("definition:bank:loan", "definition:shop:order", "definition:bank:none")
        ]
        assert answers[0][0] in (404, 422), (method, path, answers)
        assert all(answer == answers[0] for answer in answers), (method, path, answers)


def test_no_instance_starts_with_such_an_id(api: httpx.Client) -> None:
    """Nobody could ask for it afterwards."""
    start(api, {})
    for instance_id in (".", "..", "definition:bank:loan", "", "x" * 201, "a\nb"):
        body = {"definition": "loan", "variables": {}, "id": instance_id}
        refused = api.post(f"{W}/instances", json=body)
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:procvars:invalid-argument"), instance_id


def test_the_command_line_finds_no_definition_either(new_server: NewServer, database_url: str) -> None:
    """One line, and no trace of what the stream has."""
    server = new_server(database_url=database_url)
    with server.client() as api:
        define(api)
    for command in (["show"], ["at", "--version", "1"], ["blame"]):
        done = run(server.environ(), "history", *command, "definition:bank:loan")
        assert done.returncode == 1, done
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
