"""Patterns of JSONPath's `match()` and `search()`: I-Regexp (RFC 9485), matched by RE2 in time linear in the text."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import iregexp_check
import re2

from procvars.domain.rules.budget import Budget

MAX_CHARACTERS: Final = 1_000
MAX_POSITIONS: Final = 1_000
# Compiling an instruction takes 0.4 µs, and RE2 needs up to 11 ms to find out that a program is too large (measured).
_MEMORY_BYTES: Final = 1 << 20
_STEPS_PER_INSTRUCTION: Final = 4
_STEPS_TO_REFUSE: Final = 100_000
# Where RE2 has to simulate the program, a character costs about 8 ns for each position of the pattern (measured).
_POSITIONS_PER_STEP: Final = 16
_STEPS_PER_CALL: Final = 50


class InvalidPattern(ValueError):
    """The text is no I-Regexp (RFC 9485)."""


class Pattern:
    """A compiled pattern."""

    def __init__(self, text: str) -> None:
        """Compile the pattern. Raises InvalidPattern for a text that is no I-Regexp, or whose program would be too
        large.
        """
        if len(text) > MAX_CHARACTERS:
            raise InvalidPattern(f"a pattern has at most {MAX_CHARACTERS} characters")
        # The check accepts only single digits in a repetition; elsewhere all digits are alike.
        if not iregexp_check.check(_DIGITS.sub("1", text)):
            raise InvalidPattern("it is no I-Regexp (RFC 9485)")
        self._positions = positions(text)
        try:
            self._program = re2.compile("".join(atom.text for atom in _atoms(text)), _OPTIONS)
        except re2.error as error:
            raise InvalidPattern("its program would be too large, or it names an unknown category") from error
        if self._positions > MAX_POSITIONS:
            raise InvalidPattern("its program would be too large")
        self.steps_to_compile = self._program.programsize * _STEPS_PER_INSTRUCTION

    def matches(self, text: str, budget: Budget) -> bool:
        """Return whether the pattern matches the whole text. Raises BudgetExceeded."""
        budget.spend(self._steps(text))
        return self._program.fullmatch(text) is not None

    def occurs_in(self, text: str, budget: Budget) -> bool:
        """Return whether the pattern matches a part of the text. Raises BudgetExceeded."""
        budget.spend(self._steps(text))
        return self._program.search(text) is not None

    def _steps(self, text: str) -> int:
        return _STEPS_PER_CALL + len(text) * self._positions // _POSITIONS_PER_STEP


@lru_cache(maxsize=256)
def compiled(text: str) -> Pattern | InvalidPattern:
    """Return the pattern, or why the text is not one."""
    try:
        return Pattern(text)
    except InvalidPattern as error:
        return error


def found_pattern(text: str, budget: Budget) -> Pattern | None:
    """Return the pattern that a document holds, or None if it is invalid. Raises BudgetExceeded."""
    pattern = compiled(text)
    if isinstance(pattern, InvalidPattern):
        budget.spend(_STEPS_TO_REFUSE)
        return None
    budget.spend(pattern.steps_to_compile)
    return pattern


def positions(text: str) -> int:
    """Return how many positions a pattern has, repetitions counted: what a matcher may have to follow at once."""
    return _program_size("x" if atom.is_set else atom.text for atom in _atoms(text))


def category_positions(text: str) -> int:
    """Return how many of the positions are sets of Unicode categories: they make most of a program's size."""
    atoms = _atoms(text)
    doubled = _program_size(
        "(?:xx)" if _CATEGORY in atom.text.lower() else "x" if atom.is_set else atom.text for atom in atoms
    )
    return doubled - positions(text)


def _program_size(atoms: Iterable[str]) -> int:
    try:
        return int(re2.compile("".join(atoms), _OPTIONS).programsize)
    except re2.error:
        return MAX_POSITIONS


class _Atom(NamedTuple):
    text: str
    """Text for RE2."""
    is_set: bool
    """Whether it matches one character of a set, whose size does not count when matching."""


def _atoms(text: str) -> list[_Atom]:
    """Translate the pattern as in RFC 9485, section 5.4: outside a class, a dot is any character but CR and LF."""
    atoms: list[_Atom] = []
    for found in _ATOM.finditer(text):
        atom = found[0]
        if atom == ".":
            atoms.append(_Atom(r"[^\n\r]", True))
        else:
            atoms.append(_Atom(atom, len(atom) > 1))
    return atoms


def _options() -> re2.Options:
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    options.never_capture = True
    return options


_OPTIONS: Final = _options()
_CATEGORY: Final = r"\p{"
_DIGITS: Final = re.compile("[0-9]+")
_ATOM: Final = re.compile(r"\\[pP]\{[^}]*\}|\\.|\[(?:\\.|[^\]])*\]|.", re.DOTALL)
"""A category, an escaped character, a class or any other character of an I-Regexp."""
