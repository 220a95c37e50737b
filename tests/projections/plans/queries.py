"""Queries of every list and search in combinations of filters, first page and a page in the middle, for `large_store`."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from procvars.adapters.postgres.search import PostgresSearch
from procvars.domain.definition import SearchType
from procvars.domain.documents.values import Json
from procvars.domain.instance_status import InstanceStatus
from procvars.projections.audit_log import audit_entries
from procvars.projections.instance_list import Sort, instances
from procvars.projections.projection import Connection
from procvars.projections.search.conditions import searched
from procvars.projections.search.store import KeyCondition, SearchQuery
from procvars.projections.storage.paging import encode_cursor
from procvars.projections.tasks.instance_tasks import TaskStatus
from procvars.projections.tasks.task_list import tasks
from tests.projections.plans.large_store import INSTANCES

MIDDLE = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=INSTANCES // 2)
FAILED, STARTED, ON_HOLD = InstanceStatus.FAILED, InstanceStatus.STARTED, InstanceStatus.ON_HOLD
DAY = {"since": MIDDLE, "until": MIDDLE + timedelta(days=1)}
TYPES: Mapping[str, tuple[SearchType, ...]] = {
    "customer": ("keyword",), "category": ("keyword",), "office": ("keyword",), "income": ("number",), "age": ("number",),
    "due": ("date",), "approved": ("boolean",), "notes": ("text",),
}  # fmt: skip

Query = Callable[[Connection], Awaitable[Any]]


def listed(**filters: Any) -> Query:
    return lambda connection: instances(connection, "bank", **filters)


def audited(**filters: Any) -> Query:
    return lambda connection: audit_entries(connection, "bank", **filters)


def tasked(**filters: Any) -> Query:
    return lambda connection: tasks(connection, "bank", **filters)


def found(*, middle: bool = False, keys: Mapping[str, Json] | None = None, **filters: Any) -> Query:
    conditions = [KeyCondition(key, value) for key, value in (keys or {}).items()]
    query = SearchQuery("bank", keys=conditions, **filters)
    last = (MIDDLE, "i-0050000") if middle else None
    return lambda connection: PostgresSearch().find(connection, searched(query, TYPES, last, 51))


QUERIES: dict[str, Query] = {
    "instances": listed(),
    "instances, in the middle": listed(cursor=encode_cursor((MIDDLE, "i-0050000"))),
    "instances of a common status": listed(status=[STARTED]),
    "instances of a rare status": listed(status=[FAILED]),
    "instances of two statuses": listed(status=[STARTED, ON_HOLD]),
    "instances of a rare definition": listed(definition="rare"),
    "instances of a rare definition and a status": listed(definition="rare", status=[STARTED]),
    "instances of a common definition and a rare status": listed(definition="loan", status=[FAILED]),
    "instances of no definition": listed(definition="none"),
    "children": listed(parent_id="i-0000001"),
    "children of a rare status": listed(parent_id="i-0000001", status=[FAILED]),
    "instances of a day": listed(started_after=MIDDLE, started_before=MIDDLE + timedelta(days=1)),
    **{f"instances by {sort}": listed(sort=sort) for sort in Sort},
    **{f"instances of a rare definition by {sort}": listed(sort=sort, definition="rare") for sort in Sort},
    **{f"instances of a rare status by {sort}": listed(sort=sort, status=[FAILED]) for sort in Sort},
    **{f"instances of a common status by {sort}": listed(sort=sort, status=[STARTED]) for sort in Sort},
    "instances by title, in the middle": listed(
        sort=Sort.TITLE, cursor=encode_cursor(("Application of customer 50000", MIDDLE, "i-0050000"))
    ),
    "instances by update, in the middle": listed(
        sort=Sort.UPDATED_DESCENDING, cursor=encode_cursor((MIDDLE + timedelta(days=400), MIDDLE, "i-0050000"))
    ),
    "audit log": audited(),
    "audit log, in the middle": audited(cursor=encode_cursor((MIDDLE, 2, "i-0050000-2"))),
    "audit log of an instance": audited(instance_id="i-0000003"),
    "audit log of a user": audited(user="user-7"),
    "audit log of nobody": audited(user="nobody"),
    "audit log of no event": audited(event="Delete"),
    "audit log of a rare event": audited(event="Retry"),
    "audit log of an event that has not happened": audited(event="Update bulk"),
    "audit log of a rare subject": audited(subject="Incident"),
    "audit log of no subject": audited(subject="Definitions"),
    "audit log of a subject with another's event": audited(subject="Incident", event="Update"),
    "audit log of a user and an event": audited(user="user-7", event="Update"),
    "audit log of a user and a rare event": audited(user="user-7", event="Retry"),
    "audit log of a day": audited(**DAY),
    "audit log of a user's day": audited(user="user-7", **DAY),
    "audit log of a rare event in a day": audited(event="Retry", **DAY),
    "tasks": tasked(),
    "tasks, in the middle": tasked(cursor=encode_cursor((MIDDLE, "t-i-0050000"))),
    "open tasks": tasked(status=TaskStatus.OPEN),
    "tasks of an instance": tasked(instance_id="i-0000777"),
    "tasks by a keyword of one": tasked(keyword="customer 777"),
    "tasks by a shared keyword": tasked(keyword="north"),
    "tasks by a shared keyword of a key": tasked(keyword="north", key="team"),
    "tasks by a shared keyword, in the middle": tasked(keyword="north", cursor=encode_cursor((MIDDLE, "t-i-0050000"))),
    "open tasks by a shared keyword": tasked(keyword="north", status=TaskStatus.OPEN),
    "tasks by a keyword of old ones": tasked(keyword="closed"),
    "tasks by a broad prefix": tasked(keyword="customer*"),
    "tasks by a prefix of none": tasked(keyword="nobody*"),
    "tasks by a key": tasked(key="team"),
    "search": found(),
    "search, in the middle": found(middle=True),
    "search in a rare status": found(statuses=["FAILED"]),
    "search in a rare definition": found(definitions=["rare"]),
    "search in a rare definition and status": found(definitions=["rare"], statuses=["ON_HOLD"]),
    "a keyword of one": found(keys={"customer": "customer 777"}),
    "a common keyword": found(keys={"category": "salary"}),
    "a common keyword, in the middle": found(keys={"category": "salary"}, middle=True),
    "a keyword of old ones": found(keys={"office": "closed"}),
    "a keyword of none": found(keys={"office": "nowhere"}),
    "two keywords": found(keys={"office": {"in": ["open 1", "open 2"]}}),
    "another keyword": found(keys={"category": {"ne": "salary"}}),
    "any value of a key": found(keys={"category": {"exists": True}}),
    "a broad prefix": found(keys={"customer": {"prefix": "cust"}}),
    "a broad prefix, in the middle": found(keys={"customer": {"prefix": "cust"}}, middle=True),
    "a narrow prefix": found(keys={"customer": {"prefix": "customer 777"}}),
    "a wide range": found(keys={"income": {"gt": 5}}),
    "a wide range, in the middle": found(keys={"income": {"gt": 5}}, middle=True),
    "a narrow range": found(keys={"income": {"gt": 5, "lt": 10}}),
    "a boolean": found(keys={"approved": True}),
    "a common word": found(text="application"),
    "a rare word": found(text="word7"),
    "a broad prefix of titles": found(title={"prefix": "application"}),
}  # fmt: skip
BEHIND_NEWER_ONES: dict[str, Query] = {
    "a keyword beside one of old ones": found(keys={"category": "pension", "office": "closed"}),
    "a common keyword in a rare status": found(keys={"category": "pension"}, statuses=["FAILED"]),
    "a common keyword in a rare definition": found(keys={"category": "pension"}, definitions=["rare"]),
    "a common keyword with a rare word": found(keys={"category": "pension"}, text="word7"),
    "a prefix of old ones": found(keys={"office": {"prefix": "clo"}}),
    "a part of keywords": found(keys={"customer": {"contains": "r 7777"}}),
    "a medium range": found(keys={"income": {"gt": 1000, "lt": 10_000}}),
    "a range of old ones": found(keys={"age": {"lt": INSTANCES // 20}}),
    "a wide range of old ones": found(keys={"age": {"lt": INSTANCES // 2}}),
    "dates of old ones": found(keys={"due": {"lt": "2026-02-03"}}),
    "a word of old ones": found(text="paper"),
    "a word of old ones under its key": found(keys={"notes": "paper"}),
    "a part of titles": found(title={"contains": "777"}),
    "a part that no title has": found(title={"contains": "zzz"}),
    "an id": found(id_or_title="i-0000777"),
}
