"""Migration of the database to this version: the tables of `eventsourcing`, ours, and the projections' first
generations.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from importlib.resources import files
from importlib.resources.abc import Traversable

from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore, PostgresTrackingRecorder
from psycopg.errors import InsufficientPrivilege, UndefinedTable

from procvars.adapters.postgres.pool import MIGRATION, UNAVAILABLE, dedicated_connection
from procvars.adapters.postgres.suitability import require_suitable
from procvars.domain.errors import StoreUnavailable
from procvars.projections.projection import Connection, Projection
from procvars.projections.rebuilding.due import due
from procvars.projections.storage import advisory_locks

_CREATE_LOG = """
CREATE TABLE schema_migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())
"""
_SCHEMA = "SELECT current_schema()"
_HAS_NO_LOG = "SELECT 1 WHERE to_regclass('schema_migrations') IS NULL"
_APPLIED = "SELECT name FROM schema_migrations"
_RECORD = "INSERT INTO schema_migrations (name) VALUES (%s)"
_KNOWN_PROJECTIONS = "SELECT name FROM projections"
# If roles are separated, the serving role owns this schema and what is in it (docs/security.md).
_READ_MODELS_OWNER = """
SELECT pg_get_userbyid(nspowner), nspname = current_schema() FROM pg_namespace WHERE nspname = 'read_models'
"""
_CREATE_FOR_OWNER = """
SELECT set_config('role', %s, true), set_config('search_path', 'read_models, ' || current_setting('search_path'), true)
"""
_ADD_PROJECTION = "INSERT INTO projections (name, generation, shape) VALUES (%s, 1, %s)"


async def migrate(database_url: str, projections: Sequence[Projection]) -> list[str]:
    """Apply what is missing, in one transaction, and return a line for each thing done or left to do. Safe to repeat
    and to run twice at once.

    Raises StoreUnavailable, UnsuitableDatabase, NewerDatabase, MayNotMigrate.
    """
    try:
        connection = await dedicated_connection(database_url, "migrate", MIGRATION)
        async with connection, connection.transaction():
            await require_suitable(connection, database_url)
            await connection.execute(advisory_locks.MIGRATION)
            # One anywhere on the search path counts, not only one where new tables would go.
            if await (await connection.execute(_HAS_NO_LOG)).fetchone():
                await connection.execute(_CREATE_LOG)
            applied = {row[0] for row in await (await connection.execute(_APPLIED)).fetchall()}
            _refuse_newer(applied)
            done = []
            if not applied:
                await _create_library_tables(connection)
            for script in _scripts():
                if script.name not in applied:
                    await connection.execute(script.read_text())
                    await connection.execute(_RECORD, (script.name,))
                    done.append(f"applied {script.name}")
            return done + await _add_projections(connection, projections) + await _rebuilds_due(connection, projections)
    except InsufficientPrivilege as error:
        raise MayNotMigrate(f"Only the owner of the database's tables can migrate it: {error}") from error
    except UNAVAILABLE as error:
        raise StoreUnavailable(str(error)) from error


class MayNotMigrate(StoreUnavailable):
    """The role that is connected does not own the database's tables."""


class NotMigrated(StoreUnavailable):
    """The database has not been brought to this version."""


class NewerDatabase(StoreUnavailable):
    """The database has been brought to a newer release of this program."""


class NotItsRole(StoreUnavailable):
    """The read models belong to another role than the one that is connected."""


async def require_migrated(database_url: str, projections: Sequence[str], *, as_owner: bool = False) -> None:
    """Raise NotMigrated if a script or one of these projections is missing, and NotItsRole if the read models belong to
    another role, unless this is `as_owner` of the events. Raises NewerDatabase, StoreUnavailable.
    """
    try:
        async with await dedicated_connection(database_url, "version check", MIGRATION) as connection:
            missing = await _missing(connection, projections)
            owner = await (await connection.execute(_READ_MODELS_OWNER)).fetchone()
    except UNAVAILABLE as error:
        raise StoreUnavailable(str(error)) from error
    if missing:
        raise NotMigrated(f"The database lacks {', '.join(missing)}: run `procvars migrate`.")
    if owner and not owner[1] and not as_owner:
        raise NotItsRole(
            f"The read models belong to the role {owner[0]}: only `procvars migrate` and "
            "`procvars archive` run with another one."
        )


async def _missing(connection: Connection, projections: Sequence[str]) -> list[str]:
    try:
        applied = {row[0] for row in await (await connection.execute(_APPLIED)).fetchall()}
    except UndefinedTable:
        applied = set()
    _refuse_newer(applied)
    if missing := [script.name for script in _scripts() if script.name not in applied]:
        return missing
    known = {row[0] for row in await (await connection.execute(_KNOWN_PROJECTIONS)).fetchall()}
    return [f"the projection {name}" for name in projections if name not in known]


def _refuse_newer(applied: AbstractSet[str]) -> None:
    if unknown := sorted(applied - {script.name for script in _scripts()}):
        raise NewerDatabase(
            f"The database was migrated by a newer release, which knows {', '.join(unknown)}: install that."
        )


def _scripts() -> list[Traversable]:
    return sorted(files("procvars.adapters.postgres").joinpath("migrations").iterdir(), key=lambda script: script.name)


async def _add_projections(connection: Connection, projections: Sequence[Projection]) -> list[str]:
    known = {row[0] for row in await (await connection.execute(_KNOWN_PROJECTIONS)).fetchall()}
    added = [projection for projection in projections if projection.name not in known]
    for projection in added:
        await connection.execute(_ADD_PROJECTION, (projection.name, projection.shape))
    owner = await (await connection.execute(_READ_MODELS_OWNER)).fetchone()
    if added and owner:
        await connection.execute(_CREATE_FOR_OWNER, (owner[0],))
    for projection in added:
        await projection.generations.create(connection, 1)
        await projection.generations.complete(connection, 1)
        await projection.generations.publish(connection, 1)
    return [f"added the projection {projection.name}" for projection in added]


async def _rebuilds_due(connection: Connection, projections: Sequence[Projection]) -> list[str]:
    reasons = await due(connection, projections)
    return [f"{name} answers as it is until it is rebuilt: {reason}" for name, reason in reasons.items()]


class _StatementsOnly(PostgresDatastore):
    """Datastore that never connects, for the recorders, which would connect only to register an unused type."""

    def register_type_adapters(self) -> None:
        return


async def _create_library_tables(connection: Connection) -> None:
    """Create `stored_events` and `notification_tracking`, by the statements of `eventsourcing` itself.

    Its insert function is left out: it takes no lock, so a reader that tails the table would skip events.
    """
    row = await (await connection.execute(_SCHEMA)).fetchone()
    assert row is not None
    datastore = _StatementsOnly(
        dbname="", host="", port="", user="", password="", schema=row[0], originator_id_type="text"
    )
    recorders = (PostgresApplicationRecorder(datastore), PostgresTrackingRecorder(datastore))
    for recorder in recorders:
        for statement in recorder.sql_create_statements:
            if "CREATE OR REPLACE FUNCTION" not in statement.as_string():
                await connection.execute(statement)
