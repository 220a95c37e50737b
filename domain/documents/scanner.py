"""Strict scanner of JSON texts (RFC 8259), which names a mistake so that a person can correct it.

It is not recursive; its time is proportional to what it reads, but much more than a parser's. Positions are where a
person looks for the mistake: a missing comma or colon right after the value or key before it; a trailing comma, a
comment, a wrong word at its own start; a string that is not closed on its line where it starts; an unclosed bracket at
the closer that does not match it, or right after the last character of the text.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from procvars.domain.documents.cursor import Cursor, closes_another
from procvars.domain.documents.errors import DuplicateKey, InvalidJson, TooDeep, UnrepresentableValue
from procvars.domain.documents.hints import CURLY_QUOTES, number_hint, word_hint
from procvars.domain.documents.numbers import MAX_CHARACTERS
from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import MAX_DEPTH

# Undecodable bytes are surrogates in the text (see diagnose), which therefore end a run of characters.
_CHARACTERS: Final = re.compile(
    r'(?:[^"\\\x00-\x1f\ud800-\udfff]++|\\["\\/bfnrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4}'
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})*+"
)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_LIKE: Final = re.compile(r"[-+.0-9A-Za-z_:]+")
_WORD: Final = re.compile(r"-?[^\W\d][\w$.-]*|\$[\w$.-]*")
_UNICODE_ESCAPE: Final = re.compile(r"\\u[0-9a-fA-F]{4}")

_CLOSER: Final = {"{": "}", "[": "]"}
_NAME: Final = {"{": "brace", "[": "bracket"}
_LITERALS: Final = {"true", "false", "null"}


@dataclass(slots=True)
class Container:
    """An open array or object: its start, and the member that is being read."""

    opener: str
    start: int
    count: int = 0
    key: str = ""
    keys: set[str] = field(default_factory=set)
    count_before: Callable[[], int] = int
    """Count of the elements of an array before the start of the scan."""

    @property
    def index(self) -> int:
        """Index, in an array, of the element that is being read."""
        return self.count_before() + self.count - 1


@dataclass(frozen=True, slots=True)
class ScanStart:
    """Place right after a member of a container, up to which the text is known to have no mistakes."""

    offset: int
    value_end: int
    """End of that member; only space follows it before `offset`."""
    open: list[Container]
    suspect: Callable[[], int | None]
    """Function that returns the opener of the first container before `offset` that was closed by another's closer."""


class Scanner(Cursor):
    """One pass over a text, from its beginning or from a place in the middle, to its first mistake."""

    def __init__(self, text: str, start: ScanStart | None = None) -> None:
        super().__init__(text, start.offset if start else 0)
        self._start = start
        self._value_end = start.value_end if start else 0
        self._open: list[Container] = start.open if start else []
        self._suspect: int | None = None

    def scan(self) -> None:
        """Read the text to its end. Raises the DocumentError for its first mistake."""
        if self._start is None:
            self._begin()
        while self._open:
            container = self._open[-1]
            if self._before_member(container):
                if container.opener == "{":
                    self._key(container)
                self._value()
        self._skip_space()
        if self._at < len(self._text):
            self._refuse_common_mistakes()
            found = self._text[self._at]
            if found in "}]":
                raise self._invalid(self._at, f"this {found} closes nothing: no {_opener_of(found)} is open here")
            raise self._invalid(self._at, "text after the end of the document")

    def _begin(self) -> None:
        if self._text.startswith("\ufeff"):
            raise self._invalid(0, "a byte order mark (BOM) stands before the text; save it as UTF-8 without BOM")
        self._skip_space()
        if self._at == len(self._text):
            raise self._invalid(self._at, "the text is empty")
        self._value()

    def _before_member(self, container: Container) -> bool:
        """Go to the start of the next member; return False if the container is closed instead."""
        self._skip_space()
        found = self._peek()
        comma = None
        if container.count and found == ",":
            comma = self._at
            self._at += 1
            self._skip_space()
            found = self._peek()
        if found == _CLOSER[container.opener]:
            if comma is not None:
                raise self._invalid(comma, f"trailing comma before the closing {found}")
            self._close(container)
            return False
        if found in ("}", "]") and comma is not None:
            raise self._invalid(comma, f"trailing comma before the closing {found}")
        if found in ("", "}", "]"):
            raise self._unclosed(container)
        if found == ",":
            raise self._invalid(self._at, "extra comma: no value stands before it")
        if container.count and comma is None:
            self._refuse_missing_comma(container, found)
        container.count += 1
        return True

    def _refuse_missing_comma(self, container: Container, found: str) -> None:
        self._refuse_comment()
        if found == ":" and container.opener == "[":
            raise self._invalid(self._at, "a colon inside an array: keys belong into an object, in braces { }")
        if found == ":":
            raise self._invalid(self._at, "a second colon: after a value comes a comma or the closing }")
        if self._at == self._value_end and self._text[self._at - 1] == '"' and found.isalnum():
            raise self._invalid(
                self._value_end,
                'missing comma after the value, or a missing quote: a " inside a string is written \\"',
            )
        if found.isalnum() or found in "\"'-+.{[_$" or found in CURLY_QUOTES:
            raise self._invalid(self._value_end, "missing comma after this value")
        raise self._unexpected("a comma or the closing " + _CLOSER[container.opener])

    def _key(self, container: Container) -> None:
        start = self._at
        if self._peek() != '"':
            self._refuse_common_mistakes()
            if self._peek().isalnum() or self._peek() in "_$-":
                raise self._invalid(start, "missing quote: a key has to be in double quotes")
            raise self._unexpected("a key in double quotes")
        key = self._string(is_key=True)
        end = self._at
        if key in container.keys:
            raise DuplicateKey(*self._position(start), key)
        container.keys.add(key)
        container.key = key
        self._skip_space()
        if self._peek() == ":":
            self._at += 1
            return
        self._refuse_comment()
        if self._peek() == "":
            raise self._unclosed(container)
        if self._at == end and self._peek().isalnum():
            raise self._invalid(start, "missing quote: the key that starts here lacks its closing quote, or its colon")
        raise self._invalid(end, "missing colon after this key")

    def _value(self) -> None:
        self._skip_space()
        found = self._peek()
        if found == '"':
            self._string()
        elif found in ("{", "["):
            if len(self._open) == MAX_DEPTH:
                raise TooDeep
            self._open.append(Container(found, self._at))
            self._at += 1
            return
        elif found == "":
            raise self._unclosed(self._open[-1])
        else:
            word = _WORD.match(self._text, self._at)
            if word is not None:
                self._word(word[0])
            elif found.isdecimal() or found in "-+.":
                self._number()
            else:
                self._refuse_common_mistakes()
                if found in ",}]" and self._open:
                    raise self._invalid(self._at, f"missing value before this {found}")
                raise self._unexpected("a value")
        self._value_end = self._at

    def _word(self, word: str) -> None:
        if word not in _LITERALS:
            raise self._invalid(self._at, word_hint(word))
        self._at += len(word)

    def _number(self) -> None:
        start = self._at
        match = _NUMBER.match(self._text, start)
        like = _NUMBER_LIKE.match(self._text, start)
        literal = match[0] if match else ""
        written = like[0] if like else self._text[start]
        if literal != written:
            raise self._invalid(start, number_hint(written))
        if len(literal) > MAX_CHARACTERS:
            why = f"a number of {len(literal)} characters, more than {MAX_CHARACTERS}"
            raise UnrepresentableValue(self._path(self._open), why)
        self._at += len(literal)

    def _string(self, *, is_key: bool = False) -> str:
        """Read a string from its opening to its closing quote, and return its value."""
        start = self._at
        self._at += 1
        self._at = self._end_of(_CHARACTERS)
        found = self._peek()
        if found == '"':
            self._at += 1
            written = self._text[start : self._at]
            value: str = json.loads(written) if "\\" in written else written[1:-1]
            return value
        if found == "\\":
            raise self._refused_escape(is_key=is_key)
        if found in ("", "\n", "\r"):
            raise self._invalid(start, "missing quote: the string that starts here is not closed on its line")
        if found < " ":
            escaped = json.dumps(found)[1:-1]
            raise self._invalid(self._at, f"a control character inside a string, which is written {escaped}")
        raise self._unexpected("a character")

    def _refused_escape(self, *, is_key: bool) -> InvalidJson | UnrepresentableValue:
        code = _UNICODE_ESCAPE.match(self._text, self._at)
        if code is None:
            return self._invalid(self._at, "an unknown escape: a backslash in a string is written \\\\")
        half = f"{code[0]}, one half of a surrogate pair"
        if is_key:
            return UnrepresentableValue(self._path(self._open[:-1]), f"one of its keys holds {half}")
        return UnrepresentableValue(self._path(self._open), f"it holds {half}")

    def _close(self, container: Container) -> None:
        if self._suspect is None and closes_another(self._text, container.start, self._at):
            self._suspect = container.start
        self._at += 1
        self._value_end = self._at
        self._open.pop()

    def _unclosed(self, container: Container) -> InvalidJson:
        """Return the error for the end of the text or a closer that does not match."""
        found = self._peek()
        opener, closer = container.opener, _CLOSER[container.opener]
        line, column = self._position(container.start)
        hint = f"unclosed {_NAME[opener]}: the {opener} opened at line {line}, column {column} is not closed"
        if found:
            return self._invalid(self._at, f"{hint}; {closer} has to come before this {found}")
        before = self._start.suspect() if self._start else None
        suspect = self._suspect if before is None else before
        if suspect is not None:
            line, _ = self._position(suspect)
            hint += f"; judging by the indentation, the {self._text[suspect]} of line {line} is the one left open"
        return self._invalid(len(self._text.rstrip(" \t\r\n")), hint)

    def _path(self, containers: list[Container]) -> str:
        """Return the JSON Pointer of the value that is being read inside these open containers."""
        return join(container.key if container.opener == "{" else container.index for container in containers)


def _opener_of(closer: str) -> str:
    return _NAME["{" if closer == "}" else "["]
