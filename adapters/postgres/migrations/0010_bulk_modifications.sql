-- Bulk modifications: what is to be done, and how far it is. `spec` is JSON: who asked for what.
CREATE TABLE bulk_jobs (
    id text PRIMARY KEY,
    workspace text NOT NULL,
    spec text NOT NULL,
    dry_run boolean NOT NULL,
    state text NOT NULL DEFAULT 'running',
    total integer NOT NULL,
    changed integer NOT NULL DEFAULT 0,
    unchanged integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    -- How often somebody took the job on since an instance last got its outcome: one that ends its process again and again
    -- is given up.
    attempts integer NOT NULL DEFAULT 0,
    cancelled_by text,
    idempotency_key text,
    created_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    ended_at timestamptz
);
CREATE INDEX bulk_jobs_running_idx ON bulk_jobs (created_at, id) WHERE state = 'running';
CREATE INDEX bulk_jobs_workspace_idx ON bulk_jobs (workspace, created_at, id);
CREATE UNIQUE INDEX bulk_jobs_idempotency_idx ON bulk_jobs (workspace, idempotency_key) WHERE idempotency_key IS NOT NULL;

-- The instances of a job. One without an outcome is still to be done; `undo_versions` are the modifications to undo.
CREATE TABLE bulk_items (
    job_id text NOT NULL,
    ordinal integer NOT NULL,
    instance_id text NOT NULL,
    undo_versions bigint[],
    outcome text,
    version bigint,
    detail text,
    PRIMARY KEY (job_id, ordinal)
) WITH (fillfactor = 60);
-- Most instances are changed, and an update that touches no index costs less.
CREATE INDEX bulk_items_exceptions_idx ON bulk_items (job_id, outcome, ordinal)
    WHERE outcome IN ('unchanged', 'skipped', 'failed');
