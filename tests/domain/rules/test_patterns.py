"""Patterns in paths are I-Regexps (RFC 9485), and time to match them is linear in the text."""

import pytest

from procvars.domain.rules.budget import Budget, BudgetExceeded
from procvars.domain.rules.patterns import InvalidPattern, Pattern

PLENTY = 10**9


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("a.c", ["abc", "a😀c", "a\u2028c"], ["ac", "a\nc", "a\rc", "xabc", "abcx"]),
        ("a[.b]c", ["a.c", "abc"], ["axc"]),
        (r"a\.c", ["a.c"], ["abc"]),
        (r"a\\.c", ["a\\xc"], ["a.c"]),
        (r"a[\].]c", ["a]c", "a.c"], ["axc"]),
        (r"\p{Lu}\P{Lu}*", ["Ж", "Жж1"], ["ж", "ЖЖ"]),
        ("a|ab", ["a", "ab"], ["abb"]),
        ("^ab.*", ["ab", "abc"], ["xab"]),
        (".*bc$", ["abc"], ["abcx"]),
        ("[0-9]{2,3}", ["12", "123"], ["1", "1234"]),
        ("(a+)+", ["a" * 5_000], ["a" * 5_000 + "!"]),
        ("", [""], ["a"]),
    ],
)
def test_a_pattern_matches_whole_texts(pattern: str, matching: list[str], others: list[str]) -> None:
    """The dot stands for a character outside of classes, the shortest alternative does not win, anchors are understood."""
    compiled = Pattern(pattern)
    assert [text for text in (*matching, *others) if compiled.matches(text, Budget(PLENTY))] == matching


def test_a_pattern_occurs_in_texts() -> None:
    """`search()` looks for a part of the text."""
    pattern = Pattern("b.d")
    assert [text for text in ("abcd", "bxd", "bd") if pattern.occurs_in(text, Budget(PLENTY))] == ["abcd", "bxd"]


@pytest.mark.parametrize(
    "text",
    [
        "(a",
        "a**",
        "(?=a)",
        r"(a)\1",
        "a*?",
        r"\d",
        "[[:alpha:]]",
        r"\p{Xx}",
        "[a",
        "a{3,2}",
        "x" * 1_001,
        r"\p{L}{1000}",
    ],
)
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """What I-Regexp does not have, and what would be too large."""
    with pytest.raises(InvalidPattern):
        Pattern(text)


def test_the_work_is_counted_by_the_text_and_by_the_positions_of_the_pattern() -> None:
    """A set of characters is one position, however many characters it has; a repetition is many."""

    def cost(pattern: str, text: str) -> int:
        budget = Budget(PLENTY)
        Pattern(pattern).occurs_in(text, budget)
        return budget.spent

    assert cost("[a-z]+", "x" * 100_000) > 8 * cost("[a-z]+", "x" * 10_000)
    assert cost(r"\p{L}+", "x" * 10_000) < 2 * cost("x+", "x" * 10_000)
    assert cost("(a|b){100}", "x" * 10_000) > 8 * cost("(a|b){5}", "x" * 10_000)


def test_a_text_that_is_too_long_is_not_matched() -> None:
    """The budget is asked before the text is looked at."""
    with pytest.raises(BudgetExceeded):
        Pattern("(a|b)*a(a|b){100}c").matches("ab" * 10_000, Budget(1_000))
