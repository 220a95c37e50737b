"""A state that is compressed against an earlier one comes back as it was, and takes what differs."""

import random

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st

from procvars.adapters import exact_json
from procvars.adapters.postgres.seen_bases import SeenBases
from procvars.adapters.postgres.state_frames import Base, BaseMissing, StateFrames, frame_of

KEPT_VERSIONS = 50


def document(size: int, seed: int = 0) -> list[str]:
    """Values of about that many bytes together, of which no two are alike."""
    values = random.Random(seed)
    return [f"{values.getrandbits(64):016x}" for _ in range(size // 16)]


def text_of(values: list[str], changed: str) -> bytes:
    """A state as a PUT leaves it: the document before and after."""
    middle = len(values) // 2
    return exact_json.dumps({"previous": values, "body": [*values[:middle], changed, *values[middle + 1 :]]})


@given(before=st.binary(max_size=2000), after=st.binary(max_size=2000), distance=st.integers(1, 60))
def test_a_text_comes_back(before: bytes, after: bytes, distance: int) -> None:
    """Whatever it is compressed against."""
    frames = StateFrames()
    base = Base(7, frames.alone(before))
    frame = frame_of(frames.smallest(after, 7 + distance, base))
    assert frames.text(frame, base) == after
    assert frame.size == len(after)
    assert frame.base_version in (7, None)
    if distance >= KEPT_VERSIONS or len(before) > 4 * len(after):
        assert frame.base_version is None


@pytest.mark.parametrize("size", [2_000, 20_000, 200_000, 1_000_000, 9_000_000])
def test_what_is_stored_is_what_differs(size: int) -> None:
    """However far apart the same values are in the two documents of an event and in those of its base."""
    frames = StateFrames()
    values = document(size)
    base = Base(1, frames.alone(text_of(values, "first")))
    assert len(base.frame) < 0.75 * size, "the second document is what differs from the first"
    state = frames.smallest(text_of(values, "second"), 2, base)
    assert frame_of(state).base_version == 1
    assert len(state) < 150 + size / 1000


@pytest.mark.parametrize("size", [2_000, 200_000, 2_000_000])
def test_states_come_back_however_often_and_in_which_order(size: int) -> None:
    """Reads in a row, which get faster, and reads of several streams by turns."""
    frames = StateFrames()
    texts = [[text_of(document(size, seed), f"{seed} {n}") for n in range(3)] for seed in range(2)]
    bases = [Base(1, frames.alone(first)) for first, _, _ in texts]
    stored = [
        (frame_of(frames.smallest(text, 2 + n, base)), base, text)
        for (_, *later), base in zip(texts, bases, strict=True)
        for n, text in enumerate(later)
    ]
    orders = [stored[:2] * 4, stored[2:] * 4, [stored[0], stored[2]] * 3, stored, stored[:1] * 7]
    for frame, base, text in (one for order in orders for one in order):
        assert frame.base_version == 1
        assert frames.text(frame, base) == text


def test_another_document_is_stored_alone() -> None:
    """A base that has nothing to do with it saves nothing, so it becomes a base itself."""
    frames = StateFrames()
    base = Base(1, frames.alone(text_of(document(20_000), "first")))
    state = frames.smallest(text_of(document(20_000, seed=1), "second"), 2, base)
    assert frame_of(state).base_version is None


def test_a_small_state_does_not_need_a_large_base() -> None:
    """A document that has shrunk is read without decompressing what it was."""
    frames = StateFrames()
    base = Base(1, frames.alone(text_of(document(200_000), "first")))
    small = document(200_000)[:100]
    assert frame_of(frames.smallest(text_of(small, "second"), 2, base)).base_version is None
    assert frame_of(frames.smallest(text_of(document(200_000), "second"), 2, base)).base_version == 1


def test_a_wrong_base_is_noticed() -> None:
    """No base, that of another version, and another text under the same version are errors, not other values."""
    frames = StateFrames()
    base = Base(1, frames.alone(text_of(document(20_000), "first")))
    frame = frame_of(frames.smallest(text_of(document(20_000), "second"), 2, base))
    for wrong in (None, Base(3, base.frame)):
        with pytest.raises(BaseMissing, match="version 1"):
            frames.text(frame, wrong)
    with pytest.raises(zstandard.ZstdError):
        frames.text(frame, Base(1, frames.alone(text_of(document(20_000, seed=1), "first"))))


def test_seen_bases_have_a_limit_in_bytes() -> None:
    """The least recently used go; one that is larger than all is not kept."""
    seen = SeenBases()
    megabyte = b"x" * 2**20
    for number in range(40):
        seen.put(f"i-{number}", Base(1, megabyte))
        assert seen.get("i-0", 1) is not None
    kept = [number for number in range(40) if seen.newest(f"i-{number}") is not None]
    assert kept[0] == 0 and kept[1:] == list(range(41 - len(kept), 40))
    assert 4 <= len(kept) <= 8
    seen.put("huge", Base(1, megabyte * 17))
    assert seen.newest("huge") is None and seen.newest("i-39") is not None


def test_the_newest_base_of_a_stream_is_used_next() -> None:
    """Also after an older one was read again."""
    seen = SeenBases()
    for version in (50, 100, 1):
        seen.put("i", Base(version, b"frame"))
    newest = seen.newest("i")
    assert newest is not None and newest.version == 100
    assert seen.newest("j") is None


@pytest.mark.parametrize(("size", "others_are_kept"), [(1_000, True), (100_000, False)])
def test_only_the_newest_of_a_stream_s_large_bases_is_kept(size: int, others_are_kept: bool) -> None:
    """In whatever order a history is read; those of other streams stay."""
    seen = SeenBases()
    seen.put("j", Base(1, b"x" * size))
    for version in (51, 1, 151, 101):
        seen.put("i", Base(version, b"x" * size))
    kept = [version for version in (1, 51, 101) if seen.get("i", version) is not None]
    assert kept == ([1, 51, 101] if others_are_kept else [])
    assert seen.newest("i") == Base(151, b"x" * size)
    assert seen.newest("j") is not None


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "get"]), st.sampled_from("ab"), st.integers(1, 4)), min_size=8, max_size=60
    )
)
@example(
    [("put", "a", 1), ("put", "a", 2), ("get", "a", 1), ("put", "b", 1), ("put", "b", 2), ("put", "b", 3)],
)
def test_the_newest_base_is_one_of_those_remembered(steps: list[tuple[str, str, int]]) -> None:
    """Whichever of a stream's bases gave way first; and nothing is made up."""
    seen = SeenBases()
    put: set[tuple[str, int]] = set()
    for what, stream, version in steps:
        if what == "put":
            seen.put(stream, Base(version, b"x" * (2 * 2**20)))
            put.add((stream, version))
        else:
            seen.get(stream, version)
        newest = seen.newest(stream)
        assert newest is None or (stream, newest.version) in put
