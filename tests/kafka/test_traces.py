"""Traces beyond the server: relay and workers tell of an event in the event's own trace, and its message has its context."""

import asyncio

from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.domain.event_traces import append_of
from tests.kafka.site import Site
from tests.kafka.topics import records
from tests.otlp_collector import Collector
from tests.waiting import until


async def newest(store: PostgresEventStore) -> tuple[str, bytes]:
    """Its `traceparent`, and its trace."""
    (recorded,) = await store.after_position(await store.last_position() - 1, 1)
    context = append_of(recorded.event)
    return context.traceparent, context.trace_id.to_bytes(16)


async def test_an_event_is_traced_to_kafka_and_behind_it(site: Site) -> None:
    """Published once, and projected by the worker that has it from Kafka."""
    collector = Collector()
    try:
        await site.relay(**collector.settings)
        await site.open(1)
        await site.modify("i-0", {"n": 1})
        traceparent, trace = await newest(site.commands.store.events)
        site.program("worker", "audit_log", **collector.settings)
        await site.caught_up(["audit_log"])
        wanted = {"publish ProcessVariablesModified", "project audit_log ProcessVariablesModified"}
        await asyncio.to_thread(
            until,
            "both are told",
            lambda: {span.name for span in list(collector.spans) if span.trace_id == trace},
            lambda names: names == wanted,
        )
        (record,) = [one for one in await records(site.brokers) if ("type", b"ProcessVariablesModified") in one.headers]
        assert ("traceparent", traceparent.encode()) in record.headers
    finally:
        collector.stop()
