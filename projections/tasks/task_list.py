"""The Task Manager's list: tasks by keyword, as `projections/task_keywords.py` stores them."""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from procvars.projections.projection import Connection
from procvars.projections.storage.paging import Page, checked_limit, decode_cursor, page
from procvars.projections.storage.text_columns import ANY_SIZE, RawJson, arguments, like_prefix, stored_json
from procvars.projections.tasks.instance_tasks import TaskStatus, normalised

# A page ends when its texts exceed 8 MiB, however few its tasks are; but it always has one task.
_LIST = """
SELECT task_id, instance_id, title, node, assignee, status,
    CASE WHEN bytes <= %(largest)s THEN keywords END,
    CASE WHEN bytes <= %(largest)s THEN data END,
    CASE WHEN bytes <= %(largest)s THEN metadata END,
    opened_at, found_rows
FROM (
    SELECT *, count(*) OVER () AS found_rows, sum(size) OVER (ORDER BY opened_at DESC, task_id DESC) AS bytes
    FROM ({found}) AS found
) AS page
WHERE bytes - size < 8388608
ORDER BY opened_at DESC, task_id DESC
"""
_FOUND = """
SELECT *, octet_length(keywords) + octet_length(data) + octet_length(metadata) AS size FROM task_keywords t
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
    largest: int = ANY_SIZE,
) -> Page[TaskItem]:
    """Return up to `limit` tasks, newest first; fewer when they are large.

    `keyword` is a whole value of any keyword, or of that `key`, or with a trailing `*` its beginning; case does not
    matter. A `key` alone finds the tasks that have this keyword.

    Raises InvalidArgument for an invalid limit or cursor, ReadTooLarge when the texts exceed `largest` bytes.
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
        largest=largest,
    )
    statement = sql.SQL(_LIST).format(found=sql.SQL(_FOUND).format(by_keyword=by_keyword))
    # Not prepared: only a LIKE planned with its pattern uses the index.
    found = await (await connection.execute(statement, values, prepare=False)).fetchall()
    rows = [(row[9], _item(*row[:9])) for row in found]
    listed = page(rows, limit, lambda row: (row[0], row[1].task_id), cut=bool(found) and len(found) < found[0][10])
    return Page([item for _, item in listed.items], listed.next)


def _item(
    task_id: str,
    instance_id: str,
    title: str,
    node: str | None,
    assignee: str | None,
    status: str,
    keywords: str | None,
    data: str | None,
    metadata: str | None,
) -> TaskItem:
    return TaskItem(
        task_id,
        instance_id,
        title,
        node,
        assignee,
        TaskStatus(status),
        stored_json(keywords),
        stored_json(data),
        stored_json(metadata),
    )
