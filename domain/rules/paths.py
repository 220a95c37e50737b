"""JSONPath (RFC 9535) on documents: parsed by python-jsonpath, evaluated here, within a budget and without recursion.

The library's own evaluation recurses along the document and follows a path to its end, however long that takes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final, cast

import jsonpath
from jsonpath import segments, selectors

from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document, Json
from procvars.domain.rules.budget import Budget
from procvars.domain.rules.path_filters import Evaluation, FilterCompiler, Query
from procvars.domain.rules.path_limits import mistake_of, parts
from procvars.domain.rules.path_syntax import Environment

MAX_CHARACTERS: Final = 1_000
RESULT_BYTES_PER_STEP: Final = 8
_SMALL: Final = 1_000
# Visiting an array or object takes as long as some of the values in it (measured).
_STEPS_PER_CONTAINER: Final = 4

# RFC 9535 and nothing beyond it: extensions of the library would make definitions that no other tool can read.
_JSONPATH: Final = Environment()

Select = Callable[[Json, Evaluation], Iterable[Json]]


class InvalidPath(ValueError):
    """The text is no JSONPath (RFC 9535)."""


class Path:
    """A compiled path."""

    def __init__(self, text: str) -> None:
        """Compile the path. Raises InvalidPath."""
        if len(text) > MAX_CHARACTERS:
            raise InvalidPath(f"it has more than {MAX_CHARACTERS} characters")
        try:
            parsed = _JSONPATH.compile(text)
            assert isinstance(parsed, jsonpath.JSONPath)  # a union of paths is no part of RFC 9535
            self._query = _compile_query(parsed)
            self._steps = _singular_steps(parsed)
        except jsonpath.JSONPathError as error:
            raise InvalidPath(str(error.args[0])) from error
        except (NotImplementedError, ValueError) as error:  # what the library reads beyond RFC 9535
            raise InvalidPath(str(error)) from error
        except RecursionError:
            raise InvalidPath("its filters are nested too deep") from None
        self._parsed = parsed

    @property
    def is_singular(self) -> bool:
        """Whether the path consists of names and indices only, so that it selects at most one value."""
        return self._steps is not None

    def find_small(self, document: Document) -> list[Json] | None:
        """Return what a singular path finds if that is nothing or small, so that no work needs to be counted, else
        None.
        """
        if self._steps is None:
            return None
        found = _follow(document, self._steps)
        if not found:
            return found
        value = found[0]
        is_large = len(value) > _SMALL if isinstance(value, str) else isinstance(value, dict | list)
        return None if is_large else found

    def find(self, document: Document, budget: Budget) -> list[Json]:
        """Return the selected values in document order. Raises BudgetExceeded."""
        found = self._query(document, Evaluation(document, budget))
        # Selected values may overlap, so that together they are larger than the document.
        for value in found:
            kind = type(value)
            if kind is str:
                budget.spend(len(cast(str, value)) // RESULT_BYTES_PER_STEP)
            elif kind is dict or kind is list:
                budget.spend(len(encode(value)) // RESULT_BYTES_PER_STEP)
        return found

    @property
    def mistake(self) -> str | None:
        """Reason why a new definition must not use the path, or None."""
        return mistake_of(self._parsed)


def mistake_in(text: str) -> str | None:
    """Return why a new definition must not have this path, or None."""
    path = compiled(text)
    return f"is no JSONPath (RFC 9535): {path}" if isinstance(path, InvalidPath) else path.mistake


@lru_cache(maxsize=4096)
def compiled(text: str) -> Path | InvalidPath:
    """Return the path, or why the text is not one."""
    try:
        return Path(text)
    except InvalidPath as error:
        return error


def _singular_steps(path: jsonpath.JSONPath) -> tuple[str | int, ...] | None:
    if not path.singular_query():
        return None
    steps: list[str | int] = []
    for segment in path.segments:
        match segment.selectors[0]:
            case selectors.NameSelector(name=name):
                steps.append(name)
            case selectors.IndexSelector(index=index):
                steps.append(index)
    return tuple(steps)


def _follow(value: Json, steps: Sequence[str | int]) -> list[Json]:
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, dict) or step not in value:
                return []
            value = value[step]
        else:
            if not isinstance(value, list) or not -len(value) <= step < len(value):
                return []
            value = value[step]
    return [value]


def _compile_query(path: jsonpath.JSONPath) -> Query:
    steps = _singular_steps(path)
    if steps is not None:
        return lambda start, at: _follow(start, steps)
    compiled_segments = [_compile_segment(segment) for segment in path.segments]

    def query(start: Json, at: Evaluation) -> list[Json]:
        nodes = [start]
        for segment in compiled_segments:
            nodes = segment(nodes, at)
        return nodes

    return query


def _compile_segment(segment: segments.JSONPathSegment) -> Callable[[list[Json], Evaluation], list[Json]]:
    selects = [_compile_selector(selector) for selector in segment.selectors]
    descends = isinstance(segment, segments.JSONPathRecursiveDescentSegment)

    def apply(nodes: list[Json], at: Evaluation) -> list[Json]:
        at.budget.spend(len(nodes) * len(selects))
        found: list[Json] = []
        for node in nodes:
            for visited in _containers(node, at.budget) if descends else (node,):
                for select in selects:
                    found += select(visited, at)
        return found

    return apply


def _containers(value: Json, budget: Budget) -> Iterator[Json]:
    """Yield the arrays and objects of a value, itself first, each before what is in it."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict | list):
            yield node
            budget.spend(len(node) + _STEPS_PER_CONTAINER)
            children = node.values() if isinstance(node, dict) else node
            pending += [child for child in reversed(children) if type(child) is dict or type(child) is list]


def _compile_selector(selector: selectors.JSONPathSelector) -> Select:
    match selector:
        case selectors.NameSelector(name=name):
            return lambda node, at: (node[name],) if isinstance(node, dict) and name in node else ()
        case selectors.IndexSelector(index=index):
            return lambda node, at: _follow(node, (index,))
        case selectors.SliceSelector(slice=part):
            return lambda node, at: _slice(node, part, at)
        case selectors.WildcardSelector():
            return _children
        case selectors.Filter(expression=expression):
            test = FilterCompiler(_compile_query).test(expression)
            cost = 1 + sum(1 for _ in parts(expression))
            return lambda node, at: [child for child in _children(node, at, cost) if test(child, at)]
    raise NotImplementedError(f"a selection by {type(selector).__name__}")


def _children(node: Json, at: Evaluation, cost: int = 1) -> Iterable[Json]:
    if not isinstance(node, dict | list):
        return ()
    at.budget.spend(len(node) * cost)
    return node.values() if isinstance(node, dict) else node


def _slice(node: Json, part: slice, at: Evaluation) -> Iterable[Json]:
    if not isinstance(node, list) or part.step == 0:
        return ()
    at.budget.spend(len(range(*part.indices(len(node)))))
    return node[part]
