"""Whether a database is one that the events can be kept in."""

from adapters.postgres.pool import Connection
from domain.errors import StoreUnavailable

OLDEST_VERSION = 140000
"""PostgreSQL 14, as the server counts its versions."""
_SETTINGS = "SELECT current_setting('server_version_num')::int, current_setting('server_encoding')"


class UnsuitableDatabase(StoreUnavailable):
    """The database cannot keep the events."""


async def require_suitable(connection: Connection) -> None:
    """Raises UnsuitableDatabase."""
    row = await (await connection.execute(_SETTINGS)).fetchone()
    assert row is not None
    refuse_unsuitable(version=row[0], encoding=row[1])


def refuse_unsuitable(*, version: int, encoding: str) -> None:
    """Raises UnsuitableDatabase for a server that is too old, or text that cannot be any character."""
    if version < OLDEST_VERSION:
        raise UnsuitableDatabase(
            f"PostgreSQL {version // 10000} is too old: version {OLDEST_VERSION // 10000} or later is needed."
        )
    if encoding != "UTF8":
        raise UnsuitableDatabase(f"The database has the encoding {encoding}: it has to be created with UTF8.")
