-- What is known of real engines beside the events: it cannot be made again from them, as it is about another system.

-- How far the connection with each engine is.
CREATE TABLE engines (
    name text PRIMARY KEY,
    followed_until timestamptz,
    import_started_at timestamptz,
    import_seen integer NOT NULL DEFAULT 0,
    trouble text
);

-- One row an edit of an instance that runs in an engine, and what has become of it there. The projection engine_delivery
-- adds rows, whoever delivers changes them, and no rebuild takes them away.
CREATE TABLE engine_edits (
    instance_id text NOT NULL,
    version bigint NOT NULL,
    engine text NOT NULL,
    position bigint NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    detail text,
    paths text[],
    settled_at timestamptz,
    PRIMARY KEY (instance_id, version)
);
CREATE INDEX engine_edits_waiting_idx ON engine_edits (engine, position) WHERE state = 'waiting';
CREATE INDEX engine_edits_open_idx ON engine_edits (instance_id, version) WHERE state NOT IN ('delivered', 'resolved');
