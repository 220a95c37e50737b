"""`procvars serve` on a fresh database of the run's PostgreSQL, with instances to edit."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from procvars.api.settings import Settings
from tests.benchmarks.sample_documents import loan_application
from tests.benchmarks.temporary_database import Cluster, command_layer
from tests.conftest import Server


@asynccontextmanager
async def server_with_instances(
    cluster: Cluster, instances: int, elasticsearch_url: str | None = None
) -> AsyncIterator[Server]:
    """The instances `i-0`, `i-1`, … of the workspace bank are at version 1. Without a URL, PostgreSQL serves the search."""
    url = cluster.new_database()
    async with command_layer(url, Settings(elasticsearch_url=elasticsearch_url)) as commands:  # type: ignore[arg-type]
        await commands.publish_definition()
        for number in range(instances):
            await commands.start_instance(f"i-{number}", loan_application(0, number))
    with tempfile.TemporaryDirectory(prefix="procvars-bench-") as directory:
        environment = {"PROCVARS_ELASTICSEARCH_URL": elasticsearch_url} if elasticsearch_url else {}
        server = Server(Path(directory), database_url=url, environment=environment).start()
        try:
            yield server
        finally:
            server.stop()
