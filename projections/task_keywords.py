"""Tasks of the Task Manager, each with the keywords and data that the definition takes from the variables.

An edit of the variables changes the instance's open tasks. A closed task keeps the values that it was closed with,
which are what the person who closed it saw. The newest definition decides which of those values are keywords, of closed
tasks too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from psycopg import sql

from procvars.domain.definition import Definition
from procvars.domain.errors import InstanceArchived
from procvars.domain.events import Event, Recorded, TaskClosed, TaskOpened
from procvars.domain.instance import VARIABLES_EVENTS
from procvars.projections.projection import Connection, Documents, EventSource
from procvars.projections.rebuilding.due import DERIVED_AT_ONCE, mark_due
from procvars.projections.storage.batch import columns, instance_ids, unseen_events
from procvars.projections.storage.counted import Counted
from procvars.projections.storage.evolution import definition_keys, evolved
from procvars.projections.storage.known_definitions import STREAM_OF_DEFINITION, KnownDefinitions
from procvars.projections.storage.tables import Tables, table, tallies
from procvars.projections.storage.text_columns import RawJson
from procvars.projections.tasks.instance_tasks import (
    InstanceTasks,
    Shown,
    Task,
    TaskStatus,
    evolve,
    searchable,
    showing,
    shown,
)

NAME = "task_keywords"


# A keyword may exceed the limit of an index entry, so the index has only its beginning.
_DDL = """
CREATE TABLE {task_keywords} (
    instance_id text NOT NULL,
    task_id text NOT NULL,
    workspace text NOT NULL,
    definition text NOT NULL,
    title text NOT NULL,
    node text,
    assignee text,
    status text NOT NULL,
    opened_at timestamptz NOT NULL,
    keywords text NOT NULL,
    data text NOT NULL,
    metadata text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (instance_id, task_id)
) WITH (fillfactor = 70);
CREATE TABLE {task_keyword_values} (
    instance_id text NOT NULL,
    task_id text NOT NULL,
    ordinal integer NOT NULL,
    workspace text NOT NULL,
    opened_at timestamptz NOT NULL,
    key text NOT NULL,
    value text NOT NULL,
    beginning text NOT NULL GENERATED ALWAYS AS (left(value, 200)) STORED
);
CREATE INDEX ON {task_keyword_values} (instance_id, task_id);
CREATE TABLE {task_instances} (
    id text PRIMARY KEY,
    workspace text NOT NULL,
    definition text NOT NULL,
    version bigint NOT NULL,
    keywords text NOT NULL,
    data text NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX ON {task_instances} (workspace, definition, id);
CREATE TABLE {task_definitions} (
    workspace text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    fields text NOT NULL,
    PRIMARY KEY (workspace, key)
);
"""
_READERS_INDEXES = {
    "task_keywords_time": "{task_keywords} (workspace, opened_at, task_id)",
    "task_keywords_status": "{task_keywords} (workspace, status, opened_at, task_id)",
    "task_keyword_values_text": ("{task_keyword_values} (workspace, beginning text_pattern_ops, opened_at, task_id)"),
    "task_keyword_values_time": "{task_keyword_values} (workspace, opened_at, task_id)",
}
_INSTANCES = "SELECT id, workspace, definition, version, keywords, data FROM {instances} WHERE id = ANY(%s)"
_INSTANCES_OF = """
SELECT id FROM {instances} WHERE workspace = %s AND definition = %s ORDER BY id LIMIT %s
"""
_TASKS = """
SELECT instance_id, task_id, title, node, assignee, status, opened_at, metadata, keywords, data, version
FROM {tasks} WHERE instance_id = ANY(%s) AND status = ANY(%s)
"""
_WRITE_INSTANCES = """
INSERT INTO {instances} AS t (id, workspace, definition, version, keywords, data)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[])
ON CONFLICT (id) DO UPDATE SET version = excluded.version, keywords = excluded.keywords, data = excluded.data
WHERE t.version <= excluded.version
"""
_WRITE_TASKS = """
INSERT INTO {tasks} AS t (instance_id, task_id, workspace, definition, title, node, assignee, status, opened_at,
    keywords, data, metadata, version)
SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[],
    %b::timestamptz[], %b::text[], %b::text[], %b::text[], %b::bigint[])
ON CONFLICT (instance_id, task_id) DO UPDATE SET status = excluded.status, keywords = excluded.keywords,
    data = excluded.data, version = excluded.version
WHERE t.version <= excluded.version
"""
_FORGET_VALUES = """
DELETE FROM {values} AS v USING unnest(%b::text[], %b::text[]) AS n (instance_id, task_id)
WHERE v.instance_id = n.instance_id AND v.task_id = n.task_id
"""
_ADD_VALUES = """
INSERT INTO {values} (instance_id, task_id, ordinal, workspace, opened_at, key, value)
SELECT * FROM unnest(%b::text[], %b::text[], %b::integer[], %b::text[], %b::timestamptz[], %b::text[], %b::text[])
"""
_COUNTED_INSTANCES = "SELECT id, NULL, version FROM {table} WHERE id = ANY(%s)"
_COUNTED_OPENED = "SELECT instance_id, count(*), NULL FROM {table} WHERE instance_id = ANY(%s) GROUP BY 1"
_COUNTED_CLOSED = """
SELECT instance_id, count(*), NULL FROM {table} WHERE instance_id = ANY(%s) AND status = 'CLOSED' GROUP BY 1
"""
_HANDLED: tuple[type[Event], ...] = (*VARIABLES_EVENTS, TaskOpened, TaskClosed)
_OPEN = [TaskStatus.OPEN.value]
_ANY = [status.value for status in TaskStatus]


class TaskKeywords:
    name = NAME
    title = "Task Manager"
    shape = 2
    documents = Documents.NEWEST
    generations = Tables(
        {
            NAME: "instance_id",
            "task_keyword_values": "instance_id",
            "task_instances": "id",
            "task_definitions": STREAM_OF_DEFINITION,
        },
        _DDL,
        _READERS_INDEXES,
    )

    def __init__(self, source: EventSource) -> None:
        self._source = source
        self._definitions = KnownDefinitions(
            "task_definitions", source, lambda definition: (definition.keywords, definition.task_fields)
        )

    async def apply(self, connection: Connection, generation: int, events: Sequence[Recorded[Event]]) -> None:
        # Existing rows first: what the batch itself adds is derived with the newest definition anyway.
        for definition in await self._definitions.learn(connection, generation, events):
            await self._derive_anew(connection, generation, definition)
        ids = instance_ids(events, _HANDLED)
        if ids:
            await self._follow(connection, generation, events, ids)

    async def counted(self, connection: Connection, generation: int, stream_ids: Sequence[str]) -> Sequence[Counted]:
        instances, tasks = table("task_instances", generation), table(NAME, generation)
        return [
            Counted(_HANDLED, await tallies(connection, _COUNTED_INSTANCES, instances, stream_ids)),
            Counted((TaskOpened,), await tallies(connection, _COUNTED_OPENED, tasks, stream_ids)),
            Counted((TaskClosed,), await tallies(connection, _COUNTED_CLOSED, tasks, stream_ids)),
        ]

    async def _follow(
        self, connection: Connection, generation: int, events: Sequence[Recorded[Event]], ids: list[str]
    ) -> None:
        before = await _read(connection, generation, ids, _OPEN)
        fresh = unseen_events(events, {state.id: state.version for state in before.values()}, _HANDLED)
        keys = definition_keys(fresh, {instance_id: state.definition_key for instance_id, state in before.items()})
        await self._definitions.fetch(connection, generation, keys.values())
        definitions = await self._definitions.get(connection, generation, keys.values())
        after = evolved(fresh, before, evolve, definitions, keys)
        await _write(connection, generation, before, after)

    async def _derive_anew(self, connection: Connection, generation: int, definition: Definition) -> None:
        ids = await _ids(connection, generation, definition, limit=DERIVED_AT_ONCE + 1)
        if len(ids) > DERIVED_AT_ONCE:
            await mark_due(connection, self.name, generation, f"keywords or task fields of {definition.key} changed")
            return
        before = await _read(connection, generation, ids, _ANY)
        after = [await self._derived(state, definition) for state in before.values()]
        await _write(connection, generation, before, [state for state in after if state is not None])

    async def _derived(self, state: InstanceTasks, definition: Definition) -> InstanceTasks | None:
        """Return the tasks, None for those of an instance that was archived meanwhile: their removal is to come."""
        try:
            return await self._derived_from_events(state, definition)
        except InstanceArchived:
            return None

    async def _derived_from_events(self, state: InstanceTasks, definition: Definition) -> InstanceTasks:
        of_version = {state.version: await self._shown_at(state, state.version, definition)}
        derived = showing(state, of_version[state.version])
        tasks = dict(derived.tasks)
        for task_id, task in tasks.items():
            if task.status == TaskStatus.CLOSED:
                if task.version not in of_version:
                    of_version[task.version] = await self._shown_at(state, task.version, definition)
                if of_version[task.version] != task.shown:
                    tasks[task_id] = replace(task, shown=of_version[task.version])
        return replace(derived, tasks=tasks)

    async def _shown_at(self, state: InstanceTasks, version: int, definition: Definition) -> Shown:
        variables = await self._source.variables_at(state.id, version)
        if variables is None:
            raise LookupError(f"the event store has no variables of {state.id} at version {version}")
        return shown(definition, variables)


async def _ids(connection: Connection, generation: int, definition: Definition, *, limit: int) -> list[str]:
    statement = _statement(_INSTANCES_OF, generation)
    cursor = await connection.execute(statement, (definition.workspace, definition.key, limit))
    return [row[0] for row in await cursor.fetchall()]


async def _read(
    connection: Connection, generation: int, ids: list[str], statuses: list[str]
) -> dict[str, InstanceTasks]:
    cursor = await connection.execute(_statement(_TASKS, generation), (ids, statuses))
    tasks: dict[str, dict[str, Task]] = {}
    for row in await cursor.fetchall():
        tasks.setdefault(row[0], {})[row[1]] = _task(*row[1:])
    cursor = await connection.execute(_statement(_INSTANCES, generation), (ids,))
    return {
        instance_id: InstanceTasks(
            instance_id,
            workspace,
            definition,
            version,
            Shown(RawJson(keywords), RawJson(data)),
            tasks.get(instance_id, {}),
        )
        for instance_id, workspace, definition, version, keywords, data in await cursor.fetchall()
    }


def _task(
    task_id: str,
    title: str,
    node: str | None,
    assignee: str | None,
    status: str,
    opened_at: datetime,
    metadata: str,
    keywords: str,
    data: str,
    version: int,
) -> Task:
    values = Shown(RawJson(keywords), RawJson(data))
    return Task(task_id, title, node, assignee, TaskStatus(status), opened_at, RawJson(metadata), values, version)


async def _write(
    connection: Connection, generation: int, before: Mapping[str, InstanceTasks], after: Sequence[InstanceTasks]
) -> None:
    """Write the instances, and those of their tasks that changed."""
    if not after:
        return
    instances = [
        (state.id, state.workspace, state.definition, state.version, state.shown.keywords, state.shown.data)
        for state in after
    ]
    await connection.execute(_statement(_WRITE_INSTANCES, generation), columns(instances))
    tasks: list[tuple[object, ...]] = []
    renewed: list[tuple[str, str]] = []
    values: list[tuple[object, ...]] = []
    for state in after:
        known = before[state.id].tasks if state.id in before else {}
        for task_id, task in state.tasks.items():
            old = known.get(task_id)
            if task == old:
                continue
            tasks.append(
                (
                    state.id,
                    task_id,
                    state.workspace,
                    state.definition,
                    task.title,
                    task.node,
                    task.assignee,
                    task.status.value,
                    task.opened_at,
                    task.shown.keywords,
                    task.shown.data,
                    task.metadata,
                    task.version,
                )
            )
            if old is None or old.shown.keywords != task.shown.keywords:
                renewed.append((state.id, task_id))
                values += [
                    (state.id, task_id, ordinal, state.workspace, task.opened_at, key, value)
                    for ordinal, (key, value) in enumerate(searchable(task.shown.keywords))
                ]
    if tasks:
        await connection.execute(_statement(_WRITE_TASKS, generation), columns(tasks))
    if renewed:
        await connection.execute(_statement(_FORGET_VALUES, generation), columns(renewed))
    if values:
        await connection.execute(_statement(_ADD_VALUES, generation), columns(values))


def _statement(text: str, generation: int) -> sql.Composed:
    return sql.SQL(text).format(  # one of the constants above
        tasks=table(NAME, generation),
        values=table("task_keyword_values", generation),
        instances=table("task_instances", generation),
    )
