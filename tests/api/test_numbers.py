"""Numbers keep the digits that they were written with on every way through the API."""

from collections.abc import Iterator

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.bank import W, put, start
from tests.api.console_json import ConsoleJson, console_json
from tests.conftest import Server, token
from tests.domain.documents.json_strategies import literals
from tests.numbers_on_their_way import assert_kept, document_of, edited

SEARCHABLE = literals.filter(lambda literal: len(literal) < 40 and "9999999999" not in literal)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Of a server of its own: its ten megabytes are in nobody else's pages."""
    server = Server(tmp_path_factory.mktemp("numbers")).start()
    with server.client(token("engine", workspaces={"bank": ("WORKSPACE_ADMIN", "ENGINE")})) as client:
        yield client
    server.stop()


@pytest.fixture(scope="module")
def console() -> Iterator[ConsoleJson]:
    with console_json() as running:
        yield running


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_numbers_of_every_spelling_are_kept(api: httpx.Client, console: ConsoleJson, data: st.DataObject) -> None:
    """In variables, snapshots, audit log, history and search, and by what the console makes of their answers."""
    count = data.draw(st.integers(1, 12))
    before, after = (
        (data.draw(SEARCHABLE), *data.draw(st.lists(literals, min_size=count, max_size=count))) for _ in range(2)
    )
    instance = edited(api, before, after)
    assert_kept(api, instance, before, after)
    url = f"{W}/instances/{instance}/variables"
    old, new = (api.get(url, params={"version": version}).text for version in (1, api.get(url).headers["ETag"][1:-1]))
    made = console.made_of(old, new)
    assert made.written == new
    assert all(typed == read for read, typed in made.typed) and len(made.typed) == 2 * len(after) + 1
    history = api.get(f"{url}/history").json()["items"]
    patched = {operation["path"] for operation in history[0]["patch"]} if old != new else set()
    compared = {change["path"] for change in made.changes}
    # Elements of lists may be told in more than one way; members only in one.
    assert {path for path in compared if "/list/" not in path} == {path for path in patched if "/list/" not in path}
    assert compared or not patched
    assert all(change["after"] in new and change["before"] in old for change in made.changes)


def test_a_number_is_worth_the_same_in_a_test_of_a_patch(api: httpx.Client) -> None:
    """RFC 6902 compares by value; the editor and the diff do not."""
    instance = edited(api, ("1",), ("1.10",))
    headers = {"If-Match": '"2"', "Content-Type": "application/json-patch+json"}
    url = f"{W}/instances/{instance}/variables"
    patch = '[{"op":"test","path":"/list/0","value":%s},{"op":"replace","path":"/list/0","value":11e-1}]'
    refused = api.patch(url, content=patch % "1.11", headers=headers)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:procvars:patch-failed")
    api.patch(url, content=patch % "1.1", headers=headers).raise_for_status()
    assert '"list":[11e-1]' in api.get(url, params={"after_version": 3}).text
    again = api.put(
        url, content=document_of(("1.10",), "1.10"), headers={"If-Match": '"3"', "Content-Type": "application/json"}
    )
    assert [operation["path"] for operation in again.json()["patch"]] == ["/list/0"]


def test_a_schema_compares_by_value(api: httpx.Client) -> None:
    """`multipleOf: 0.01` takes 4.02, and a bound has as many digits as it was written with."""
    schema = '{"properties":{"n":{"multipleOf":0.01},"rate":{"maximum":0.083333333333333333333}}}'
    body = f'{{"name":"Rated","keywords":[],"search":[],"task_fields":[],"schema":{schema}}}'
    headers = {"Content-Type": "application/json"}
    api.put(f"{W}/definitions/rated", content=body, headers=headers).raise_for_status()
    assert "0.083333333333333333333" in api.get(f"{W}/definitions/rated").text
    started = api.post(f"{W}/instances", json={"definition": "rated", "variables": {}}).json()
    url = f"{W}/instances/{started['id']}/variables"
    headers["If-Match"] = '"1"'
    for refused in ('{"n":4.021}', '{"rate":0.083333333333333333334}', '{"n":1e400,"rate":1e400}'):
        answer = api.put(url, content=refused, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (422, "urn:procvars:schema-violation")
    accepted = '{"n":4.0200,"rate":0.083333333333333333333}'
    api.put(url, content=accepted, headers=headers).raise_for_status()
    assert api.get(url, params={"after_version": 2}).text == accepted


def test_a_document_of_nothing_but_long_numbers(api: httpx.Client) -> None:
    """Ten megabytes of numbers with 10,000 characters, 200 levels deep, are a document."""
    number = "7" * 10_000
    deep = '{"a":' * 199 + "[" + ",".join([number] * 1_040) + "]" + "}" * 199
    instance = start(api, {})
    put(api, instance, deep.encode(), 1).raise_for_status()
    assert api.get(f"{W}/instances/{instance}/variables", params={"after_version": 2}).text == deep
    refused = put(api, instance, f'{{"n":{number}7}}'.encode(), 2)
    assert (refused.json()["type"], refused.json()["path"]) == ("urn:procvars:unrepresentable-value", "/n")
