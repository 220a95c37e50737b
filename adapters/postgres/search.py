"""Search in PostgreSQL, without Elasticsearch: the documents, and a row for each of their searchable values."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import cast

import orjson
from psycopg import sql

from procvars.domain.definition import SearchType
from procvars.domain.documents.documents import decode, encode
from procvars.domain.documents.values import Document, Json
from procvars.projections.projection import Connection
from procvars.projections.search.document import SearchDocument
from procvars.projections.search.store import Alternative, Condition, Search, SearchHit
from procvars.projections.search.types import VALUE_TYPES, Column, Operator, SearchValue, values_to_search
from procvars.projections.search.words import folded
from procvars.projections.storage.batch import columns
from procvars.projections.storage.tables import Tables, table
from procvars.projections.storage.text_columns import RawJson, arguments, like_prefix, without_nul

# An index entry has room for some 2,700 bytes, and no value may be left out: the index has the beginning of a keyword,
# and the double nearest to a number. The whole value decides.
_DDL = """
CREATE TABLE {search_index} (
    instance_id text PRIMARY KEY,
    workspace text NOT NULL,
    definition text NOT NULL,
    title text NOT NULL,
    folded_title text NOT NULL,
    status text NOT NULL,
    started_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    version bigint NOT NULL,
    data text NOT NULL,
    types text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON {search_index} (workspace, definition, instance_id);
CREATE TABLE {search_values} (
    instance_id text NOT NULL,
    ordinal integer NOT NULL,
    is_single boolean NOT NULL,
    workspace text NOT NULL,
    key text NOT NULL,
    started_at timestamptz NOT NULL,
    keyword text,
    beginning text GENERATED ALWAYS AS (left(keyword, 200)) STORED,
    number numeric,
    nearest double precision,
    instant timestamptz,
    truth boolean,
    words text[]
);
CREATE INDEX ON {search_values} (instance_id);
"""
_READERS_INDEXES = {
    "search_index_start": "{search_index} (workspace, started_at, instance_id)",
    "search_index_definition": "{search_index} (workspace, definition, started_at, instance_id)",
    "search_index_status": "{search_index} (workspace, status, started_at, instance_id)",
    "search_index_title": "{search_index} (workspace, left(folded_title, 200) text_pattern_ops)",
    "search_values_keyword": (
        "{search_values} (workspace, key, beginning text_pattern_ops, started_at, instance_id) "
        "WHERE beginning IS NOT NULL"
    ),
    "search_values_number": (
        "{search_values} (workspace, key, nearest, started_at, instance_id) WHERE nearest IS NOT NULL"
    ),
    "search_values_time": (
        "{search_values} (workspace, key, instant, started_at, instance_id) WHERE instant IS NOT NULL"
    ),
    "search_values_truth": "{search_values} (workspace, key, truth, started_at, instance_id) WHERE truth IS NOT NULL",
    "search_values_words": "{search_values} USING gin (words) WHERE words IS NOT NULL",
    "search_values_key": "{search_values} (workspace, key, started_at, instance_id)",
    "search_values_text": "{search_values} (workspace, started_at, instance_id) WHERE words IS NOT NULL",
}
_READ = """
SELECT instance_id, workspace, definition, title, status, started_at, updated_at, version, data, types
FROM {documents} WHERE instance_id = ANY(%s)
"""
_IDS = """
SELECT instance_id FROM {documents} WHERE workspace = %s AND definition = %s ORDER BY instance_id LIMIT %s
"""
# Returns the instances whose values changed, with those that they had.
_WRITE = """
WITH new AS (
    SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::timestamptz[],
        %b::timestamptz[], %b::bigint[], %b::text[], %b::text[])
        AS n (instance_id, workspace, definition, title, folded_title, status, started_at, updated_at, version, data, types)
), old AS (
    SELECT o.instance_id, o.data, o.types FROM {documents} o JOIN new USING (instance_id)
), written AS (
    INSERT INTO {documents} AS t
        (instance_id, workspace, definition, title, folded_title, status, started_at, updated_at, version, data, types)
    SELECT * FROM new
    ON CONFLICT (instance_id) DO UPDATE SET status = excluded.status, updated_at = excluded.updated_at,
        version = excluded.version, data = excluded.data, types = excluded.types
    WHERE t.version <= excluded.version
    RETURNING t.instance_id, t.data, t.types
)
SELECT w.instance_id, o.data, o.types FROM written w LEFT JOIN old o USING (instance_id)
WHERE (w.data, w.types) IS DISTINCT FROM (o.data, o.types)
"""
_FORGET_VALUES = """
DELETE FROM {values} AS v USING unnest(%b::text[], %b::integer[]) AS n (instance_id, ordinal)
WHERE v.instance_id = n.instance_id AND v.ordinal = n.ordinal
"""
_ADD_VALUES = """
COPY {values} (instance_id, ordinal, is_single, workspace, key, started_at, keyword, number, nearest, instant, truth, words)
FROM STDIN (FORMAT BINARY)
"""
_VALUE_COLUMNS = ("keyword", "number", "nearest", "instant", "truth", "words")
_PLACE_TYPES = ("text", "int4", "bool", "text", "text", "timestamptz")
_VALUE_TYPES = ("text", "numeric", "float8", "timestamptz", "bool", "text[]")
_FOUND_VERSION = "SELECT version FROM search_index WHERE instance_id = %s"
_FIND = """
SELECT i.instance_id, i.definition, i.title, i.status, i.started_at, i.updated_at, i.version, i.data FROM search_index i {values}
WHERE i.workspace = %(workspace)s
    AND (%(any_definition)s OR i.definition = ANY(%(definitions)s))
    AND (%(any_status)s OR i.status = ANY(%(statuses)s))
    AND (%(started_after)s::timestamptz IS NULL OR {by}.started_at > %(started_after)s)
    AND (%(started_before)s::timestamptz IS NULL OR {by}.started_at < %(started_before)s)
    AND (%(last_start)s::timestamptz IS NULL
        OR ({by}.started_at, {by}.instance_id) < (%(last_start)s, %(last_id)s::text))
    {conditions}
ORDER BY {by}.started_at DESC, {by}.instance_id DESC
LIMIT %(count)s
"""
_HAS_VALUE = """
    AND {negation}EXISTS (SELECT FROM search_values v
        WHERE v.instance_id = i.instance_id AND v.workspace = %(workspace)s AND {tests})
"""
# An instance's first value that passes. Values are read in the order of the answer, from the newest instance on. Of a key
# with a single value there is no other to look for, and PostgreSQL need not expect that few values are the first.
_VALUES = """
    JOIN search_values v ON v.instance_id = i.instance_id AND v.workspace = %(workspace)s AND {tests}
        AND (v.is_single OR v.ordinal = (SELECT min(v.ordinal) FROM search_values v
            WHERE v.instance_id = i.instance_id AND v.workspace = %(workspace)s AND {tests}))
"""
_KEY = "v.key = {key} AND ({any_of})"
_ANY_VALUE = "v.key = {key}"
_WORDS = "v.words @> {value}::text[]"
_WORD_PART = "EXISTS (SELECT FROM unnest(v.words) AS w (word) WHERE position({value} IN w.word) > 0)"
_TESTS: dict[Column, dict[Operator, str]] = {
    "keyword": {
        "eq": "v.beginning = left({value}, 200) AND (length({value}) < 200 OR v.keyword = {value})",
        "prefix": "v.beginning LIKE {pattern} AND (length({value}) <= 200 OR starts_with(v.keyword, {value}))",
        "contains": "position({value} IN left(v.keyword, 8000)) > 0",
    },
    "truth": {"eq": "v.truth = {value}"},
    "instant": {
        "eq": "v.instant = {value}",
        "gt": "v.instant > {value}",
        "gte": "v.instant >= {value}",
        "lt": "v.instant < {value}",
        "lte": "v.instant <= {value}",
    },
    "number": {
        "eq": "v.nearest = {nearest}::float8 AND v.number = {value}",
        "gt": "v.nearest >= {nearest}::float8 AND v.number > {value}",
        "gte": "v.nearest >= {nearest}::float8 AND v.number >= {value}",
        "lt": "v.nearest <= {nearest}::float8 AND v.number < {value}",
        "lte": "v.nearest <= {nearest}::float8 AND v.number <= {value}",
    },
}
_TITLE: dict[Operator, str] = {
    "prefix": "AND left(i.folded_title, 200) LIKE {pattern} AND starts_with(i.folded_title, {value})",
    "contains": "AND position({value} IN i.folded_title) > 0",
}
_ID_OR_TITLE = "AND (i.instance_id = {id} OR position({folded} IN i.folded_title) > 0)"
_KEY_CHARACTERS = 100
_ValueRow = tuple[object, ...]
"""Instance, ordinal and the other columns of a value, in the order of `_ADD_VALUES`."""
_FEWEST_FIRST: dict[Operator, int] = {"eq": 0, "prefix": 1, "gt": 2, "gte": 2, "lt": 2, "lte": 2, "contains": 3}
"""Operators, lower where they usually find fewer values."""


class PostgresSearch:
    """Implementation of `SearchStore`, in the transaction of its caller."""

    shape = 3
    generations = Tables({"search_index": "instance_id", "search_values": "instance_id"}, _DDL, _READERS_INDEXES)

    async def read(
        self, connection: Connection, generation: int, instance_ids: Sequence[str]
    ) -> dict[str, SearchDocument]:
        cursor = await connection.execute(_statement(_READ, generation), (list(instance_ids),))
        return {row[0]: _with_values(SearchDocument(*row[:8]), *row[8:]) for row in await cursor.fetchall()}

    async def write(self, connection: Connection, generation: int, documents: Sequence[SearchDocument]) -> None:
        rows = [
            (
                document.instance_id,
                document.workspace,
                document.definition,
                without_nul(document.title),
                without_nul(folded(document.title)),
                document.status,
                document.started_at,
                document.updated_at,
                document.version,
                encode({**document.data}).decode(),
                encode({**document.types}).decode(),
            )
            for document in documents
        ]
        cursor = await connection.execute(_statement(_WRITE, generation), columns(rows))
        replaced = {row[0]: row[1:] for row in await cursor.fetchall()}
        forgotten: list[tuple[object, ...]] = []
        added: list[_ValueRow] = []
        for document in documents:
            if (before := replaced.get(document.instance_id)) is not None:
                data, types = before
                old = {} if data is None else _value_rows_by_text(_with_values(document, data, types))
                new = _value_rows_by_text(document)
                forgotten += [row[:2] for text, row in old.items() if text not in new]
                added += [row for text, row in new.items() if text not in old]
        if forgotten:
            await connection.execute(_statement(_FORGET_VALUES, generation), columns(forgotten))
        if added:
            async with connection.cursor() as copying, copying.copy(_statement(_ADD_VALUES, generation)) as copy:
                copy.set_types((*_PLACE_TYPES, *_VALUE_TYPES))
                for row in added:
                    await copy.write_row(row)

    async def ids(
        self, connection: Connection, generation: int, workspace: str, definition: str, *, limit: int
    ) -> list[str]:
        cursor = await connection.execute(_statement(_IDS, generation), (workspace, definition, limit))
        return [row[0] for row in await cursor.fetchall()]

    async def found_version(self, connection: Connection, instance_id: str) -> int:
        row = await (await connection.execute(_FOUND_VERSION, (instance_id,))).fetchone()
        return 0 if row is None else int(row[0])

    async def find(self, connection: Connection, search: Search) -> list[SearchHit]:
        last_start, last_id = search.last or (None, None)
        parameters = _Parameters()
        joined, others = _joined(search.conditions)
        conditions = [_condition(condition, parameters) for condition in others]
        tests: sql.Composable | None = None if joined is None else _tests(joined, parameters)
        if search.words is not None:
            words = _words(search.words, parameters)
            if tests is None:
                tests = words
            else:
                conditions.append(_has_value(words))
        values_joined = sql.SQL("") if tests is None else sql.SQL(_VALUES).format(tests=tests)
        if search.title is not None:
            text = search.title.folded
            names = {"value": parameters.add(text), "pattern": parameters.add(like_prefix(without_nul(text)))}
            conditions.append(sql.SQL(_TITLE[search.title.operator]).format(**names))
        if search.id_or_title is not None:
            id_or_folded = {name: parameters.add(getattr(search.id_or_title, name)) for name in ("id", "folded")}
            conditions.append(sql.SQL(_ID_OR_TITLE).format(**id_or_folded))
        values = arguments(
            workspace=search.workspace,
            any_definition=not search.definitions,
            definitions=search.definitions,
            any_status=not search.statuses,
            statuses=search.statuses,
            started_after=search.started_after,
            started_before=search.started_before,
            last_start=last_start,
            last_id=last_id,
            count=search.count,
            **parameters.values,
        )
        statement = sql.SQL(_FIND).format(
            values=values_joined, conditions=sql.SQL("").join(conditions), by=sql.SQL("i" if tests is None else "v")
        )
        # Not prepared: only a LIKE planned with its pattern uses the index.
        cursor = await connection.execute(statement, values, prepare=False)
        return [
            SearchHit(instance_id, definition, title, status, started_at, updated_at, version, RawJson(data))
            for instance_id, definition, title, status, started_at, updated_at, version, data in await cursor.fetchall()
        ]


class _Parameters:
    """Values by the names of their placeholders in a statement."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}

    def add(self, value: object) -> sql.Placeholder:
        name = f"value_{len(self.values)}"
        self.values[name] = value
        return sql.Placeholder(name)


def _joined(conditions: Sequence[Condition]) -> tuple[Condition | None, Sequence[Condition]]:
    """Return the condition that usually finds the fewest values, and the others; None if all of them only exclude, or
    accept any value.
    """
    finding = [one for one in conditions if one.any_of and not one.negated]
    if not finding:
        return None, conditions
    joined = min(finding, key=_rank)
    return joined, [one for one in conditions if one is not joined]


def _rank(condition: Condition) -> int:
    return max(_FEWEST_FIRST[operator] for alternative in condition.any_of for operator, _ in alternative.tests[:1])


def _condition(condition: Condition, parameters: _Parameters) -> sql.Composed:
    return _has_value(_tests(condition, parameters), negated=condition.negated)


def _tests(condition: Condition, parameters: _Parameters) -> sql.Composed:
    key = parameters.add(_column_key(condition.key))
    any_of = [_alternative(alternative, parameters) for alternative in condition.any_of]
    return sql.SQL(_KEY if any_of else _ANY_VALUE).format(key=key, any_of=sql.SQL(" OR ").join(any_of))


def _has_value(tests: sql.Composable, *, negated: bool = False) -> sql.Composed:
    return sql.SQL(_HAS_VALUE).format(tests=tests, negation=sql.SQL("NOT " if negated else ""))


def _alternative(alternative: Alternative, parameters: _Parameters) -> sql.Composed:
    column = VALUE_TYPES[alternative.type].column
    tests = [_test(column, operator, value, parameters) for operator, value in alternative.tests]
    return sql.SQL("({})").format(sql.SQL(" AND ").join(tests))


def _test(column: Column, operator: Operator, value: SearchValue, parameters: _Parameters) -> sql.Composable:
    if isinstance(value, tuple):
        return _words(value, parameters) if operator == "eq" else _word_parts(value, parameters)
    names: dict[str, sql.Placeholder] = {"value": parameters.add(value)}
    if isinstance(value, Decimal):
        names["nearest"] = parameters.add(_nearest(value))
    if operator == "prefix":
        names["pattern"] = parameters.add(like_prefix(without_nul(str(value))))
    return sql.SQL(_TESTS[column][operator]).format(**names)


def _words(words: Sequence[str], parameters: _Parameters) -> sql.Composable:
    """Return the test for all of the words. Every value has the words of an empty list, but a text without words is
    found nowhere.
    """
    return sql.SQL(_WORDS).format(value=parameters.add(list(words))) if words else sql.SQL("false")


def _word_parts(words: Sequence[str], parameters: _Parameters) -> sql.Composable:
    parts = [sql.SQL(_WORD_PART).format(value=parameters.add(word)) for word in words]
    return sql.SQL("({})").format(sql.SQL(" AND ").join(parts)) if parts else sql.SQL("false")


def _with_values(document: SearchDocument, data: str, types: str) -> SearchDocument:
    """Return the document with the values that are stored."""
    return replace(document, data=cast(Document, decode(data)), types=orjson.loads(types))


def _value_rows_by_text(document: SearchDocument) -> dict[str, _ValueRow]:
    """Return the rows of its values by their texts: 1.0 is stored otherwise than 1, which it equals."""
    return {str(row): row for row in _value_rows(document)}


def _value_rows(document: SearchDocument) -> Iterator[_ValueRow]:
    ordinals = count()
    for key, value in document.data.items():
        rows = list(_kept_values(document.types[key], key, value))
        for kept in rows:
            place = (document.instance_id, next(ordinals), len(rows) == 1, document.workspace, _column_key(key))
            yield (*place, document.started_at, *map(kept.get, _VALUE_COLUMNS))


def _kept_values(search_type: SearchType, key: str, value: Json) -> Iterator[Mapping[str, object]]:
    """Yield the columns of `_VALUE_COLUMNS` that each value sets: one of them, or two for a number."""
    column = VALUE_TYPES[search_type].column
    for found in values_to_search(search_type, key, value):
        kept: dict[str, object] = {column: found}
        match found:
            case str():
                kept[column] = without_nul(found)
            case Decimal():
                kept["nearest"] = _nearest(found)
            case tuple():
                kept[column] = list(found)
        yield kept


def _nearest(number: Decimal) -> float:
    """Return the nearest double, which is monotonic: what is between two numbers is between their doubles."""
    return float(number)


def _column_key(key: str) -> str:
    """Return the key as a column of an index can hold it, whatever its length."""
    return without_nul(key) if len(key) <= _KEY_CHARACTERS else hashlib.sha256(key.encode()).hexdigest()


def _statement(text: str, generation: int) -> sql.Composed:
    return sql.SQL(text).format(  # one of the constants above
        documents=table("search_index", generation), values=table("search_values", generation)
    )
