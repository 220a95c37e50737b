"""LISTEN: hears that some process appended events. What it misses while the connection is lost, the readers' poll finds."""

import asyncio
from collections.abc import Callable

import structlog

from adapters.postgres.pool import UNAVAILABLE, dedicated_connection

_CHANNEL = "procvars_events"
_RETRY_SECONDS = 1.0

log = structlog.get_logger(__name__)


async def listen(database_url: str, heard: Callable[[], None]) -> None:
    """Calls `heard` after each append, and once at every new connection; runs until it is cancelled."""
    while True:
        try:
            connection = await dedicated_connection(database_url, "listen")
            try:
                await connection.execute(f"LISTEN {_CHANNEL}")
                heard()
                async for _ in connection.notifies():
                    heard()
            finally:
                await connection.close()
        except UNAVAILABLE as error:
            log.warning("listening interrupted", error=str(error))
        await asyncio.sleep(_RETRY_SECONDS)
