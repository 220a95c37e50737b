"""From the settings to the first edit of an engine's own instance."""

import httpx

from tests.api.bank import W
from tests.conftest import Server
from tests.engines.camunda7_desk import Camunda7Desk
from tests.engines.steps import delivered, follows, has_status, item, merge


def test_an_edit_reaches_the_engine_and_its_process_goes_on(
    desk: Camunda7Desk, server: Server, api: httpx.Client
) -> None:
    """An instance waits at a gateway for a value; the operator gives it, and the process ends with its own result."""
    instance = desk.start("approval", amount=("Long", 21), approved=("Boolean", False), business_key="K-7")
    found = follows(api, instance, {"amount": 21, "approved": False})
    assert (found["title"], found["definition"], found["status"]) == ("K-7", f"approval-{desk.key}", "STARTED")
    assert found["engine"] == {
        "name": "claims",
        "id": instance,
        "url": f"{desk.address}/process-instance/{instance}",
    }
    answer = merge(api, instance, {"approved": True}, reason="checked by hand")
    assert answer.status_code == 200, answer.text
    delivered(api, instance)
    has_status(api, instance, "FINISHED")
    assert desk.state(instance) == "COMPLETED"
    assert item(api, instance)["editable"] is False
    follows(api, instance, {"amount": 21, "approved": True, "payout": 42})
    (entry,) = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
    whole = api.get(f"{W}/audit-log/{entry['id']}").json()
    assert whole["delivery"]["state"] == "delivered" and whole["delivery"]["at"] >= whole["timestamp"]
    history = api.get(f"{W}/instances/{instance}/variables/history").json()["items"]
    assert [one["origin"] for one in history] == ["engine", "operator", "engine"]
