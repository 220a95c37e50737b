"""Import of instances with their history from another system."""

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, define, put, start, states, synced, variables
from tests.command_line import run
from tests.conftest import Server, token
from tests.waiting import until

ENGINE = token("mover", workspaces={"bank": ("ENGINE",)})
START, EDIT, END = "2019-03-01T09:00:00Z", "2019-03-02T10:30:00.25Z", "2019-04-01T00:00:00Z"


@pytest.fixture
def mover(server: Server, api: httpx.Client) -> Iterator[httpx.Client]:
    """The account that imports, in a workspace that has the definition."""
    define(api)
    with server.client(ENGINE) as client:
        yield client


def event(kind: str, time: str, user: str, /, **payload: Any) -> dict[str, Any]:
    return {"type": kind, "time": time, "actor": {"user": user, "name": user.title()}, "payload": payload}


def line(instance: str | None = None, *events: dict[str, Any], income: int = 50000) -> dict[str, Any]:
    """An instance that Walter corrected, and that has ended; with `events`, one to which they happened."""
    before = {"application": {"income": income}, "customer": {"name": "Jane Smith"}}
    after = {**before, "application": {"income": 75000}}
    usual = (
        event("TaskOpened", START, "engine", task_id="t-1", title="Review"),
        event("ProcessVariablesModified", EDIT, "walter", variables=after, reason="typing error", url="http://old/1"),
        event("InstanceStatusChanged", END, "engine", status="FINISHED"),
    )
    begun = event("InstanceStarted", START, "engine", definition="loan", title="Old loan", variables=before)
    return {"id": instance or f"old-{uuid4()}", "events": [begun, *(events or usual)]}


def body_of(*lines: Any) -> bytes:
    return b"".join((one if isinstance(one, bytes) else json.dumps(one).encode()) + b"\n" for one in lines)


def send(api: httpx.Client, content: bytes, workspace: str = W) -> httpx.Response:
    return api.post(f"{workspace}/imports", content=content, headers={"Content-Type": "application/x-ndjson"})


def imported(api: httpx.Client, *lines: Any) -> dict[str, Any]:
    answer = send(api, body_of(*lines))
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def counts(report: dict[str, Any]) -> tuple[int, int, int, int]:
    return report["imported"], report["skipped"], report["conflicts"], report["refused"]


def test_an_imported_instance_has_the_times_and_users_that_it_had(api: httpx.Client, mover: httpx.Client) -> None:
    """In its item, history, blame, snapshot and audit entry, in a search and in its tasks; with who imported it."""
    sent = line()
    name = sent["id"]
    report = imported(mover, sent)
    assert counts(report) == (1, 0, 0, 0)
    assert (report["lines"], report["events"], report["errors"]) == (1, 4, [])
    assert synced(api, name)["version"] == 4

    item = api.get(f"{W}/instances/{name}").json()
    assert (item["title"], item["status"], item["version"]) == ("Old loan", "FINISHED", 4)
    assert (item["started_at"], item["updated_at"]) == (START, END)
    history = api.get(f"{W}/instances/{name}/variables/history").json()["items"]
    told = [(one["version"], one["time"], one["user"], one["reason"], one["origin"]) for one in history]
    assert told == [
        (3, "2019-03-02T10:30:00.250000Z", "walter", "typing error", "import"),
        (1, START, "engine", None, "import"),
    ]
    blame = {one["path"]: one for one in api.get(f"{W}/instances/{name}/variables/blame").json()["items"]}
    assert (blame["/application/income"]["user"], blame["/application/income"]["origin"]) == ("walter", "import")
    (snapshot,) = api.get(f"{W}/instances/{name}/snapshots").json()["items"]
    assert (snapshot["version"], snapshot["user"]) == (3, "walter")
    (entry,) = api.get(f"{W}/audit-log", params={"instance_id": name}).json()["items"]
    assert (entry["user_name"], entry["timestamp"]) == ("Walter", "2019-03-02T10:30:00.250000Z")
    one = api.get(f"{W}/audit-log/{entry['id']}").json()
    assert (one["url"], one["body"]["application"], one["imported"]["user"]) == (
        "http://old/1", {"income": 75000}, "mover",
    )  # fmt: skip
    found = api.post(f"{W}/search", json={"keys": [{"key": "income", "value": 75000}], "started_before": EDIT}).json()
    assert name in [hit["instance_id"] for hit in found["hits"]]
    (task,) = api.get(f"{W}/tasks", params={"instance_id": name}).json()["items"]
    assert (task["task_id"], task["keywords"]["customer"]) == ("t-1", "Jane Smith")
    assert variables(api, name, version=2)["application"] == {"income": 50000}
    assert variables(api, name, at="2019-03-02T00:00:00Z")["application"] == {"income": 50000}


def test_the_feed_tells_imported_events_apart(api: httpx.Client, mover: httpx.Client) -> None:
    """By `origin`, with who imported them and when; other events have neither."""
    after = api.get(f"{W}/events", params={"after": "latest"}).json()["next"]
    native = start(api, {})
    sent = line()
    report = imported(mover, sent)
    events = api.get(f"{W}/events", params={"after": after}).json()["items"]
    origins = {(one["instance_id"], one.get("origin")) for one in events}
    assert origins == {(native, None), (sent["id"], "import")}
    last = events[-1]
    assert (last["position"], last["time"][:10]) == (report["position"], END[:10])
    assert (last["imported"]["user"], last["imported"]["name"]) == ("mover", "Mover")
    assert last["imported"]["time"] > last["time"]


def test_the_same_lines_again_change_nothing(api: httpx.Client, mover: httpx.Client) -> None:
    """Also where more has happened to the instance since."""
    edited = line(None, event("VariablesWritten", EDIT, "engine", variables={"application": {"income": 1}}))
    lines = [line(), edited, line()]
    assert counts(imported(mover, *lines)) == (3, 0, 0, 0)
    put(api, edited["id"], {"application": {"income": 2}}).raise_for_status()
    report = imported(mover, *lines)
    assert (counts(report), report["events"], report["position"]) == ((0, 3, 0, 0), 0, 0)
    assert variables(api, edited["id"], version=3) == {"application": {"income": 2}}


def test_another_history_is_a_conflict_of_its_line(api: httpx.Client, mover: httpx.Client) -> None:
    """One that differs, that is longer, or of another workspace; the rest goes on, and what was here stays."""
    here, native, elsewhere = line(), start(api, {"a": 1}), line()
    assert counts(imported(mover, here)) == (1, 0, 0, 0)
    other = "/workspaces/bank2"
    api.put(f"{other}/definitions/loan", json={"name": "L", "keywords": [], "search": [], "task_fields": []})
    assert send(api, body_of(elsewhere), other).json()["imported"] == 1
    running = line(None, event("TaskOpened", EDIT, "engine", task_id="t", title="T"))
    longer = {**running, "events": [*running["events"], event("TaskClosed", END, "engine", task_id="t")]}
    assert counts(imported(mover, running)) == (1, 0, 0, 0)
    report = imported(mover, line(here["id"], income=1), line(native), longer, elsewhere, line())
    assert counts(report) == (1, 0, 4, 0)
    assert [(one["line"], one["id"], one["type"]) for one in report["errors"]] == [
        (number, name, "urn:procvars:history-conflict")
        for number, name in enumerate((here["id"], native, running["id"], elsewhere["id"]), 1)
    ]
    assert variables(api, here["id"], version=1)["application"] == {"income": 50000}
    assert (api.get(f"{W}/instances/{native}/sync").json()["version"], variables(api, native)) == (1, {"a": 1})


def test_two_lines_of_one_instance(mover: httpx.Client) -> None:
    """The first is imported; the second is skipped or a conflict."""
    once = line()
    assert counts(imported(mover, once, once, line(once["id"], income=1))) == (1, 1, 1, 0)


WRONG: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "no JSON": (b'{"id": "x",}', "invalid-json", {"column": 11}),
    "duplicate key": (b'{"id": "x", "id": "x", "events": []}', "duplicate-key", {}),
    "no object": (b"[]", "invalid-argument", {}),
    "no events": ({"id": "x", "events": []}, "invalid-argument", {}),
    "unknown member": ({**line(), "workspace": "bank"}, "invalid-argument", {}),
    "impossible id": (line("definition:bank:loan"), "invalid-history", {}),
    "unknown definition": (
        {"id": "x", "events": [event("InstanceStarted", START, "e", definition="none", variables={})]},
        "definition-not-found", {},
    ),
    "variables that are no object": (
        {"id": "x", "events": [event("InstanceStarted", START, "e", definition="loan", variables=[])]},
        "not-an-object", {"version": 1},
    ),
    "no start": ({"id": "x", "events": line()["events"][1:]}, "invalid-history", {"version": 1}),
    "two starts": (line(None, line()["events"][0]), "invalid-history", {"version": 2}),
    "unknown type": (line(None, event("Happened", EDIT, "e")), "invalid-argument", {}),
    "of a real engine": (
        line(None, event("VariableTypesObserved", EDIT, "e", engine="c7", types={})), "invalid-argument", {},
    ),
    "unknown member of a payload": (line(None, event("TaskClosed", EDIT, "e", task="t")), "invalid-argument", {}),
    "a time without a zone": (line(None, event("TaskClosed", EDIT[:-1], "e", task_id="t")), "invalid-argument", {}),
    "a time as a number": (
        line(None, {**event("TaskClosed", EDIT, "e", task_id="t"), "time": 1551520200}), "invalid-argument", {},
    ),
    "a time before the last": (
        line(None, event("VariablesWritten", "2019-03-01T08:59:59Z", "e", variables={})), "invalid-history", {},
    ),
    "a time to come": (line(None, event("VariablesWritten", "9000-01-01T00:00:00Z", "e", variables={})),
                       "invalid-history", {"version": 2}),
    "another version": (
        line(None, {**event("VariablesWritten", EDIT, "e", variables={}), "instance_version": 3}), "invalid-argument", {},
    ),
    "a newer release": (
        line(None, {**event("VariablesWritten", EDIT, "e", variables={}), "schema_version": 9}), "invalid-argument", {},
    ),
    "another previous document": (
        line(None, event("VariablesWritten", EDIT, "e", variables={}, previous={"a": 1})), "invalid-history", {},
    ),
    "a patch that does not apply": (
        line(None, event("VariablesWritten", EDIT, "e", patch=[{"op": "remove", "path": "/none"}])), "patch-failed", {},
    ),
    "a patch that is none": (line(None, event("VariablesWritten", EDIT, "e", patch=[1])), "invalid-patch", {}),
    "a patch and other variables": (
        line(None, event("VariablesWritten", EDIT, "e", patch=[{"op": "add", "path": "/n", "value": 1}], variables={})),
        "invalid-history", {},
    ),
    "a body that was not saved": (
        line(None, event("ProcessVariablesModified", EDIT, "w", variables={}, kind="put", body={"a": 1})),
        "invalid-history", {},
    ),
    "a write of nothing": (line(None, event("VariablesWritten", EDIT, "e")), "invalid-history", {}),
    "a write that changes nothing": (
        line(None, event("VariablesWritten", EDIT, "e", variables=line()["events"][0]["payload"]["variables"])),
        "invalid-history", {},
    ),
    "after the end": (line(None, *line()["events"][1:], event("VariablesWritten", END, "e", variables={})),
                      "instance-not-active", {"version": 5}),
    "a closed task": (line(None, event("TaskClosed", EDIT, "e", task_id="none")), "no-such-task", {}),
    "no such snapshot": (
        line(None, event("NavigatedBack", EDIT, "e", node="a", reset_data=True)), "no-such-navigation-snapshot", {},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_line_is_refused_alone(api: httpx.Client, mover: httpx.Client, case: str) -> None:
    """With its number, its problem and where it is; nothing of it is here, and the lines around it are imported."""
    wrong, slug, members = WRONG[case]
    first, last = line(), line()
    report = imported(mover, first, b"", wrong, last)
    assert (counts(report), report["lines"]) == ((2, 0, 0, 1), 3)
    (error,) = report["errors"]
    assert (error["line"], error["type"]) == (3, f"urn:procvars:{slug}"), error
    assert {name: error[name] for name in members} == members
    name = wrong["id"] if isinstance(wrong, dict) else "x"
    assert api.get(f"{W}/instances/{name}/sync").status_code == 404


def test_errors_are_listed_up_to_a_hundred(mover: httpx.Client) -> None:
    """The others are counted."""
    report = imported(mover, *([b"nothing"] * 130))
    assert (counts(report), len(report["errors"]), report["errors_omitted"]) == ((0, 0, 0, 130), 100, 30)


def test_an_import_is_ndjson(mover: httpx.Client) -> None:
    """Another content type is refused."""
    answer = mover.post(f"{W}/imports", json=line())
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:procvars:unsupported-media-type")


@pytest.mark.parametrize("roles", [("VIEWER",), ("WORKSPACE_ADMIN",)])
@pytest.mark.parametrize("lines", [1, 500])
def test_a_person_imports_nothing(server: Server, api: httpx.Client, roles: tuple[str, ...], lines: int) -> None:
    """Who imports, writes in the names of others: only the engine's account may, however much is sent."""
    sent = [line() for _ in range(lines)]
    with server.client(token("eve", workspaces={"bank": roles})) as person:
        answer = send(person, body_of(*sent))
    assert (answer.status_code, answer.json()["permission"]) == (403, "wks_process_instance_execute")
    assert api.get(f"{W}/instances/{sent[0]['id']}/sync").status_code == 404


def test_numbers_are_kept_as_they_were_written(api: httpx.Client, mover: httpx.Client) -> None:
    """In the start, in a patch and in what is read at every version; `\\u0000` and the order of members too."""
    name = f"old-{uuid4()}"
    before = '{"z":1.10,"a":1e400,"n":12345678901234567890.123,"t":"\\u0000"}'
    after = '{"z":1.10,"a":1e400,"n":0.083333333333333333333,"t":"\\u0000"}'
    text = json.dumps(
        line(name, event("VariablesWritten", EDIT, "e", patch=[{"op": "replace", "path": "/n", "value": "N"}]))
    )
    usual = json.dumps(line()["events"][0]["payload"]["variables"])
    sent = text.replace(usual, before).replace('"N"', "0.083333333333333333333").encode()
    assert counts(imported(mover, sent)) == (1, 0, 0, 0)
    assert counts(imported(mover, sent)) == (0, 1, 0, 0)
    assert counts(imported(mover, sent.replace(b"1.10", b"1.1"))) == (0, 0, 1, 0)
    for version, expected in ((1, before), (2, after)):
        found = api.get(f"{W}/instances/{name}/variables", params={"version": version}).text
        assert found == expected


def test_what_the_feed_said_can_be_imported_elsewhere(api: httpx.Client) -> None:
    """The events of an instance as they came, into another workspace: the same document at every version."""
    original = start(api, {"a": [1, {"b": 1.50}], "c": "x"})
    api.post(f"{W}/instances/{original}/navigation-snapshots", json={"node": "n"}).raise_for_status()
    put(api, original, b'{"c":"x","a":[1,{"b":1.5,"e":[]}]}').raise_for_status()
    api.post(f"{W}/instances/{original}/navigate-back", json={"node": "n", "reset_data": True}).raise_for_status()
    after, events = 0, list[Any]()
    while page := api.get(f"{W}/events", params={"after": after, "limit": 500}).json()["items"]:
        events += [one for one in page if one["instance_id"] == original]
        after = page[-1]["position"]
    other = "/workspaces/copies"
    api.put(f"{other}/definitions/loan", json={"name": "L", "keywords": [], "search": [], "task_fields": []})
    copy = f"copy-{uuid4()}"
    report = send(api, body_of({"id": copy, "events": events}), other).json()
    assert (counts(report), report["events"]) == ((1, 0, 0, 0), 4), report
    for version in range(1, 5):
        texts = {
            api.get(f"{workspace}/instances/{name}/variables", params={"version": version}).text
            for workspace, name in ((W, original), (other, copy))
        }
        assert len(texts) == 1


def test_old_events_are_no_lag(api: httpx.Client, mover: httpx.Client) -> None:
    """A read model that has not come to an imported event is behind since the import, not since 2019."""
    api.post("/projections/audit_log/pause").raise_for_status()
    try:
        imported(mover, line())
        lag = states(api)["audit_log"]
        assert lag["lag_events"] >= 4
        assert lag["lag_seconds"] < 24 * 3600
    finally:
        api.post("/projections/audit_log/resume").raise_for_status()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of this module's own, whose documents have at most 100 KB."""
    server = Server(tmp_path_factory.mktemp("imports"), environment={"PROCVARS_MAX_DOCUMENT_BYTES": "100000"}).start()
    with server.client() as api:
        define(api)
    yield server
    server.stop()


def test_everything_treats_them_as_any_others(small: Server) -> None:
    """Verification, comparison with a rebuilt read model, and a rebuild of it."""
    back = line(
        None,
        event("NavigationSnapshotTaken", START, "engine", node="n"),
        event("ProcessVariablesModified", EDIT, "walter", variables={"a": 1}, reason="r"),
        event("NavigatedBack", EDIT, "engine", node="n", reset_data=True),
        event("IntegrationCalled", EDIT, "engine", integration_id="i", name="bureau", request={}),
        event("SubprocessStarted", EDIT, "engine", child_id="c", definition="loan"),
    )
    with small.client() as api:
        assert counts(send(api, body_of(back, line())).json()) == (2, 0, 0, 0)
        synced(api, back["id"])
        verified = run(small.environ(), "history", "verify", "--all")
        assert verified.returncode == 0, verified.stdout
        with ThreadPoolExecutor(2) as pool:
            checks = pool.map(lambda name: run(small.environ(), "projections", "check", name), PROJECTION_NAMES)
        for checked in checks:
            assert checked.returncode == 0, (checked.stdout, checked.stderr)
        rebuilt = run(small.environ(), "projections", "rebuild", "audit_log", "--yes")
        assert rebuilt.returncode == 0, rebuilt.stderr
        (entry,) = api.get(f"{W}/audit-log", params={"instance_id": back["id"]}).json()["items"]
        assert (entry["user"], entry["timestamp"][:10]) == ("walter", EDIT[:10])


def test_a_body_may_be_of_any_length(small: Server) -> None:
    """Twenty times what another call may send; a line that is too long, and variables that are, are refused alone."""
    large = line(None, event("VariablesWritten", EDIT, "e", variables={"text": "x" * 100_000}))
    long = line(None, event("VariablesWritten", EDIT, "e", variables={"text": "x" * 900_000}))
    lines = [line() for _ in range(4000)]
    body = body_of(*lines[:2000], large, long, *lines[2000:])
    assert len(body) > 20 * 100_000
    with small.client(ENGINE) as mover:
        report = send(mover, body).json()
        assert counts(report) == (4000, 0, 0, 2)
        assert [(one["line"], one["type"]) for one in report["errors"]] == [
            (2001, "urn:procvars:document-too-large"), (2002, "urn:procvars:line-too-long"),
        ]  # fmt: skip
        assert counts(send(mover, body).json()) == (0, 4000, 0, 2)


def test_a_torn_import_is_sent_again(small: Server) -> None:
    """What had arrived is imported, each instance as a whole; the same again completes it."""
    lines = [line() for _ in range(1200)]
    body = body_of(*lines)
    cut = len(body_of(*lines[:800])) - 100
    with small.client(ENGINE) as mover:
        head = (
            f"POST /api/v1{W}/imports HTTP/1.1\r\nHost: x\r\nAuthorization: {mover.headers['authorization']}\r\n"
            f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", small.port)) as connection:
            connection.sendall(head.encode() + body[:cut])
            first = f"{W}/instances/{lines[300]['id']}/sync"
            until("the beginning is imported", lambda: mover.get(first).is_success)
        versions = [
            answer.json()["version"]
            for one in lines[::50]
            if (answer := mover.get(f"{W}/instances/{one['id']}/sync")).is_success
        ]
        assert set(versions) == {4}
        report = send(mover, body).json()
        assert report["refused"] == report["conflicts"] == 0
        assert report["skipped"] >= 300
        assert report["imported"] + report["skipped"] == 1200
