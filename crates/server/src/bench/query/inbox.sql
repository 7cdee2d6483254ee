-- What is owed in an area, what is due first first, for its desk.
SELECT appeal.*, owed.document AS due, clock.document AS clock, clock.diagnosis
FROM (
    SELECT due, appeal, enterprise, diagnosis, clock FROM {appeals}.clock
    WHERE area = $1 AND secrecy <= 2
    ORDER BY due, appeal, enterprise, diagnosis, clock LIMIT 51
) AS page
JOIN {appeals}.clock AS clock USING (due, appeal, enterprise, diagnosis, clock)
JOIN {appeals}.appeal AS appeal ON appeal.appeal = page.appeal AND appeal.enterprise = page.enterprise
LEFT JOIN {appeals}.clock AS owed ON owed.appeal = appeal.appeal AND owed.enterprise = appeal.enterprise
    AND owed.diagnosis = '00000000-0000-0000-0000-000000000000' AND owed.clock = appeal.due_clock
ORDER BY page.due, page.appeal, page.enterprise, page.diagnosis, page.clock
