-- One row for each planned visit, as the limits see it. day is the planned day, from check-in on the
-- day that it counts on.
CREATE TABLE IF NOT EXISTS visit (
    visit      uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    -- The units that take part, the lead first, each with its level.
    parties    jsonb            NOT NULL,
    -- The items, each with its field.
    items      jsonb            NOT NULL,
    -- The officers' certificates: those planned, once they came those who came.
    officers   jsonb            NOT NULL,
    ground     text             NOT NULL,
    day        date             NOT NULL,
    -- reserved, used, or null when it holds no place.
    held       text,
    -- Whether something was found; null while nothing is reported.
    finding    boolean,
    PRIMARY KEY (visit, enterprise)
);
-- What holds a place at an enterprise from some day on.
CREATE INDEX IF NOT EXISTS visit_by_day ON visit (enterprise, day) WHERE held IS NOT NULL;

-- What rules know a registered enterprise by, as the decision folds it.
CREATE TABLE IF NOT EXISTS enterprise (
    enterprise text COLLATE "C" PRIMARY KEY,
    profile    jsonb            NOT NULL
);

-- The drafts and the version in force of the frequency policy and of each unit's catalogue.
CREATE TABLE IF NOT EXISTS policy (
    name      text COLLATE "C" NOT NULL,
    version   integer          NOT NULL,
    published boolean          NOT NULL,
    -- Of a catalogue only the unit's level.
    said      jsonb            NOT NULL,
    PRIMARY KEY (name, version)
)
