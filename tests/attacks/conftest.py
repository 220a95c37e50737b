from collections.abc import Iterator
from pathlib import Path

import pytest

from procvars.adapters.postgres.embedded import embedded_postgres


@pytest.fixture
def database_url(tmp_path: Path) -> Iterator[str]:
    """A database that outlives the servers on it."""
    with embedded_postgres(tmp_path / "database") as url:
        yield url
