"""An edit is carried over to values that somebody else changed, without losing a value of either side."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procvars.domain.documents.documents import same
from procvars.domain.documents.errors import PatchFailed, RebaseConflict
from procvars.domain.documents.patch import Patch, apply, diff, overlap, rebase, touched_paths
from procvars.domain.documents.pointer import resolve, split
from procvars.domain.documents.values import Document, Json
from tests.domain.documents.json_strategies import documents, edited

three_ways = documents.flatmap(lambda base: st.tuples(st.just(base), edited(base), edited(base)))


def at(document: Document, path: str) -> list[Json]:
    """The value at a place, in a list, or an empty list."""
    try:
        return [resolve(document, split(path))]
    except LookupError:
        return []


@given(three_ways)
@settings(max_examples=400, deadline=None)
def test_nothing_of_either_side_is_lost(sides: tuple[Document, Document, Document]) -> None:
    """What a side changed is in the result as that side has it, and the result does not depend on who comes first."""
    base, theirs, wanted = sides
    mine = diff(base, wanted)
    try:
        result = apply(theirs, rebase(base, theirs, mine))
    except RebaseConflict as conflict:
        assert conflict.paths
        with pytest.raises(RebaseConflict):
            rebase(base, wanted, diff(base, theirs))
        return
    for path in touched_paths(base, diff(base, theirs)):
        assert same(at(result, path), at(theirs, path)), path
    for path in touched_paths(base, mine):
        assert same(at(result, path), at(wanted, path))
    assert same(result, apply(wanted, rebase(base, wanted, diff(base, theirs))))


@given(three_ways)
@settings(max_examples=150, deadline=None)
def test_a_conflict_is_a_real_meeting(sides: tuple[Document, Document, Document]) -> None:
    """Every path of a conflict is one that mine touched, and theirs changed something at, above or below it."""
    base, theirs, wanted = sides
    mine = diff(base, wanted)
    try:
        rebase(base, theirs, mine)
    except RebaseConflict as conflict:
        assert set(conflict.paths) <= set(touched_paths(base, mine))
        assert overlap(conflict.paths, touched_paths(base, diff(base, theirs))) == conflict.paths


@given(three_ways)
@settings(max_examples=200, deadline=None)
def test_the_same_edit_twice_is_no_conflict(sides: tuple[Document, Document, Document]) -> None:
    """Where the other side made the very same changes there is nothing left to do, nor without a change of theirs."""
    base, wanted, _ = sides
    before = copy.deepcopy(base)
    mine = diff(base, wanted)
    assert rebase(base, wanted, mine) == []
    assert same(apply(base, rebase(base, base, mine)), wanted)
    assert same(base, before)


@pytest.mark.parametrize(
    ("base", "theirs", "wanted", "merged"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}, {"a": 2, "b": 3}),
        ({"o": {"a": 1, "b": 1}}, {"o": {"a": 1}}, {"o": {"a": 5, "b": 1}}, {"o": {"a": 5}}),
        ({"l": [1, 2, 3]}, {"l": [9, 2, 3]}, {"l": [1, 2, 8]}, {"l": [9, 2, 8]}),
        ({"l": [{"a": 1}, 2]}, {"l": [{"a": 1}, 5]}, {"l": [{"a": 2}, 2]}, {"l": [{"a": 2}, 5]}),
        ({}, {"a": 1, "c": {"x": 1}}, {"b": 2, "c": {"x": 1}}, {"a": 1, "b": 2, "c": {"x": 1}}),
        ({"a": 1, "b": 1}, {"b": 1}, {"b": 2}, {"b": 2}),
        ({"l": [1], "b": 1}, {"l": [1, 2], "b": 1}, {"l": [1, 2], "b": 2}, {"l": [1, 2], "b": 2}),
    ],
)
def test_edits_that_do_not_meet_are_joined(
    base: Document, theirs: Document, wanted: Document, merged: Document
) -> None:
    """Both changes are in the result, and a change made by both is there once."""
    assert same(apply(theirs, rebase(base, theirs, diff(base, wanted))), merged)


@pytest.mark.parametrize(
    ("base", "theirs", "wanted", "paths"),
    [
        ({"a": 1}, {"a": 2}, {"a": 3}, ["/a"]),
        ({"a": 1}, {"a": 1.0}, {"a": True}, ["/a"]),
        ({"a": 1}, {}, {"a": 3}, ["/a"]),
        ({"a": 1}, {"a": 3}, {}, ["/a"]),
        ({}, {"p": {"x": 1}}, {"p": {"y": 1}}, ["/p"]),
        ({"o": {"a": 1}}, {}, {"o": {"a": 2}}, ["/o/a"]),
        ({"o": {"a": 1}}, {"o": {"a": 2}}, {}, ["/o"]),
        ({"o": {"a": 1}}, {"o": [1]}, {"o": {"a": 1, "b": 2}}, ["/o/b"]),
        ({"l": [1, 2]}, {"l": [0, 1, 2]}, {"l": [1, 3]}, ["/l/1"]),
        ({"l": [1, 2]}, {"l": [1, 3]}, {"l": [0, 1, 2]}, ["/l"]),
        ({"l": ["a", "b"]}, {"l": ["x", "c", "a", "b"]}, {"l": ["a", "c"]}, ["/l/1"]),
        ({"l": [1]}, {"l": [1, 2]}, {"l": [1, 3]}, ["/l"]),
    ],
)
def test_edits_that_meet_are_a_conflict(base: Document, theirs: Document, wanted: Document, paths: list[str]) -> None:
    """The paths of mine that meet a change of theirs are named, and nothing is decided silently."""
    with pytest.raises(RebaseConflict) as conflict:
        rebase(base, theirs, diff(base, wanted))
    assert conflict.value.paths == paths


@pytest.mark.parametrize(
    ("mine", "path"),
    [
        ([{"op": "test", "path": "/a", "value": 1}, {"op": "add", "path": "/b", "value": 2}], "/a"),
        ([{"op": "copy", "from": "/a", "path": "/b"}], "/a"),
        ([{"op": "move", "from": "/a", "path": "/b"}], "/a"),
    ],
)
def test_what_an_edit_relies_on_counts_as_touched(mine: Patch, path: str) -> None:
    """A value tested, copied or moved by mine and changed by theirs is a conflict."""
    with pytest.raises(RebaseConflict) as conflict:
        rebase({"a": 1}, {"a": 5}, mine)
    assert path in conflict.value.paths


def test_a_move_is_carried_over_as_values() -> None:
    """The moved value arrives although theirs changed something else."""
    patch = rebase({"a": 1, "z": 1}, {"a": 1, "z": 2}, [{"op": "move", "from": "/a", "path": "/b"}])
    assert apply({"a": 1, "z": 2}, patch) == {"b": 1, "z": 2}


def test_a_patch_that_does_not_fit_the_base_fails() -> None:
    """A patch for another document is not rebased."""
    with pytest.raises(PatchFailed):
        rebase({}, {}, [{"op": "remove", "path": "/a"}])


def test_inserting_into_an_array_touches_all_of_it() -> None:
    """Elements behind an insertion or removal move, a replaced element stays in its place."""
    document: Document = {"l": [1, [2]], "o": {"0": 1}}
    patch: Patch = [
        {"op": "replace", "path": "/l/0", "value": 0},
        {"op": "add", "path": "/l/1/-", "value": 3},
        {"op": "remove", "path": "/o/0"},
        {"op": "remove", "path": "/l/0"},
        {"op": "move", "from": "/l/0", "path": "/new/x"},
        {"op": "test", "path": "/o", "value": {}},
    ]
    assert touched_paths(document, patch) == ["/l/0", "/l/1", "/o/0", "/l", "/new/x"]


@pytest.mark.parametrize(
    ("a", "b", "common"),
    [
        (["/a"], ["/a"], ["/a"]),
        (["/a/b"], ["/a"], ["/a/b"]),
        (["/a"], ["/a/b/c"], ["/a"]),
        ([""], ["/x"], [""]),
        (["/x"], [""], ["/x"]),
        (["/a", "/ab", "/a/"], ["/a/b"], ["/a"]),
        (["/a/"], ["/a"], ["/a/"]),
        (["/b", "/a"], ["/c"], []),
    ],
)
def test_paths_overlap_where_one_contains_the_other(a: list[str], b: list[str], common: list[str]) -> None:
    """Whole keys count, not the letters that two keys have in common; an empty key is a key."""
    assert overlap(a, b) == common
