-- Ratings of a unit that are still from too few enterprises to be summed up. No query reads them.
CREATE TABLE IF NOT EXISTS held_back (
    unit         text COLLATE "C" NOT NULL,
    position     bigint           NOT NULL,
    ordinal      integer          NOT NULL,
    enterprise   text COLLATE "C" NOT NULL,
    satisfaction text             NOT NULL,
    recorded_at  timestamptz      NOT NULL,
    PRIMARY KEY (unit, position, ordinal)
);

-- How many ratings of each grade were summed up together. All rows of what was have the place in the log of the last
-- of these ratings and the instant at which it was recorded, so no earlier time parts them.
CREATE TABLE IF NOT EXISTS summed (
    position     bigint           NOT NULL,
    ordinal      integer          NOT NULL,
    satisfaction text             NOT NULL,
    unit         text COLLATE "C" NOT NULL,
    -- The month of that instant, which its first day stands for.
    month        date             NOT NULL,
    count        bigint           NOT NULL,
    occurred_at  timestamptz      NOT NULL,
    PRIMARY KEY (position, ordinal, satisfaction)
);

-- For queries alone: a build from the whole log makes these when the rows are there.
CREATE INDEX IF NOT EXISTS summed_by_unit ON summed (unit, month)
