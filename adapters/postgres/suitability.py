"""Suitability of a database for the events."""

from procvars.adapters.postgres.pool import ARRIVAL, Connection, names_schema
from procvars.domain.errors import StoreUnavailable

OLDEST_VERSION = 140000
"""PostgreSQL 14, as the server counts its versions."""
_SETTINGS = f"""
SELECT current_setting('server_version_num')::int, current_setting('server_encoding'), current_schema(),
    current_setting('{ARRIVAL}', true)
"""

_ELSEWHERE = """
SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = 'schema_migrations' AND to_regclass('schema_migrations') IS NULL AND EXISTS (
    SELECT FROM pg_class o WHERE o.relname = 'idempotency_keys' AND o.relnamespace = c.relnamespace)
ORDER BY n.nspname LIMIT 1
"""


class UnsuitableDatabase(StoreUnavailable):
    """The database cannot keep the events."""


async def require_suitable(connection: Connection, database_url: str) -> None:
    """Raise UnsuitableDatabase if the events could not be kept, or are in a schema that nobody named."""
    row = await (await connection.execute(_SETTINGS)).fetchone()
    assert row is not None
    refuse_unsuitable(version=row[0], encoding=row[1])
    if row[3] != "on":
        raise UnsuitableDatabase(
            "The settings that a connection begins with do not come to PostgreSQL, so dates and time-outs would be wrong: a "
            "connection pooler drops them. Connect to PostgreSQL itself; PgBouncer cannot be between, as it has no LISTEN in "
            "transaction mode either."
        )
    if row[2] is None:
        raise UnsuitableDatabase("The search path of this role and database names no schema that exists.")
    if not names_schema(database_url) and (found := await (await connection.execute(_ELSEWHERE)).fetchone()):
        raise UnsuitableDatabase(
            f"The tables of this program are in the schema {found[0]}, which is not on the search path of this role and "
            f"database: correct that, or end PROCVARS_DATABASE_URL with ?options=-csearch_path%3D{found[0]}"
        )


def refuse_unsuitable(*, version: int, encoding: str) -> None:
    """Raise UnsuitableDatabase for a server that is too old, or an encoding that cannot hold every character."""
    if version < OLDEST_VERSION:
        raise UnsuitableDatabase(
            f"PostgreSQL {version // 10000} is too old: version {OLDEST_VERSION // 10000} or later is needed."
        )
    if encoding != "UTF8":
        raise UnsuitableDatabase(f"The database has the encoding {encoding}: it has to be created with UTF8.")
