"""Find the first mistake in a text that is not a JSON document, and name it so that a person can correct it.

A strict scanner after RFC 8259, not recursive, in time proportional to the text. It only runs on texts that the fast parser
refused. Positions are where a person looks for the mistake: a missing comma or colon right after the value or key before
it; a trailing comma, a comment, a wrong word at its own start; a string that is not closed on its line where it starts; an
unclosed bracket at the closer that does not match it, or right after the last character of the text.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Final

from domain.document_errors import DocumentError, DuplicateKey, InvalidJson, TooDeep, UnrepresentableValue
from domain.json_number import why_not_kept
from domain.json_pointer import join

MAX_DEPTH: Final = 200
# How far the start of a bracket's line is looked for: the time has to stay proportional to the text, which may be one line.
_LONGEST_LINE: Final = 500

_SPACE: Final = re.compile(r"[ \t\n\r]*")
# Undecodable bytes are surrogates in the text (see diagnose), which therefore end a run of characters.
_CHARACTERS: Final = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff]*')
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_LIKE: Final = re.compile(r"[-+.0-9A-Za-z_:]+")
_WORD: Final = re.compile(r"-?[^\W\d][\w$.-]*|\$[\w$.-]*")
_UNICODE_ESCAPE: Final = re.compile(r"\\u([0-9a-fA-F]{4})")
_LOW_SURROGATE: Final = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_REFUSAL: Final = re.compile(r"(.*) at line (\d+) column (\d+)")

_CLOSER: Final = {"{": "}", "[": "]"}
_NAME: Final = {"{": "brace", "[": "bracket"}
_LITERALS: Final = {"true", "false", "null"}
_MISSPELT: Final = {
    "none": "null",
    "nil": "null",
    "undefined": "null",
    "null": "null",
    "true": "true",
    "false": "false",
}
_NO_NUMBERS: Final = {"nan", "-nan", "inf", "-inf", "infinity", "-infinity"}
_CURLY_QUOTES: Final = "\u201c\u201d\u201e\u2018\u2019"


def diagnose(raw: bytes, refusal: str = "") -> DocumentError:
    """Return the error that describes the first mistake in a text which the parser refused, saying `refusal`.

    InvalidJson, DuplicateKey, TooDeep or UnrepresentableValue. Where the scanner finds nothing wrong, the parser's own words
    and position are passed on.
    """
    # Each undecodable byte becomes one surrogate character, which no valid UTF-8 contains.
    scanner = _Scanner(raw.decode("utf-8", "surrogateescape"))
    try:
        scanner.scan()
    except DocumentError as mistake:
        return mistake
    parsed = _REFUSAL.fullmatch(refusal)
    if parsed is None:
        return InvalidJson(1, 1, refusal or "the parser refused it")
    return InvalidJson(int(parsed[2]), max(1, int(parsed[3])), parsed[1])


@dataclass(slots=True)
class _Container:
    """An open array or object: where it starts, and which member is being read."""

    opener: str
    start: int
    count: int = 0
    key: str = ""
    keys: set[str] = field(default_factory=set)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._value_end = 0
        self._open: list[_Container] = []
        # The first container whose closing line is indented less than its opening line: closed by another's closer.
        self._suspect: _Container | None = None

    def scan(self) -> None:
        """Read the whole text. Raises the DocumentError for its first mistake."""
        if self._text.startswith("\ufeff"):
            raise self._invalid(0, "a byte order mark (BOM) stands before the text; save it as UTF-8 without BOM")
        self._skip_space()
        if self._at == len(self._text):
            raise self._invalid(self._at, "the text is empty")
        self._value()
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

    def _before_member(self, container: _Container) -> bool:
        """Go to the start of the next member; False where the container is closed instead."""
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

    def _refuse_missing_comma(self, container: _Container, found: str) -> None:
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
        if found.isalnum() or found in "\"'-+.{[_$" or found in _CURLY_QUOTES:
            raise self._invalid(self._value_end, "missing comma after this value")
        raise self._unexpected("a comma or the closing " + _CLOSER[container.opener])

    def _key(self, container: _Container) -> None:
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
            self._open.append(_Container(found, self._at))
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
            if word.lower() in _NO_NUMBERS:
                raise self._invalid(self._at, f"{word} is not a JSON value; JSON has no NaN and no Infinity")
            if word.lower() in _MISSPELT:
                raise self._invalid(self._at, f"{word} is not a JSON value; write {_MISSPELT[word.lower()]}")
            raise self._invalid(self._at, "missing quote: a text has to be in double quotes")
        self._at += len(word)

    def _number(self) -> None:
        start = self._at
        match = _NUMBER.match(self._text, start)
        like = _NUMBER_LIKE.match(self._text, start)
        literal = match[0] if match else ""
        written = like[0] if like else self._text[start]
        if literal != written:
            raise self._invalid(start, _number_hint(written))
        why = why_not_kept(literal)
        if why:
            raise UnrepresentableValue(self._path(self._open), why)
        self._at += len(literal)

    def _string(self, *, is_key: bool = False) -> str:
        """Read a string from its opening to its closing quote, and return what it stands for."""
        start = self._at
        self._at += 1
        while True:
            self._at = self._end_of(_CHARACTERS)
            found = self._peek()
            if found == '"':
                self._at += 1
                written = self._text[start : self._at]
                value: str = json.loads(written) if "\\" in written else written[1:-1]
                return value
            if found == "\\":
                self._escape(is_key=is_key)
            elif found in ("", "\n", "\r"):
                raise self._invalid(start, "missing quote: the string that starts here is not closed on its line")
            elif found < " ":
                escaped = json.dumps(found)[1:-1]
                raise self._invalid(self._at, f"a control character inside a string, which is written {escaped}")
            else:
                raise self._unexpected("a character")

    def _escape(self, *, is_key: bool) -> None:
        if self._text[self._at + 1 : self._at + 2] in tuple('"\\/bfnrt'):
            self._at += 2
            return
        code = _UNICODE_ESCAPE.match(self._text, self._at)
        if code is None:
            raise self._invalid(self._at, "an unknown escape: a backslash in a string is written \\\\")
        self._at = code.end()
        if code[1][0] in "dD" and code[1][1] in "89abAB" and _LOW_SURROGATE.match(self._text, self._at):
            self._at += len(r"\udc00")
        elif code[1][0] in "dD" and code[1][1] not in "01234567":
            half = f"{code[0]}, one half of a surrogate pair"
            if is_key:
                raise UnrepresentableValue(self._path(self._open[:-1]), f"one of its keys holds {half}")
            raise UnrepresentableValue(self._path(self._open), f"it holds {half}")

    def _close(self, container: _Container) -> None:
        if self._suspect is None:
            opening, closing = self._indentation(container.start), self._indentation(self._at)
            if opening is not None and closing is not None and closing < opening:
                self._suspect = container
        self._at += 1
        self._value_end = self._at
        self._open.pop()

    def _unclosed(self, container: _Container) -> InvalidJson:
        """At the end of the text or at a closer that does not match."""
        found = self._peek()
        opener, closer = container.opener, _CLOSER[container.opener]
        line, column = self._position(container.start)
        hint = f"unclosed {_NAME[opener]}: the {opener} opened at line {line}, column {column} is not closed"
        if found:
            return self._invalid(self._at, f"{hint}; {closer} has to come before this {found}")
        if self._suspect is not None and self._suspect is not container:
            line, _ = self._position(self._suspect.start)
            hint += f"; judging by the indentation, the {self._suspect.opener} of line {line} is the one left open"
        return self._invalid(len(self._text.rstrip(" \t\r\n")), hint)

    def _indentation(self, offset: int) -> int | None:
        """How far the line of a bracket is indented; None where that line began too far before it to look."""
        earliest = max(0, offset - _LONGEST_LINE)
        line_break = self._text.rfind("\n", earliest, offset)
        if line_break < 0 < earliest:
            return None
        line = self._text[line_break + 1 : offset]
        return len(line) - len(line.lstrip(" \t"))

    def _refuse_comment(self) -> None:
        found = self._text[self._at : self._at + 2]
        if found in ("//", "/*") or found.startswith("#"):
            start = "#" if found.startswith("#") else found
            raise self._invalid(self._at, f"a comment, which JSON does not have: remove what starts with {start}")

    def _refuse_common_mistakes(self) -> None:
        """Where something else has to come: name a comment, a wrong quote, or a closer of something else."""
        self._refuse_comment()
        found = self._peek()
        if found == "'":
            raise self._invalid(self._at, "single quotes: JSON strings and keys are in double quotes")
        if found and found in _CURLY_QUOTES:
            raise self._invalid(self._at, f'curly quotes: write a straight double quote " instead of {found}')

    def _unexpected(self, expected: str) -> InvalidJson:
        found = self._peek()
        if "\udc80" <= found <= "\udcff":
            return self._invalid(self._at, f"the text is not valid UTF-8: byte 0x{ord(found) - 0xDC00:02x}")
        return self._invalid(self._at, f"{expected} has to come here, not {json.dumps(found, ensure_ascii=False)}")

    def _invalid(self, offset: int, hint: str) -> InvalidJson:
        return InvalidJson(*self._position(offset), hint)

    def _position(self, offset: int) -> tuple[int, int]:
        """Line and column of a character, both from 1."""
        return self._text.count("\n", 0, offset) + 1, offset - self._text.rfind("\n", 0, offset)

    def _path(self, containers: list[_Container]) -> str:
        """The JSON Pointer of the value that is being read inside these open containers."""
        return join(container.key if container.opener == "{" else container.count - 1 for container in containers)

    def _peek(self) -> str:
        """The next character, or an empty string at the end of the text."""
        return self._text[self._at : self._at + 1]

    def _end_of(self, pattern: re.Pattern[str]) -> int:
        match = pattern.match(self._text, self._at)
        return match.end() if match else self._at

    def _skip_space(self) -> None:
        self._at = self._end_of(_SPACE)


def _opener_of(closer: str) -> str:
    return _NAME["{" if closer == "}" else "["]


def _number_hint(written: str) -> str:
    """What is wrong with something that starts like a number."""
    digits = written.lstrip("-")
    if written.startswith("+"):
        return "leading plus: write the number without +"
    if re.fullmatch(r"0[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", digits):
        return "leading zero: write the number without it, or a text in double quotes"
    if re.fullmatch(r"\.[0-9]+([eE][+-]?[0-9]+)?", digits):
        return "a digit has to come before the decimal point"
    if re.fullmatch(r"[0-9]+\.([eE].*)?", digits):
        return "a digit has to come after the decimal point"
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?[eE][+-]?", digits):
        return "a digit has to come after the exponent's e"
    return f"missing quote: {written} is not a number, and a text has to be in double quotes"
