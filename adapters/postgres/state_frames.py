"""Compression of the states of events, alone or against an earlier state of the same stream.

An event that sets a document has the document before it, and often the document after it: nearly all of that is in the
event before. So zstandard gets an earlier state as the dictionary of a later one, and what is stored is what differs. That
earlier state, the base, is compressed alone: whoever reads a state needs one other at most. From time to time a state is
stored alone and becomes the base of the next ones, as a document drifts away from its base.

A frame alone begins with the magic number of zstandard, a frame against a base with `_AGAINST` and the base's version.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import zstandard

from procvars.adapters.postgres.recently_used import RecentlyUsed

_AGAINST = struct.Struct(">cQ")
_MARK = b"\x01"
_MOST_VERSIONS = 50
"""Distance in versions after which a state is stored alone."""
_MOST_TIMES_LARGER = 4
"""Ratio of sizes above which a base is too large: whoever reads a state decompresses its base too."""
_SMALL_STATE = 256
"""Size in bytes below which a state is not compared with the same state alone."""
_LEVEL = 1
_LEVEL_WINDOW_BITS = 19
"""Binary logarithm of the level's own window."""
_LEAST_WINDOW_BITS = 10
_MOST_WINDOW_BITS = 27
_WINDOW_TO_HASH_BITS = 3
_LEAST_HASH_BITS = 6
_MOST_HASH_BITS = 22
_MOST_COMPRESSORS_BYTES = 8 * 2**20
_READS_WITHOUT_DECOMPRESSOR = 4
"""Reads of small states in a row that together take as long as to make a decompressor for their base."""
_KEPT_TEXT = 2**20
"""Size of the largest base, in bytes, whose text is kept for the next state of its stream."""


@dataclass(frozen=True, slots=True)
class Base:
    """A state that was compressed alone, against which others of its stream are."""

    version: int
    """Version of its event."""
    frame: bytes

    @property
    def size(self) -> int:
        """Size of the decompressed state in bytes."""
        return zstandard.frame_content_size(self.frame)


class Frame(NamedTuple):
    """A compressed state, not encrypted."""

    base_version: int | None
    """Version of the event whose state is its base; None if it was compressed alone."""
    data: bytes

    @property
    def size(self) -> int:
        """Size of the decompressed state in bytes. Raises zstandard.ZstdError for what is no frame."""
        return zstandard.frame_content_size(self.data)


class BaseMissing(Exception):
    """The state was compressed against another one, which is not at hand."""

    def __init__(self, version: int) -> None:
        super().__init__(f"its state continues that of version {version}, which is not at hand")
        self.version = version


def frame_of(state: bytes) -> Frame:
    """Return the frame that a state consists of."""
    if state[:1] != _MARK:
        return Frame(None, state)
    _, version = _AGAINST.unpack_from(state)
    return Frame(version, state[_AGAINST.size :])


class _Compressor(NamedTuple):
    """A compressor that has read the text of a base: making it takes ten times as long as using it."""

    frame: bytes
    """Frame of the base, which is kept alive, as its identity is the compressor's key."""
    dictionary_size: int
    window_bits: int
    compressor: zstandard.ZstdCompressor


class _Reader(NamedTuple):
    """What reads states against the base that was read last."""

    frame: bytes
    """Frame of the base."""
    reads: int
    """Number of states that were read in a row."""
    decompressor: zstandard.ZstdDecompressor | None
    """A decompressor that has read the text of the base, after some reads."""


class StateFrames:
    """Compressor and decompressor of one process."""

    def __init__(self) -> None:
        self._alone = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False)
        self._decompressor = zstandard.ZstdDecompressor()
        self._newest: tuple[bytes, zstandard.ZstdCompressionDict] | None = None
        """Frame of the base that was used last, and its text."""
        self._reader: _Reader | None = None
        self._compressors: RecentlyUsed[int, _Compressor] = RecentlyUsed(most_bytes=_MOST_COMPRESSORS_BYTES)

    def alone(self, text: bytes) -> bytes:
        """Return the state of a text that is compressed alone."""
        if len(text) < 2**_LEVEL_WINDOW_BITS:
            return self._alone.compress(text)
        return zstandard.ZstdCompressor(compression_params=_parameters(len(text), 0)).compress(text)

    def smallest(self, text: bytes, version: int, base: Base | None) -> bytes:
        """Return the state of the event of that version, against the base where that is much smaller."""
        if base is None or version - base.version >= _MOST_VERSIONS or base.size > _MOST_TIMES_LARGER * len(text):
            return self.alone(text)
        state = self._against(text, base)
        if len(state) > _SMALL_STATE and 2 * len(state) > len(base.frame):
            alone = self.alone(text)
            return alone if 2 * len(state) > len(alone) else state
        return state

    def text(self, frame: Frame, base: Base | None) -> bytes:
        """Return the decompressed state. Raises BaseMissing, and what zstandard raises for what is no frame."""
        if frame.base_version is None:
            return self._decompressor.decompress(frame.data)
        if base is None or base.version != frame.base_version:
            raise BaseMissing(frame.base_version)
        if base.size > _KEPT_TEXT:
            return zstandard.ZstdDecompressor(dict_data=self._dictionary(base)).decompress(frame.data)
        reader = self._reader
        reads = reader.reads + 1 if reader is not None and reader.frame is base.frame else 1
        decompressor = reader.decompressor if reader is not None and reads > 1 else None
        if decompressor is None and reads > _READS_WITHOUT_DECOMPRESSOR:
            decompressor = zstandard.ZstdDecompressor(dict_data=self._dictionary(base))
        self._reader = _Reader(base.frame, reads, decompressor)
        if decompressor is None:
            return self._decompressor.decompress_content_dict_chain([base.frame, frame.data])
        return decompressor.decompress(frame.data)

    def _against(self, text: bytes, base: Base) -> bytes:
        key = id(base.frame)
        used = self._compressors.get(key)
        is_new = used is None or used.window_bits != _window_bits(len(text) + used.dictionary_size)
        if used is None or is_new:
            used = self._compressor(base, len(text))
        state = _AGAINST.pack(_MARK, base.version) + used.compressor.compress(text)
        if is_new:  # how much memory it takes is known now
            self._compressors.put(key, used, used.compressor.memory_size() + used.dictionary_size)
        return state

    def _compressor(self, base: Base, size: int) -> _Compressor:
        dictionary = self._dictionary(base)
        parameters = _parameters(size, len(dictionary), write_checksum=True)
        compressor = zstandard.ZstdCompressor(dict_data=dictionary, compression_params=parameters)
        return _Compressor(base.frame, len(dictionary), _window_bits(size + len(dictionary)), compressor)

    def _dictionary(self, base: Base) -> zstandard.ZstdCompressionDict:
        if self._newest is not None and self._newest[0] is base.frame:
            return self._newest[1]
        text = self._decompressor.decompress(base.frame)
        found = zstandard.ZstdCompressionDict(text, dict_type=zstandard.DICT_TYPE_RAWCONTENT)
        self._newest = (base.frame, found) if len(text) <= _KEPT_TEXT else None
        return found


def _window_bits(size: int) -> int:
    """Return the binary logarithm of a window for that many bytes."""
    return min(max(size.bit_length(), _LEAST_WINDOW_BITS), _MOST_WINDOW_BITS)


def _parameters(size: int, dictionary: int, *, write_checksum: bool = False) -> zstandard.ZstdCompressionParameters:
    """Return the level's parameters with a window over text and dictionary, and a table that finds its way in it."""
    return _parameters_for(_window_bits(size + dictionary), size.bit_length(), dictionary.bit_length(), write_checksum)


@lru_cache(maxsize=256)
def _parameters_for(
    bits: int, size_bits: int, dictionary_bits: int, write_checksum: bool
) -> zstandard.ZstdCompressionParameters:
    """Return the parameters for a window of `bits` and for sizes of up to so many bits."""
    return zstandard.ZstdCompressionParameters.from_level(
        _LEVEL,
        source_size=2**size_bits,
        dict_size=2**dictionary_bits if dictionary_bits else 0,
        window_log=bits,
        hash_log=min(max(bits - _WINDOW_TO_HASH_BITS, _LEAST_HASH_BITS), _MOST_HASH_BITS),
        write_checksum=write_checksum,
    )
