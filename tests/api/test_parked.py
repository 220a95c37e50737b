"""A projection that cannot apply an event: its stream is parked, everything else goes on, a retry mends it."""

from pathlib import Path

import psycopg

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.projections.registry import PROJECTION_NAMES
from tests.api.bank import W, current, put, start, states, synced, variables
from tests.conftest import NewServer

REFUSES = "ALTER TABLE audit_log_g1 ADD CONSTRAINT cause CHECK (reason IS DISTINCT FROM 'poison')"
MENDED = "ALTER TABLE audit_log_g1 DROP CONSTRAINT cause"


def test_a_stream_that_cannot_be_applied_is_parked_and_retried(new_server: NewServer, tmp_path: Path) -> None:
    """Only that projection and that instance wait; a retry fails while the cause is there, and succeeds afterwards."""
    with embedded_postgres(tmp_path / "parked") as url:
        server = new_server(database_url=url)
        with server.client() as api, psycopg.connect(url, autocommit=True) as database:
            database.execute(REFUSES)
            instance, other = start(api, {"n": 0}), start(api, {"n": 0})
            put(api, instance, {"n": 1}, 1, reason="poison").raise_for_status()
            put(api, instance, {"n": 2}, 2, reason="after it").raise_for_status()
            put(api, other, {"n": 1}, 1, reason="fine").raise_for_status()

            synced(api, other)
            sync = api.get(f"{W}/instances/{instance}/sync", params={"wait": 20}).json()
            assert sync["projections"]["audit_log"] == {
                "title": "Audit log",
                "version": 1,
                "current": False,
                "parked": True,
            }
            assert current(sync) == set(PROJECTION_NAMES) - {"audit_log"}
            assert variables(api, instance) == {"n": 2}
            (parked,) = api.get("/projections/audit_log/parked").json()["items"]
            assert (parked["instance_id"], parked["version"]) == (instance, 2)
            assert "CheckViolation" in parked["error"]
            listed = states(api)["audit_log"]
            assert (listed["parked"], listed["lag_events"]) == (1, 0)

            retry = f"/projections/audit_log/parked/{instance}/retry"
            assert api.post(retry).json() == {"released": False}
            database.execute(MENDED)
            assert api.post(retry).json() == {"released": True}
            synced(api, instance)
            entries = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
            assert [entry["reason"] for entry in entries] == ["after it", "poison"]
            assert api.post(retry).json()["type"] == "urn:procvars:not-parked"


def test_a_paused_projection_waits_and_catches_up(new_server: NewServer) -> None:
    """The others do not notice; resumed, it goes on from where it was."""
    server = new_server()
    with server.client() as api:
        instance = start(api, {"n": 0})
        synced(api, instance)
        assert api.post("/projections/search_index/pause").json()["state"] == "paused"
        put(api, instance, {"n": 1}, 1).raise_for_status()
        assert variables(api, instance, after_version=2) == {"n": 1}
        state = api.get(f"{W}/instances/{instance}/sync").json()["projections"]["search_index"]
        assert state == {"title": "Search", "version": 1, "current": False, "parked": False}
        assert api.post("/projections/search_index/resume").json()["state"] == "running"
        synced(api, instance)
