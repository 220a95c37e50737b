"""The OpenAPI document tells the truth, and whatever is sent to what it describes, the server does not stumble."""

from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.result import Ok
from schemathesis.transport import SerializationContext

from tests import plain_http
from tests.api.bank import start
from tests.conftest import Server, token


@schemathesis.serializer("application/x-ndjson")
def lines(_: SerializationContext, value: object) -> bytes:
    """Generated text as it is."""
    return str(value).encode("utf-8", "replace")


def test_nothing_that_is_sent_makes_the_server_stumble(server: Server) -> None:
    """For every operation, generated requests get no 5xx, but for the declared 503 of a version that has not come yet."""
    schema = schemathesis.openapi.from_url(f"{server.address}/openapi.json")
    headers = {"Authorization": f"Bearer {token(org=('ORG_ADMIN',))}"}
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    assert len(operations) > 35
    for operation in operations:

        @given(case=operation.as_strategy())
        @settings(
            max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None
        )
        def stumbles_nowhere(case: schemathesis.Case[Any]) -> None:
            case.query.pop("wait", None)  # up to half a minute each
            answer = case.call(headers=headers)
            if answer.status_code == 503:
                assert answer.json()["type"] == "urn:procvars:projection-behind"
            else:
                assert answer.status_code < 500, f"{case.method} {case.path}: {answer.text}"

        stumbles_nowhere()


def test_every_refusal_of_a_route_is_declared(api: httpx.Client, server: Server) -> None:
    """Examples of problem types, by status, are part of the document."""
    paths = plain_http.get(f"{server.address}/openapi.json").json()["paths"]
    put = paths["/api/v1/workspaces/{workspace}/instances/{instance_id}/variables"]["put"]
    assert "application/json" in put["requestBody"]["content"]
    declared = {
        name
        for response in put["responses"].values()
        for name in response.get("content", {}).get("application/problem+json", {}).get("examples", {})
    }
    assert {"invalid-json", "version-conflict", "precondition-required", "instance-not-editable"} <= declared
    instance = start(api, {})
    refused = api.put(f"/workspaces/bank/instances/{instance}/variables", content=b"{}", headers={"If-Match": '"1"'})
    assert (refused.status_code, refused.json()["type"]) == (415, "urn:procvars:unsupported-media-type")
    assert "unsupported-media-type" in put["responses"]["415"]["content"]["application/problem+json"]["examples"]


def test_every_reference_leads_somewhere(server: Server) -> None:
    """A client generated from the document finds all the schemas and examples that it names."""
    document = plain_http.get(f"{server.address}/openapi.json").json()
    components = document["components"]
    pending, references = [document], set[str]()
    while pending:
        value = pending.pop()
        pending += value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
        if isinstance(value, dict) and "$ref" in value:
            references.add(value["$ref"])
    assert references
    known = {f"#/components/{kind}/{name}" for kind, named in components.items() for name in named}
    assert references - known == set()
