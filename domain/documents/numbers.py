"""Numbers of JSON documents, which keep the digits that they were written with.

A double or an integer of 64 bits that its encoder spells in just those digits is a Python number; every other number is a
`Number`. Only the spelling of an exponent does not count: 1e2, 1E2 and 1e+02 are one number.
"""

import re
from decimal import MAX_EMAX, Context, Decimal, InvalidOperation
from typing import Final, NamedTuple, TypeGuard

import orjson

MAX_CHARACTERS: Final = 10_000
"""Characters of a number."""

_INTEGERS: Final = range(-(2**63), 2**64)
_MOST_DIGITS_OF_THEM: Final = 20
# Below it a double and an integer that are equal in Python are written as the same decimal number.
_EXACT: Final = 2**53

# A text with every digit and point as 0, E as e and - as +, so that C code finds what may be a number to keep in a
# `Number`. A decimal of up to 15 significant digits always survives as a double (C's DBL_DIG).
_SHAPE: Final = bytes.maketrans(b"123456789.E-", b"0000000000e+")
_MANY_DIGITS: Final = b"0" * 17
# Half of the characters of a number, its exponent taken off, and fewer than parsers take.
_VERY_MANY_DIGITS: Final = b"0" * 4_000
_EXPONENTS: Final = (b"0e0", b"0e+0")
_EXPONENT: Final = re.compile(rb"e\+?0++(?=[\s,\]}]|\Z)")
_MINUS_ZERO: Final = re.compile(rb"-0(?=[\s,\]}]|\Z)")
_FINAL_ZERO: Final = re.compile(rb"\.[0-9]+0(?=[\s,\]}]|\Z)")
_TOO_LONG: Final = re.compile(rb"(?<![-+.0-9eE])[-+.0-9eE]{%d,}+" % (MAX_CHARACTERS + 1))

_COMPLEMENT: Final = str.maketrans("0123456789", "9876543210")
# An exponent may have as many digits as a number has characters.
_EXPONENTS_OF_ANY_LENGTH: Final = Context(prec=2 * MAX_CHARACTERS)


class Number:
    """A number that Python's own numbers would spell otherwise. Equal to the same spelling only, as JSON values are
    compared here; `magnitude` compares by value.
    """

    __slots__ = ("literal",)

    literal: str
    """The number as it is written to JSON."""

    def __init__(self, literal: str) -> None:
        self.literal = literal

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and self.literal == other.literal

    def __hash__(self) -> int:
        return hash(self.literal)

    def __repr__(self) -> str:
        return f"Number({self.literal!r})"


AnyNumber = int | float | Number


class Magnitude(NamedTuple):
    """What a number is worth. Magnitudes compare as the numbers do, in decimal arithmetic and at any size."""

    sign: int
    exponent: Decimal
    digits: str


def is_number(value: object) -> TypeGuard[AnyNumber]:
    """Tell whether a JSON value is a number. True and false are none."""
    return isinstance(value, int | float | Number) and not isinstance(value, bool)


def integer(literal: str) -> int | Number:
    """Return the number that a JSON literal without fraction and exponent stands for."""
    if len(literal) <= _MOST_DIGITS_OF_THEM and (value := int(literal)) in _INTEGERS and literal != "-0":
        return value
    return Number(literal)


def fraction(literal: str) -> float | Number:
    """Return the number that a JSON literal with a fraction or an exponent stands for."""
    double = float(literal)
    spelled = _with_plain_exponent(literal)
    return double if _with_plain_exponent(orjson.dumps(double).decode()) == spelled else Number(spelled)


def literal_of(number: AnyNumber) -> str:
    """Return the number as it is written to JSON."""
    return number.literal if isinstance(number, Number) else orjson.dumps(number).decode()


def fragment(value: object) -> orjson.Fragment:
    """Return a `Number` for orjson to write. Raises TypeError for anything else."""
    if isinstance(value, Number):
        return orjson.Fragment(value.literal)
    raise TypeError(f"{type(value).__name__} is not JSON")


def magnitude(number: AnyNumber) -> Magnitude:
    """Return what a number is worth."""
    mantissa, _, written = literal_of(number).partition("e")
    negative = mantissa.startswith("-")
    whole, _, decimals = mantissa.lstrip("-").partition(".")
    significant = (whole + decimals).lstrip("0")
    digits = significant.rstrip("0")
    if not digits:
        return Magnitude(0, Decimal(0), "")
    shift = len(significant) - len(decimals)
    exponent = _EXPONENTS_OF_ANY_LENGTH.add(Decimal(written or 0), Decimal(shift))
    if negative:
        # ":" comes after all digits: the longer one of two negative numbers that begin alike is the lower one.
        return Magnitude(-1, exponent.copy_negate(), digits.translate(_COMPLEMENT) + ":")
    return Magnitude(1, exponent, digits)


def decimal_of(number: AnyNumber) -> Decimal:
    """Return the number as a Decimal: exactly, or where its exponent has more than 18 digits the nearest there is."""
    try:
        return Decimal(literal_of(number))
    except InvalidOperation:
        sign, exponent, _ = magnitude(number)
        return Decimal((int(sign < 0), (1,), MAX_EMAX)) if exponent * sign > 0 else Decimal(0)


def worth_the_same(a: AnyNumber, b: AnyNumber) -> bool:
    """Tell whether two numbers are equal by value: 1, 1.0 and 1.00 are."""
    if type(a) is type(b) and not isinstance(a, Number):
        return a == b
    if isinstance(a, Number) or isinstance(b, Number) or not -_EXACT < a < _EXACT:
        return magnitude(a) == magnitude(b)
    return a == b


def worth_less(a: AnyNumber, b: AnyNumber) -> bool:
    """Tell whether the first of two numbers is the smaller one by value."""
    if isinstance(a, Number) or isinstance(b, Number) or (type(a) is not type(b) and not -_EXACT < a < _EXACT):
        return magnitude(a) < magnitude(b)
    return a < b


def may_need_numbers(raw: bytes) -> bool:
    """Return cheaply whether a JSON text could have a number that has to be kept as a `Number`.

    True may be a false alarm, about a number or a string; False is certain.
    """
    shape = raw.translate(_SHAPE)
    return (
        _MANY_DIGITS in shape
        or (any(needle in shape for needle in _EXPONENTS) and _EXPONENT.search(shape) is not None)
        or (b"-0" in raw and _MINUS_ZERO.search(raw) is not None)
        or _FINAL_ZERO.search(raw) is not None
    )


def may_be_too_long(raw: bytes) -> bool:
    """Return cheaply whether a JSON text could have a number with too many characters, or one that a parser takes for such.

    True may be a false alarm; False is certain.
    """
    return _VERY_MANY_DIGITS in raw.translate(_SHAPE)


def first_too_long(masked: bytes) -> int | None:
    """Return the offset of the first number with too many characters in a JSON text without its strings."""
    found = _TOO_LONG.search(masked)
    return None if found is None else found.start()


def _with_plain_exponent(literal: str) -> str:
    """Return a literal with its exponent, if any, spelled e, a minus where it is negative, and no zeros before it."""
    mantissa, e, exponent = literal.replace("E", "e", 1).partition("e")
    if not e:
        return literal
    digits = exponent.lstrip("+-").lstrip("0") or "0"
    return f"{mantissa}e{'-' if exponent.startswith('-') and digits != '0' else ''}{digits}"
