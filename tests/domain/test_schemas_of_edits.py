"""A schema is held against what an edit changes: what was wrong before, elsewhere, is a warning. The engine is only warned."""

from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from procvars.domain.definition import Definition
from procvars.domain.document_policies import EditRules, check_engines_document, check_operators_document
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import Edit, EditTerms, ReplaceDocument, decide_edit, preview_edit
from procvars.domain.errors import SchemaViolation
from procvars.domain.execution import navigate_back, start, start_subprocess, warnings_of_way_back, write_variables
from procvars.domain.instance import Instance, NavigationSnapshot
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROVENANCE = Provenance(Caller(workspace="w", user="ada", user_name="Ada"), at=NOW)
INTEGERS: Json = {"properties": {name: {"type": "integer"} for name in "abc"}}


def rules(schema: Json) -> EditRules:
    return EditRules(Definition("w", "d", 1, "D", (), (), (), schema), 10**7)


def warned(schema: Json, old: Any, new: Any) -> list[str]:
    """Pointers of the violations that the edit found and left alone. Raises SchemaViolation."""
    warnings: Any = check_operators_document(old, new, json_patch.diff(old, new), rules(schema))
    return [error["path"] for warning in warnings for error in warning["errors"]]


def refused(schema: Json, old: Any, new: Any) -> list[str]:
    """Pointers of the violations that the edit is refused for."""
    with pytest.raises(SchemaViolation) as refusal:
        warned(schema, old, new)
    errors: Any = refusal.value.members["errors"]
    return [error["path"] for error in errors]


def test_an_old_violation_elsewhere_does_not_block_an_edit() -> None:
    """The operator is told about it, and can mend what they came for."""
    assert warned(INTEGERS, {"a": "x", "b": 1}, {"a": "x", "b": 2}) == ["/a"]
    assert warned(INTEGERS, {"a": "x", "b": 1}, {"a": 1, "b": 2}) == []


def test_an_edit_is_refused_for_its_own_violations_alone() -> None:
    """A violation at a value that the edit writes is its own, also where another one stood there before."""
    assert refused(INTEGERS, {"a": "x", "b": 1}, {"a": "x", "b": "y"}) == ["/b"]
    assert refused(INTEGERS, {"a": "x", "b": 1}, {"a": "y", "b": 1}) == ["/a"]


@pytest.mark.parametrize(
    ("schema", "old", "new"),
    [
        ({"required": ["name"]}, {"a": 1}, {"a": 2}),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "old": 1}, {"a": 2, "old": 1}),
        ({"unevaluatedProperties": False, "properties": {"a": {}}}, {"a": 1, "old": 1}, {"a": 2, "old": 1}),
        ({"dependentRequired": {"x": ["y"]}}, {"x": 1, "a": 1}, {"x": 1, "a": 2}),
        ({"propertyNames": {"maxLength": 2}}, {"long": 1, "a": 1}, {"long": 1, "a": 2}),
        ({"minProperties": 5}, {"a": 1}, {"a": 2}),
        ({"anyOf": [{"required": ["q"]}, {"properties": {"x": {"minimum": 5}}}]}, {"x": 1, "a": 1}, {"x": 1, "a": 2}),
        ({"not": {"required": ["x"]}}, {"x": 1, "a": 1}, {"x": 1, "a": 2}),
        ({"properties": {"l": {"minItems": 3}}}, {"l": [{"a": 1}]}, {"l": [{"a": 2}]}),
        ({"if": {"required": ["x"]}, "then": {"required": ["y"]}}, {"x": 1, "a": 1}, {"x": 1, "a": 2}),
    ],
)
def test_violations_of_a_whole_container_were_there_before(schema: Json, old: Document, new: Document) -> None:
    """A keyword of the root is violated at the root, and yet the edit is not about it."""
    assert warned(schema, old, new) != []


@pytest.mark.parametrize(
    ("schema", "old", "new"),
    [
        ({"required": ["a"]}, {"a": 1, "b": 1}, {"b": 1}),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1, "old": 1}, {"a": 1, "old": 1, "new": 1}),
        ({"properties": {"l": {"maxItems": 1}}}, {"l": [1, 2]}, {"l": [1, 2, 3]}),
        ({"properties": {"l": {"uniqueItems": True}}}, {"l": [1, 1, 2]}, {"l": [1, 1, 1]}),
        ({"anyOf": [{"required": ["q"]}, {"properties": {"x": {"minimum": 5}, "z": {"minimum": 5}}}]},
         {"x": 1, "z": 9}, {"x": 1, "z": 1}),
        ({"if": {"properties": {"s": {"const": "approved"}}}, "then": {"required": ["amount"]}},
         {"s": "draft"}, {"s": "approved"}),
    ],
)  # fmt: skip
def test_what_an_edit_makes_worse_is_its_own(schema: Json, old: Document, new: Document) -> None:
    """It is refused where it adds to what was wrong, or brings a rule to bear."""
    assert refused(schema, old, new) != []


ROWS: Json = {
    "properties": {"l": {"items": {"properties": {"n": {"type": "integer"}}}}, "s": {"items": {"type": "integer"}}}
}


def test_a_violation_is_known_again_where_elements_moved() -> None:
    """Inserting and removing elements moves old violations to other places."""
    old: Any = {"l": [{"n": 1}, {"n": "x"}, {"n": 3}], "s": [1, "x", 3]}
    assert warned(ROWS, old, {**old, "l": [{"n": 0}, *old["l"]]}) == ["/l/2/n", "/s/1"]
    assert warned(ROWS, old, {**old, "s": ["x", 3]}) == ["/l/1/n", "/s/0"]
    assert refused(ROWS, old, {**old, "s": [1, "x", 3, "y"]}) == ["/s/3"]


def test_a_violation_is_known_again_in_a_large_document() -> None:
    """There only parts are explained, and a container that is replaced as a whole keeps what is alike in it."""
    old: Any = {"l": [{"n": number, "t": "x" * 40} for number in range(5_000)]}
    old["l"][700]["n"] = "x"
    new = deepcopy(old)
    for row in new["l"][1_000:]:
        row["n"] += 1
    assert warned(ROWS, old, new) == ["/l/700/n"]
    new["l"][4_000]["n"] = "y"
    assert refused(ROWS, old, new) == ["/l/4000/n"]


@given(st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, "x"])), st.data())
def test_an_edit_is_refused_exactly_for_the_values_that_it_sets(old: Document, data: st.DataObject) -> None:
    """Whatever was wrong before: what an edit leaves alone is warned about, what it sets is refused."""
    new = data.draw(st.dictionaries(st.sampled_from("abc"), st.sampled_from([1, "x", "y"])))
    wrong = {f"/{name}" for name, value in new.items() if value != 1}
    own = {path for path in wrong if old.get(path[1:]) != new[path[1:]]}
    if own:
        assert set(refused(INTEGERS, old, new)) == own
    else:
        assert set(warned(INTEGERS, old, new)) == wrong


def test_pointers_are_escaped_and_values_are_not_told() -> None:
    """A name may have slashes and tildes; a value may be a secret."""
    schema: Json = {"additionalProperties": {"enum": ["one"]}}
    with pytest.raises(SchemaViolation) as refusal:
        warned(schema, {}, {"a/b~c": "hunter2"})
    errors: Any = refusal.value.members["errors"]
    assert errors[0]["path"] == "/a~1b~0c"
    assert "hunter2" not in str(refusal.value.members)


INSTANCE = Instance(
    id="i", workspace="w", version=1, definition="d", title="t", status=InstanceStatus.STARTED, started_at=NOW,
    updated_at=NOW, parent_id=None, variables={"a": "x"},
)  # fmt: skip


def edit(new: Document) -> Edit:
    return Edit("put", ReplaceDocument(new), None, EditTerms(1, rebase=False, reason=None, url="/"))


def test_an_edit_and_its_preview_say_the_same() -> None:
    """The warning is kept with the event, and an edit that changes nothing has none."""
    new: Document = {"a": "x", "b": 1}
    decided: Any = decide_edit(INSTANCE, edit(new), PROVENANCE, rules=rules(INTEGERS), child_statuses={}, base=None)
    preview = preview_edit(INSTANCE, ReplaceDocument(new), rules=rules(INTEGERS), child_statuses={})
    assert [warning["code"] for warning in decided.event.warnings] == ["schema-violated-before"]
    assert preview.warnings == decided.event.warnings
    unchanged = preview_edit(INSTANCE, ReplaceDocument({"a": "x"}), rules=rules(INTEGERS), child_statuses={})
    assert unchanged.warnings == []


def test_the_engine_is_warned_and_never_refused() -> None:
    """Its process goes on with what it has; whoever watches the engine learns what does not fit."""
    new: Document = {"a": "x", "b": "y"}
    started, warnings = start("i", None, new, PROVENANCE, rules=rules(INTEGERS))
    assert started.variables == new
    assert [warning["code"] for warning in warnings] == ["schema-violated"]
    instance = replace(INSTANCE, variables={})
    written, warnings = write_variables(instance, ReplaceDocument(new), PROVENANCE, rules=rules(INTEGERS))
    assert written is not None
    errors: Any = warnings[0]["errors"]
    assert [error["path"] for error in errors] == ["/a", "/b"]
    assert check_engines_document({"a": 1}, rules(INTEGERS)) == []


def test_a_subprocess_is_warned_by_the_schema_of_its_own_definition() -> None:
    """Only of what it copies: it starts with a part of what the parent has."""
    definition = rules(INTEGERS).definition
    parent = replace(INSTANCE, variables={"a": "x", "b": 1})
    (_, child), warnings = start_subprocess(parent, "c", None, PROVENANCE, definition=definition)
    assert child.variables == parent.variables
    assert paths_of(warnings) == [("schema-violated", ["/a"])]
    assert start_subprocess(parent, "c", ["b"], PROVENANCE, definition=definition)[1] == []


def way_back(old: Document, reset_to: Document | None) -> list[Any]:
    """The warnings of a way back from the variables `old`, which an operator modified since."""
    kept = NavigationSnapshot(version=1, fingerprint="", taken_at=NOW)
    instance = replace(INSTANCE, version=2, variables=old, navigation_snapshots={"node": kept})
    event = navigate_back(instance, "node", PROVENANCE, reset_to=reset_to, modifications_since=[2])
    return warnings_of_way_back(event, rules(INTEGERS).definition)


def test_a_way_back_is_warned_of_the_values_that_it_brings_back() -> None:
    """After what it undoes, and never refused; what it brings back may have been there before there was a schema."""
    assert paths_of(way_back({"a": 1}, {"a": "x"})) == [("modifications-lost", []), ("schema-violated", ["/a"])]
    assert paths_of(way_back({"a": "x"}, {"a": 1})) == [("modifications-lost", [])]


@pytest.mark.parametrize("reset_to", [None, {"a": "x"}], ids=["without a reset", "to the same values"])
def test_a_way_back_that_changes_no_value_warns_of_nothing(reset_to: Document | None) -> None:
    """What does not fit was there, and stays as it is."""
    assert way_back({"a": "x"}, reset_to) == []


def paths_of(warnings: list[Any]) -> list[tuple[str, list[str]]]:
    return [(each["code"], [error["path"] for error in each.get("errors", [])]) for each in warnings]
