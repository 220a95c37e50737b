"""The folder of archives: a folder for each, with its histories and its manifest."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from procvars.adapters.archives.errors import FolderUnusable
from procvars.adapters.archives.manifest import HISTORIES, Manifest
from procvars.adapters.archives.verification import verify
from procvars.adapters.archives.writing import ArchiveWriter, synced
from procvars.commands.archiving.errors import ArchiveDamaged, ArchivingRunning
from procvars.commands.archiving.ports import NewArchive, WrittenArchive


@dataclass(frozen=True, slots=True)
class ArchiveFolder:
    """Implements `commands.archiving.ports.ArchiveFiles`. What the disk refuses is raised as FolderUnusable."""

    path: Path
    key: Ed25519PrivateKey

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep other runs from the folder, and create it if need be. Raises ArchivingRunning, FolderUnusable."""
        with _translated():
            missing = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for folder in missing:
                synced(folder.parent)
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArchivingRunning("Another run archives into this folder.") from None
            yield
        finally:
            os.close(descriptor)

    def begin(self, name: str) -> NewArchive:
        with _translated():
            return _New(self, name, ArchiveWriter.begun(self._unfinished(name)))

    def publish(self, name: str) -> bool:
        with _translated():
            if self._unfinished(name).is_dir():
                self._unfinished(name).rename(self.path / name)
                synced(self.path)
            return (self.path / name).is_dir()

    def verify(self, name: str, sha256: str) -> None:
        found = verify(self.path / name, self.key.public_key())
        if found.fault is not None or found.manifest is None:
            raise ArchiveDamaged(f"{name}: {found.fault}. Nothing is removed before it is right.")
        if found.manifest.sha256 != sha256:
            raise ArchiveDamaged(f"{name} is another archive than the one that was written. Nothing is removed.")

    def discard_unfinished(self) -> None:
        with _translated():
            for left in self.path.glob(".procvars-*.unfinished"):
                shutil.rmtree(left)

    def _unfinished(self, name: str) -> Path:
        return self.path / f".{name}.unfinished"


@dataclass(slots=True)
class _New:
    """Implements `commands.archiving.ports.NewArchive`."""

    _folder: ArchiveFolder
    _name: str
    _writer: ArchiveWriter

    def add(self, instance_id: str, events: int, line: bytes) -> None:
        with _translated():
            self._writer.add(instance_id, events, line)

    def finish(self, *, workspace: str, before: datetime, created_at: datetime, created_by: str) -> WrittenArchive:
        with _translated():
            manifest: Manifest = self._writer.finish(
                self._folder.key,
                name=self._name,
                workspace=workspace,
                before=before.isoformat(),
                created_at=created_at.isoformat(),
                created_by=created_by,
            )
        return WrittenArchive(
            self._name, f"{self._name}/{HISTORIES}", manifest.sha256, len(manifest.instances), manifest.events
        )


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FolderUnusable(f"{error.filename or 'The folder of archives'}: {error.strerror}") from error
