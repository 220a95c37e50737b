"""The audit log as a CSV file."""

import csv
import io
from typing import Any

import httpx

from tests.api.bank import W, put, start, synced
from tests.api.test_refusals import problem


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def read(api: httpx.Client, **query: Any) -> httpx.Response:
    return api.get(f"{W}/audit-log", params={"format": "csv", **query})


def edited(api: httpx.Client, reasons: list[str]) -> str:
    """An instance that was edited once for each of these reasons."""
    instance = start(api, {"n": 0})
    for number, reason in enumerate(reasons, 1):
        put(api, instance, {"n": number}, number, reason=reason).raise_for_status()
    synced(api, instance)
    return instance


def test_a_file_has_what_the_list_has(api: httpx.Client) -> None:
    """The same entries and members in the same order, as a download."""
    instance = edited(api, ["first", 'second, with a "quote"\nand a line'])
    answer = read(api, instance_id=instance)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit-log-bank.csv"'
    listed = api.get(f"{W}/audit-log", params={"instance_id": instance}).json()["items"]
    assert rows(answer) == [{name: str(value) for name, value in item.items()} for item in listed]


def test_a_file_goes_beyond_a_page(api: httpx.Client) -> None:
    """Every entry once, or the newest ones up to a limit; a filter that nothing fits leaves the names of the columns."""
    instance = edited(api, ["again"] * 203)
    found = rows(read(api, instance_id=instance))
    assert [row["version"] for row in found] == [str(version) for version in range(204, 1, -1)]
    assert rows(read(api, instance_id=instance, limit=201)) == found[:201]
    assert rows(read(api, instance_id=instance, limit=2)) == found[:2]
    assert read(api, user="nobody").text.startswith("id,timestamp,user,")
    assert rows(read(api, user="nobody")) == []


def test_a_spreadsheet_runs_nothing_that_somebody_wrote(api: httpx.Client) -> None:
    """What begins like a formula is a text."""
    instance = edited(api, ["=HYPERLINK(1)", "+1", "-1", "@a", "a=1"])
    assert {row["reason"] for row in rows(read(api, instance_id=instance))} == {
        "'=HYPERLINK(1)",
        "'+1",
        "'-1",
        "'@a",
        "a=1",
    }


def test_what_cannot_be_listed_is_refused_before_the_file_begins(api: httpx.Client) -> None:
    """An invalid cursor, an unknown format, and a page that is too large for the list."""
    problem(read(api, cursor="no"), 422, "invalid-argument")
    problem(read(api, format="xlsx"), 422, "invalid-argument")
    problem(api.get(f"{W}/audit-log", params={"limit": 201}), 422, "invalid-argument")
