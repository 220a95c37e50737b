-- The workspace of an event, so that the feed of a workspace reads no other's. An event without one was stored by an
-- earlier release: whoever reads a workspace looks at it too. `procvars migrate` fills them in.
ALTER TABLE stored_events ADD COLUMN workspace text;
CREATE INDEX stored_events_workspace_idx ON stored_events (workspace, notification_id) WHERE workspace IS NOT NULL;
CREATE INDEX stored_events_no_workspace_idx ON stored_events (notification_id) WHERE workspace IS NULL;

-- Beside the function of 0001, which servers of an earlier release call while they are replaced. The notification names
-- the workspace, so that only those wake who wait for it.
CREATE FUNCTION append_events(
    streams text[], versions bigint[], topics text[], states bytea[], workspaces text[],
    keyed_instances text[], keyed_users text[], keys text[], keyed_versions bigint[]
) RETURNS SETOF bigint
LANGUAGE plpgsql
AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(7249131501);
    IF cardinality(keys) > 0 THEN
        INSERT INTO idempotency_keys (instance_id, user_id, key, version)
        SELECT * FROM unnest(keyed_instances, keyed_users, keys, keyed_versions);
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
