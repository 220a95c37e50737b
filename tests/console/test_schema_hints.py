"""The editor knows the definition's JSON Schema: it suggests names and values, and explains them."""

import json
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.console.conftest import Operator
from tests.console.demo_server import DemoServer, W, start_instance, variables_text
from tests.console.operator_console import OperatorConsole

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["status"],
    "properties": {
        "status": {"enum": ["DRAFT", "SENT", "PAID"], "description": "Where the <b>invoice</b> [is](https://x.y)"},
        "amount": {"type": "number", "minimum": 0.10},
        "customer": {"$ref": "#/$defs/customer"},
        "urgent": {"type": "boolean"},
    },
    "$defs": {"customer": {"type": "object", "properties": {"city": {"default": "Linz"}}}},
}


@pytest.fixture(scope="module")
def invoices(demo: DemoServer) -> str:
    """A definition with a schema."""
    with demo.client() as api:
        sent = {"name": "Invoice", "keywords": [], "search": [], "task_fields": [], "schema": SCHEMA}
        api.put(f"{W}/definitions/invoice", json=sent).raise_for_status()
    return "invoice"


@pytest.fixture
def new_invoice(demo: DemoServer, invoices: str) -> str:
    """An instance of it."""
    with demo.client() as api:
        return start_instance(api, {"note": "a", "status": "DRAFT"}, definition=invoices, title="Invoice")


async def editing(operator: Operator, instance: str) -> OperatorConsole:
    """An editor that has the schema."""
    console = await operator()
    await console.open(instance)
    await console.edit()
    await expect(console.page.get_by_text("suggests names and values by the schema of invoice")).to_be_visible()
    return console


def suggested(console: OperatorConsole) -> Locator:
    return console.page.get_by_role("listbox", name="Suggest").get_by_role("option")


async def test_names_and_values_are_suggested(operator: Operator, demo: DemoServer, new_invoice: str) -> None:
    """A member that the schema knows is written by the suggestions, with its commas, and saved."""
    console = await editing(operator, new_invoice)
    keyboard = console.page.keyboard
    await console.replace('"note": "a",', '"note": "a",\n')
    await keyboard.type('"')
    # What is there already is not suggested again.
    await expect(suggested(console)).to_have_text(['"amount"number', '"customer"object', '"urgent"boolean'])
    await keyboard.type("cu")
    await expect(suggested(console)).to_have_count(1)
    await console.picture("schema-names")
    await keyboard.press("Tab")
    await expect(suggested(console)).to_have_text(['"city"'])
    await keyboard.press("Enter")
    await expect(suggested(console)).to_have_text(['"Linz"default'])
    await keyboard.press("Enter")
    await console.replace('"DRAFT"', " ")
    await keyboard.press("Control+Space")
    await expect(suggested(console)).to_have_text(['"DRAFT"', '"SENT"', '"PAID"'])
    await console.picture("schema-values")
    await keyboard.type('"PA')
    await expect(suggested(console)).to_have_count(1)
    await keyboard.press("Enter")
    await console.save("completed")
    with demo.client() as api:
        saved = json.loads(variables_text(api, new_invoice))
    assert saved == {"note": "a", "customer": {"city": "Linz"}, "status": "PAID"}


async def test_what_is_typed_is_what_is_there(operator: Operator, demo: DemoServer, new_invoice: str) -> None:
    """Whoever types on without looking at the list, new lines and indentation too, gets just that."""
    console = await editing(operator, new_invoice)
    keyboard = console.page.keyboard
    await keyboard.press("Control+a")
    await keyboard.press("Delete")
    # The editor indents a new line by itself.
    await keyboard.type(
        '{\n"amount": 1.10,\n"customer": {"city": "Li"\n},\n"urgent": true,\n"status": "SENT"\n}\n', delay=30
    )
    await expect(console.button("Save")).to_be_enabled()
    await console.save("typed")
    expected = {"amount": 1.1, "customer": {"city": "Li"}, "urgent": True, "status": "SENT"}
    with demo.client() as api:
        assert json.loads(variables_text(api, new_invoice)) == expected


async def test_a_name_is_explained(operator: Operator, new_invoice: str) -> None:
    """Pointing at it shows what the schema says, in the words of the schema: a link in them is none."""
    console = await editing(operator, new_invoice)
    await console.line('"status"').get_by_text('"status"').hover()
    hint = console.page.get_by_role("tooltip")
    await expect(hint).to_contain_text("Where the <b>invoice</b> [is](https://x.y)")
    await expect(hint).to_contain_text('One of "DRAFT", "SENT", "PAID"')
    await expect(hint.get_by_role("link")).to_have_count(0)
    await console.picture("schema-hover")
