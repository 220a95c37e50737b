"""Read models of a large store, made by SQL: 100,000 instances of one workspace among others, and their edits.

Values are spread as in production: some are shared by many instances, some belong to old instances alone, some to one.
"""

from psycopg import sql

from procvars.adapters.postgres.search import PostgresSearch
from procvars.projections.projection import Connection
from procvars.projections.registry import build_projections
from tests.projections.story import Story

INSTANCES = 100_000
_EDITS_EACH = 3

_FILL = (
    """
    CREATE TEMPORARY TABLE made AS
    SELECT n, 'i-' || lpad(n::text, 7, '0') AS id, CASE WHEN n % 10 = 0 THEN 'branch' ELSE 'bank' END AS workspace,
        CASE WHEN n < 100 THEN 'rare' WHEN n % 3 = 0 THEN 'loan' ELSE 'claim' END AS definition,
        'Application of customer ' || n AS title,
        CASE WHEN n % 1000 = 7 THEN 'FAILED' WHEN n % 20 = 0 THEN 'ON_HOLD' WHEN n % 2 = 0 THEN 'FINISHED' ELSE 'STARTED' END
            AS status,
        timestamptz '2026-01-01' + n * interval '1 minute' AS started_at
    FROM generate_series(1, {instances}) AS n
    """,
    """
    INSERT INTO current_variables_g1
    SELECT id, workspace, definition, title, status, started_at, started_at, 3, CASE WHEN n % 50 = 1 THEN 'i-0000001' END, '{{}}'
    FROM made
    """,
    """
    INSERT INTO latest_changes_g1 SELECT id, workspace, started_at, started_at + (n % 977) * interval '1 day', 3 FROM made
    """,
    """
    INSERT INTO search_index_g1
    SELECT id, workspace, definition, title, lower(title), status, started_at, started_at, 3, '{{"income": 1}}',
        '{{"income": "number"}}'
    FROM made
    """,
    """
    INSERT INTO search_values_g1 (instance_id, ordinal, is_single, workspace, key, started_at, keyword)
    SELECT id, 0, true, workspace, 'customer', started_at, 'customer ' || n FROM made
    UNION ALL SELECT id, 1, true, workspace, 'category', started_at,
        CASE WHEN n % 2 = 0 THEN 'salary' ELSE 'pension' END FROM made
    UNION ALL SELECT id, 2, true, workspace, 'office', started_at,
        CASE WHEN n < 5000 THEN 'closed' ELSE 'open ' || n % 1000 END FROM made
    """,
    """
    INSERT INTO search_values_g1 (instance_id, ordinal, is_single, workspace, key, started_at, number, nearest)
    SELECT id, 3, true, workspace, 'income', started_at, n % 90000, n % 90000 FROM made
    UNION ALL SELECT id, 4, true, workspace, 'age', started_at, n, n FROM made
    """,
    """
    INSERT INTO search_values_g1 (instance_id, ordinal, is_single, workspace, key, started_at, instant)
    SELECT id, 5, true, workspace, 'due', started_at, started_at + interval '30 days' FROM made
    """,
    """
    INSERT INTO search_values_g1 (instance_id, ordinal, is_single, workspace, key, started_at, truth)
    SELECT id, 6, true, workspace, 'approved', started_at, n % 3 = 0 FROM made
    """,
    """
    INSERT INTO search_values_g1 (instance_id, ordinal, is_single, workspace, key, started_at, words)
    SELECT id, 7, true, workspace, 'notes', started_at,
        ARRAY['application', 'word' || n % 100, CASE WHEN n < 5000 THEN 'paper' ELSE 'file' END]
    FROM made
    """,
    """
    INSERT INTO audit_log_g1
    SELECT id || '-' || edit, workspace, started_at + edit * interval '1 hour', 'user-' || n % 50, 'User',
        CASE WHEN n % 5000 = 3 THEN 'Incident' ELSE 'Process variables' END,
        CASE WHEN n % 5000 = 3 THEN 'Retry' ELSE 'Update' END, id, edit, 'Success', NULL, NULL
    FROM made, generate_series(2, {last_version}) AS edit
    """,
    """
    INSERT INTO task_keywords_g1
    SELECT id, 't-' || id, workspace, definition, title, NULL, NULL, CASE WHEN n % 4 = 0 THEN 'OPEN' ELSE 'CLOSED' END,
        started_at, '{{}}', '{{}}', '{{}}', 2
    FROM made
    """,
    """
    INSERT INTO task_keyword_values_g1 (instance_id, task_id, ordinal, workspace, opened_at, key, value)
    SELECT id, 't-' || id, 0, workspace, started_at, 'customer', 'customer ' || n FROM made
    UNION ALL SELECT id, 't-' || id, 1, workspace, started_at, 'team',
        CASE WHEN n % 2 = 0 THEN 'north' ELSE 'south' END FROM made
    UNION ALL SELECT id, 't-' || id, 2, workspace, started_at, 'office',
        CASE WHEN n < 5000 THEN 'closed' ELSE 'open' END FROM made
    """,
)


async def fill(connection: Connection, instances: int = INSTANCES, edits_each: int = _EDITS_EACH) -> None:
    """Create the read models and their rows, complete them as a rebuild does, and let PostgreSQL know how they are spread."""
    for projection in build_projections(Story(), PostgresSearch()):
        await projection.generations.create(connection, 1)
    for statement in _FILL:
        values = {"instances": sql.Literal(instances), "last_version": sql.Literal(1 + edits_each)}
        await connection.execute(sql.SQL(statement).format(**values))
    for projection in build_projections(Story(), PostgresSearch()):
        await projection.generations.complete(connection, 1)
        await projection.generations.publish(connection, 1)
    await connection.execute("VACUUM ANALYZE")
