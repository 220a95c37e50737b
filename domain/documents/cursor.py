"""Cursor in a text that is read character by character, and the errors that name a place in it."""

import json
import re
from typing import Final

from procvars.domain.documents.errors import InvalidJson
from procvars.domain.documents.hints import CURLY_QUOTES

# Limit of the search for the start of a bracket's line: time has to stay proportional to the text, possibly one line.
_LONGEST_LINE: Final = 500
_SPACE: Final = re.compile(r"[ \t\n\r]*")


class Cursor:
    """Position of a scanner in its text."""

    def __init__(self, text: str, at: int) -> None:
        self._text = text
        self._at = at

    def _refuse_comment(self) -> None:
        found = self._text[self._at : self._at + 2]
        if found in ("//", "/*") or found.startswith("#"):
            start = "#" if found.startswith("#") else found
            raise self._invalid(self._at, f"a comment, which JSON does not have: remove what starts with {start}")

    def _refuse_common_mistakes(self) -> None:
        """Raise the error for a comment or a wrong quote in the place of something else."""
        self._refuse_comment()
        found = self._peek()
        if found == "'":
            raise self._invalid(self._at, "single quotes: JSON strings and keys are in double quotes")
        if found and found in CURLY_QUOTES:
            raise self._invalid(self._at, f'curly quotes: write a straight double quote " instead of {found}')

    def _unexpected(self, expected: str) -> InvalidJson:
        found = self._peek()
        if "\udc80" <= found <= "\udcff":
            return self._invalid(self._at, f"the text is not valid UTF-8: byte 0x{ord(found) - 0xDC00:02x}")
        return self._invalid(self._at, f"{expected} has to come here, not {json.dumps(found, ensure_ascii=False)}")

    def _invalid(self, offset: int, hint: str) -> InvalidJson:
        return InvalidJson(*self._position(offset), hint)

    def _position(self, offset: int) -> tuple[int, int]:
        """Return the line and the column of a character, both from 1."""
        return self._text.count("\n", 0, offset) + 1, offset - self._text.rfind("\n", 0, offset)

    def _peek(self) -> str:
        """Return the next character, or an empty string at the end of the text."""
        return self._text[self._at : self._at + 1]

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        return match.end() if match else self._at

    def _skip_space(self) -> None:
        self._at = self._end_of(_SPACE)


def closes_another(text: str, opener: int, closer: int) -> bool:
    """Return whether a closer, by the indentation of its line, belongs to a container around the one that it closes."""
    opening, closing = _indentation(text, opener), _indentation(text, closer)
    return opening is not None and closing is not None and closing < opening


def _indentation(text: str, offset: int) -> int | None:
    """Return the indentation of a bracket's line; None if the line begins too far before the bracket to look."""
    earliest = max(0, offset - _LONGEST_LINE)
    line_break = text.rfind("\n", earliest, offset)
    if line_break < 0 < earliest:
        return None
    line = text[line_break + 1 : offset]
    return len(line) - len(line.lstrip(" \t"))
