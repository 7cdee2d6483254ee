-- One row for each planned visit. day is the planned day, from check-in on the day of check-in.
CREATE TABLE IF NOT EXISTS visit (
    visit      uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    unit       text             NOT NULL,
    ground     text             NOT NULL,
    day        date             NOT NULL,
    -- reserved, used, or null when it holds no place.
    held       text,
    PRIMARY KEY (visit, enterprise)
);
-- What holds a place at an enterprise within some days.
CREATE INDEX IF NOT EXISTS visit_by_day ON visit (enterprise, day) WHERE held IS NOT NULL;

-- The drafts of the frequency policy and the version in force.
CREATE TABLE IF NOT EXISTS policy (
    version   integer PRIMARY KEY,
    published boolean NOT NULL,
    document  jsonb   NOT NULL
)
