-- Where each version of each view stands. A reason means that it is halted.
CREATE TABLE IF NOT EXISTS checkpoint (
    view     text   NOT NULL,
    version  integer NOT NULL,
    position bigint NOT NULL,
    epoch    bigint NOT NULL,
    halted   text,
    PRIMARY KEY (view, version)
);

-- The streams that a view passes over since a record that it cannot apply.
CREATE TABLE IF NOT EXISTS parked (
    view           text   NOT NULL,
    version        integer NOT NULL,
    stream         text   NOT NULL,
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL,
    records        bigint NOT NULL,
    reason         text   NOT NULL,
    PRIMARY KEY (view, version, stream)
);
