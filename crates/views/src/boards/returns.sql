-- Each time that a unit said that it is not competent. `unit` is who said so.
SELECT r.appeal AS subject, r.enterprise, r.number::bigint AS number, r.at, r.from_unit AS unit, r.to_unit,
       r.area, r.secrecy, r.upheld
FROM returns AS r
