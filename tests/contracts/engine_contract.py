"""What every adapter for a real engine has to do; a class for an adapter gives `engine` and `desk`."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from procvars.commands.engine_port import Engine, ImportCursor
from procvars.domain.engine_delivery import EngineWrite
from procvars.domain.engine_values import EngineVariable
from procvars.domain.errors import EngineRefused, IncidentNotRetryable, NoSuchIncident
from procvars.domain.instance_status import InstanceStatus
from tests.engines.camunda7_desk import Camunda7Desk, typed
from tests.waiting import until, until_async

ALL_TYPES: dict[str, tuple[str, Any]] = {
    "boolean": ("Boolean", True),
    "date": ("Date", "2026-03-01T09:00:00.123+0000"),
    "double": ("Double", 0.1),
    "integer": ("Integer", -5),
    "long": ("Long", 2**53 + 1),
    "null": ("Null", None),
    "short": ("Short", 7),
    "string": ("String", "ä\n\U0001f600"),
}


class EngineContract:
    async def test_running_instances_are_listed_with_all_that_is_known_of_them(
        self, engine: Engine, desk: Camunda7Desk
    ) -> None:
        """Business key, definition, start and status are the engine's; a called process names the one that called it."""
        before = datetime.now(UTC)
        parent = desk.start("parent", business_key="P-1")
        page = await engine.running(ImportCursor(), 10)
        (first,) = (one for one in page.instances if one.id == parent)
        assert (first.title, first.definition_name, first.status) == ("P-1", "Parent", InstanceStatus.STARTED)
        assert first.definition == f"parent-{desk.key}" and first.parent_id is None
        assert abs(first.started_at - before) < timedelta(minutes=1)
        assert [one.parent_id for one in page.instances if one.id != parent] == [parent]
        assert await engine.count_running() == 2

    async def test_pages_leave_no_instance_out(self, engine: Engine, desk: Camunda7Desk) -> None:
        """A list that is read page by page has every instance once."""
        ids = desk.start_many(7)
        found, cursor, last = [], ImportCursor(), False
        while not last:
            page = await engine.running(cursor, 3)
            found += [one.id for one in page.instances]
            cursor, last = page.next, page.last
        assert sorted(found) == sorted(ids)

    async def test_variables_come_with_their_types(self, engine: Engine, desk: Camunda7Desk) -> None:
        """Every type that can be edited is read as it is; of several instances in one call."""
        first, second = desk.start(variables=ALL_TYPES), desk.start(json=("Json", '{"a":[1,2.5,"x"]}'))
        found = await engine.variables([first, second])
        assert typed(found[first]) == ALL_TYPES
        assert typed(found[second]) == {"json": ("Json", {"a": [1, 2.5, "x"]})}

    async def test_what_is_written_is_read(self, engine: Engine, desk: Camunda7Desk) -> None:
        """Written variables keep their types, and deleted ones are gone; both in one call."""
        instance = desk.start(gone=("String", "x"), kept=("Long", 1))
        written = {name: EngineVariable(kind, value) for name, (kind, value) in ALL_TYPES.items()}
        written["json"] = EngineVariable("Json", {"b": None})
        await engine.write(instance, EngineWrite(written, ["gone"]))
        expected = {**ALL_TYPES, "json": ("Json", {"b": None}), "kept": ("Long", 1)}
        assert typed((await engine.variables([instance]))[instance]) == expected

    async def test_variables_of_parts_of_a_process_are_not_the_instances_own(
        self, engine: Engine, desk: Camunda7Desk
    ) -> None:
        """A task's own variable does not hide the instance's of the same name."""
        instance = desk.start(v=("String", "instance"))
        (task,) = desk.http.get("/task", params={"processInstanceId": instance}).json()
        desk.http.put(f"/task/{task['id']}/localVariables/v", json={"value": "task", "type": "String"})
        assert typed((await engine.variables([instance]))[instance]) == {"v": ("String", "instance")}

    async def test_a_write_to_an_ended_instance_is_refused_in_the_engines_words(
        self, engine: Engine, desk: Camunda7Desk
    ) -> None:
        """Nothing is pretended: the error says what the engine says."""
        instance = desk.start()
        desk.delete(instance)
        with pytest.raises(EngineRefused, match="doesn't exist"):
            await engine.write(instance, EngineWrite({"a": EngineVariable("Long", 1)}, []))

    async def test_ended_and_suspended_instances_are_known(self, engine: Engine, desk: Camunda7Desk) -> None:
        """Each status of the engine has one here, and final variables outlive the instance."""
        done, killed, held = desk.start(a=("Long", 1)), desk.start(), desk.start()
        desk.complete(done, a=("Long", 2))
        desk.delete(killed)
        desk.suspend(held)
        found = await engine.instances([done, killed, held, "unknown"])
        assert {one: instance.status for one, instance in found.items()} == {
            done: InstanceStatus.FINISHED,
            killed: InstanceStatus.TERMINATED,
            held: InstanceStatus.ON_HOLD,
        }
        assert typed((await engine.final_variables([done]))[done]) == {"a": ("Long", 2)}
        assert done not in await engine.variables([done])
        assert await engine.suspended() == {held}
        ended = await engine.ended_since(found[done].started_at)
        assert ended.keys() == {done, killed}

    async def test_history_has_every_write(self, engine: Engine, desk: Camunda7Desk) -> None:
        """Writes appear oldest first, with their place among the writes of that variable."""
        instance = desk.start(a=("Long", 1))
        desk.write(instance, a=("Long", 2))
        newest = await engine.newest_update()
        assert newest is not None
        page = await engine.updates_since(newest - timedelta(minutes=1), 0, 1_000)
        mine = [update for update in page.updates if update.instance_id == instance]
        assert [(one.name, one.type, one.value) for one in mine] == [("a", "Long", 1), ("a", "Long", 2)]
        assert mine[0].revision + 1 == mine[1].revision and mine[1].time == newest
        started = await engine.started_since((await engine.instances([instance]))[instance].started_at)
        assert instance in {one.id for one in started}

    async def test_incident_is_told_and_tried_again(self, engine: Engine, desk: Camunda7Desk) -> None:
        """What failed says where and why; tried again with what was missing, the process ends."""
        instance = desk.start("pricing", amount=("Long", 2))
        until("the job has failed", lambda: desk.incidents(instance))
        (incident,) = await engine.incidents(instance)
        assert incident.activity == "calc" and "rate" in incident.message and incident.retryable
        await engine.write(instance, EngineWrite({"rate": EngineVariable("Integer", 3)}, []))
        assert await engine.retry(instance, incident.incident_id) == incident

        async def ended() -> bool:
            return not (await engine.instances([instance]))[instance].status.is_active

        await until_async("the process ends", ended)
        assert (await engine.final_variables([instance]))[instance]["total"].value == 6
        with pytest.raises((NoSuchIncident, IncidentNotRetryable)):
            await engine.retry(instance, incident.incident_id)
