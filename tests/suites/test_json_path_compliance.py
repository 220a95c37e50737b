"""The JSONPath Compliance Test Suite of RFC 9535 (BSD-2-Clause), as the npm package jsonpath-rfc9535 contains it.

The package is one of the console's development dependencies for that alone: `make install` installs it.
"""

from collections.abc import Iterator
from pathlib import Path as File
from typing import Any

import pytest

from procvars.domain.documents.documents import encode, parse
from procvars.domain.rules.budget import Budget
from procvars.domain.rules.paths import InvalidPath, Path

PACKAGE = File(__file__).parents[2] / "api" / "console" / "node_modules" / "jsonpath-rfc9535"
FILE = PACKAGE / "src" / "__tests__" / "jsonpath-compliance-test-suite" / "cts.json"
NO_LIMIT = 10**9


def cases(*, valid: bool) -> Iterator[Any]:
    suite: Any = parse(FILE.read_bytes())
    for case in suite["tests"]:
        if valid is not case.get("invalid_selector", False):
            yield pytest.param(case, id=case["name"])


@pytest.mark.parametrize("case", list(cases(valid=True)))
def test_a_selector_selects(case: dict[str, Any]) -> None:
    """Values and their order; of the members of an object any order, of which the suite lists all."""
    found = Path(case["selector"]).find(case["document"], Budget(NO_LIMIT))
    allowed = case["results"] if "results" in case else [case["result"]]
    assert encode(found) in [encode(result) for result in allowed]


@pytest.mark.parametrize("case", list(cases(valid=False)))
def test_what_is_no_selector_is_refused(case: dict[str, Any]) -> None:
    """Not well-formed, or not valid."""
    with pytest.raises(InvalidPath):
        Path(case["selector"])
