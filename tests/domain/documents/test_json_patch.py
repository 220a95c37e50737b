"""Patches are exact, never touch the document they are applied to, and say why they cannot be applied."""

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from procvars.domain.documents.documents import depth, same
from procvars.domain.documents.errors import InvalidPatch, InvalidPointer, NotAnObject, PatchFailed, TooDeep
from procvars.domain.documents.numbers import Number
from procvars.domain.documents.patch import Changes, Patch, apply, changes, diff, merge, validate
from procvars.domain.documents.pointer import join, resolve, split
from procvars.domain.documents.values import Document, Json
from tests.domain.documents.json_strategies import documents, edited, keys, values


def chain(levels: int, innermost: Json = 0) -> Json:
    value = innermost
    for _ in range(levels):
        value = {"a": value}
    return value


pairs = documents.flatmap(lambda document: st.tuples(st.just(document), edited(document) | documents))


@st.composite
def patches(draw: st.DrawFn, document: Document) -> Patch:
    """Operations at places that are mostly there, or nearly."""
    places: list[list[str]] = [[]]
    for place in places:
        value = resolve(document, place)
        if isinstance(value, dict):
            places += [[*place, key] for key in value]
        elif isinstance(value, list):
            places += [[*place, str(at)] for at in range(len(value))]
    paths = st.sampled_from(places) | st.builds(
        lambda place, token: [*place, token],
        st.sampled_from(places),
        keys | st.sampled_from(["-", "0", "1", "01", "9"]),
    )
    return [
        {
            "op": draw(st.sampled_from(["add", "remove", "replace", "move", "copy", "test"])),
            "path": join(draw(paths)),
            "from": join(draw(paths)),
            "value": draw(values | st.sampled_from([resolve(document, place) for place in places])),
        }
        for _ in range(draw(st.integers(1, 4)))
    ]


@given(pairs)
@settings(max_examples=300, deadline=None)
def test_a_diff_leads_exactly_from_one_document_to_the_other(pair: tuple[Document, Document]) -> None:
    """Applying the diff gives the new document with all its types, whether the two are related or not."""
    previous, new = pair
    assert same(apply(previous, diff(previous, new)), new)


@given(pairs)
@settings(max_examples=200, deadline=None)
def test_a_diff_is_empty_exactly_for_the_same_document(pair: tuple[Document, Document]) -> None:
    """No operation without a change, no change without an operation."""
    previous, new = pair
    assert (diff(previous, new) == []) == same(previous, new)
    assert diff(previous, copy.deepcopy(previous)) == []


@given(documents.flatmap(lambda document: st.tuples(st.just(document), patches(document))))
@settings(max_examples=300, deadline=None)
def test_apply_agrees_with_the_jsonpatch_library_and_changes_nothing(pair: tuple[Document, Patch]) -> None:
    """Where both can apply a patch the results are the same; the document and the patch stay as they were."""
    document, patch = pair
    before = copy.deepcopy((document, patch))
    try:
        mine: Document | None = apply(document, patch)
    except (PatchFailed, NotAnObject):
        mine = None
    assert same(document, before[0])
    assert all(same(a, b) for a, b in zip(patch, before[1], strict=True))
    try:
        theirs = jsonpatch.JsonPatch(patch).apply(document)
    except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, TypeError, AttributeError, KeyError):
        theirs = None
    # The library takes 1, 1.0 and true for equal in tests, so what follows a test may never have been reached.
    if mine is not None and isinstance(theirs, dict) and not any(op["op"] == "test" for op in patch):
        assert same(mine, theirs)


@given(pairs)
@settings(max_examples=50, deadline=None)
def test_the_jsonpatch_library_applies_a_diff_exactly(pair: tuple[Document, Document]) -> None:
    """Whoever follows the events may apply their patches with it, to a document of their own."""
    previous, new = pair
    assert same(jsonpatch.apply_patch(copy.deepcopy(previous), diff(previous, new)), new)


def with_python_numbers(value: Json) -> Any:
    """The value without any `Number`, which the library does not know."""
    if isinstance(value, dict):
        return {name: with_python_numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [with_python_numbers(element) for element in value]
    return len(value.literal) if isinstance(value, Number) else value


@given(pairs)
@settings(max_examples=50, deadline=None)
def test_a_patch_of_the_jsonpatch_library_is_applied_as_it_applies_it(pair: tuple[Document, Document]) -> None:
    """Its diff moves values about as well; it does not see every change of type, but what it says is done."""
    previous, new = map(with_python_numbers, pair)
    theirs = jsonpatch.make_patch(previous, new)
    assert same(apply(previous, theirs.patch), theirs.apply(previous))


@given(st.lists(st.integers(0, 4), max_size=9), st.lists(st.integers(0, 4), max_size=9))
@settings(max_examples=300, deadline=None)
def test_arrays_with_repeated_elements_are_diffed_exactly(previous: list[Json], new: list[Json]) -> None:
    """Elements that occur several times do not mislead the alignment."""
    assert same(apply({"a": previous}, diff({"a": previous}, {"a": new})), {"a": new})


@pytest.mark.parametrize(
    ("previous", "new", "patch"),
    [
        ({"a": 1}, {"a": 1.0}, [{"op": "replace", "path": "/a", "value": 1.0}]),
        ({"a": 1}, {"a": True}, [{"op": "replace", "path": "/a", "value": True}]),
        ({"a": [0.0]}, {"a": [-0.0]}, [{"op": "replace", "path": "/a/0", "value": -0.0}]),
        ({"": 1, "~/": 2}, {"": 2}, [{"op": "replace", "path": "/", "value": 2}, {"op": "remove", "path": "/~0~1"}]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 2, "b": 3}}, [{"op": "replace", "path": "/a/b", "value": 3}]),
        ({"a": {"b": 1}}, {"a": [1]}, [{"op": "replace", "path": "/a", "value": [1]}]),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, [{"op": "remove", "path": "/a/1"}]),
        ({"a": [1, 3]}, {"a": [1, 2, 3]}, [{"op": "add", "path": "/a/1", "value": 2}]),
        ({"a": [1, 1, 1]}, {"a": [1, 1]}, [{"op": "remove", "path": "/a/2"}]),
        ({"a": [[1], [2]]}, {"a": [[1], [2, 3]]}, [{"op": "add", "path": "/a/1/1", "value": 3}]),
        (
            {"a": ["x", "b", "c", "y"]},
            {"a": ["b", "c", "z"]},
            [{"op": "replace", "path": "/a/3", "value": "z"}, {"op": "remove", "path": "/a/0"}],
        ),
    ],
)
def test_a_diff_is_small_and_plain(previous: Document, new: Document, patch: Patch) -> None:
    """Small changes give the operations that a person would write, and no others."""
    assert all(same(a, b) for a, b in zip(diff(previous, new), patch, strict=True))
    assert same(apply(previous, patch), new)


def test_an_edit_inside_a_long_array_is_one_operation() -> None:
    """Neither a change nor an insertion far from both ends touches the other elements."""
    rows: list[Json] = [{"id": number, "tags": ["a", "b"]} for number in range(5000)]
    inserted: list[Json] = [*rows[:100], {"id": -1}, *rows[100:4000], {"id": 4000, "tags": ["b"]}, *rows[4001:]]
    patch = diff({"rows": rows}, {"rows": inserted})
    assert patch == [
        {"op": "remove", "path": "/rows/4000/tags/0"},
        {"op": "add", "path": "/rows/100", "value": {"id": -1}},
    ]


def test_a_long_array_that_changes_everywhere_is_replaced() -> None:
    """One operation with the new array instead of thousands with an element each."""
    numbers: list[Json] = [*range(3000)]
    patch = diff({"a": numbers}, {"a": [*range(5000, 8000)]})
    assert [(operation["op"], operation["path"]) for operation in patch] == [("replace", "/a")]


def test_unchanged_parts_are_shared() -> None:
    """Only the containers on the way to the change are new."""
    document: Document = {"a": {"b": [1, 2], "c": {"x": 1}}, "d": {"e": []}}
    result = apply(document, [{"op": "add", "path": "/a/b/-", "value": 3}, {"op": "add", "path": "/a/b/-", "value": 4}])
    assert result == {"a": {"b": [1, 2, 3, 4], "c": {"x": 1}}, "d": {"e": []}}
    assert result["d"] is document["d"]
    assert resolve(result, ["a", "c"]) is resolve(document, ["a", "c"])


def test_writing_into_an_added_value_leaves_the_patch_alone() -> None:
    """A value of the patch that a later operation changes is copied first."""
    patch: Patch = [{"op": "add", "path": "/a", "value": {"b": []}}, {"op": "add", "path": "/a/b/0", "value": 1}]
    assert apply({}, patch) == apply({}, patch) == {"a": {"b": [1]}}


def test_a_copy_is_independent_of_its_source() -> None:
    """Writing to one of the two after a copy does not change the other."""
    patch: Patch = [
        {"op": "add", "path": "/a/0/-", "value": 1},
        {"op": "copy", "from": "/a", "path": "/b"},
        {"op": "add", "path": "/a/0/-", "value": 2},
        {"op": "add", "path": "/b/0/-", "value": 3},
    ]
    assert apply({"a": [[]]}, patch) == {"a": [[1, 2]], "b": [[1, 3]]}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/missing"},
        {"op": "replace", "path": "/missing", "value": 1},
        {"op": "test", "path": "/missing", "value": 1},
        {"op": "remove", "path": ""},
        {"op": "remove", "path": "/list/3"},
        {"op": "remove", "path": "/list/-"},
        {"op": "replace", "path": "/list/-", "value": 1},
        {"op": "add", "path": "/list/4", "value": 1},
        {"op": "add", "path": "/list/01", "value": 1},
        {"op": "add", "path": "/list/-1", "value": 1},
        {"op": "add", "path": "/list/١", "value": 1},
        {"op": "add", "path": "/list/" + "9" * 5000, "value": 1},
        {"op": "add", "path": "/list/", "value": 1},
        {"op": "add", "path": "/missing/a", "value": 1},
        {"op": "add", "path": "/one/a", "value": 1},
        {"op": "test", "path": "/one", "value": 1.5},
        {"op": "test", "path": "/one", "value": True},
        {"op": "move", "from": "/missing", "path": "/a"},
        {"op": "move", "from": "/tree", "path": "/tree/a"},
        {"op": "move", "from": "/missing", "path": "/missing"},
        {"op": "copy", "from": "/missing", "path": "/a"},
    ],
)
def test_an_operation_that_cannot_be_applied_is_named(operation: dict[str, Json]) -> None:
    """The index of the failing operation comes back, and nothing has been changed."""
    document: Document = {"list": [1, 2, 3], "one": 1, "tree": {"a": {}}}
    with pytest.raises(PatchFailed) as refusal:
        apply(document, [{"op": "add", "path": "/new", "value": 0}, operation])
    assert refusal.value.index == 1
    assert document == {"list": [1, 2, 3], "one": 1, "tree": {"a": {}}}


@pytest.mark.parametrize(
    ("patch", "result"),
    [
        ([{"op": "add", "path": "/list/2", "value": 3}], {"list": [1, 2, 3]}),
        ([{"op": "move", "from": "/list/0", "path": "/list/1"}], {"list": [2, 1]}),
        ([{"op": "move", "from": "/list", "path": "/list"}], {"list": [1, 2]}),
        ([{"op": "copy", "from": "", "path": "/self"}], {"list": [1, 2], "self": {"list": [1, 2]}}),
        ([{"op": "replace", "path": "", "value": {}}], {}),
        ([{"op": "add", "path": "", "value": []}, {"op": "replace", "path": "", "value": {"a": 1}}], {"a": 1}),
        ([{"op": "move", "from": "/list", "path": ""}, {"op": "add", "path": "", "value": {}}], {}),
        ([{"op": "test", "path": "/list", "value": [1, 2]}], {"list": [1, 2]}),
    ],
)
def test_the_corners_of_rfc_6902(patch: Patch, result: Document) -> None:
    """Whole documents, positions behind the end and moves in place work as the RFC has them."""
    assert same(apply({"list": [1, 2]}, patch), result)


@pytest.mark.parametrize("operation", ["add", "replace"])
def test_a_patch_leaves_an_object(operation: str) -> None:
    """The whole document can only be replaced with an object."""
    with pytest.raises(NotAnObject) as refusal:
        apply({}, [{"op": operation, "path": "", "value": [1]}])
    assert refusal.value.found == "array"


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "add", "path": "/a" * 200, "value": {}}],
        [{"op": "copy", "from": "/a", "path": "/a/a/b"}],
        [{"op": "add", "path": "/b", "value": {"c": {}}}, {"op": "move", "from": "/a", "path": "/b/c/d"}],
    ],
)
def test_a_patch_cannot_nest_deeper_than_200_levels(patch: Patch) -> None:
    """Neither values put in nor values moved or copied may end up too deep."""
    document = chain(200)
    assert isinstance(document, dict)
    assert depth(apply(document, [{"op": "add", "path": "/a" * 200, "value": 1}])) == 200
    with pytest.raises(TooDeep):
        apply(document, patch)


def test_copies_cannot_fill_the_memory() -> None:
    """A patch that doubles a value again and again is stopped."""
    patch: Patch = [{"op": "copy", "from": "/a", "path": "/a/-"} for _ in range(60)]
    with pytest.raises(PatchFailed, match="copies more than"):
        apply({"a": ["x" * 1000]}, patch)


@pytest.mark.parametrize(
    ("patch", "named"),
    [
        ({}, "array"),
        ([1], "operation 0"),
        ([{"op": "remove", "path": "/a"}, {"path": "/a"}], "operation 1"),
        ([{"op": "jump", "path": "/a"}], '"op"'),
        ([{"op": ["add"], "path": "/a"}], '"op"'),
        ([{"op": "remove"}], '"path"'),
        ([{"op": "remove", "path": 1}], '"path"'),
        ([{"op": "remove", "path": "a"}], "slash"),
        ([{"op": "remove", "path": "/~2"}], "~"),
        ([{"op": "remove", "path": "/a~"}], "~"),
        ([{"op": "add", "path": "/a"}], '"value"'),
        ([{"op": "move", "path": "/a"}], '"from"'),
        ([{"op": "copy", "path": "/a", "from": "b"}], '"from"'),
    ],
)
def test_a_malformed_patch_is_refused(patch: Json, named: str) -> None:
    """The detail names the operation and what is wrong with it."""
    with pytest.raises(InvalidPatch) as refusal:
        validate(patch)
    assert named in refusal.value.why


def test_members_without_meaning_are_dropped() -> None:
    """What an operation does not use, the RFC says to ignore; a value of null is a value."""
    patch: Json = [
        {"op": "add", "path": "/a", "value": None, "from": 1, "x": 2},
        {"op": "move", "from": "/a", "path": "/b", "value": 1},
    ]
    assert validate(patch) == [{"op": "add", "path": "/a", "value": None}, {"op": "move", "path": "/b", "from": "/a"}]


def test_changes_sum_up_a_diff() -> None:
    """Each value that comes, goes or is replaced is listed once, by the pointer of its top."""
    previous: Document = {"a": 1, "b": {"c": [1, 2, 3]}, "d/e": None}
    new: Document = {"a": 2, "b": {"c": [1, 3]}, "f": {"g": 1}}
    assert changes(previous, diff(previous, new)) == Changes(added=["/f"], removed=["/b/c/1", "/d~1e"], replaced=["/a"])


def test_an_add_that_overwrites_counts_as_a_replacement() -> None:
    """A member that was there is not reported as new; an element inserted in its place is."""
    patch: Patch = [{"op": "add", "path": "/a", "value": 2}, {"op": "add", "path": "/b/0", "value": 2}]
    assert changes({"a": 1, "b": [1]}, patch) == Changes(added=["/b/0"], removed=[], replaced=["/a"])


@given(st.lists(keys))
def test_pointers_lead_back_to_their_keys(tokens: list[str]) -> None:
    """Escaping loses nothing, whatever the keys are."""
    assert split(join(tokens)) == tokens


def test_a_pointer_starts_with_a_slash() -> None:
    """A name alone is no pointer."""
    with pytest.raises(InvalidPointer):
        split("a")


def naive_merge(target: Json, patch: Json) -> Json:
    """RFC 7396, section 2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = naive_merge(result.get(name), value)
    return result


@given(pairs)
@settings(max_examples=200, deadline=None)
def test_merge_follows_rfc_7396(pair: tuple[Document, Document]) -> None:
    """The result is that of the RFC's pseudo-code, and neither side is changed."""
    document, merge_patch = pair
    before = copy.deepcopy(pair)
    assert same(merge(document, merge_patch), naive_merge(document, merge_patch))
    assert all(same(a, b) for a, b in zip(pair, before, strict=True))


def test_a_merge_patch_is_an_object() -> None:
    """Anything else would replace the whole document."""
    with pytest.raises(NotAnObject):
        merge({}, [1])


def test_merging_shares_what_it_does_not_name() -> None:
    """Unchanged members are the same objects in both documents."""
    document: Document = {"a": {"b": 1}, "c": {"d": []}}
    assert merge(document, {"a": {"b": 2}})["c"] is document["c"]
