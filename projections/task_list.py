"""The Task Manager's list: tasks by keyword, as `projections/task_keywords.py` keeps them."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from projections.instance_tasks import TaskStatus, normalised
from projections.paging import Page, checked_limit, decode_cursor, page
from projections.projection import Connection
from projections.text_columns import RawJson, arguments, like_prefix

_LIST = """
SELECT task_id, instance_id, title, node, assignee, status, keywords, data, metadata, opened_at FROM task_keywords t
WHERE workspace = %(workspace)s
    AND (%(status)s::text IS NULL OR status = %(status)s)
    AND (%(instance_id)s::text IS NULL OR instance_id = %(instance_id)s)
    AND (%(last_opened)s::timestamptz IS NULL OR (opened_at, task_id) < (%(last_opened)s, %(last_id)s::text))
    {by_keyword}
ORDER BY opened_at DESC, task_id DESC
LIMIT %(limit)s + 1
"""
_BY_KEYWORD = """
    AND (t.instance_id, t.task_id) IN (
        SELECT v.instance_id, v.task_id FROM task_keyword_values v
        WHERE v.workspace = %(workspace)s AND (%(key)s::text IS NULL OR v.key = %(key)s) {value})
"""
_BY_VALUE = "AND v.beginning = left(%(value)s, 200) AND v.value = %(value)s"
_BY_PREFIX = "AND v.beginning LIKE %(pattern)s AND (length(%(value)s) <= 200 OR starts_with(v.value, %(value)s))"


@dataclass(frozen=True, slots=True)
class TaskItem:
    task_id: str
    instance_id: str
    title: str
    node: str | None
    assignee: str | None
    status: TaskStatus
    keywords: RawJson
    data: RawJson
    metadata: RawJson


async def tasks(
    connection: Connection,
    workspace: str,
    *,
    keyword: str | None = None,
    key: str | None = None,
    status: TaskStatus | None = None,
    instance_id: str | None = None,
    limit: int | None = None,
    cursor: str | None = None,
) -> Page[TaskItem]:
    """Newest first. `keyword` is a whole value of any keyword, or of that `key`, or with a trailing `*` how it begins;
    case does not matter. A `key` alone finds the tasks that have this keyword.

    Raises InvalidArgument for a limit or a cursor that is none.
    """
    limit = checked_limit(limit)
    last_opened, last_id = decode_cursor(cursor, datetime, str) or (None, None)
    value = normalised(keyword or "")
    by_value = "" if keyword is None else _BY_VALUE
    if value.endswith("*"):
        value = value.removesuffix("*")
        by_value = _BY_PREFIX
    by_keyword: sql.Composable = sql.SQL("")
    if keyword is not None or key is not None:
        by_keyword = sql.SQL(_BY_KEYWORD).format(value=sql.SQL(by_value))
    values = arguments(
        workspace=workspace,
        key=key,
        value=value,
        pattern=like_prefix(value),
        status=status and status.value,
        instance_id=instance_id,
        last_opened=last_opened,
        last_id=last_id,
        limit=limit,
    )
    statement = sql.SQL(_LIST).format(by_keyword=by_keyword)
    # Not prepared: only a LIKE that is planned with its pattern finds the index.
    found = await (await connection.execute(statement, values, prepare=False)).fetchall()
    items = [_opened_item(*row) for row in found]
    listed = page(items, limit, lambda item: (item[0], item[1].task_id))
    return Page([item for _, item in listed.items], listed.next)


def _opened_item(
    task_id: str,
    instance_id: str,
    title: str,
    node: str | None,
    assignee: str | None,
    status: str,
    keywords: str,
    data: str,
    metadata: str,
    opened_at: datetime,
) -> tuple[datetime, TaskItem]:
    return opened_at, TaskItem(
        task_id,
        instance_id,
        title,
        node,
        assignee,
        TaskStatus(status),
        RawJson(keywords),
        RawJson(data),
        RawJson(metadata),
    )
