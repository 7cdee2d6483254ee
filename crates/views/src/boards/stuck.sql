-- Open appeals that are stuck, once for each reason that holds.
SELECT a.appeal AS subject, a.enterprise, why.number, a.last_moved AS at, a.unit, a.beside, a.area,
       a.secrecy, a.state, a.topic, why.reason
FROM appeal AS a
CROSS JOIN LATERAL (VALUES {reasons}) AS why (number, reason, holds)
WHERE a.open AND why.holds
