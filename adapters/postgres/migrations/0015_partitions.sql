-- The events in partitions by their position, so that old ones can be moved and new ones have small indexes.
-- docs/decisions/0011-partitions.md. The table of `eventsourcing` becomes the first partition as it is; nothing is copied,
-- but PostgreSQL reads it once, without the values that it keeps aside, to see that each position is in its range.

-- The position from which a stream can be read, for the streams that begin behind the first partition. A stream without one
-- begins in the first partition or does not exist.
CREATE TABLE stream_starts (
    originator_id text PRIMARY KEY,
    position bigint NOT NULL
);

-- Condition of every query for a stream: partitions that are older than it are not looked into.
CREATE FUNCTION stream_start(stream text) RETURNS bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE
AS $$
BEGIN
    RETURN coalesce((SELECT s.position FROM stream_starts s WHERE s.originator_id = stream), 0);
END;
$$;

-- A unique index spans one partition. This refuses events whose streams have one of the same version in an older partition,
-- whoever inserts them. Its arguments are where the second partition begins and how many positions one has. Versions and
-- positions of a stream grow together, so where the version before is in the same partition, this one is in no older one.
CREATE FUNCTION refuse_versions_of_older_partitions() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
AS $$
DECLARE
    first_end CONSTANT bigint := TG_ARGV[0];
    positions CONSTANT bigint := TG_ARGV[1];
    known record;
BEGIN
    INSERT INTO stream_starts
    SELECT a.originator_id, a.notification_id FROM added a
    WHERE a.originator_version = 1 AND a.notification_id >= first_end;
    SELECT a.originator_id, a.originator_version INTO known FROM added a
    WHERE a.notification_id >= first_end AND CASE
        WHEN a.originator_version = 1 THEN EXISTS (
            SELECT FROM stored_events e
            WHERE e.originator_id = a.originator_id AND e.originator_version = 1 AND e.notification_id < first_end
        )
        ELSE NOT EXISTS (
            SELECT FROM stored_events e
            WHERE e.originator_id = a.originator_id AND e.originator_version = a.originator_version - 1
                AND e.notification_id >= a.notification_id / positions * positions
        ) AND EXISTS (
            SELECT FROM stored_events e
            WHERE e.originator_id = a.originator_id AND e.originator_version = a.originator_version
                AND e.notification_id >= stream_start(a.originator_id)
                AND e.notification_id < a.notification_id / positions * positions
        )
    END
    LIMIT 1;
    IF FOUND THEN
        RAISE unique_violation USING
            MESSAGE = 'an older partition of the event store has an event of this stream and version',
            DETAIL = format('Key (originator_id, originator_version)=(%s, %s) already exists.',
                known.originator_id, known.originator_version),
            TABLE = 'stored_events', CONSTRAINT = 'stored_events_pkey';
    END IF;
    RETURN NULL;
END;
$$;

-- Adds the partitions that are needed soon, so that there is room for 25,000,000 further positions; returns their names.
-- Servers call it, whose role neither owns the events nor may change them. Appends continue meanwhile.
CREATE FUNCTION add_event_partitions() RETURNS SETOF text
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
        EXECUTE format(
            'ALTER TABLE stored_events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
            added, start, start + positions);
        start := start + positions;
        RETURN NEXT added;
    END LOOP;
END;
$$;

-- Takes from other roles what default privileges gave them of a new table, except that they may read it.
CREATE FUNCTION leave_to_owner(relation regclass) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
    other record;
BEGIN
    FOR other IN
        SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS name
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = relation AND a.grantee <> c.relowner AND a.privilege_type <> 'SELECT'
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON %s FROM %s', relation, other.name);
    END LOOP;
END;
$$;

DO $$
DECLARE
    -- The owner's path, without tables that a caller could put before these.
    safe_path CONSTANT text := current_setting('search_path') || ', pg_temp';
    positions CONSTANT bigint := 50000000;
    positions_of regclass := pg_get_serial_sequence('stored_events', 'notification_id')::regclass;
    index_name name;
    privilege record;
BEGIN
    EXECUTE format('ALTER FUNCTION refuse_versions_of_older_partitions() SET search_path = %s', safe_path);
    EXECUTE format('ALTER FUNCTION add_event_partitions() SET search_path = %s', safe_path);
    PERFORM leave_to_owner('stream_starts');

    ALTER TABLE stored_events RENAME TO stored_events_0;
    FOR index_name IN
        SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
        WHERE i.indrelid = 'stored_events_0'::regclass
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', index_name, replace(index_name, 'stored_events_', 'stored_events_0_'));
    END LOOP;
    CREATE TABLE stored_events (LIKE stored_events_0 INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION)
        PARTITION BY RANGE (notification_id);
    EXECUTE format('ALTER SEQUENCE %s OWNED BY stored_events.notification_id', positions_of);

    PERFORM leave_to_owner('stored_events');
    FOR privilege IN
        SELECT a.privilege_type AS kind, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS name
        FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = 'stored_events_0'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON stored_events TO %s', privilege.kind, privilege.name);
    END LOOP;
    PERFORM leave_to_owner('stored_events_0');

    -- Vacuum for what is deleted, which the library turns off for a table that has no end.
    ALTER TABLE stored_events_0 RESET (autovacuum_vacuum_threshold, autovacuum_vacuum_scale_factor);

    -- Each partition has them; those of the first one are taken as they are.
    CREATE UNIQUE INDEX stored_events_notification_id_idx ON stored_events (notification_id);
    CREATE INDEX stored_events_steps_idx ON stored_events (originator_id, originator_version)
        WHERE topic NOT IN ('VariablesWritten', 'ProcessVariablesModified', 'NavigatedBack');
    CREATE INDEX stored_events_definitions_idx ON stored_events (originator_id, originator_version)
        WHERE topic = 'DefinitionPublished';
    CREATE INDEX stored_events_workspace_idx ON stored_events (workspace, notification_id) WHERE workspace IS NOT NULL;
    CREATE INDEX stored_events_no_workspace_idx ON stored_events (notification_id) WHERE workspace IS NULL;
    EXECUTE format(
        'ALTER TABLE stored_events ATTACH PARTITION stored_events_0 FOR VALUES FROM (MINVALUE) TO (%s)',
        (coalesce(pg_sequence_last_value(positions_of), 0) / positions + 1) * positions);
END;
$$;

SELECT add_event_partitions();
