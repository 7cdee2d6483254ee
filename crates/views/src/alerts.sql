-- One row for each alert. area is that of the visit when it was planned, unit the one that planned it, or
-- that the alert names itself.
CREATE TABLE IF NOT EXISTS alert (
    position    bigint           NOT NULL,
    ordinal     integer          NOT NULL,
    kind        text             NOT NULL,
    enterprise  text COLLATE "C" NOT NULL,
    visit       uuid             NOT NULL,
    unit        text,
    area        text,
    occurred_at timestamptz      NOT NULL,
    -- Where the rule stands, how many visits there were, or what is in doubt or overdue.
    reason      jsonb            NOT NULL,
    PRIMARY KEY (position, ordinal)
);

-- Who planned a visit, and in which area the enterprise lay then.
CREATE TABLE IF NOT EXISTS visit (
    visit      uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    unit       text             NOT NULL,
    area       text,
    PRIMARY KEY (visit, enterprise)
);

-- For queries alone: a build from the whole log makes these when the rows are there.
CREATE INDEX IF NOT EXISTS alert_by_unit ON alert (unit, position, ordinal);
CREATE INDEX IF NOT EXISTS alert_by_area ON alert (area, position, ordinal)
