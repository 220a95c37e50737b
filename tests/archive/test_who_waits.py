"""Nothing leaves the store before everybody has read it, and nothing with which something is still to be done."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from procvars.adapters.postgres.event_mapper import EventMapper
from procvars.domain.events import VariableTypesObserved
from procvars.domain.provenance import Caller, Provenance
from tests.api.bank import W, put, start, synced
from tests.archive.site import Site, briefly_ended, finish
from tests.archive.test_interruptions import stored


def reasons(site: Site, instance: str) -> list[str]:
    return [one["reason"] for one in site.archive()["skipped"] if one["instance_id"] == instance]


@pytest.mark.parametrize("name", ["audit_log", "search_index"])
def test_a_read_model_that_is_behind(site: Site, name: str) -> None:
    """A paused one holds the instance until it has caught up."""
    instance = start(site.api, {"n": 1})
    synced(site.api, instance)
    assert site.procvars("projections", "pause", name).returncode == 0
    assert put(site.api, instance, {"n": 2}).is_success
    site.api.post(f"{W}/instances/{instance}/status", json={"status": "FINISHED"}).raise_for_status()
    site.api.get(f"{W}/instances/{instance}/variables", params={"after_version": 3}).raise_for_status()
    assert reasons(site, instance) == [f"{name} has not read it yet"]
    assert len(stored(site, instance)) == 3
    assert site.procvars("projections", "resume", name).returncode == 0
    synced(site.api, instance)
    assert reasons(site, instance) == []
    assert len(stored(site, instance)) == 1


def test_a_consumer_of_the_feed_that_is_behind(site: Site) -> None:
    """It holds what it has not acknowledged, until it does or is forgotten; another workspace's holds nothing."""
    name = f"ledger-{uuid4()}"
    site.api.put(f"{W}/consumers/{name}", json={"position": 0}).raise_for_status()
    site.api.put(f"/workspaces/other/consumers/{name}", json={"position": 0}).raise_for_status()
    instance = briefly_ended(site.api)
    assert reasons(site, instance) == [f"the consumer {name} has not read it yet"]
    head = site.api.get(f"{W}/events", params={"after": 0}).json()["head"]
    site.api.put(f"{W}/consumers/{name}", json={"position": head}).raise_for_status()
    assert reasons(site, instance) == []
    assert len(stored(site, instance)) == 1
    for workspace in (W, "/workspaces/other"):
        site.api.delete(f"{workspace}/consumers/{name}").raise_for_status()


def test_a_rebuild_that_is_not_finished(site: Site) -> None:
    """It reads the streams page by page, so nothing is taken from it in between."""
    instance = briefly_ended(site.api)
    with site.server.database() as connection:
        connection.execute(
            "INSERT INTO rebuilds (projection, generation, shape, total) VALUES ('audit_log', 99, 99, 1)"
        )
    assert reasons(site, instance) == ["the rebuild of audit_log has not read it yet"]
    with site.server.database() as connection:
        connection.execute("DELETE FROM rebuilds WHERE generation = 99")
    assert reasons(site, instance) == []


def test_the_feed_says_that_an_instance_was_archived(site: Site) -> None:
    """A consumer that has a copy gets the event behind all that it had, with where the history is."""
    instance = briefly_ended(site.api)
    before = site.api.get(f"{W}/events", params={"after": 0}).json()["head"]
    (archive,) = site.archive()["archives"]
    events = site.api.get(f"{W}/events", params={"after": before, "limit": 500}).json()["items"]
    (told,) = [one for one in events if one["instance_id"] == instance]
    assert (told["type"], told["instance_version"], told["actor"]["user"]) == ("InstanceArchived", 4, "olga")
    assert told["payload"] == {
        "status": "FINISHED",
        "events": 3,
        "file": archive["file"],
        "sha256": archive["sha256"],
    }
    assert {one["type"] for one in events} == {"InstanceArchived"}, "the entry of the audit log is not an instance's"


def test_dead_letters_and_running_jobs_hold_an_instance(site: Site) -> None:
    """What a read model could not apply, and what a bulk modification has not come to."""
    parked, waiting = briefly_ended(site.api), briefly_ended(site.api)
    with site.server.database() as connection:
        connection.execute(
            "INSERT INTO parked_streams (projection, generation, instance_id, version, position, error) "
            "VALUES ('audit_log', 1, %s, 2, 1, 'E: test')",
            (parked,),
        )
        # A job of an installation whose worker does not run: this server's would end it at once.
        connection.execute(
            "INSERT INTO bulk_jobs (id, workspace, spec, dry_run, total, created_at, attempts) "
            "VALUES ('held', 'elsewhere', '{}', true, 1, now(), 1000)"
        )
        connection.execute("INSERT INTO bulk_items (job_id, ordinal, instance_id) VALUES ('held', 0, %s)", (waiting,))
    found = {one["instance_id"]: one["reason"] for one in site.archive()["skipped"]}
    assert found[parked] == "it is a dead letter of audit_log"
    with site.server.database() as connection:
        still = connection.execute("SELECT state FROM bulk_jobs WHERE id = 'held'").fetchone()
        if still == ("running",):
            assert found[waiting] == "the bulk modification held is running"
        connection.execute("DELETE FROM parked_streams")
        connection.execute("DELETE FROM bulk_items WHERE job_id = 'held'; DELETE FROM bulk_jobs WHERE id = 'held'")
    site.archive()
    for instance in (parked, waiting):
        assert len(stored(site, instance)) == 1


def test_an_instance_of_an_engine_stays(site: Site) -> None:
    """An import does not take its events, so a file would be of no use."""
    instance = start(site.api, {"n": 1})
    observed = VariableTypesObserved(
        **Provenance(Caller("bank", "camunda", "Camunda"), datetime.now(UTC)).header(instance, 2),
        engine="camunda",
        types={"n": "Integer"},
    )
    stored_event = EventMapper().to_stored_event(observed)
    with site.server.database() as connection:
        connection.execute(
            "SELECT append_events(ARRAY[%s], ARRAY[2::bigint], ARRAY[%s], ARRAY[%b], ARRAY['bank'], "
            "'{}', '{}', '{}', '{}', '{}'::text[])",
            (instance, stored_event.topic, stored_event.state),
        )
    finish(site.api, instance)
    assert reasons(site, instance) == ["it runs in a process engine, whose instances are imported from there"]
    assert len(stored(site, instance)) == 3


def test_a_history_that_an_import_does_not_take_stays(site: Site) -> None:
    """Where documents may be smaller now than they were, the file could not be imported: it says so, and keeps the events."""
    instance = start(site.api, {"text": "x" * 5000})
    finish(site.api, instance)
    told = site.archive(PROCVARS_MAX_DOCUMENT_BYTES="1000")
    (reason,) = [one["reason"] for one in told["skipped"] if one["instance_id"] == instance]
    assert reason.startswith("its history cannot be imported: The variables would be larger")
    assert reasons(site, instance) == []
