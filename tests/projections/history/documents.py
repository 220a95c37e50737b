"""Random documents of few names and values, so that two of them have much in common; awkward ones are among them."""

from collections.abc import Iterator

from hypothesis import strategies as st

from procvars.domain.documents.pointer import escape
from procvars.domain.documents.values import Document, Json
from tests.big_integers import big_integer

_NAMES = st.sampled_from(["a", "b", "c/d", "~", "", "0"])
_SCALARS: st.SearchStrategy[Json] = st.sampled_from(
    [None, True, False, 0, 1, 1.0, -0.0, big_integer(2**70), "", "x", "\0"]
)


def _objects(values: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.dictionaries(_NAMES, values, max_size=4)


def _containers(values: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(_objects(values), st.lists(values, max_size=5))


DOCUMENTS: st.SearchStrategy[Document] = st.dictionaries(
    _NAMES, st.recursive(_SCALARS, _containers, max_leaves=8), max_size=4
)
DOCUMENTS_WITHOUT_ARRAYS: st.SearchStrategy[Document] = st.dictionaries(
    _NAMES, st.recursive(_SCALARS, _objects, max_leaves=8), max_size=4
)


def leaves(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Path and value of every scalar and every empty container, in document order: a reference, written for clarity."""
    if isinstance(value, dict) and value:
        for key, child in value.items():
            yield from leaves(child, f"{path}/{escape(key)}")
    elif isinstance(value, list) and value:
        for at, child in enumerate(value):
            yield from leaves(child, f"{path}/{at}")
    else:
        yield path, value
