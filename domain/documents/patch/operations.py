"""JSON Patch (RFC 6902) as data: its shape, and the check that an untrusted value has it."""

from typing import Final, TypeAlias

from procvars.domain.documents.documents import type_name
from procvars.domain.documents.errors import InvalidPatch, InvalidPointer
from procvars.domain.documents.pointer import split
from procvars.domain.documents.values import Json

Operation: TypeAlias = dict[str, Json]
"""Operation with `op` and `path`, and either `value` (add, replace, test) or `from` (move, copy)."""

Patch: TypeAlias = list[Operation]

_OPERAND: Final = {"add": "value", "replace": "value", "test": "value", "move": "from", "copy": "from", "remove": None}


MAX_OPERATIONS: Final = 100_000
"""Operations of a sent patch, at most."""


def validate_sent(patch: Json) -> Patch:
    """Validate a patch that has just been sent, including its number of operations. Raises as `validate`."""
    if isinstance(patch, list) and len(patch) > MAX_OPERATIONS:
        raise InvalidPatch(f"it has {len(patch)} operations, and at most {MAX_OPERATIONS} are taken")
    return validate(patch)


def validate(patch: Json | Patch) -> Patch:
    """Return an untrusted value as a patch, without members that are meaningless for its operations.

    Raises InvalidPatch, which names the index of the malformed operation.
    """
    if not isinstance(patch, list):
        raise InvalidPatch(f"a JSON Patch is an array of operations, not {type_name(patch)}")
    return [_operation(index, operation) for index, operation in enumerate(patch)]


def pointer(operation: Operation, member: str) -> str:
    """Return the `path` or `from` of a valid operation."""
    value = operation[member]
    if not isinstance(value, str):
        raise InvalidPatch(f'"{member}" has to be a string')
    return value


def _operation(index: int, operation: Json) -> Operation:
    if not isinstance(operation, dict):
        raise InvalidPatch(f"operation {index} is not an object but {type_name(operation)}")
    op = operation.get("op")
    if not isinstance(op, str) or op not in _OPERAND:
        raise InvalidPatch(f'operation {index} needs an "op" out of {", ".join(_OPERAND)}')
    kept: Operation = {"op": op, "path": _pointer(index, operation, "path")}
    match _OPERAND[op]:
        case "from":
            kept["from"] = _pointer(index, operation, "from")
        case "value":
            if "value" not in operation:
                raise InvalidPatch(f'operation {index} ({op}) needs a "value"')
            kept["value"] = operation["value"]
    return kept


def _pointer(index: int, operation: Operation, member: str) -> str:
    value = operation.get(member)
    if not isinstance(value, str):
        raise InvalidPatch(f'operation {index} needs a "{member}" that is a string')
    try:
        split(value)
    except InvalidPointer as error:
        raise InvalidPatch(f'the "{member}" of operation {index} is no JSON Pointer: {error.why}') from None
    return value
