"""Read models leave out what is too expensive to find, and keep everything else: whatever is in the event store."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
import structlog

from procvars.adapters.postgres.search import PostgresSearch
from procvars.domain.definition import definition_from
from procvars.domain.documents.values import Document, Json
from procvars.domain.events import DefinitionPublished
from procvars.projections.projection import Connection, Projection
from procvars.projections.search.types import values_to_search
from procvars.projections.search_index import SearchIndex
from procvars.projections.storage import derived_values
from procvars.projections.storage.text_columns import RawJson
from procvars.projections.task_keywords import TaskKeywords
from procvars.projections.tasks import task_list
from procvars.projections.tasks.instance_tasks import searchable
from tests.projections.story import Story, begin, feed

HOSTILE = ["$..*..*..*..*..*..*", "$..*..*..*", "$[?$..[?$..*]]", "no path at all"]


def deep(levels: int) -> Document:
    document: Document = {"name": 1}
    for _ in range(levels - 1):
        document = {"name": document}
    return document


def told(*, hostile: str, documents: list[Document]) -> Story:
    """Instances with a task each, of a definition that has the hostile rule in every group, among others."""
    story = Story()
    rules = {"good": "$.good", "worst": hostile, "names": "$..name"}
    story.publish(keywords=rules, task_fields=rules, search={key: ("keyword", path) for key, path in rules.items()})
    for number, document in enumerate(documents):
        story.start(f"i{number}", {"good": "before"})
        story.open_task(f"i{number}", f"t{number}")
        story.modify(f"i{number}", document)
        story.modify(f"i{number}", {**document, "good": "after"})
    return story


@pytest.mark.parametrize("batch", [1, 500])
@pytest.mark.parametrize("hostile", HOSTILE)
async def test_the_other_rules_of_a_hostile_definition_are_followed(
    connection: Connection, hostile: str, batch: int
) -> None:
    """No event of it raises, whatever an earlier release accepted; what is too expensive is not there."""
    documents: list[Document] = [{"l": [[0] * 100] * 50, "name": "Ada"}, deep(151), deep(199)]
    story = told(hostile=hostile, documents=documents)
    tasks = TaskKeywords(story)
    await begin(connection, tasks)
    await feed(connection, tasks, story.events, batch)
    found = {item.task_id: json.loads(item.keywords) for item in (await task_list.tasks(connection, "demo")).items}
    assert {task: values["good"] for task, values in found.items()} == dict.fromkeys(("t0", "t1", "t2"), "after")
    assert found["t0"]["names"] == "Ada" and len(found["t1"]["names"]) == 151 and len(found["t2"]["names"]) == 199
    assert "worst" not in found["t0"]

    store = PostgresSearch()
    search = SearchIndex(story, store)
    await begin(connection, search)
    await feed(connection, search, story.events, batch)
    indexed = await store.read(connection, 1, ["i0", "i1", "i2"])
    assert {document.data["good"] for document in indexed.values()} == {"after"}
    assert "worst" not in indexed["i0"].data


@pytest.mark.parametrize("make", [TaskKeywords, lambda story: SearchIndex(story, PostgresSearch())])
async def test_a_definition_is_published_over_deep_documents(
    connection: Connection, make: Callable[[Story], Projection]
) -> None:
    """What is there already is derived anew: a rule that cannot be followed must not park the definition."""
    story = told(hostile="$.nothing", documents=[deep(200), {"l": [[0] * 100] * 50}])
    story.publish(
        keywords={"new": "$..name", "worst": HOSTILE[0]},
        search={"new": ("text", "$..*"), "worst": ("text", HOSTILE[0])},
    )
    projection = make(story)
    await begin(connection, projection)
    await feed(connection, projection, story.events)


async def test_nested_lists_are_read_back(connection: Connection) -> None:
    """A list of several found values is one level deeper than the document may be."""
    nested: Document = {"l": 1}
    for _ in range(199):
        nested["l"] = [nested["l"]]
    story = Story()
    story.publish(keywords={"all": "$['l','l']"}, search={"all": ("number", "$['l','l']")})
    story.start("i", nested)
    story.open_task("i", "t")
    story.write("i", {**nested, "n": 1})
    for projection in (TaskKeywords(story), SearchIndex(story, PostgresSearch())):
        await begin(connection, projection)
        await feed(connection, projection, story.events, 1)


def test_what_is_left_out_is_logged_once_for_a_version_of_the_definition() -> None:
    """An operator sees the rule and the definition, and is not drowned by a batch of thousands."""
    derived_values._log.cache_clear()
    story = told(hostile=HOSTILE[0], documents=[])
    first = definition_from(cast(DefinitionPublished, story.events[0].event))
    with structlog.testing.capture_logs() as logged:
        for definition in (first, first, replace(first, version=2)):
            values = derived_values.derived_values(definition, "keywords", {"good": 1, "l": [[0] * 100] * 50})
            assert values == {"good": 1}
    said = [(line["definition"], line["version"], line["group"], line["key"]) for line in logged]
    assert said == [("loan", 1, "keywords", "worst"), ("loan", 2, "keywords", "worst")]


def test_so_many_values_of_a_list_can_be_searched() -> None:
    """Each is a row: a document of ten megabytes must not become millions of them."""
    many: list[Json] = list(range(30_000))
    assert len(list(values_to_search("number", "k", [many]))) == derived_values.MAX_SEARCHED_VALUES
    keywords = RawJson(json.dumps({"a": many, "b": many}))
    assert len(list(searchable(keywords))) == 2 * derived_values.MAX_SEARCHED_VALUES
