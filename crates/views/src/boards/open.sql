-- Appeals on which somebody owes something, each with the worst of its clocks.
SELECT a.appeal AS subject, a.enterprise, 0::bigint AS number, a.submitted_at AS at, a.unit, a.beside,
       a.area, a.secrecy, a.state, a.topic, a.case_type, a.class,
       (ARRAY['blue', 'yellow', 'red'])[worst.level] AS level,
       (ARRAY['urged', 'supervised', 'circulated', 'summoned'])[worst.rung] AS rung
FROM appeal AS a
LEFT JOIN LATERAL (
    SELECT max(c.level) AS level, max(c.rung) AS rung FROM clock AS c
    WHERE c.appeal = a.appeal AND c.enterprise = a.enterprise
) AS worst ON true
WHERE a.open
