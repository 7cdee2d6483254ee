-- One row for each visit, and one for each check from elsewhere.
CREATE TABLE IF NOT EXISTS visit (
    visit      uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    -- Where the enterprise was registered when the visit was planned.
    area       text,
    -- The unit that leads, and the others that take part now.
    unit       text             NOT NULL,
    beside     text[]           NOT NULL,
    -- The officers' certificates: those planned, once they came those who came.
    officers   text[]           NOT NULL,
    state      text             NOT NULL,
    -- Null for a check from elsewhere.
    ground     text,
    -- The planned day, from check-in on the day that it counts on.
    day        date             NOT NULL,
    -- reserved, used, or null when it holds no place under the limits.
    held       text,
    -- Whether something was found; null while it holds no place or nothing is reported.
    finding    boolean,
    -- Not for the enterprise.
    internal   boolean          NOT NULL,
    -- Whether something was not in order with the scan; null while nobody came.
    irregular  boolean,
    -- All that is known of it, as the decision folds it. As it was written: nothing is looked for in it, and what
    -- PostgreSQL takes apart costs more to write and to read.
    document   json             NOT NULL,
    -- The commit that made it so, and when what that records happened.
    since      bigint           NOT NULL,
    since_at   timestamptz      NOT NULL,
    PRIMARY KEY (visit, enterprise)
);

-- What the rows were, and until when. An enterprise's by key; all of a time by how long they lasted and when they ended.
CREATE TABLE IF NOT EXISTS visit_past (
    LIKE visit, until bigint NOT NULL, until_at timestamptz NOT NULL);

-- What rules know a registered enterprise by, as the decision folds it.
CREATE TABLE IF NOT EXISTS enterprise (
    enterprise text COLLATE "C" PRIMARY KEY,
    profile    jsonb            NOT NULL,
    since      bigint           NOT NULL,
    since_at   timestamptz      NOT NULL
);
CREATE TABLE IF NOT EXISTS enterprise_past (
    LIKE enterprise, until bigint NOT NULL, until_at timestamptz NOT NULL);

-- The drafts and the version in force of the frequency policy and of each unit's catalogue.
CREATE TABLE IF NOT EXISTS policy (
    name      text COLLATE "C" NOT NULL,
    version   integer          NOT NULL,
    published boolean          NOT NULL,
    -- Of a catalogue only the unit's level.
    said      jsonb            NOT NULL,
    since     bigint           NOT NULL,
    since_at  timestamptz      NOT NULL,
    PRIMARY KEY (name, version)
);
CREATE TABLE IF NOT EXISTS policy_past (
    LIKE policy, until bigint NOT NULL, until_at timestamptz NOT NULL);

-- For queries alone: a build from the whole log makes these when the rows are there.
-- Every list in its order: all, a unit's, an area's, an enterprise's, by state, by ground. A list with more
-- filters takes the narrowest of these and checks the rest; counts read an index alone.
CREATE INDEX IF NOT EXISTS visit_by_day ON visit (day, visit, enterprise);
CREATE INDEX IF NOT EXISTS visit_by_state ON visit (state, day, visit, enterprise) INCLUDE (ground);
CREATE INDEX IF NOT EXISTS visit_by_ground ON visit (ground, day, visit, enterprise);
CREATE INDEX IF NOT EXISTS visit_joint ON visit (day, visit, enterprise) WHERE cardinality(beside) > 0;
CREATE INDEX IF NOT EXISTS visit_by_unit ON visit (unit, day, visit, enterprise);
CREATE INDEX IF NOT EXISTS visit_by_unit_state ON visit (unit, state, day, visit, enterprise)
    INCLUDE (ground);
-- With no list of pending entries, which every question would read through; so the one by officer too.
CREATE INDEX IF NOT EXISTS visit_by_unit_beside ON visit USING gin (beside) WITH (fastupdate = off);
CREATE INDEX IF NOT EXISTS visit_by_area ON visit (area, day, visit, enterprise);
CREATE INDEX IF NOT EXISTS visit_by_area_state ON visit (area, state, day, visit, enterprise)
    INCLUDE (ground);
CREATE INDEX IF NOT EXISTS visit_by_enterprise ON visit (enterprise, day, visit);
-- An inspector's days.
CREATE INDEX IF NOT EXISTS visit_by_officer ON visit USING gin (officers) WITH (fastupdate = off);
-- A unit's ledger.
CREATE INDEX IF NOT EXISTS visit_held ON visit (unit, enterprise, day) INCLUDE (held, finding)
    WHERE held IS NOT NULL;
CREATE INDEX IF NOT EXISTS visit_past_by_enterprise ON visit_past (enterprise, until);
CREATE INDEX IF NOT EXISTS visit_past_by_end ON visit_past
    ((floor(ln(greatest(until - since, 1)::float8) / ln(4::float8))::integer), until);
CREATE INDEX IF NOT EXISTS visit_past_by_visit ON visit_past (visit, enterprise);
CREATE INDEX IF NOT EXISTS enterprise_past_by_key ON enterprise_past (enterprise, until);
CREATE INDEX IF NOT EXISTS policy_past_by_key ON policy_past (name, until)
