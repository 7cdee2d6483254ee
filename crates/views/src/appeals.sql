-- One row for each appeal, as it is now.
CREATE TABLE IF NOT EXISTS appeal (
    appeal                  uuid             NOT NULL,
    enterprise              text COLLATE "C" NOT NULL,
    number                  text COLLATE "C" NOT NULL,
    state                   text             NOT NULL,
    -- Somebody still owes something.
    open                    boolean          NOT NULL,
    channel                 text             NOT NULL,
    case_type               text             NOT NULL,
    class                   text,
    topic                   text             NOT NULL,
    area                    text             NOT NULL,
    -- 0 public, 1 internal, 2 confidential, 3 strict.
    secrecy                 smallint         NOT NULL,
    unit                    text,
    co_units                text[]           NOT NULL,
    -- The co-units, and who was asked for a part by name: tasks and joint diagnoses, as remembered.
    beside                  text[]           NOT NULL,
    asked                   jsonb            NOT NULL,
    rule                    jsonb,
    -- The clock of the next step of the case itself.
    due_clock               bigint,
    objections              integer          NOT NULL,
    bounces                 integer          NOT NULL,
    guarantee               text,
    merged_into             uuid,
    about_visit             uuid,
    submitted_at            timestamptz      NOT NULL,
    -- The day in Asia/Shanghai.
    submitted_on            date             NOT NULL,
    closed_at               timestamptz,
    last_moved              timestamptz      NOT NULL,
    -- When it came into this state, with this unit.
    entered_at              timestamptz      NOT NULL,
    -- Calendar days after a close within which the same topic again is suspicious.
    false_closure_days      integer          NOT NULL,
    suspected_false_closure boolean          NOT NULL DEFAULT false,
    -- Contested: whether the unit had signed for it.
    signed                  boolean          NOT NULL,
    -- How it stood before it was merged, while that may come to nothing.
    before_merge            jsonb,
    submitted_position      bigint           NOT NULL,
    updated_position        bigint           NOT NULL,
    -- The commit that made the row so, and when what that records happened.
    since                   bigint           NOT NULL,
    since_at                timestamptz      NOT NULL,
    PRIMARY KEY (appeal, enterprise)
);
CREATE INDEX IF NOT EXISTS appeal_by_matter ON appeal (enterprise, topic, submitted_position);

-- What the rows were, and until when.
CREATE TABLE IF NOT EXISTS appeal_past (
    LIKE appeal, until bigint NOT NULL, until_at timestamptz NOT NULL);
CREATE INDEX IF NOT EXISTS appeal_past_by_appeal ON appeal_past (appeal, enterprise);

-- One row for each clock that runs or stands still: of an appeal, or of its joint diagnosis.
CREATE TABLE IF NOT EXISTS clock (
    appeal     uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    -- The nil UUID for a clock of the appeal itself.
    diagnosis  uuid             NOT NULL,
    clock      bigint           NOT NULL,
    kind       text             NOT NULL,
    -- The unit that owes it; null for the city desk.
    owner      text,
    due        timestamptz      NOT NULL,
    -- It stands still and was not overdue when that began.
    waits      boolean          NOT NULL,
    -- 0 none, 1 blue, 2 yellow, 3 red.
    level      smallint         NOT NULL,
    -- 0 none, 1 urged, 2 supervised, 3 circulated, 4 summoned.
    rung       smallint         NOT NULL,
    -- Of the appeal; null while it is not known.
    unit       text,
    area       text,
    secrecy    smallint         NOT NULL,
    document   jsonb            NOT NULL,
    -- The commit that made it so, and when what that records happened.
    since      bigint           NOT NULL,
    since_at   timestamptz      NOT NULL,
    PRIMARY KEY (appeal, enterprise, diagnosis, clock)
);
CREATE INDEX IF NOT EXISTS clock_by_diagnosis ON clock (diagnosis)
    WHERE diagnosis <> '00000000-0000-0000-0000-000000000000';

-- What the rows were, and until when.
CREATE TABLE IF NOT EXISTS clock_past (
    LIKE clock, until bigint NOT NULL, until_at timestamptz NOT NULL);

-- One row for each close of an appeal: an appeal on the same topic until then makes it suspicious.
CREATE TABLE IF NOT EXISTS closure (
    appeal     uuid             NOT NULL,
    enterprise text COLLATE "C" NOT NULL,
    topic      text             NOT NULL,
    position   bigint           NOT NULL,
    until      date             NOT NULL,
    PRIMARY KEY (appeal, enterprise, position)
);
CREATE INDEX IF NOT EXISTS closure_by_matter ON closure (enterprise, topic, position);

-- One row for each time that an open appeal left a state or a unit: how long it had been there.
CREATE TABLE IF NOT EXISTS stay (
    appeal      uuid             NOT NULL,
    enterprise  text COLLATE "C" NOT NULL,
    -- The commit in which it ended, and which event of it.
    position    bigint           NOT NULL,
    ordinal     integer          NOT NULL,
    state       text             NOT NULL,
    unit        text,
    beside      text[]           NOT NULL,
    area        text             NOT NULL,
    topic       text             NOT NULL,
    secrecy     smallint         NOT NULL,
    entered_at  timestamptz      NOT NULL,
    -- When it ended.
    occurred_at timestamptz      NOT NULL,
    PRIMARY KEY (position, ordinal)
);

-- For queries alone: a build from the whole log makes these when the rows are there.
-- Every filter alone and a unit's or area's list by state, each in the order of the list. A list
-- with more filters takes the narrowest of these and checks the rest.
CREATE INDEX IF NOT EXISTS appeal_by_submission ON appeal (submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_number ON appeal (number);
CREATE INDEX IF NOT EXISTS appeal_by_state ON appeal (state, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_case_type ON appeal (case_type, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_guarantee ON appeal (guarantee, submitted_position)
    WHERE guarantee IS NOT NULL;
CREATE INDEX IF NOT EXISTS appeal_by_unit ON appeal (unit, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_unit_state ON appeal (unit, state, submitted_position);
-- With no list of pending entries, which every question would read through.
CREATE INDEX IF NOT EXISTS appeal_by_unit_beside ON appeal USING gin (beside) WITH (fastupdate = off);
CREATE INDEX IF NOT EXISTS appeal_by_area ON appeal (area, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_area_state ON appeal (area, state, submitted_position);
CREATE INDEX IF NOT EXISTS appeal_by_topic ON appeal (topic, submitted_position);
-- An enterprise's own, its duplicates, and the same matter again.
CREATE INDEX IF NOT EXISTS appeal_by_enterprise ON appeal (enterprise, submitted_position) WHERE open;
-- What is stuck, longest first.
CREATE INDEX IF NOT EXISTS appeal_idle ON appeal (last_moved, appeal) WHERE open;
CREATE INDEX IF NOT EXISTS appeal_idle_by_unit ON appeal (unit, last_moved, appeal) WHERE open;
CREATE INDEX IF NOT EXISTS appeal_idle_by_area ON appeal (area, last_moved, appeal) WHERE open;
CREATE INDEX IF NOT EXISTS appeal_bounced ON appeal (last_moved, appeal)
    WHERE open AND bounces > 0;
CREATE INDEX IF NOT EXISTS appeal_contested ON appeal (last_moved, appeal)
    WHERE open AND state = 'contested';
CREATE INDEX IF NOT EXISTS appeal_past_by_enterprise ON appeal_past (enterprise, until);
CREATE INDEX IF NOT EXISTS appeal_past_by_end ON appeal_past
    ((floor(ln(greatest(until - since, 1)::float8) / ln(4::float8))::integer), until);
-- An inbox by what is owed, who owes, who leads, where it plays, whose it is; and what climbs the ladder.
CREATE INDEX IF NOT EXISTS clock_by_due ON clock (due, appeal);
CREATE INDEX IF NOT EXISTS clock_by_kind ON clock (kind, due, appeal);
CREATE INDEX IF NOT EXISTS clock_by_owner ON clock (owner, due, appeal);
CREATE INDEX IF NOT EXISTS clock_by_unit ON clock (unit, due, appeal);
CREATE INDEX IF NOT EXISTS clock_by_area ON clock (area, due, appeal)
    INCLUDE (secrecy, kind, level, rung, waits);
CREATE INDEX IF NOT EXISTS clock_by_enterprise ON clock (enterprise, due, appeal);
-- Counts of many: equal keys take next to no room.
CREATE INDEX IF NOT EXISTS clock_tally ON clock (area, kind, level, rung, secrecy);
CREATE INDEX IF NOT EXISTS clock_by_rung ON clock (rung, due, appeal) WHERE rung > 0;
CREATE INDEX IF NOT EXISTS clock_past_by_appeal ON clock_past (appeal, enterprise);
CREATE INDEX IF NOT EXISTS clock_past_by_end ON clock_past
    ((floor(ln(greatest(until - since, 1)::float8) / ln(4::float8))::integer), until);
CREATE INDEX IF NOT EXISTS stay_by_end ON stay (occurred_at);
CREATE INDEX IF NOT EXISTS stay_by_unit ON stay (unit, occurred_at);
CREATE INDEX IF NOT EXISTS stay_by_area ON stay (area, occurred_at)
