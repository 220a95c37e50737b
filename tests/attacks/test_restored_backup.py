"""A store that was restored from a backup: a read model that has seen more is not taken for current."""

from typing import Any

import psycopg

from tests.api.bank import W, put, start, states, synced
from tests.conftest import NewServer
from tests.waiting import until


def forget_the_newest(url: str, instance: str) -> None:
    """Take the newest event of the instance out of the store alone, as if the backup were older than the read models."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "DELETE FROM stored_events WHERE notification_id = (SELECT max(notification_id) FROM stored_events "
            "WHERE originator_id = %s)",
            (instance,),
        )


def test_read_models_that_are_ahead_are_rebuilt(new_server: NewServer, database_url: str) -> None:
    """By the server itself, before anything is passed over; what the store does not have any more is gone from them."""
    server = new_server(database_url=database_url)
    with server.client() as api:
        instance = start(api, {"n": 0})
        for version in (1, 2):
            put(api, instance, {"n": version}, version).raise_for_status()
        synced(api, instance)
        server.stop()
        forget_the_newest(database_url, instance)
        server.start()

        def audit() -> list[int]:
            entries = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
            return [entry["version"] for entry in entries]

        def generations() -> list[Any]:
            with psycopg.connect(database_url, autocommit=True) as connection:
                return connection.execute("SELECT generation FROM projections").fetchall()

        until("all are rebuilt", generations, lambda found: all(row[0] > 1 for row in found), seconds=120)
        assert audit() == [2]
        put(api, instance, {"n": "again"}, 2).raise_for_status()
        assert synced(api, instance)["version"] == 3
        assert audit() == [3, 2]
        assert all(item["rebuild_due"] is None for item in states(api).values())
