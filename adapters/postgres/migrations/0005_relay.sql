-- What the relay published to each partition of the topic: the position of its newest event there. The number of rows is
-- the number of partitions that the topic was created with. Up to where everything is published stands in
-- notification_tracking, under 'relay'.
CREATE TABLE relay_partitions (
    partition integer PRIMARY KEY,
    last_position bigint NOT NULL
);

-- What a worker applied of each partition, beyond the position of the projection's generation in notification_tracking:
-- that one says "everything up to here", these say "and of this partition up to here". A missing row says nothing.
CREATE TABLE partition_positions (
    projection text NOT NULL,
    generation integer NOT NULL,
    partition integer NOT NULL,
    position bigint NOT NULL,
    PRIMARY KEY (projection, generation, partition)
);
