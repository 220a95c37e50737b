"""Large documents on a real server: they get the answers that small ones get, they cost nobody else theirs, and whatever
happens to the process that handles them, nothing that was acknowledged is lost.
"""

import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.attacks.processes import lane_of, processes
from tests.conftest import NewServer, Server, token
from tests.processes import is_alive, memory_of
from tests.waiting import until

MEGABYTE = 2**20
BANK = "/workspaces/bank"
Document = dict[str, Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("heavy")).start()
    publish(running)
    yield running
    running.stop()


def publish(server: Server) -> None:
    with server.client() as http:
        http.put(f"{BANK}/definitions/loan", json={"name": "Loan", "keywords": [], "search": [], "task_fields": []})


def large(size: int) -> Document:
    """About `size` bytes of ordinary JSON."""
    row = {"name": "a customer", "income": 75000.5, "tags": ["a", "b"], "address": {"city": "Bucharest"}}
    return {"rows": [row] * (size // len(json.dumps(row, separators=(",", ":")))), "edit": 0}


def put(http: httpx.Client, instance: str, version: int, document: Document, **headers: str) -> httpx.Response:
    return http.put(
        f"{BANK}/instances/{instance}/variables",
        content=json.dumps(document, separators=(",", ":")),
        headers={"Content-Type": "application/json", "If-Match": f'"{version}"', **headers},
    )


def started(http: httpx.Client, instance: str, document: Document) -> str:
    answer = http.post(f"{BANK}/instances", json={"definition": "loan", "id": instance, "variables": document})
    assert answer.status_code == 201, answer.text
    return instance


def server_pid(server: Server) -> int:
    assert server.process is not None
    return server.process.pid


def lane_pid(server: Server) -> int:
    return until("there is a heavy lane", lambda: lane_of(server_pid(server)) or 0)


def head(server: Server, path: str, length: int, authorization: str | None) -> bytes:
    lines = [
        f"PUT /api/v1{path} HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Content-Type: application/json",
        'If-Match: "1"',
        f"Content-Length: {length}",
    ]
    if authorization:
        lines.append(f"Authorization: Bearer {authorization}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def half_sent(server: Server, user: str, instance: str = "nobody's") -> socket.socket:
    """A caller who began to send a large document and does not go on."""
    connection = socket.create_connection(("127.0.0.1", server.port))
    path = f"{BANK}/instances/{instance}/variables"
    connection.sendall(head(server, path, MEGABYTE, token(user)) + b" " * 100_000)
    return connection


def test_large_edits_by_four_users_leave_the_small_edits_of_others_alone(server: Server) -> None:
    """Every one of them is kept, in order."""
    sizes = {"lea": MEGABYTE, "leo": MEGABYTE, "lia": MEGABYTE, "luz": 9 * MEGABYTE}

    def edit(user: str, document: Document, edits: int) -> list[Any]:
        with server.client(token(user, workspaces={"bank": ("ORG_ADMIN", "WORKSPACE_ADMIN", "ENGINE")})) as http:
            started(http, f"four-{user}", document)
            for number in range(1, edits + 1):
                document["edit"] = number
                answer = put(http, f"four-{user}", number, document)
                assert (answer.status_code, answer.json()["version"]) == (200, number + 1), answer.text
            history, cursor = [], edits + 2
            while cursor:  # large documents come in pages of fewer items
                page = http.get(f"{BANK}/instances/four-{user}/variables/history", params={"cursor": cursor}).json()
                history += page["items"]
                cursor = page["next"]
            assert http.get(f"{BANK}/instances/four-{user}/variables?version={edits + 1}").json() == document
            return [item["patch"] for item in history[:-1]]

    with ThreadPoolExecutor() as pool:
        running = {user: pool.submit(edit, user, large(size), 3) for user, size in sizes.items()}
        small = pool.submit(edit, "sam", {"edit": 0}, 100)
    assert small.result() == [_edit_patch(number) for number in range(100, 0, -1)]
    for edits in running.values():
        assert edits.result() == [_edit_patch(number) for number in (3, 2, 1)]


def _edit_patch(number: int) -> list[Document]:
    return [{"op": "replace", "path": "/edit", "value": number}]


# What a document's own routes are asked, in this order; the same for every size.
_CALLS: list[tuple[str, str, dict[str, str], Any]] = [
    ("GET", "", {}, None),
    ("GET", "/variables", {}, None),
    ("HEAD", "/variables", {}, None),
    ("GET", "/variables?version=1", {}, None),
    ("GET", "/variables?at=2999-01-01T00:00:00Z", {}, None),
    ("GET", "/variables?download=true", {}, None),
    ("GET", "/variables?version=9999", {}, None),
    ("PATCH", "/variables", {"Content-Type": "application/merge-patch+json", "If-Match": '"2"'}, {"edit": 2}),
    ("PATCH", "/variables", {"Content-Type": "application/merge-patch+json", "If-Match": '"2"'}, {"edit": 3}),
    ("PATCH", "/variables", {"Content-Type": "application/merge-patch+json"}, {"edit": 3}),
    ("PATCH", "/variables", {"Content-Type": "text/plain", "If-Match": '"3"'}, {"edit": 3}),
    ("PATCH", "/variables", {"Content-Type": "application/json-patch+json", "If-Match": '"3"'},
     [{"op": "test", "path": "/edit", "value": 77}]),
    ("PATCH", "/variables?on_conflict=rebase&reason=why",
     {"Content-Type": "application/json-patch+json", "If-Match": '"2"'},
     [{"op": "add", "path": "/rebased", "value": True}]),
    ("POST", "/variables/preview", {"Content-Type": "application/merge-patch+json"}, {"edit": 4}),
    ("POST", "/variables/preview?on_conflict=rebase",
     {"Content-Type": "application/merge-patch+json", "If-Match": '"2"'}, {"previewed": True}),
    ("GET", "/variables/history?limit=3", {}, None),
    ("GET", "/variables/blame", {}, None),
    ("GET", "/snapshots", {}, None),
    ("GET", "/snapshots/2", {}, None),
    ("POST", "/snapshots/2/restore", {"If-Match": '"4"'}, None),
    ("POST", "/modifications/3/reapply", {"If-Match": '"5"'}, None),
    ("POST", "/data", {"Content-Type": "application/merge-patch+json"}, {"engine": 1}),
    ("POST", "/navigation-snapshots", {"Content-Type": "application/json"}, {"node": "review"}),
    ("GET", "/navigation-snapshots", {}, None),
    ("POST", "/navigate-back?dry_run=true", {"Content-Type": "application/json"}, {"node": "review", "reset_data": True}),
    ("POST", "/navigate-back", {"Content-Type": "application/json"}, {"node": "review", "reset_data": True}),
    ("POST", "/subprocesses", {"Content-Type": "application/json"}, {"definition": "loan"}),
    ("POST", "/integrations", {"Content-Type": "application/json"}, {"name": "bureau", "request": {}}),
    ("GET", "/integrations", {}, None),
    ("POST", "/tasks", {"Content-Type": "application/json"}, {"title": "look"}),
    ("GET", "/debug?after_version=11", {}, None),
    ("GET", "/sync?wait=30", {}, None),
    ("POST", "/status", {"Content-Type": "application/json"}, {"status": "FINISHED"}),
    ("PATCH", "/variables", {"Content-Type": "application/merge-patch+json", "If-Match": '"99"'}, {"edit": 9}),
]  # fmt: skip
_VARYING = re.compile(
    r'"(position|taken_at|time|timestamp|started_at|updated_at|child_id|task_id|integration_id)":("[^"]*"|\d+)'
)


def asked(http: httpx.Client, instance: str, document: Document) -> list[tuple[str, int, dict[str, str], str]]:
    """Each call with status, headers and body, in which nothing is left that is another for another instance.

    Only what is large is compressed, so nothing shall be.
    """
    http.headers["Accept-Encoding"] = "identity"
    started(http, instance, document)
    assert put(http, instance, 1, {**document, "edit": 1}).status_code == 200
    http.get(f"{BANK}/instances/{instance}/sync?wait=30")
    found = []
    rows = json.dumps(document["rows"], separators=(",", ":"))
    for method, path, headers, body in _CALLS:
        content = None if body is None else json.dumps(body)
        answer = http.request(method, f"{BANK}/instances/{instance}{path}", content=content, headers=headers)
        shown = {
            name: _VARYING.sub("", value).replace(instance, "ID")
            for name, value in answer.headers.items()
            if name not in ("date", "content-length", "x-request-id", "location", "connection", "vary")
        }
        text = _VARYING.sub("", answer.text).replace(rows, "ROWS").replace(instance, "ID")
        text = re.sub(r'"id":"[0-9a-f-]{36}"', '"id":"child"', text)
        found.append((f"{method} {path}", answer.status_code, shown, text))
    return found


def test_a_large_document_gets_the_answers_that_a_small_one_gets(server: Server) -> None:
    """On every route, whether it went well or not, with the same headers; only the rows of the document differ."""
    with server.client() as http:
        small = asked(http, "route-s", {"rows": [0], "edit": 0})
        # One text, so that blame, which tells every leaf, tells as many of both.
        big = asked(http, "route-l", {"rows": ["x" * MEGABYTE], "edit": 0})
    for expected, found in zip(small, big, strict=True):
        assert found == expected


def test_the_log_and_the_answer_of_a_forwarded_call_have_its_one_request_id(server: Server) -> None:
    with server.client() as http:
        started(http, "logged", large(MEGABYTE))
        answer = put(http, "logged", 1, large(2 * MEGABYTE), **{"X-Request-Id": "my-own-id"})
    assert answer.headers.get_list("x-request-id") == ["my-own-id"]
    log = server.data_dir / f"server-{server.port}.log"

    def lines() -> list[Document]:
        return [json.loads(line) for line in log.read_text().splitlines() if '"my-own-id"' in line]

    (line,) = until("it is in the log", lines)
    assert (line["user"], line["workspace"], line["instance"], line["status"]) == ("ada", "bank", "logged", 200)
    assert line["route"] == "/api/v1/workspaces/{workspace}/instances/{instance_id}/variables"


def test_the_audited_url_and_body_of_a_forwarded_edit(server: Server) -> None:
    document = large(MEGABYTE)
    with server.client() as http:
        started(http, "audited", {"edit": 0})
        put(http, "audited", 1, document)
        http.get(f"{BANK}/instances/audited/sync?wait=30")
        entry = http.get(f"{BANK}/audit-log/audited-2").json()
    assert entry["url"] == f"/api/v1{BANK}/instances/audited/variables"
    assert entry["body"] == document


@pytest.mark.parametrize("size", [1000, 3 * MEGABYTE])
def test_a_body_of_unknown_length(server: Server, size: int) -> None:
    document = large(size)
    text = json.dumps(document).encode()
    with server.client() as http:
        started(http, f"chunked-{size}", {"edit": 0})
        answer = http.put(
            f"{BANK}/instances/chunked-{size}/variables",
            content=(text[at : at + 50_000] for at in range(0, len(text), 50_000)),
            headers={"Content-Type": "application/json", "If-Match": '"1"'},
        )
        assert answer.status_code == 200, answer.text
        assert http.get(f"{BANK}/instances/chunked-{size}/variables?after_version=2").json() == document


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_over_the_limit_is_refused_and_changes_nothing(server: Server, announced: bool) -> None:
    text = json.dumps({"text": "x" * 12 * MEGABYTE}).encode()
    content: Any = text if announced else (text[at : at + 50_000] for at in range(0, len(text), 50_000))
    with server.client() as http:
        instance = started(http, f"over-{announced}", {"edit": 0})
        try:
            answer = http.put(
                f"{BANK}/instances/{instance}/variables",
                content=content,
                headers={"Content-Type": "application/json", "If-Match": '"1"'},
            )
        except httpx.WriteError:  # the server hung up on what it will not read
            pass
        else:
            assert (answer.status_code, answer.json()["type"]) == (413, "urn:procvars:request-too-large")
        assert http.get(f"{BANK}/instances/{instance}/variables").headers["etag"] == '"1"'


def test_an_edit_is_repeated_by_its_key_wherever_it_is_handled(server: Server) -> None:
    """The first makes the document too large for the server's own process."""
    key = {"Idempotency-Key": "one"}
    with server.client() as http:
        started(http, "keyed", {"edit": 0})
        first = put(http, "keyed", 1, large(MEGABYTE), **key)
        again = put(http, "keyed", 1, large(MEGABYTE), **key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()


def test_a_large_instance_is_edited_small_and_becomes_small_again(server: Server) -> None:
    """Two processes write one stream: each sees what the other has written."""
    with server.client() as http:
        started(http, "both", {"edit": 0})
        for version in range(1, 21, 2):
            grown = put(http, "both", version, large(200_000))
            assert (grown.status_code, grown.json()["version"]) == (200, version + 1), grown.text
            shrunk = put(http, "both", version + 1, {"edit": version})
            assert (shrunk.status_code, shrunk.json()["version"]) == (200, version + 2), shrunk.text
        assert http.get(f"{BANK}/instances/both/variables?after_version=21").json() == {"edit": 19}


def test_a_strangers_body_is_not_read(new_server: NewServer) -> None:
    """And starts no process."""
    server = new_server()
    for authorization in (None, "not a token"):
        with closing(socket.create_connection(("127.0.0.1", server.port))) as connection:
            path = f"{BANK}/instances/any/variables"
            connection.sendall(head(server, path, 10 * MEGABYTE, authorization) + b" " * 50_000)
            connection.settimeout(30)
            assert connection.recv(12) == b"HTTP/1.1 401"
    assert lane_of(server_pid(server)) is None


def test_one_user_cannot_keep_the_lane_from_another(server: Server) -> None:
    """Whoever has as many as allowed is told so; everybody else is served meanwhile."""
    with ExitStack() as callers, server.client() as http:
        started(http, "taken", large(MEGABYTE))
        for _ in range(66):
            callers.enter_context(closing(half_sent(server, "eve")))
        with server.client(token("eve")) as eve:

            def refusal() -> httpx.Response:
                return put(eve, "taken", 1, large(MEGABYTE))

            # Until all of eve's are there, hers is one of those that wait.
            refused = until("eve has too many", refusal, lambda answer: answer.status_code == 503)
        assert refused.json()["type"] == "urn:procvars:too-busy"
        assert "retry-after" in refused.headers
        assert put(http, "taken", 1, large(MEGABYTE)).status_code in (200, 412)


def test_callers_who_hang_up_free_their_places(server: Server) -> None:
    with server.client(token("gus", org=("ORG_ADMIN",))) as gus:
        started(gus, "left", large(MEGABYTE))
        for _ in range(12):
            half_sent(server, "gus", "left").close()

        def edit() -> httpx.Response:
            version = int(gus.get(f"{BANK}/instances/left/variables?after_version=1").headers["etag"].strip('"'))
            return put(gus, "left", version, {**large(MEGABYTE), "edit": time.time()})

        until("gus can edit", edit, lambda answer: answer.status_code == 200)


def test_nothing_acknowledged_is_lost_when_the_process_of_the_large_ones_is_killed(server: Server) -> None:
    """What was not acknowledged was told to be uncertain, and is either there as a whole or not at all."""
    document = large(MEGABYTE)
    acknowledged: dict[int, int] = {}
    refused: list[httpx.Response] = []
    enough = threading.Event()

    def edit() -> None:
        with server.client(token("kim", org=("ORG_ADMIN",))) as http:
            version = number = 1
            while not enough.is_set():
                number += 1
                answer = put(http, "killed", version, {**document, "edit": number})
                if answer.status_code == 200:
                    version = answer.json()["version"]
                    acknowledged[version] = number
                elif answer.status_code == 412:  # one that was not acknowledged is there all the same
                    version = answer.json()["current_version"]
                else:
                    refused.append(answer)

    def wait_for_edits(more: int) -> None:
        enough_edits = len(acknowledged) + more
        until("more edits", lambda: editing.done() or len(acknowledged) >= enough_edits)

    with server.client() as http, ThreadPoolExecutor() as pool:
        started(http, "killed", document)
        editing = pool.submit(edit)
        try:
            for _ in range(3):
                wait_for_edits(2)
                os.kill(lane_pid(server), signal.SIGKILL)
            wait_for_edits(2)
        finally:
            enough.set()
        editing.result()
        for version, number in acknowledged.items():
            assert http.get(f"{BANK}/instances/killed/variables?version={version}").json()["edit"] == number
    assert {(answer.status_code, answer.json()["type"]) for answer in refused} <= {
        (503, "urn:procvars:heavy-request-failed")
    }


def test_a_server_that_stops_answers_what_it_accepted(new_server: NewServer) -> None:
    """And leaves no process behind."""
    server = new_server()
    publish(server)
    document = large(4 * MEGABYTE)
    with server.client() as http:
        started(http, "stopped", document)
        lane = lane_pid(server)
        with ThreadPoolExecutor() as pool:
            editing = pool.submit(put, http, "stopped", 1, {**document, "edit": 1})
            time.sleep(0)
            server.stop()
            try:
                answer = editing.result()
            except httpx.TransportError:
                answer = None  # it came when nobody listened any more
    until("the lane is gone", lambda: not is_alive(lane))
    if answer is not None:
        assert answer.status_code == 200 or answer.json()["type"] == "urn:procvars:stopping"
    server.start()
    if answer is not None and answer.status_code == 200:
        with server.client() as http:  # the read model may learn of it only now
            assert http.get(f"{BANK}/instances/stopped/variables?after_version=2").headers["etag"] == '"2"'


def test_a_killed_server_takes_its_lane_with_it(new_server: NewServer) -> None:
    server = new_server()
    publish(server)
    with server.client() as http:
        started(http, "orphan", large(MEGABYTE))
    lane = lane_pid(server)
    server.kill()
    until("the lane is gone", lambda: not is_alive(lane))


def test_memory_comes_back(new_server: NewServer) -> None:
    """Also after documents that are some hundred times as large in memory as on disk, and after all that reads them."""
    server = new_server()
    publish(server)
    worst = {"rows": [{}] * MEGABYTE, "edit": 0}  # 3 MiB of JSON
    with server.client() as http:
        started(http, "warm", large(100_000))
        http.get(f"{BANK}/instances/warm/sync?wait=30")
        lane_pid(server)
        before = memory_of(processes(server_pid(server)))
        started(http, "worst", worst)
        for version in range(1, 6):
            assert put(http, "worst", version, {**worst, "edit": version}).status_code == 200
            http.get(f"{BANK}/instances/worst/variables?version={version}")
            http.get(f"{BANK}/instances/worst/variables/history")
            http.get(f"{BANK}/events?after=0")
        http.get(f"{BANK}/instances/worst/sync?wait=30")
        kept = 150 * 2**20  # what windows and caches of all processes may have
        until(
            "it is as it was, about", lambda: memory_of(processes(server_pid(server))), lambda now: now < before + kept
        )


def test_a_lane_that_cannot_start_is_said(new_server: NewServer, tmp_path: Path) -> None:
    """Large edits are refused and change nothing, small ones are made, and `/readyz` names what fails."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys, types\n"
        "sys.modules['procvars.api.children.heavy_lane'] = types.SimpleNamespace(main=lambda: os._exit(1))\n"
    )
    server = new_server(environment={"PYTHONPATH": str(tmp_path)})
    publish(server)
    with server.client() as http:
        instance = started(http, "lane-fails", {"edit": 0})

        def refused() -> bool:
            answer = put(http, instance, 1, large(MEGABYTE))
            assert answer.status_code == 503, answer.text
            return str(answer.json()["type"]) == "urn:procvars:heavy-request-failed"

        until("a large edit is refused", refused)
        until(
            "the lane is named",
            lambda: http.get(f"{server.address}/readyz").json(),
            lambda ready: (ready["status"], ready["tasks"]) == ("degraded", ["heavy lane"]),
        )
        assert put(http, instance, 1, {"edit": 1}).json()["version"] == 2
