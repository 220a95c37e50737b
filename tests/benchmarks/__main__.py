"""`make bench`: every measurement, as a table. Exit code 1 where a ratio is missed.

`python -m tests.benchmarks appends stored_size` runs only these; `missed_events` and
`lists_of_a_million`, which take some ten minutes, are only run like that.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable, Sequence

from rich.console import Console
from rich.table import Table

from procvars.api.processes.garbage_collection import collect_rarely
from tests.benchmarks import (
    appends,
    bulk,
    elasticsearch,
    engines,
    heavy_neighbour,
    http_costs,
    http_edits,
    imports,
    kafka_feeding,
    large_documents,
    latency,
    lists,
    long_streams,
    memory,
    missed_events,
    projecting,
    rebuilding,
    stored_size,
    waiters,
    worst_documents,
)
from tests.benchmarks.measurement import Measurement
from tests.benchmarks.temporary_database import Cluster, cluster

Measure = Callable[[Cluster], Awaitable[list[Measurement]]]

ONLY_BY_NAME = ("missed_events", "lists_of_a_million")


def _measurements(edits: int | None) -> dict[str, Measure]:
    return {
        "appends": appends.measure,
        "long_streams": long_streams.measure,
        "large_documents": lambda _: large_documents.measure(),
        "stored_size": stored_size.measure,
        "http_edits": http_edits.measure,
        "http_costs": http_costs.measure,
        "bulk": bulk.measure,
        "imports": imports.measure,
        "lists": lists.measure,
        "lists_of_a_million": lists.measure_a_million,
        "projecting": projecting.measure,
        "rebuilding": rebuilding.measure,
        "kafka_feeding": kafka_feeding.measure,
        "latency": latency.measure,
        "elasticsearch": elasticsearch.measure,
        "engines": engines.measure,
        "search_latency": latency.measure_search,
        "worst_documents": lambda _: worst_documents.measure(),
        "heavy_neighbour": heavy_neighbour.measure,
        "waiters": waiters.measure,
        "memory": lambda cluster: memory.measure(cluster, edits),
        "missed_events": lambda cluster: missed_events.measure(cluster, edits),
    }


def _table(measured: Sequence[Measurement]) -> Table:
    table = Table()
    table.add_column("measurement")
    for heading in ("figure A", "figure B", "ratio", "wanted", "ok"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in measured:
        table.add_row(
            one.name,
            f"{one.a:,.4g} {one.unit}" if one.a < 1000 else f"{one.a:,.0f} {one.unit}",
            f"{one.b:,.4g} {one.unit}" if one.b < 1000 else f"{one.b:,.0f} {one.unit}",
            f"{one.ratio:.2f}",
            f"{'≥' if one.at_least else '≤'} {one.wanted:g}",
            "yes" if one.ok else "NO",
        )
    return table


def main(arguments: Sequence[str] | None = None) -> int:
    names = ", ".join(_measurements(None))
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="measurement", help=names)
    parser.add_argument("--edits", type=int, help="of memory and missed_events, instead of their own number")
    given = parser.parse_args(arguments)
    measurements = _measurements(given.edits)
    wanted = given.only or [name for name in measurements if name not in ONLY_BY_NAME]
    unknown = [name for name in wanted if name not in measurements]
    if unknown:
        parser.error(f"no measurement {unknown[0]!r}; there are {names}")
    collect_rarely()  # as the server does
    measured: list[Measurement] = []
    with cluster() as running:
        for name in wanted:
            print(f"{name} …", file=sys.stderr, flush=True)
            measured += asyncio.run(measurements[name](running))  # type: ignore[arg-type]
    Console(width=120).print(_table(measured))
    return 0 if all(one.ok for one in measured) else 1


if __name__ == "__main__":
    sys.exit(main())
