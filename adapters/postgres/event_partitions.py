"""Partitions of the event store, which are added long before the positions come to them.

The function of the database adds them with the rights of the tables' owner, as the role that serves may not.
"""

import asyncio

import structlog

from procvars.adapters.postgres.pool import Lender, borrowed
from procvars.domain.errors import StoreUnavailable

_ADD = "SELECT add_event_partitions()"
_SECONDS = 60.0
"""Pause between two looks. A partition is added while there is room for millions of events."""

log = structlog.get_logger(__name__)


async def add_event_partitions(lender: Lender) -> list[str]:
    """Add the partitions that are needed soon and return their names; safe to run several times at once.

    Raises StoreUnavailable.
    """
    async with borrowed(lender) as connection:
        return [row[0] for row in await (await connection.execute(_ADD)).fetchall()]


async def keep_adding(lender: Lender) -> None:
    """Add partitions whenever they are needed, until cancelled. Raises the database's refusals, such as a lack of rights."""
    while True:
        try:
            for name in await add_event_partitions(lender):
                log.info("partition of the event store added", partition=name)
        except StoreUnavailable as error:
            log.warning("no partition of the event store can be added now", error=str(error))
        await asyncio.sleep(_SECONDS)
