"""An edit is refused where a rule is too expensive for the new variables; the process engine is never stopped by one."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from procvars.domain.definition import MAX_FIELDS, Definition, Field, SearchField, check_definition
from procvars.domain.document_policies import EditRules
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import ApplyPatch, Edit, EditTerms, ReplaceDocument, decide_edit, preview_edit
from procvars.domain.errors import InvalidDefinition, RuleTooExpensive, SchemaViolation
from procvars.domain.execution import start, write_variables
from procvars.domain.instance import Instance
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller, Provenance

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PROVENANCE = Provenance(Caller(workspace="w", user="ada", user_name="Ada"), at=NOW)
CHEAP: Document = {"name": "Ada"}
EXPENSIVE: Document = {"l": [[0] * 100 for _ in range(50)]}
INSTANCE = Instance(
    id="i",
    workspace="w",
    version=1,
    definition="d",
    title="t",
    status=InstanceStatus.STARTED,
    started_at=NOW,
    updated_at=NOW,
    parent_id=None,
    variables=CHEAP,
)
HOSTILE = "$..*..*..*"
PLAIN = Definition("w", "d", 1, "D", (Field("name", "$.name"),), (), (), None)
BY_GROUP: dict[str, Definition] = {
    "keywords": replace(PLAIN, keywords=(*PLAIN.keywords, Field("worst", HOSTILE))),
    "search": replace(PLAIN, search=(SearchField("worst", HOSTILE, "text"),)),
    "task_fields": replace(PLAIN, task_fields=(Field("worst", HOSTILE),)),
}
COSTLY_SCHEMA: Json = {"properties": {"l": {"items": {"items": {"allOf": [{"type": "integer"}] * 999}}}}}
UNUSABLE_SCHEMA: Json = {"$ref": "#"}


def edit(new: Document, change: Any = None) -> Edit:
    return Edit("put", change or ReplaceDocument(new), None, EditTerms(1, rebase=False, reason=None, url="/"))


def decided(definition: Definition, new: Document, instance: Instance = INSTANCE) -> Any:
    rules = EditRules(definition, 10**7)
    return decide_edit(instance, edit(new), PROVENANCE, rules=rules, child_statuses={}, base=None)


def previewed(definition: Definition, new: Document, instance: Instance = INSTANCE) -> Any:
    rules = EditRules(definition, 10**7)
    return preview_edit(instance, ReplaceDocument(new), rules=rules, child_statuses={})


@pytest.mark.parametrize("group", BY_GROUP)
@pytest.mark.parametrize("make", [decided, previewed])
def test_an_edit_is_refused_with_the_rule(group: str, make: Any) -> None:
    """Whoever edits learns which rule it is; the definition's owner can mend it."""
    with pytest.raises(RuleTooExpensive) as refusal:
        make(BY_GROUP[group], EXPENSIVE)
    assert refusal.value.members == {"rule": {"group": group, "key": "worst", "path": HOSTILE}}
    assert "worst" in refusal.value.detail
    assert make(BY_GROUP[group], {"name": "Grace"}) is not None


@pytest.mark.parametrize("make", [decided, previewed])
def test_an_edit_is_refused_for_a_schema_that_would_take_too_long(make: Any) -> None:
    """A schema is a rule as well."""
    definition = replace(PLAIN, json_schema=COSTLY_SCHEMA)
    with pytest.raises(RuleTooExpensive) as refusal:
        make(definition, {"l": [[0] * 1_000] * 10})
    assert refusal.value.members == {"rule": {"group": "schema"}}
    with pytest.raises(SchemaViolation):
        make(definition, {"l": [["x"]]})


def test_a_patch_is_refused_as_a_document_is() -> None:
    """What counts is the document as the edit leaves it."""
    change = ApplyPatch([{"op": "add", "path": "/l", "value": EXPENSIVE["l"]}])
    rules = EditRules(BY_GROUP["keywords"], 10**7)
    with pytest.raises(RuleTooExpensive):
        decide_edit(INSTANCE, edit({}, change), PROVENANCE, rules=rules, child_statuses={}, base=None)


def test_an_edit_away_from_what_is_too_expensive_is_possible() -> None:
    """The engine may have written it; the preview then names the keys that can be found again."""
    instance = replace(INSTANCE, variables=EXPENSIVE)
    for group, definition in BY_GROUP.items():
        assert decided(definition, {"l": [[[1]]]}, instance).event is not None
        affects = previewed(definition, {"l": [[[1]]]}, instance).affects
        assert (affects.keywords + affects.search) == ([] if group == "task_fields" else ["worst"])


@pytest.mark.parametrize("definition", [*BY_GROUP.values(), replace(PLAIN, json_schema=COSTLY_SCHEMA)])
def test_the_engine_is_not_stopped_by_a_rule_that_is_too_expensive(definition: Definition) -> None:
    """A process cannot wait until somebody has mended a definition."""
    rules = EditRules(definition, 10**7)
    new: Document = {"l": [[0] * 1_000] * 10}
    assert start("i", None, new, PROVENANCE, rules=rules)[0].variables == new
    assert write_variables(INSTANCE, ReplaceDocument(new), PROVENANCE, rules=rules)[0] is not None


@pytest.mark.parametrize("schema", [UNUSABLE_SCHEMA, {"pattern": "(?=x)"}, {"$ref": "https://example.com/s"}])
def test_a_schema_that_only_an_earlier_release_accepted_does_not_stop_edits(schema: Json) -> None:
    """An edit in production cannot wait either: it is made, and warns that nothing was held against the schema."""
    definition = replace(PLAIN, json_schema=schema)
    (warning,) = decided(definition, {"name": 1}).event.warnings
    assert warning["code"] == "schema-not-checked" and "JSON Schema" in str(warning["detail"])
    assert previewed(definition, {"name": 1}).warnings == [warning]
    written, warnings = write_variables(
        INSTANCE, ReplaceDocument({"name": 1}), PROVENANCE, rules=EditRules(definition, 10**7)
    )
    assert written is not None and warnings == [warning]
    with pytest.raises(InvalidDefinition):
        check_definition(definition)


def test_every_mistake_of_a_definition_is_named() -> None:
    """By a JSON Pointer into what was sent, the schema's too."""
    definition = replace(
        PLAIN,
        keywords=(Field("a", "$.a"), Field("a", "$..*..*..*..*"), Field("", "b")),
        search=(SearchField("x", "$[?match(@, '(')]", "nothing"),),  # type: ignore[arg-type]
        json_schema={"properties": {"a/b": {"type": "nothing"}}},
    )
    with pytest.raises(InvalidDefinition) as refusal:
        check_definition(definition)
    assert [error["path"] for error in refusal.value.members["errors"]] == [  # type: ignore[attr-defined]
        "/keywords/1/key",
        "/keywords/1/path",
        "/keywords/2/key",
        "/keywords/2/path",
        "/search/0/path",
        "/search/0/type",
        "/schema/properties/a~1b/type",
    ]


def test_a_group_has_a_bounded_number_of_fields() -> None:
    """Each is evaluated with every edit."""
    fields = tuple(Field(f"k{n}", "$.a") for n in range(MAX_FIELDS + 1))
    check_definition(replace(PLAIN, keywords=fields[:-1]))
    with pytest.raises(InvalidDefinition) as refusal:
        check_definition(replace(PLAIN, keywords=fields))
    assert len(refusal.value.members["errors"]) == 1  # type: ignore[arg-type]
