"""The search index as its projection writes it and a search reads it. Whatever keeps it passes the one contract suite,
`tests/contracts/search_contract.py`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, cast

from procvars.domain.definition import SearchType
from procvars.domain.documents.values import Json
from procvars.domain.errors import InvalidArgument
from procvars.projections.projection import Connection, Generations
from procvars.projections.search.document import SearchDocument, SearchValue, values_to_search, words
from procvars.projections.storage.text_columns import RawJson

Operator = Literal["eq", "gt", "gte", "lt", "lte", "prefix"]

_RANGES = ("gt", "gte", "lt", "lte")


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """`value`: a string, number or boolean to be equal to (for a `text` key, words to be found in it), or an object:
    `{gt|gte|lt|lte: …}` for numbers and dates, `{prefix: …}` for keywords.
    """

    key: str
    value: Json


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """All of it has to be true of a hit. No definitions or statuses: of any."""

    workspace: str
    keys: Sequence[KeyCondition] = ()
    text: str | None = None
    """Words that one of the instance's `text` keys has, all of them."""
    definitions: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """Tests that one and the same value of this type has to pass."""

    type: SearchType
    tests: tuple[tuple[Operator, SearchValue], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Some value under the key passes one of the alternatives: definitions may give a key different types."""

    key: str
    any_of: tuple[Alternative, ...]


@dataclass(frozen=True, slots=True)
class Search:
    """A query whose values have their types."""

    workspace: str
    conditions: tuple[Condition, ...]
    words: tuple[str, ...] | None
    definitions: list[str]
    """None of them: any."""
    statuses: list[str]
    started_after: datetime | None
    started_before: datetime | None
    last: tuple[datetime, str] | None
    """Start and id of the hit to go on after."""
    count: int


@dataclass(frozen=True, slots=True)
class SearchHit:
    instance_id: str
    definition: str
    status: str
    started_at: datetime
    version: int
    data: RawJson


class SearchStore(Protocol):
    """Documents by instance id, in generations. Readers see the published one.

    The projection's calls come in the transaction that `connection` is in; a store that cannot take part in it has done
    the work when the call returns. A store that cannot be reached raises `domain.errors.SearchUnavailable`, or
    psycopg's own errors for that.
    """

    @property
    def shape(self) -> int:
        """Added to the projection's: different for each store, and raised with its form. So a database whose search moves
        to another store is rebuilt there.
        """
        ...

    @property
    def generations(self) -> Generations: ...

    async def read(
        self, connection: Connection, generation: int, instance_ids: Sequence[str]
    ) -> dict[str, SearchDocument]:
        """By id, without those that are not there. Sees everything that was written before."""
        ...

    async def write(self, connection: Connection, generation: int, documents: Sequence[SearchDocument]) -> None:
        """A document of a lower version than the stored one changes nothing; one of the same version replaces it."""
        ...

    async def ids(
        self, connection: Connection, generation: int, workspace: str, definition: str, *, limit: int
    ) -> list[str]:
        """Up to `limit` of the definition's instances, in order. Sees everything that was written before."""
        ...

    async def find(self, connection: Connection, search: Search) -> list[SearchHit]:
        """Up to `count`, newest first: by start, then by instance id, both descending. What was written is found within
        the store's refresh interval, a second at most.
        """
        ...


def typed(condition: KeyCondition, types: Iterable[SearchType]) -> Condition:
    """The condition for a key that has these types. Raises InvalidArgument where it makes no sense for any of them."""
    alternatives = tuple(
        Alternative(search_type, tests)
        for search_type in sorted(types)
        if (tests := _tests(search_type, condition.value)) is not None
    )
    if not alternatives:
        names = " or ".join(sorted(types))
        raise InvalidArgument(f"the condition for {condition.key!r} does not fit its type, {names}", key=condition.key)
    return Condition(condition.key, alternatives)


def searched_words(text: str | None) -> tuple[str, ...] | None:
    return None if text is None else words(text)


def _tests(search_type: SearchType, value: Json) -> tuple[tuple[Operator, SearchValue], ...] | None:
    if not isinstance(value, dict):
        equal = _operand(search_type, value)
        return None if equal is None else (("eq", equal),)
    if value.keys() == {"prefix"}:
        prefix = value["prefix"]
        return (("prefix", prefix),) if search_type == "keyword" and isinstance(prefix, str) else None
    if search_type not in ("number", "date") or not value or not value.keys() <= set(_RANGES):
        return None
    bounds = {operator: _operand(search_type, bound) for operator, bound in value.items()}
    if None in bounds.values():
        return None
    return tuple(cast(Mapping[Operator, SearchValue], bounds).items())


def _operand(search_type: SearchType, value: Json) -> SearchValue | None:
    return None if isinstance(value, list) else next(values_to_search(search_type, value), None)
