-- Each time that a unit said that it resolved an appeal, and what became of it. What the enterprise said itself
-- comes before what it said on the phone.
SELECT h.appeal AS subject, h.enterprise, h.number::bigint AS number, h.resolved_at AS at, h.unit, h.area,
       h.secrecy, h.topic, h.responded, coalesce(h.own_resolved, h.phone_resolved) AS resolved,
       coalesce(h.own_satisfied, h.phone_satisfied) AS satisfied, h.reopened
FROM handling AS h
