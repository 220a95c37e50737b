"""The schema of a definition: what cannot be used is refused, what it costs is known beforehand, errors are bounded."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document, Json
from procvars.domain.rules.budget import BudgetExceeded
from procvars.domain.rules.schema_errors import MAX_ERRORS, SchemaError
from procvars.domain.rules.schemas import MAX_BYTES, Schema, compiled
from procvars.domain.rules.subschema import InvalidSchema
from tests.big_integers import big_integer
from tests.domain.documents.json_strategies import values

ITSELF: dict[str, Json] = {"$ref": "#"}
OPERATOR: dict[str, Json] = {"properties": {"args": {"items": {"$ref": "#/$defs/e"}}}, "required": ["args"]}


def usable(schema: Json) -> Schema:
    found = compiled(schema)
    assert isinstance(found, Schema), found
    return found


def errors(schema: Json, document: Document) -> list[SchemaError]:
    return usable(schema).errors(document, len(encode(document)))


def chain(links: int, last: Json, **link: Any) -> Json:
    """Definitions of which each leads to the next, by `link`, in which `next` stands for the reference."""

    def put(value: Any, reference: Json) -> Any:
        if value == "next":
            return reference
        if isinstance(value, dict):
            return {key: put(child, reference) for key, child in value.items()}
        return [put(child, reference) for child in value] if isinstance(value, list) else value

    definitions = {f"d{n}": put(link, {"$ref": f"#/$defs/d{n + 1}"}) for n in range(links)}
    return {"$ref": "#/$defs/d0", "$defs": {**definitions, f"d{links}": last}}


def unevaluated(levels: int) -> Json:
    schema: Json = {"properties": {"x": True}}
    for _ in range(levels):
        schema = {"allOf": [schema], "unevaluatedProperties": False}
    return schema


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "nothing"}, "/type"),
        ({"properties": {"a/b": {"minimum": "1"}}}, "/properties/a~1b/minimum"),
        ({"properties": {"a": {"pattern": "(?=a)b"}}}, "/properties/a/pattern"),
        ({"properties": {"a": {"pattern": "(a"}}}, "/properties/a/pattern"),
        ({"patternProperties": {"(a": {}}}, "/patternProperties/(a"),
        ({"$ref": "http://example.com/schema.json"}, "/$ref"),
        ({"$ref": "file:///etc/passwd"}, "/$ref"),
        ({"properties": {"a": {"$ref": "other.json"}}}, "/properties/a/$ref"),
        ({"$defs": {"unused": {"$ref": "#/$defs/none"}}}, "/$defs/unused/$ref"),
        ({"$ref": "#none"}, "/$ref"),
        ({"$dynamicRef": "#none"}, "/$dynamicRef"),
        (ITSELF, ""),
        ({"allOf": [{"anyOf": [ITSELF]}]}, "/allOf/0/anyOf/0"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}, None),
        ({"$schema": "http://json-schema.org/draft-03/schema#"}, ""),
        ({"$schema": "https://example.com/own-vocabulary"}, ""),
        (chain(20, {}, anyOf=["next", "next"]), None),
        (chain(20, {}, allOf=[{"properties": {"a": "next"}}, {"properties": {"a": "next"}}]), None),
        (unevaluated(12), None),
        ({"allOf": [{"type": "object"}] * 1_001}, ""),
        ({"properties": {f"p{n}": {} for n in range(2_001)}}, None),
        ({"allOf": [{"properties": {f"p{n}": ITSELF}} for n in range(700)]}, None),
        ({"properties": {f"p{n}": {"pattern": f"^a{n}$"} for n in range(102)}}, None),
        ({"description": "x" * MAX_BYTES}, ""),
        (["a list"], ""),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema: Json, pointer: str | None) -> None:
    """When it is published, with the place: the edits that would meet it come later, and from others."""
    refused = compiled(schema)
    assert isinstance(refused, InvalidSchema)
    assert pointer is None or refused.pointer == pointer
    assert str(refused)


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"properties": {"a": ITSELF, "b": {"items": ITSELF}}, "additionalProperties": {"type": "string"}},
        {
            "$defs": {
                "node": {"oneOf": [{"type": "string"}, *({"properties": {n: {"$ref": "#/$defs/node"}}} for n in "abc")]}
            }
        },
        {"$ref": "#/$defs/e", "$defs": {"e": {"oneOf": [OPERATOR, OPERATOR, OPERATOR, {"type": "number"}]}}},
        {
            "$id": "https://bank.example/loan",
            "properties": {"a": {"$ref": "loan#/$defs/x"}},
            "$defs": {"x": {"$anchor": "y"}},
        },
        {"$defs": {"x": {"$id": "part", "$anchor": "y"}}, "properties": {"a": {"$ref": "part#y"}}},
        {"$dynamicAnchor": "n", "properties": {"a": {"$dynamicRef": "#n"}}, "unevaluatedProperties": False},
        {"$schema": "http://json-schema.org/draft-07/schema#", "dependencies": {"a": ["b"], "c": {"required": ["d"]}}},
        {"$schema": "http://json-schema.org/draft-04/schema#", "id": "http://x/y", "items": [{"$ref": "#"}]},
        {"$schema": "https://json-schema.org/draft/2019-09/schema", "properties": {"a": {"$recursiveRef": "#"}}},
        {
            "properties": {f"p{n}": {"$ref": "#/$defs/text"} for n in range(500)},
            "$defs": {"text": {"pattern": "^(a+)+$"}},
        },
        {"properties": {"a": {"pattern": "^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$"}, "b": {"pattern": "^\\p{Lu}\\p{L}+$"}}},
        {
            "properties": {
                "x": {"id": "#here"},
                "y": {"$ref": "#/properties/x"},
            }
        },
    ],
)
def test_a_schema_as_people_write_it_is_accepted(schema: Json) -> None:
    """Recursion, references within the schema, drafts by their name and many subschemas are no reason to refuse it."""
    usable(schema)


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ({"properties": {"s": {"pattern": "^(a+)+$"}}}, {"s": "a" * 50_000 + "!"}),
        (
            {"properties": {"l": {"uniqueItems": True}}},
            {"l": [{"a": n, "b": [n]} for n in range(3_000)] + [{"a": 1, "b": [1]}]},
        ),
        ({"allOf": [{"properties": {"a": ITSELF}}] * 3, "not": {"required": ["x"]}}, {"a": {"a": {"a": {"x": 1}}}}),
    ],
)
def test_what_used_to_hang_is_answered(schema: Json, document: Document) -> None:
    """Backtracking patterns, items compared pair by pair, and alternatives of alternatives."""
    assert errors(schema, document)


def test_two_hundred_levels_of_alternatives_are_validated() -> None:
    """Three ways into each member would be 3 to the 200th, if the work were done for each way."""
    document: Document = {}
    for _ in range(199):
        document = {"a": document}
    again: dict[str, Json] = {"properties": {"a": ITSELF}}
    alternatives: list[Json] = [{**again, "required": ["x"]}, {**again, "required": ["y"]}, again]
    schema: Json = {"anyOf": alternatives}
    assert errors(schema, document) == []


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ({"properties": {"l": {"items": {"allOf": [{"type": "integer"}] * 900}}}}, {"l": list(range(100_000))}),
        ({"uniqueItems": True, "items": ITSELF, "properties": {"l": ITSELF}}, {"l": [[[[[[list(range(100_000))]]]]]]}),
        ({"properties": {"s": {"pattern": "(?:a|b)*a(?:a|b){200}c"}}}, {"s": "ab" * 200_000}),
        ({"propertyNames": {"pattern": "(?:a|b)*a(?:a|b){200}c"}}, {f"{'ab' * 1_000}{n}": n for n in range(200)}),
    ],
)
def test_work_without_measure_is_refused_before_it_is_done(schema: Json, document: Document) -> None:
    """The cost is counted for the document as it is; nothing is validated then. A small document is validated."""
    with pytest.raises(BudgetExceeded):
        errors(schema, document)
    assert errors(schema, {"l": [1, 2], "s": "abab"}) is not None


def test_a_large_document_against_a_schema_of_common_shape_is_no_work_without_measure() -> None:
    """Some members, a pattern and a list of objects: the budget grows with the document."""
    customer: Json = {"name": "Ada", "zip": "8001", "tags": ["a", "b"]}
    schema: Json = {
        "properties": {
            "customers": {
                "items": {
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "pattern": "^[A-Z][a-z]+$"},
                        "zip": {"type": "string", "pattern": "^[0-9]{4,5}$"},
                        "tags": {"uniqueItems": True, "items": {"enum": ["a", "b", "c"]}},
                    },
                }
            }
        }
    }
    assert errors(schema, {"customers": [customer] * 50_000}) == []


def test_an_error_has_a_json_pointer_and_words() -> None:
    """Keys are escaped as in every pointer of the API; the order is always the same."""
    schema: Json = {"properties": {"a/b": {"items": {"type": "integer"}}, "~": {"maxLength": 1}}}
    document: Document = {"~": "long", "a/b": [1, "x", 2.5]}
    assert sorted(errors(schema, document), key=lambda error: error.path) == [
        SchemaError("/a~1b/1", 'the value is not of type "integer"'),
        SchemaError("/a~1b/2", 'the value is not of type "integer"'),
        SchemaError("/~0", "the value is longer than 1 character"),
    ]
    assert errors(schema, document) == errors(schema, document)


@pytest.mark.parametrize("length", [1_000, 200_000])
def test_errors_are_bounded(length: int) -> None:
    """A document of a million mistakes is not answered with a million sentences."""
    found = errors({"properties": {"l": {"items": {"type": "string"}}}}, {"l": list(range(length))})
    assert [error.path for error in found] == [f"/l/{index}" for index in range(MAX_ERRORS)]


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        ({"propertyNames": {"maxLength": 3}}, {"x" * 9_000 + str(n): n for n in range(50)}),
        ({"properties": {"a": {"enum": ["y" * 9_000]}}}, {"a": 1}),
        ({"required": ["z" * 90_000]}, {}),
        ({"additionalProperties": {"additionalProperties": {"type": "string"}}}, {"a": {"n" * 90_000: 1}}),
        ({"additionalProperties": False}, {"n" * 9_000 + str(n): n for n in range(50)}),
        ({"unevaluatedProperties": False}, {"n" * 9_000 + str(n): n for n in range(50)}),
        ({"anyOf": [{"required": [f"q{n}"]} for n in range(50)]}, {"l": list(range(100_000))}),
    ],
)
def test_errors_are_bounded_in_bytes(schema: Json, document: Document) -> None:
    """Names in the document and values in the schema may be long."""
    found = errors(schema, document)
    assert found
    assert sum(len(encode({"path": error.path, "message": error.message})) for error in found) < 64 * 1024


def test_a_mistake_in_a_large_document_is_found_where_it_is() -> None:
    """The part that does not fit is narrowed down by members, items, references and `allOf`."""
    part: Json = {"$ref": "#/$defs/part"}
    schema: Json = {
        "allOf": [{"properties": {"parts": {"items": part}}}],
        "$defs": {"part": {"properties": {"n": {"type": "integer"}, "s": {"maxLength": 50}}}},
    }
    parts: list[Json] = [{"n": n, "s": "x" * 40} for n in range(5_000)]
    parts[4_321] = {"n": "SECRET", "s": "x" * 40}
    assert errors(schema, {"parts": parts}) == [SchemaError("/parts/4321/n", 'the value is not of type "integer"')]


_schemas = st.sampled_from(
    [
        {"type": "null"}, {"enum": ["z"]}, {"const": 77}, {"maxLength": 0}, {"pattern": "^zz$"}, {"maximum": -(10**18)},
        {"multipleOf": 1_234_567}, {"maxItems": 0}, {"uniqueItems": True}, {"contains": {"const": "z"}}, {"not": {}},
        {"propertyNames": {"maxLength": 0}}, {"additionalProperties": False}, {"unevaluatedProperties": False},
        {"unevaluatedItems": False}, {"required": ["zz"]}, {"anyOf": [{"type": "null"}, {"const": "z"}]}, False,
        {"oneOf": [True, True]}, {"dependentRequired": {"a": ["zz"]}}, {"if": True, "then": {"type": "null"}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "contentMediaType": "application/json"},
        {"$schema": "http://json-schema.org/draft-07/schema#", "contentEncoding": "base64"},
    ]
)  # fmt: skip


@given(_schemas, st.text(st.characters(categories=["Lu"]), min_size=8, max_size=8), values)
def test_a_message_never_tells_a_value(schema: Json, secret: str, value: Json) -> None:
    """Variables may be secrets; who may see that they are wrong need not be allowed to see them in a log."""
    hidden_values: list[Json] = [secret, [secret], {"a": secret}, {"k": [secret, value]}]
    for hidden in hidden_values:
        for error in errors({"properties": {"v": schema}}, {"v": hidden}):
            assert secret not in error.message


@pytest.mark.parametrize(
    "value", [big_integer(2**70), big_integer(-(2**70)), big_integer(10**4_000), 1e300, 5e-324, 4.02, 0]
)
def test_numbers_of_any_size_are_numbers(value: Json) -> None:
    """An integer beyond 64 bits is an integer, and is compared as what it is."""
    kind = "number" if isinstance(value, float) else "integer"
    schema: Json = {
        "properties": {
            "n": {"type": kind, "minimum": big_integer(-(2**71)), "multipleOf": 1 if kind == "integer" else 5e-324}
        }
    }
    assert errors(schema, {"n": value}) == []
    assert errors({"properties": {"n": {"maximum": big_integer(-(2**80))}}}, {"n": value}) != []
    assert errors({"properties": {"n": {"multipleOf": 0.01}}}, {"n": 4.02}) == []


_keywords = st.sampled_from(
    [
        "$ref", "$id", "id", "$schema", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef", "$defs", "definitions",
        "type", "properties", "patternProperties", "additionalProperties", "propertyNames", "items", "prefixItems", "contains",
        "allOf", "anyOf", "not", "if", "then", "dependentSchemas", "dependencies", "required", "enum", "const", "pattern",
        "uniqueItems", "unevaluatedItems", "unevaluatedProperties", "minimum", "multipleOf", "format", "a", "b",
    ]
)  # fmt: skip
_leaves = st.sampled_from(
    [
        "#", "#/$defs/a", "#/properties/a", "#a", "a", "a#b", "http://[", "http://x/y", "#/%zz", "#/~", "#/properties/a/0", "",
        "string", "object", "^a+$", "(", "\\p{L}{500}", 0, -1, 0.5, big_integer(2**70), None, True, False, "http://json-schema.org/draft-07/schema#",
    ]
)  # fmt: skip
_anything = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keywords, inner, max_size=4), max_leaves=12
)


@given(st.dictionaries(_keywords, _anything, max_size=5), values)
def test_whatever_is_sent_for_a_schema_is_used_or_refused(schema: dict[str, Json], value: Json) -> None:
    """There is no third way; and one that is used has an answer for every document."""
    found = compiled(schema)
    if isinstance(found, Schema):
        document: Document = {"a": value, "b": [value]}
        assert isinstance(found.errors(document, len(encode(document))), list)
