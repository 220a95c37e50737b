-- A rebuild under way, or one that was interrupted and goes on when it is started again.
CREATE TABLE rebuilds (
    projection text PRIMARY KEY,
    generation integer NOT NULL,
    shape integer NOT NULL,
    total bigint NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    resumed_at timestamptz NOT NULL DEFAULT now(),
    done_before bigint NOT NULL DEFAULT 0
);

-- The instances are shared out by a hash of their ids. Each share is filled on its own, up to the same position of the
-- event store; the generation catches up from there as a whole.
CREATE TABLE generation_shares (
    projection text NOT NULL,
    generation integer NOT NULL,
    share integer NOT NULL,
    until bigint NOT NULL,
    position bigint NOT NULL DEFAULT 0,
    events bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (projection, generation, share)
);
