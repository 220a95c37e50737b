"""The demo's data fit the rules that the API will apply to them, so that `make demo` cannot fail on them."""

from typing import Any, cast

import pytest

from procvars.api.demo.bank import DEFINITIONS
from procvars.api.demo.instances import AnswerIntegration, CallIntegration, ChangeStatus, DemoInstance, demo_instances
from procvars.api.demo.loading import EDITS, JSON_PATCH
from procvars.domain.definition import Definition, Field, SearchField, check_definition
from procvars.domain.documents import patch as json_patch
from procvars.domain.documents.documents import canonical, encode, parse_document, same
from procvars.domain.documents.numbers import Number
from procvars.domain.documents.values import Document, Json
from procvars.domain.rules.extraction import extract
from procvars.domain.rules.schema_errors import SchemaError
from procvars.domain.rules.subschema import InvalidSchema

INSTANCES = list(demo_instances())
BY_ID = {instance.id: instance for instance in INSTANCES}


def published(key: str) -> Definition:
    body = cast(dict[str, Any], DEFINITIONS[key])
    return Definition(
        workspace="demo",
        key=key,
        version=1,
        name=body["name"],
        keywords=tuple(Field(**item) for item in body["keywords"]),
        search=tuple(SearchField(**item) for item in body["search"]),
        task_fields=tuple(Field(**item) for item in body["task_fields"]),
        json_schema=body.get("schema"),
    )


def schema_errors(definition: Definition, variables: Document) -> list[SchemaError]:
    schema = definition.schema
    assert not isinstance(schema, InvalidSchema)
    return [] if schema is None else schema.errors(variables, len(encode(variables)))


def instances_of(key: str) -> list[DemoInstance]:
    return [instance for instance in INSTANCES if instance.definition == key]


def scalars(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return [leaf for child in value.values() for leaf in scalars(child)]
    if isinstance(value, list):
        return [leaf for child in value for leaf in scalars(child)]
    return [value]


@pytest.mark.parametrize("key", DEFINITIONS)
def test_every_definition_is_one_that_the_api_accepts(key: str) -> None:
    """A path that is no JSONPath, or a key that is there twice, would stop the demo at its first call."""
    check_definition(published(key))


@pytest.mark.parametrize("key", DEFINITIONS)
def test_every_path_finds_something(key: str) -> None:
    """A path that no instance answers would show an empty keyword or a search that never hits."""
    definition = published(key)
    fields = (*definition.keywords, *definition.search, *definition.task_fields)
    unanswered = [
        item.path for item in fields if not any(extract([item], instance.variables) for instance in instances_of(key))
    ]
    assert unanswered == []


@pytest.mark.parametrize("key", DEFINITIONS)
def test_search_values_are_of_the_configured_type(key: str) -> None:
    """A value of another type is left out of the search, and the demo would seem broken."""
    kinds: dict[str, tuple[type, ...]] = {"number": (int, float), "boolean": (bool,)}
    for item in published(key).search:
        for instance in instances_of(key):
            for value in scalars(list(extract([item], instance.variables).values())):
                assert type(value) in kinds.get(item.type, (str,)), (instance.id, item.key, value)


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.id)
def test_documents_survive_encode_and_parse(instance: DemoInstance) -> None:
    """What is sent is what was meant: integers beyond 64 bits and 1.0 included."""
    assert same(parse_document(encode(instance.variables)), instance.variables)


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.id)
def test_documents_fit_their_schema(instance: DemoInstance) -> None:
    """A start that breaks its definition's schema is refused."""
    assert schema_errors(published(instance.definition), instance.variables) == []


def test_sizes_go_from_one_kilobyte_to_two_hundred() -> None:
    """The editor is shown with small documents and with large ones."""
    sizes = {instance.id: len(encode(instance.variables)) for instance in INSTANCES}
    assert {name: size for name, size in sizes.items() if not 1_024 <= size <= 205_000} == {}
    assert max(sizes.values()) > 150_000


def test_ids_are_unique() -> None:
    """The second start under an id would be refused."""
    assert len(BY_ID) == len(INSTANCES) == 40


def test_the_same_seed_gives_the_same_bank() -> None:
    """Two people who talk about `loan-1001` see the same one."""
    assert [canonical(one.variables) for one in demo_instances()] == [canonical(one.variables) for one in INSTANCES]


def test_numbers_that_other_tools_lose_are_among_the_data() -> None:
    """The demo has an integer beyond 64 bits and a decimal that ends with 0, to be seen coming back unchanged."""
    values = [value for instance in INSTANCES for value in scalars(instance.variables)]
    kept = {value.literal for value in values if isinstance(value, Number)}
    assert any(literal.isdigit() for literal in kept)
    assert "1.10" in kept


@pytest.mark.parametrize("instance", INSTANCES, ids=lambda instance: instance.id)
def test_steps_are_in_an_order_that_the_engine_allows(instance: DemoInstance) -> None:
    """An answer needs its call, and nothing follows a final status."""
    called = set()
    for index, step in enumerate(instance.steps):
        if isinstance(step, CallIntegration):
            called.add(step.name)
        if isinstance(step, AnswerIntegration):
            called.remove(step.name)
        if isinstance(step, ChangeStatus) and not step.status.is_active:
            assert index == len(instance.steps) - 1


def test_every_edit_changes_something() -> None:
    """An edit that applies to nothing, or changes nothing, would leave history and audit log empty."""
    assert EDITS
    documents: dict[str, Document] = {instance.id: instance.variables for instance in INSTANCES}
    for edit in EDITS:
        before = documents[edit.instance_id]
        change = edit.change
        if edit.content_type == JSON_PATCH:
            after = json_patch.apply(before, json_patch.validate(change))
        else:
            after = json_patch.merge(before, change)
        assert isinstance(after, dict)
        assert not same(before, after), edit
        assert schema_errors(published(BY_ID[edit.instance_id].definition), after) == []
        documents[edit.instance_id] = after


def test_edited_instances_can_be_edited() -> None:
    """Finished instances refuse every edit."""
    for edit in EDITS:
        for step in BY_ID[edit.instance_id].steps:
            assert not isinstance(step, ChangeStatus) or step.status.is_active
