"""The manifest of an archive: what is in it, with sums, signed."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import TypeAdapter, ValidationError

from procvars.adapters.archives.signing import is_signed, key_id, signature

MANIFEST: Final = "manifest.json"
HISTORIES: Final = "histories.ndjson.gz"
_FORMAT: Final = "procvars-archive-1"


class InvalidManifest(Exception):
    """The manifest is damaged, or signed with another key."""


@dataclass(frozen=True, slots=True)
class ArchivedLine:
    """A line of the histories, an instance each."""

    id: str
    events: int
    sha256: str
    """Of the line without its line break, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Manifest:
    name: str
    workspace: str
    before: str
    """Time before which the newest event of each instance happened (RFC 3339)."""
    created_at: str
    created_by: str
    sha256: str
    """Of the file with the histories as it is, compressed, in hexadecimal digits."""
    bytes: int
    """Size of that file."""
    instances: list[ArchivedLine]

    @property
    def events(self) -> int:
        """Number of events of all instances."""
        return sum(line.events for line in self.instances)


_MANIFEST: Final = TypeAdapter(Manifest)


def signed(manifest: Manifest, key: Ed25519PrivateKey) -> bytes:
    """Return the text of the manifest, signed."""
    content = {**asdict(manifest), "format": _FORMAT, "file": HISTORIES, "key_id": key_id(key.public_key())}
    content["signature"] = signature(key, _canonical(content))
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def verified(text: bytes, key: Ed25519PublicKey) -> Manifest:
    """Return the manifest of a text that was signed with the key. Raises InvalidManifest."""
    try:
        content: dict[str, Any] = orjson.loads(text)
        sent = content.pop("signature")
        form, named, key_of = content["format"], content["file"], content["key_id"]
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise InvalidManifest("the manifest is damaged") from error
    if key_of != key_id(key):
        raise InvalidManifest(f"the manifest is signed with another key, {key_of}")
    if not isinstance(sent, str) or not is_signed(key, _canonical(content), sent):
        raise InvalidManifest("the manifest is not what was signed")
    if (form, named) != (_FORMAT, HISTORIES):
        raise InvalidManifest(f"the manifest is of another format, {form}")
    try:
        fields = {name: value for name, value in content.items() if name not in ("format", "file", "key_id")}
        return _MANIFEST.validate_python(fields)
    except ValidationError as error:
        raise InvalidManifest("the manifest lacks what it should have") from error


def _canonical(content: dict[str, Any]) -> bytes:
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
