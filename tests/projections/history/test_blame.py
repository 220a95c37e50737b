"""Blame: who last set each value, also where arrays shift, containers are replaced and containers are emptied."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.documents.documents import same
from procvars.domain.documents.errors import PatchFailed
from procvars.domain.documents.values import Document, Json
from procvars.domain.errors import InstanceNotFound, NoSuchVersion
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.history.blame import BlamedLeaf, blame
from tests.projections.history.builders import INSTANCE, ListedStreams, Stream, minute
from tests.projections.history.documents import DOCUMENTS, DOCUMENTS_WITHOUT_ARRAYS, leaves


async def blamed(stream: Stream, version: int | None = None) -> dict[str, int]:
    """Path → version, in the order of the answer."""
    return {leaf.path: leaf.version for leaf in await blame(ListedStreams(stream), INSTANCE, version)}


async def test_a_leaf_names_its_setter() -> None:
    """Each leaf comes with who set it, when, why, and whether that was an operator."""
    stream = Stream({"kept": 1, "edited": 1}).modify({"kept": 1, "edited": 2}, reason="typing error")
    assert await blame(ListedStreams(stream), INSTANCE, None) == [
        BlamedLeaf("/kept", 1, "engine", "Process engine", minute(1), None, "engine"),
        BlamedLeaf("/edited", 2, "ada", "Ada L.", minute(2), "typing error", "operator"),
    ]


async def test_at_an_older_version_later_edits_do_not_count() -> None:
    """Blame of a version is blame as it stood then."""
    stream = Stream({"a": 1}).modify({"a": 2}).modify({"a": 3})
    assert await blamed(stream, 2) == {"/a": 2}


async def test_a_version_that_set_nothing_has_the_blame_before_it() -> None:
    """Every version of the instance can be asked about, not only those that wrote variables."""
    stream = Stream({"a": 1}).modify({"a": 2}).become(InstanceStatus.ON_HOLD)
    assert await blamed(stream, 3) == {"/a": 2}


@pytest.mark.parametrize("version", [0, 3])
async def test_a_version_outside_of_the_stream_is_refused(version: int) -> None:
    """There is nothing to blame before the start and after the newest event."""
    with pytest.raises(NoSuchVersion):
        await blamed(Stream({"a": 1}).modify({"a": 2}), version)


async def test_an_unknown_instance_is_refused() -> None:
    """An instance without events is not an empty document."""
    with pytest.raises(InstanceNotFound):
        await blamed(Stream())


async def test_an_inserted_element_moves_the_ones_behind_it_with_their_setters() -> None:
    """An insertion blames the new element only."""
    stream = Stream({"list": ["a", "b"]}).modify({"list": ["new", "a", "b"]})
    assert await blamed(stream) == {"/list/0": 2, "/list/1": 1, "/list/2": 1}


async def test_a_removed_element_moves_the_ones_behind_it_with_their_setters() -> None:
    """A removal blames nobody for what is left."""
    stream = Stream({"list": ["a", "b"]}).modify({"list": ["a", "b", "c"]}).modify({"list": ["b", "c"]})
    assert await blamed(stream) == {"/list/0": 1, "/list/1": 2}


async def test_an_element_is_looked_into() -> None:
    """A change inside an element leaves the element's other leaves with their setters."""
    stream = Stream({"list": [{"x": 1, "y": 1}, 5]}).modify({"list": [{"x": 1, "y": 2}, 5]})
    assert await blamed(stream) == {"/list/0/x": 1, "/list/0/y": 2, "/list/1": 1}


async def test_a_container_in_place_of_a_value_belongs_to_its_writer_as_a_whole() -> None:
    """Every leaf below a value that was replaced was set by the replacement."""
    stream = Stream({"a": 1}).modify({"a": {"x": {"y": 1}, "z": []}})
    assert await blamed(stream) == {"/a/x/y": 2, "/a/z": 2}


async def test_a_replaced_container_takes_its_equal_leaves_along() -> None:
    """Who replaces a whole container sets every leaf in it, also one that had the same value before."""
    stream = Stream({"a": {"x": 1, "y": 1}})
    stream.patch([{"op": "replace", "path": "/a", "value": {"x": 1, "y": 2}}])
    assert await blamed(stream) == {"/a/x": 2, "/a/y": 2}


async def test_an_emptied_container_belongs_to_who_emptied_it() -> None:
    """A container becomes a leaf with its last member's removal, and stops being one with the next member."""
    stream = Stream({"a": {"x": 1}, "b": [1]}).modify({"a": {}, "b": [1]}).write({"a": {}, "b": []})
    assert await blamed(stream) == {"/a": 2, "/b": 3}
    stream.modify({"a": {"z": 1}, "b": []})
    assert await blamed(stream) == {"/a/z": 4, "/b": 3}


async def test_an_empty_document_is_one_leaf() -> None:
    """The document itself is an empty object, at the path of the whole document."""
    assert await blamed(Stream({"a": 1}).modify({})) == {"": 2}


async def test_a_moved_or_copied_value_belongs_to_who_put_it_there() -> None:
    """`move` is a removal and an addition (RFC 6902), so the value's new place was set by the mover."""
    stream = Stream({"a": {"x": 1}, "b": {"y": 1}, "c": {}})
    stream.patch([{"op": "move", "from": "/a/x", "path": "/c/x"}])
    stream.patch([{"op": "copy", "from": "/b", "path": "/d"}, {"op": "test", "path": "/b/y", "value": 1}])
    assert await blamed(stream) == {"/a": 2, "/b/y": 1, "/c/x": 2, "/d/y": 3}


async def test_the_end_of_an_array_can_be_written_to() -> None:
    """The pointer `-` names the place after the last element."""
    stream = Stream({"list": [1]}).patch([{"op": "add", "path": "/list/-", "value": 2}])
    assert await blamed(stream) == {"/list/0": 1, "/list/1": 2}


async def test_a_reset_is_blamed_for_what_it_brought_back() -> None:
    """A value that a navigation back restored was last set by that navigation."""
    stream = (
        Stream({"a": 1, "b": 1}).keep("review").modify({"a": 2, "b": 1}).go_back("review", 2, {"a": 1, "b": 1}, [3])
    )
    assert await blamed(stream) == {"/a": 4, "/b": 1}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "/gone", "value": 1},
        {"op": "remove", "path": "/gone"},
        {"op": "add", "path": "/a/b", "value": 1},
        {"op": "add", "path": "/list/3", "value": 1},
        {"op": "remove", "path": ""},
    ],
)
async def test_a_stored_patch_that_does_not_fit_is_an_error(operation: dict[str, Json]) -> None:
    """Blame never guesses: a stream that cannot have been is refused, with the operation's place."""
    stream = Stream({"a": 1, "list": []}).modify({"a": 2, "list": []}, patch=[operation])
    with pytest.raises(PatchFailed) as refusal:
        await blamed(stream)
    assert refusal.value.index == 0


def _history(documents: list[Document]) -> Stream:
    stream = Stream(documents[0])
    for document in documents[1:]:
        stream.modify(document)
    return stream


@given(st.lists(DOCUMENTS, min_size=1, max_size=6))
async def test_blame_has_the_leaves_of_the_document_in_its_order(documents: list[Document]) -> None:
    """Blame names each leaf of the document once, whatever happened before."""
    stream = _history(documents)
    for version in range(1, len(documents) + 1):
        document = await ListedStreams(stream).variables_at(INSTANCE, version)
        assert [*await blamed(stream, version)] == [path for path, _ in leaves(document)]


@given(st.lists(DOCUMENTS_WITHOUT_ARRAYS, min_size=1, max_size=6))
async def test_without_arrays_blame_is_the_newest_change_of_each_leaf(documents: list[Document]) -> None:
    """Where paths never shift, comparing the documents one by one finds the same versions."""
    assert await blamed(_history(documents)) == _newest_change(documents)


@given(st.lists(st.lists(st.integers(0, 3), max_size=5), min_size=1, max_size=5))
async def test_the_blamed_version_wrote_that_value(arrays: list[list[int]]) -> None:
    """In an array too, a leaf's version is one after which the array held that value."""
    documents: list[Document] = [{"list": [*array]} for array in arrays]
    for path, version in (await blamed(_history(documents))).items():
        if path != "/list":
            assert arrays[-1][int(path.removeprefix("/list/"))] in arrays[version - 1]


@given(st.lists(DOCUMENTS, min_size=1, max_size=5))
async def test_times_belong_to_versions(documents: list[Document]) -> None:
    """What is said about a leaf is of one event, never of two."""
    expected: dict[int, datetime] = {version: minute(version) for version in range(1, len(documents) + 1)}
    found = await blame(ListedStreams(_history(documents)), INSTANCE, None)
    assert all(leaf.time == expected[leaf.version] for leaf in found)


def _newest_change(documents: list[Document]) -> dict[str, int]:
    setters: dict[str, int] = {}
    before: dict[str, Json] = {}
    for version, document in enumerate(documents, start=1):
        now = dict(leaves(document))
        for path, value in now.items():
            if path not in before or not same(before[path], value):
                setters[path] = version
        setters = {path: setter for path, setter in setters.items() if path in now}
        before = now
    return setters
