-- One row for each time a unit said that it is not competent.
CREATE TABLE IF NOT EXISTS returns (
    appeal     uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    -- The how-manieth return of its appeal.
    number     integer          NOT NULL,
    at         timestamptz      NOT NULL,
    from_unit  text             NOT NULL,
    -- To whom it was sent on; null while it was not, and for ever when it stayed.
    to_unit    text,
    -- Whether the unit was right; null while nobody ruled.
    upheld     boolean,
    area       text             NOT NULL,
    secrecy    smallint         NOT NULL,
    -- The commit that made it so, and when what that records happened.
    since      bigint           NOT NULL,
    since_at   timestamptz      NOT NULL,
    PRIMARY KEY (appeal, enterprise, number)
);
-- What the rows were, and until when.
CREATE TABLE IF NOT EXISTS returns_past (
    LIKE returns, until bigint NOT NULL, until_at timestamptz NOT NULL);

-- One row for each time a unit said that it resolved an appeal. What the enterprise said of it is
-- written once; what it said itself comes before what a desk recorded that it said on the phone. At
-- the close what it said on the phone becomes its word, so that nothing later rewrites it.
CREATE TABLE IF NOT EXISTS handling (
    appeal          uuid             NOT NULL,
    enterprise      text COLLATE "C" NOT NULL,
    -- The how-manieth handling of its appeal.
    number          integer          NOT NULL,
    resolved_at     timestamptz      NOT NULL,
    unit            text             NOT NULL,
    area            text             NOT NULL,
    topic           text             NOT NULL,
    secrecy         smallint         NOT NULL,
    -- Whether the unit spoke with the enterprise in time.
    responded       boolean          NOT NULL,
    -- The enterprise's own first word, since the close also that on the phone; null while there is none.
    own_resolved    boolean,
    own_satisfied   boolean,
    -- Its first word on the phone, as a desk recorded it.
    phone_resolved  boolean,
    phone_satisfied boolean,
    -- Whether the appeal went back to be handled again.
    reopened        boolean          NOT NULL,
    -- The commit that made it so, and when what that records happened.
    since           bigint           NOT NULL,
    since_at        timestamptz      NOT NULL,
    PRIMARY KEY (appeal, enterprise, number)
);
-- What the rows were, and until when.
CREATE TABLE IF NOT EXISTS handling_past (
    LIKE handling, until bigint NOT NULL, until_at timestamptz NOT NULL);

-- What the next event of an appeal is measured against.
CREATE TABLE IF NOT EXISTS subject (
    appeal      uuid             NOT NULL,
    enterprise  text COLLATE "C" NOT NULL,
    area        text             NOT NULL,
    topic       text             NOT NULL,
    secrecy     smallint         NOT NULL,
    unit        text,
    -- When first contact is overdue; null where nothing says.
    contact_red timestamptz,
    responded   boolean          NOT NULL,
    contested   boolean          NOT NULL,
    returns     integer          NOT NULL,
    handlings   integer          NOT NULL,
    PRIMARY KEY (appeal, enterprise)
);

-- For queries alone: a build from the whole log makes these when the rows are there.
CREATE INDEX IF NOT EXISTS returns_past_by_end ON returns_past
    ((floor(ln(greatest(until - since, 1)::float8) / ln(4::float8))::integer), until);
CREATE INDEX IF NOT EXISTS returns_by_time ON returns (at);
CREATE INDEX IF NOT EXISTS returns_by_area ON returns (area, at);
CREATE INDEX IF NOT EXISTS handling_past_by_end ON handling_past
    ((floor(ln(greatest(until - since, 1)::float8) / ln(4::float8))::integer), until);
CREATE INDEX IF NOT EXISTS handling_by_time ON handling (resolved_at);
CREATE INDEX IF NOT EXISTS handling_by_unit ON handling (unit, resolved_at);
CREATE INDEX IF NOT EXISTS handling_by_area ON handling (area, resolved_at);
CREATE INDEX IF NOT EXISTS handling_by_topic ON handling (topic, resolved_at)
