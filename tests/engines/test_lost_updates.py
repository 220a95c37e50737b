"""The moment between reading and writing, in which the engine has no compare-and-set: what happens then is told."""

from pathlib import Path
from typing import Any

from tests.api.bank import W
from tests.conftest import NewServer
from tests.engines.camunda7_desk import Camunda7Desk
from tests.engines.slow_network import slow_network
from tests.engines.steps import delivered, follows, merge
from tests.waiting import until


def test_a_value_that_was_written_over_unseen_is_told(
    own_desk: Camunda7Desk, new_server: NewServer, tmp_path: Path
) -> None:
    """The engine writes after its values were read and before the edit arrives: the audit entry names the path."""
    instances: list[str] = []

    def engine_writes_first(method: str, path: str) -> None:
        if instances and method == "POST" and path.endswith(f"/process-instance/{instances[0]}/variables"):
            own_desk.write(instances.pop(), a=("Long", 77))

    with slow_network(own_desk.address, engine_writes_first) as address:
        settings = own_desk.settings(tmp_path, "slow", url=address)
        server = new_server(environment={"PROCVARS_ENGINES": str(settings)})
        with server.client() as api:
            instance = own_desk.start(a=("Long", 1), b=("Long", 1))
            follows(api, instance, {"a": 1, "b": 1})
            instances.append(instance)
            assert merge(api, instance, {"a": 2, "b": 2}).status_code == 200
            delivered(api, instance)
            assert own_desk.writes(instance, "a") == [1, 77, 2]
            (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]

            def told() -> Any:
                return api.get(f"{W}/audit-log/{entry['id']}").json()["delivery"]

            found = until("it is told", told, lambda one: one["detail"], seconds=30)
            assert (found["state"], found["paths"]) == ("delivered", ["/a"])
            assert merge(api, instance, {"a": 3}).status_code == 200
            delivered(api, instance)
