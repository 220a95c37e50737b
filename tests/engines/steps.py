"""Steps that tests with a real engine take through the HTTP API."""

from typing import Any

import httpx

from tests.api.bank import W
from tests.waiting import until


def follows(api: httpx.Client, instance: str, expected: dict[str, Any]) -> dict[str, Any]:
    """Wait until the instance is shown with these variables, and return its item."""

    def shown() -> Any:
        return api.get(f"{W}/instances/{instance}/variables").json()

    until(f"{instance} is shown as the engine has it", shown, lambda found: found == expected, seconds=30)
    return item(api, instance)


def item(api: httpx.Client, instance: str) -> dict[str, Any]:
    return dict(api.get(f"{W}/instances/{instance}").raise_for_status().json())


def has_status(api: httpx.Client, instance: str, status: str) -> None:
    until(f"{instance} is {status}", lambda: item(api, instance)["status"], lambda found: found == status, seconds=30)


def merge(api: httpx.Client, instance: str, change: dict[str, Any], **query: Any) -> httpx.Response:
    """An operator's edit of the newest values."""
    version = api.post(f"{W}/instances/{instance}/refresh").raise_for_status().json()["version"]
    headers = {"If-Match": f'"{version}"', "Content-Type": "application/merge-patch+json"}
    from json import dumps

    return api.patch(f"{W}/instances/{instance}/variables", content=dumps(change), headers=headers, params=query)


def delivery(api: httpx.Client, instance: str, wait: float = 0) -> dict[str, Any]:
    answer = api.get(f"{W}/instances/{instance}/sync", params={"wait": wait}).raise_for_status().json()
    return dict(answer["projections"]["engine_delivery"])


def delivered(api: httpx.Client, instance: str) -> None:
    """Wait until all edits of the instance have arrived in the engine."""
    until(
        f"edits of {instance} are delivered",
        lambda: delivery(api, instance),
        lambda found: found["state"] == "delivered" and found["current"],
        seconds=30,
    )
