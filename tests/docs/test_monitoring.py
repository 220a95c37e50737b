"""docs/monitoring: alert rules and dashboard ask for metrics and labels that `/metrics` of servers, relays and workers really
have.
"""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import httpx
import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from promql_parser import AggregateExpr, MatchOp, MatrixSelector, VectorSelector

from procvars.adapters.kafka.relay import RelayState
from procvars.api.http.side_probes import RelayProbes, SideProcess, WorkerProbes, create_probes
from procvars.projections.operations import ProjectionStatus
from tests import plain_http
from tests.api.bank import W, put, start, states, synced
from tests.conftest import Server
from tests.docs.pages import ROOT

FOLDER = ROOT / "docs" / "monitoring"
RULES = [rule for group in yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
DASHBOARD = json.loads((FOLDER / "grafana.json").read_text())
QUERIES = {target["expr"]: panel["title"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
ENDINGS = {"histogram": ("_bucket", "_count", "_sum"), "counter": ("_total",), "gauge": ("",)}
OF_PROMETHEUS = {"job", "instance"}
"""Labels that Prometheus adds when it scrapes."""

Labels = Mapping[str, set[str]]


@pytest.fixture(scope="module")
def served(server: Server) -> dict[str, Labels]:
    """Metric → its labels, each with its values, of a server with an edit and a consumer, of a relay and of a worker."""
    with server.client() as api:
        instance = start(api, {"n": 0})
        put(api, instance, {"n": 1}).raise_for_status()
        synced(api, instance)
        api.put(f"{W}/consumers/monitored", json={"position": 0}).raise_for_status()
        text = plain_http.get(f"{server.address}/metrics").raise_for_status().text
        api.delete(f"{W}/consumers/monitored").raise_for_status()
        statuses = [ProjectionStatus(**item) for item in states(api).values()]
        position = int(api.get(f"{W}/events", params={"limit": 1}).json()["head"])

    async def projections() -> list[ProjectionStatus]:
        return statuses

    async def head() -> int:
        return position

    beside: list[SideProcess] = [RelayProbes(RelayState(active=True), head), WorkerProbes(projections)]
    texts = [text, *(asyncio.run(metrics_of(process)) for process in beside)]
    found: dict[str, Labels] = {}
    for family in [family for text in texts for family in text_string_to_metric_families(text)]:
        for ending in ENDINGS[family.type]:
            found[family.name + ending] = defaultdict(set)
        for sample in family.samples:
            for label, value in sample.labels.items():
                if sample.name in found:
                    found[sample.name][label].add(value)
    return found


async def metrics_of(process: SideProcess) -> str:
    """What it tells at its own address."""
    transport = httpx.ASGITransport(create_probes(process))
    async with plain_http.AsyncClient(transport=transport, base_url="http://process") as client:
        return (await client.get("/metrics")).raise_for_status().text


def parsed(query: str) -> Any:
    """The expression; Grafana's own variable stands for a duration."""
    return promql_parser.parse(query.replace("$__rate_interval", "5m"))


def selectors(expression: Any) -> Iterator[VectorSelector]:
    for node in nodes(expression):
        if isinstance(node, VectorSelector):
            yield node
        elif isinstance(node, MatrixSelector):
            yield node.vector_selector


def nodes(expression: Any) -> list[Any]:
    found: list[Any] = []
    promql_parser.walk(expression, found.append)
    return found


@pytest.mark.parametrize("query", [*(rule["expr"] for rule in RULES), *QUERIES])
def test_metrics_and_labels_exist(query: str, served: dict[str, Labels]) -> None:
    """Of a selector the metric, and of its conditions label and value; of an aggregation the labels that it keeps."""
    expression = parsed(query)
    labels: set[str] = set()
    for selector in selectors(expression):
        assert selector.name in served
        labels |= served[selector.name].keys() | OF_PROMETHEUS
        for matcher in selector.matchers.matchers:
            assert matcher.name in labels
            if "$" in matcher.value:
                continue
            values = served[selector.name][matcher.name]
            if matcher.op == MatchOp.Re and matcher.value != "5..":  # a good server has no such answer
                assert [value for value in values if re.fullmatch(matcher.value, value)], values
    for node in nodes(expression):
        if isinstance(node, AggregateExpr) and node.modifier is not None:
            assert {*node.modifier.labels} <= labels


def test_every_metric_is_shown(served: dict[str, Labels]) -> None:
    """In the dashboard or by an alert, but for parts of a histogram and the bare positions."""
    asked = {
        selector.name
        for query in (*(rule["expr"] for rule in RULES), *QUERIES)
        for selector in selectors(parsed(query))
    }
    hidden = {name for name in served if name.endswith(("_sum", "_count", "_position"))}
    assert {name for name in served if not name.endswith("_created")} - hidden <= asked


def test_alerts_have_the_form_that_prometheus_reads() -> None:
    """No field that it does not know, which it would refuse the file for; names are unique."""
    names = [rule["alert"] for rule in RULES]
    assert len({*names}) == len(names) > 8
    for rule in RULES:
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}, rule
        assert re.fullmatch(r"\d+[smh]", rule.get("for", "0s"))
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"].keys() == {"summary", "description"}
        used = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"])))
        kept = {label for node in nodes(parsed(rule["expr"])) if isinstance(node, AggregateExpr) and node.modifier
                for label in node.modifier.labels}  # fmt: skip
        aggregates = any(isinstance(node, AggregateExpr) for node in nodes(parsed(rule["expr"])))
        assert used <= (kept if aggregates else OF_PROMETHEUS | {"task"}), rule["alert"]


def test_panels_of_the_dashboard_have_places_of_their_own() -> None:
    """And ids, titles and a data source that the reader chooses."""
    places = {panel["title"]: panel["gridPos"] for panel in DASHBOARD["panels"]}
    assert len(places) == len(DASHBOARD["panels"]) == len({panel["id"] for panel in DASHBOARD["panels"]})
    for (one, a), (other, b) in combinations(places.items(), 2):
        apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (one, other)
    variables = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert variables == {"source", "job"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD["panels"]))) == variables | {"__rate_interval"}
