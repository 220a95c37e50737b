"""Generations of a read model that lives in PostgreSQL: tables `<name>_g<n>` behind a view `<name>`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from hashlib import sha256

from psycopg import errors, sql

from procvars.projections.projection import Connection
from procvars.projections.storage.counted import Tally
from procvars.projections.storage.packed_json import readable

_NUMBERS = """
SELECT DISTINCT substring(tablename FROM length(name) + 3)::integer FROM pg_tables, unnest(%s::text[]) AS name
WHERE schemaname = current_schema() AND tablename ~ ('^' || name || '_g[0-9]+$')
"""
_IDS = "(SELECT DISTINCT {id} FROM {table} WHERE {id} > %(after)s ORDER BY 1 LIMIT %(limit)s)"
_CLEAR = "DELETE FROM {table} WHERE {id} = ANY(%s)"
_CONTENTS = """
SELECT {id}, count(*) || ' ' || md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {table} AS t
WHERE {id} = ANY(%s) GROUP BY 1
"""

_PACKED_CONTENTS = """
SELECT {id}, (to_jsonb(t) - {column})::text, t.{packed} FROM {table} AS t WHERE {id} = ANY(%s) ORDER BY 1, 2
"""


async def tallies(
    connection: Connection, statement: str, of: sql.Identifier, stream_ids: Sequence[str]
) -> dict[str, Tally]:
    """Return what a statement with `{table}` and one parameter, the ids, finds: (stream, events, version)."""
    cursor = await connection.execute(sql.SQL(statement).format(table=of), (list(stream_ids),))
    return {row[0]: Tally(row[1], row[2]) for row in await cursor.fetchall()}


def table(name: str, generation: int) -> sql.Identifier:
    """Return the table of that generation, as an identifier to format into a statement."""
    return sql.Identifier(f"{name}_g{generation}")


class Tables:
    """Generations as tables. `streams` maps each table to the SQL expression for the stream of a row; `ddl` creates the
    tables of a generation, with `{name}` for each, and the indexes that filling needs, which PostgreSQL names.
    `readers_indexes` has the names and the definitions of the others. `packed` maps a table to the column of it that has
    `packed_json` documents.
    """

    def __init__(
        self,
        streams: Mapping[str, str],
        ddl: str,
        readers_indexes: Mapping[str, str] | None = None,
        packed: Mapping[str, str] | None = None,
    ) -> None:
        self._streams = dict(streams)
        self._ddl = ddl
        self._readers_indexes = dict(readers_indexes or {})
        self._packed = dict(packed or {})

    async def create(self, connection: Connection, generation: int) -> None:
        await self.drop(connection, generation)
        await connection.execute(sql.SQL(self._ddl).format(**self._named(generation)))

    async def complete(self, connection: Connection, generation: int) -> None:
        for name, definition in self._readers_indexes.items():
            statement = sql.SQL("CREATE INDEX IF NOT EXISTS {index} ON " + definition)
            await connection.execute(statement.format(index=table(name, generation), **self._named(generation)))
        for name in self._streams:
            # PostgreSQL would do so within minutes; until then readers would have bad plans.
            await connection.execute(sql.SQL("ANALYZE {}").format(table(name, generation)))

    def _named(self, generation: int) -> dict[str, sql.Identifier]:
        return {name: table(name, generation) for name in self._streams}

    async def publish(self, connection: Connection, generation: int) -> None:
        for name in self._streams:
            parts = {"view": sql.Identifier(name), "table": table(name, generation)}
            try:
                async with connection.transaction():
                    await connection.execute(
                        sql.SQL("CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}").format(**parts)
                    )
            except errors.InvalidTableDefinition:  # the table has another shape than the one before it
                await connection.execute(sql.SQL("DROP VIEW {view}").format(**parts))
                await connection.execute(sql.SQL("CREATE VIEW {view} AS SELECT * FROM {table}").format(**parts))

    async def drop(self, connection: Connection, generation: int) -> None:
        for name in self._streams:
            await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table(name, generation)))

    async def clear(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        await self.remove(connection, generation, stream_ids)

    async def remove(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> None:
        for name, stream in self._streams.items():
            statement = sql.SQL(_CLEAR).format(id=sql.SQL(stream), table=table(name, generation))
            await connection.execute(statement, (list(stream_ids),))

    async def numbers(self, connection: Connection) -> set[int]:
        return {row[0] for row in await (await connection.execute(_NUMBERS, (list(self._streams),))).fetchall()}

    async def stream_ids(self, connection: Connection, generation: int, *, after: str, limit: int) -> list[str]:
        parts = [
            sql.SQL(_IDS).format(id=sql.SQL(stream), table=table(name, generation))
            for name, stream in self._streams.items()
        ]
        statement = sql.SQL("SELECT id FROM ({}) AS found (id) ORDER BY 1 LIMIT %(limit)s").format(
            sql.SQL(" UNION ").join(parts)
        )
        cursor = await connection.execute(statement, {"after": after, "limit": limit})
        return [row[0] for row in await cursor.fetchall()]

    async def contents(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, stream in self._streams.items():
            parts = {"id": sql.SQL(stream), "table": table(name, generation)}
            if (column := self._packed.get(name)) is not None:
                contents = _packed_contents(connection, parts, column, stream_ids)
            else:
                contents = _contents(connection, parts, stream_ids)
            async for stream_id, content in contents:
                found[stream_id] = f"{found.get(stream_id, '')}{name}: {content}\n"
        return found


async def _contents(
    connection: Connection, parts: Mapping[str, sql.Composable], stream_ids: Sequence[str]
) -> AsyncIterator[tuple[str, str]]:
    """Yield stream id and digest of its rows."""
    cursor = await connection.execute(sql.SQL(_CONTENTS).format(**parts), (list(stream_ids),))
    async for stream_id, content in cursor:
        yield stream_id, content


async def _packed_contents(
    connection: Connection, parts: Mapping[str, sql.Composable], column: str, stream_ids: Sequence[str]
) -> AsyncIterator[tuple[str, str]]:
    """Yield stream id and a row of it, where the same document may be packed in more than one way."""
    statement = sql.SQL(_PACKED_CONTENTS).format(**parts, column=sql.Literal(column), packed=sql.Identifier(column))
    cursor = await connection.execute(statement, (list(stream_ids),), binary=True)
    async for stream_id, others, stored in cursor:
        yield stream_id, f"{others} {sha256(readable(stored)).hexdigest()}"
