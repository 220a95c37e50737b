"""Steps that tests of bulk modifications take: a job ordered, watched to its end, and its results read page by page."""

from typing import Any

import httpx

from tests.api.bank import W
from tests.waiting import until

JOBS = f"{W}/bulk-modifications"


def order(api: httpx.Client, select: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Order a job that has to be accepted, and return it."""
    answer = api.post(JOBS, json={"select": select, "reason": "a wrong rate table", **body})
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"].endswith(answer.json()["id"])
    return dict(answer.json())


def status(api: httpx.Client, job_id: str) -> dict[str, Any]:
    return dict(api.get(f"{JOBS}/{job_id}").raise_for_status().json())


def ended(api: httpx.Client, job_id: str, seconds: float = 60) -> dict[str, Any]:
    """Wait for the end of a job, and return it."""
    until(
        "the job ends",
        lambda: status(api, job_id)["state"] != "running",
        seconds=seconds,
        more=lambda: str(status(api, job_id)),
    )
    return status(api, job_id)


def run(api: httpx.Client, select: dict[str, Any], **body: Any) -> dict[str, Any]:
    """Order a job and wait for its end."""
    return ended(api, order(api, select, **body)["id"])


def undo(api: httpx.Client, job_id: str, **body: Any) -> dict[str, Any]:
    """Undo a job and wait for the end of that."""
    answer = api.post(f"{JOBS}/{job_id}/undo", json={"reason": "it was right before", **body})
    assert answer.status_code == 202, answer.text
    return ended(api, answer.json()["id"])


def counts(job: dict[str, Any]) -> dict[str, int]:
    """The outcomes of a job, without those that no instance has."""
    return {name: job[name] for name in ("changed", "unchanged", "skipped", "failed") if job[name]}


def results(api: httpx.Client, job_id: str, **query: Any) -> dict[str, dict[str, Any]]:
    """All results by instance."""
    found: dict[str, dict[str, Any]] = {}
    cursor: dict[str, str] = {}
    while True:
        page = api.get(f"{JOBS}/{job_id}/results", params={"limit": 200, **query, **cursor}).raise_for_status().json()
        found |= {item.pop("instance_id"): item for item in page["items"]}
        if page["next"] is None:
            return found
        cursor = {"cursor": page["next"]}
