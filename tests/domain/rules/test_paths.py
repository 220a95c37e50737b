"""Paths of a definition: they find what RFC 9535 says, and the work that they may cost is bounded."""

import sys
from typing import Any

import jsonpath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procvars.adapters import exact_json
from procvars.domain.documents.documents import canonical, encode
from procvars.domain.documents.values import Document, Json
from procvars.domain.rules.budget import Allowance, Budget, BudgetExceeded
from procvars.domain.rules.extraction import extract, extraction
from procvars.domain.rules.paths import MAX_CHARACTERS, InvalidPath, Path, mistake_in
from tests.big_integers import big_integer
from tests.domain.documents.json_strategies import documents

LIBRARY = jsonpath.JSONPathEnvironment(strict=True)
NO_LIMIT = 10**12

_names = st.sampled_from(["a", "b", "0", "ä", "~"])
_singular = st.lists(_names.map("['{}']".format) | st.integers(-3, 3).map("[{}]".format), max_size=2).map("".join)
_comparable = st.one_of(
    _singular.map("@{}".format),
    _singular.map("${}".format),
    st.sampled_from(["1", "1.0", "0", "-0.0", "true", "null", "'a'", "''", "length(@)", "count(@.*)", "value(@..a)"]),
)
_tests = st.one_of(
    st.tuples(_comparable, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), _comparable).map(" ".join),
    st.sampled_from(["@.a", "!@.a", "@.*", "$..b", "match(@.a, 'a.*')", "search(@, '[a-z]+')", "@[?@.a]"]),
)
_filters = st.one_of(
    _tests,
    st.tuples(_tests, _tests).map(" && ".join),
    st.tuples(_tests, _tests).map(" || ".join),
    _tests.map("!({})".format),
)
_selectors = st.one_of(
    _names.map("'{}'".format),
    st.integers(-3, 3).map(str),
    st.just("*"),
    _filters.map("?{}".format),
)
_segments = st.tuples(st.sampled_from(["", ".."]), st.lists(_selectors, min_size=1, max_size=2).map(", ".join)).map(
    lambda segment: f"{segment[0]}[{segment[1]}]"
)
paths = st.lists(_segments, max_size=3).map(lambda segments: "$" + "".join(segments))


def nested(levels: int, name: str = "name", inner: Json = 1) -> Document:
    document: Document = {name: inner}
    for _ in range(levels - 1):
        document = {name: document}
    return document


def found(path: str, document: Document) -> list[Json]:
    return Path(path).find(document, Budget(NO_LIMIT))


@given(paths, documents)
def test_a_path_finds_what_the_library_finds(path: str, document: Document) -> None:
    """The evaluation is ours, for its budget; what is found is not."""
    expected: Any = LIBRARY.findall(path, document)
    if any(symbol in path for symbol in "=<>"):
        return  # the library compares the values in arrays and objects as Python does
    assert canonical(found(path, document)) == canonical(expected)


@given(paths, documents)
def test_a_path_that_compares_finds_what_the_library_finds(path: str, document: Document) -> None:
    """Where no boolean and no `Number` is around, Python's equality is JSONPath's."""
    if exact_json.dumps(document).startswith(b" "):
        return
    if b"true" not in encode(document) and b"false" not in encode(document) and "true" not in path:
        assert canonical(found(path, document)) == canonical(LIBRARY.findall(path, document))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "document", "expected"),
    [
        ("$.l[?@ == $.x]", {"l": [[1], [True], [1.0]], "x": [1]}, [[1], [1.0]]),
        ("$.l[?@ == $.x]", {"l": [{"a": 0}, {"a": False}], "x": {"a": False}}, [{"a": False}]),
        ("$.l[?@ == 1]", {"l": [1, 1.0, True, "1"]}, [1, 1.0]),
        ("$.l[?@ >= true]", {"l": [True, False, 1]}, [True]),
        ("$.l[?@.a == @.b]", {"l": [{}, {"a": 1}]}, [{}]),
        (
            "$.l[?@ == $.x]",
            {"l": [big_integer(2**64), big_integer(2**64 + 1)], "x": big_integer(2**64)},
            [big_integer(2**64)],
        ),
    ],
)
def test_values_are_compared_as_json(path: str, document: Document, expected: list[Json]) -> None:
    """1 and true are not equal, however deep in an array or object they are (RFC 9535, 2.3.5.2.2)."""
    assert canonical(found(path, document)) == canonical(expected)


@given(*[st.none() | st.integers(-4, 4)] * 3, st.lists(st.integers(), max_size=5))
def test_a_slice_selects_items_as_python_does(
    start: int | None, stop: int | None, step: int | None, items: list[Json]
) -> None:
    """RFC 9535, 2.3.4, of arrays alone: the library slices texts too. A step of 0 selects nothing."""
    text = ":".join("" if number is None else str(number) for number in (start, stop, step))
    expected = [] if step == 0 else items[start:stop:step]
    assert found(f"$.l[{text}]", {"l": items}) == expected
    assert found(f"$.l[{text}]", {"l": "text"}) == []


@pytest.mark.parametrize("levels", [151, 200])
def test_deep_documents_are_searched(levels: int) -> None:
    """A document may be 200 levels deep, whatever Python's recursion limit leaves to the caller."""
    document = nested(levels)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150)
    try:
        assert len(extract([Rule("n", "$..name")], document)["n"]) == levels  # type: ignore[arg-type]
    finally:
        sys.setrecursionlimit(limit)


class Rule:
    def __init__(self, key: str, path: str) -> None:
        self.key, self.path = key, path


@pytest.mark.parametrize(
    ("path", "document"),
    [
        ("$..*..*..*..*..*..*", nested(100, "s")),
        ("$..*..*..*", nested(200, "s")),
        ("$..[?$..*]", {"l": list(range(2_000))}),
        ("$.l[?$.big == $.other]", {"l": [0] * 2_000, "big": [0] * 1_000, "other": [0] * 1_000}),
        ("$.l[?$.big == $.other]", {"l": [0] * 2_000, "big": "x" * 100_000, "other": "x" * 100_000}),
        ("$.l[?$.big < $.other]", {"l": [0] * 2_000, "big": "x" * 100_000, "other": "x" * 100_000}),
        ("$.l[?search($.text, 'x.*y')]", {"l": [0] * 2_000, "text": "x" * 50_000}),
        ("$.l[?search(@, @)]", {"l": ["[a-z]{9}{9}", *(f"(\\p{{L}}{{100}}){n}" for n in range(200))]}),
        ("$['l'," + ",".join(["'l'"] * 200) + "]", {"l": ["x" * 1_000] * 100}),
        ("$.l[0" + ",0" * 300 + "]", {"l": [nested(150)]}),
        ("$..*", nested(200, "s" * 50)),
    ],
)
def test_work_without_measure_is_refused(path: str, document: Document) -> None:
    """Nodes, comparisons, patterns and the size of what is found all count."""
    outcome = extraction([Rule("worst", path), Rule("other", "$.l[0]")], document)
    assert [rule.key for rule in outcome.too_expensive] == ["worst"]
    assert "worst" not in outcome.values


def test_a_budget_ends_an_evaluation_soon_after_it_is_spent() -> None:
    """The work that is done before a path is refused depends on the budget, not on the path."""
    document: Document = {"l": [nested(150, "s") for _ in range(40)]}
    for path in ("$..*..*..*..*..*..*", "$..[?$..*]", "$..*[?@..*..*]"):
        budget = Budget(10_000)
        with pytest.raises(BudgetExceeded):
            Path(path).find(document, budget)
        assert budget.spent < 10_000 + 5_000 * 3


def test_a_descent_through_a_large_document_of_common_shape_is_no_work_without_measure() -> None:
    """What is asked of every large document: a name, wherever it is. The budget grows with the document."""
    customer: Json = {
        "id": 17,
        "name": "Ada",
        "address": {"zip": "8001", "city": "Zürich"},
        "tags": ["a", "b"],
        "active": True,
    }
    document: Document = {"customers": [customer] * 20_000}
    rules = [Rule(f"k{n}", path) for n, path in enumerate(["$..name", "$..zip", "$.customers[*].address.city"])]
    outcome = extraction(rules, document)
    assert outcome.too_expensive == []
    assert [len(value) for value in outcome.values.values()] == [20_000] * 3  # type: ignore[arg-type]


def test_all_paths_of_a_group_share_a_budget() -> None:
    """A hundred paths that are just affordable are not, together."""
    document: Document = {"l": [[0] * 100 for _ in range(45)]}
    outcome = extraction([Rule(str(n), "$..*..x" if n else "$..*") for n in range(100)], document)
    assert {"0", "1"} <= outcome.values.keys() | {"1"}
    assert len(outcome.too_expensive) > 90


def test_an_allowance_is_the_same_for_everybody() -> None:
    """Nothing but the work counts: the same rules on the same document are refused every time."""
    document: Document = {"l": [[0] * 100 for _ in range(45)]}
    rules = [Rule(str(n), "$..*..*") for n in range(30)]
    refused = [[rule.key for rule in extraction(rules, document).too_expensive] for _ in range(3)]
    assert refused[0] == refused[1] == refused[2] != []
    assert Allowance(document).budget().spent == 0


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("application.name", "no JSONPath"),
        ("$.a | $.b", "no JSONPath"),
        ("$[?@.a =~ /x/]", "no JSONPath"),
        ("$..*..*..*..*..*..*", "descends"),
        ("$..[?@..[?@..a]]..b", "descends"),
        ("$[?@[?@[?@[?@.a]]]]", "filters"),
        ("$[?search(@.s, '(a')]", "pattern"),
        ("$[?search(@.s, '(?=a)b')]", "pattern"),
        ("$[?match(@.s, '(a)\\\\1')]", "pattern"),
        ("$[?@[?match(@.s, '(a{100}){100}')]]", "pattern"),
        ("$[?match(@.s, '[^x]{1000}[^y]{1000}')]", "pattern"),
        ("$" + ".a" * MAX_CHARACTERS, "characters"),
        ("$[?" + "!(" * 300 + "@.a" + ")" * 300 + "]", ""),
        ("$[?" + "!(" * 50 + "@.a" + ")" * 50 + "]", "expressions"),
    ],
)
def test_a_new_definition_must_not_have_such_a_path(path: str, why: str) -> None:
    """What can be known beforehand is said to who publishes the definition, not to who edits."""
    message = mistake_in(path)
    assert message is not None and why in message


@pytest.mark.parametrize(
    "path",
    ["$", "$.a.b[0]", "$..name", "$..items[*].name", "$[?search(@.s,'(a+)+$')]", "$[?match(@.iban, '[A-Z]{2}[0-9]{20}')]",
     "$.items[?@.id == $.chosen && length(@.name) > 3].price", "$[?match(@.name, '\\\\p{Lu}\\\\p{L}+ (\\\\p{L}|-)+')]"],
)  # fmt: skip
def test_a_new_definition_may_have_such_a_path(path: str) -> None:
    """Descents, filters and patterns are fine; so is a pattern that backtracking engines never come back from."""
    assert mistake_in(path) is None


def test_a_text_that_is_no_path_is_told_from_one_that_finds_nothing() -> None:
    """An earlier release may have stored what this one cannot read."""
    outcome = extraction([Rule("old", "no path"), Rule("none", "$.none")], {"a": 1})
    assert ([rule.key for rule in outcome.invalid], outcome.too_expensive, outcome.values) == (["old"], [], {})
    with pytest.raises(InvalidPath):
        Path("no path")
