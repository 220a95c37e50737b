"""Generations of a read model that lives in PostgreSQL: tables `<name>_g<n>` behind a view `<name>`."""

from collections.abc import Sequence

from psycopg import sql

from projections.projection import Connection


def table(name: str, generation: int) -> sql.Identifier:
    """The table of that generation, as an identifier to format into a statement."""
    return sql.Identifier(f"{name}_g{generation}")


class Tables:
    """`names`: the read model's tables. `ddl`: what creates them, with `{name}` for each table of a generation; the
    names of indexes are left to PostgreSQL.
    """

    def __init__(self, names: Sequence[str], ddl: str) -> None:
        self.names = tuple(names)
        self._ddl = ddl

    async def create(self, connection: Connection, generation: int) -> None:
        await self.drop(connection, generation)
        tables = {name: table(name, generation) for name in self.names}
        await connection.execute(sql.SQL(self._ddl).format(**tables))

    async def publish(self, connection: Connection, generation: int) -> None:
        for name in self.names:
            statement = sql.SQL("CREATE OR REPLACE VIEW {view} AS SELECT * FROM {table}")
            await connection.execute(statement.format(view=sql.Identifier(name), table=table(name, generation)))

    async def drop(self, connection: Connection, generation: int) -> None:
        for name in self.names:
            await connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(table(name, generation)))
