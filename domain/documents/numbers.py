"""Numbers that can be kept: integers up to 4,300 digits exactly, others if their decimal value survives as a double."""

import math
import re
from decimal import Decimal, InvalidOperation
from typing import Final

# Python's own limit for converting digits to an integer (sys.int_info.default_max_str_digits).
MAX_INTEGER_DIGITS: Final = 4300

# A text with every digit and point as 0, E as e and - as +, so that C code finds the literals to check. A decimal of up
# to 15 significant digits always survives as a double (C's DBL_DIG) while its exponent has no more than two digits.
_SHAPE: Final = bytes.maketrans(b"123456789.E-", b"0000000000e+")
_WORTH_A_LOOK: Final = (b"0" * 17, b"0" * 16 + b"e", b"0e000", b"0e+000")
_WORTH_CONVERTING: Final = re.compile(
    r"(?<![0-9.])(?=[0-9.]{17}|[0-9.]{1,16}[eE][+-]?[0-9])[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
)


def why_not_kept(literal: str) -> str | None:
    """Return what would be lost if a valid JSON number were kept, or None if nothing would.

    An integer literal is its mathematical value (so -0 is 0). Any other is kept as the double nearest to it, and only
    if the shortest decimal for this double, which is what gets written again, has exactly the literal's value.
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
    """Return cheaply whether a JSON text could have a number that cannot be kept.

    True may be a false alarm, about a number that can be kept or about a string; False is certain.
    """
    shape = raw.translate(_SHAPE)
    return any(needle in shape for needle in _WORTH_A_LOOK)


def first_lossy(masked: bytes) -> int | None:
    """Return the offset of the first number that cannot be kept, a minus left out, in a JSON text without its strings."""
    if not may_be_lossy(masked):
        return None
    text = masked.decode("latin-1")
    literals = _WORTH_CONVERTING.findall(text)
    if literals == [*map(repr, map(float, literals))]:  # none of them is lossy, as C code found
        return None
    return next((found.start() for found in _WORTH_CONVERTING.finditer(text) if why_not_kept(found[0])), None)
