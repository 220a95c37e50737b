"""Answers to refusals, whatever was refused."""

from procvars.api.http.problem_size import MOST_BYTES, bounded
from procvars.domain.documents.documents import encode


def test_what_is_short_stays_as_it_is() -> None:
    """To the letter."""
    members = {"detail": "no", "errors": [{"path": "/a", "message": "b"}], "index": 3, "found": None}
    assert bounded(members) == members


def test_long_lists_say_what_they_left_out() -> None:
    """In a member beside them."""
    found = bounded({"changed_paths": [f"/{n}" for n in range(5_000)]})
    assert len(found["changed_paths"]) == 100 and found["changed_paths_omitted"] == 4_900


def test_no_member_makes_an_answer_large() -> None:
    """Neither a text, nor many of them, nor what is nested."""
    for members in (
        {"detail": "x" * 10_000_000},
        {"errors": [{"path": "/" + "a" * 5_000, "message": "ä" * 5_000} for _ in range(5_000)]},
        {"rule": {f"k{n}": "v" * 2_000 for n in range(5_000)}},
        {"paths": [["p" * 2_000] * 1_000] * 1_000},
    ):
        assert len(encode(bounded(members))) <= 2 * MOST_BYTES
