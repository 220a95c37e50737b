"""Notifications of other processes by LISTEN. The hearers' own poll finds what is missed without a connection."""

import asyncio
from collections.abc import Callable, Mapping

import structlog
from psycopg import sql

from procvars.adapters.postgres.pool import UNAVAILABLE, dedicated_connection

APPENDED = "procvars_events"
"""Channel for appended events; the text is their workspace, or empty if it could be any."""
MOVED = "procvars_projections"
"""Channel for advanced read models; the text is the name, a space, and the new position."""
_RETRY_SECONDS = 1.0

Hear = Callable[[str], None]
"""Callback for the text of a notification."""

log = structlog.get_logger(__name__)


async def listen(database_url: str, hearers: Mapping[str, Hear], connected: Callable[[], None]) -> None:
    """Call the hearer of a channel with each notification, and `connected` at every new connection, until cancelled."""
    while True:
        try:
            connection = await dedicated_connection(database_url, "listen")
            try:
                for channel in hearers:
                    await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
                connected()
                async for notification in connection.notifies():
                    hearers[notification.channel](notification.payload)
            finally:
                await connection.close()
        except UNAVAILABLE as error:
            log.warning("listening interrupted", error=str(error))
        await asyncio.sleep(_RETRY_SECONDS)
