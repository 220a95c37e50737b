"""Appends by 64 tasks at once: the command layer, `Application.save()` of the library, and bare INSERTs.

All three have their documents ready: to parse them is the business of HTTP, and part of `http_edits`.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import psycopg
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event

from procvars.domain.documents.documents import parse_document
from tests.benchmarks.measurement import Figure, Measurement, medians
from tests.benchmarks.sample_documents import as_json, loan_application
from tests.benchmarks.temporary_database import (
    Cluster,
    command_layer,
    library_environment,
    modification,
    replacing,
)

_TASKS = 64
_EDITS_A_TASK = 150
_SAVES_A_TASK = 12
_CONNECTIONS = 8
_INSERTS_A_CONNECTION = 800

_RAW_TABLE = """
CREATE TABLE raw_events (
    position bigserial PRIMARY KEY, stream text NOT NULL, version bigint NOT NULL, topic text NOT NULL,
    state bytea NOT NULL, UNIQUE (stream, version))
"""
_RAW_INSERT = "INSERT INTO raw_events (stream, version, topic, state) VALUES (%s, %s, 'Changed', %s)"


class Case(Aggregate):
    """What a user of the library writes, with the library's own transcoder."""

    @event("Opened")
    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document

    @event("Changed")
    def change(self, document: dict[str, Any]) -> None:
        self.document = document


async def measure(cluster: Cluster) -> list[Measurement]:
    async with _commands(cluster) as edits, _library(cluster) as saves, _raw(cluster) as inserts:
        ours, library, raw = await medians(edits, saves, inserts, rounds=9)
        with cluster.slow_flushes():
            slow_ours, slow_raw = await medians(edits, inserts, rounds=3)
    slow = "appends, 64 tasks / INSERTs on 8 connections, flushes of 1 ms"
    return [
        Measurement("appends, 64 tasks / Application.save()", ours, library, "/s", 10, at_least=True),
        Measurement("appends, 64 tasks / INSERTs on 8 connections", ours, raw, "/s", 1.5, at_least=True),
        Measurement(slow, slow_ours, slow_raw, "/s", 1.5, at_least=True),
    ]


@asynccontextmanager
async def _commands(cluster: Cluster) -> AsyncIterator[Figure]:
    async with command_layer(cluster.new_database()) as commands:
        await commands.publish_definition()
        versions = {f"i-{n}": 1 for n in range(_TASKS)}
        for seed, instance in enumerate(versions):
            await commands.start_instance(instance, loan_application(0, seed))

        async def edit(seed: int, instance: str) -> None:
            for _ in range(_EDITS_A_TASK):
                document = documents[seed, versions[instance] % 2]
                command = modification(instance, replacing(versions[instance], document))
                versions[instance] = (await commands.editing.modify(command)).version

        # From their text, so that two of them share no object.
        documents = {
            (seed, n): parse_document(as_json(loan_application(n, seed))) for seed in range(_TASKS) for n in (0, 1)
        }

        async def edits() -> float:
            started = time.perf_counter()
            await asyncio.gather(*(edit(seed, instance) for seed, instance in enumerate(versions)))
            return _TASKS * _EDITS_A_TASK / (time.perf_counter() - started)

        yield edits


@asynccontextmanager
async def _library(cluster: Cluster) -> AsyncIterator[Figure]:
    app: Application[Any] = Application(env=library_environment(cluster.new_database()))
    cases = [Case(loan_application(0, seed)) for seed in range(_TASKS)]
    for case in cases:
        app.save(case)

    documents = [loan_application(75_000, seed) for seed in range(_TASKS)]

    async def change(seed: int, case: Case) -> None:
        for _ in range(_SAVES_A_TASK):
            case.change(documents[seed])
            await asyncio.to_thread(app.save, case)

    async def saves() -> float:
        started = time.perf_counter()
        await asyncio.gather(*(change(seed, case) for seed, case in enumerate(cases)))
        return _TASKS * _SAVES_A_TASK / (time.perf_counter() - started)

    try:
        yield saves
    finally:
        app.close()


@asynccontextmanager
async def _raw(cluster: Cluster) -> AsyncIterator[Figure]:
    url = cluster.new_database()
    connections = [await psycopg.AsyncConnection.connect(url, autocommit=True) for _ in range(_CONNECTIONS)]
    await connections[0].execute(_RAW_TABLE)
    state = as_json(loan_application(0))

    async def insert(connection: psycopg.AsyncConnection[Any]) -> None:
        stream = str(uuid4())
        for version in range(_INSERTS_A_CONNECTION):
            await connection.execute(_RAW_INSERT, (stream, version, state), prepare=True)

    async def inserts() -> float:
        started = time.perf_counter()
        await asyncio.gather(*map(insert, connections))
        return _CONNECTIONS * _INSERTS_A_CONNECTION / (time.perf_counter() - started)

    try:
        yield inserts
    finally:
        for connection in connections:
            await connection.close()
