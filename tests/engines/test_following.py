"""What happens in the engine appears here by itself."""

from pathlib import Path

import httpx

from tests.api.bank import W
from tests.conftest import NewServer
from tests.engines.camunda7_desk import Camunda7Desk
from tests.engines.steps import follows, has_status, item
from tests.waiting import until


def test_the_engines_writes_appear(desk: Camunda7Desk, api: httpx.Client) -> None:
    """New, changed and deleted variables arrive as the engine's own writes, and none of them twice."""
    instance = desk.start(a=("Long", 1), gone=("String", "x"))
    follows(api, instance, {"a": 1, "gone": "x"})
    desk.write(instance, "gone", a=("Long", 2), fresh=("Json", '{"deep":[1.5]}'))
    found = follows(api, instance, {"a": 2, "fresh": {"deep": [1.5]}})
    desk.write(instance, a=("Long", 2))  # the same again, which the engine's history has as a write
    desk.write(instance, a=("Long", 3))
    follows(api, instance, {"a": 3, "fresh": {"deep": [1.5]}})
    history = api.get(f"{W}/instances/{instance}/variables/history").json()["items"]
    assert {one["origin"] for one in history} == {"engine"}
    assert len(history) == 3 and history[0]["version"] > found["version"]


def test_suspension_and_end_are_followed(desk: Camunda7Desk, api: httpx.Client) -> None:
    """A suspended instance is on hold and editable, one that was completed has its last values, one deleted is over."""
    held, done, killed = (desk.start(a=("Long", 1)) for _ in range(3))
    for instance in (held, done, killed):
        follows(api, instance, {"a": 1})
    desk.suspend(held)
    desk.complete(done, a=("Long", 2))
    desk.delete(killed)
    has_status(api, held, "ON_HOLD")
    has_status(api, done, "FINISHED")
    has_status(api, killed, "TERMINATED")
    follows(api, done, {"a": 2})
    assert item(api, held)["editable"]
    desk.suspend(held, False)
    has_status(api, held, "STARTED")


def test_a_called_process_names_its_parent(desk: Camunda7Desk, api: httpx.Client) -> None:
    """The child has its parent, and whoever edits the parent is warned about the child."""
    parent = desk.start("parent", a=("Long", 1))
    follows(api, parent, {"a": 1})
    children = until(
        "the child is here",
        lambda: api.get(f"{W}/instances", params={"parent_id": parent}).json()["items"],
    )
    assert [child["definition"] for child in children] == [f"waiting-{desk.key}"]

    def warned() -> list[str]:
        headers = {"Content-Type": "application/merge-patch+json"}
        url = f"{W}/instances/{parent}/variables/preview"
        return [one["code"] for one in api.post(url, content=b'{"a":2}', headers=headers).json()["warnings"]]

    until("the parent knows its child", warned, lambda found: found == ["subprocesses-not-updated"])


def test_comparison_finds_what_the_history_does_not_tell(desk: Camunda7Desk, api: httpx.Client) -> None:
    """An instance that vanished with its history is found to be over, within the time that is set for it."""
    instance = desk.start(a=("Long", 1))
    follows(api, instance, {"a": 1})
    desk.delete(instance)
    desk.http.delete(f"/history/process-instance/{instance}").raise_for_status()
    until(
        "it is over",
        lambda: item(api, instance)["status"],
        lambda status: status in ("ABORTED", "TERMINATED"),
        seconds=30,
    )


def test_an_instance_that_cannot_be_read_stops_no_other(
    own_desk: Camunda7Desk, new_server: NewServer, tmp_path: Path
) -> None:
    """Its events are damaged; what the engine writes to it is left out, and to others arrives."""
    damaged, whole = (own_desk.start(a=("Long", 1)) for _ in range(2))
    server = new_server(environment={"PROCVARS_ENGINES": str(own_desk.settings(tmp_path))})
    with server.client() as api:
        for instance in (damaged, whole):
            follows(api, instance, {"a": 1})
    server.stop()
    with server.database() as connection:
        damage = "UPDATE stored_events SET state = 'damaged' WHERE originator_id = %s"
        assert connection.execute(damage, (damaged,)).rowcount
    server.start()
    for instance in (damaged, whole):
        own_desk.write(instance, a=("Long", 2))
    with server.client() as api:
        follows(api, whole, {"a": 2})
        assert api.get(f"{W}/instances/{damaged}/variables").json() == {"a": 1}
    until("it is said to be left out", lambda: "instance of an engine left out" in server.log.read_text())
    assert "Traceback" not in server.log.read_text()
