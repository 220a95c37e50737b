"""Which JSON numbers can be kept: integers of any size exactly, others if their decimal value survives as a double."""

import math
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

# Python's own limit for converting digits to an integer (sys.int_info.default_max_str_digits).
MAX_INTEGER_DIGITS: Final = 4300

# A text with every digit and point as 0, E as e and - as +, so that C code finds the literals worth a look. A decimal of up
# to 15 significant digits always survives as a double (C's DBL_DIG) while its exponent has no more than two digits.
_SHAPE: Final = bytes.maketrans(b"123456789.E-", b"0000000000e+")
_WORTH_A_LOOK: Final = (b"0" * 17, b"0" * 16 + b"e", b"0e000", b"0e+000")
_LITERAL: Final = re.compile(rb"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_BEFORE_A_NUMBER: Final = b":,[ \t\r\n"


def why_not_kept(literal: str) -> str | None:
    """Say what would be lost if a valid JSON number were kept, or None if nothing would.

    An integer literal is its mathematical value (so -0 is 0). Any other is kept as the double nearest to it, and only if
    the shortest decimal that names this double, which is what gets written again, has the literal's very value.
    """
    digits = literal.lstrip("-")
    if digits.isdigit():
        if len(digits) > MAX_INTEGER_DIGITS:
            return f"an integer of {len(digits)} digits, more than {MAX_INTEGER_DIGITS}"
        return None
    double = float(literal)
    if repr(double) == literal:  # the most frequent case, and the cheapest
        return None
    if math.isinf(double):
        return "a number beyond the range of a double"
    try:
        exact = Decimal(literal) == Decimal(repr(double))
    except InvalidOperation:  # an exponent beyond what Decimal can hold
        exact = False
    return None if exact else f"a number that would become {double!r}"


def may_be_lossy(raw: bytes) -> bool:
    """Tell cheaply whether a JSON text could hold a number that cannot be kept.

    True may be a false alarm, about something that looks like a number in the middle of a string; False is certain.
    """
    shape = raw.translate(_SHAPE)
    return any(why_not_kept(literal) for needle in _WORTH_A_LOOK for literal in _literals(raw, shape, needle))


def _literals(raw: bytes, shape: bytes, needle: bytes) -> Iterator[str]:
    """Yield, without their minus, the numbers whose shape has the needle in it."""
    end = 0
    while (hit := shape.find(needle, end)) >= 0:
        start = end + len(shape[end:hit].rstrip(b"0"))
        end = hit + len(needle)
        before = start - 2 if raw[start - 1 : start] == b"-" else start - 1
        if before < 0 or raw[before] in _BEFORE_A_NUMBER:
            match = _LITERAL.match(raw, start)
            if match is not None:
                end = max(end, match.end())
                yield match[0].decode()
