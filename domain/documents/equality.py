"""Equality by value, as RFC 6902 has it for `test`: numbers are equal where they are the same number, however written."""

from procvars.domain.documents.numbers import is_number, worth_the_same
from procvars.domain.documents.values import Json


def equal_by_value(a: Json, b: Json) -> bool:
    """Tell whether two values are equal: 1 and 1.0 are, 1 and true are not, and the order of keys does not count.

    Ends at the first difference, so that it takes no longer than the smaller of the two is large.
    """
    pending = [(a, b)]
    while pending:
        one, other = pending.pop()
        if one is other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pending += ((value, other[name]) for name, value in one.items())
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pending += zip(one, other, strict=True)
        elif is_number(one) and is_number(other):
            if not worth_the_same(one, other):
                return False
        elif isinstance(one, bool) or isinstance(other, bool) or one != other:
            return False
    return True
