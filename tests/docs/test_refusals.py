"""docs/tasks.md describes every problem type that the API can give to an edit."""

import re

from procvars.api.http.problems import PROBLEM_TYPES
from tests.docs.pages import ROOT, table_rows

PAGE = ROOT / "docs" / "tasks.md"
INTERNAL_ERROR = ("internal-error", 500)
"""In no table of problem types: it is the answer to what nobody foresaw."""

NOT_FOR_EDITS = {
    # reading
    "no-such-version",
    "no-such-audit-entry",
    "position-unknown",
    "projection-behind",
    "search-unavailable",
    # the process engine
    "invalid-definition",
    "instance-already-exists",
    "instance-not-active",
    "invalid-transition",
    "integration-already-answered",
    "task-already-closed",
    "no-such-navigation-snapshot",
    "no-such-integration",
    "no-such-task",
    # real engines
    "no-such-incident",
    "not-of-an-engine",
    "nothing-to-resolve",
    "delivery-pending",
    "incident-not-retryable",
    "engine-unavailable",
    "engine-refused",
    # bulk modifications
    "no-such-bulk-modification",
    "bulk-modification-running",
    "bulk-change-too-large",
    "too-many-instances",
    "selection-changed",
    # imports
    "invalid-history",
    "history-conflict",
    "history-too-large",
    "line-too-long",
    # consumers of the feed
    "no-such-consumer",
    "too-many-consumers",
    # projections
    "no-such-projection",
    "not-parked",
    "rebuild-running",
    "rebuild-failed",
    # the console's files and sign-in
    "console-not-built",
    "provider-unavailable",
}


def described() -> set[tuple[str, int]]:
    found = set()
    for cells in table_rows(PAGE):
        slug = re.fullmatch(r"`([a-z-]+)`", cells[0])
        if slug and cells[1].isdigit():
            assert all(cells), f"{slug[1]} has an empty cell"
            found.add((slug[1], int(cells[1])))
    return found


def test_every_refusal_of_an_edit_is_described() -> None:
    """With its status. A new problem type is described in docs/tasks.md, or listed above as none of an edit's."""
    types = {(problem.slug, problem.status) for problem in PROBLEM_TYPES.values()}
    assert {slug for slug, _ in types} >= NOT_FOR_EDITS
    assert described() == {one for one in types if one[0] not in NOT_FOR_EDITS} | {INTERNAL_ERROR}


def test_the_openapi_document_has_no_other_refusal_of_an_edit() -> None:
    """What the routes of edits declare is among what the page describes."""
    from procvars.api.http.openapi import EDITS

    assert set(EDITS) <= {slug for slug, _ in described()}
