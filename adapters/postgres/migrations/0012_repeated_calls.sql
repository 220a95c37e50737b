-- The engine's calls have idempotency keys too. Their events do not say what was asked for, so the key does; and a call that
-- changed nothing has no event at all: its version is that of the instance as it found it.
ALTER TABLE idempotency_keys ADD COLUMN fingerprint text, ADD COLUMN changed boolean NOT NULL DEFAULT true;

-- Beside the functions of 0001 and 0009, which servers of earlier releases call while they are replaced.
CREATE FUNCTION append_events(
    streams text[], versions bigint[], topics text[], states bytea[], workspaces text[],
    keyed_instances text[], keyed_users text[], keys text[], keyed_versions bigint[], fingerprints text[]
) RETURNS SETOF bigint
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7249131501);
    IF cardinality(keys) > 0 THEN
        INSERT INTO idempotency_keys (instance_id, user_id, key, version, fingerprint)
        SELECT * FROM unnest(keyed_instances, keyed_users, keys, keyed_versions, fingerprints);
    END IF;
    PERFORM pg_notify('procvars_events', w) FROM (SELECT DISTINCT unnest(workspaces)) AS appended (w);
    RETURN QUERY
    INSERT INTO stored_events (originator_id, originator_version, topic, state, workspace)
    SELECT e.originator_id, e.originator_version, e.topic, e.state, e.workspace
    FROM unnest(streams, versions, topics, states, workspaces)
        WITH ORDINALITY AS e (originator_id, originator_version, topic, state, workspace, ordinal)
    ORDER BY e.ordinal
    RETURNING notification_id;
END;
$$;
