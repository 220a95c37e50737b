"""A new archive: written under a name that says it is unfinished, and under its own once all of it is on the disk."""

import gzip
import hashlib
import os
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from procvars.adapters.archives.manifest import HISTORIES, MANIFEST, ArchivedLine, Manifest, signed

_COMPRESSION: Final = 6
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
"""The documents in it are in plain text."""


@dataclass(slots=True)
class ArchiveWriter:
    """Histories in a folder that is not published yet, one line in memory at a time."""

    folder: Path
    _file: BufferedRandom
    _lines: Any
    instances: list[ArchivedLine]

    @classmethod
    def begun(cls, folder: Path) -> "ArchiveWriter":
        """Create the folder, which does not exist yet. Raises OSError."""
        folder.mkdir(mode=_PRIVATE_FOLDER)
        descriptor = os.open(folder / HISTORIES, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE_FILE)
        file = os.fdopen(descriptor, "w+b")
        # Neither a name nor a time: the same histories give the same bytes.
        return cls(folder, file, gzip.GzipFile("", "wb", _COMPRESSION, file, mtime=0), [])

    def add(self, instance_id: str, events: int, line: bytes) -> None:
        """Write an instance's history. Raises OSError."""
        self._lines.write(line)
        self._lines.write(b"\n")
        self.instances.append(ArchivedLine(instance_id, events, hashlib.sha256(line).hexdigest()))

    def finish(
        self, key: Ed25519PrivateKey, *, name: str, workspace: str, before: str, created_at: str, created_by: str
    ) -> Manifest:
        """Write the manifest, bring everything to the disk, and return it. Raises OSError."""
        self._lines.close()
        self._file.flush()
        size = self._file.tell()
        self._file.seek(0)
        digest = hashlib.file_digest(self._file, "sha256").hexdigest()
        os.fsync(self._file.fileno())
        self._file.close()
        manifest = Manifest(name, workspace, before, created_at, created_by, digest, size, list(self.instances))
        descriptor = os.open(self.folder / MANIFEST, os.O_CREAT | os.O_EXCL | os.O_WRONLY, _PRIVATE_FILE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(signed(manifest, key))
            file.flush()
            os.fsync(file.fileno())
        synced(self.folder)
        synced(self.folder.parent)
        return manifest


def synced(folder: Path) -> None:
    """Bring the entries of a folder to the disk. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
