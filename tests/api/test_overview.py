"""The overview of a workspace, over HTTP."""

import httpx

from tests.api.bank import W, put, start, synced
from tests.api.test_refusals import problem
from tests.conftest import NewServer, token


def test_what_is_there_and_who_changed_it(api: httpx.Client) -> None:
    """Counts, modifications in the caller's time zone, and the state of every read model."""
    instance = start(api, {"n": 1}, definition="overviewed")
    put(api, instance, {"n": 2}, 1).raise_for_status()
    synced(api, instance)
    found = api.get(f"{W}/overview", params={"timezone": "Asia/Tokyo"}).raise_for_status().json()
    assert {"definition": "overviewed", "instances": 1, "more": False} in found["by_definition"]
    assert next(one for one in found["by_status"] if one["status"] == "STARTED")["instances"] > 0
    modifications = found["modifications"]
    assert len(modifications["days"]) == 14
    assert modifications["days"][-1]["modifications"] > 0
    (editor,) = (one for one in modifications["editors"] if one["definition"] == "overviewed")
    assert (editor["modifications"], modifications["complete"]) == (1, True)
    listed = api.get("/projections").json()["items"]
    assert [one["name"] for one in found["projections"]] == [one["name"] for one in listed]
    assert {one["state"] for one in found["projections"]} == {"running"}


def test_it_tells_nobody_more_than_they_may_know(new_server: NewServer) -> None:
    """Without the permission for the audit log there are no people in it; without a role there is no workspace."""
    roles = '{"COUNTER": ["wks_process_instance_read"]}'
    server = new_server(environment={"PROCVARS_ROLE_PERMISSIONS": roles})
    with server.client() as api:
        synced(api, start(api, {}))
    with server.client(token(workspaces={"bank": ("COUNTER",)})) as counter:
        found = counter.get(f"{W}/overview").raise_for_status().json()
    assert found["modifications"] is None
    assert found["by_definition"] == [{"definition": "loan", "instances": 1, "more": False}]
    with server.client(token(workspaces={"other": ("WORKSPACE_ADMIN",)})) as stranger:
        problem(stranger.get(f"{W}/overview"), 404, "workspace-not-found")


def test_an_unknown_time_zone_is_refused(api: httpx.Client) -> None:
    """It says so, instead of counting in another one."""
    assert "time zone" in problem(api.get(f"{W}/overview?timezone=Mars"), 422, "invalid-argument")["detail"]
