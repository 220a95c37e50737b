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
SELECT t.*, octet_length(keywords) + octet_length(data) + octet_length(metadata) AS size
FROM {tasks}
WHERE t.workspace = %(workspace)s
    AND (%(status)s::text IS NULL OR t.status = %(status)s)
    AND (%(last_opened)s::timestamptz IS NULL
        OR ({ordered}.opened_at, {ordered}.task_id) < (%(last_opened)s, %(last_id)s::text))
    AND (%(instance_id)s::text IS NULL OR {ordered}.instance_id = %(instance_id)s)
ORDER BY {ordered}.opened_at DESC, {ordered}.task_id DESC
LIMIT %(limit)s + 1
"""
_ALL = "task_keywords t"
_WITH_KEY = """(SELECT * FROM task_keywords t WHERE EXISTS (
    SELECT FROM task_keyword_values v WHERE v.instance_id = t.instance_id AND v.task_id = t.task_id AND v.key = %(key)s)) AS t
"""
# The values are read in the order of the answer, from the newest on, and each one's task is looked up: PostgreSQL would
# expect a join by two columns to find next to nothing, and would read and sort all of a common keyword. A task is listed at
# its first value that passes, which is never before the first: so "<=" is "=".
_WITH_VALUE = """(
    SELECT * FROM task_keyword_values v WHERE {passes} AND v.ordinal <= (
        SELECT min(w.ordinal) FROM task_keyword_values w
        WHERE w.instance_id = v.instance_id AND w.task_id = v.task_id AND {earlier_passes})
) AS v CROSS JOIN LATERAL (
    SELECT * FROM task_keywords t WHERE t.instance_id = v.instance_id AND t.task_id = v.task_id LIMIT 1
) AS t
"""
_BY_VALUE = """{v}.workspace = %(workspace)s AND (%(key)s::text IS NULL OR {v}.key = %(key)s)
    AND {v}.beginning = left(%(value)s, 200) AND (length(%(value)s) < 200 OR {v}.value = %(value)s)"""
_BY_PREFIX = """{v}.workspace = %(workspace)s AND (%(key)s::text IS NULL OR {v}.key = %(key)s)
    AND {v}.beginning LIKE %(pattern)s AND (length(%(value)s) <= 200 OR starts_with({v}.value, %(value)s))"""


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
    by_value = _BY_VALUE
    if value.endswith("*"):
        value = value.removesuffix("*")
        by_value = _BY_PREFIX
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
    source: sql.Composable = sql.SQL(_ALL if key is None else _WITH_KEY)
    if keyword is not None:
        passes, earlier_passes = (sql.SQL(by_value).format(v=sql.Identifier(alias)) for alias in ("v", "w"))
        source = sql.SQL(_WITH_VALUE).format(passes=passes, earlier_passes=earlier_passes)
    found = sql.SQL(_FOUND).format(tasks=source, ordered=sql.SQL("t" if keyword is None else "v"))
    statement = sql.SQL(_LIST).format(found=found)
    # Not prepared: only a LIKE planned with its pattern uses the index.
    rows = await (await connection.execute(statement, values, prepare=False)).fetchall()
    items = [(row[9], _item(*row[:9])) for row in rows]
    cut = bool(rows) and len(rows) < rows[0][10]
    listed = page(items, limit, lambda item: (item[0], item[1].task_id), cut=cut)
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
