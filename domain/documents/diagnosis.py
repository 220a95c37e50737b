"""Diagnosis of the first mistake in a text that is not a JSON document, for a person to correct it.

The parser that refused the text has read it up to the mistake, much faster than the scanner which names mistakes. So
the scanner begins a few members before the place where the parser stopped.
"""

import re
from itertools import islice
from typing import Final

from procvars.domain.documents.cursor import closes_another
from procvars.domain.documents.errors import DocumentError, InvalidJson
from procvars.domain.documents.numbers import first_too_long
from procvars.domain.documents.scanner import Container, Scanner, ScanStart
from procvars.domain.documents.structure import (
    OpenContainer,
    closed_containers,
    first_too_deep,
    mask_strings,
    open_containers,
)

# The refusal may quote a key of any length; the position is at its end.
_REFUSAL: Final = re.compile(r"(.*) at line (\d{1,18}) column (\d{1,18})", re.DOTALL)
# The parser detects a trailing comma after it, and a missing one after the value before it.
_MEMBERS_BEFORE: Final = 2
_SPACE: Final = b" \t\r\n"
# The hint by indentation is optional; it must not take long for a text of nothing but brackets.
_MOST_CONTAINERS: Final = 200_000


def diagnose(raw: bytes, refusal: str = "") -> DocumentError:
    """Return the error that describes the first mistake in a text which the parser refused with `refusal`.

    InvalidJson, DuplicateKey, TooDeep or UnrepresentableValue. If the scanner finds nothing wrong, the parser's own
    message and position are used.
    """
    # Each undecodable byte becomes one surrogate character, which no valid UTF-8 contains.
    text = raw.decode("utf-8", "surrogateescape")
    parsed = _REFUSAL.fullmatch(refusal)
    if parsed is None:
        return _scan(text, None) or InvalidJson(1, 1, refusal or "the parser refused it")
    line, column = int(parsed[2]), int(parsed[3])
    masked = mask_strings(raw[: _offset(raw, line, column)])
    start = _start(text, masked, _first_mistake(masked))
    return _scan(text, start) or InvalidJson(line, max(1, column), parsed[1])


def diagnose_numbers(raw: bytes) -> DocumentError | None:
    """Return the error for the first number of a valid JSON text with too many characters, or None."""
    masked = mask_strings(raw)
    mistake = first_too_long(masked)
    if mistake is None:
        return None
    text = raw.decode()
    return _scan(text, _start(text, masked, mistake))


def _scan(text: str, start: ScanStart | None) -> DocumentError | None:
    try:
        Scanner(text, start).scan()
    except DocumentError as mistake:
        return mistake
    return None


def _first_mistake(masked: bytes) -> int:
    """Return a place at or before the first mistake. A parser has accepted the text except for its end.

    The parser accepts numbers with too many characters, and an empty container one level too deep.
    """
    found = (len(masked), first_too_long(masked), first_too_deep(masked))
    return min(offset for offset in found if offset is not None)


def _start(text: str, masked: bytes, mistake: int) -> ScanStart | None:
    """Return a place to start at, a few members before the first mistake; None for the beginning."""
    end = mistake
    for _ in range(_MEMBERS_BEFORE):
        end = masked.rfind(b",", 0, end)
        if end < 0:
            return None
    masked = masked[:end]
    return ScanStart(
        offset=end,
        value_end=len(masked.rstrip(_SPACE)),
        open=[_container(found) for found in open_containers(text, masked)],
        suspect=lambda: _suspect(masked),
    )


def _container(found: OpenContainer) -> Container:
    if found.opener == "[":
        return Container("[", found.start, count=1, count_before=lambda: found.count() - 1)
    keys = found.keys()
    return Container("{", found.start, count=1, key=keys[-1], keys=set(keys))


def _suspect(masked: bytes) -> int | None:
    lines = masked.decode("latin-1")
    for start, end in islice(closed_containers(masked), _MOST_CONTAINERS):
        if lines.find("\n", start, end) >= 0 and closes_another(lines, start, end):
            return start
    return None


def _offset(raw: bytes, line: int, column: int) -> int:
    """Return the offset of a place that the parser names by its line (from 1) and its column in bytes."""
    low, high = 0, len(raw)
    while low < high:  # the start of the line is the smallest offset with that many line breaks before it
        middle = (low + high) // 2
        if raw.count(b"\n", 0, middle) < line - 1:
            low = middle + 1
        else:
            high = middle
    return low + column
