"""Numbers that only a `Number` keeps, from Python's integers."""

from procvars.domain.documents.numbers import Number, integer


def big_integer(value: int) -> Number:
    """Return an integer that does not fit 64 bits as the value that a document has for it."""
    number = integer(str(value))
    assert isinstance(number, Number)
    return number
