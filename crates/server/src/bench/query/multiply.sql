-- Repeats a simulated city: every row again for each of so many further cities ({first} to {last}) with enterprises,
-- visits and appeals of their own, so that tables are as large as asked for and as uneven as life.
CREATE OR REPLACE FUNCTION pg_temp.city(id text, city bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$SELECT 'L-' || upper(substr(md5(id || ' ' || city), 1, 14))$$;
CREATE OR REPLACE FUNCTION pg_temp.city(id uuid, city bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS
    $$SELECT md5(id || ' ' || city)::uuid$$;

INSERT INTO {timeline}.entry
SELECT e.position + city * {span}, e.ordinal, pg_temp.city(e.enterprise, city), e.kind, e.event_type,
       pg_temp.city(e.subject, city), e.unit, e.area, e.occurred_at, e.recorded_at, e.details, e.internal
FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN {timeline}.entry AS e
WHERE e.position <= {span};

INSERT INTO {timeline}.subject
SELECT (jsonb_populate_record(s, jsonb_build_object('subject', pg_temp.city(s.subject, city), 'enterprise',
       pg_temp.city(s.enterprise, city), 'appeal', pg_temp.city(s.appeal, city)))).*
FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN bench.subject AS s;

INSERT INTO {timeline}.enterprise
SELECT pg_temp.city(e.enterprise, city), e.area
FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN bench.registered AS e;

INSERT INTO {visits}.enterprise
SELECT pg_temp.city(e.enterprise, city), e.profile, e.since, e.since_at
FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN bench.enterprise AS e;

INSERT INTO {visits}.visit
SELECT (jsonb_populate_record(v, jsonb_build_object('visit', pg_temp.city(v.visit, city), 'enterprise',
       pg_temp.city(v.enterprise, city)))).*
FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN bench.visit AS v;

INSERT INTO {appeals}.appeal
SELECT (jsonb_populate_record(a, jsonb_build_object('appeal', pg_temp.city(a.appeal, city), 'enterprise',
       pg_temp.city(a.enterprise, city), 'submitted_position', a.submitted_position + city * {span}))).*
FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN bench.appeal AS a;

INSERT INTO {appeals}.clock
SELECT (jsonb_populate_record(c, jsonb_build_object('appeal', pg_temp.city(c.appeal, city), 'enterprise',
       pg_temp.city(c.enterprise, city)))).*
FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN bench.clock AS c;
