"""Documents in columns of bytes: exact, bounded, and compared by what they say."""

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document
from procvars.domain.errors import ReadTooLarge
from procvars.projections import current_variables
from procvars.projections.current_variables import Asked, CurrentVariables
from procvars.projections.projection import Connection
from procvars.projections.storage.packed_json import packed, readable, unpacked
from procvars.projections.storage.text_columns import ANY_SIZE
from tests.projections.story import Story, begin, feed

LONG: Document = {"list": [{"name": f"n{number}"} for number in range(500)]}


@given(st.dictionaries(st.text(), st.integers(-(2**63), 2**63 - 1) | st.text() | st.lists(st.text()), max_size=50))
def test_a_document_comes_back_as_its_text(document: Document) -> None:
    stored = packed(document)
    assert unpacked(stored, ANY_SIZE) == encode(document)
    assert len(stored) <= len(encode(document))


@pytest.mark.parametrize("document", [LONG, {"a": 1}], ids=["compressed", "as it is"])
def test_the_size_that_counts_is_that_of_the_text(document: Document) -> None:
    """A caller with little room is told before anything is decompressed."""
    text, stored = encode(document), packed(document)
    assert unpacked(stored, len(text)) == text
    with pytest.raises(ReadTooLarge):
        unpacked(stored, len(text) - 1)
    with pytest.raises(ReadTooLarge):
        unpacked(None, ANY_SIZE)


def test_damage_is_no_document() -> None:
    """Neither one with another text, which the checksum finds, nor one cut off."""
    stored = packed(LONG)
    for damaged in (stored[:-1], stored[:40] + bytes([stored[40] ^ 1]) + stored[41:]):
        with pytest.raises(zstandard.ZstdError):
            unpacked(damaged, ANY_SIZE)
        assert readable(damaged) == damaged


async def test_generations_are_compared_by_the_text(connection: Connection) -> None:
    """Another release of the compressor makes other bytes of the same document; those are no difference."""
    projection, story = CurrentVariables(), Story()
    story.start("i1", LONG)
    await begin(connection, projection)
    await feed(connection, projection, story.events)

    async def contents() -> str:
        return (await projection.generations.contents(connection, 1, ["i1"]))["i1"]

    async def overwrite(variables: bytes) -> None:
        await connection.execute("UPDATE current_variables_g1 SET packed = %s", (variables,))

    before = await contents()
    await overwrite(zstandard.ZstdCompressor(level=19).compress(encode(LONG)))
    assert await contents() == before
    (found,) = await current_variables.variables(connection, [Asked("demo", "i1")])
    assert found is not None and found.text() == encode(LONG)
    await overwrite(packed({**LONG, "more": 1}))
    assert await contents() != before
    await overwrite(packed(LONG)[:-1])
    assert await contents() != before
