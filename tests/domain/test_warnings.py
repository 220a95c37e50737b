"""An edit warns of each thing that it does not reach, also where that is the only one."""

from dataclasses import replace
from datetime import UTC, datetime

from procvars.domain.documents.documents import fingerprint
from procvars.domain.documents.values import Document
from procvars.domain.instance import Instance, Integration, NavigationSnapshot
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.warnings import warnings_about

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OLD: Document = {"income": 50_000}
NEW: Document = {"income": 75_000}
INSTANCE = Instance(
    id="i",
    workspace="w",
    version=3,
    definition="d",
    title="t",
    status=InstanceStatus.STARTED,
    started_at=NOW,
    updated_at=NOW,
    parent_id=None,
    variables=OLD,
)


def test_nothing_to_warn_of() -> None:
    assert warnings_about(INSTANCE, NEW, {}) == []


def test_children_that_are_not_final() -> None:
    statuses = {"c-1": InstanceStatus.ON_HOLD, "c-2": InstanceStatus.FINISHED}
    (warning,) = warnings_about(INSTANCE, NEW, statuses)
    assert warning["code"] == "subprocesses-not-updated" and warning["instances"] == ["c-1"]
    assert warnings_about(INSTANCE, NEW, {"c-2": InstanceStatus.FINISHED}) == []


def test_navigation_snapshots_whose_values_differ_from_the_new_ones() -> None:
    snapshots = {
        "review": NavigationSnapshot(version=2, fingerprint=fingerprint(OLD), taken_at=NOW),
        "approval": NavigationSnapshot(version=3, fingerprint=fingerprint(NEW), taken_at=NOW),
    }
    (warning,) = warnings_about(replace(INSTANCE, navigation_snapshots=snapshots), NEW, {})
    assert warning["code"] == "back-navigation-restores-old-values" and warning["nodes"] == ["review"]


def test_integrations_still_waiting() -> None:
    calls = {"a": Integration("credit bureau", waiting=True), "b": Integration("pricing", waiting=False)}
    (warning,) = warnings_about(replace(INSTANCE, integrations=calls), NEW, {})
    assert warning["code"] == "integration-already-called" and warning["integrations"] == ["a"]
    assert "credit bureau" in str(warning["detail"])
