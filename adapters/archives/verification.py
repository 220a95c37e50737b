"""Verification of archives, for which the public key is enough."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from procvars.adapters.archives.errors import NoArchive
from procvars.adapters.archives.manifest import HISTORIES, MANIFEST, ArchivedLine, InvalidManifest, Manifest, verified
from procvars.domain.documents.documents import encode

_CHUNK = 2**20


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found in an archive."""

    name: str
    manifest: Manifest | None
    """None where it cannot be trusted."""
    fault: str | None
    """What is wrong with it; None where nothing is."""


def archives_at(path: Path) -> list[Path]:
    """Return the folders of the archives at that place: a folder of archives, an archive, or a file of one.

    Raises NoArchive.
    """
    if path.is_file():
        path = path.parent
    if (path / MANIFEST).exists() or (path / HISTORIES).exists():
        return [path]
    found = (
        sorted(one for one in path.iterdir() if one.is_dir() and not one.name.startswith(".")) if path.is_dir() else []
    )
    if not found:
        raise NoArchive(f"There is no archive in {path}.")
    return found


def verify(folder: Path, key: Ed25519PublicKey) -> Verification:
    """Read an archive from its first byte to its last, and return what is wrong with it, the first fault only.

    A line is in memory at a time.
    """
    try:
        manifest = verified((folder / MANIFEST).read_bytes(), key)
    except FileNotFoundError:
        return Verification(folder.name, None, "there is no manifest")
    except InvalidManifest as error:
        return Verification(folder.name, None, str(error))
    except OSError as error:
        return Verification(folder.name, None, f"the manifest cannot be read: {error.strerror}")
    return Verification(folder.name, manifest, _fault(folder, manifest))


def _fault(folder: Path, manifest: Manifest) -> str | None:
    if folder.name not in (manifest.name, f".{manifest.name}.unfinished"):
        return f"it is the archive {manifest.name} under another name"
    try:
        with (folder / HISTORIES).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != manifest.sha256 or file.tell() != manifest.bytes:
                return f"{HISTORIES} is not what was signed: its SHA-256 is {digest}"
            file.seek(0)
            with gzip.GzipFile(fileobj=file) as lines:
                return _difference(lines, manifest.instances)
    except FileNotFoundError:
        return f"there is no {HISTORIES}"
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return f"{HISTORIES} cannot be decompressed: {error}"
    except OSError as error:
        return f"{HISTORIES} cannot be read: {error.strerror}"


def _difference(lines: gzip.GzipFile, expected: list[ArchivedLine]) -> str | None:
    found = _lines(lines)
    for number, line in enumerate(expected, 1):
        text = next(found, None)
        if text is None:
            return f"line {number}, of {line.id}, is missing"
        if hashlib.sha256(text).hexdigest() != line.sha256 or not text.startswith(b'{"id":' + encode(line.id) + b","):
            return f"line {number} is not the history of {line.id}"
    return None if next(found, None) is None else "it has more lines than instances"


def _lines(lines: gzip.GzipFile) -> Iterator[bytes]:
    for line in lines:
        yield line.removesuffix(b"\n")
