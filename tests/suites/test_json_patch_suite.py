"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396): the examples of their appendices, and every rule of their texts."""

from typing import Any

import pytest

from procvars.domain.documents.errors import InvalidPatch, NotAnObject, PatchFailed
from procvars.domain.documents.patch import apply, merge, validate

Operations = list[dict[str, Any]]

APPLIED: list[tuple[Any, Operations, Any]] = [
    # Appendix A
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    ({"foo": ["bar", "baz"]}, [{"op": "add", "path": "/foo/1", "value": "qux"}], {"foo": ["bar", "qux", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [{"op": "remove", "path": "/foo/1"}], {"foo": ["bar", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [{"op": "replace", "path": "/baz", "value": "boo"}], {"baz": "boo", "foo": "bar"}),
    ({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
     [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
     {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}}),
    ({"foo": ["all", "grass", "cows", "eat"]}, [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
     {"foo": ["all", "cows", "eat", "grass"]}),
    ({"baz": "qux", "foo": ["a", 2, "c"]},
     [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
     {"baz": "qux", "foo": ["a", 2, "c"]}),
    ({"foo": "bar"}, [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
     {"foo": "bar", "child": {"grandchild": {}}}),
    ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}], {"foo": "bar", "baz": "qux"}),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    ({"foo": ["bar"]}, [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}], {"foo": ["bar", ["abc", "def"]]}),
    # Section 4
    ({"a": 1}, [], {"a": 1}),
    ({"a": 1}, [{"op": "add", "path": "", "value": {"b": 2}}], {"b": 2}),
    ({"a": 1}, [{"op": "replace", "path": "", "value": {}}], {}),
    ({"a": 1}, [{"op": "add", "path": "/a", "value": None}], {"a": None}),
    ({"a": None}, [{"op": "remove", "path": "/a"}], {}),
    ({"a": []}, [{"op": "add", "path": "/a/0", "value": 1}], {"a": [1]}),
    ({"a": {"0": 1}}, [{"op": "add", "path": "/a/00", "value": 2}], {"a": {"0": 1, "00": 2}}),
    ({"": 1, "a": {"": 2}}, [{"op": "replace", "path": "/", "value": 3}, {"op": "remove", "path": "/a/"}],
     {"": 3, "a": {}}),
    ({"a/b": 1, "m~n": 2}, [{"op": "move", "from": "/a~1b", "path": "/m~0n"}], {"m~n": 1}),
    ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}, {"op": "replace", "path": "/c/b", "value": 2}],
     {"a": {"b": 1}, "c": {"b": 2}}),
    ({"a": [1]}, [{"op": "copy", "from": "/a", "path": "/a/0"}], {"a": [[1], 1]}),
    ({"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
    ({"a": {"b": 1}}, [{"op": "move", "from": "/a/b", "path": "/a"}], {"a": 1}),
    ({"a": 1}, [{"op": "remove", "path": "/a"}, {"op": "add", "path": "/b", "value": 2}], {"b": 2}),
]  # fmt: skip
EQUAL: list[tuple[Any, Any]] = [
    (1, 1), (1, 1.0), (100, 1e2), (0, -0.0), (2**53, float(2**53)), ("a", "a"), (None, None), (True, True), ([], []), ({}, {}),
    ([1, {"a": 2}], [1.0, {"a": 2.0}]), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ("é", "\u00e9"),
]  # fmt: skip
UNEQUAL: list[tuple[Any, Any]] = [
    (1, True), (0, False), (1.0, True), (None, False), (0, None), ("", None), (1, "1"), ([], {}), ([1, 2], [2, 1]), ([1], [1, 1]),
    ({"a": 1}, {"a": 1, "b": None}), ({"a": None}, {}), (2**53 + 1, float(2**53)), ("é", "e\u0301"), ([True], [1]), 
    ({"a": 1}, {"a": True}),
]  # fmt: skip
FAILED: list[tuple[Any, Operations, int]] = [
    ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], 0),
    ({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], 0),
    ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], 0),
    ({"a": 1}, [{"op": "add", "path": "/b", "value": 1}, {"op": "remove", "path": "/c"}], 1),
    ({"a": 1}, [{"op": "replace", "path": "/b", "value": 1}], 0),
    ({"a": [1]}, [{"op": "add", "path": "/a/2", "value": 1}], 0),
    ({"a": [1]}, [{"op": "add", "path": "/a/01", "value": 1}], 0),
    ({"a": [1]}, [{"op": "add", "path": "/a/-1", "value": 1}], 0),
    ({"a": [1]}, [{"op": "add", "path": "/a/1e0", "value": 1}], 0),
    ({"a": [1]}, [{"op": "remove", "path": "/a/-"}], 0),
    ({"a": [1]}, [{"op": "replace", "path": "/a/1", "value": 1}], 0),
    ({"a": 1}, [{"op": "test", "path": "/b", "value": None}], 0),
    ({"a": "x"}, [{"op": "remove", "path": "/a/0"}], 0),
    ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}], 0),
    ({"a": 1}, [{"op": "move", "from": "/b", "path": "/c"}], 0),
    ({"a": 1}, [{"op": "copy", "from": "/b", "path": "/c"}], 0),
]  # fmt: skip
MALFORMED: list[Any] = [
    {}, "x", [1], [{}], [{"op": "add"}], [{"op": "add", "path": "/a"}], [{"op": "add", "path": "a", "value": 1}],
    [{"op": "add", "path": 1, "value": 1}], [{"op": "spam", "path": "/a"}], [{"op": "ADD", "path": "/a", "value": 1}],
    [{"op": None, "path": "/a"}], [{"op": "move", "path": "/a"}], [{"op": "copy", "path": "/a", "from": "b"}],
    [{"op": "test", "path": "/a"}], [{"path": "/a", "value": 1}], 
    [{"op": "remove", "path": "/~"}], [{"op": "remove", "path": "/~2"}],
]  # fmt: skip
MERGED: list[tuple[Any, Any, Any]] = [
    # Appendix A
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    # Values inside of a document, as only an object is one
    ({"v": ["a", "b"]}, {"v": ["c", "d"]}, {"v": ["c", "d"]}),
    ({"v": {"a": "b"}}, {"v": ["c"]}, {"v": ["c"]}),
    ({"v": {"a": "foo"}}, {"v": None}, {}),
    ({"v": {"a": "foo"}}, {"v": "bar"}, {"v": "bar"}),
    ({"v": [1, 2]}, {"v": {"a": "b", "c": None}}, {"v": {"a": "b"}}),
    # Section 2
    ({"a": 1}, {}, {"a": 1}),
    ({"a": {"b": 1}}, {"a": {}}, {"a": {"b": 1}}),
    ({"a": 1}, {"b": None}, {"a": 1}),
    ({"a": 1}, {"a": {"b": None}}, {"a": {}}),
    ({}, {"a": [None, {"b": None}]}, {"a": [None, {"b": None}]}),
    ({"a": 1}, {"a": 1.0}, {"a": 1.0}),
    ({"a": {"b": {"c": 1, "d": 2}}}, {"a": {"b": {"c": None}}}, {"a": {"b": {"d": 2}}}),
]  # fmt: skip


@pytest.mark.parametrize(("document", "patch", "expected"), APPLIED)
def test_a_patch_is_applied(document: Any, patch: Operations, expected: Any) -> None:
    """RFC 6902: the document afterwards, the one before being left as it was."""
    before = repr(document)
    assert apply(document, patch) == expected
    assert repr(document) == before


@pytest.mark.parametrize(("found", "tested"), EQUAL)
def test_equal_values_pass_a_test(found: Any, tested: Any) -> None:
    """RFC 6902, 4.6: numbers are equal by value, objects whatever the order of their members."""
    assert apply({"v": found}, [{"op": "test", "path": "/v", "value": tested}]) == {"v": found}


@pytest.mark.parametrize(("found", "tested"), UNEQUAL)
def test_other_values_fail_a_test(found: Any, tested: Any) -> None:
    """Types count, and so does every digit."""
    for one, other in ((found, tested), (tested, found)):
        with pytest.raises(PatchFailed):
            apply({"v": one}, [{"op": "test", "path": "/v", "value": other}])


@pytest.mark.parametrize(("document", "patch", "index"), FAILED)
def test_a_patch_that_cannot_be_applied_names_the_operation(document: Any, patch: Operations, index: int) -> None:
    """RFC 6902, section 5: as a whole or not at all."""
    with pytest.raises(PatchFailed) as failure:
        apply(document, patch)
    assert failure.value.index == index


@pytest.mark.parametrize("patch", MALFORMED)
def test_a_malformed_patch_is_refused(patch: Any) -> None:
    """RFC 6902, section 3 and 4: before it is applied."""
    with pytest.raises(InvalidPatch):
        validate(patch)


@pytest.mark.parametrize(("document", "patch", "expected"), MERGED)
def test_a_merge_patch_is_applied(document: Any, patch: Any, expected: Any) -> None:
    """RFC 7396: objects are merged, null removes, everything else replaces."""
    before = repr(document)
    assert repr(merge(document, patch)) == repr(expected)
    assert repr(document) == before


@pytest.mark.parametrize("patch", [None, [], ["c"], "bar", 1, True])
def test_a_merge_patch_that_would_replace_the_document_is_refused(patch: Any) -> None:
    """The variables of an instance are always an object."""
    with pytest.raises(NotAnObject):
        merge({"a": "foo"}, patch)
