-- The visits that took place in some days, by ground.
SELECT ground, count(*), count(DISTINCT enterprise)
FROM {visits}.visit WHERE held = 'used' AND day BETWEEN $1 AND $2
GROUP BY ground
