-- One row for each appeal, as it is now.
CREATE TABLE IF NOT EXISTS appeal (
    appeal               uuid             NOT NULL,
    enterprise           text COLLATE "C" NOT NULL,
    state                text             NOT NULL,
    channel              text             NOT NULL,
    topic                text             NOT NULL,
    area                 text             NOT NULL,
    unit                 text,
    co_units             text[]           NOT NULL,
    rule                 jsonb,
    due_on               date,
    due_start            date,
    due_working_days     integer,
    due_calendar_version integer,
    due_provisional      boolean,
    objections           integer          NOT NULL,
    about_visit          uuid,
    submitted_at         timestamptz      NOT NULL,
    submitted_position   bigint           NOT NULL,
    updated_position     bigint           NOT NULL,
    PRIMARY KEY (appeal, enterprise)
);
-- Every filter alone and a unit's or area's inbox by state, each in the order of the list. A list
-- with more filters takes the narrowest of these and checks the rest.
CREATE INDEX IF NOT EXISTS appeal_by_submission ON appeal (submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_state ON appeal (state, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_unit ON appeal (unit, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_unit_state ON appeal (unit, state, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_co_unit ON appeal USING gin (co_units);
CREATE INDEX IF NOT EXISTS appeal_by_area ON appeal (area, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_area_state ON appeal (area, state, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_topic ON appeal (topic, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_enterprise ON appeal (enterprise, submitted_position)
