-- The newest entries of an enterprise, for who watches over the whole city.
SELECT entry.position, entry.ordinal, entry.enterprise, entry.kind, entry.event_type, entry.subject, entry.unit,
       entry.area, entry.occurred_at, entry.recorded_at, entry.details::text, entry.internal, entry.beside,
       entry.secrecy
FROM (
    SELECT e.*, coalesce(s.beside, '{}') AS beside,
           coalesce(s.secrecy, CASE e.kind WHEN 'appeal' THEN 3 ELSE 0 END)::smallint AS secrecy
    FROM {timeline}.entry AS e
    LEFT JOIN {timeline}.subject AS s ON s.subject = e.subject AND s.enterprise = e.enterprise
) AS entry
WHERE entry.enterprise = $1 AND entry.secrecy <= 1
ORDER BY entry.occurred_at DESC, entry.position DESC, entry.ordinal DESC
LIMIT 51
