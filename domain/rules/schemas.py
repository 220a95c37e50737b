"""JSON Schema, drafts 4 to 2020-12 by `$schema`: validated by jsonschema-rs, with patterns matched in linear time."""

import sys
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NoReturn, cast

import jsonschema_rs

from procvars.domain.documents.documents import decode, encode
from procvars.domain.documents.numbers import MAX_CHARACTERS, Number, decimal_of
from procvars.domain.documents.pointer import join
from procvars.domain.documents.values import Document, Json
from procvars.domain.rules.budget import Budget
from procvars.domain.rules.schema_cost import SchemaCosts
from procvars.domain.rules.schema_errors import (
    EXPLAINED_STEPS,
    MASK,
    SchemaError,
    Violation,
    bounded,
    narrowed_violations,
    violations,
)
from procvars.domain.rules.schema_graph import SchemaGraph
from procvars.domain.rules.subschema import InvalidSchema

# jsonschema-rs makes a Python integer of a number that violates a schema, and Python refuses one of more than 4,300 digits
# unless told otherwise.
sys.set_int_max_str_digits(MAX_CHARACTERS)

MAX_BYTES: Final = 256 * 1024
_REGEX: Final = jsonschema_rs.RegexOptions(size_limit=10 << 20)

# A step, one subschema applied to one value, takes about 10 ns (measured). Up to this limit, nothing is counted.
STEPS: Final = 500_000
STEPS_PER_BYTE: Final = 8


class Schema:
    """A compiled schema."""

    def __init__(self, schema: dict[str, Json] | bool) -> None:
        """Compile the schema. Raises InvalidSchema."""
        self._schema = cast(dict[str, Json] | bool, _with_decimals(schema))
        self._graph = SchemaGraph(schema)
        self._costs = SchemaCosts(self._graph)
        self._validator = _validator(self._schema)

    def errors(self, document: Document, size: int) -> list[SchemaError]:
        """Return the first of the `violations`. Raises BudgetExceeded."""
        return bounded(self.violations(document, size))

    def violations(self, document: Document, size: int) -> Iterator[Violation]:
        """Return what of a document does not fit, always in the same order; `size` in bytes of compact JSON.

        Raises BudgetExceeded if finding that out would take too much work.
        """
        limit = STEPS + STEPS_PER_BYTE * size
        if size * self._costs.steps_per_byte > limit:
            self._costs.charge(document, Budget(limit))
        try:
            valid = self._validator.is_valid(document)
        except ValueError:  # it knows no `Number`
            valid = self._validator.is_valid(_with_decimals(document))
        if valid:
            return iter(())
        document = cast(Document, _with_decimals(document))
        if size * self._costs.steps_per_byte <= EXPLAINED_STEPS:
            return violations(self._validator, document)
        return narrowed_violations(document, self._graph.root, self._parts(), self._costs.steps_per_byte)

    def _parts(self) -> jsonschema_rs.ValidatorMap:
        """Return validators of all parts of the schema. They are not kept, as they take much memory and are rarely
        needed.
        """
        return jsonschema_rs.validator_map_for(
            self._schema, retriever=_refuse, pattern_options=_REGEX, validate_formats=False, mask=MASK
        )


def compiled(schema: Json) -> Schema | InvalidSchema:
    """Return the compiled schema, or why it cannot be used."""
    text = encode(schema)
    if not isinstance(schema, dict | bool):
        return InvalidSchema("", "a schema is an object, true or false")
    if len(text) > MAX_BYTES:
        return InvalidSchema("", f"the schema is larger than {MAX_BYTES // 1024} KiB")
    return _compiled(text)


@lru_cache(maxsize=32)
def _compiled(text: bytes) -> Schema | InvalidSchema:
    try:
        return Schema(cast(dict[str, Json] | bool, decode(text)))
    except InvalidSchema as error:
        return error


def _validator(schema: dict[str, Json] | bool) -> jsonschema_rs.Validator:
    try:
        return jsonschema_rs.validator_for(
            schema, retriever=_refuse, pattern_options=_REGEX, validate_formats=False, mask=MASK
        )
    except jsonschema_rs.ValidationError as error:
        is_pattern = error.kind.name == "format"
        message = "it is no pattern, or none that is matched in linear time" if is_pattern else error.message
        raise InvalidSchema(join(error.instance_path), message) from error
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        raise InvalidSchema("", str(error)) from error


def _with_decimals(value: Json) -> Any:
    """Return the value with a Decimal, which the validator takes, for every `Number`."""
    if isinstance(value, dict):
        return {name: _with_decimals(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_with_decimals(element) for element in value]
    return decimal_of(value) if isinstance(value, Number) else value


def _refuse(uri: str) -> NoReturn:
    """Refuse to fetch anything for a schema."""
    raise LookupError(f"{uri} is not fetched")
