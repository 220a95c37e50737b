"""The measure of every fault test: a read model is the same as one built anew from the events."""

from collections.abc import Sequence

from psycopg import sql

from procvars.adapters.postgres.pool import borrowed
from procvars.api.processes.store import Store
from procvars.projections.projection import Connection, Projection
from procvars.projections.registry import PROJECTION_NAMES

_SCRATCH = 99
_PAGE = 500
_GENERATION = "SELECT generation FROM projections WHERE name = %s"
_TABLES = "SELECT tablename FROM pg_tables WHERE tablename LIKE %s ORDER BY tablename"
_PARKED = "SELECT projection, instance_id, error FROM parked_streams WHERE projection = ANY(%s)"


async def assert_as_built_anew(store: Store, names: Sequence[str] = PROJECTION_NAMES) -> None:
    """Every row of every table of these projections, and no stream parked in them."""
    async with borrowed(store.pool) as connection:
        parked = await (await connection.execute(_PARKED, (list(names),))).fetchall()
        assert parked == []
        for projection in store.projections:
            if projection.name in names:
                await _assert_same(connection, store, projection)


async def _assert_same(connection: Connection, store: Store, projection: Projection) -> None:
    row = await (await connection.execute(_GENERATION, (projection.name,))).fetchone()
    assert row is not None
    await projection.generations.create(connection, _SCRATCH)
    position = 0
    while events := await store.events.after_position(position, _PAGE):
        async with connection.transaction():
            await projection.apply(connection, _SCRATCH, events)
        position = events[-1].position
    assert position, "nothing happened"
    tables = await (await connection.execute(_TABLES, (rf"%\_g{_SCRATCH}",))).fetchall()
    assert tables
    for (scratch,) in tables:
        live = scratch.removesuffix(f"_g{_SCRATCH}") + f"_g{row[0]}"
        expected, found = await _rows(connection, scratch), await _rows(connection, live)
        assert found == expected, f"{live}: {_difference(found, expected)}"
    await projection.generations.drop(connection, _SCRATCH)


async def _rows(connection: Connection, table: str) -> list[str]:
    cursor = await connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table)))
    return sorted(repr(row) for row in await cursor.fetchall())


def _difference(found: list[str], expected: list[str]) -> str:
    missing, unexpected = set(expected) - set(found), set(found) - set(expected)
    return f"{len(found)} rows for {len(expected)}; missing {sorted(missing)[:2]}, unexpected {sorted(unexpected)[:2]}"
