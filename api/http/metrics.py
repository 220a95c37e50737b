"""Metrics for Prometheus: per projection lag, batch time and parked streams; per command count and latency; the process."""

from collections.abc import Mapping
from importlib.metadata import version as installed_version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest

from procvars.api.http.projection_gauges import FIGURES, projection_gauges

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Metrics of one server; nothing is global, so that several servers fit into one test process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        Info("procvars_build", "Version of the program.", registry=self._registry).info(
            {"version": installed_version("procvars")}
        )
        self._command_seconds = Histogram(
            "procvars_command_seconds",
            "Latency of the API's calls, by operation and status.",
            ("operation", "status"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._calls: dict[tuple[str, int], Histogram] = {}  # the library takes a lock to find one by its labels
        self._batch_seconds = Histogram(
            "procvars_projection_batch_seconds",
            "Time from the lock to the commit of a batch.",
            ("projection",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._events = Counter(
            "procvars_projection_events", "Events applied.", ("projection",), registry=self._registry
        )
        self._gauges = projection_gauges("procvars_projection", self._registry, FIGURES)
        self._store = Gauge(
            "procvars_store_reachable",
            "1 while the database answers; at 0 the figures of the projections are the last that were known.",
            registry=self._registry,
        )
        self._connections = Gauge(
            "procvars_pool_connections",
            "Connections to PostgreSQL that this process shares among its requests, used and idle.",
            ("state",),
            registry=self._registry,
        )
        self._for_a_connection = Gauge(
            "procvars_pool_waiting", "Requests that wait for one of these connections.", registry=self._registry
        )
        self._waiting = Gauge(
            "procvars_waiting_callers",
            "Calls that wait for a read model or for an event.",
            registry=self._registry,
        )
        self._bulk_jobs = Gauge(
            "procvars_bulk_modifications_running", "Bulk modifications that have not ended.", registry=self._registry
        )
        self._bulk_instances = Gauge(
            "procvars_bulk_instances_left",
            "Instances of running bulk modifications that have no outcome yet.",
            registry=self._registry,
        )
        self._consumer_lag = Gauge(
            "procvars_consumer_lag_events",
            "Events that a consumer of the feed has not acknowledged yet; 2000 for more.",
            ("workspace", "consumer"),
            registry=self._registry,
        )
        self._consumer_refused = Gauge(
            "procvars_consumer_refused",
            "Events that a consumer of the feed refused.",
            ("workspace", "consumer"),
            registry=self._registry,
        )
        self._tasks = Gauge(
            "procvars_background_task_up",
            "1 while a task beside the requests is well; 0 after it failed.",
            ("task",),
            registry=self._registry,
        )

    def command(self, operation: str, status: int, seconds: float) -> None:
        called = operation, status
        histogram = self._calls.get(called)
        if histogram is None:
            histogram = self._calls[called] = self._command_seconds.labels(operation, str(status))
        histogram.observe(seconds)

    def batch(self, projection: str, *, events: int, seconds: float, position: int) -> None:
        self._batch_seconds.labels(projection).observe(seconds)
        self._events.labels(projection).inc(events)
        self._gauges["position"].labels(projection).set(position)

    def projection_state(
        self, projection: str, *, lag_events: int, lag_seconds: float, parked: int, differences: int, mended: int
    ) -> None:
        self._gauges["lag_events"].labels(projection).set(lag_events)
        self._gauges["lag_seconds"].labels(projection).set(lag_seconds)
        self._gauges["parked"].labels(projection).set(parked)
        self._gauges["differences"].labels(projection).set(differences)
        self._gauges["mended"].labels(projection).set(mended)

    def store_reachable(self, *, reachable: bool) -> None:
        self._store.set(reachable)

    def pool(self, stats: Mapping[str, int]) -> None:
        """Set what `psycopg_pool` says of the pool."""
        size, idle = stats.get("pool_size", 0), stats.get("pool_available", 0)
        self._connections.labels("used").set(size - idle)
        self._connections.labels("idle").set(idle)
        self._for_a_connection.set(stats.get("requests_waiting", 0))

    def waiting_callers(self, count: int) -> None:
        self._waiting.set(count)

    def bulk_load(self, *, jobs: int, instances: int) -> None:
        self._bulk_jobs.set(jobs)
        self._bulk_instances.set(instances)

    def consumers(self, lags: Mapping[tuple[str, str], tuple[int, int]]) -> None:
        """Set (workspace, consumer) → events not acknowledged and events refused, and drop consumers that are gone."""
        self._consumer_lag.clear()
        self._consumer_refused.clear()
        for labels, (events, refused) in lags.items():
            self._consumer_lag.labels(*labels).set(events)
            self._consumer_refused.labels(*labels).set(refused)

    def background_task(self, name: str, *, well: bool) -> None:
        self._tasks.labels(name).set(well)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self._registry)
