"""The feed with many readers: whatever they ask, in whatever order, none is led past an event."""

import asyncio
from collections.abc import Iterator
from itertools import cycle, repeat

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from procvars.domain.errors import StoreUnavailable
from procvars.domain.events import Event, Recorded, TaskClosed
from procvars.projections.running.event_feed import EventFeed, Run
from tests.projections.story import START

EVENT = TaskClosed(
    originator_id="a", originator_version=1, timestamp=START, workspace="w", user="u", user_name="u", task_id="t"
)
ANY_POSITION = st.integers(0, 60) | st.just(2**62)


class Log:
    """An event store whose reads take a while, in which others go on. Positions have gaps, as after refused appends."""

    def __init__(self) -> None:
        self.events: list[Recorded[Event]] = []
        self.reads = 0
        self.away = False
        self.delays: Iterator[tuple[int, int]] = repeat((0, 1))
        """How many turns of the loop a read takes before it sees the store, and until it brings what it saw."""

    def append(self, gap: int, memory: int) -> None:
        last = self.events[-1].position if self.events else 0
        self.events.append(Recorded(last + gap, EVENT, memory))

    async def after_position(self, position: int, limit: int) -> list[Recorded[Event]]:
        self.reads += 1
        if self.away:
            raise StoreUnavailable()
        before, after = next(self.delays)
        await turns(before)
        found = [one for one in self.events if one.position > position][:limit]
        await turns(after)
        return found

    @property
    def last(self) -> int:
        return self.events[-1].position if self.events else 0


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def check(run: Run, log: Log, position: int) -> None:
    """The run is exactly what the store has between its ends, and begins where the reader stands."""
    assert run.after == position
    assert list(run.events) == [one for one in log.events if position < one.position <= run.until]


class Readers(RuleBasedStateMachine):
    """Readers at random places who read on at once, while events are appended and strangers ask for anything."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.log = Log()
        self.feed = EventFeed(self.log, window_memory=20)
        self.positions = [0, 0, 0]

    @rule(gaps=st.lists(st.integers(1, 4), min_size=1, max_size=8), memory=st.sampled_from([1, 4, 30]))
    def append(self, gaps: list[int], memory: int) -> None:
        for gap in gaps:
            self.log.append(gap, memory)

    @rule(
        readers=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.integers(0, 6)), min_size=1, max_size=6),
        strangers=st.lists(st.tuples(ANY_POSITION, st.integers(0, 6)), max_size=4),
        appended=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), max_size=4),
        delays=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=5),
        lettings_go=st.lists(st.integers(0, 6), max_size=2),
    )
    def read_on(
        self,
        readers: list[tuple[int, int, int]],
        strangers: list[tuple[int, int]],
        appended: list[tuple[int, int]],
        delays: list[tuple[int, int]],
        lettings_go: list[int],
    ) -> None:
        """Each reader reads on from where it stands, however long the reads take and whatever happens meanwhile."""
        self.log.delays = cycle(delays)
        behind = self.log.last

        async def read(position: int, limit: int, start: int) -> Run:
            await turns(start)
            return await self.feed.after(position, limit)

        async def append(start: int, gap: int) -> None:
            await turns(start)
            self.log.append(gap, 1)

        async def let_go(start: int) -> None:
            await turns(start)
            self.feed.let_go()

        async def all_at_once() -> tuple[list[Run], list[Run]]:
            following = [read(self.positions[reader], limit, start) for reader, limit, start in readers]
            asking = [read(position, 3, start) for position, start in strangers]
            others = [append(start, gap) for start, gap in appended]
            others += [let_go(start) for start in lettings_go]
            found = await asyncio.gather(*following, *asking, *others)
            runs = [run for run in found if run is not None]
            return runs[: len(readers)], runs[len(readers) :]

        followed, asked = self.loop.run_until_complete(all_at_once())
        for (position, _), run in zip(strangers, asked, strict=True):
            check(run, self.log, position)
        places = [self.positions[reader] for reader, _, _ in readers]
        for (reader, _, _), position, run in zip(readers, places, followed, strict=True):
            check(run, self.log, position)
            assert run.events or position >= behind, "a reader that is behind gets something"
            self.positions[reader] = max(self.positions[reader], run.until)

    @rule()
    def a_new_reader(self) -> None:
        self.positions.append(0)
        self.positions.pop(0)

    def teardown(self) -> None:
        self.loop.close()

    @invariant()
    def nobody_is_ahead_of_the_store(self) -> None:
        assert max(self.positions) <= self.log.last


Readers.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestReaders = Readers.TestCase


def log_of(count: int, memory: int = 1) -> Log:
    log = Log()
    for _ in range(count):
        log.append(1, memory)
    return log


async def test_a_reader_that_waited_is_not_led_past_events() -> None:
    """The reader behind asks while the one ahead of it moves the window."""
    log = log_of(600)
    feed = EventFeed(log)
    ahead, behind = await asyncio.gather(feed.after(591), feed.after(588))
    assert [one.position for one in ahead.events] == list(range(592, 601))
    assert [one.position for one in behind.events] == list(range(589, 601))


async def test_a_reader_ahead_of_the_store_changes_nothing_for_others() -> None:
    """Whoever follows is served from the window afterwards as before."""
    log = log_of(10)
    feed = EventFeed(log)
    await feed.after(0)
    assert (await feed.after(2**62)).events == []
    reads = log.reads
    assert [one.position for one in (await feed.after(3)).events] == list(range(4, 11))
    assert log.reads == reads


async def test_readers_that_are_up_to_date_share_one_read() -> None:
    """Five projections cost the database one query a page."""
    log = log_of(10)
    feed = EventFeed(log)
    runs = await asyncio.gather(*(feed.after(0) for _ in range(5)))
    assert log.reads == 1 and all(run.until == 10 for run in runs)


async def test_the_window_has_a_budget_of_bytes() -> None:
    """Large events leave it sooner than small ones."""
    log = log_of(1000, memory=100)
    feed = EventFeed(log, window_memory=5_000)
    position = 0
    while (run := await feed.after(position)).events:
        position = run.until
    reads = log.reads
    assert (await feed.after(950)).until == 1000 and log.reads == reads
    assert (await feed.after(949)).after == 949 and log.reads == reads + 1


async def test_a_window_that_one_page_has_made_too_large_is_let_go() -> None:
    """One within its budget is not; and whoever has not read it yet reads it from the store."""
    log = log_of(3)
    feed = EventFeed(log, window_memory=10)
    await feed.after(0)
    assert not feed.let_go()
    log.append(1, 1000)
    await feed.after(3)
    assert feed.let_go()
    assert not feed.let_go()
    reads = log.reads
    check(await feed.after(3), log, 3)
    check(await feed.after(0), log, 0)
    assert log.reads == reads + 2


async def test_an_announcement_wakes_those_who_asked_before_it() -> None:
    """Who takes the news before reading misses none; it is not news any more for who asks afterwards."""
    feed = EventFeed(Log())
    before = feed.next_append()
    feed.announce()
    assert before.is_set()
    assert not feed.next_append().is_set()


async def test_a_store_that_is_away_is_no_end_of_the_feed() -> None:
    """The reader hears of it, no other waits for ever, and the next read goes on where it was."""
    log = log_of(3)
    feed = EventFeed(log)
    log.away = True
    results = await asyncio.gather(*(feed.after(0) for _ in range(3)), return_exceptions=True)
    assert {type(result) for result in results} == {StoreUnavailable}
    log.away = False
    check(await feed.after(0), log, 0)


async def test_a_reader_that_gives_up_holds_up_nobody() -> None:
    """Cancelled in the middle of its read, as a projection is that stops."""
    log = log_of(3)
    log.delays = cycle([(5, 5)])
    feed = EventFeed(log)
    given_up = asyncio.create_task(feed.after(0))
    await asyncio.sleep(0)
    other = asyncio.create_task(feed.after(0))
    await asyncio.sleep(0)
    given_up.cancel()
    check(await other, log, 0)


async def test_a_run_is_as_long_as_was_asked_for() -> None:
    """From the window and from the store alike; the rest comes next."""
    log = log_of(20)
    feed = EventFeed(log)
    for position, until in ((0, 7), (7, 14), (14, 20)):
        assert (await feed.after(position, 7)).until == until
    assert log.reads == 1


def test_runs_that_do_not_meet_are_never_joined() -> None:
    """Not even by a caller who thinks that they do."""
    events = log_of(9).events
    first, gap = Run(0, events[:3]), Run(4, events[4:])
    with pytest.raises(ValueError, match="does not follow"):
        first.followed_by(gap)
    with pytest.raises(ValueError, match="is not in the run"):
        first.behind(4, 10)
    assert first.followed_by(Run(3, events[3:])).until == 9
