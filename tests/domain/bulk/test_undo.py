"""The way back from a modification leads to the values before it, and never over what somebody else wrote since."""

from datetime import UTC, datetime

import pytest
from hypothesis import given

from procvars.domain.bulk.undo import undone
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import same
from procvars.domain.documents.values import Document, Json
from procvars.domain.errors import VersionConflict
from procvars.domain.events import ProcessVariablesModified
from tests.domain.documents.json_strategies import documents, values


def modified(before: Document, after: Document) -> ProcessVariablesModified:
    return ProcessVariablesModified(
        originator_id="i",
        originator_version=2,
        timestamp=datetime(2026, 1, 1, tzinfo=UTC),
        workspace="bank",
        user="ada",
        user_name="Ada",
        patch=json_patch.diff(before, after),
        previous=before,
        reason=None,
        url="",
        body=None,
        kind="put",
        base_version=1,
        idempotency_key=None,
        fingerprint=None,
        bulk_id=None,
        warnings=[],
    )


@given(before=documents, after=documents)
def test_undone_at_once_everything_is_as_before(before: Document, after: Document) -> None:
    """Whatever the modification was."""
    assert same(undone(after, modified(before, after)), before)


@given(before=documents, after=documents, theirs=values)
def test_what_others_wrote_elsewhere_stays(before: Document, after: Document, theirs: Json) -> None:
    """A member that the modification did not touch keeps the value that it was given since."""
    current: Document = {**after, "theirs": theirs}
    assert same(undone(current, modified(before, after)), {**before, "theirs": theirs})


def test_a_value_that_was_changed_again_is_a_conflict() -> None:
    """The paths are named, and so is the version of the modification."""
    with pytest.raises(VersionConflict, match="since version 2") as refused:
        undone({"a": 3, "b": 1}, modified({"a": 1}, {"a": 2, "b": 1}))
    assert refused.value.members == {"conflicting_paths": ["/a"]}
