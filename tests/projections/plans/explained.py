"""A connection that counts the rows which each query of a read model reads."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from psycopg import sql

from procvars.projections.projection import Connection

_EXPLAIN = sql.SQL("EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ")


class Explained:
    """The connection, for queries; `rows` is what the last one read, `plan` what PostgreSQL did."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.rows = 0
        self.plan: Any = None

    async def execute(self, query: str | sql.Composed, values: Any = None, **options: Any) -> Any:
        text = sql.Composed([sql.SQL(query)]) if isinstance(query, str) else query
        explained = await self._connection.execute(_EXPLAIN + text, values, **options)
        row = await explained.fetchone()
        assert row is not None
        self.plan = row[0][0]["Plan"]
        self.rows = sum(map(_read, _nodes(self.plan)))
        return await self._connection.execute(text, values, **options)

    def as_connection(self) -> Connection:
        return cast(Connection, self)


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)


def _read(node: Mapping[str, Any]) -> int:
    """Return the rows that a node takes from a table or an index, with those that its filter drops."""
    if "Relation Name" not in node and "Index Name" not in node:
        return 0
    dropped = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return int((node["Actual Rows"] + dropped) * node["Actual Loops"])
