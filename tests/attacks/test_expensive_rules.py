"""One user's rules cost one user: others edit, the server answers, read models follow, also after a restart."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.domain.definition import definition_stream
from procvars.domain.documents.values import Document
from procvars.domain.events import DefinitionPublished, Event, InstanceStarted, ProcessVariablesModified, TaskOpened
from procvars.projections.registry import PROJECTION_NAMES
from tests import plain_http
from tests.api.bank import define, open_task, put, start, states, synced, variables
from tests.conftest import NewServer, Server, token
from tests.waiting import until

MALLORY = token("mallory", workspaces={"attic": ("WORKSPACE_ADMIN", "ENGINE")})
ATTIC = "/workspaces/attic"
DESCENTS = "$..*..*..*..*..*..*"
BACKTRACKING = "$[?search(@.s,'(a+)+$')]"
_STORE = "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, %s, %s)"


def deep(levels: int, name: str = "name") -> Document:
    document: Document = {name: 1}
    for _ in range(levels - 1):
        document = {name: document}
    return document


@contextmanager
def others_work(server: Server) -> Iterator[None]:
    """Somebody else edits and the load balancer asks for the server's health, until the attack is over."""
    over, failures, edits = threading.Event(), list[BaseException](), 0

    def work() -> None:
        nonlocal edits
        try:
            with server.client() as api:
                instance = start(api, {"n": 0})
                while not over.is_set():
                    put(api, instance, {"n": edits + 1}, edits + 1).raise_for_status()
                    plain_http.get(f"{server.address}/healthz", timeout=20).raise_for_status()
                    edits += 1
                synced(api, instance)
                assert variables(api, instance) == {"n": edits}
        except BaseException as failure:
            failures.append(failure)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield
        before = edits
        until("another edit by somebody else", lambda: failures or edits > before + 1, seconds=60)
    finally:
        over.set()
        worker.join(timeout=120)
    if failures:
        raise failures[0]


def published(api: httpx.Client, key: str = "loan", **rules: Any) -> httpx.Response:
    body = {"name": "Attic", "keywords": [], "search": [], "task_fields": [], **rules}
    return api.put(f"{ATTIC}/definitions/{key}", json=body)


def rules(*paths: str) -> dict[str, Any]:
    fields = [{"key": f"k{number}", "path": path} for number, path in enumerate(paths)]
    return {"keywords": fields, "task_fields": fields, "search": [{**field, "type": "text"} for field in fields]}


def begun(api: httpx.Client, document: Any) -> str:
    answer = api.post(f"{ATTIC}/instances", json={"definition": "loan", "variables": document})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def saved(api: httpx.Client, instance: str, document: Any, version: int = 1) -> httpx.Response:
    return api.put(f"{ATTIC}/instances/{instance}/variables", json=document, headers={"If-Match": f'"{version}"'})


@pytest.mark.parametrize(
    "refused",
    [
        rules(DESCENTS),
        rules("$[?@[?@[?@[?@.a]]]]"),
        rules("$[?search(@.s,'(?=a)')]"),
        rules("$[?search(@.s,'(a{99}){99}')]"),
        {"schema": {"$ref": "#"}},
        {"schema": {"$ref": "http://169.254.169.254/latest/meta-data"}},
        {"schema": {"properties": {"a": {"$ref": "#/$defs/none"}}}},
        {"schema": {"$schema": "http://json-schema.org/draft-03/schema#"}},
        {"schema": {"$schema": "https://example.com/own-vocabulary"}},
        {"schema": {"properties": {"s": {"pattern": "(a)\\1"}}}},
        {"schema": {"allOf": [{"type": "object"}] * 1_001}},
        {"schema": {"description": "x" * 300_000}},
    ],
)
def test_what_can_be_known_is_refused_when_it_is_published(server: Server, refused: dict[str, Any]) -> None:
    """With the place of every mistake; nothing is stored."""
    with server.client(MALLORY) as api:
        answer = published(api, "never", **refused)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:procvars:invalid-definition")
        assert all({"path", "message"} == set(error) for error in answer.json()["errors"])
        assert api.get(f"{ATTIC}/definitions/never").status_code == 404


@pytest.mark.parametrize(
    ("rule", "document"),
    [
        (rules("$..*..*..*"), deep(150, "s")),
        (rules("$..[?$..*]"), {"l": [[0] * 30] * 60}),
        (rules("$.l[?search(@, $.p)]"), {"l": ["a" * 1_000] * 100, "p": "(a|b)*a(a|b){200}c"}),
        ({"schema": {"properties": {"l": {"items": {"allOf": [{"type": "integer"}] * 999}}}}}, {"l": [1] * 30_000}),
        ({"schema": {"properties": {"s": {"pattern": "(a|b)*a(a|b){200}c"}}}}, {"s": "ab" * 100_000}),
    ],
)
def test_an_edit_that_would_take_too_much_work_is_refused_with_the_rule(
    server: Server, rule: dict[str, Any], document: Document
) -> None:
    """By every way to make it; others go on meanwhile. The engine's own writes go through."""
    with server.client(MALLORY) as api, others_work(server):
        published(api, **rule).raise_for_status()
        instance = begun(api, {"n": 0})
        address = f"{ATTIC}/instances/{instance}"
        patch = {"Content-Type": "application/merge-patch+json", "If-Match": '"1"'}

        def previewed() -> int:
            return api.post(f"{address}/variables/preview", json=document).status_code

        # The process that works on large documents may know a definition for a second after it was replaced.
        until("the rule is known", previewed, lambda status: status == 422)
        answers = [saved(api, instance, document) for _ in range(5)]
        answers.append(api.patch(f"{address}/variables", json=document, headers=patch))
        answers.append(api.post(f"{address}/variables/preview", json=document))
        for answer in answers:
            assert (answer.status_code, answer.json()["type"]) == (422, "urn:procvars:rule-too-expensive")
        expected = {"group": "schema"} if "schema" in rule else {"group": "keywords", **rule["keywords"][0]}
        assert answers[0].json()["rule"] == expected
        assert api.get(f"{address}/variables").json() == {"n": 0}

        written = {"Content-Type": "application/merge-patch+json"}
        api.post(f"{address}/data", content=json.dumps(document), headers=written).raise_for_status()
        saved(api, instance, {"n": 1}, 2).raise_for_status()
        restored = api.post(f"{address}/snapshots/3/restore", headers={"If-Match": '"3"'})
        reapplied = api.post(f"{address}/modifications/3/reapply", headers={"If-Match": '"3"'})
        assert restored.json()["type"] == "urn:procvars:rule-too-expensive"
        assert reapplied.status_code in (200, 409, 422)
        synced(api, instance, ATTIC)


@pytest.mark.parametrize(
    ("rule", "document"),
    [
        (rules(BACKTRACKING), {"x": {"s": "a" * 50_000 + "!"}}),
        (rules("$..name"), deep(151)),
        (rules("$..name"), deep(200)),
        ({"schema": {"properties": {"s": {"type": "string", "pattern": "^(a+)+$"}}}}, {"s": "a" * 50_000}),
        ({"schema": {"properties": {"l": {"uniqueItems": True}}}}, {"l": [{"a": n, "b": [n]} for n in range(3_000)]}),
    ],
)
def test_what_used_to_hang_or_park_is_followed(server: Server, rule: dict[str, Any], document: Document) -> None:
    """The edit is made and every read model follows it; the keyword is found by whoever looks for it."""
    with server.client(MALLORY) as api, others_work(server):
        published(api, **rule).raise_for_status()
        instance = begun(api, {"n": 0})
        saved(api, instance, document).raise_for_status()
        synced(api, instance, ATTIC)
        assert api.get(f"{ATTIC}/instances/{instance}/variables").json() == document
    with server.client() as operator:
        assert {state["parked"] for state in states(operator).values()} == {0}


def test_a_definition_published_over_deep_documents_reaches_everybody(server: Server) -> None:
    """To derive 151 and 199 levels anew must not park the definition's own stream."""
    with server.client(MALLORY) as api:
        published(api, **rules("$.other")).raise_for_status()
        instances = [begun(api, deep(levels)) for levels in (151, 199)]
        instances.append(begun(api, {"name": "Grace"}))
        for instance in instances:
            api.post(f"{ATTIC}/instances/{instance}/tasks", json={"title": "Review"}).raise_for_status()
        published(api, **rules("$..name")).raise_for_status()
        found = until(
            "the new keyword",
            lambda: api.get(f"{ATTIC}/tasks", params={"keyword": "Grace"}).raise_for_status().json()["items"],
        )
        assert [task["instance_id"] for task in found] == [instances[-1]]
        tasks = api.get(f"{ATTIC}/tasks", params={"instance_id": instances[0]}).json()["items"]
        assert len(tasks[0]["keywords"]["k0"]) == 151


def hostile_events() -> list[Event]:
    """What an earlier release stored: definitions that are refused now, and documents under them."""
    found: list[Event] = []
    header: dict[str, Any] = {
        "workspace": "attic",
        "user": "mallory",
        "user_name": "Mallory",
        "timestamp": datetime(2026, 1, 1, tzinfo=UTC),
    }
    definitions: dict[str, tuple[list[str], Any]] = {
        "descents": ([DESCENTS], None),
        "backtracking": (
            [BACKTRACKING, "$[?search(@.s,'(?=a)b')]"],
            {"properties": {"s": {"pattern": "^(?=a)(a+)+$"}}},
        ),
        "endless": (["$..name", "no path"], {"$ref": "#"}),
        "remote": (["$..*"], {"properties": {"a": {"$ref": "https://example.com/schema"}}}),
    }
    documents: list[Document] = [deep(100, "s"), deep(151), deep(200), {"x": {"s": "a" * 30_000 + "!"}}]
    for key, (paths, schema) in definitions.items():
        fields = [{"key": f"k{number}", "path": path} for number, path in enumerate(paths)]
        found.append(
            DefinitionPublished(
                **header,
                originator_id=definition_stream("attic", key),
                originator_version=1,
                key=key,
                name=key,
                keywords=fields,
                search=[{**field, "type": "text"} for field in fields],
                task_fields=fields,
                json_schema=schema,
            )
        )
        for number, document in enumerate(documents):
            stream = {**header, "originator_id": f"{key}-{number}"}
            found += [
                InstanceStarted(
                    **stream, originator_version=1, definition=key, title=key, variables={}, parent_id=None
                ),
                TaskOpened(
                    **stream,
                    originator_version=2,
                    task_id=f"t-{key}-{number}",
                    title="t",
                    node=None,
                    assignee=None,
                    metadata={},
                ),
                ProcessVariablesModified(
                    **stream,
                    originator_version=3,
                    patch=[{"op": "replace", "path": "", "value": document}],
                    previous={},
                    reason=None,
                    url="/",
                    body=document,
                    kind="put",
                    base_version=2,
                    idempotency_key=None,
                    fingerprint=None,
                    bulk_id=None,
                    warnings=[],
                ),
            ]
    return found


def test_a_server_starts_over_what_an_earlier_release_stored(new_server: NewServer, tmp_path: Path) -> None:
    """Batches end, nothing is parked, projections can be paused, others' read models are current; edits are possible."""
    with embedded_postgres(tmp_path / "stored") as url:
        server = new_server(database_url=url)
        with server.client() as api:
            define(api)
        server.stop()
        mapper = EventMapper()
        with psycopg.connect(url) as database:
            for event in hostile_events():
                stored = mapper.to_stored_event(event)
                values = (stored.originator_id, stored.originator_version, stored.topic, stored.state)
                database.execute(_STORE, values)
        server.start()
        with server.client() as api, server.client(MALLORY) as mallory, others_work(server):
            instance = start(api, {"customer": {"name": "Ada"}})
            open_task(api, instance)
            synced(api, instance)
            for key in ("descents", "backtracking", "endless", "remote"):
                for number in range(4):
                    synced(mallory, f"{key}-{number}", ATTIC)
            assert {state["parked"] for state in states(api).values()} == {0}
            for name in PROJECTION_NAMES:
                api.post(f"/projections/{name}/pause").raise_for_status()
                api.post(f"/projections/{name}/resume").raise_for_status()

            refused = saved(mallory, "descents-1", deep(60, "s"), 3)
            assert refused.json()["type"] == "urn:procvars:rule-too-expensive"
            for key in ("backtracking", "endless", "remote"):
                edited = saved(mallory, f"{key}-3", {"s": "aaa"}, 3)
                assert edited.status_code == 200, edited.text
                assert [warning["code"] for warning in edited.json()["warnings"]] == ["schema-not-checked"]
            left_out = "values of a rule are left out"
            assert left_out in (server.data_dir / f"server-{server.port}.log").read_text()
        server.kill()
        server.start()
        with server.client() as api:
            put(api, instance, {"customer": {"name": "Grace"}}).raise_for_status()
            synced(api, instance)
