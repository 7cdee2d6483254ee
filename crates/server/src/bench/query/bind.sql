-- Puts them back.
SET maintenance_work_mem = '1GB';
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT * FROM bench.index LOOP
        EXECUTE found.indexdef;
    END LOOP;
END $$;
