"""What is Elasticsearch's own: its indices and alias, terms that have a limit, and whose fault a refusal is."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from elasticsearch import AsyncElasticsearch, BadRequestError
from hypothesis import given
from hypothesis import strategies as st

from procvars.adapters.elasticsearch.connection import client
from procvars.adapters.elasticsearch.errors import TooManySearchKeys
from procvars.adapters.elasticsearch.fields import SEGMENT, sortable
from procvars.adapters.elasticsearch.search import ElasticsearchSearch
from procvars.domain.definition import SearchType
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidArgument, SearchUnavailable
from procvars.projections.projection import Connection
from procvars.projections.running.transient_errors import passes_by_itself
from procvars.projections.search.conditions import typed
from procvars.projections.search.document import SearchDocument
from procvars.projections.search.store import KeyCondition, Search
from procvars.projections.search.words import searched_words
from procvars.projections.search_index import SearchIndex
from tests.big_integers import big_integer
from tests.contracts.search_contract import document
from tests.projections.story import Story, begin, feed
from tests.services.free_port import free_port
from tests.services.service import Service

NAME = "procvars-instances-1"


@dataclass(frozen=True)
class Stored:
    """The published generation 1, still without an index."""

    store: ElasticsearchSearch
    elasticsearch: AsyncElasticsearch
    connection: Connection

    async def write(self, *documents: SearchDocument, generation: int = 1) -> None:
        async with self.connection.transaction():
            await self.store.write(self.connection, generation, documents)

    async def find(self, **asked: Any) -> list[str]:
        search = Search("demo", (), None, None, [], [], None, None, None, 100)
        return [hit.instance_id for hit in await self.store.find(self.connection, replace(search, **asked))]

    async def matching(self, search_type: SearchType, value: Json) -> list[str]:
        await self.elasticsearch.indices.refresh(index="procvars-instances-*")
        return sorted(await self.find(conditions=typed(KeyCondition("k", value), {search_type})))

    async def aliased(self) -> list[str]:
        """The indices that the alias leads to."""
        return list((await self.elasticsearch.indices.get_alias(name="procvars-instances")).body)


@pytest.fixture
async def elasticsearch(elasticsearch_node: Service) -> AsyncIterator[AsyncElasticsearch]:
    async with client(elasticsearch_node.address, api_key=None) as connected:
        for left in (await connected.indices.get_alias(index="procvars-instances-*")).body:
            await connected.indices.delete(index=left)
        yield connected


@pytest.fixture
async def stored(connection: Connection, elasticsearch: AsyncElasticsearch) -> Stored:
    schema = f"s{uuid4().hex}"
    store = ElasticsearchSearch(elasticsearch)
    async with connection.transaction():
        await connection.execute(f"CREATE SCHEMA {schema}; SET search_path TO {schema}")
        await store.generations.create(connection, 1)
        await store.generations.publish(connection, 1)
    return Stored(store, elasticsearch, connection)


def valued(instance_id: str, value: Json, search_type: SearchType = "keyword", **fields: Any) -> SearchDocument:
    return document(instance_id, data={"k": value}, types={"k": search_type}, **fields)


async def test_an_index_is_made_by_its_first_write(stored: Stored) -> None:
    """Until then nothing is found, nothing is read, and Elasticsearch is not touched; then the alias leads to it."""
    assert await stored.find() == []
    assert await stored.store.read(stored.connection, 1, ["i1"]) == {}
    assert not await stored.elasticsearch.indices.exists(index=NAME)
    await stored.write(document("i1"))
    assert await stored.aliased() == [NAME]


async def test_what_a_rollback_left_is_made_anew(stored: Stored) -> None:
    """Documents of a transaction that made the index and was rolled back are gone with the next write."""
    with pytest.raises(ZeroDivisionError):
        async with stored.connection.transaction():
            await stored.store.write(stored.connection, 1, [document("i1")])
            raise ZeroDivisionError
    await stored.write(document("i2"))
    assert await stored.store.generations.stream_ids(stored.connection, 1, after="", limit=10) == ["i2"]


async def test_a_rollback_does_not_hide_a_newer_definition(
    connection: Connection, elasticsearch: AsyncElasticsearch
) -> None:
    """What was derived in a transaction that was rolled back is derived by the definition that came meanwhile, although
    its version is there already. As it happens where events keep their order only within a stream.
    """
    story = Story()
    store = ElasticsearchSearch(elasticsearch)
    projection = SearchIndex(story, store)
    await begin(connection, projection)
    story.publish("card")
    story.start("c1", definition="card")
    await feed(connection, projection, story.events)
    story.publish(search={"old": ("number", "$.x")})
    story.start("i1", {"x": 1})
    *_, first, started = story.events
    with pytest.raises(ZeroDivisionError):
        async with connection.transaction():
            await projection.apply(connection, 1, [started])
            raise ZeroDivisionError
    story.publish(search={"new": ("number", "$.x")})
    story.start("i2", {"x": 2})
    *_, second, other = story.events
    await feed(connection, projection, [started, other, first, second], batch=1)
    found = await store.read(connection, 1, ["i1", "i2"])
    assert [found[name].data for name in ("i1", "i2")] == [{"new": 1}, {"new": 2}]


async def test_a_rollback_does_not_hide_what_changed_there_and_back(
    connection: Connection, elasticsearch: AsyncElasticsearch
) -> None:
    """What was derived by a definition in a transaction that was rolled back is derived anew, although the one that counts
    by then has the keys of the one before it.
    """
    story = Story()
    store = ElasticsearchSearch(elasticsearch)
    projection = SearchIndex(story, store)
    await begin(connection, projection)
    story.publish(search={"x": ("number", "$.x")})
    story.start("i1", {"x": 1, "y": 2})
    await feed(connection, projection, story.events)
    story.publish(search={"y": ("number", "$.y")})
    with pytest.raises(ZeroDivisionError):
        async with connection.transaction():
            await projection.apply(connection, 1, story.events[-1:])
            raise ZeroDivisionError
    assert (await store.read(connection, 1, ["i1"]))["i1"].data == {"y": 2}
    story.publish(search={"x": ("number", "$.x")})
    await feed(connection, projection, story.events[-2:])
    assert (await store.read(connection, 1, ["i1"]))["i1"].data == {"x": 1}


async def test_a_swap_leaves_one_published_index(stored: Stored) -> None:
    """The alias moves, may be moved again, and the old generation can be dropped twice."""
    await stored.write(document("old"))
    generations = stored.store.generations
    async with stored.connection.transaction():
        await generations.create(stored.connection, 2)
    await stored.write(document("new"), generation=2)
    assert await stored.aliased() == [NAME]
    for _ in range(2):
        await generations.publish(stored.connection, 2)
        assert await stored.aliased() == ["procvars-instances-2"]
    assert await generations.numbers(stored.connection) == {1, 2}
    for _ in range(2):
        await generations.drop(stored.connection, 1)
        assert await generations.numbers(stored.connection) == {2}


async def test_a_search_before_the_commit_of_a_swap_is_answered(stored: Stored) -> None:
    """Where the old index is gone already and the database does not say so yet, the alias leads to the new one."""
    await stored.write(document("old"))
    generations = stored.store.generations
    await generations.create(stored.connection, 2)
    await stored.write(document("new"), generation=2)
    with pytest.raises(ZeroDivisionError):
        async with stored.connection.transaction():
            await generations.publish(stored.connection, 2)
            await generations.drop(stored.connection, 1)
            raise ZeroDivisionError
    await stored.elasticsearch.indices.refresh(index="procvars-instances-2")
    assert await stored.find() == ["new"]


async def test_leftovers_of_killed_rebuilds_are_counted(stored: Stored) -> None:
    """An index that the database knows nothing of, and a generation that has no index yet."""
    await stored.elasticsearch.indices.create(index="procvars-instances-8")
    await stored.store.generations.create(stored.connection, 7)
    assert await stored.store.generations.numbers(stored.connection) == {1, 7, 8}


async def test_numbers_before_the_first_generation(connection: Connection, elasticsearch: AsyncElasticsearch) -> None:
    """A database whose search was never in Elasticsearch has none, and dropping one is no error."""
    schema = f"s{uuid4().hex}"
    await connection.execute(f"CREATE SCHEMA {schema}; SET search_path TO {schema}")
    generations = ElasticsearchSearch(elasticsearch).generations
    await generations.drop(connection, 1)
    assert await generations.numbers(connection) == set()
    with pytest.raises(SearchUnavailable, match="procvars projections rebuild search_index"):
        await generations.index(connection, 1)


async def test_contents_tell_documents_apart(stored: Stored) -> None:
    """Equal for equal documents, whatever was written in between, and different where anything differs."""
    await stored.write(valued("a", 1, "number"), valued("b", 1, "number", title="B"))
    contents = stored.store.generations.contents
    before = await contents(stored.connection, 1, ["a", "b", "none"])
    assert before.keys() == {"a", "b"}
    await stored.write(valued("a", 1.0, "number", version=2), valued("b", 1, "number", title="C"))
    after = await contents(stored.connection, 1, ["a", "b"])
    assert after["a"] != before["a"] and after["b"] != before["b"]
    await stored.write(valued("b", 1, "number", title="B"))
    assert (await contents(stored.connection, 1, ["b"]))["b"] == before["b"]


async def test_a_lost_index_is_nobodys_empty_result(stored: Stored) -> None:
    """Reading, writing and searching wait for a rebuild, and no index is made behind its back."""
    await stored.write(document("i1"))
    await stored.elasticsearch.indices.delete(index=NAME)
    for work in (
        stored.store.read(stored.connection, 1, ["i1"]),
        stored.store.ids(stored.connection, 1, "demo", "loan", limit=1),
        stored.find(),
    ):
        with pytest.raises(SearchUnavailable, match="no such index"):
            await work
    assert not await stored.elasticsearch.indices.exists(index=NAME)


async def test_a_block_on_writes_passes_by_itself(stored: Stored) -> None:
    """As a full disk makes one: it is not the documents' fault."""
    await stored.write(document("i1"))
    await stored.elasticsearch.indices.add_block(index=NAME, block="write")
    with pytest.raises(SearchUnavailable, match="cluster_block_exception") as refused:
        await stored.write(document("i2"))
    assert passes_by_itself(refused.value)


async def test_a_document_of_very_many_values_is_no_trouble(stored: Stored) -> None:
    """More than Elasticsearch takes of one document: it is searched by the first of them."""
    too_much: Json = [f"a{n} b" for n in range(100_001)]
    await stored.write(document("i1"), valued("i2", too_much, "text"), document("i3"))
    found = await stored.elasticsearch.mget(index=NAME, ids=["i1", "i2", "i3"])
    assert [item["found"] for item in found["docs"]] == [True, True, True]


async def test_more_keys_than_fields_are_refused(stored: Stored) -> None:
    """With a word about what helps; the index itself stays as it is."""
    await stored.write(valued("i1", "v"))
    keys = [f"k{n}" for n in range(5_000)]
    many = document("i2", data=dict.fromkeys(keys, "v"), types=dict.fromkeys(keys, "keyword"))
    with pytest.raises(TooManySearchKeys, match=r"10000.*rebuild"):
        await stored.write(many)
    assert await stored.matching("keyword", "v") == ["i1"]


async def test_trouble_on_the_way_is_named(connection: Connection, stored: Stored) -> None:
    """Nobody listens there: the error passes by itself and tells no secrets of the URL."""
    async with client(f"http://ada:secret@127.0.0.1:{free_port()}", api_key=None) as nowhere:
        with pytest.raises(SearchUnavailable, match="cannot be reached") as refused:
            await ElasticsearchSearch(nowhere).write(connection, 1, [document("i1")])
    assert passes_by_itself(refused.value) and "secret" not in str(refused.value)


async def test_a_bulk_of_many_megabytes_arrives(stored: Stored) -> None:
    """In several requests."""
    many = [valued(f"i{n}", "x" * 2**21) for n in range(12)]
    await stored.write(*many)
    assert len(await stored.store.read(stored.connection, 1, [one.instance_id for one in many])) == 12


async def test_keywords_around_the_limits_of_a_term(stored: Stored) -> None:
    """Each length is found by its whole text and by all of its prefixes, and by nothing that only begins alike."""
    lengths = [SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT - 1, 2 * SEGMENT, 2 * SEGMENT + 1]
    text = "".join(chr(0x10000 + n % 1000) for n in range(2 * SEGMENT + 2))
    await stored.write(*(valued(str(length), text[:length]) for length in lengths))
    for length in lengths:
        assert await stored.matching("keyword", text[:length]) == [str(length)]
        longer = sorted(str(other) for other in lengths if other >= length)
        assert await stored.matching("keyword", {"prefix": text[:length]}) == longer
        assert await stored.matching("keyword", {"prefix": text[: length - 1] + "x"}) == []


async def test_numbers_on_both_sides_of_the_limit_of_doubles(stored: Stored) -> None:
    """Ranges go through 2^53 without a gap, and the stricter of two bounds counts."""
    edge = 2**53
    values: dict[str, Json] = {
        "a": -edge - 1, "b": -edge, "c": 1 - edge, "d": -0.0, "e": edge - 1, "f": edge, "g": edge + 1, "h": 1e300
    }  # fmt: skip
    await stored.write(*(valued(name, value, "number") for name, value in values.items()))
    matching = stored.matching
    assert await matching("number", 0) == ["d"]
    assert await matching("number", {"gt": -edge, "lt": edge}) == ["c", "d", "e"]
    assert await matching("number", {"gte": -edge, "lte": edge}) == ["b", "c", "d", "e", "f"]
    assert await matching("number", {"gt": edge}) == ["g", "h"]
    assert await matching("number", {"lte": -edge}) == ["a", "b"]
    assert await matching("number", {"lt": 5}) == ["a", "b", "c", "d"]
    assert await matching("number", {"gte": edge - 1, "gt": edge - 1}) == ["f", "g", "h"]
    assert await matching("number", {"lte": edge, "lt": edge + 1}) == ["a", "b", "c", "d", "e", "f"]
    assert await matching("number", {"gt": big_integer(-(10**400)), "lt": big_integer(10**400)}) == list(values)
    assert await matching("number", {"gt": 5, "lt": 1}) == []


# Few digits and few sizes: many pairs begin alike.
large = st.builds(lambda digits, zeros: Decimal(digits * 10**zeros), st.integers(1, 999), st.integers(16, 19))
numbers = st.builds(Decimal.__mul__, large, st.sampled_from([Decimal(1), Decimal(-1)]))


@given(numbers, numbers)
def test_terms_of_large_numbers_sort_like_the_numbers(one: Decimal, other: Decimal) -> None:
    """Equal numbers have one term, however they are written."""
    terms = sortable("k", one), sortable("k", other)
    assert (terms[0] < terms[1]) == (one < other)
    assert (terms[0] == terms[1]) == (one == other)


async def test_a_keyword_is_also_indexed_without_case(stored: Stored) -> None:
    """For those who ask Elasticsearch themselves."""
    await stored.write(valued("i1", "Zürich"))
    await stored.elasticsearch.indices.refresh(index=NAME)
    found = await stored.elasticsearch.search(
        index="procvars-instances", query={"term": {"keyword.k.folded": "ZÜRICH"}}
    )
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["i1"]


async def test_an_index_takes_no_field_that_is_not_in_its_mapping(stored: Stored) -> None:
    """Nothing is guessed from a value."""
    await stored.write(document("i1"))
    for source in ({"stranger": 1}, {"keyword": {"stranger": "v"}}):
        with pytest.raises(BadRequestError, match="strict_dynamic_mapping_exception"):
            await stored.elasticsearch.index(index=NAME, document=source)


async def test_a_search_for_too_much_is_refused(stored: Stored) -> None:
    """Too many definitions: as an argument that cannot be, not as a mistake of the server; 500 words are possible."""
    await stored.write(document("i1"))
    assert await stored.find(words=searched_words(" ".join(f"w{n}" for n in range(500)))) == []
    with pytest.raises(InvalidArgument, match="65536"):
        await stored.find(definitions=[f"d{n}" for n in range(65_537)])
