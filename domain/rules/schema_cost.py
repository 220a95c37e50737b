"""Cost of validating a value against a JSON Schema: how many subschemas apply to each part of the value.

The subschemas that apply at a place are a state, and a step into the value leads to the next state. A subschema that
applies to the same value in several ways is counted as often as jsonschema-rs evaluates it: once per way, but recursive
subschemas once.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush
from typing import Final

from procvars.domain.documents.values import Json
from procvars.domain.rules.budget import Budget
from procvars.domain.rules.patterns import category_positions, positions
from procvars.domain.rules.schema_graph import SchemaGraph
from procvars.domain.rules.subschema import InvalidSchema, Subschema

MAX_APPLIED_TO_A_VALUE: Final = 1_000
MAX_PATTERNS: Final = 100
# Each takes half a millisecond to compile, and 30 KB (measured).
MAX_CATEGORY_POSITIONS: Final = 200
_MAX_DEPTH: Final = 200
_MAX_WORK: Final = 200_000
_WORK_TO_SPREAD: Final = 5
# Nested `unevaluated…` evaluate their neighbours again, 2.5 times (measured).
_EVALUATIONS_FOR_UNEVALUATED: Final = 3
# Comparing many items takes some sixty times as long as checking their types (measured).
_STEPS_FOR_A_UNIQUE_VALUE: Final = 60
_LOOKUPS_PER_STEP: Final = 8
# Following one position of a pattern over a character takes up to 8 ns, mostly far less, and a step 10 ns.
_POSITIONS_PER_STEP: Final = 4
_BYTES_PER_VALUE: Final = 2

Applied = dict[Subschema, int]
"""Subschema → how often it applies to a value."""

# Represents the comparison of whole items: it applies to everything in an item.
_COMPARED: Final = Subschema("", True, "")
_COMPARED.other_members = _COMPARED.items = [_COMPARED]


class State:
    """Subschemas that apply to a value, and their cost."""

    def __init__(self, costs: "SchemaCosts", applied: Applied) -> None:
        self._costs = costs
        self._following: dict[str | int | None, State] = {}
        self._names = {name for subschema in applied for name in subschema.members}
        self._first_items = max((len(subschema.first_items) for subschema in applied), default=0)
        self.applied = applied
        self.steps = sum(times * _own_steps(subschema) for subschema, times in applied.items())
        self.steps_per_character = sum(times * costs.pattern(subschema) for subschema, times in applied.items())
        self.steps_per_name_character = sum(times * costs.names(subschema) for subschema, times in applied.items())

    @property
    def steps_per_byte(self) -> float:
        """Steps that a byte of JSON can cost here, at most."""
        return self.steps / _BYTES_PER_VALUE + max(self.steps_per_character, self.steps_per_name_character)

    def member(self, name: str) -> "State":
        """Return the state of a member's value."""
        key = name if name in self._names else None
        return self._step(key, lambda subschema: _for_member(subschema, key))

    def item(self, index: int) -> "State":
        """Return the state of an array's item."""
        key = min(index, self._first_items)
        return self._step(key, lambda subschema: _for_item(subschema, key))

    def steps_into(self) -> Iterator["State"]:
        """Yield every state that a step into the value can lead to."""
        yield from map(self.member, self._names)
        yield self._step(None, lambda subschema: _for_member(subschema, None))
        yield from map(self.item, range(self._first_items + 1))

    def _step(self, key: str | int | None, inner: Callable[[Subschema], Iterable[Subschema]]) -> "State":
        known = self._following.get(key)
        if known is None:
            self._costs.count(len(self.applied))
            applied: Applied = {}
            for subschema, times in self.applied.items():
                for entered in inner(subschema):
                    _add(applied, entered, times)
            known = self._following[key] = self._costs.state(applied)
        return known


class SchemaCosts:
    """Costs of a schema. States are created when they are first reached."""

    def __init__(self, graph: SchemaGraph) -> None:
        """Compute the costs. Raises InvalidSchema if too many subschemas would apply to a single value."""
        self._states: dict[frozenset[tuple[Subschema, int]], State] = {}
        self._depth = {subschema: depth for depth, subschema in enumerate([_COMPARED, *graph.subschemas])}
        self._patterns = _pattern_costs(graph)
        self._work = 0
        self._root = self.state({graph.root: 1})
        self.steps_per_byte = self._highest_steps_per_byte()

    def charge(self, document: Json, budget: Budget) -> None:
        """Count what a document costs. Raises BudgetExceeded."""
        budget.spend(int(self._root.steps))
        pending = [(document, self._root)]
        while pending:
            value, state = pending.pop()
            for child, entered in _entered(value, state, budget):
                if isinstance(child, str):
                    budget.spend(int(len(child) * entered.steps_per_character))
                elif entered.applied and isinstance(child, dict | list):
                    pending.append((child, entered))

    def state(self, entered: Applied) -> State:
        """Return the state of a value to which these subschemas, and those that follow from them, apply."""
        applied = self._spread(entered)
        key = frozenset(applied.items())
        known = self._states.get(key)
        if known is None:
            known = self._states[key] = State(self, applied)
        return known

    def count(self, work: int) -> None:
        """Count the work of computing the costs. Raises InvalidSchema if that itself is too much."""
        self._work += work
        if self._work > _MAX_WORK:
            raise InvalidSchema("", "its subschemas apply to the same values in too many combinations")

    def pattern(self, subschema: Subschema) -> float:
        """Return the steps for a character of a text."""
        content = subschema.content
        return (
            self._patterns.get(str(content["pattern"]), 0.0)
            if isinstance(content, dict) and "pattern" in content
            else 0.0
        )

    def names(self, subschema: Subschema) -> float:
        """Return the steps for a character of a member's name."""
        by_schema = sum(self.pattern(other) for name in subschema.names for other in self._spread({name: 1}))
        return by_schema + sum(self._patterns[pattern] for pattern in subschema.patterns)

    def _spread(self, entered: Applied) -> Applied:
        """Return how often each subschema applies to a value that the entered ones apply to. Raises InvalidSchema."""
        applied = dict(entered)
        outermost = [(-self._depth[subschema], id(subschema), subschema) for subschema in applied]
        heapify(outermost)
        while outermost:
            _, _, subschema = heappop(outermost)
            for other in subschema.same_value:
                if other not in applied:
                    heappush(outermost, (-self._depth[other], id(other), other))
                _add(applied, other, applied[subschema] * _evaluations(subschema))
        if sum(applied.values()) > MAX_APPLIED_TO_A_VALUE:
            where = max(applied, key=lambda subschema: applied[subschema]).pointer
            raise InvalidSchema(where, f"more than {MAX_APPLIED_TO_A_VALUE} subschemas would apply to a single value")
        self.count(_WORK_TO_SPREAD * len(applied))
        return applied

    def _highest_steps_per_byte(self) -> float:
        highest = 0.0
        pending, seen = [self._root], {self._root}
        while pending:
            state = pending.pop()
            highest = max(highest, state.steps_per_byte)
            for following in state.steps_into():
                if following not in seen:
                    seen.add(following)
                    pending.append(following)
        return highest


def _entered(value: Json, state: State, budget: Budget) -> list[tuple[Json, State]]:
    """Return the values in a value with their states, counting them first: a budget ends before a long array does."""
    if isinstance(value, dict):
        budget.spend(int(sum(map(len, value)) * state.steps_per_name_character))
        members = [(child, state.member(name)) for name, child in value.items()]
        budget.spend(int(sum(entered.steps for _, entered in members)))
        return members
    assert isinstance(value, list)
    budget.spend(int(len(value) * state.item(len(value)).steps))
    return [(child, state.item(index)) for index, child in enumerate(value)]


def _for_member(subschema: Subschema, name: str | None) -> list[Subschema]:
    if name is not None and name in subschema.members:
        return [subschema.members[name], *subschema.patterns.values(), *subschema.names]
    return [*subschema.patterns.values(), *subschema.other_members, *subschema.names]


def _for_item(subschema: Subschema, index: int) -> list[Subschema]:
    content = subschema.content
    compared = [_COMPARED] if isinstance(content, dict) and content.get("uniqueItems") is True else []
    return [*subschema.first_items[index : index + 1], *subschema.items, *compared]


def _add(applied: Applied, subschema: Subschema, times: int) -> None:
    most = 1 if subschema.recursive else _MAX_DEPTH if subschema is _COMPARED else times + applied.get(subschema, 0)
    applied[subschema] = min(most, times + applied.get(subschema, 0))


def _evaluations(subschema: Subschema) -> int:
    content = subschema.content if isinstance(subschema.content, dict) else {}
    return _EVALUATIONS_FOR_UNEVALUATED if any(keyword.startswith("unevaluated") for keyword in content) else 1


def _own_steps(subschema: Subschema) -> float:
    if subschema is _COMPARED:
        return _STEPS_FOR_A_UNIQUE_VALUE
    content = subschema.content if isinstance(subschema.content, dict) else {}
    looked_up = sum(len(value) for value in content.values() if isinstance(value, dict | list))
    return 1 + looked_up / _LOOKUPS_PER_STEP


def _pattern_costs(graph: SchemaGraph) -> dict[str, float]:
    found: dict[str, float] = {}
    for subschema in graph.subschemas:
        content = subschema.content if isinstance(subschema.content, dict) else {}
        own = [content["pattern"]] if isinstance(content.get("pattern"), str) else []
        for pattern in [*own, *subschema.patterns]:
            if len(found) > MAX_PATTERNS:
                raise InvalidSchema(subschema.pointer, f"the schema has more than {MAX_PATTERNS} patterns")
            found[str(pattern)] = positions(str(pattern)) / _POSITIONS_PER_STEP
    if sum(map(category_positions, found)) > MAX_CATEGORY_POSITIONS:
        message = (
            f"its patterns have Unicode categories at more than {MAX_CATEGORY_POSITIONS} positions, repetitions counted"
        )
        raise InvalidSchema("", message)
    return found
