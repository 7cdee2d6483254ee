-- Repeats a simulated city: every row again for each of so many further cities ({first} to {last}) with enterprises,
-- visits and appeals of their own, so that tables are as large as asked for and as uneven as life.
CREATE OR REPLACE FUNCTION pg_temp.city(id text, city bigint) RETURNS text IMMUTABLE LANGUAGE sql AS
    $$SELECT 'L-' || upper(substr(md5(id || ' ' || city), 1, 14))$$;
CREATE OR REPLACE FUNCTION pg_temp.city(id uuid, city bigint) RETURNS uuid IMMUTABLE LANGUAGE sql AS
    $$SELECT md5(id || ' ' || city)::uuid$$;

-- Repeats the rows of "of" in "into" with some columns changed.
CREATE OR REPLACE FUNCTION pg_temp.again(of regclass, "into" regclass, changed jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format(
        'INSERT INTO %s SELECT %s FROM generate_series({first}::bigint, {last}::bigint) AS city CROSS JOIN %s AS row',
        "into",
        (SELECT string_agg(coalesce(changed ->> attname, format('row.%I', attname)), ', ' ORDER BY attnum)
         FROM pg_attribute WHERE attrelid = of AND attnum > 0 AND NOT attisdropped),
        of);
END $$;

SELECT pg_temp.again(('bench.' || kept)::regclass, "into"::regclass, (
    SELECT jsonb_object_agg(name, CASE name
        WHEN 'position' THEN 'row.position + city * {span}'
        WHEN 'submitted_position' THEN 'row.submitted_position + city * {span}'
        ELSE format('pg_temp.city(row.%I, city)', name)
    END)
    FROM unnest(ARRAY['enterprise', 'subject', 'visit', 'appeal', 'position', 'submitted_position']) AS name))
FROM (VALUES
    ('own', '{timeline}.entry'), ('subject', '{timeline}.subject'), ('registered', '{timeline}.enterprise'),
    ('enterprise', '{visits}.enterprise'), ('visit', '{visits}.visit'), ('visit_past', '{visits}.visit_past'),
    ('appeal', '{appeals}.appeal'), ('appeal_past', '{appeals}.appeal_past'),
    ('clock', '{appeals}.clock'), ('clock_past', '{appeals}.clock_past')) AS tables(kept, "into");
