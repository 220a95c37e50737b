"""An operator's edit: what it makes happen, what it changes nothing of, what it is refused for, and its preview."""

from dataclasses import replace

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from procvars.domain.documents.documents import fingerprint, same
from procvars.domain.documents.errors import NotAnObject, PatchFailed
from procvars.domain.documents.patch import Patch, apply
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import (
    ApplyMergePatch,
    ApplyPatch,
    Change,
    Edit,
    EditTerms,
    ReplaceDocument,
    fingerprint_of,
    preview_edit,
)
from procvars.domain.errors import DocumentTooLarge, InstanceNotEditable, SchemaViolation, VersionConflict
from procvars.domain.instance_status import InstanceStatus
from tests.domain.documents.json_strategies import documents, edited
from tests.domain.edits import LOAN, RULES, deciding, edit, outcome, patch, preview, put
from tests.domain.given_when_then import (
    NOW,
    Given,
    given,
    integration_answered,
    integration_called,
    modified,
    snapshot_taken,
    started,
    status_changed,
    subprocess_started,
    task_closed,
    task_opened,
    written,
)

FINAL = [status for status in InstanceStatus if status.name not in ("STARTED", "ON_HOLD")]
OLD: Document = {"income": 50_000, "rating": "B"}
RAISED: Document = {"income": 75_000, "rating": "B"}
RAISE: Patch = [{"op": "replace", "path": "/income", "value": 75_000}]
BODY: Json = {"patch": [*RAISE]}


@pytest.mark.parametrize(
    "change",
    [ReplaceDocument(RAISED), ApplyPatch(RAISE), ApplyMergePatch({"income": 75_000})],
    ids=["document", "patch", "merge patch"],
)
def test_an_edit_happens_once(change: Change) -> None:
    """However it is said, the event has the least patch and the values before; made again it changes nothing."""
    after = given(started(OLD)).when(deciding(edit(change, 1))).then(modified(RAISE))
    assert after.instance.variables == RAISED
    after.when(deciding(edit(change, 2))).then_nothing()


def test_an_event_keeps_all_that_was_asked() -> None:
    """Who reads the audit log sees the request: its kind, body, URL, reason, key, bulk and the version that was seen."""
    wish = Edit(
        kind="bulk",
        change=ApplyPatch(RAISE),
        body=BODY,
        terms=EditTerms(1, False, "wrong income", "https://procvars.example/bulk", idempotency_key="k1"),
        bulk_id="b1",
    )
    given(started(OLD)).when(deciding(wish)).then(
        modified(
            RAISE,
            kind="bulk",
            body=BODY,
            url="https://procvars.example/bulk",
            reason="wrong income",
            idempotency_key="k1",
            fingerprint=fingerprint(["bulk", BODY]),
            bulk_id="b1",
        )
    )


def test_without_a_key_nothing_is_kept_to_recognize_a_repetition() -> None:
    """A fingerprint is of use only beside a key."""
    assert put(RAISED, 1).fingerprint is None
    assert put(RAISED, 1, idempotency_key="k1").fingerprint is not None


def test_the_fingerprint_tells_edits_apart() -> None:
    """The kind counts as well as the body; the terms do not."""
    wish = put(RAISED, 1, idempotency_key="k1")._replace(body=RAISED)
    assert wish.fingerprint != wish._replace(body=OLD).fingerprint
    assert wish.fingerprint != wish._replace(kind="restore").fingerprint
    assert wish.fingerprint == wish._replace(terms=wish.terms._replace(reason="another")).fingerprint
    assert wish.fingerprint == wish._replace(known_fingerprint=fingerprint_of(wish.kind, wish.body)).fingerprint


def test_an_edit_on_hold_is_possible() -> None:
    """On hold is when most edits are made."""
    given(started(OLD), status_changed(InstanceStatus.ON_HOLD)).when(deciding(put(RAISED, 2))).then(modified(RAISE))


@pytest.mark.parametrize("final", FINAL)
def test_an_instance_that_has_ended_is_not_edited(final: InstanceStatus) -> None:
    """Not even by an edit that would change nothing, or one on an old version; a preview says the same."""
    ended = given(started(OLD), status_changed(final))
    for wish in (put(RAISED, 2), put(OLD, 2), put(RAISED, 1)):
        ended.when(deciding(wish, base=OLD)).refused(InstanceNotEditable, instance_status=final.value)
    with pytest.raises(InstanceNotEditable):
        preview(ended.instance, RAISED)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        (ReplaceDocument({"income": "much"}), SchemaViolation),
        (ReplaceDocument({"text": "x" * 1000}), DocumentTooLarge),
        (ApplyPatch([{"op": "test", "path": "/income", "value": 1}]), PatchFailed),
        (ApplyPatch([{"op": "replace", "path": "", "value": []}]), NotAnObject),
        (ApplyMergePatch("text"), NotAnObject),
    ],
    ids=["against the schema", "too large", "a patch that does not fit", "no object", "no object by a merge"],
)
def test_an_edit_is_refused_and_so_is_its_preview(change: Change, refusal: type[Exception]) -> None:
    """Whoever previews an edit learns beforehand that it is not possible."""
    instance = given(started(OLD))
    instance.when(deciding(edit(change, 1))).refused(refusal)
    with pytest.raises(refusal):
        preview_edit(instance.instance, change, rules=RULES, child_statuses={})


def test_a_schema_violation_names_the_place() -> None:
    """By a JSON Pointer into the variables."""
    decided = given(started(OLD)).when(deciding(put({"income": "much"}, 1)))
    assert isinstance(decided.refusal, SchemaViolation)
    assert [error["path"] for error in decided.refusal.members["errors"]] == ["/income"]  # type: ignore[attr-defined]


def test_a_document_as_large_as_the_limit_is_taken() -> None:
    """One byte more is not; the refusal names the limit."""
    exactly: Document = {"t": "x" * (1000 - len('{"t":""}'))}
    given(started()).when(deciding(put(exactly, 1))).then(
        modified([{"op": "add", "path": "/t", "value": exactly["t"]}])
    )
    given(started()).when(deciding(put({"t": f"{exactly['t']}x"}, 1))).refused(DocumentTooLarge, limit=1000)


def test_what_is_there_already_is_not_held_against_the_rules() -> None:
    """Variables that a newer schema refuses may be sent back unchanged: it is no edit."""
    given(started({"income": "much"})).when(deciding(put({"income": "much"}, 1))).then_nothing()


def test_a_change_of_type_is_a_change() -> None:
    """1 and true are two values, also where the language takes them for equal."""
    given(started({"flag": 1})).when(deciding(put({"flag": True}, 1))).then(
        modified([{"op": "replace", "path": "/flag", "value": True}])
    )


def test_a_change_of_key_order_is_none() -> None:
    """Members of a JSON object have no order."""
    given(started({"a": 1, "b": 2})).when(deciding(put({"b": 2, "a": 1}, 1))).then_nothing()


ELSEWHERE = given(started(OLD), written([{"op": "replace", "path": "/rating", "value": "A"}]))
SAME_PLACE = given(started(OLD), written([{"op": "replace", "path": "/income", "value": 60_000}]))


def test_an_edit_of_an_old_version_is_a_conflict() -> None:
    """The refusal says what the version is now, and which paths others changed."""
    ELSEWHERE.when(deciding(put(RAISED, 1), base=OLD)).refused(
        VersionConflict, current_version=2, changed_paths=["/rating"]
    )


def test_an_edit_of_a_version_that_never_was_is_a_conflict() -> None:
    """Nobody can say what was changed since; a rebase cannot be tried either."""
    for rebase in (False, True):
        ELSEWHERE.when(deciding(put(RAISED, 9, rebase=rebase))).refused(
            VersionConflict, current_version=2, changed_paths=[]
        )


def test_an_old_version_conflicts_although_the_variables_are_the_same() -> None:
    """The instance moved on: the operator decides whether it matters, as nothing was changed."""
    held = given(started(OLD), status_changed(InstanceStatus.ON_HOLD))
    held.when(deciding(put(RAISED, 1), base=OLD)).refused(VersionConflict, current_version=2, changed_paths=[])
    held.when(deciding(put(RAISED, 1, rebase=True), base=OLD)).then(modified(RAISE, base_version=1))


@pytest.mark.parametrize("change", [ReplaceDocument(RAISED), ApplyPatch(RAISE)], ids=["document", "patch"])
def test_a_rebased_edit_keeps_what_others_changed(change: Change) -> None:
    """Values that only one side touched meet nobody; the event remembers the version that was seen."""
    after = ELSEWHERE.when(deciding(edit(change, 1, rebase=True), base=OLD)).then(modified(RAISE, base_version=1))
    assert after.instance.variables == {"income": 75_000, "rating": "A"}


def test_a_rebased_edit_of_the_same_value_is_a_conflict() -> None:
    """The refusal names the paths of the edit that meet, besides all that others changed."""
    SAME_PLACE.when(deciding(put(RAISED, 1, rebase=True), base=OLD)).refused(
        VersionConflict, current_version=2, changed_paths=["/income"], conflicting_paths=["/income"]
    )


def test_a_rebased_edit_that_others_made_alike_changes_nothing() -> None:
    """Two people who correct the same mistake in the same way do not conflict."""
    SAME_PLACE.when(deciding(put({"income": 60_000, "rating": "B"}, 1, rebase=True), base=OLD)).then_nothing()


def test_a_rebased_patch_still_tests() -> None:
    """What the operator's own patch tests for counts as touched by it."""
    tests_rating: Patch = [{"op": "test", "path": "/rating", "value": "B"}, *RAISE]
    ELSEWHERE.when(deciding(patch(tests_rating, 1, rebase=True), base=OLD)).refused(
        VersionConflict, conflicting_paths=["/rating"]
    )


def test_a_rebased_edit_is_held_against_the_rules() -> None:
    """As every document is that an edit leaves."""
    ELSEWHERE.when(deciding(put({"income": "much", "rating": "B"}, 1, rebase=True), base=OLD)).refused(SchemaViolation)


def test_an_edit_warns_of_all_that_it_does_not_reach() -> None:
    """The event keeps what the operator was told, in the order in which it is shown; the preview says the same."""
    history = given(started(OLD), snapshot_taken("review"), integration_called("c1"), subprocess_started("child-1"))
    children = {"child-1": InstanceStatus.STARTED}
    decided = history.when(deciding(put(RAISED, 4), children=children))
    (event,) = decided.events
    warnings = event.warnings  # type: ignore[attr-defined]
    assert [(one["code"], one.get("instances") or one.get("nodes") or one.get("integrations")) for one in warnings] == [
        ("subprocesses-not-updated", ["child-1"]),
        ("back-navigation-restores-old-values", ["review"]),
        ("integration-already-called", ["c1"]),
    ]
    assert preview(history.instance, RAISED, children).warnings == warnings


def test_nothing_is_warned_of_where_everything_is_reached() -> None:
    """An answered integration, an ended subprocess and a snapshot of the new values are no reason."""
    history = given(
        started(RAISED),
        snapshot_taken("review"),
        written([{"op": "replace", "path": "/income", "value": 50_000}]),
        integration_called("c1"),
        integration_answered("c1"),
        subprocess_started("child-1"),
    )
    history.when(deciding(put(RAISED, 6), children={"child-1": InstanceStatus.FINISHED})).then(modified(RAISE))


def test_an_outcome_has_the_instance_as_the_edit_leaves_it() -> None:
    """It is remembered instead of being read again."""
    instance = given(started(OLD)).instance
    made = outcome(instance, put(RAISED, 1), NOW).instance()
    assert (made.version, made.variables, made.updated_at) == (2, RAISED, NOW.at)
    assert outcome(instance, put(OLD, 1), NOW) == (None, instance)


def test_a_preview_shows_what_the_edit_would_change() -> None:
    """The patch of the event that would be made, and the values before and after."""
    instance = given(started(OLD)).instance
    seen = preview(instance, RAISED)
    made = outcome(instance, put(RAISED, 1), NOW).event
    assert made is not None and seen.patch == made.patch == RAISE
    assert instance.variables == OLD


def test_a_preview_of_nothing_shows_nothing() -> None:
    """And warns of nothing, whatever waits."""
    seen = preview(given(started(OLD), integration_called("c1"), task_opened("t1")).instance, OLD)
    assert (seen.patch, seen.warnings) == ([], [])
    assert (seen.affects.keywords, seen.affects.search, seen.affects.tasks) == ([], [], [])


def test_a_preview_of_an_old_version_is_of_the_edit_put_on_top() -> None:
    """What others changed is no change of the edit; without a version the document is what it says."""
    instance = ELSEWHERE.instance
    change = ReplaceDocument(RAISED)
    seen = preview_edit(instance, change, rules=RULES, child_statuses={}, base_version=1, rebase=True, base=OLD)
    assert (seen.version, seen.patch) == (2, RAISE)
    assert preview(instance, RAISED).changes.replaced == ["/income", "/rating"]


@pytest.mark.parametrize(("history", "rebase"), [(ELSEWHERE, False), (SAME_PLACE, True)], ids=["stale", "same value"])
def test_a_preview_of_an_old_version_conflicts_as_the_edit_does(history: Given, rebase: bool) -> None:
    """The person learns of it before the reason is written."""
    with pytest.raises(VersionConflict) as refusal:
        preview_edit(
            history.instance,
            ReplaceDocument(RAISED),
            rules=RULES,
            child_statuses={},
            base_version=1,
            rebase=rebase,
            base=OLD,
        )
    assert refusal.value.members["current_version"] == 2


@pytest.mark.parametrize(
    ("new", "keywords", "search", "tasks"),
    [
        (RAISED, [], ["income"], []),
        ({**OLD, "customer": {"name": "Ada"}}, ["customer"], [], ["t1"]),
        ({**OLD, "rating": "A"}, [], [], ["t1"]),
        ({"income": 50_000}, [], [], ["t1"]),
        ({**OLD, "customer": {"city": "Rome"}, "note": 1}, [], ["city"], []),
    ],
    ids=["a search key", "a keyword of tasks", "data of tasks", "data taken away", "a search key that is new"],
)
def test_a_preview_names_what_is_found_otherwise_afterwards(
    new: Document, keywords: list[str], search: list[str], tasks: list[str]
) -> None:
    """Keys of the definition whose values change, and the open tasks that show one of them."""
    instance = given(started(OLD), task_opened("t1"), task_opened("t2"), task_closed("t2")).instance
    affects = preview(instance, new).affects
    assert (affects.keywords, affects.search, affects.tasks) == (keywords, search, tasks)


@for_any(documents.flatmap(lambda document: st.tuples(st.just(document), edited(document) | documents)))
@settings(max_examples=100, deadline=None)
def test_any_document_is_reached_by_one_edit(pair: tuple[Document, Document]) -> None:
    """Applied again it changes nothing; and where nothing differs there is no event in the first place."""
    before, new = pair
    rules = RULES._replace(definition=replace(LOAN, json_schema=None), max_document_bytes=10**7)
    instance = given(started(before)).instance
    made = outcome(instance, put(new, 1), NOW, rules=rules)
    assert (made.event is None) == same(before, new)
    assert same(made.instance().variables, new)
    if made.event is not None:
        assert same(apply(made.event.previous, made.event.patch), new)
        assert outcome(made.instance(), put(new, 2), NOW, rules=rules).event is None
