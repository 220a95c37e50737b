-- One row a projection. A batch locks it, so one process at a time feeds a projection, and a swap of generations waits
-- for the batch. The position of a generation is in notification_tracking, under '<name>.g<generation>'.
CREATE TABLE projections (
    name text PRIMARY KEY,
    generation integer NOT NULL,
    shape integer NOT NULL,
    paused boolean NOT NULL DEFAULT false,
    failing_since timestamptz,
    failure text
);

-- Streams whose event a projection could not apply: that event and the later ones of the stream wait for a retry.
CREATE TABLE parked_streams (
    projection text NOT NULL,
    generation integer NOT NULL,
    instance_id text NOT NULL,
    version bigint NOT NULL,
    position bigint NOT NULL,
    error text NOT NULL,
    since timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (projection, generation, instance_id)
);
