"""Documents come back exactly as they were saved, or are refused."""

import hashlib
import json
from decimal import Decimal, InvalidOperation
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procvars.domain.documents.documents import canonical, depth, encode, fingerprint, parse, parse_document, same
from procvars.domain.documents.equality import equal_by_value
from procvars.domain.documents.errors import (
    DocumentError,
    DuplicateKey,
    InvalidJson,
    NotAnObject,
    TooDeep,
    UnrepresentableValue,
)
from procvars.domain.documents.numbers import is_number, worth_less, worth_the_same
from procvars.domain.documents.values import Document, Json
from tests.big_integers import big_integer
from tests.domain.documents.json_strategies import (
    documents,
    edited,
    literals,
    look_alikes,
    values,
    with_plain_exponent,
    written,
)


def spelling(value: Json) -> str:
    """An independent picture of a value that shows the types and ignores the order of keys."""
    if isinstance(value, dict):
        return "{" + ",".join(f'"{key}":{spelling(value[key])}' for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(spelling, value)) + "]"
    if isinstance(value, str) and not isinstance(value, Spelling):
        return f'"{value}"'
    if value is None or isinstance(value, bool):
        return repr(value)
    return with_plain_exponent(value if isinstance(value, Spelling) else encode(value).decode())


class Spelling(str):
    """A number as the text has it."""


def reference(raw: bytes) -> Json:
    """The standard library's parser, made strict. Raises ValueError for what has to be refused."""

    def unique(pairs: list[tuple[str, Json]]) -> Document:
        if len({key for key, _ in pairs}) < len(pairs):
            raise ValueError("duplicate key")
        return dict(pairs)

    def refuse(literal: str) -> Any:
        raise ValueError(literal)

    text = raw.decode()
    value: Json = json.loads(
        text, object_pairs_hook=unique, parse_float=Spelling, parse_int=Spelling, parse_constant=refuse
    )
    spelling(value).encode()  # lone surrogates
    return value


@given(values)
@settings(max_examples=200, deadline=None)
def test_parse_reads_back_what_encode_wrote(value: Json) -> None:
    """Every value survives being written and read, with its types."""
    assert spelling(parse(encode(value))) == spelling(value)


@given(documents.flatmap(lambda it: st.sampled_from([encode(it), written(it, 1)])), st.data())
@settings(max_examples=600, deadline=None)
def test_parse_accepts_what_a_strict_reference_accepts(raw: bytes, data: st.DataObject) -> None:
    """A text with a few bytes changed is accepted or refused as the standard library, made strict, would do it."""
    for _ in range(data.draw(st.integers(0, 3))):
        at = data.draw(st.integers(0, len(raw)))
        inserted = data.draw(
            st.sampled_from([b"", b",", b":", b'"', b"{", b"}", b"[", b"]", b"0", b"1e400", b".5", b"//", b"\\ud800"])
            | st.binary(max_size=2)
        )
        raw = raw[:at] + inserted + raw[at + data.draw(st.integers(0, 2)) :]
    try:
        expected = spelling(reference(raw))
    except ValueError:
        with pytest.raises(DocumentError):
            parse(raw)
    else:
        assert spelling(parse(raw)) == expected


@given(literals, st.booleans())
@settings(max_examples=300, deadline=None)
def test_a_number_is_kept_as_it_is_written(literal: str, nested: bool) -> None:
    """Digit by digit, in whatever it is; how an exponent is spelled does not count."""
    raw = (f'{{"a":[1,{literal}]}}' if nested else literal).encode()
    before, _, after = encode(parse(raw)).decode().partition("[1,")
    assert with_plain_exponent(after.removesuffix("]}") if nested else before) == with_plain_exponent(literal)


@pytest.mark.parametrize("literal", ["-" + "7" * 9_999, "0." + "3" * 9_998, "1" * 5_000 + ".5", "1e" + "9" * 9_998])
def test_a_number_may_have_ten_thousand_characters(literal: str) -> None:
    """One more is refused with its path, with ~ and / escaped: nothing is changed silently."""
    assert encode(parse(f"[ {literal}]".encode())) == f"[{literal}]".encode()
    longer = literal + "1" * (10_001 - len(literal))
    with pytest.raises(UnrepresentableValue) as refusal:
        parse(f'{{"a/b":[0,{{"~":{longer}}}]}}'.encode())
    assert refusal.value.path == "/a~1b/1/~0"


@pytest.mark.parametrize("text", ['{"a":%s,"a":1}', "[%s,]", '[%s,"\\ud800"]', "[%s", "%s1.", "[%s,NaN]"])
@pytest.mark.parametrize("literal", ["7" * 5_000, "1.10", "1e400", "-0"])
def test_a_number_that_is_kept_hides_no_mistake(text: str, literal: str) -> None:
    """What is wrong elsewhere is refused as if the number were any other."""
    with pytest.raises(DocumentError) as expected:
        parse((text % "5").encode())
    with pytest.raises(DocumentError) as found:
        parse((text % literal).encode())
    assert type(found.value) is type(expected.value)


@pytest.mark.parametrize(
    "equal",
    [
        ("1", "1.0", "1.00", "1e0", "10e-1", "0.1e1"),
        ("0", "-0", "0.0", "-0.0", "0e400", "-0e-5"),
        ("0.1", "0.10", "1e-1"),
        ("12345678901234567000", "1.2345678901234567e19", "12345678901234567e3"),
        ("1e99999999999999999999", "10e99999999999999999998"),
        ("-1.5e400", "-15e399"),
    ],
)
def test_numbers_are_worth_the_same_however_they_are_written(equal: tuple[str, ...]) -> None:
    """By value, in decimal arithmetic: for `test`, search, paths and schemas."""
    numbers = [parse(literal.encode()) for literal in equal]
    assert all(equal_by_value(a, b) for a in numbers for b in numbers)
    assert len({canonical(number) for number in numbers}) == len(numbers)


@given(literals.filter(lambda literal: len(literal) < 100), literals.filter(lambda literal: len(literal) < 100))
@settings(max_examples=300, deadline=None)
def test_numbers_are_compared_as_decimals(a: str, b: str) -> None:
    """As Python's own decimal arithmetic does, where it can."""
    one, other = parse(a.encode()), parse(b.encode())
    assert is_number(one) and is_number(other)
    try:
        expected = (Decimal(a) < Decimal(b), Decimal(a) == Decimal(b))
    except InvalidOperation:
        return
    assert (worth_less(one, other), worth_the_same(one, other)) == expected


@pytest.mark.parametrize("text", ["12345678901234567890.5", " 1e400 ", "[0.1234567890123456789012]", ":1e400,"])
def test_a_string_that_looks_like_a_lossy_number_is_accepted(text: str) -> None:
    """The search for lossy numbers is not misled by strings."""
    assert parse(encode({"a": text})) == {"a": text}


@pytest.mark.parametrize(("pattern", "path"), [('["x\\ud800"]', "/0"), ('{"a":{"\\udc00":1}}', "/a")])
def test_lone_surrogates_are_refused_with_their_path(pattern: str, path: str) -> None:
    """Half a surrogate pair cannot be written as UTF-8; in a key, the path is that of the object."""
    with pytest.raises(UnrepresentableValue) as refusal:
        parse(pattern.encode())
    assert refusal.value.path == path


@pytest.mark.parametrize(
    ("opening", "closing", "levels"), [("[", "]", 1), ('{"a":', "}", 1), ('[{"a":', "}]", 2)], ids=["[", "{", "[{"]
)
@pytest.mark.parametrize("innermost", ["1", '"a"', "[]", "{}", "[ 1 ]", '{"b": {}, "c": []}'])
def test_nesting_is_accepted_up_to_200_levels(opening: str, closing: str, levels: int, innermost: str) -> None:
    """200 levels of arrays, objects or both are accepted and 201 are refused, whatever the parser's own limit is."""
    inside = depth(parse(innermost.encode()))
    times, rest = divmod(200 - inside, levels)
    raw = "[" * rest + opening * times + innermost + closing * times + "]" * rest
    assert depth(parse(raw.encode())) == 200
    for deeper in (f"[{raw}]", f'{{"b":{raw}}}', f'{{"b":0,"a":[[]],"c":{raw}}}'):
        with pytest.raises(TooDeep):
            parse(deeper.encode())


def test_many_brackets_side_by_side_are_not_deep() -> None:
    """Only nesting counts, not the number of containers."""
    assert len(parse_document(b'{"a":[' + b"[],{}," * 500 + b"[]]}")["a"]) == 1001  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "found"), [(b"[]", "array"), (b'"a"', "string"), (b"1", "number"), (b"true", "boolean"), (b"null", "null")]
)
def test_a_document_is_an_object(raw: bytes, found: str) -> None:
    """Any other JSON value is named and refused."""
    with pytest.raises(NotAnObject) as refusal:
        parse_document(raw)
    assert refusal.value.found == found


@pytest.mark.parametrize("raw", [b"1,2", b"[],[]", b"],[", b"1]", b"[1", b"]", b",", b"", b" \n "])
def test_a_text_holds_exactly_one_value(raw: bytes) -> None:
    """Neither none nor several values are a document, however the parser is fed."""
    with pytest.raises(InvalidJson):
        parse(raw)


def test_duplicate_keys_are_refused_even_if_escaped_differently() -> None:
    """The second of two equal keys is where the error points to."""
    with pytest.raises(DuplicateKey) as refusal:
        parse(b'{"a": 1,\n "\\u0061": 2}')
    assert (refusal.value.line, refusal.value.column, refusal.value.key) == (2, 2, "a")


@given(values, st.data())
@settings(max_examples=200, deadline=None)
def test_same_is_equality_of_types_and_values(value: Json, data: st.DataObject) -> None:
    """same, fingerprint and canonical agree with an independent picture of two related values."""
    other = data.draw(edited({"root": value}))
    a: Json = {"root": value}
    assert same(a, other) == (spelling(a) == spelling(other))
    assert (fingerprint(a) == fingerprint(other)) == same(a, other)
    assert (canonical(a) == canonical(other)) == same(a, other)


@pytest.mark.parametrize("value", [1, 0])
def test_look_alikes_differ(value: int) -> None:
    """1, 1.0 and true are three values, so are 0, 0.0, -0.0 and false, at any depth."""
    alike = look_alikes(value)
    for at, a in enumerate(alike):
        for b in alike[at + 1 :]:
            assert not same(a, b)
            assert not same({"a": [a, big_integer(2**70)]}, {"a": [b, big_integer(2**70)]})
            assert fingerprint([a]) != fingerprint([b])


def test_the_order_of_keys_does_not_matter() -> None:
    """Two objects with the same members are the same, with the same fingerprint."""
    a: Json = {"a": {"x": 1, "y": 2.0}, "b": big_integer(2**70)}
    b: Json = {"b": big_integer(2**70), "a": {"y": 2.0, "x": 1}}
    assert same(a, b)
    assert fingerprint(a) == fingerprint(b)


def test_a_fingerprint_is_stable() -> None:
    """Stored fingerprints stay comparable: the text that is hashed is fixed."""
    expected = hashlib.sha256('{"a":[1e+16,-0.0,1180591620717411303424],"ä":"\\u0000"}'.encode()).hexdigest()
    assert fingerprint({"ä": "\x00", "a": [1e16, -0.0, big_integer(2**70)]}) == expected
