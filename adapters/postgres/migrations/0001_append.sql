-- The write side, beside the tables that `eventsourcing` creates (stored_events, notification_tracking).

CREATE TABLE idempotency_keys (
    instance_id text NOT NULL,
    user_id text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (instance_id, user_id, key)
);

-- The events that are not mere writes of variables. An instance is loaded from these and the newest write, so that the
-- cost does not grow with the number of modifications.
CREATE INDEX stored_events_steps_idx ON stored_events (originator_id, originator_version)
    WHERE topic NOT IN ('VariablesWritten', 'ProcessVariablesModified', 'NavigatedBack');

-- Appends a group of events in one transaction. The lock is held until the commit, so the order of positions is the
-- order of commits, and a reader that tails the table never skips an event that commits behind its back.
CREATE FUNCTION append_events(
    streams text[], versions bigint[], topics text[], states bytea[],
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
    PERFORM pg_notify('procvars_events', '');
    RETURN QUERY
    INSERT INTO stored_events (originator_id, originator_version, topic, state)
    SELECT e.originator_id, e.originator_version, e.topic, e.state
    FROM unnest(streams, versions, topics, states)
        WITH ORDINALITY AS e (originator_id, originator_version, topic, state, ordinal)
    ORDER BY e.ordinal
    RETURNING notification_id;
END;
$$;
