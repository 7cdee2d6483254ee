-- What the system still has to do, one row for each duty of a stream.
CREATE TABLE IF NOT EXISTS duty (
    stream      text COLLATE "C" NOT NULL,
    key         text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    at          timestamptz      NOT NULL,
    -- Who asked for what put it here, and where in the log that stands.
    cause       uuid             NOT NULL,
    correlation uuid             NOT NULL,
    position    bigint           NOT NULL,
    duty        jsonb            NOT NULL,
    PRIMARY KEY (stream, key)
);

-- For queries alone: a build from the whole log makes these when the rows are there.
-- What is due of one kind, oldest first.
CREATE INDEX IF NOT EXISTS duty_by_time ON duty (kind, at, stream, key)
