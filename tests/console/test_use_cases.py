"""The eight use cases, as an operator goes through them in the console; what came of it is read through the API."""

import json
from typing import Any

import httpx
import pytest
from playwright.async_api import expect

from tests.console.conftest import Operator
from tests.console.demo_server import W, variables_text
from tests.console.operator_console import OperatorConsole


async def edited(console: OperatorConsole, instance: str, changes: dict[str, str], reason: str, picture: str) -> None:
    """Opens the instance in edit mode from the list of instances, makes the changes, saves, and looks at the tree."""
    await console.page.goto(f"{console.address}/w/demo/instances?size=100")
    row = console.page.get_by_role("row").filter(has_text=instance)
    await row.get_by_role("button", name="Actions for").click()
    await console.page.get_by_role("menuitem", name="Modify variables").click()
    await console.editor_is_ready()
    for old, new in changes.items():
        await console.replace(old, new)
    await console.picture(f"{picture}-edited")
    await console.save(reason)
    await console.picture(f"{picture}-saved")


def at(api: httpx.Client, instance: str, path: str) -> Any:
    value = json.loads(variables_text(api, instance))
    for name in path.split("."):
        value = value[name]
    return value


def audit(api: httpx.Client, instance: str) -> dict[str, Any]:
    newest = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"][0]
    return dict(api.get(f"{W}/audit-log/{newest['id']}").json())


def tasks_found(api: httpx.Client, keyword: str) -> set[str]:
    return {item["instance_id"] for item in api.get(f"{W}/tasks", params={"keyword": keyword}).json()["items"]}


def instances_found(api: httpx.Client, **keys: str) -> set[str]:
    conditions = [{"key": key, "value": value} for key, value in keys.items()]
    return {hit["instance_id"] for hit in api.post(f"{W}/search", json={"keys": conditions}).json()["hits"]}


async def test_1_correct_user_input_errors(operator: Operator, bank: httpx.Client) -> None:
    """A wrong income and an address without a number are corrected, and the audit log says by whom and why."""
    console = await operator()
    changes = {'"income": 50000': '"income": 75000', '"street": "Main St"': '"street": "123 Main St"'}
    await edited(console, "loan-1001", changes, "Payslips say 75000", "1-correct-user-input")
    await console.tree_shows("income", "75000")
    assert at(bank, "loan-1001", "application.income") == 75000
    assert at(bank, "loan-1001", "application.address.street") == "123 Main St"
    entry = audit(bank, "loan-1001")
    assert (entry["user"], entry["reason"], entry["event"]) == ("walter", "Payslips say 75000", "Update")
    assert entry["body"]["application"]["income"] == 75000


async def test_2_unblock_a_stuck_instance(operator: Operator, bank: httpx.Client) -> None:
    """The answer that never came is put in by hand; the review warns of the integration that still waits."""
    console = await operator()
    await console.open("loan-1002")
    await console.edit()
    await console.replace('"responseReceived": false', '"responseReceived": true')
    await console.replace('"creditCheckStatus": "pending"', '"creditCheckStatus": "completed"')
    review = await console.review()
    warnings = review.get_by_role("list", name="Warnings")
    await expect(warnings).to_contain_text("A token waits for an answer of credit-bureau")
    await expect(warnings).to_contain_text("Going back brings the old values back")
    await console.picture("2-unblock-warnings")
    await review.get_by_role("button", name="Go back").click()
    await console.save("Bureau is down since Monday, approved by phone")
    await console.picture("2-unblock-saved")
    assert at(bank, "loan-1002", "integration") == {"responseReceived": True, "creditCheckStatus": "completed"}


async def test_3_fix_integration_data(operator: Operator, bank: httpx.Client) -> None:
    """Score and status of a credit check are corrected; both can be searched for at once."""
    console = await operator()
    changes = {'"score": 520': '"score": 720', '"status": "rejected"': '"status": "approved"'}
    await edited(console, "credit-2001", changes, "Mix-up of two persons at the bureau", "3-fix-integration-data")
    assert at(bank, "credit-2001", "creditCheck")["score"] == 720
    assert "credit-2001" in instances_found(bank, score=720, creditStatus="approved")  # type: ignore[arg-type]


async def test_4_add_missing_attributes(operator: Operator, bank: httpx.Client) -> None:
    """A value and a whole object are added where the decision needs them, and laid out by Format."""
    console = await operator()
    added = '"application": { "sourceOfFunds": "salary", "additionalData": {"field1": "value1"},'
    await console.open("loan-1003")
    await console.edit()
    await console.replace('"application": {', added)
    await console.button("Format").click()
    await expect(console.line('"field1": "value1"')).to_be_visible()
    await console.picture("4-add-missing-edited")
    await console.save("The decision needs the source of funds")
    await console.picture("4-add-missing-saved")
    assert at(bank, "loan-1003", "application.sourceOfFunds") == "salary"
    assert at(bank, "loan-1003", "application.additionalData") == {"field1": "value1"}


async def test_5_delete_invalid_data(operator: Operator, bank: httpx.Client) -> None:
    """Left-over test data is removed; the review shows both as removed, with what they were."""
    console = await operator()
    await console.open("account-4001")
    await console.edit()
    document = json.loads(variables_text(bank, "account-4001"))
    for name in ("testData", "invalidObject"):
        del document["request"][name]
    await console.page.keyboard.press("Control+a")
    await console.page.keyboard.insert_text(json.dumps(document, ensure_ascii=False))
    review = await console.review()
    await expect(review.get_by_role("heading", name="What changes (2 removed)")).to_be_visible()
    await expect(review.get_by_role("listitem").filter(has_text="testData")).to_contain_text("qa-robot")
    await console.picture("5-delete-invalid-review")
    await review.get_by_role("button", name="Go back").click()
    await console.save("Left over from a rehearsal")
    await console.picture("5-delete-invalid-saved")
    assert set(at(bank, "account-4001", "request")) & {"testData", "invalidObject"} == set()


async def test_6_update_task_manager_keywords(operator: Operator, bank: httpx.Client) -> None:
    """A name and an account number are corrected; the review names the keywords, and the tasks are found by them."""
    console = await operator()
    await console.open("onboarding-3001")
    await console.edit()
    await console.replace('"name": "Jane Smiht"', '"name": "Jane Smith"')
    await console.replace("ACC-98756", "ACC-98765")
    review = await console.review()
    await expect(review.get_by_text("customerName")).to_be_visible()
    await console.picture("6-task-keywords-review")
    await review.get_by_role("button", name="Go back").click()
    await console.save("Her own spelling")
    await console.page.get_by_role("tab", name="Tasks").click()
    await expect(console.page.get_by_role("row").filter(has_text="Call the customer")).to_contain_text("Jane Smith")
    await console.picture("6-task-keywords-tasks")
    assert "onboarding-3001" in tasks_found(bank, "Jane Smith") & tasks_found(bank, "ACC-98765")
    assert "onboarding-3001" not in tasks_found(bank, "Jane Smiht")


async def test_7_fix_search_data(operator: Operator, bank: httpx.Client) -> None:
    """An instance filed under the wrong category is corrected, and then found in the console under the right one."""
    console = await operator()
    changes = {
        '"category": "loans_test"': '"category": "loans"',
        '"priority": "low"': '"priority": "high"',
        '"customerSegment": "unknown"': '"customerSegment": "premium"',
    }
    await edited(console, "loan-1004", changes, "Filed by a test importer", "7-fix-search-data")
    assert "loan-1004" in instances_found(bank, category="loans", priority="high", customerSegment="premium")
    await console.page.get_by_role("link", name="Process instances").first.click()
    await console.page.get_by_label("Search key").fill("customerSegment")
    await console.page.get_by_label("Key value").fill("premium")
    await console.button("Search").click()
    await expect(console.page.get_by_role("row").filter(has_text="loan-1004")).to_be_visible()
    await console.picture("7-fix-search-data-found")


@pytest.mark.parametrize("instance", ["pricing-5002", "pricing-5003"])
async def test_8_emergency_business_rule_change(operator: Operator, bank: httpx.Client, instance: str) -> None:
    """A regulation changes rate and fees of applications that are under way; each is a modification of its own."""
    console = await operator()
    changes = {
        '"interestRate": 4.25': '"interestRate": 3.5',
        '"processing": 75': '"processing": 50, "regulatory": 25',
    }
    await edited(console, instance, changes, "Regulation 2026/17", f"8-business-rule-{instance}")
    pricing = at(bank, instance, "pricing")
    assert (pricing["interestRate"], pricing["fees"]) == (3.5, {"processing": 50, "regulatory": 25})
