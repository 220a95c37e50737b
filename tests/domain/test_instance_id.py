"""Which texts can be the id of an instance."""

import pytest

from procvars.domain.definition import definition_stream
from procvars.domain.instance_id import LONGEST, is_instance_id


@pytest.mark.parametrize(
    "text", ["i-1", "Antrag 12/3", "Ü", "a:b", "...", ".a", "x" * LONGEST, "%2e", "définition:a", "😀"]
)
def test_any_short_text_can_be_an_id(text: str) -> None:
    """An engine chooses its ids, and they need not be pretty."""
    assert is_instance_id(text)


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "x" * (LONGEST + 1), "a\0", "a\n", "\x7f", "\x85", "\ud800", definition_stream("bank", "loan")],
)
def test_what_nobody_could_ask_for_is_no_id(text: str) -> None:
    """Neither is the stream of a definition."""
    assert not is_instance_id(text)
