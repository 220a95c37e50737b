"""A text that is no JSON is refused with the place of its first mistake and a hint that names it."""

import re

import jiter
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from procvars.domain.documents import structure as json_structure
from procvars.domain.documents.diagnosis import diagnose
from procvars.domain.documents.documents import parse
from procvars.domain.documents.errors import DocumentError, DuplicateKey, InvalidJson, UnrepresentableValue
from procvars.domain.documents.scanner import Scanner
from procvars.domain.documents.values import MAX_DEPTH, Document
from tests.domain.documents.json_strategies import documents, written

MISSING_COMMA = """{
  "field1": "value1"  // ❌ Missing comma here
  "field2": "value2"
}"""
TRAILING_COMMA = """{
  "field1": "value1",
  "field2": "value2",  // ❌ Trailing comma
}"""
UNCLOSED = """{
  "object": {
    "field": "value"
  // ❌ Missing closing }
}"""
COMMENTED = """{
  "application": {
    "income": 75000,  // Changed from 50000
    "address": "123 Main St, New York, NY 10001"  // Corrected
  }
}"""


def without_comments(text: str) -> str:
    return re.sub(r"\s*//.*", "", text)


def refusal_of(text: str | bytes) -> InvalidJson:
    with pytest.raises(InvalidJson) as refusal:
        parse(text if isinstance(text, bytes) else text.encode())
    return refusal.value


@pytest.mark.parametrize(
    ("text", "line", "column", "hint"),
    [
        (without_comments(MISSING_COMMA), 2, 21, "missing comma"),
        (without_comments(TRAILING_COMMA), 3, 21, "trailing comma"),
        (without_comments(UNCLOSED), 4, 2, "unclosed brace: the { opened at line 1, column 1"),
        (MISSING_COMMA, 2, 23, "comment"),
        (TRAILING_COMMA, 3, 24, "comment"),
        (UNCLOSED, 4, 3, "comment"),
        (COMMENTED, 3, 23, "comment"),
    ],
)
def test_the_errors_of_the_manual(text: str, line: int, column: int, hint: str) -> None:
    """The manual's examples of common errors, with its comments and without, are named where a person looks."""
    refusal = refusal_of(text)
    assert (refusal.line, refusal.column) == (line, column)
    assert hint in refusal.hint


@pytest.mark.parametrize(
    ("text", "line", "column", "hint"),
    [
        ("", 1, 1, "empty"),
        (" \n ", 2, 2, "empty"),
        ('{"a": 1 "b": 2}', 1, 8, "missing comma"),
        ("[1\n2]", 1, 3, "missing comma"),
        ('[{"a": 1} {"a": 2}]', 1, 10, "missing comma"),
        ('{"ä": "ö😀" "b": 1}', 1, 11, "missing comma"),
        ('{"a": "x"y"}', 1, 10, "missing quote"),
        ("[1, 2, ]", 1, 6, "trailing comma"),
        ('{"a": 1,}', 1, 8, "trailing comma"),
        ('{"a": [1, }', 1, 9, "trailing comma"),
        ("[1,, 2]", 1, 4, "extra comma"),
        ("[, 1]", 1, 2, "extra comma"),
        ('{"a": [1, 2', 1, 12, "unclosed bracket: the [ opened at line 1, column 7"),
        ('{"a": [1, 2}', 1, 12, "unclosed bracket: the [ opened at line 1, column 7"),
        ('[\n {"a": 1\n]', 3, 1, "unclosed brace: the { opened at line 2, column 2"),
        ('{"a":', 1, 6, "unclosed brace"),
        ('{"a"', 1, 5, "unclosed brace"),
        ('{"a": 1,', 1, 9, "unclosed brace"),
        ('{"a": 1\n\n  ', 1, 8, "unclosed brace"),
        ("[1]]", 1, 4, "this ] closes nothing"),
        ("]", 1, 1, "a value has to come here"),
        ('{"a": 1} x', 1, 10, "text after the end"),
        ("{a: 1}", 1, 2, "missing quote"),
        ("{1: 1}", 1, 2, "missing quote"),
        ('{"a": hello}', 1, 7, "missing quote"),
        ('{"a": 2024-01-01}', 1, 7, "missing quote"),
        ('{"a": "b,\n "c": 1}', 1, 7, "missing quote"),
        ('{"a: 1}', 1, 2, "missing quote"),
        ('{"a": "b', 1, 7, "missing quote"),
        ('{"a"b": 1}', 1, 2, "missing quote"),
        ('{"a" 1}', 1, 5, "missing colon"),
        ('{"a": }', 1, 7, "missing value"),
        ('{"a": , "b": 1}', 1, 7, "missing value"),
        ('{"a": 1 : 2}', 1, 9, "second colon"),
        ('["a": 1]', 1, 5, "colon inside an array"),
        ("[1 /* one */]", 1, 4, "comment"),
        ("# x\n[]", 1, 1, "comment"),
        ('{"a" // x\n: 1}', 1, 6, "comment"),
        ("{} // x", 1, 4, "comment"),
        ("{'a': 1}", 1, 2, "single quotes"),
        ("['a']", 1, 2, "single quotes"),
        ("{“a”: 1}", 1, 2, "curly quotes"),
        ("[NaN]", 1, 2, "NaN"),
        ("[-Infinity]", 1, 2, "Infinity"),
        ("[True]", 1, 2, "write true"),
        ("[FALSE]", 1, 2, "write false"),
        ("[None]", 1, 2, "write null"),
        ("[undefined]", 1, 2, "write null"),
        ("[007]", 1, 2, "leading zero"),
        ("[-01.5]", 1, 2, "leading zero"),
        ("[+1]", 1, 2, "leading plus"),
        ("[.5]", 1, 2, "before the decimal point"),
        ("[5.]", 1, 2, "after the decimal point"),
        ("[5e]", 1, 2, "exponent"),
        ("\ufeff{}", 1, 1, "BOM"),
        ('["a\tb"]', 1, 4, r"written \t"),
        ('["a\x00"]', 1, 4, r"written \u0000"),
        (r'["C:\Users"]', 1, 5, "backslash"),
        (r'["\u12G4"]', 1, 3, "backslash"),
        ('{"a": 1; "b": 2}', 1, 8, "a comma or the closing }"),
        ("[*]", 1, 2, "a value has to come here"),
        ("{*}", 1, 2, "a key in double quotes"),
    ],
)
def test_each_mistake_is_named_at_its_place(text: str, line: int, column: int, hint: str) -> None:
    """One mistake a text: its line, its column in characters, and the words that name it."""
    refusal = refusal_of(text)
    assert (refusal.line, refusal.column) == (line, column)
    assert hint in refusal.hint


@pytest.mark.parametrize(
    ("raw", "column"), [(b'["\xc3\xa4\xff"]', 4), (b"[\xff]", 2), (b'["\xed\xa0\x80"]', 3), (b"\xff\xfe[\x00]\x00", 1)]
)
def test_invalid_utf8_is_named_at_its_byte(raw: bytes, column: int) -> None:
    """The column counts the characters before the first byte that is not UTF-8."""
    refusal = refusal_of(raw)
    assert (refusal.line, refusal.column) == (1, column)
    assert "UTF-8" in refusal.hint


def test_the_indentation_tells_which_brace_was_left_open() -> None:
    """Where the end of the text leaves the outer brace open, the hint names the inner one that lacks its closer."""
    assert "the { of line 2 is the one left open" in refusal_of(without_comments(UNCLOSED)).hint


def test_the_first_mistake_is_reported() -> None:
    """Of two mistakes, the earlier one is reported, of whatever kind it is."""
    with pytest.raises(DuplicateKey) as refusal:
        parse(b'{"a": 1, "a": 2, "b": 3,}')
    assert (refusal.value.line, refusal.value.column) == (1, 10)


def test_a_refusal_that_the_scanner_does_not_share_is_passed_on() -> None:
    """Should the parser ever be stricter than the scanner, its own words and position are shown."""
    error = diagnose(b"[]", "trailing nonsense at line 3 column 7")
    assert isinstance(error, InvalidJson)
    assert (error.line, error.column, error.hint) == (3, 7, "trailing nonsense")
    assert isinstance(diagnose(b"[]", "no idea"), InvalidJson)


@pytest.mark.parametrize("text", ["[" * 300_000, '{"a":' * 300_000, "[1," * 300_000, '["' + "\\n" * 300_000])
def test_hostile_texts_need_no_recursion(text: str) -> None:
    """Very deep and very long texts are refused like any other."""
    with pytest.raises(DocumentError):
        parse(text.encode())


@given(st.text(alphabet="{}[]\":,01-.eE+ \n\\utfn/#'aä", max_size=30))
@settings(max_examples=800, deadline=None)
def test_every_position_is_inside_the_text(text: str) -> None:
    """Whatever is refused is refused at a character of the text or right after a line's last one."""
    try:
        parse(text.encode())
    except (InvalidJson, DuplicateKey) as refusal:
        lines = text.split("\n")
        assert 1 <= refusal.line <= len(lines)
        assert 1 <= refusal.column <= len(lines[refusal.line - 1]) + 1
    except DocumentError:
        pass


_MISTAKES = [
    b"",
    b",",
    b":",
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b"0",
    b"1e400",
    b"//",
    b"\\ud800",
    b"\xff",
    b"\n",
    b'"a":1,',
]
_MISTAKES += [b"[" * 200 + b"]" * 200 + b",", b"12345678901234567.5", b"NaN", b"'", "ä".encode()]


@given(
    documents,
    st.sampled_from([None, 0, 2]),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from(_MISTAKES), st.integers(0, 2)), min_size=1, max_size=3),
    st.sampled_from([1, 3, 8, 64]),
)
@settings(max_examples=600, deadline=None)
def test_what_is_skipped_has_no_mistake(
    document: Document, indent: int | None, mistakes: list[tuple[int, bytes, int]], block: int
) -> None:
    """Beginning where the parser stopped gives the same error as reading from the beginning, to the last word."""
    raw = written(document, indent, escaped=bool(indent))
    for at, mistake, instead_of in mistakes:
        raw = raw[:at] + mistake + raw[at + instead_of :]
    assume(len(raw) < 4_300)  # jiter refuses longer integers, which are no mistake
    try:
        jiter.from_json(raw, allow_inf_nan=False, catch_duplicate_keys=True)
    except ValueError as refusal:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(json_structure, "_BLOCK", block)
            patch.setattr(json_structure, "_PIECE", block)
            found = diagnose(raw, str(refusal))
        with pytest.raises(DocumentError) as expected:
            Scanner(raw.decode("utf-8", "surrogateescape")).scan()
        assert (type(found), str(found)) == (expected.type, str(expected.value))


_SIZE = 300_000


@pytest.mark.parametrize(
    ("unit", "head", "tail"),
    [
        ("0,", "[", "]"),
        ("{},", "[", "]"),
        ("[\n],", "[", ""),
        ("[" * 150 + "]" * 150 + ",", "[", "]"),
        ('{"a":1,"b":[2]},', "[", '{"a":1,"a":2}]'),
        ("0,", '{"a":' * 100 + "[", "]}"),
        ('"\\"[,",', "[", '"\\ud800"]'),
        ("0.1234567890123456, ", "[ ", "7" * 10_001 + "]"),
        ("\\n", '["', ""),
        ("\\n", '["', '\\x"]'),
        ("ä", '["', '", ]'),
        (" ", "[1,2,", "]"),
        ("1-", "[", "]"),
    ],
)
def test_only_the_neighbourhood_of_a_mistake_is_scanned(
    unit: str, head: str, tail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a text is, the scanner reads a few members of it."""
    read: list[int] = []
    value = Scanner._value

    def counted(scanner: Scanner) -> None:
        read.append(1)
        value(scanner)

    monkeypatch.setattr(Scanner, "_value", counted)
    with pytest.raises((InvalidJson, DuplicateKey, UnrepresentableValue)):
        parse((head + unit * (_SIZE // len(unit)) + tail).encode())
    assert len(read) <= 2 * MAX_DEPTH


def test_the_path_of_a_value_counts_the_elements_that_were_skipped() -> None:
    """Elements and keys in front of the place where the scanner starts are in the path."""
    with pytest.raises(UnrepresentableValue) as refusal:
        parse(b'{"a": [0, [1, 2], {"b": 3}, {"x": [' + b"[], " * 5000 + b"7" * 10_001 + b"]}]}")
    assert refusal.value.path == "/a/3/x/5000"


def test_a_key_of_any_length_does_not_hide_the_position() -> None:
    """The parser quotes the key that it refuses, line breaks in it too."""
    key = b'"' + b"\\n" * 100 + b'"'
    with pytest.raises(DuplicateKey) as refusal:
        parse(b"[" + b"0," * 1000 + b"{" + key + b":1," + key + b":2}]")
    assert refusal.value.column == 2 + 2000 + 1 + len(key) + 3
