-- Takes the indexes off the tables that are going to be filled; those of keys stay.
CREATE TABLE bench.index AS
SELECT schemaname, indexname, indexdef FROM pg_indexes AS i
WHERE schemaname IN ('{timeline}', '{visits}', '{appeals}')
    AND tablename IN (
        'entry', 'subject', 'enterprise', 'visit', 'visit_past', 'appeal', 'appeal_past', 'clock', 'clock_past'
    )
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS c
        WHERE c.conname = i.indexname AND c.connamespace = i.schemaname::regnamespace
    );
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT * FROM bench.index LOOP
        EXECUTE format('DROP INDEX %I.%I', found.schemaname, found.indexname);
    END LOOP;
END $$;
