-- Visits that hold a place, on the day that they count on. `used` are those that took place. A ground is exempt
-- where some rule of the frequency policy in force says so.
SELECT v.visit AS subject, v.enterprise, 0::bigint AS number, v.day,
       v.day::timestamp AT TIME ZONE INTERVAL '08:00' AS at, v.unit, v.beside, v.area, v.internal, v.state,
       v.ground,
       v.held = 'used' AS used, cardinality(v.beside) > 0 AS joint,
       v.ground IN (
           SELECT jsonb_array_elements_text(rule -> 'exempt_grounds')
           FROM policy, jsonb_array_elements(policy.said -> 'limits' -> 'rules') AS rule
           WHERE policy.name = 'frequency' AND policy.published
       ) AS exempt,
       v.irregular,
       e.profile #>> '{credit,grade}' AS credit, e.profile ->> 'risk_class' AS risk
FROM visit AS v LEFT JOIN enterprise AS e ON e.enterprise = v.enterprise
WHERE v.held IS NOT NULL
