"""Which violations of a schema an edit is responsible for, and which were there before it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from procvars.domain.documents.patch.origins import Origin, Origins
from procvars.domain.rules.schema_errors import MAX_ERRORS, SchemaError, Violation, bounded

_OF_SIZE: Final = frozenset(("minItems", "maxItems", "minProperties", "maxProperties"))
# Many ways through a schema may lead to the same error.
_MOST: Final = 10 * MAX_ERRORS
_OF_CONTENT: Final = frozenset(("uniqueItems", "contains", "enum", "const"))


@dataclass(frozen=True, slots=True)
class Judgement:
    """`errors` are the edit's own, `before` those that it found and leaves alone."""

    errors: list[SchemaError]
    before: list[SchemaError]


def judged(before: Iterable[Violation], after: Iterable[Violation], origins: Origins) -> Judgement:
    """Return whose the violations after an edit are, given those before it.

    One was there before where the same keyword was violated at the same value, wherever that stood, and the edit neither
    replaced the value nor changed what the keyword is about. Of `anyOf` and `oneOf` no alternative may be violated in a way
    in which it was not before.
    """
    known = {hash((violation.path, violation.keyword, violation.message)): violation.causes for violation in before}
    own: list[Violation] = []
    found: list[Violation] = []
    for violation in after:
        origin = origins.of(violation.path)
        if origin is None or _concerns(violation, origin):
            own.append(violation)
            continue
        causes = known.get(hash((origin.place, violation.keyword, violation.message)))
        (own if causes is None or not violation.causes <= causes else found).append(violation)
        if len(own) > _MOST:
            break
    return Judgement(bounded(own), bounded(found))


def _concerns(violation: Violation, origin: Origin) -> bool:
    """Tell whether what the edit changed in the value is what the violated keyword is about."""
    return (violation.keyword in _OF_SIZE and origin.resized) or (violation.keyword in _OF_CONTENT and origin.changed)
