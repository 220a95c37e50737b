"""What a command needs of the server's parts, without the server: the event store and the read models' database."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from api.bootstrap.store import connected_store, database
from api.cli.configuration import settings_with
from api.cli.output import INTERRUPTED, fail
from api.store import Store
from domain.document_errors import DocumentError
from domain.errors import DomainError

T = TypeVar("T")


def with_store(work: Callable[[Store], Awaitable[T]]) -> T:
    """Runs it against the database of the settings. A refusal ends the command with exit code 1 and its words, Ctrl-C with
    130.
    """

    async def run(url: str) -> T:
        async with connected_store(settings, url) as store:
            return await work(store)

    settings = settings_with()
    try:
        with database(settings) as url:
            return asyncio.run(run(url))
    except (DomainError, DocumentError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        fail("interrupted", code=INTERRUPTED)
