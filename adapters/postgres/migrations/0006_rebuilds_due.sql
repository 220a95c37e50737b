-- Generations whose rows do not all follow the newest definitions any more, until they are rebuilt.
CREATE TABLE rebuilds_due (
    projection text NOT NULL,
    generation integer NOT NULL,
    reason text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, generation)
);
