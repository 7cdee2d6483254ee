-- The visits that took place in some days, by ground: what the board asks.
SELECT ARRAY[coalesce(ground::text, ''), NULL] AS keys, GROUPING(ground) > 0 AS whole, count(*) AS rows,
       count(DISTINCT enterprise) AS enterprises, count(NULL::boolean) AS known,
       count(*) FILTER (WHERE NULL::boolean) AS hits,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY NULL::double precision) AS median,
       percentile_cont(0.9) WITHIN GROUP (ORDER BY NULL::double precision) AS p90
FROM (
    SELECT v.visit AS subject, v.enterprise, v.day, v.unit, v.beside, v.area, v.state, v.ground,
           v.held = 'used' AS used, cardinality(v.beside) > 0 AS joint,
           v.ground IN (
               SELECT jsonb_array_elements_text(rule -> 'exempt_grounds')
               FROM {visits}.policy, jsonb_array_elements(policy.said -> 'limits' -> 'rules') AS rule
               WHERE policy.name = 'frequency' AND policy.published
           ) AS exempt,
           v.irregular,
           e.profile #>> '{credit,grade}' AS credit, e.profile ->> 'risk_class' AS risk
    FROM {visits}.visit AS v LEFT JOIN {visits}.enterprise AS e ON e.enterprise = v.enterprise
    WHERE v.held IS NOT NULL
) AS counted
WHERE used AND day >= $1 AND day <= $2
GROUP BY GROUPING SETS ((ground), ())
ORDER BY whole DESC, rows DESC, keys LIMIT 1002
