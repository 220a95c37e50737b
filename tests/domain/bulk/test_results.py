"""What became of an instance is a skip where a condition does not hold, a failure otherwise, and never long."""

import pytest

from procvars.domain.bulk.change import UndoModifications, change_of
from procvars.domain.bulk.job import Outcome, Selected, digest_of
from procvars.domain.bulk.results import LARGEST_DETAIL, refusal
from procvars.domain.documents.documents import encode
from procvars.domain.documents.errors import PatchFailed
from procvars.domain.documents.values import Document
from procvars.domain.editing import ApplyMergePatch, ApplyPatch
from procvars.domain.errors import (
    DomainError,
    InstanceNotEditable,
    InstanceNotFound,
    InvalidArgument,
    SchemaViolation,
    VersionConflict,
)

PATCH = ApplyPatch([{"op": "test", "path": "/a", "value": 1}, {"op": "remove", "path": "/a"}])


@pytest.mark.parametrize(
    ("error", "outcome", "problem"),
    [
        (InstanceNotEditable(instance_status="FAILED"), Outcome.SKIPPED, "instance-not-editable"),
        (PatchFailed(0, "the value differs"), Outcome.SKIPPED, "patch-failed"),
        (VersionConflict(conflicting_paths=["/a"]), Outcome.SKIPPED, "version-conflict"),
        (PatchFailed(1, "there is nothing"), Outcome.FAILED, "patch-failed"),
        (SchemaViolation(errors=[]), Outcome.FAILED, "schema-violation"),
        (InstanceNotFound(), Outcome.FAILED, "instance-not-found"),
    ],
)
def test_refusals_are_skips_or_failures(error: DomainError, outcome: Outcome, problem: str) -> None:
    """The problem is named as the API names it, with its members."""
    result = refusal(error, PATCH)
    assert (result.outcome, result.detail["problem"]) == (outcome, problem)
    assert error.members.items() <= result.detail.items()


def test_long_members_are_left_out_by_name() -> None:
    """Whatever a refusal says, a job keeps little of it."""
    result = refusal(SchemaViolation(errors=[{"path": "/a", "message": "x" * 5000}]), PATCH)
    assert result.detail["omitted"] == ["errors"]
    assert len(encode(result.detail)) < LARGEST_DETAIL


def test_a_request_names_one_change() -> None:
    """A patch, a merge patch, or an undo."""
    assert change_of({"patch": []}) == ApplyPatch([])
    assert change_of({"merge": {"a": 1}, "patch": None}) == ApplyMergePatch({"a": 1})
    assert change_of({"undo": True}) == UndoModifications()
    requests: list[Document] = [{}, {"patch": [], "undo": True}]
    for request in requests:
        with pytest.raises(InvalidArgument):
            change_of(request)


def test_a_digest_is_of_instances_and_of_the_modifications_to_undo() -> None:
    """Others of either make another digest."""
    digests = {
        digest_of(selection)
        for selection in (
            [],
            [Selected("a")],
            [Selected("a"), Selected("b")],
            [Selected("a", (2,))],
            [Selected("a", (3,))],
        )
    }
    assert len(digests) == 5
    assert digest_of([Selected("a", (2,))]) in digests
