"""The required cases of the official JSON Schema Test Suite for draft 2020-12 (MIT, json_schema_2020_12.LICENSE).

A schema that refers to something outside of it is refused when the definition is published, as nothing is fetched.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from procvars.domain.documents.documents import encode, parse
from procvars.domain.rules.schemas import Schema, compiled
from procvars.domain.rules.subschema import InvalidSchema

FILE = Path(__file__).with_name("json_schema_2020_12.json")
OUTSIDE = ("localhost:1234", "nothing is fetched", "Unknown meta-schema")


class Case(NamedTuple):
    schema: Any
    data: Any
    valid: bool


def cases() -> Iterator[Any]:
    groups: Any = parse(FILE.read_bytes())
    for keyword, group in groups.items():
        for case in group:
            for test in case["tests"]:
                name = f"{keyword}: {case['description']}: {test['description']}"
                yield pytest.param(Case(case["schema"], test["data"], test["valid"]), id=name)


@pytest.mark.parametrize("case", list(cases()))
def test_json_schema_2020_12(case: Case) -> None:
    """The answer is the suite's, or the definition would have been refused for what lies outside of the schema."""
    schema = compiled(case.schema)
    if isinstance(schema, InvalidSchema):
        assert any(text in str(schema) for text in OUTSIDE), schema
        return
    assert isinstance(schema, Schema)
    assert (schema.errors(case.data, len(encode(case.data))) == []) is case.valid
