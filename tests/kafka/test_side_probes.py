"""Probes and metrics of relay and workers, at an address of their own."""

import asyncio
from dataclasses import dataclass

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests import plain_http
from tests.kafka.programs import Program
from tests.kafka.site import Site
from tests.services.free_port import free_port
from tests.services.service import Service
from tests.waiting import until_async

OWN = "current_variables"


@dataclass
class Probed:
    """A program with probes."""

    program: Program
    address: str

    async def get(self, path: str) -> httpx.Response:
        async with plain_http.AsyncClient(base_url=f"http://{self.address}", timeout=20) as client:
            return await client.get(path)

    async def readiness(self) -> tuple[int, str]:
        answer = await self.get("/readyz")
        return answer.status_code, answer.json()["status"]

    async def metrics(self) -> dict[str, float]:
        """Sample → its value."""
        answer = (await self.get("/metrics")).raise_for_status()
        families = text_string_to_metric_families(answer.text)
        return {sample.name: sample.value for family in families for sample in family.samples}


async def probed(site: Site, *arguments: str) -> Probed:
    address = f"127.0.0.1:{free_port()}"
    found = Probed(site.program(*arguments, PROCVARS_METRICS_ADDRESS=address), address)

    async def is_ready() -> tuple[int, str]:
        assert found.program.running, found.program.text()
        return await found.readiness()

    await until_async("it is ready", is_ready, lambda seen: seen == (200, "ready"), not_yet=httpx.TransportError)
    return found


async def test_metrics_say_what_relay_and_worker_have_done(site: Site) -> None:
    """Positions, lags and counts; a relay that stands by publishes nothing and is ready."""
    relay, worker = await probed(site, "relay"), await probed(site, "worker", OWN)
    await site.says(relay.program, "relay at work")
    await site.open(3)
    last = await site.commands.store.events.last_position()
    figures = await until_async("all is published", relay.metrics, lambda it: it["procvars_relay_position"] == last)
    assert figures["procvars_relay_active"] == figures["procvars_side_process_store_reachable"] == 1
    assert figures["procvars_relay_events_total"] >= 7
    assert figures["procvars_relay_lag_positions"] == 0
    figures = await until_async("all is applied", worker.metrics, lambda it: it["procvars_worker_lag_events"] == 0)
    assert figures["procvars_worker_position"] == last
    assert figures["procvars_worker_lag_seconds"] == figures["procvars_worker_parked"] == 0
    second = await probed(site, "relay")
    await site.says(second.program, "relay stands by")
    assert (await second.metrics())["procvars_relay_active"] == 0
    assert await asyncio.to_thread(relay.program.stop) == 0
    await until_async("the second took over", second.metrics, lambda it: it["procvars_relay_active"] == 1)


async def test_not_ready_while_the_database_is_away(site: Site, postgres_server: Service) -> None:
    """They stay alive, keep the figures that they had, and are ready again with the database."""
    both = [await probed(site, "relay"), await probed(site, "worker", OWN)]
    await site.open(1)
    await site.caught_up([OWN])
    position = (await both[1].metrics())["procvars_worker_position"]
    await asyncio.to_thread(postgres_server.stop)
    try:
        for one in both:
            seen = await until_async("it is not ready", one.readiness, lambda it: it[0] == 503)
            assert seen == (503, "unavailable")
            assert (await one.get("/healthz")).status_code == 200
            assert (await one.metrics())["procvars_side_process_store_reachable"] == 0
        assert (await both[1].metrics())["procvars_worker_position"] == position > 0
    finally:
        await asyncio.to_thread(postgres_server.start)
    for one in both:
        await until_async("it is ready again", one.readiness, lambda it: it == (200, "ready"))
        assert await asyncio.to_thread(one.program.stop) == 0


@pytest.mark.parametrize("arguments", [("relay",), ("worker", OWN)])
async def test_an_address_that_is_taken_is_named(site: Site, arguments: tuple[str, ...]) -> None:
    """In a line, with exit code 1."""
    first = await probed(site, "relay")
    second = site.program(*arguments, PROCVARS_METRICS_ADDRESS=first.address)
    assert await asyncio.to_thread(second.wait) == 1
    assert f"cannot listen on {first.address}" in second.text().splitlines()[-1]
