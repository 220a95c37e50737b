"""Filter expressions of JSONPath (RFC 9535, 2.3.5), compiled from the parser's tree into functions of the current node."""

from collections.abc import Callable
from typing import Final, NamedTuple, Protocol

from jsonpath import filter as tree
from jsonpath.path import JSONPath

from procvars.domain.documents.numbers import is_number, worth_less, worth_the_same
from procvars.domain.documents.values import Json
from procvars.domain.rules.budget import Budget
from procvars.domain.rules.patterns import Pattern, compiled, found_pattern


class Evaluation(NamedTuple):
    """Context of an evaluation besides the current node."""

    root: Json
    budget: Budget


class Nothing:
    """The value of a query that selects no node, and of a function that does not apply (RFC 9535, 2.4.1)."""


NOTHING: Final = Nothing()

Value = Callable[[Json, Evaluation], Json | Nothing]
Test = Callable[[Json, Evaluation], bool]
Query = Callable[[Json, Evaluation], list[Json]]

# Some hundred characters of texts are compared in the time of a step.
_CHARACTERS_PER_STEP: Final = 256


class CompileQuery(Protocol):
    """Compiler of the queries inside a filter."""

    def __call__(self, path: JSONPath) -> Query: ...


class FilterCompiler:
    """Compiler of filter expressions; `query` compiles the queries in them."""

    def __init__(self, query: CompileQuery) -> None:
        self._query = query

    def test(self, expression: tree.BaseExpression) -> Test:
        """Return the test that an expression of logical type is."""
        match expression:
            case tree.FilterExpression():
                return self.test(expression.expression)
            case tree.PrefixExpression():
                negated = self.test(expression.right)
                return lambda node, at: not negated(node, at)
            case tree.InfixExpression() if expression.operator == "&&":
                left, right = self.test(expression.left), self.test(expression.right)
                return lambda node, at: left(node, at) and right(node, at)
            case tree.InfixExpression() if expression.operator == "||":
                left, right = self.test(expression.left), self.test(expression.right)
                return lambda node, at: left(node, at) or right(node, at)
            case tree.InfixExpression():
                return _comparison(expression.operator, self._value(expression.left), self._value(expression.right))
            case tree.FilterQuery():
                selected = self._selected(expression)
                return lambda node, at: bool(selected(node, at))
            case tree.FunctionExtension(name="match"):
                return self._pattern_test(expression, Pattern.matches)
            case tree.FunctionExtension(name="search"):
                return self._pattern_test(expression, Pattern.occurs_in)
        raise NotImplementedError(f"a test by {type(expression).__name__}")

    def _value(self, expression: tree.BaseExpression) -> Value:
        match expression:
            case tree.Nil():
                return lambda node, at: None
            case tree.FilterExpressionLiteral():
                literal: Json = expression.value
                return lambda node, at: literal
            case tree.FilterQuery():
                selected = self._selected(expression)
                return lambda node, at: _only(selected(node, at))
            case tree.FunctionExtension(name="length"):
                value = self._value(expression.args[0])
                return lambda node, at: _length(value(node, at))
            case tree.FunctionExtension(name="count", args=[tree.FilterQuery() as argument]):
                selected = self._selected(argument)
                return lambda node, at: len(selected(node, at))
            case tree.FunctionExtension(name="value", args=[tree.FilterQuery() as argument]):
                selected = self._selected(argument)
                return lambda node, at: _only(selected(node, at))
        raise NotImplementedError(f"a value by {type(expression).__name__}")

    def _pattern_test(self, call: tree.FunctionExtension, applies: Callable[[Pattern, str, Budget], bool]) -> Test:
        text = self._value(call.args[0])
        find_pattern = self._pattern(call.args[1])

        def test(node: Json, at: Evaluation) -> bool:
            found = text(node, at)
            if not isinstance(found, str):
                return False
            pattern = find_pattern(node, at)
            return pattern is not None and applies(pattern, found, at.budget)

        return test

    def _pattern(self, expression: tree.BaseExpression) -> Callable[[Json, Evaluation], Pattern | None]:
        """Return a function for the pattern, which is None for an invalid one, matching nothing (RFC 9535, 2.4.6)."""
        if isinstance(expression, tree.StringLiteral):
            literal = compiled(expression.value)
            pattern = literal if isinstance(literal, Pattern) else None
            return lambda node, at: pattern
        value = self._value(expression)

        def find(node: Json, at: Evaluation) -> Pattern | None:
            text = value(node, at)
            return found_pattern(text, at.budget) if isinstance(text, str) else None

        return find

    def _selected(self, expression: tree.FilterQuery) -> Query:
        query = self._query(expression.path)
        if isinstance(expression, tree.RootFilterQuery):
            return lambda node, at: query(at.root, at)
        return query


def _only(values: list[Json]) -> Json | Nothing:
    return values[0] if len(values) == 1 else NOTHING


def _length(value: Json | Nothing) -> Json | Nothing:
    return len(value) if isinstance(value, str | list | dict) else NOTHING


def _comparison(symbol: str, left: Value, right: Value) -> Test:
    compare = _COMPARISONS.get(symbol)
    if compare is None:
        raise NotImplementedError(f"a comparison by {symbol}")
    return lambda node, at: compare(left(node, at), right(node, at), at.budget)


def _equal(left: Json | Nothing, right: Json | Nothing, budget: Budget) -> bool:
    """Compare by value: 1 and 1.0 are equal, 1 and true are not (RFC 9535, 2.3.5.2.2)."""
    if type(left) is int and type(right) is int:
        return left == right
    pending = [(left, right)]
    while pending:
        one, other = pending.pop()
        if one is other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            budget.spend(len(one) + 1)
            pending += [(value, other[name]) for name, value in one.items()]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            budget.spend(len(one) + 1)
            pending += zip(one, other, strict=True)
        elif isinstance(one, str) and isinstance(other, str):
            budget.spend(len(one) // _CHARACTERS_PER_STEP)
            if one != other:
                return False
        elif not (is_number(one) and is_number(other) and worth_the_same(one, other)):
            return False
    return True


def _less(left: Json | Nothing, right: Json | Nothing, budget: Budget) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        budget.spend(len(left) // _CHARACTERS_PER_STEP)
        return left < right
    return is_number(left) and is_number(right) and worth_less(left, right)


_COMPARISONS: Final[dict[str, Callable[[Json | Nothing, Json | Nothing, Budget], bool]]] = {
    "==": _equal,
    "!=": lambda left, right, budget: not _equal(left, right, budget),
    "<": _less,
    ">": lambda left, right, budget: _less(right, left, budget),
    "<=": lambda left, right, budget: _less(left, right, budget) or _equal(left, right, budget),
    ">=": lambda left, right, budget: _less(right, left, budget) or _equal(left, right, budget),
}
