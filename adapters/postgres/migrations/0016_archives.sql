-- Archives: files with the histories of finished instances, which the event store has no more. Only the owner of the tables
-- writes here, whatever default privileges there are: what is to be removed nobody else may say.
CREATE TABLE archives (
    name text PRIMARY KEY,
    -- That of the histories, below the folder of archives.
    file text NOT NULL,
    workspace text NOT NULL,
    sha256 text NOT NULL,
    before timestamptz NOT NULL,
    instances integer NOT NULL,
    events bigint NOT NULL,
    archived_by text NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    -- Null while some of its instances may still have to be removed.
    ended_at timestamptz
);
CREATE INDEX archives_open_idx ON archives (begun_at) WHERE ended_at IS NULL;

-- The instances of an archive. One without `removed_at` is still in the event store. `positions` are those of its events,
-- by version: a message of Kafka that is not in the store any more is told from another store's by them.
CREATE TABLE archive_removals (
    instance_id text PRIMARY KEY,
    archive text NOT NULL REFERENCES archives (name) ON DELETE CASCADE,
    status text NOT NULL,
    positions bigint[] NOT NULL,
    removed_at timestamptz
);
CREATE INDEX archive_removals_archive_idx ON archive_removals (archive, instance_id);

DO $$
DECLARE
    other text;
BEGIN
    FOR other IN
        SELECT DISTINCT pg_get_userbyid(a.grantee) FROM pg_class c, aclexplode(c.relacl) AS a
        WHERE c.oid IN ('archives'::regclass, 'archive_removals'::regclass) AND a.grantee NOT IN (0, c.relowner)
    LOOP
        EXECUTE format('REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON archives, archive_removals FROM %I', other);
    END LOOP;
END
$$;

-- An archived instance does not start again under its id: its stream has ended. Asked only where a stream begins.
CREATE FUNCTION refuse_archived_instance() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF EXISTS (
        SELECT FROM archive_removals WHERE instance_id = NEW.originator_id AND removed_at IS NOT NULL
    ) THEN
        RAISE unique_violation USING MESSAGE = 'the instance was archived';
    END IF;
    RETURN NEW;
END;
$$;
CREATE TRIGGER refuse_archived_instance BEFORE INSERT ON stored_events
    FOR EACH ROW WHEN (NEW.originator_version = 1) EXECUTE FUNCTION refuse_archived_instance();
