//! Deadlines in words.

use super::*;

/// Both languages, one clause a line.
fn explained(clock: &Clock) -> (Vec<String>, Vec<String>) {
    let Explanation { en, zh } = clock.explain();
    let clauses = |text: &str, comma| text.split(comma).map(str::to_owned).collect();
    (clauses(&en, "; "), clauses(zh.strip_suffix('。').unwrap(), "；"))
}

#[test]
fn a_deadline_over_may_day() {
    let (en, zh) = explained(&Ground::published().start("2025-04-25 10:00", 5));
    assert_eq!(
        en,
        [
            "5 working days from Fri 2025-04-25",
            "Sun 2025-04-27 counted as make-up day (劳动节)",
            "2025-05-01 to 2025-05-05 holiday (劳动节)",
            "due Tue 2025-05-06 17:00",
            "work calendar version 7, case types version 2",
        ]
    );
    assert_eq!(
        zh,
        [
            "自2025年4月25日（星期五）次日起计5个工作日",
            "2025年4月27日（星期日）为劳动节调休上班日，计入",
            "2025年5月1日至5月5日劳动节放假，不计入",
            "2025年5月6日（星期二）17:00到期",
            "依据：工作日历第7版、诉求类型第2版",
        ]
    );
}

#[test]
fn paused_and_extended() {
    let ground = Ground::published();
    let clock = ground.start("2025-03-03 10:00", 5);
    let clock = ground.resume(&ground.pause(&clock, "2025-03-05 09:00"), "2025-03-06 16:30");
    let clock = ground.extend(&clock, "2025-03-07 11:00", 3);
    let clock = ground.extend(&clock, "2025-03-10 11:00", 1);
    let legal = (PauseGround::LegalStep, reference("鉴定-3"));
    let clock = clock.pause(shanghai("2025-03-11 10:45"), legal.0, legal.1, ground.terms());
    let (en, zh) = explained(&clock);
    assert_eq!(
        en,
        [
            "5 working days from Mon 2025-03-03",
            "paused 13 h 30 min of working time from 2025-03-05 09:00 to 2025-03-06 16:30 (material asked, ref 补-17)",
            "paused since 2025-03-11 10:45 (legal step, ref 鉴定-3)",
            "extended by 3 working days on 2025-03-07",
            "extended by 1 working day on 2025-03-10",
            "stands still with 39 h 45 min of working time left, would have been due Tue 2025-03-18 16:30",
            "work calendar version 7, case types version 2",
        ]
    );
    assert_eq!(
        zh,
        [
            "自2025年3月3日（星期一）次日起计5个工作日",
            "2025年3月5日09:00至3月6日16:30中止计时（等待企业补充材料，凭据：补-17），扣除工作时间13小时30分钟",
            "2025年3月11日10:45起中止计时（等待法定程序，凭据：鉴定-3）",
            "2025年3月7日批准延长3个工作日",
            "2025年3月10日批准延长1个工作日",
            "现中止计时，剩余工作时间39小时45分钟，原应于2025年3月18日（星期二）16:30到期",
            "依据：工作日历第7版、诉求类型第2版",
        ]
    );
}

#[test]
fn a_year_not_published_yet() {
    let ground = Ground::published();
    let (en, zh) = explained(&ground.start("2026-12-31 10:00", 1));
    let last = |clauses: &[String]| clauses.last().unwrap().clone();
    assert_eq!(last(&en), "provisional: 2027 is not published yet");
    assert_eq!(last(&zh), "暂定：2027年放假调休安排尚未公布");
    let (en, zh) = explained(&ground.start("2026-12-29 10:00", 5));
    assert_eq!(last(&en), "provisional: not all of 2026 to 2027 is published yet");
    assert_eq!(last(&zh), "暂定：2026年至2027年放假调休安排尚未全部公布");
}

#[test]
fn nothing_published_at_all() {
    let ground = Ground::new(Calendar::default());
    let calendar = Published { version: 0, document: &ground.calendar };
    let terms = ground.case_type.terms(0, calendar);
    let now = shanghai("2025-05-09 18:00");
    let clock = Clock::start(ClockId(1), ClockKind::Accept, Owner::CityDesk, 0, now, terms);
    let (en, zh) = explained(&clock);
    assert_eq!(
        en,
        [
            "by the end of the working day from Fri 2025-05-09",
            "due Mon 2025-05-12 17:00",
            "no work calendar published, case types as shipped",
            "provisional: only weekends are left out",
        ]
    );
    assert_eq!(
        zh,
        [
            "自2025年5月9日（星期五）起，当个工作日内",
            "2025年5月12日（星期一）17:00到期",
            "依据：尚未发布工作日历、系统自带诉求类型",
            "暂定：仅扣除周末，未计节假日和调休",
        ]
    );
}

#[test]
fn half_days_single_holidays_and_standing_still_when_overdue() {
    let ground = Ground::new(with_half_day("2025-06-03"));
    let clock = ground.start("2025-05-30 10:00", 1);
    let (en, zh) = explained(&ground.pause(&clock, "2025-06-04 09:00"));
    assert_eq!(
        en[..4],
        [
            "1 working day from Fri 2025-05-30",
            "2025-06-02 holiday (端午节)",
            "Tue 2025-06-03 counted at hours of its own (半天)",
            "paused since 2025-06-04 09:00 (material asked, ref 补-17)",
        ]
    );
    assert_eq!(en[4], "stands still, was due Tue 2025-06-03 12:00 before");
    assert_eq!(
        zh[1..3],
        ["2025年6月2日端午节放假，不计入", "2025年6月3日（星期二）按当日工作时间计入（半天）"]
    );
    assert_eq!(zh[4], "现中止计时，此前已于2025年6月3日（星期二）12:00到期");
}
