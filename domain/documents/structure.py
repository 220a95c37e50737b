"""Brackets of a JSON text, and the containers that are open at a place in it.

All functions take the beginning of a text that a parser has accepted up to that place, and do not check it again. C
code does the work, block by block; Python code only looks into the few blocks in which an open container begins.
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

import msgspec

from procvars.domain.documents.values import MAX_DEPTH

_PIECE: Final = 64 * 1024
_BLOCK: Final = 4096
_QUOTE: Final = ord('"')
_CONTENT_OF_STRINGS: Final = bytes(byte if byte == _QUOTE else ord("_") for byte in range(256))
_CONTINUATION_BYTES: Final = bytes(range(0x80, 0xC0))
_NO_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")
_AS_ARRAYS: Final = bytes.maketrans(b"{}", b"[]")
_AS_STEPS: Final = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
_BALANCED: Final = tuple(b"[" * levels + b"]" * levels for levels in (64, 16, 4, 1))
_BRACKET: Final = re.compile(rb"[\[\]{}]")
_CLOSER: Final = {"{": "}", "[": "]"}


_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class OpenContainer:
    """An array or object that is still open where the text ends."""

    opener: str
    start: int
    """Offset of its opener, in characters."""
    _completed: str
    """Part of the text inside it, but not inside another open container, completed to an array or object."""

    def keys(self) -> list[str]:
        """Return an object's keys in order; the last one is that of the member at which the text ends."""
        return [*_MEMBERS.decode(self._completed)]

    def count(self) -> int:
        """Return the number of an array's elements, including the one at which the text ends."""
        return len(_ELEMENTS.decode(self._completed))


def mask_strings(prefix: bytes) -> bytes:
    """Return the beginning of a JSON text (UTF-8) with one byte for each character and an underscore for each in a
    string.

    So every bracket, comma, digit and line break in the result belongs to the structure, and offsets count characters.
    """
    if b"\\" in prefix:
        prefix = prefix.replace(rb"\\", b"__").replace(rb"\"", b"__")
    pieces: list[bytes] = []
    inside = False
    for at in range(0, len(prefix), _PIECE):
        parts = prefix[at : at + _PIECE].split(b'"')
        strings = slice(0 if inside else 1, None, 2)
        if contents := parts[strings]:
            parts[strings] = b'"'.join(contents).translate(_CONTENT_OF_STRINGS, _CONTINUATION_BYTES).split(b'"')
        pieces.append(b'"'.join(parts))
        inside = inside != (len(parts) % 2 == 0)
    return b"".join(pieces)


def open_containers(text: str, masked: bytes) -> list[OpenContainer]:
    """Return the open containers at the end of `masked`, the beginning of `text`, from the outside inwards.

    `masked` has to end where a member of the innermost container does.
    """
    parts = [(start, text[start:end]) for start, end in pairwise([*_open_starts(masked), len(masked)])]
    return [
        OpenContainer(part[0], start, part + ("" if number == len(parts) else "0") + _CLOSER[part[0]])
        for number, (start, part) in enumerate(parts, start=1)
    ]


def first_too_deep(masked: bytes) -> int | None:
    """Return the offset of the first bracket that opens a level beyond `MAX_DEPTH`, or None."""
    depth = 0
    for at in range(0, len(masked), _BLOCK):
        brackets = masked[at : at + _BLOCK].translate(_AS_STEPS, _NO_BRACKETS)
        openers = brackets.count(b"\x01")
        if depth + openers > MAX_DEPTH:
            depths = [*accumulate(array("b", brackets), initial=depth)]
            if max(depths) > MAX_DEPTH:
                return _offset_of_bracket(masked, at, depths.index(MAX_DEPTH + 1) - 1)
        depth += 2 * openers - len(brackets)
    return None


def closed_containers(masked: bytes) -> Iterator[tuple[int, int]]:
    """Yield the offsets of each container's two brackets, in the order of the closing ones."""
    starts: list[int] = []
    for bracket in _BRACKET.finditer(masked):
        if bracket[0] in b"[{":
            starts.append(bracket.start())
        else:
            yield starts.pop(), bracket.start()


def _open_starts(masked: bytes) -> list[int]:
    # Each entry: the block, and how many of the containers that it opens are still open.
    blocks: list[tuple[int, int]] = []
    for at in range(0, len(masked), _BLOCK):
        brackets = masked[at : at + _BLOCK].translate(_AS_ARRAYS, _NO_BRACKETS)
        for balanced in _BALANCED:
            while balanced in brackets:
                brackets = brackets.replace(balanced, b"")
        opened = brackets.count(b"[")
        closed = len(brackets) - opened
        while closed:
            block, still_open = blocks.pop()
            if still_open > closed:
                blocks.append((block, still_open - closed))
            closed -= min(closed, still_open)
        if opened:
            blocks.append((at, opened))
    return [start for at, count in blocks for start in _left_open(masked, at)[:count]]


def _left_open(masked: bytes, at: int) -> list[int]:
    """Return the offsets of the brackets that a block opens and does not close."""
    starts: list[int] = []
    for bracket in _BRACKET.finditer(masked, at, at + _BLOCK):
        if bracket[0] in b"[{":
            starts.append(bracket.start())
        elif starts:
            starts.pop()
    return starts


def _offset_of_bracket(masked: bytes, at: int, number: int) -> int:
    return [bracket.start() for bracket in _BRACKET.finditer(masked, at, at + _BLOCK)][number]
