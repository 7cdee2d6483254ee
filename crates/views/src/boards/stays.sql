-- Each time that an open appeal left a state or a unit, on the day on which it left. A commit has at most
-- 256 events.
SELECT s.appeal AS subject, s.enterprise, (s.position << 8) | s.ordinal AS number, s.occurred_at AS at,
       s.unit, s.beside, s.area, s.secrecy, s.state, s.topic,
       extract(epoch FROM s.occurred_at - s.entered_at)::double precision AS seconds
FROM stay AS s
