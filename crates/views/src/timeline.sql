-- One row for each event of an enterprise. unit and area are those in charge then.
CREATE TABLE IF NOT EXISTS entry (
    position    bigint           NOT NULL,
    ordinal     integer          NOT NULL,
    enterprise  text COLLATE "C" NOT NULL,
    kind        text             NOT NULL,
    event_type  text             NOT NULL,
    subject     uuid,
    unit        text,
    area        text,
    occurred_at timestamptz      NOT NULL,
    recorded_at timestamptz      NOT NULL,
    -- As it was written: nothing is looked for in it.
    details     json             NOT NULL,
    -- Not for the enterprise.
    internal    boolean          NOT NULL,
    PRIMARY KEY (position, ordinal)
);

-- Who is in charge of a visit, an appeal or a joint diagnosis now, and who may know of it.
CREATE TABLE IF NOT EXISTS subject (
    subject    uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    unit       text,
    area       text,
    co_units   text[]           NOT NULL,
    -- Who was asked for a part of an appeal by name, as remembered; and with the co-units, who takes
    -- part beside the lead.
    asked      jsonb            NOT NULL,
    beside     text[]           NOT NULL,
    -- 0 public, 1 internal, 2 confidential, 3 strict.
    secrecy    smallint         NOT NULL,
    -- The appeal that a joint diagnosis is about.
    appeal     uuid,
    -- Whether the enterprise knows of a visit.
    known      boolean          NOT NULL,
    PRIMARY KEY (subject, enterprise)
);

-- Which area is responsible for an enterprise now.
CREATE TABLE IF NOT EXISTS enterprise (
    enterprise text COLLATE "C" PRIMARY KEY,
    area       text             NOT NULL
);

-- For queries alone: a build from the whole log makes these when the rows are there.
-- Pages by time.
CREATE INDEX IF NOT EXISTS entry_by_time ON entry (enterprise, occurred_at, position, ordinal);
-- A watcher that catches up.
CREATE INDEX IF NOT EXISTS entry_by_position ON entry (enterprise, position, ordinal)
