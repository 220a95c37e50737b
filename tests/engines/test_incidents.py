"""Failed steps of a process: shown, and tried again once the operator has given what was missing."""

import httpx

from tests.api.bank import W
from tests.conftest import Server, token
from tests.engines.camunda7_desk import Camunda7Desk
from tests.engines.steps import follows, has_status, merge
from tests.waiting import until


def test_incident_edit_retry_end(desk: Camunda7Desk, api: httpx.Client) -> None:
    """Seen, corrected and tried again, the process ends; the audit log has both acts."""
    instance = desk.start("pricing", amount=("Long", 2))
    until("the job has failed", lambda: desk.incidents(instance))
    follows(api, instance, {"amount": 2})
    (incident,) = api.get(f"{W}/instances/{instance}/incidents").json()["items"]
    assert (incident["activity"], incident["retryable"]) == ("calc", True)
    assert "rate" in incident["message"]
    assert merge(api, instance, {"rate": 4}, reason="the rate was missing").status_code == 200
    url = f"{W}/instances/{instance}/incidents/{incident['incident_id']}/retry"
    answer = api.post(url)
    assert answer.status_code == 200, answer.text
    has_status(api, instance, "FINISHED")
    follows(api, instance, {"amount": 2, "rate": 4, "total": 8})

    def audited() -> list[tuple[str, str, str]]:
        found = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
        return [(one["subject"], one["event"], one["user"]) for one in found]

    until(
        "both acts are audited",
        audited,
        lambda found: found == [("Incident", "Retry", "ada"), ("Process variables", "Update", "ada")],
    )
    (problem, _) = (api.post(url).json(), None)
    assert problem["type"] == "urn:procvars:no-such-incident"


def test_a_viewer_sees_incidents_and_tries_nothing(desk: Camunda7Desk, api: httpx.Client, server: Server) -> None:
    """Who may not edit may not retry either."""
    instance = desk.start("pricing", amount=("Long", 2))
    until("the job has failed", lambda: desk.incidents(instance))
    follows(api, instance, {"amount": 2})
    with server.client(token("vera", workspaces={"bank": ("VIEWER",)})) as viewer:
        (incident,) = viewer.get(f"{W}/instances/{instance}/incidents").json()["items"]
        answer = viewer.post(f"{W}/instances/{instance}/incidents/{incident['incident_id']}/retry")
        assert answer.json()["type"] == "urn:procvars:permission-denied"
        assert desk.incidents(instance)


def test_an_instance_of_no_engine_has_none(api: httpx.Client) -> None:
    """The calls of engines say so for instances that somebody else runs."""
    api.put(f"{W}/definitions/own", json={"name": "Own", "keywords": [], "search": [], "task_fields": []})
    started = api.post(f"{W}/instances", json={"definition": "own", "variables": {}}).json()["id"]
    for answer in (api.get(f"{W}/instances/{started}/incidents"), api.post(f"{W}/instances/{started}/refresh")):
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:procvars:not-of-an-engine")
