"""Documents that events have which are read once for several projections."""

import pytest

from procvars.projections.audit_log import AuditLog
from procvars.projections.current_variables import CurrentVariables
from procvars.projections.projection import Documents, Projection, documents_for
from procvars.projections.snapshot_history import SnapshotHistory


class Curious(AuditLog):
    """A projection that looks at every document."""

    documents = Documents.ALL


@pytest.mark.parametrize(
    ("projections", "expected"),
    [
        ([AuditLog(), SnapshotHistory()], Documents.NONE),
        ([AuditLog(), CurrentVariables()], Documents.NEWEST),
        ([CurrentVariables(), Curious(), AuditLog()], Documents.ALL),
    ],
)
def test_the_one_that_looks_at_most_decides(projections: list[Projection], expected: Documents) -> None:
    assert documents_for(projections) is expected
