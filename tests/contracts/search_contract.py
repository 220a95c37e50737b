"""What every search store has to do: the test of an adapter subclasses `SearchContract` with a fixture `store`."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from procvars.domain.definition import SearchType
from procvars.domain.documents.documents import decode, encode
from procvars.domain.documents.values import Json
from procvars.projections.projection import Connection
from procvars.projections.search.conditions import typed
from procvars.projections.search.document import SearchDocument
from procvars.projections.search.store import IdOrTitle, KeyCondition, Search, SearchHit, SearchStore, TitleTest
from procvars.projections.search.types import Operator
from procvars.projections.search.words import folded, searched_words
from tests.big_integers import big_integer

START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Index:
    """A store with an empty published generation 1, to which the tests write."""

    store: SearchStore
    connection: Connection
    refresh: Callable[[], Awaitable[object]]
    """Lets searches find what was written by now."""

    async def write(self, *documents: SearchDocument, generation: int = 1) -> None:
        async with self.connection.transaction():
            await self.store.write(self.connection, generation, documents)

    async def write_values(self, search_type: SearchType, values: dict[str, Json], key: str = "k") -> None:
        """An instance for each value."""
        await self.write(
            *(document(name, data={key: value}, types={key: search_type}) for name, value in values.items())
        )

    async def find(
        self,
        keys: dict[str, Json] | None = None,
        types: dict[str, set[SearchType]] | None = None,
        text: str | None = None,
        **filters: Any,
    ) -> list[SearchHit]:
        asked = Search(
            workspace="demo",
            conditions=tuple(
                condition
                for key, value in (keys or {}).items()
                for condition in typed(KeyCondition(key, value), (types or {})[key])
            ),
            words=None if text is None else searched_words(text),
            title=None,
            definitions=[],
            statuses=[],
            started_after=None,
            started_before=None,
            last=None,
            count=100,
        )
        await self.refresh()
        return await self.store.find(self.connection, replace(asked, **filters))

    async def ids(self, *arguments: Any, **filters: Any) -> list[str]:
        return [hit.instance_id for hit in await self.find(*arguments, **filters)]

    async def matching(self, search_type: SearchType, value: Json, key: str = "k") -> list[str]:
        return sorted(await self.ids({key: value}, {key: {search_type}}))


def document(instance_id: str, **fields: Any) -> SearchDocument:
    values: dict[str, Any] = {
        "workspace": "demo",
        "definition": "loan",
        "title": "A loan",
        "status": "STARTED",
        "started_at": START,
        "updated_at": START,
        "version": 1,
    }
    return SearchDocument(instance_id, **(values | fields))


class SearchContract:
    @pytest.fixture
    def refresh(self, store: SearchStore) -> Callable[[], Awaitable[object]]:
        """For a store whose searches find at once what was written."""
        return partial(asyncio.sleep, 0)

    @pytest.fixture
    async def index(
        self, connection: Connection, store: SearchStore, refresh: Callable[[], Awaitable[object]]
    ) -> Index:
        schema = f"s{uuid4().hex}"
        async with connection.transaction():
            await connection.execute(f"CREATE SCHEMA {schema}; SET search_path TO {schema}")
            await store.generations.create(connection, 1)
            await store.generations.publish(connection, 1)
        return Index(store, connection, refresh)

    async def test_a_document_is_read_as_it_was_written(self, index: Index) -> None:
        """Numbers of any size, NUL and the types of the keys come back."""
        written = document(
            "i1",
            data={"big": big_integer(2**70), "one": 1.0, "text": "a\0b", "list": [1, 2]},
            types={"big": "number", "one": "number", "text": "keyword", "list": "number"},
            version=7,
            updated_at=START + timedelta(microseconds=1),
        )
        await index.write(written)
        assert await index.store.read(index.connection, 1, ["i1", "none"]) == {"i1": written}

    async def test_a_lower_version_never_overwrites(self, index: Index) -> None:
        """Neither the document nor what it is found by goes back; the same version written again replaces."""
        types: dict[str, SearchType] = {"k": "keyword"}
        await index.write(document("i1", version=5, data={"k": "new"}, types=types))
        await index.write(document("i1", version=4, data={"k": "old"}, types=types, status="FINISHED"))
        assert await index.matching("keyword", "new") == ["i1"]
        assert await index.matching("keyword", "old") == []
        (hit,) = await index.find()
        assert (hit.version, hit.status) == (5, "STARTED")
        await index.write(document("i1", version=5, data={"k": "derived anew"}, types=types))
        assert await index.matching("keyword", "derived anew") == ["i1"]
        assert await index.matching("keyword", "new") == []

    async def test_the_type_of_a_key_may_change(self, index: Index) -> None:
        """The same value under another type is found by that type's conditions, and only by them."""
        await index.write(document("i1", data={"k": 7}, types={"k": "number"}))
        await index.write(document("i1", data={"k": 7}, types={"k": "keyword"}))
        assert await index.matching("keyword", "7") == ["i1"]
        assert await index.matching("number", 7) == []

    async def test_a_hit_has_the_exact_data(self, index: Index) -> None:
        """The JSON text of a hit is that of the values, not what an engine made of them."""
        data: dict[str, Json] = {"big": big_integer(2**70), "one": 1.0, "nul": "\0"}
        await index.write(
            document("i1", data=data, types={"big": "number", "one": "number", "nul": "keyword"}, version=3)
        )
        assert await index.find() == [
            SearchHit(
                "i1",
                "loan",
                "A loan",
                "STARTED",
                START,
                START,
                3,
                encode(data).decode(),  # type: ignore[arg-type]
            )
        ]

    async def test_an_instance_is_found_by_its_id_or_a_part_of_its_title(self, index: Index) -> None:
        """The id whole and exactly, the title without regard to case and accents; wildcards are characters like others."""
        await index.write(
            document("loan-1", title="Crédit 100%"),
            document("loan-10", title="of loan-1"),
            document("c", title="\0"),
        )
        for text, expected in {
            "loan-1": ["loan-1", "loan-10"],
            "loan-10": ["loan-10"],
            "LOAN-1": ["loan-10"],
            "credit": ["loan-1"],
            "0%": ["loan-1"],
            "loan*": [],
            "\0": ["c"],
        }.items():
            assert sorted(await index.ids(id_or_title=IdOrTitle(text, folded(text)))) == expected, text

    async def test_a_keyword_is_matched_exactly(self, index: Index) -> None:
        """As typed: case, blanks and wildcards count; a number or truth value by its JSON text."""
        values: dict[str, Json] = {"a": "Ab c", "b": "ab c", "c": "100%", "d": 42, "e": True, "f": "a\0", "g": 1.0}
        await index.write_values("keyword", values)
        assert await index.matching("keyword", "Ab c") == ["a"]
        assert await index.matching("keyword", "Ab") == []
        assert await index.matching("keyword", "100_") == []
        assert await index.matching("keyword", "42") == await index.matching("keyword", 42) == ["d"]
        assert await index.matching("keyword", True) == ["e"]
        assert await index.matching("keyword", "a\0") == ["f"]
        assert await index.matching("keyword", 1) == []

    async def test_a_keyword_is_matched_by_prefix(self, index: Index) -> None:
        """What a prefix has of wildcards stands for itself."""
        await index.write_values("keyword", {"a": "ab%c", "b": "abxc", "c": "ab_c", "d": "ab\\c", "e": "Ab%c"})
        assert await index.matching("keyword", {"prefix": "ab"}) == ["a", "b", "c", "d"]
        assert await index.matching("keyword", {"prefix": "ab%"}) == ["a"]
        assert await index.matching("keyword", {"prefix": "ab_"}) == ["c"]
        assert await index.matching("keyword", {"prefix": "ab\\"}) == ["d"]

    async def test_a_keyword_may_have_any_length(self, index: Index) -> None:
        """The last character of a megabyte counts."""
        long = "é" * 1_000_000
        await index.write_values("keyword", {"a": long + "a", "b": long + "b"})
        assert await index.matching("keyword", long + "b") == ["b"]
        assert await index.matching("keyword", {"prefix": "é" * 500}) == ["a", "b"]

    async def test_numbers_are_compared_as_numbers(self, index: Index) -> None:
        """1 and 1.0 are the same number here, and neighbours beyond the precision of a double are two."""
        big, larger = big_integer(2**64), big_integer(2**64 + 1)
        await index.write_values("number", {"a": 1, "b": 1.0, "c": 1.5, "d": big, "e": larger, "f": -3})
        assert await index.matching("number", 1) == ["a", "b"]
        assert await index.matching("number", larger) == ["e"]
        assert await index.matching("number", {"gt": big}) == ["e"]
        assert await index.matching("number", {"gte": big}) == ["d", "e"]
        assert await index.matching("number", {"gt": -3, "lt": 1.5}) == ["a", "b"]
        assert await index.matching("number", {"lte": -3}) == ["f"]

    async def test_numbers_may_be_of_any_size(self, index: Index) -> None:
        """The longest integer and the outermost doubles are found, and in their order."""
        huge, smaller = big_integer(10**4299), big_integer(10**4299 - 1)
        low = big_integer(-(10**400))
        await index.write_values("number", {"a": huge, "b": smaller, "c": 1e308, "d": low, "e": 5e-324})
        assert await index.matching("number", huge) == ["a"]
        assert await index.matching("number", {"gt": 1e308}) == ["a", "b"]
        assert await index.matching("number", {"lt": huge, "gt": 1e308}) == ["b"]
        assert await index.matching("number", {"lt": -1e308}) == ["d"]
        assert await index.matching("number", {"gt": 0, "lt": 1}) == ["e"]

    async def test_numbers_are_compared_as_decimals(self, index: Index) -> None:
        """Neighbours that are one double are told apart, and one number is found however it is written."""
        written = {
            "a": "0.083333333333333333333", "b": "0.083333333333333333334", "c": "0.08333333333333333", "d": "1.10", "e": "1.1",
            "f": "-0.083333333333333333333", "g": "1e-9999", "h": "0e5", "i": "-0", "j": "1E2", "k": "100.00", "l": "9e9999",
        }  # fmt: skip
        values = {name: decode(literal) for name, literal in written.items()}
        await index.write_values("number", values)
        assert await index.matching("number", values["a"]) == ["a"]
        assert await index.matching("number", values["e"]) == ["d", "e"]
        assert await index.matching("number", 0) == ["h", "i"]
        assert await index.matching("number", 100) == ["j", "k"]
        assert await index.matching("number", {"gt": values["a"]}) == ["b", "d", "e", "j", "k", "l"]
        assert await index.matching("number", {"gte": values["a"], "lt": 1}) == ["a", "b"]
        assert await index.matching("number", {"gt": 0, "lt": values["a"]}) == ["c", "g"]
        assert await index.matching("number", {"lt": 0}) == ["f"]
        assert await index.matching("number", {"gte": values["f"], "lte": values["g"]}) == ["f", "g", "h", "i"]
        assert await index.matching("number", {"gt": 100}) == ["l"]

    async def test_numbers_beyond_all_use_are_not_found(self, index: Index) -> None:
        """They are in the documents, and no reason for anything to fail."""
        values = {name: decode(f"1e{exponent}") for name, exponent in {"a": 10_000, "b": -16_000, "c": 10**30}.items()}
        await index.write_values("number", {**values, "d": 1})
        assert await index.matching("number", {"gt": 0}) == ["d"]

    async def test_dates_are_compared_as_moments(self, index: Index) -> None:
        """The same moment in another zone is equal; a date is its beginning in UTC."""
        await index.write_values(
            "date",
            {
                "a": "2026-03-01",
                "b": "2026-03-01T01:00:00+01:00",
                "c": "2026-03-01t00:00:00.000001z",
                "d": "0001-01-01",
                "e": "9999-12-31T23:59:59Z",
            },
        )
        assert await index.matching("date", "2026-03-01T00:00:00Z") == ["a", "b"]
        assert await index.matching("date", {"gt": "2026-03-01", "lte": "2026-03-02"}) == ["c"]
        assert await index.matching("date", {"lt": "2026-03-01"}) == ["d"]
        assert await index.matching("date", {"gte": "9999-12-31"}) == ["e"]

    async def test_truth_values_are_matched(self, index: Index) -> None:
        """True finds true only."""
        await index.write_values("boolean", {"a": True, "b": False})
        assert await index.matching("boolean", True) == ["a"]
        assert await index.matching("boolean", False) == ["b"]

    async def test_a_text_matches_when_all_words_do(self, index: Index) -> None:
        """In any order and case, among punctuation; whole words, and all of them in the same value."""
        await index.write_values("text", {"a": "Order-4711, late: Zürich!", "b": ["late order", "4711"], "c": 4711})
        assert await index.matching("text", "4711 ORDER") == ["a"]
        assert await index.matching("text", "zürich") == ["a"]
        assert await index.matching("text", "late order") == ["a", "b"]
        assert await index.matching("text", "4711") == ["a", "b", "c"]
        assert await index.matching("text", "ord") == []
        assert await index.matching("text", "?!") == []

    async def test_a_text_may_have_any_length(self, index: Index) -> None:
        """Neither a million words nor a word of a megabyte is refused."""
        await index.write_values("text", {"a": " ".join(f"w{n}" for n in range(400_000)), "b": "x" * 1_000_000})
        assert await index.matching("text", "w1 w2") == ["a"]
        assert await index.matching("text", "x" * 1_000_000) == ["b"]

    async def test_a_query_text_looks_into_every_text_key(self, index: Index) -> None:
        """Words under any key of type text count, keywords do not."""
        await index.write(
            document("a", data={"one": "red car"}, types={"one": "text"}),
            document("b", data={"two": "red bus"}, types={"two": "text"}),
            document("c", data={"one": "red"}, types={"one": "keyword"}),
        )
        assert sorted(await index.ids(text="red")) == ["a", "b"]
        assert await index.ids(text="bus red") == ["b"]
        assert await index.ids(text="?") == []

    async def test_words_of_any_language(self, index: Index) -> None:
        """Accents and case do not count; what is written without spaces is found by any part of it."""
        await index.write_values(
            "text",
            {
                "vi": "Đường Nguyễn Huệ", "fr": "Crème BRÛLÉE", "ja": "東京都庁に行きます", "ko": "서울에서 만나요",
                "th": "สวัสดีชาวโลก", "hi": "हिन्दी में लिखा", "ru": "Ёлка", "ar": "مُحَمَّد", "wide": "ＡＢＣ　ｶﾞﾗｽ", "de": "Straße",
            },
        )  # fmt: skip
        for asked, expected in {
            "nguyen duong": ["vi"], "creme brulee": ["fr"], "京都": ["ja"], "東": ["ja"], "東庁": [], "行きます": ["ja"],
            "서울": ["ko"], "ชาว": ["th"], "हिन्दी": ["hi"], "हिन": [], "елка": ["ru"], "محمد": ["ar"], "abc ガラス": ["wide"],
            "STRASSE": ["de"],
        }.items():  # fmt: skip
            assert await index.matching("text", asked) == expected, asked

    async def test_a_value_may_be_excluded(self, index: Index) -> None:
        """Found is what has the key, and no value equal to that one."""
        await index.write_values("keyword", {"a": "x", "b": "y", "c": ["x", "y"], "d": "X"})
        await index.write(document("none"))
        assert await index.matching("keyword", {"ne": "x"}) == ["b", "d"]
        await index.write_values("number", {"n": 1, "m": 1.0, "o": big_integer(2**64)}, key="n")
        assert await index.matching("number", {"ne": 1}, key="n") == ["o"]
        await index.write_values("text", {"t": "red car", "u": "blue car"}, key="t")
        assert await index.matching("text", {"ne": "red"}, key="t") == ["u"]
        assert sorted(await index.ids({"k": {"ne": 1}}, {"k": {"number", "keyword"}})) == ["a", "b", "c", "d"]

    async def test_a_value_may_be_one_of_several(self, index: Index) -> None:
        """Of any of the key's types."""
        await index.write_values("keyword", {"a": "x", "b": "y", "c": "z"})
        assert await index.matching("keyword", {"in": ["x", "z", "w"]}) == ["a", "c"]
        await index.write_values("date", {"d": "2026-03-01", "e": "2026-03-02"}, key="d")
        assert await index.matching("date", {"in": ["2026-03-02T00:00:00Z"]}, key="d") == ["e"]
        await index.write_values("boolean", {"t": True, "f": False}, key="b")
        assert await index.matching("boolean", {"in": [True, False]}, key="b") == ["f", "t"]

    async def test_a_part_of_a_value_is_found(self, index: Index) -> None:
        """Of a keyword as it is written, wildcards being characters; of a text within its words."""
        await index.write_values("keyword", {"a": "inv-100%*?", "b": "INV-100", "c": "x\\y"})
        assert await index.matching("keyword", {"contains": "v-1"}) == ["a"]
        assert await index.matching("keyword", {"contains": "%*?"}) == ["a"]
        assert await index.matching("keyword", {"contains": "0*"}) == []
        assert await index.matching("keyword", {"contains": "\\"}) == ["c"]
        await index.write_values("text", {"t": "Late orders of Zürich", "u": "border"}, key="t")
        assert await index.matching("text", {"contains": "ORDER"}, key="t") == ["t", "u"]
        assert await index.matching("text", {"contains": "ürich ord"}, key="t") == ["t"]
        assert await index.matching("text", {"contains": "?"}, key="t") == []

    async def test_a_part_of_a_long_keyword_is_found_in_its_beginning(self, index: Index) -> None:
        """In the first 8,000 characters."""
        await index.write_values("keyword", {"a": "x" * 7_990 + "needle", "b": "x" * 7_999 + "needle"})
        assert await index.matching("keyword", {"contains": "needle"}) == ["a"]

    async def test_a_key_may_have_to_be_there_or_not(self, index: Index) -> None:
        """A value of any type counts, also a text without words; none where no value fitted."""
        values: list[tuple[SearchType, Json]] = [
            ("keyword", "x"), ("number", big_integer(2**70)), ("date", "2026-03-01"), ("boolean", False), ("text", "?!"),
        ]  # fmt: skip
        for number, (search_type, value) in enumerate(values):
            await index.write(document(f"i{number}", data={"k": value}, types={"k": search_type}))
        await index.write(document("none", data={"other": 1}, types={"other": "number"}))
        assert await index.matching("keyword", {"exists": True}) == ["i0", "i1", "i2", "i3", "i4"]
        assert await index.matching("keyword", {"exists": False}) == ["none"]

    async def test_a_title_is_found_by_its_beginning_or_a_part(self, index: Index) -> None:
        """Case and accents do not count, and wildcards are characters."""
        await index.write(
            document("a", title="Crédit 100% immobilier"),
            document("b", title="CREDIT card"),
            document("c", title="\0" * 9),
        )
        cases: list[tuple[Operator, str, list[str]]] = [
            ("prefix", "credit", ["a", "b"]), ("prefix", "Crédit 1", ["a"]), ("prefix", "card", []),
            ("contains", "CARD", ["b"]), ("contains", "0% I", ["a"]), ("contains", "%", ["a"]), ("contains", "_", []),
        ]  # fmt: skip
        for operator, text, expected in cases:
            assert sorted(await index.ids(title=TitleTest(operator, folded(text)))) == expected, text

    async def test_it_says_which_version_a_search_finds(self, index: Index) -> None:
        """0 for what it does not find, or not yet."""
        assert await index.store.found_version(index.connection, "i1") == 0
        await index.write(document("i1", version=3))
        await index.refresh()
        assert await index.store.found_version(index.connection, "i1") == 3

    async def test_any_element_of_a_list_matches(self, index: Index) -> None:
        """Both bounds of a range have to hold for the same element."""
        await index.write_values("number", {"a": [1, 9], "b": [[5]]})
        assert await index.matching("number", 9) == ["a"]
        assert await index.matching("number", {"gt": 2, "lt": 8}) == ["b"]

    async def test_conditions_are_joined(self, index: Index) -> None:
        """Every key has to match."""
        types: dict[str, SearchType] = {"x": "number", "y": "keyword"}
        await index.write(
            document("a", data={"x": 1, "y": "p"}, types=types), document("b", data={"x": 1, "y": "q"}, types=types)
        )
        assert await index.ids({"x": 1, "y": "q"}, {"x": {"number"}, "y": {"keyword"}}) == ["b"]

    async def test_a_key_may_have_several_types(self, index: Index) -> None:
        """A value is compared by the type that its own definition gives the key."""
        await index.write(
            document("a", data={"k": 7}, types={"k": "number"}),
            document("b", data={"k": "7"}, types={"k": "keyword"}, definition="card"),
        )
        both: set[SearchType] = {"number", "keyword"}
        assert sorted(await index.ids({"k": 7}, {"k": both})) == ["a", "b"]
        assert await index.ids({"k": {"gte": 7}}, {"k": both}) == ["a"]
        assert await index.ids({"k": {"prefix": "7"}}, {"k": both}) == ["b"]

    async def test_keys_of_any_name(self, index: Index) -> None:
        """Dots, quotes, NUL and three thousand characters are as good as letters."""
        for number, key in enumerate(["a.b", "a'b\"{x}%s", "\0", "é" * 3_000]):
            await index.write_values("keyword", {f"i{number}": "v"}, key=key)
            assert await index.matching("keyword", "v", key=key) == [f"i{number}"]

    async def test_filters_narrow_the_hits(self, index: Index) -> None:
        """Definitions, statuses and the times of start, which are not included themselves."""
        await index.write(
            document("a", definition="card", started_at=START),
            document("b", status="ON_HOLD", started_at=START + timedelta(seconds=1)),
            document("c", started_at=START + timedelta(seconds=2)),
        )
        assert await index.ids(definitions=["card", "none"]) == ["a"]
        assert await index.ids(statuses=["STARTED"]) == ["c", "a"]
        assert await index.ids(started_after=START) == ["c", "b"]
        assert await index.ids(started_before=START + timedelta(seconds=2)) == ["b", "a"]

    async def test_hits_go_on_after_the_last(self, index: Index) -> None:
        """Newest first, by id among those of one moment, so that pages neither skip nor repeat."""
        await index.write(*(document(f"i{n}", started_at=START + timedelta(seconds=n // 3)) for n in range(7)))
        seen: list[str] = []
        last: tuple[datetime, str] | None = None
        while hits := await index.find(last=last, count=2):
            seen += [hit.instance_id for hit in hits]
            last = hits[-1].started_at, hits[-1].instance_id
        assert seen == ["i6", "i5", "i4", "i3", "i2", "i1", "i0"]

    async def test_other_workspaces_do_not_exist(self, index: Index) -> None:
        """Neither a filter nor a key nor a text reaches across."""
        data: dict[str, Json] = {"k": "v", "t": "w"}
        await index.write(document("a", workspace="other", data=data, types={"k": "keyword", "t": "text"}))
        assert await index.find() == []
        assert await index.matching("keyword", "v") == []
        assert await index.ids(text="w") == []

    async def test_the_instances_of_a_definition_are_listed(self, index: Index) -> None:
        """In order, of that workspace and definition only, and no more than asked for."""
        await index.write(
            *(document(f"i{number}") for number in range(5)),
            document("x", definition="card"),
            document("y", workspace="other"),
        )
        assert await index.store.ids(index.connection, 1, "demo", "loan", limit=9) == ["i0", "i1", "i2", "i3", "i4"]
        assert await index.store.ids(index.connection, 1, "demo", "loan", limit=2) == ["i0", "i1"]

    async def test_readers_see_the_published_generation(self, index: Index) -> None:
        """A generation beside it is invisible until it is published, and the old one can go then."""
        await index.write(document("old"))
        async with index.connection.transaction():
            await index.store.generations.create(index.connection, 2)
        await index.write(document("new"), generation=2)
        assert await index.ids() == ["old"]
        async with index.connection.transaction():
            await index.store.generations.publish(index.connection, 2)
            await index.store.generations.drop(index.connection, 1)
        assert await index.ids() == ["new"]

    async def test_a_generation_begun_again_is_empty(self, index: Index) -> None:
        """What a killed rebuild left is gone."""
        for _ in range(2):
            async with index.connection.transaction():
                await index.store.generations.create(index.connection, 2)
            assert await index.store.read(index.connection, 2, ["i1"]) == {}
            await index.write(document("i1"), generation=2)
