//! A deadline in words, in both languages: what was counted, left out, granted, and by which rules.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, Weekday},
    tz,
};

use super::{Clock, Derivation, Extension, Pause, PauseGround, Stretch};
use crate::calendar::{DayKind, WorkingTime, civil_date};

/// Why a clock is due when it is. Dates and times are those of Asia/Shanghai.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// In English.
    pub en: String,
    /// In Chinese.
    pub zh: String,
}

fn say(en: String, zh: String) -> Explanation {
    Explanation { en, zh }
}

impl Clock {
    /// The derivation of the due instant in words.
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let derivation = &self.derivation;
        let mut clauses = vec![self.allowance()];
        clauses.extend(derivation.exceptions.iter().map(stretch));
        clauses.extend(derivation.pauses.iter().map(pause));
        clauses.extend(derivation.extensions.iter().map(extension));
        clauses.push(self.due_in_words());
        clauses.push(versions(derivation));
        if derivation.provisional {
            let first = civil_date(self.start).saturating_add(1.day()).year();
            let last = civil_date(self.due).year();
            clauses.push(provisional(derivation, first.min(last), last));
        }
        let join = |words: fn(&Explanation) -> &str, comma| {
            clauses.iter().map(words).collect::<Vec<_>>().join(comma)
        };
        say(join(|clause| &clause.en, "; "), join(|clause| &clause.zh, "；") + "。")
    }

    fn allowance(&self) -> Explanation {
        let date = civil_date(self.start);
        let (en, zh) = (day_en(date), day_zh(date));
        match self.working_days {
            0 => say(
                format!("by the end of the working day from {en}"),
                format!("自{zh}起，当个工作日内"),
            ),
            1 => say(format!("1 working day from {en}"), format!("自{zh}次日起计1个工作日")),
            days => say(
                format!("{days} working days from {en}"),
                format!("自{zh}次日起计{days}个工作日"),
            ),
        }
    }

    fn due_in_words(&self) -> Explanation {
        let date = civil_date(self.due);
        let time = time(self.due);
        let (en, zh) = (day_en(date), day_zh(date));
        match self.pause_in_force() {
            None => say(format!("due {en} {time}"), format!("{zh}{time}到期")),
            Some(pause) if pause.left > WorkingTime::ZERO => say(
                format!(
                    "stands still with {} of working time left, would have been due {en} {time}",
                    length_en(pause.left)
                ),
                format!("现中止计时，剩余工作时间{}，原应于{zh}{time}到期", length_zh(pause.left)),
            ),
            Some(_) => say(
                format!("stands still, was due {en} {time} before"),
                format!("现中止计时，此前已于{zh}{time}到期"),
            ),
        }
    }
}

fn stretch(stretch: &Stretch) -> Explanation {
    let Stretch { from, to, kind, name } = stretch;
    let weekend = matches!(from.weekday(), Weekday::Saturday | Weekday::Sunday);
    match kind {
        DayKind::Holiday if from == to => say(
            format!("{from} holiday ({name})"),
            format!("{}{name}放假，不计入", date_zh(*from, None)),
        ),
        DayKind::Holiday => say(
            format!("{from} to {to} holiday ({name})"),
            format!(
                "{}至{}{name}放假，不计入",
                date_zh(*from, None),
                date_zh(*to, Some(from.year()))
            ),
        ),
        DayKind::Workday if weekend => say(
            format!("{} counted as make-up day ({name})", day_en(*from)),
            format!("{}为{name}调休上班日，计入", day_zh(*from)),
        ),
        DayKind::Workday => say(
            format!("{} counted at hours of its own ({name})", day_en(*from)),
            format!("{}按当日工作时间计入（{name}）", day_zh(*from)),
        ),
    }
}

fn pause(pause: &Pause) -> Explanation {
    let Pause { ground, reference, since, until, .. } = pause;
    let (en, zh) = match ground {
        PauseGround::MaterialAsked => ("material asked", "等待企业补充材料"),
        PauseGround::LegalStep => ("legal step", "等待法定程序"),
    };
    let (en, zh) = (format!("({en}, ref {reference})"), format!("（{zh}，凭据：{reference}）"));
    let begun = civil_date(*since);
    let (from, from_zh) = (minute_en(*since), date_zh(begun, None) + &time(*since));
    let Some(until) = until else {
        return say(format!("paused since {from} {en}"), format!("{from_zh}起中止计时{zh}"));
    };
    let until_zh = date_zh(civil_date(*until), Some(begun.year())) + &time(*until);
    say(
        format!(
            "paused {} of working time from {from} to {} {en}",
            length_en(pause.length),
            minute_en(*until)
        ),
        format!("{from_zh}至{until_zh}中止计时{zh}，扣除工作时间{}", length_zh(pause.length)),
    )
}

fn extension(extension: &Extension) -> Explanation {
    let Extension { at, working_days } = extension;
    let date = civil_date(*at);
    let days = if *working_days == 1 { "day" } else { "days" };
    say(
        format!("extended by {working_days} working {days} on {date}"),
        format!("{}批准延长{working_days}个工作日", date_zh(date, None)),
    )
}

fn versions(derivation: &Derivation) -> Explanation {
    let Derivation { calendar_version, terms_version, .. } = derivation;
    let (calendar, calendar_zh) = match calendar_version {
        0 => ("no work calendar published".to_owned(), "尚未发布工作日历".to_owned()),
        version => (format!("work calendar version {version}"), format!("工作日历第{version}版")),
    };
    let (terms, terms_zh) = match terms_version {
        0 => ("case types as shipped".to_owned(), "系统自带诉求类型".to_owned()),
        version => (format!("case types version {version}"), format!("诉求类型第{version}版")),
    };
    say(format!("{calendar}, {terms}"), format!("依据：{calendar_zh}、{terms_zh}"))
}

fn provisional(derivation: &Derivation, first: i16, last: i16) -> Explanation {
    if derivation.calendar_version == 0 {
        say(
            "provisional: only weekends are left out".to_owned(),
            "暂定：仅扣除周末，未计节假日和调休".to_owned(),
        )
    } else if first == last {
        say(
            format!("provisional: {last} is not published yet"),
            format!("暂定：{last}年放假调休安排尚未公布"),
        )
    } else {
        say(
            format!("provisional: not all of {first} to {last} is published yet"),
            format!("暂定：{first}年至{last}年放假调休安排尚未全部公布"),
        )
    }
}

/// Such as `Fri 2025-04-25`.
fn day_en(date: Date) -> String {
    let weekday = match date.weekday() {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    };
    format!("{weekday} {date}")
}

/// Such as `2025年4月25日（星期五）`.
fn day_zh(date: Date) -> String {
    let weekday = match date.weekday() {
        Weekday::Monday => '一',
        Weekday::Tuesday => '二',
        Weekday::Wednesday => '三',
        Weekday::Thursday => '四',
        Weekday::Friday => '五',
        Weekday::Saturday => '六',
        Weekday::Sunday => '日',
    };
    format!("{}（星期{weekday}）", date_zh(date, None))
}

/// Such as `2025年4月25日`; without the year where it was just said.
fn date_zh(date: Date, year_said: Option<i16>) -> String {
    let (year, month, day) = (date.year(), date.month(), date.day());
    if year_said == Some(year) {
        format!("{month}月{day}日")
    } else {
        format!("{year}年{month}月{day}日")
    }
}

/// Such as `17:00`.
fn time(instant: Timestamp) -> String {
    let time = tz::offset(8).to_datetime(instant).time();
    format!("{:02}:{:02}", time.hour(), time.minute())
}

/// Such as `2025-04-28 09:00`.
fn minute_en(instant: Timestamp) -> String {
    format!("{} {}", civil_date(instant), time(instant))
}

/// Such as `14 h 00 min`.
fn length_en(length: WorkingTime) -> String {
    let minutes = length.whole_seconds() / 60;
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

/// Such as `14小时30分钟`.
fn length_zh(length: WorkingTime) -> String {
    let minutes = length.whole_seconds() / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes}分钟"),
        (hours, 0) => format!("{hours}小时"),
        (hours, minutes) => format!("{hours}小时{minutes}分钟"),
    }
}
