"""The access log has every call and every attempt, with who and what and nothing that is nobody's business."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests import plain_http
from tests.api.bank import W, define, put, start
from tests.attacks.raw_http import answer_to, connected, request
from tests.conftest import SECRET, Server, token
from tests.waiting import until

SECRETIVE = "only-in-the-query"


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Documents of this server have at most 4 KB."""
    environment = {"PROCVARS_MAX_DOCUMENT_BYTES": "4096", "PROCVARS_PUBLIC_URL": "https://bank.example/procvars/"}
    server = Server(tmp_path_factory.mktemp("access-log"), environment=environment).start()
    yield server
    server.stop()


def lines(server: Server) -> list[dict[str, Any]]:
    """What the access log has by now."""
    logged = [json.loads(line) for line in server.log.read_text().splitlines()]
    return [line for line in logged if line["event"] == "request"]


def line_of(server: Server, request_id: str) -> dict[str, Any]:
    """The line of that call; there is one."""
    found = until(
        f"a line of {request_id}",
        lambda: [line for line in lines(server) if line["request_id"] == request_id],
    )
    assert len(found) == 1
    return found[0]


def call(server: Server, request_id: str, method: str, path: str, **options: Any) -> tuple[int, dict[str, Any]]:
    options.setdefault("headers", {})["X-Request-Id"] = request_id
    authorization = options.pop("authorization", token(org=("ORG_ADMIN",)))
    if authorization is not None:
        options["headers"]["Authorization"] = f"Bearer {authorization}"
    answer = plain_http.request(method, f"{server.address}/api/v1{path}", **options)
    assert answer.headers["x-request-id"] == request_id
    return answer.status_code, line_of(server, request_id)


def test_a_call_is_in_the_log(logged: Server) -> None:
    """Who, where, what, how it ended and how long it took; nothing of the query or the document."""
    with logged.client() as api:
        instance = start(api, {"n": 1})
    status, line = call(
        logged,
        "call-1",
        "PUT",
        f"{W}/instances/{instance}/variables?reason={SECRETIVE}",
        json={"n": SECRETIVE},
        headers={"If-Match": '"1"'},
    )
    assert status == 200
    assert line.pop("milliseconds") > 0 and line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "request_id": "call-1",
        "client": "127.0.0.1",
        "user": "ada",
        "workspace": "bank",
        "instance": instance,
        "method": "PUT",
        "route": "/api/v1/workspaces/{workspace}/instances/{instance_id}/variables",
        "status": 200,
    }


def test_refused_attempts_are_in_the_log(logged: Server) -> None:
    """Whoever was refused is in it, as far as it is known who that was."""
    with logged.client() as api:
        instance = start(api, {"n": 1})
    variables = f"{W}/instances/{instance}/variables"
    stranger = token("eve", workspaces={"other": ("WORKSPACE_ADMIN",)})
    viewer = token("vera", workspaces={"bank": ("VIEWER",)})
    expired = token("old", lifetime=timedelta(seconds=-60))
    json_body = {"headers": {"If-Match": '"1"', "Content-Type": "application/json"}}
    attempts: list[tuple[int, str | None, str, str, str | None, dict[str, Any]]] = [
        (401, None, "GET", variables, None, {}),
        (401, None, "GET", variables, expired, {}),
        (404, "eve", "GET", variables, stranger, {}),
        (403, "vera", "PUT", variables, viewer, {**json_body, "content": b"{}"}),
        (404, "vera", "GET", f"{W}/instances/none/variables", viewer, {}),
        (404, None, "GET", "/nowhere", viewer, {}),
        (405, None, "DELETE", variables, viewer, {}),
        (413, "ada", "PUT", variables, token(), {**json_body, "content": b" " * 5000}),
        (400, "ada", "PUT", variables, token(), {**json_body, "content": b"{"}),
        (428, "ada", "PUT", variables, token(), {"content": b"{}", "headers": {"Content-Type": "application/json"}}),
        (422, "ada", "GET", f"{variables}?version=0", token(), {}),
        (422, None, "GET", f"{variables}?at=%00", token(), {}),
    ]
    for number, (expected, user, method, path, authorization, options) in enumerate(attempts):
        options = {**options, "headers": dict(options.get("headers", {}))}
        status, line = call(logged, f"attempt-{number}", method, path, authorization=authorization, **options)
        assert (status, line["status"], line["user"]) == (expected, expected, user), (method, path)


def test_what_a_caller_calls_a_request(logged: Server) -> None:
    """A sane id is taken over, and no other: made ones differ, and no line is forged."""
    evil = ["a b", 'a"b', "x" * 200, "", "é", "{}"]
    made = []
    for request_id in [*evil, None]:
        headers = {} if request_id is None else {"X-Request-Id": request_id.encode()}
        answer = plain_http.get(f"{logged.address}/api/v1/me", headers=headers)  # type: ignore[arg-type]
        made.append(answer.headers["x-request-id"])
    assert len(set(made)) == len(made) and not set(made) & set(evil)
    for request_id in made:
        assert line_of(logged, request_id)["status"] == 401
    status, line = call(logged, "forging", "GET", '/workspaces/bank/instances/x%0A{"event":"request"}/sync')
    assert (status, line["instance"]) == (404, 'x\n{"event":"request"}')
    status, line = call(logged, "long", "GET", f"/workspaces/bank/instances/{'y' * 5000}/sync")
    assert len(line["instance"]) == 200


def test_the_log_has_no_secrets_and_no_probes(logged: Server) -> None:
    """No token, no query, no document; probes come too often to be told."""
    authorization = token("walter")
    call(logged, "secretive", "GET", f"{W}/instances?cursor={SECRETIVE}", authorization=authorization)
    for path in ("healthz", "readyz", "metrics", "api/v1/healthz", "api/v1/readyz"):
        plain_http.get(f"{logged.address}/{path}", headers={"X-Request-Id": f"probe-{path.replace('/', '-')}"})
    call(logged, "after-the-probes", "GET", "/me")
    said = logged.log.read_text()
    assert SECRETIVE not in said and authorization not in said and SECRET not in said
    assert "probe-" not in said


def test_a_caller_that_hangs_up_is_no_mistake_of_the_server(logged: Server) -> None:
    """499 in the access log and nothing about an error; the status of what never got an answer."""
    authorization = f"Authorization: Bearer {token()}"
    head = (
        "PUT",
        f"/api/v1{W}/definitions/half",
        authorization,
        "Content-Type: application/json",
        "X-Request-Id: gone",
    )
    with connected(logged.port) as connection:
        connection.sendall(request(*head, "Content-Length: 1000") + b"{")
    assert line_of(logged, "gone")["status"] == 499
    assert "unforeseen" not in logged.log.read_text() and "Traceback" not in logged.log.read_text()


def test_answers_are_nobodys_to_keep(logged: Server) -> None:
    """No cache keeps what the API answers and no browser takes it for something else, refusals and entity tags included."""
    with logged.client() as api:
        instance = start(api, {"n": 1})
        answers = [
            api.get(f"{W}/instances/{instance}/variables", params={"after_version": 1}),
            api.get(f"{W}/audit-log"),
            api.get(f"{W}/instances/none/variables"),
            api.get("/openapi.json"),
            api.get("/nowhere"),
            api.get("/healthz"),
            plain_http.get(f"{logged.address}/api/v1/me"),
            put(api, instance, b"{"),
            put(api, instance, {"n": 2}, 1),
        ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store", answer.url
        assert answer.headers["x-content-type-options"] == "nosniff", answer.url
    assert answers[0].headers["etag"] == '"1"'


@pytest.mark.parametrize("path", ["variables", "snapshots/2/restore"])
def test_the_audited_url_is_not_the_callers_to_invent(logged: Server, path: str) -> None:
    """It begins with the public URL of the settings, whatever the Host header and X-Forwarded-* say."""
    with logged.client() as api:
        instance = start(api, {"n": 1})
        put(api, instance, {"n": 2}, 1).raise_for_status()
    headers = (
        "X-Forwarded-Proto: gopher",
        "X-Forwarded-Host: evil.example",
        f"Authorization: Bearer {token()}",
        'If-Match: "2"',
        "Content-Type: application/json",
    )
    method = "PUT" if path == "variables" else "POST"
    url = f"/api/v1{W}/instances/{instance}/{path}?reason=a%20b"
    assert answer_to(logged.port, request(method, url, *headers, body=b'{"n": 3}')) == 200
    with logged.client() as api:
        entries = f"{W}/audit-log"
        entry = until(
            "an entry",
            lambda: [
                each
                for each in api.get(entries, params={"instance_id": instance}).json()["items"]
                if each["version"] == 3
            ],
        )[0]
        assert api.get(f"{entries}/{entry['id']}").json()["url"] == f"https://bank.example/procvars{url}"


def test_the_audited_url_is_the_path_alone_without_a_setting(api: httpx.Client) -> None:
    """Nobody told this server its name."""
    define(api)
    instance = start(api, {"n": 1})
    put(api, instance, {"n": 2}, 1).raise_for_status()
    items = until("an entry", lambda: api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"])
    assert api.get(f"{W}/audit-log/{items[0]['id']}").json()["url"] == f"/api/v1{W}/instances/{instance}/variables"
