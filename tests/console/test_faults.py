"""The console when a read model is behind, an instance has ended meanwhile, the server is away, an address is broken."""

import httpx
import pytest
from playwright.async_api import expect

from tests.console.conftest import Operator
from tests.console.demo_server import W, start_instance


@pytest.fixture
def instance(bank: httpx.Client) -> str:
    return start_instance(bank, {"a": 1}, title="Ends early")


def order(bank: httpx.Client, path: str, **body: str) -> None:
    answer = bank.post(path, json=body)
    assert answer.is_success, answer.text


def patched(bank: httpx.Client, instance: str, change: str) -> None:
    """An edit that nobody waits for until the read models have it."""
    headers = {"If-Match": '"1"', "Content-Type": "application/merge-patch+json"}
    answer = bank.patch(f"{W}/instances/{instance}/variables", content=change, headers=headers)
    assert answer.is_success, answer.text


async def test_an_audit_log_that_is_behind_says_so(operator: Operator, bank: httpx.Client, instance: str) -> None:
    """A paused audit log is not taken for one where nothing happened, and is read again once it has caught up."""
    console = await operator()
    order(bank, "/projections/audit_log/pause")
    try:
        patched(bank, instance, '{"a": 2}')
        await console.open(instance, "audit-log")
        await expect(console.page.get_by_text("The audit log is behind")).to_contain_text("of 2")
        await expect(console.page.get_by_text("Nothing was modified")).to_have_count(0)
        await console.picture("audit-behind")
    finally:
        order(bank, "/projections/audit_log/resume")
    await expect(console.page.get_by_role("tabpanel").get_by_role("row").filter(has_text="Update")).to_be_visible()
    await expect(console.page.get_by_text("The audit log is behind")).to_have_count(0)


async def test_an_instance_that_ended_cannot_be_applied_to(
    operator: Operator, bank: httpx.Client, instance: str
) -> None:
    """Once the review has said that the instance is Failed, there is nothing left to apply."""
    console = await operator()
    await console.open(instance)
    await console.edit()
    await console.replace('"a": 1', '"a": 3')
    review = await console.review()
    order(bank, f"{W}/instances/{instance}/status", status="FAILED")
    await review.get_by_role("button", name="Apply changes").click()
    await expect(review.get_by_text("This instance is Failed now")).to_be_visible()
    await expect(review.get_by_role("button", name="Apply changes")).to_be_disabled()


async def test_a_review_names_tasks_by_title(operator: Operator) -> None:
    """A title says which task it is; its id does not."""
    console = await operator()
    await console.open("onboarding-3001")
    await console.edit()
    await console.replace("Jane Smi", "Janet Smi")
    review = await console.review()
    await expect(review.get_by_text("Call the customer")).to_be_visible()


async def test_a_server_that_is_away_is_told_once(operator: Operator) -> None:
    """One box, however many calls got no answer."""
    console = await operator()
    await expect(console.page.get_by_role("table")).to_be_visible()
    await console.page.route("**/api/v1/**", lambda route: route.abort())
    await console.page.get_by_role("link", name="Bulk modifications").click()
    await console.page.get_by_role("link", name="Process instances").click()
    await expect(console.page.get_by_text("The server cannot be reached")).to_have_count(1)


async def test_a_malformed_address_leads_to_no_page(operator: Operator) -> None:
    """A `%` that encodes nothing is a wrong address, not a blank page."""
    console = await operator()
    await console.page.evaluate(
        "history.pushState(null, '', '/w/demo/instances/100%'); dispatchEvent(new Event('popstate'))"
    )
    await expect(console.page.get_by_role("heading", name="Nothing here")).to_be_visible()
