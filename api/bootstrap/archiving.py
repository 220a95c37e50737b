"""Assembly of archiving: the event store as its owner has it, and a folder of archives."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from procvars.adapters.archives.folder import ArchiveFolder
from procvars.adapters.archives.signing import private_key
from procvars.adapters.exact_json import dumps
from procvars.adapters.postgres.archive_ledger import PostgresArchiveLedger, owners_connection
from procvars.adapters.postgres.pool import UNAVAILABLE
from procvars.api.bootstrap.store import event_mapper, owners_store
from procvars.api.http.import_lines import longest_line, read_line
from procvars.api.settings import Settings, SettingsError
from procvars.commands.archiving.run import Archiving
from procvars.domain.errors import StoreUnavailable


class NoArchiveKey(SettingsError):
    """An archive without a signature proves nothing."""

    def __init__(self) -> None:
        super().__init__(
            "PROCVARS_ARCHIVE_KEY is not set: archives are signed with it. "
            "`openssl genpkey -algorithm ed25519` makes a key."
        )


def archive_folder(settings: Settings, path: Path) -> ArchiveFolder:
    """Return the folder, whose archives are signed with the key of the settings. Raises NoArchiveKey, UnusableKey."""
    if settings.archive_key is None:
        raise NoArchiveKey
    return ArchiveFolder(path, private_key(settings.archive_key.get_secret_value()))


@asynccontextmanager
async def archiving(settings: Settings, database_url: str, folder: ArchiveFolder) -> AsyncIterator[Archiving]:
    """Yield what archives into the folder. Raises StoreUnavailable, NotMigrated, WrongCipherKey."""
    async with owners_store(settings, database_url) as store:
        try:
            connection = await owners_connection(database_url)
        except UNAVAILABLE as error:
            raise StoreUnavailable(str(error)) from error
        async with connection:
            names = [projection.name for projection in store.projections]
            has_relay = settings.kafka_brokers is not None
            yield Archiving(
                store.events,
                PostgresArchiveLedger(connection, event_mapper(settings), names, has_relay=has_relay),
                folder,
                lambda: datetime.now(UTC),
                encode=dumps,
                read_line=read_line,
                longest_line=longest_line(settings.max_document_bytes),
                max_document_bytes=settings.max_document_bytes,
            )
