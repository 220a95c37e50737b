-- Named consumers of the event feed: everything up to its position a consumer has handled, but for what it refused. Neither
-- can be made again from the events, as it is about another system.
CREATE TABLE consumers (
    workspace text NOT NULL,
    name text NOT NULL,
    position bigint NOT NULL,
    acknowledged_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace, name)
);

CREATE TABLE consumer_refusals (
    workspace text NOT NULL,
    consumer text NOT NULL,
    position bigint NOT NULL,
    instance_id text NOT NULL,
    version bigint NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (workspace, consumer, position),
    FOREIGN KEY (workspace, consumer) REFERENCES consumers ON DELETE CASCADE
);
CREATE INDEX consumer_refusals_instance_idx ON consumer_refusals (instance_id, version);
