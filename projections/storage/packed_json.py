"""JSON documents in columns of type `bytea`: a frame of zstandard, or the text itself where that is no longer.

PostgreSQL compresses long values itself, slower and to half as much again, and leaves those of 2 KB as they are. A frame
depends on the release of zstandard; what is compared is therefore the text.
"""

from typing import Final

import zstandard

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Json
from procvars.domain.errors import ReadTooLarge
from procvars.projections.storage.text_columns import ANY_SIZE

_FRAME: Final = b"\x28\xb5\x2f\xfd"
"""Magic number of a frame, which no JSON begins with."""

_compressor = zstandard.ZstdCompressor(level=3, write_checksum=True)
_decompressor = zstandard.ZstdDecompressor()


def packed(value: Json) -> bytes:
    """Return the stored form of a document."""
    text = encode(value)
    frame = _compressor.compress(text)
    return frame if len(frame) < len(text) else text


def unpacked(stored: bytes | None, largest: int) -> bytes:
    """Return the text, UTF-8, of a stored form that a query has left out if that alone is larger than its caller reads.

    Raises ReadTooLarge if the text exceeds `largest` bytes, and zstandard.ZstdError for a damaged frame.
    """
    if stored is None:
        raise ReadTooLarge
    is_frame = stored.startswith(_FRAME)
    if (zstandard.frame_content_size(stored) if is_frame else len(stored)) > largest:
        raise ReadTooLarge
    return _decompressor.decompress(stored) if is_frame else stored


def readable(stored: bytes) -> bytes:
    """Return the text of a stored form; what is damaged as it is, which equals no text."""
    try:
        return unpacked(stored, ANY_SIZE)
    except zstandard.ZstdError:
        return stored
