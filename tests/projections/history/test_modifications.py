"""The history of modifications: what it lists, and that its patches are the whole story."""

from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import same
from procvars.domain.documents.values import Document
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.history.modifications import Modification, modifications
from tests.projections.history.builders import INSTANCE, ListedStreams, Stream, minute
from tests.projections.history.documents import DOCUMENTS


async def history_of(stream: Stream, before_version: int | None = None, limit: int = 100) -> list[Modification]:
    return await modifications(ListedStreams(stream), INSTANCE, before_version, limit)


async def test_an_edit_says_who_why_when_and_how() -> None:
    """An operator's modification is listed with everything an auditor asks for."""
    stream = Stream({"amount": 1}).modify({"amount": 2}, reason="typing error", kind="bulk")
    assert (await history_of(stream))[0] == Modification(
        version=2,
        time=minute(2),
        user="ada",
        user_name="Ada L.",
        reason="typing error",
        patch=[{"op": "replace", "path": "/amount", "value": 2}],
        origin="operator",
        kind="bulk",
        event="ProcessVariablesModified",
        bulk_id="bulk-7",
        lost_modifications=None,
    )


async def test_the_start_adds_the_whole_document() -> None:
    """The oldest item makes the document out of nothing, so that replay needs nothing else."""
    (start,) = await history_of(Stream({"amount": 1}))
    assert start.patch == [{"op": "add", "path": "", "value": {"amount": 1}}]
    assert (start.version, start.origin, start.kind, start.reason) == (1, "engine", None, None)


async def test_the_engines_writes_are_listed_as_the_engines() -> None:
    """What the engine wrote is in the history too, told apart by its origin."""
    items = await history_of(Stream({}).write({"score": 7}))
    assert [(item.version, item.event, item.origin) for item in items] == [
        (2, "VariablesWritten", "engine"),
        (1, "InstanceStarted", "engine"),
    ]


async def test_a_reset_names_the_modifications_that_it_undid() -> None:
    """After a navigation back the auditor sees which edits were lost."""
    stream = Stream({"a": 1}).keep("review").modify({"a": 2}).go_back("review", 2, {"a": 1}, [3])
    newest = (await history_of(stream))[0]
    assert (newest.event, newest.origin, newest.lost_modifications) == ("NavigatedBack", "engine", [3])


async def test_events_that_leave_the_variables_alone_are_left_out() -> None:
    """Status changes, snapshots and a navigation that keeps the data modify nothing."""
    stream = Stream({"a": 1}).keep("review").become(InstanceStatus.ON_HOLD).go_back("review", 2, None, [])
    assert [item.version for item in await history_of(stream)] == [1]


async def test_pages_follow_each_other_without_gap_or_repetition() -> None:
    """The last version of a page is where the next one goes on, whatever is left out in between."""
    stream = Stream({"n": 0}).keep("review")
    for n in range(1, 8):
        stream.modify({"n": n}).go_back("review", 2, None, [])
    pages, before = [], None
    while page := await history_of(stream, before, 3):
        pages.append([item.version for item in page])
        before = page[-1].version
    assert pages == [[15, 13, 11], [9, 7, 5], [3, 1]]


async def test_an_unknown_instance_has_no_history() -> None:
    """Whether the instance exists is for the caller to say."""
    assert await modifications(ListedStreams(Stream({})), "another", None, 10) == []


@given(st.lists(DOCUMENTS, min_size=1, max_size=6))
async def test_replaying_the_patches_gives_every_version(documents: list[Document]) -> None:
    """The patches alone, from nothing, give the exact document of each version."""
    stream = Stream(documents[0])
    for number, document in enumerate(documents[1:]):
        stream.write(document) if number % 2 else stream.modify(document)
    replayed: Document = {}
    for item in reversed(await history_of(stream)):
        replayed = json_patch.apply(replayed, item.patch)
        assert same(replayed, documents[item.version - 1])
