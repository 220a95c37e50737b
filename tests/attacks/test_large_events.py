"""An edit whose event Kafka would not carry is refused before anything is stored, where Kafka carries the events."""

import json
from typing import Any

import httpx
import pytest

from procvars.domain.envelope import ENVELOPE_BYTES
from tests.api.bank import W, define, put, version_of
from tests.conftest import NewServer, Server

MIB = 2**20
LARGEST = 4 * MIB - ENVELOPE_BYTES


def valued(value: int) -> dict[str, Any]:
    """Members with a long way to them, which an event has in front of each value that changes."""
    return {"long" * 75_000: {f"n{number}": value for number in range(20)}}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


@pytest.fixture
def limited(new_server: NewServer) -> Server:
    """A server whose events go to Kafka, which need not be there for that, and with smaller documents than usual."""
    return new_server(environment={"PROCVARS_KAFKA_BROKERS": "127.0.0.1:1", "PROCVARS_MAX_DOCUMENT_BYTES": str(MIB)})


def start(api: httpx.Client, instance: str, variables: dict[str, Any]) -> None:
    define(api)
    api.post(f"{W}/instances", json={"definition": "loan", "variables": variables, "id": instance}).raise_for_status()


def test_an_edit_whose_event_would_not_fit(limited: Server) -> None:
    """413 with the limit for every way to make it, and nothing is stored; what fits is."""
    with limited.client() as api:
        start(api, "i", valued(0))
        other = compact(valued(1))
        whole = compact([{"op": "replace", "path": "", "value": valued(1)}])
        headers = {"If-Match": '"1"', "Content-Type": "application/json-patch+json"}
        refused = [
            put(api, "i", other, 1),
            api.patch(f"{W}/instances/i/variables", content=whole, headers=headers),
            api.post(f"{W}/instances/i/data", content=whole, headers=headers),
        ]
        for answer in refused:
            assert answer.status_code == 413, answer.text[:500]
            assert answer.json()["type"] == "urn:procvars:event-too-large"
            assert answer.json()["limit"] == LARGEST < answer.json()["size"]
        assert version_of(api, "i") == 1
        put(api, "i", compact({**valued(0), "n": 1}), 1).raise_for_status()
        assert version_of(api, "i") == 2


def test_without_kafka_there_is_no_such_limit(new_server: NewServer) -> None:
    """The event store takes what the documents' own limit lets through."""
    server = new_server(environment={"PROCVARS_MAX_DOCUMENT_BYTES": str(MIB)})
    with server.client() as api:
        start(api, "i", valued(0))
        answer = put(api, "i", compact(valued(1)), 1)
        assert answer.status_code == 200, answer.text[:500]
