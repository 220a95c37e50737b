"""What a patch costs is bounded: finding it, its own size, applying it; counted in comparisons and bytes, not in time."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from procvars.domain.documents.documents import encode, same
from procvars.domain.documents.errors import InvalidPatch, PatchFailed
from procvars.domain.documents.numbers import integer
from procvars.domain.documents.patch import MAX_SHIFTED, Patch, alignment, application, apply, diff, difference, overlap
from procvars.domain.documents.patch.operations import MAX_OPERATIONS, validate_sent
from procvars.domain.documents.values import Document, Json

LEVELS = 150


def nested(kind: str, leaf: Json, siblings: Callable[[int], list[Json]], bulk: list[Json]) -> Document:
    """A leaf and most of the document at the innermost of many levels, with some siblings at each."""
    value: Json = [leaf, *bulk]
    for level in range(LEVELS):
        around = siblings(level)
        value = [*around, value] if kind == "array" else {**{str(at): it for at, it in enumerate(around)}, "v": value}
    return {"a": value}


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes of all containers that `same` was asked about."""
    sizes: list[int] = []

    def counted(a: Json, b: Json) -> bool:
        if isinstance(a, dict | list):
            sizes.append(len(encode(a)))
        return same(a, b)

    monkeypatch.setattr(difference, "same", counted)
    monkeypatch.setattr(alignment, "same", counted)
    return sizes


@pytest.mark.parametrize("kind", ["array", "object"])
@pytest.mark.parametrize(
    "siblings", [lambda level: [level], lambda level: [[], level, {}]], ids=["scalars", "containers"]
)
@pytest.mark.parametrize("leaf", [2, 1.0, "x"])
def test_a_change_in_a_deep_place_is_found_without_comparing_each_level_again(
    kind: str, siblings: Callable[[int], list[Json]], leaf: Json, compared: list[int]
) -> None:
    """One changed leaf is one operation, and the document is not compared once for each of the levels above it."""
    bulk: list[Json] = [{"n": number} for number in range(20_000)]
    previous, new = nested(kind, 1, siblings, bulk), nested(kind, leaf, siblings, bulk)
    patch = diff(previous, new)
    assert [operation["value"] for operation in patch] == [leaf]
    assert same(apply(previous, patch), new)
    assert sum(compared) < 40 * len(encode(new))


@pytest.mark.parametrize("kind", ["array", "object"])
def test_changes_at_every_level_end_in_a_coarser_patch(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the comparison has cost enough, what is left is replaced as a whole, and the patch is still exact."""
    bulk: list[Json] = [{"n": number} for number in range(200)]
    previous = nested(kind, 1, lambda level: [level, [0]], bulk)
    new = nested(kind, 2, lambda level: [-level, [0]], bulk)
    monkeypatch.setattr(difference, "_MOST_COMPARED", 10 * len(encode(new)) + LEVELS * 1024 // 2)
    patch = diff(previous, new)
    assert same(apply(previous, patch), new)
    assert 5 < len(patch) < LEVELS


def documents() -> Iterator[tuple[str, Document, Document]]:
    rows = 40_000
    numbers: list[Json] = [*range(rows)]
    yield "renamed keys", {f"k{at}": 0 for at in range(rows)}, {f"l{at}": 0 for at in range(rows)}
    yield "changed members", {f"k{at}": 0 for at in range(rows)}, {f"k{at}": 1 for at in range(rows)}
    yield "changed elements", {"a": [0] * rows}, {"a": [1] * rows}
    yield "reversed", {"a": numbers}, {"a": numbers[::-1]}
    yield "emptied", {"a": numbers}, {"a": []}
    yield "filled", {"a": []}, {"a": numbers}
    yield "each row inside", {"a": [{"b": [at]} for at in numbers]}, {"a": [{"b": [at, 0]} for at in numbers]}
    yield "every third removed", {"a": numbers}, {"a": [at for at in numbers if at % 3]}  # type: ignore[operator]
    yield "another type", {"a": [1] * rows}, {"a": [1.0] * rows}


@pytest.mark.parametrize(("previous", "new"), [pytest.param(*pair, id=name) for name, *pair in documents()])
def test_no_patch_is_much_larger_than_the_document_it_leads_to(previous: Document, new: Document) -> None:
    """Where everything changes, the patch has the new values and not thousands of operations."""
    patch: list[Any] = diff(previous, new)
    assert same(apply(previous, patch), new)
    assert len(encode(patch)) <= 1.1 * len(encode(new)) + 100


def test_many_small_changes_of_a_large_object_stay_apart() -> None:
    """Thousands of operations that are less to store than the object are not replaced by it."""
    previous: Document = {f"row {at}": {"text": "x" * 200, "n": at} for at in range(12_000)}
    new: Document = {key: {**row, "n": -1} for key, row in previous.items()}  # type: ignore[dict-item]
    patch = diff(previous, new)
    assert len(patch) == 12_000
    assert same(apply(previous, patch), new)


def test_more_operations_than_a_patch_may_have_are_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that need few operations each, but too many in all, are replaced by the object that has them."""
    monkeypatch.setattr(difference, "_MOST_OPERATIONS", 100)
    previous: Document = {"a": {str(at): {"b": [0] * 20} for at in range(10)}, "c": 1}
    new: Document = {"a": {str(at): {"b": [1] * 20} for at in range(10)}, "c": 2}
    patch = diff(previous, new)
    assert [operation["path"] for operation in patch] == ["/a", "/c"]
    assert same(apply(previous, patch), new)


def test_a_patch_made_here_may_always_be_sent() -> None:
    """Removals that would shift too many elements, one by one, are one operation with the array that is left."""
    numbers: list[Json] = [*range(200_000)]
    new: Document = {"a": [at for at in numbers if at % 50]}  # type: ignore[operator]
    assert len(diff({"a": numbers}, new)) == 1
    few: Document = {"a": [at for at in numbers if at % 1000]}  # type: ignore[operator]
    patch = diff({"a": numbers}, few)
    assert len(patch) == 200
    assert same(apply({"a": numbers}, validate_sent([*patch]), max_shifted=MAX_SHIFTED), few)


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "move", "from": "/a/0", "path": "/a/-"},
        {"op": "add", "path": "/a/0", "value": 1},
        {"op": "remove", "path": "/a/0"},
    ],
)
def test_a_patch_that_shifts_too_many_elements_is_refused(operation: dict[str, Json]) -> None:
    """The operation that goes too far is named; a stored patch is applied all the same."""
    document: Document = {"a": [0] * 1000}
    patch: Patch = [operation] * 50
    with pytest.raises(PatchFailed, match="shifts more than") as refusal:
        apply(document, patch, max_shifted=20_000)
    assert 18 <= refusal.value.index <= 21
    apply(document, patch)


@pytest.mark.parametrize("value", ["x" * 1000, [0] * 500, integer("7" * 1000)], ids=["string", "array", "integer"])
def test_copies_of_anything_are_bounded(value: Json) -> None:
    """Text and long numbers count as containers do: shared in memory, they are written again and again."""
    patch: Patch = [{"op": "copy", "from": "/a", "path": "/b/-"}] * 20_000
    with pytest.raises(PatchFailed, match="copies more than") as refusal:
        apply({"a": value, "b": []}, patch)
    assert refusal.value.index == application.MAX_COPIED_BYTES // len(encode(value))


class _Unread(list[Json]):
    def __iter__(self) -> Iterator[Json]:
        pytest.fail("elements of an array of another length were compared")


def test_a_test_does_not_read_what_cannot_be_equal() -> None:
    """A value that differs is told apart without looking at all of a large document."""
    with pytest.raises(PatchFailed):
        apply({"a": _Unread([0] * 100_000)}, [{"op": "test", "path": "/a", "value": [0]}])
    with pytest.raises(PatchFailed):
        apply({"a": [0, 1]}, [{"op": "test", "path": "/a", "value": [0, True]}])


def test_a_patch_that_is_sent_has_a_bounded_number_of_operations() -> None:
    """One more than that is refused."""
    operation: Json = {"op": "test", "path": "", "value": 1}
    assert len(validate_sent([operation] * MAX_OPERATIONS)) == MAX_OPERATIONS
    with pytest.raises(InvalidPatch, match="operations"):
        validate_sent([operation] * (MAX_OPERATIONS + 1))


def test_long_paths_meet_in_time_proportional_to_their_length() -> None:
    """No prefix of a path is written out: a long key with many levels below it would fill the memory."""
    key = "/" + "k" * 2_000_000
    assert overlap([key + "/a" * 199], [key + "/a" * 198, "/b"]) == [key + "/a" * 199]
    assert overlap([key + "/a" * 10], [key + "/b", key + "k"]) == []
    assert overlap(["", "/a"], []) == []
