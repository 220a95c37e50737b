"""Named consumers of the feed: `sync` says whether each of them applied an edit."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests import plain_http
from tests.api.bank import W, put, start
from tests.conftest import Server, token

ENGINE = token("engine", workspaces={"bank": ("ENGINE",)})


@pytest.fixture
def consumer(api: httpx.Client) -> Iterator[str]:
    """A name of the test's own, forgotten afterwards."""
    name = f"ledger-{uuid4()}"
    yield name
    api.delete(f"{W}/consumers/{name}")


def acknowledge(api: httpx.Client, name: str, position: int, *refused: tuple[int, str]) -> httpx.Response:
    body: dict[str, Any] = {"position": position}
    if refused:
        body["refused"] = [{"position": at, "reason": reason} for at, reason in refused]
    return api.put(f"{W}/consumers/{name}", json=body)


def positions(api: httpx.Client, instance: str) -> list[int]:
    """The positions of the instance's events, oldest first."""
    found: list[int] = []
    after = 0
    while True:
        page = api.get(f"{W}/events", params={"after": after, "limit": 500}).raise_for_status().json()
        if not page["items"]:
            return found
        found += [event["position"] for event in page["items"] if event["instance_id"] == instance]
        after = page["next"]


def arrival(api: httpx.Client, instance: str, name: str, workspace: str = W) -> dict[str, Any]:
    found = api.get(f"{workspace}/instances/{instance}/sync").raise_for_status().json()["consumers"][name]
    assert found.pop("acknowledged_at").endswith("Z")
    return dict(found)


def said(state: str, version: int, refused_version: int | None = None, detail: str | None = None) -> dict[str, Any]:
    """What `sync` says of a consumer."""
    return {
        "state": state,
        "version": version,
        "current": state == "applied",
        "refused_version": refused_version,
        "detail": detail,
    }


def edited(api: httpx.Client, edits: int) -> tuple[str, list[int]]:
    """An instance with that many edits, and the positions of its events."""
    instance = start(api, {"n": 0})
    for number in range(1, edits + 1):
        put(api, instance, {"n": number}).raise_for_status()
    return instance, positions(api, instance)


def test_an_edit_is_applied_once_the_consumer_has_come_to_it(api: httpx.Client, consumer: str) -> None:
    """Saved is not applied: until then it waits."""
    instance, (started, edit) = edited(api, 1)
    answer = acknowledge(api, consumer, started)
    assert answer.status_code == 200, answer.text
    status = answer.json()
    assert status.pop("acknowledged_at").endswith("Z")
    assert status == {"name": consumer, "position": started, "refused": 0}
    assert arrival(api, instance, consumer) == said("waiting", 1)
    acknowledge(api, consumer, edit).raise_for_status()
    assert arrival(api, instance, consumer) == said("applied", 2)
    put(api, instance, {"n": 2}).raise_for_status()
    assert arrival(api, instance, consumer) == said("waiting", 2)


def test_a_consumer_that_has_nothing_of_an_instance(api: httpx.Client, consumer: str) -> None:
    """It waits at version 0."""
    acknowledge(api, consumer, 0).raise_for_status()
    assert arrival(api, start(api, {}), consumer) == said("waiting", 0)


def test_a_refusal_stays_until_a_later_edit_is_applied(api: httpx.Client, consumer: str) -> None:
    """With its reason, though the consumer goes on and the engine writes; the correction of the operator ends it."""
    instance, (_, edit) = edited(api, 1)
    reason = "the loan is closed in the ledger"
    assert acknowledge(api, consumer, edit, (edit, reason)).json()["refused"] == 1
    assert arrival(api, instance, consumer) == said("refused", 2, 2, reason)
    merge = {"Content-Type": "application/merge-patch+json"}
    api.post(f"{W}/instances/{instance}/data", json={"m": 1}, headers=merge).raise_for_status()
    acknowledge(api, consumer, positions(api, instance)[-1]).raise_for_status()
    assert arrival(api, instance, consumer) == said("refused", 3, 2, reason)
    put(api, instance, {"n": 0}).raise_for_status()
    assert arrival(api, instance, consumer) == said("refused", 3, 2, reason)
    acknowledge(api, consumer, positions(api, instance)[-1]).raise_for_status()
    assert arrival(api, instance, consumer) == said("applied", 4)
    (kept,) = api.get(f"{W}/consumers/{consumer}").json()["refusals"]
    assert kept == {"position": edit, "instance_id": instance, "version": 2, "reason": reason}


def test_a_position_that_goes_back_takes_back_what_was_said(api: httpx.Client, consumer: str) -> None:
    """A consumer restored from a backup: edits behind its position wait again, refused ones too."""
    instance, (_, first, second) = edited(api, 2)
    acknowledge(api, consumer, second, (first, "no"), (second, "no")).raise_for_status()
    assert arrival(api, instance, consumer) == said("refused", 3, 3, "no")
    assert acknowledge(api, consumer, first).json()["refused"] == 1
    assert arrival(api, instance, consumer) == said("refused", 2, 2, "no")
    assert acknowledge(api, consumer, first - 1).json()["refused"] == 0
    assert arrival(api, instance, consumer) == said("waiting", 1)
    acknowledge(api, consumer, second).raise_for_status()
    assert arrival(api, instance, consumer) == said("applied", 3)


def test_a_repeated_acknowledgement_changes_nothing(api: httpx.Client, consumer: str) -> None:
    """Its answer may have been lost; the last reason counts."""
    instance, (_, edit) = edited(api, 1)
    for reason in ("no", "no", "not so"):
        assert acknowledge(api, consumer, edit, (edit, reason)).json()["refused"] == 1
    assert arrival(api, instance, consumer) == said("refused", 2, 2, "not so")


def test_many_refusals_in_one_call(api: httpx.Client, consumer: str) -> None:
    """As many as a call may have, with long reasons: a body that another process handles. One more is too many."""
    instance, (_, first, second) = edited(api, 2)
    refused = [(first if number % 2 else second, "x" * 900 + str(number)) for number in range(1000)]
    assert acknowledge(api, consumer, second, *refused).json()["refused"] == 2
    assert arrival(api, instance, consumer)["detail"] == refused[-2][1]
    assert acknowledge(api, consumer, second, *refused, (first, "no")).status_code == 422


def test_a_position_ahead_of_the_store_is_refused(api: httpx.Client, consumer: str) -> None:
    """It belongs to another store; the consumer is where it was."""
    instance, (_, edit) = edited(api, 1)
    acknowledge(api, consumer, edit).raise_for_status()
    refused = acknowledge(api, consumer, edit + 10_000)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:procvars:position-unknown")
    assert edit <= refused.json()["newest"] < edit + 10_000
    assert arrival(api, instance, consumer) == said("applied", 2)


def test_only_events_of_the_workspace_up_to_the_position_are_refused(api: httpx.Client, consumer: str) -> None:
    """Each mistake with its place; nothing of the call is kept."""
    instance = start(api, {"n": 0}, definition=consumer)
    put(api, instance, {"n": 1}).raise_for_status()
    started, edit = positions(api, instance)
    published = started - 1
    refused = acknowledge(api, consumer, started, (started, "yes"), (edit, "behind"), (published, "a definition"))
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:procvars:invalid-argument")
    assert [error["path"] for error in refused.json()["errors"]] == ["/refused/1/position", "/refused/2/position"]
    assert api.get(f"{W}/consumers/{consumer}").status_code == 404
    for body in ({}, {"position": -1}, {"position": "1"}, {"position": 1, "refused": [{"position": 1}]}, {"at": 1}):
        assert api.put(f"{W}/consumers/{consumer}", json=body).status_code == 422


def test_another_workspace_sees_and_touches_nothing(api: httpx.Client, server: Server, consumer: str) -> None:
    """A consumer's name is one of its workspace; positions of others' events cannot be refused, nor found out."""
    instance, (_, edit) = edited(api, 1)
    acknowledge(api, consumer, edit).raise_for_status()
    shop = token("engine", workspaces={"shop": ("ENGINE",)})
    with server.client(shop) as stranger:
        refused = acknowledge(stranger, consumer, edit)
        assert (refused.status_code, refused.json()["type"]) == (404, "urn:procvars:workspace-not-found")
        own = f"/workspaces/shop/consumers/{consumer}"
        assert stranger.get(own).json()["type"] == "urn:procvars:no-such-consumer"
        body = {"position": edit, "refused": [{"position": edit, "reason": "not mine"}]}
        assert stranger.put(own, json=body).json()["errors"][0]["path"] == "/refused/0/position"
        stranger.put(own, json={"position": 0}).raise_for_status()
        assert [item["name"] for item in stranger.get("/workspaces/shop/consumers").json()["items"]] == [consumer]
        assert arrival(api, instance, consumer) == said("applied", 2)
        assert stranger.delete(own).status_code == 204


def test_the_engine_acknowledges_and_readers_look(api: httpx.Client, server: Server, consumer: str) -> None:
    """Others are told which permission they lack."""
    viewer = token("vera", workspaces={"bank": ("VIEWER",)})
    path = f"{W}/consumers/{consumer}"
    with server.client(ENGINE) as engine, server.client(viewer) as reader:
        acknowledge(engine, consumer, 0).raise_for_status()
        assert reader.get(path).json()["refusals"] == []
        assert consumer in [item["name"] for item in reader.get(f"{W}/consumers").json()["items"]]
        for refused in (acknowledge(reader, consumer, 0), reader.delete(path)):
            assert (refused.status_code, refused.json()["permission"]) == (403, "wks_process_instance_execute")


def test_a_forgotten_consumer_is_waited_for_no_more(api: httpx.Client, consumer: str) -> None:
    """It is in no answer; its name can be taken again, without what it refused."""
    instance, (_, edit) = edited(api, 1)
    acknowledge(api, consumer, edit, (edit, "no")).raise_for_status()
    assert api.delete(f"{W}/consumers/{consumer}").status_code == 204
    assert consumer not in api.get(f"{W}/instances/{instance}/sync").json()["consumers"]
    again = api.delete(f"{W}/consumers/{consumer}")
    assert (again.status_code, again.json()["type"]) == (404, "urn:procvars:no-such-consumer")
    assert acknowledge(api, consumer, edit).json()["refused"] == 0


def test_a_workspace_has_at_most_a_hundred(server: Server) -> None:
    """An engine that makes up names is told; the others go on."""
    workspace = "/workspaces/crowded"
    with server.client(token("engine", workspaces={"crowded": ("ENGINE",)})) as engine:
        for number in range(100):
            engine.put(f"{workspace}/consumers/c{number}", json={"position": 0}).raise_for_status()
        refused = engine.put(f"{workspace}/consumers/one-more", json={"position": 0})
        assert (refused.status_code, refused.json()["type"]) == (422, "urn:procvars:too-many-consumers")
        assert refused.json()["limit"] == 100
        engine.put(f"{workspace}/consumers/c99", json={"position": 0}).raise_for_status()


def test_metrics_have_the_consumers(api: httpx.Client, server: Server, consumer: str) -> None:
    """How far each is behind and how much it refused, until it is forgotten."""

    def measured() -> list[str]:
        lines = plain_http.get(f"{server.address}/metrics").text.splitlines()
        return [line.partition("{")[0] + line.partition("}")[2] for line in lines if f'consumer="{consumer}"' in line]

    _, (_, edit) = edited(api, 1)
    acknowledge(api, consumer, edit, (edit, "no")).raise_for_status()
    edited(api, 1)
    assert measured() == ["procvars_consumer_lag_events 2.0", "procvars_consumer_refused 1.0"]
    api.delete(f"{W}/consumers/{consumer}").raise_for_status()
    assert measured() == []
