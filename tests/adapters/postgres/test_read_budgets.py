"""How much of the event store is decoded at once: known before it is, and bounded however large documents are."""

import base64
import random
from collections.abc import AsyncIterator, Iterator

import pytest

from procvars.adapters.postgres.embedded import embedded_postgres
from procvars.adapters.postgres.event_rows import ReadBudget
from procvars.adapters.postgres.event_store import PostgresEventStore
from procvars.api.bootstrap.store import event_mapper
from procvars.api.settings import Settings
from procvars.commands.messages import CallIntegration
from procvars.domain.documents.values import Document
from procvars.domain.errors import ReadTooLarge
from procvars.domain.instance import VARIABLES_EVENTS
from procvars.projections.history.blame import blame
from procvars.projections.history.modifications import modifications
from tests.benchmarks.temporary_database import CALLER, Cluster, Commands, command_layer, modification, replacing

KILOBYTE = 1024
LIGHT = ReadBudget(event_bytes=64 * KILOBYTE, memory=256 * KILOBYTE, stream_memory=256 * KILOBYTE)
NOISE = random.Random(1)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with embedded_postgres(tmp_path_factory.mktemp("budgets")) as url:
        yield Cluster(url)


@pytest.fixture(params=[None, base64.b64encode(b"k" * 32).decode()], ids=["plain", "encrypted"])
async def commands(cluster: Cluster, request: pytest.FixtureRequest) -> AsyncIterator[Commands]:
    async with command_layer(cluster.new_database(), Settings(cipher_key=request.param)) as commands:
        await commands.publish_definition()
        yield commands


async def edited(commands: Commands, instance: str, version: int, document: Document) -> None:
    await commands.editing.modify(modification(instance, replacing(version, document)))


def light(commands: Commands) -> PostgresEventStore:
    """The same store in a process that takes on little."""
    store = commands.store
    return PostgresEventStore(store.pool, store.appender, event_mapper(store.settings), LIGHT)


def incompressible(size: int) -> str:
    return NOISE.randbytes(size // 2).hex()


@pytest.mark.parametrize(
    "text", [incompressible(100 * KILOBYTE), "x" * 500 * KILOBYTE], ids=["stored large", "stored small"]
)
async def test_a_large_event_is_refused_before_it_is_decoded(commands: Commands, text: str) -> None:
    """By whatever read would have to decode it, and by no other."""
    await commands.start_instance("large", {"text": text})
    await commands.start_instance("small", {"text": "x"})
    store = light(commands)
    for read in (
        store.load("large", fresh=True),
        store.event_at("large", 1),
        store.variables_at("large", 1),
        store.stream_backwards("large", before=2, topics=VARIABLES_EVENTS, limit=1),
    ):
        with pytest.raises(ReadTooLarge):
            await read
    with pytest.raises(ReadTooLarge):
        [recorded async for recorded in store.stream("large", topics=VARIABLES_EVENTS)]
    assert await store.whereabouts("large") == (CALLER.workspace, 1, False)
    assert await store.variables_at("small", 1) == {"text": "x"}
    assert await commands.store.events.variables_at("large", 1) == {"text": text}


@pytest.mark.parametrize(
    "text", [incompressible(100 * KILOBYTE), "x" * 500 * KILOBYTE], ids=["base stored large", "base stored small"]
)
async def test_what_continues_a_large_event_is_refused_too(commands: Commands, text: str) -> None:
    """Although its own state is small; what follows once the document is small is not."""
    await commands.start_instance("shrinks", {"text": text})
    await edited(commands, "shrinks", 1, {"text": text, "n": 1})
    await edited(commands, "shrinks", 2, {"n": 2})
    await edited(commands, "shrinks", 3, {"n": 3})
    for version in (1, 2, 3):
        with pytest.raises(ReadTooLarge):
            await light(commands).event_at("shrinks", version)
    assert await light(commands).variables_at("shrinks", 4) == {"n": 3}
    instance = await commands.store.events.load("shrinks", fresh=True)
    assert instance is not None and instance.variables == {"n": 3}


async def test_many_events_are_too_much_for_one_read(commands: Commands) -> None:
    """Although each of them is small."""
    await commands.start_instance("long", {"edit": 0, "text": "x" * 10 * KILOBYTE})
    for edit in range(1, 40):
        await edited(commands, "long", edit, {"edit": edit, "text": "x" * 10 * KILOBYTE})
    store = light(commands)
    with pytest.raises(ReadTooLarge):
        [recorded async for recorded in store.stream("long", topics=VARIABLES_EVENTS)]
    with pytest.raises(ReadTooLarge):
        await store.stream_backwards("long", before=41, topics=VARIABLES_EVENTS, limit=40)
    assert len(await store.stream_backwards("long", before=41, topics=VARIABLES_EVENTS, limit=5)) == 5
    instance = await store.load("long", fresh=True)
    assert instance is not None and instance.version == 40


async def test_a_page_in_commit_order_ends_before_an_event_that_is_too_large(commands: Commands) -> None:
    """The next one begins with it, which is too much for this process then."""
    await commands.start_instance("a", {"text": "x"})
    await commands.start_instance("b", {"text": "x" * 500 * KILOBYTE})
    store = light(commands)
    page = await store.after_position(0, 100)
    assert [recorded.event.originator_id for recorded in page][-1] == "a"
    with pytest.raises(ReadTooLarge):
        await store.after_position(page[-1].position, 100)


async def test_a_page_has_as_many_events_as_fit_into_memory(commands: Commands) -> None:
    """Documents that are tiny on disk and huge in memory: one by one, and none is left out."""
    huge: Document = {"rows": [{} for _ in range(300_000)]}
    for number in range(4):
        await commands.start_instance(f"huge-{number}", huge)
    found: list[str] = []
    position, pages = 0, 0
    while page := await commands.store.events.after_position(position, 100):
        assert len(page) <= 3  # the definition may be the first of them
        found += [recorded.event.originator_id for recorded in page]
        position, pages = page[-1].position, pages + 1
    assert found[1:] == [f"huge-{number}" for number in range(4)]
    assert pages > 1


async def test_all_pages_together_are_the_stream(commands: Commands) -> None:
    """Where a page ends for its bytes and not for its number; forwards, backwards, and as an instance."""
    await commands.start_instance("steps", {"edit": 0})
    for call in range(6):
        await commands.execution.call_integration(
            CallIntegration(CALLER, "steps", f"call-{call}", "bureau", incompressible(2 * KILOBYTE * KILOBYTE))
        )
    for edit in range(4):
        document: Document = {"edit": edit, "text": incompressible(2 * KILOBYTE * KILOBYTE)}
        await edited(commands, "steps", edit + 7, document)
    store = commands.store.events
    instance = await store.load("steps", fresh=True)
    assert instance is not None
    assert (instance.version, len(instance.integrations), instance.variables) == (11, 6, document)
    forwards = [recorded.event.originator_version async for recorded in store.stream("steps", topics=VARIABLES_EVENTS)]
    assert forwards == [1, 8, 9, 10, 11]
    backwards: list[int] = []
    while page := await store.stream_backwards(
        "steps", before=backwards[-1] if backwards else 12, topics=VARIABLES_EVENTS, limit=100
    ):
        assert len(page) < 5
        backwards += [recorded.event.originator_version for recorded in page]
    assert backwards == [11, 10, 9, 8, 1]


async def test_history_and_blame_do_not_decode_the_documents(commands: Commands) -> None:
    """A process that takes on little reads the changes of documents that it does not."""
    text = "x" * 300 * KILOBYTE
    await commands.start_instance("edited", {"note": 0})
    for number in range(1, 6):
        await edited(commands, "edited", number, {"note": number, "text": text if 1 < number < 5 else ""})
    store = light(commands)
    with pytest.raises(ReadTooLarge):
        await store.stream_backwards("edited", before=7, topics=VARIABLES_EVENTS, limit=1)
    found = await modifications(store, "edited", None, 2)
    assert [(one.version, len(one.patch)) for one in found[:1]] == [(6, 2)]
    assert [leaf.version for leaf in await blame(commands.store.events, "edited", None)] == [6, 6]
