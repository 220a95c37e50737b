-- Streams of which a read model showed something else than the event store says, found by the comparison that goes on all
-- the time. `mended_at` is null as long as the difference is there.
CREATE TABLE read_model_differences (
    projection text NOT NULL,
    generation integer NOT NULL,
    instance_id text NOT NULL,
    detail text NOT NULL,
    found_at timestamptz NOT NULL DEFAULT now(),
    mended_at timestamptz,
    PRIMARY KEY (projection, generation, instance_id)
);
