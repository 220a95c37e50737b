"""Hints for a person about a word or a number that JSON does not have."""

import re
from typing import Final

CURLY_QUOTES: Final = "\u201c\u201d\u201e\u2018\u2019"

_MISSPELT: Final = {
    "none": "null",
    "nil": "null",
    "undefined": "null",
    "null": "null",
    "true": "true",
    "false": "false",
}
_NO_NUMBERS: Final = {"nan", "-nan", "inf", "-inf", "infinity", "-infinity"}


def word_hint(word: str) -> str:
    """Return what is wrong with a word that is not a JSON literal."""
    if word.lower() in _NO_NUMBERS:
        return f"{word} is not a JSON value; JSON has no NaN and no Infinity"
    if word.lower() in _MISSPELT:
        return f"{word} is not a JSON value; write {_MISSPELT[word.lower()]}"
    return "missing quote: a text has to be in double quotes"


def number_hint(written: str) -> str:
    """Return what is wrong with something that starts like a number."""
    digits = written.lstrip("-")
    if written.startswith("+"):
        return "leading plus: write the number without +"
    if re.fullmatch(r"0[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", digits):
        return "leading zero: write the number without it, or a text in double quotes"
    if re.fullmatch(r"\.[0-9]+([eE][+-]?[0-9]+)?", digits):
        return "a digit has to come before the decimal point"
    if re.fullmatch(r"[0-9]+\.([eE].*)?", digits):
        return "a digit has to come after the decimal point"
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?[eE][+-]?", digits):
        return "a digit has to come after the exponent's e"
    return f"missing quote: {written} is not a number, and a text has to be in double quotes"
