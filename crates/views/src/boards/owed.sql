-- What is owed: each clock that runs or stands still, on the day on which it is due. `unit` is who owes it.
SELECT c.appeal AS subject, c.enterprise, c.diagnosis, c.clock AS number, c.due AS at, c.owner AS unit, c.unit AS lead,
       c.area, c.secrecy, c.kind, c.waits,
       (ARRAY['blue', 'yellow', 'red'])[c.level] AS level,
       (ARRAY['urged', 'supervised', 'circulated', 'summoned'])[c.rung] AS rung
FROM clock AS c
