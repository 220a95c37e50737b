"""Integrations that an instance called, with the requests as sent: no modification reaches them."""

from dataclasses import dataclass, replace
from typing import Literal

from procvars.domain.documents.values import Json
from procvars.domain.events import IntegrationAnswered, IntegrationCalled
from procvars.projections.history.streams import EventStreams


@dataclass(frozen=True, slots=True)
class IntegrationCall:
    integration_id: str
    name: str
    request: Json
    status: Literal["WAITING", "ANSWERED"]
    response: Json = None
    """The answer, which may be null; meaningless while the status is WAITING."""


async def integrations(streams: EventStreams, instance_id: str) -> list[IntegrationCall]:
    """Return the calls in order; an empty list for an unknown instance.

    Raises KeyError for an answer without a call, which `verify` explains.
    """
    calls: dict[str, IntegrationCall] = {}
    async for recorded in streams.stream(instance_id, topics=[IntegrationCalled, IntegrationAnswered]):
        match recorded.event:
            case IntegrationCalled(integration_id=key, name=name, request=request):
                calls[key] = IntegrationCall(key, name, request, "WAITING")
            case IntegrationAnswered(integration_id=key, response=response):
                calls[key] = replace(calls[key], status="ANSWERED", response=response)
    return list(calls.values())
