"""Limits for paths of new definitions, which exclude what would be too expensive for every document."""

from collections.abc import Iterator
from typing import Final

from jsonpath import JSONPath, segments, selectors
from jsonpath import filter as tree

from procvars.domain.rules.patterns import InvalidPattern, compiled

MAX_DESCENTS: Final = 3
MAX_FILTER_DEPTH: Final = 3
MAX_EXPRESSION_DEPTH: Final = 32


def mistake_of(path: JSONPath) -> str | None:
    """Return what is wrong with a parsed path, as a continuation of the path's text, or None."""
    descents, depth = _nesting(path)
    if descents > MAX_DESCENTS:
        return f"descends through the document {descents} times, more than {MAX_DESCENTS}"
    if depth > MAX_FILTER_DEPTH:
        return f"has filters {depth} deep in each other, more than {MAX_FILTER_DEPTH}"
    if _expression_depth(path) > MAX_EXPRESSION_DEPTH:
        return f"has expressions more than {MAX_EXPRESSION_DEPTH} deep in each other"
    for text in _literal_patterns(path):
        if isinstance(why := compiled(text), InvalidPattern):
            return f"has {text!r} for a pattern: {why}"
    return None


def parts(expression: tree.BaseExpression) -> Iterator[tree.BaseExpression]:
    """Yield an expression and all parts of it, without those of the queries in it."""
    pending = [expression]
    while pending:
        part = pending.pop()
        yield part
        if not isinstance(part, tree.FilterQuery):
            pending += part.children()


def _nesting(path: JSONPath) -> tuple[int, int]:
    """Return how many descents multiply each other in the worst case, and how deep filters are nested."""
    descents = sum(isinstance(segment, segments.JSONPathRecursiveDescentSegment) for segment in path.segments)
    inner = [_nesting(query.path) for query in _filter_queries(path)]
    return (
        descents + max((found for found, _ in inner), default=0),
        bool(_filters(path)) + max((depth for _, depth in inner), default=0),
    )


def _expression_depth(path: JSONPath) -> int:
    """Return how deep operators, functions and queries are nested in the filters of a path."""
    depth = 0
    level: list[tree.BaseExpression] = _filters(path)
    while level:
        depth += 1
        level = [
            inner
            for expression in level
            for inner in (
                _filters(expression.path) if isinstance(expression, tree.FilterQuery) else expression.children()
            )
        ]
    return depth


def _filters(path: JSONPath) -> list[tree.BaseExpression]:
    return [
        selector.expression
        for segment in path.segments
        for selector in segment.selectors
        if isinstance(selector, selectors.Filter)
    ]


def _filter_queries(path: JSONPath) -> Iterator[tree.FilterQuery]:
    for expression in _filter_expressions(path):
        if isinstance(expression, tree.FilterQuery):
            yield expression


def _literal_patterns(path: JSONPath) -> Iterator[str]:
    for expression in _filter_expressions(path):
        match expression:
            case tree.FilterQuery():
                yield from _literal_patterns(expression.path)
            case tree.FunctionExtension(name="match" | "search", args=[_, tree.StringLiteral(value=text)]):
                yield text


def _filter_expressions(path: JSONPath) -> Iterator[tree.BaseExpression]:
    for expression in _filters(path):
        yield from parts(expression)
