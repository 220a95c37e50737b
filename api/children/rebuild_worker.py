"""Worker of a rebuild: `python -m procvars.api.children.rebuild_worker PROJECTION GENERATION SHARE OF`.

It ends with its parent, whose end closes its stdin.
"""

import asyncio
import sys

from procvars.adapters.postgres.pool import UNAVAILABLE, UNHURRIED, projection_connection
from procvars.api.bootstrap.store import connected_store
from procvars.api.processes.garbage_collection import FEW_PAUSES, collect_rarely
from procvars.api.processes.lifeline import end_with_the_parent
from procvars.api.settings import Settings
from procvars.domain.errors import DomainError
from procvars.projections.projection import named
from procvars.projections.rebuilding.rebuild import GenerationGone, fill
from procvars.projections.running.failure_watch import KeepsFailing


def main() -> None:
    name, generation, shard, of = sys.argv[1], *map(int, sys.argv[2:5])
    end_with_the_parent()
    collect_rarely(FEW_PAUSES)
    try:
        asyncio.run(_fill(name, generation, shard, of))
    except (DomainError, KeepsFailing) as error:
        sys.exit(f"{name}: {error}")
    except UNAVAILABLE as error:
        sys.exit(f"{name}: {error}")
    except GenerationGone:
        sys.exit(f"{name}: somebody else finished or gave up generation {generation}")


async def _fill(name: str, generation: int, shard: int, of: int) -> None:
    settings = Settings()
    assert settings.database_url is not None
    async with connected_store(settings, settings.database_url) as store:
        projection = named(store.projections, name)
        async with await projection_connection(settings.database_url, UNHURRIED) as connection:
            await fill(connection, projection, store.events, generation, shard, of)


if __name__ == "__main__":
    main()
