"""A pooler between the program and PostgreSQL, as PgBouncer is in transaction mode: refused at the start, with the reason."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from procvars.adapters.postgres.pool import dedicated_connection
from procvars.adapters.postgres.suitability import UnsuitableDatabase, require_suitable
from tests.projections.databases import database_url, embedded_server

__all__ = ["database_url", "embedded_server"]

Manner = Literal["refuses", "drops", "forwards"]


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def pooler(database_url: str, manner: Manner) -> AsyncIterator[str]:
    """Speaks as much of PostgreSQL's protocol as there is before a session: the message that begins it."""
    database = conninfo_to_dict(database_url)
    socket = f"{database['host']}/.s.PGSQL.{database.get('port') or 5432}"
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(4))
        version, content = await reader.readexactly(4), await reader.readexactly(length - 8)
        names = content.rstrip(b"\0").split(b"\0")
        settings = dict(zip(names[::2], names[1::2], strict=True))
        if manner == "refuses":
            message = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
            writer.write(b"E" + (len(message) + 4).to_bytes(4) + message)
            writer.close()
            return
        if manner == "drops":
            del settings[b"options"]
        begin = b"".join(part + b"\0" for pair in settings.items() for part in pair) + b"\0"
        upstream, downstream = await asyncio.open_unix_connection(socket)
        downstream.write((len(begin) + 8).to_bytes(4) + version + begin)
        tasks.update((asyncio.create_task(copy(reader, downstream)), asyncio.create_task(copy(upstream, writer))))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield make_conninfo(database_url, host="127.0.0.1", port=port, sslmode="disable")
    await asyncio.gather(*tasks)


async def test_settings_that_a_pooler_drops_are_missed(database_url: str) -> None:
    """Dates would be read in the database's own style, and nothing would time out."""
    async with pooler(database_url, "drops") as url, await dedicated_connection(url, "test") as connection:
        with pytest.raises(UnsuitableDatabase, match="pooler"):
            await require_suitable(connection, url)


async def test_a_pooler_that_refuses_the_settings_is_named(database_url: str) -> None:
    """Its own words say nothing to whoever did not configure it."""
    async with pooler(database_url, "refuses") as url:
        with pytest.raises(psycopg.OperationalError, match="connect to PostgreSQL itself"):
            await dedicated_connection(url, "test")


async def test_what_forwards_the_settings_is_suitable(database_url: str) -> None:
    """As PostgreSQL itself, and PgBouncer in session mode, which keeps a connection for each of its callers."""
    async with pooler(database_url, "forwards") as url, await dedicated_connection(url, "test") as connection:
        await require_suitable(connection, url)
