"""What the answers about instances say more where real engines are connected."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from fastapi import Request

from procvars.adapters.postgres.engine_records import PostgresEngineRecords
from procvars.adapters.postgres.pool import Connection, Lent
from procvars.api.http.services import services
from procvars.commands.engine_records import Delivery, DeliveryState
from procvars.projections.current_variables import InstanceItem
from procvars.projections.engine_delivery import engines_of
from procvars.projections.operations import SyncStatus

WAIT_FOR_A_PERSON = (DeliveryState.CONFLICT, DeliveryState.FAILED)


@dataclass(frozen=True, slots=True)
class DeliveryStatus(SyncStatus):
    """Where an instance's edits are on their way to its engine."""

    state: DeliveryState
    detail: str | None
    paths: Sequence[str] | None


async def with_engines(request: Request, connection: Connection, items: Sequence[InstanceItem]) -> Sequence[Any]:
    """Return the items, those of real engines with `engine: {name, id, url}`."""
    connections = services(request).engines.connections
    if not connections or not items:
        return items
    engines = await engines_of(connection, [item.id for item in items])
    if len(items) == 1 and not engines and await delivery_on(connection, items[0].id) is not None:
        # Of an engine, and the read model does not have it yet.
        instance = await services(request).store.on(connection).load(items[0].id, fresh=False)
        if instance is not None and instance.engine is not None:
            engines = {instance.id: instance.engine}
    found: list[Any] = []
    for item in items:
        name = engines.get(item.id)
        if name is None:
            found.append(item)
            continue
        known = connections.get(name)
        link = {"name": name, "id": item.id} | ({} if known is None else {"url": known.engine.url_of(item.id)})
        found.append({**fields_of(item), "engine": link})
    return found


async def delivery_on(connection: Connection, instance_id: str) -> Delivery | None:
    """Return where the edits of an engine's instance are, asked on a connection that the caller holds."""
    return await PostgresEngineRecords(Lent(connection)).delivery(instance_id)


def fields_of(item: Any) -> dict[str, Any]:
    """Return the fields of a dataclass by name, as they are."""
    return {field.name: getattr(item, field.name) for field in fields(item)}
