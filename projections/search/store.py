"""Port of the search index, for its projection and for searches. Every implementation passes the contract suite,
`tests/contracts/search_contract.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from procvars.domain.definition import SearchType
from procvars.domain.documents.values import Json
from procvars.projections.projection import Connection, Generations
from procvars.projections.search.document import SearchDocument
from procvars.projections.search.types import Operator, SearchValue
from procvars.projections.storage.text_columns import RawJson


@dataclass(frozen=True, slots=True)
class KeyCondition:
    """`value`: a string, number or boolean to be equal to (for a `text` key, words to be found in it), or an object:
    `{ne: …}`, `{in: […]}`, `{exists: true|false}`, `{gt|gte|lt|lte: …}` for numbers and dates, `{prefix: …}` for keywords,
    `{contains: …}` for keywords (a part of the value) and texts (parts of its words).
    """

    key: str
    value: Json


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A query whose parts a hit has to meet all. Without definitions or statuses, any will do."""

    workspace: str
    keys: Sequence[KeyCondition] = ()
    text: str | None = None
    """Words that one of the instance's `text` keys has to contain, all of them."""
    definitions: Sequence[str] | None = None
    statuses: Sequence[str] | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    title: Json = None
    """`{prefix: …}` or `{contains: …}`, without regard to case and accents."""
    id_or_title: str | None = None
    """Whole id, or a part of the title without regard to case and accents."""
    limit: int | None = None
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Alternative:
    """Tests that a single value of this type has to pass."""

    type: SearchType
    tests: tuple[tuple[Operator, SearchValue], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """Alternatives of which some value of the key passes one; definitions may give a key different types."""

    key: str
    any_of: tuple[Alternative, ...]
    """None of them: there is a value."""
    negated: bool = False
    """Whether no value may pass instead."""


@dataclass(frozen=True, slots=True)
class TitleTest:
    """`folded`: what the title begins with, or has somewhere, as `words.folded` makes it."""

    operator: Operator
    folded: str


@dataclass(frozen=True, slots=True)
class IdOrTitle:
    """`folded`: what the title has somewhere, as `words.folded` makes it, if the id is another one."""

    id: str
    folded: str


@dataclass(frozen=True, slots=True)
class Search:
    """A query with typed values."""

    workspace: str
    conditions: tuple[Condition, ...]
    words: tuple[str, ...] | None
    title: TitleTest | None
    definitions: list[str]
    """Keys of definitions; empty for any."""
    statuses: list[str]
    started_after: datetime | None
    started_before: datetime | None
    last: tuple[datetime, str] | None
    """Start and id of the hit after which to continue."""
    count: int
    id_or_title: IdOrTitle | None = None


@dataclass(frozen=True, slots=True)
class SearchHit:
    instance_id: str
    definition: str
    title: str
    status: str
    started_at: datetime
    updated_at: datetime
    version: int
    data: RawJson


class SearchStore(Protocol):
    """Port for documents by instance id, in generations, of which readers see the published one.

    The projection's calls come in the transaction that `connection` is in; a store that cannot take part in it has done
    its work when the call returns. A store that cannot be reached raises `domain.errors.SearchUnavailable`, or
    psycopg's own errors.
    """

    @property
    def shape(self) -> int:
        """Number added to the projection's shape: different for each store, and raised with its form, so that a
        database whose search moves to another store is rebuilt there.
        """
        ...

    @property
    def generations(self) -> Generations: ...

    async def read(
        self, connection: Connection, generation: int, instance_ids: Sequence[str]
    ) -> dict[str, SearchDocument]:
        """Return the documents by id, without missing ones. Sees everything that was written before."""
        ...

    async def write(self, connection: Connection, generation: int, documents: Sequence[SearchDocument]) -> None:
        """Write the documents; one of a lower version than the stored one changes nothing, of the same version replaces
        it.
        """
        ...

    async def ids(
        self, connection: Connection, generation: int, workspace: str, definition: str, *, limit: int
    ) -> list[str]:
        """Return up to `limit` ids of the definition's instances, in order. Sees everything that was written before."""
        ...

    async def find(self, connection: Connection, search: Search) -> list[SearchHit]:
        """Return up to `count` hits, newest first: by start, then by instance id, both descending. What was written is
        found within the store's refresh interval, a second at most.
        """
        ...

    async def found_version(self, connection: Connection, instance_id: str) -> int:
        """Return the version of the document that a search finds now; 0 where it finds none."""
        ...
