-- Statistics of a partition before its first event. Until PostgreSQL has analysed a table, which takes a minute from the first
-- rows on, it takes one in 200 of the rows for rows of any stream: a read of one stream then also reads the index of positions,
-- from the stream's start to the newest event.

-- Analyses an empty partition with streams as they usually are, 20 events each, in its positions from the first one on, and
-- empties it again. PostgreSQL replaces these statistics when it analyses the events themselves.
CREATE FUNCTION expect_usual_streams(empty_partition regclass, first_position bigint) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO %s (notification_id, originator_id, originator_version, topic, state, workspace) '
        'SELECT %s + (version - 1) * 1000 + stream, stream::text, version, CASE '
        'WHEN version = 1 THEN ''InstanceStarted'' WHEN version %% 10 = 0 THEN ''InstanceStatusChanged'' '
        'ELSE ''ProcessVariablesModified'' END, '''', ''workspace'' '
        'FROM generate_series(1, 1000) AS stream, generate_series(1, 20) AS version', empty_partition, first_position);
    EXECUTE format('ANALYZE %s', empty_partition);
    EXECUTE format('TRUNCATE %s', empty_partition);
END;
$$;

-- Adds the partitions that are needed soon, so that there is room for 25,000,000 further positions; returns their names.
-- Servers call it, whose role neither owns the events nor may change them. Appends continue meanwhile.
CREATE OR REPLACE FUNCTION add_event_partitions() RETURNS SETOF text
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
    positions CONSTANT bigint := 50000000;
    newest bigint;
    first_end bigint;
    start bigint;
    added text;
BEGIN
    PERFORM pg_advisory_xact_lock(7249131504);
    newest := coalesce(pg_sequence_last_value(pg_get_serial_sequence('stored_events', 'notification_id')::regclass), 0);
    SELECT min(bounds.upper), max(bounds.upper) INTO first_end, start
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL (
        SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''(\d+)''\)')::bigint
    ) AS bounds (upper)
    WHERE i.inhparent = 'stored_events'::regclass;
    -- Within the first partition its indexes are enough. Appends wait for a moment, only here.
    IF start < newest + positions / 2 AND NOT EXISTS (
        SELECT FROM pg_trigger t WHERE t.tgrelid = 'stored_events'::regclass AND t.tgname = 'older_partitions'
    ) THEN
        EXECUTE format(
            'CREATE TRIGGER older_partitions AFTER INSERT ON stored_events REFERENCING NEW TABLE AS added '
            'FOR EACH STATEMENT EXECUTE FUNCTION refuse_versions_of_older_partitions(%L, %L)', first_end, positions);
    END IF;
    WHILE start < newest + positions / 2 LOOP
        added := 'stored_events_' || start;
        EXECUTE format(
            'CREATE TABLE %I (LIKE stored_events INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION, '
            'PRIMARY KEY (originator_id, originator_version))', added);
        PERFORM leave_to_owner(added::regclass);
        PERFORM expect_usual_streams(added::regclass, start);
        EXECUTE format(
            'ALTER TABLE stored_events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            added, start, start + positions);
        start := start + positions;
        RETURN NEXT added;
    END LOOP;
END;
$$;

DO $$
DECLARE
    existing record;
    is_empty boolean;
BEGIN
    EXECUTE format(
        'ALTER FUNCTION add_event_partitions() SET search_path = %s', current_setting('search_path') || ', pg_temp');
    FOR existing IN
        SELECT c.oid::regclass AS name,
            coalesce(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'FROM \(''(\d+)''\)')::bigint, 0) AS start
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'stored_events'::regclass
    LOOP
        -- Nobody waits for the lock of a partition that has events.
        EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', existing.name) INTO is_empty;
        IF is_empty THEN
            EXECUTE format('LOCK TABLE %s', existing.name);
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', existing.name) INTO is_empty;
        END IF;
        IF is_empty THEN
            PERFORM expect_usual_streams(existing.name, existing.start);
        END IF;
    END LOOP;
END;
$$;
