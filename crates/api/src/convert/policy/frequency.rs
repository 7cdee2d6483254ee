//! Frequency policies as they come in.

use std::collections::BTreeSet;

use doudi_domain::{
    FieldId, ItemId, RuleId, TagId,
    cases::Warnings,
    frequency::{
        Counting, DaysOfMonth, Enterprises, Excess, Floor, FrequencyPolicy, Ground, Joint,
        OnExceeding, Rule, VisitTerms, Window,
    },
};

use crate::{
    convert::{Fields, inspection::words},
    error::Reason,
    proto as pb, text,
};

const RULES_MAX: usize = 200;
const FLOORS_MAX: usize = 50;
const TAGS_MAX: usize = 50;
/// The most items or fields that a rule is about.
const ABOUT_MAX: usize = 200;
/// The most entries of a list of enum values; repeating one says nothing.
const WORDS_MAX: usize = 50;

pub(super) fn policy(fields: &mut Fields, given: &pb::FrequencyPolicy) -> Option<FrequencyPolicy> {
    // How many rules there must be at least, the document says itself when it is judged.
    let rules = fields.each("document.frequency.rules", &given.rules, (0, RULES_MAX), rule);
    let floors = fields.each("document.frequency.floors", &given.floors, (0, FLOORS_MAX), floor);
    let excess = excess(fields, given.excess.as_ref());
    let visits = given.visits.as_ref();
    let visits = visits.map_or(Some(VisitTerms::default()), |given| visit_terms(fields, *given));
    Some(FrequencyPolicy { rules: rules?, floors: floors?, excess: excess?, visits: visits? })
}

/// Which numbers make sense the document says itself; here they must only fit.
fn visit_terms(fields: &mut Fields, given: pb::VisitTerms) -> Option<VisitTerms> {
    let usual = VisitTerms::default();
    let mut number = |name: &str, value: Option<u32>, usual: u32, max: u32| {
        fields.number(&format!("document.frequency.visits.{name}"), value.unwrap_or(usual), 0, max)
    };
    let mut days = |name: &str, value: Option<u32>, usual: u16| {
        u16::try_from(number(name, value, usual.into(), 366)?).ok()
    };
    let approval_days = days("approval_days", given.approval_days, usual.approval_days);
    let tell_days = days("tell_days", given.tell_days, usual.tell_days);
    let backfill_days = days("backfill_days", given.backfill_days, usual.backfill_days);
    let near_days = days("near_days", given.near_days, usual.near_days);
    let place_metres = number("place_metres", given.place_metres, usual.place_metres, 100_000);
    let mut percent = |name: &str, value: Option<u32>, usual: u8| {
        u8::try_from(number(name, value, usual.into(), 100)?).ok()
    };
    let warnings = usual.warnings;
    let blue_percent = percent("blue_percent", given.blue_percent, warnings.blue_percent);
    let yellow_percent = percent("yellow_percent", given.yellow_percent, warnings.yellow_percent);
    Some(VisitTerms {
        approval_days: approval_days?,
        tell_days: tell_days?,
        backfill_days: backfill_days?,
        near_days: near_days?,
        place_metres: place_metres?,
        warnings: Warnings { blue_percent: blue_percent?, yellow_percent: yellow_percent? },
    })
}

fn rule(fields: &mut Fields, path: &str, rule: &pb::FrequencyRule) -> Option<Rule> {
    let at = |name: &str| format!("{path}.{name}");
    let id = fields.parse(&at("id"), &rule.id, RuleId::parse);
    let subject = fields.choice(&at("subject"), rule.subject, words::subject);
    let window = window(fields, path, rule);
    let enterprises = enterprises(fields, &at("enterprises"), rule.enterprises.as_ref());
    let days = rule.days_of_month.as_ref();
    let days = days.map_or(Some(None), |days| days_of_month(fields, path, *days).map(Some));
    let items = fields.set(&at("items"), &rule.items, (0, ABOUT_MAX), ItemId::parse);
    let about = fields.set(&at("fields"), &rule.fields, (0, ABOUT_MAX), FieldId::parse);
    let grounds = grounds(fields, &at("grounds"), &rule.grounds);
    let exempt = self::grounds(fields, &at("exempt_grounds"), &rule.exempt_grounds);
    let on_exceeding = fields
        .filter(&at("on_exceeding"), rule.on_exceeding, words::on_exceeding)
        .map(|given| given.unwrap_or(OnExceeding::Refuse));
    let source = fields.parse(&at("source"), &rule.source, text::name);
    let valid_from = fields.date(&at("valid_from"), rule.valid_from.as_ref());
    let valid_until = fields.optional_date(&at("valid_until"), rule.valid_until.as_ref());
    Some(Rule {
        id: id?,
        subject: subject?,
        enterprises: enterprises?,
        window: window?,
        days_of_month: days?,
        maximum: rule.maximum,
        items: items?,
        fields: about?,
        grounds: grounds?,
        exempt_grounds: exempt?,
        counting: match rule.only_without_finding {
            true => Counting::WithoutFinding,
            false => Counting::All,
        },
        joint: if rule.once_per_unit { Joint::OncePerUnit } else { Joint::Once },
        on_exceeding: on_exceeding?,
        source: source?,
        is_default: rule.is_default,
        valid_from: valid_from?,
        valid_until: valid_until?,
    })
}

fn window(fields: &mut Fields, path: &str, rule: &pb::FrequencyRule) -> Option<Window> {
    use pb::FrequencyWindow as Given;
    let given = |window| (window != Given::Unspecified).then_some(window);
    let found = fields.choice(&format!("{path}.window"), rule.window, given)?;
    let days_path = format!("{path}.rolling_days");
    if found != Given::Rolling && rule.rolling_days != 0 {
        return fields.refuse(&days_path, Reason::FieldNotAllowed);
    }
    match found {
        Given::Unspecified => None,
        Given::CalendarYear => Some(Window::CalendarYear),
        Given::CalendarMonth => Some(Window::CalendarMonth),
        Given::IsoWeek => Some(Window::IsoWeek),
        Given::Day => Some(Window::Day),
        // How many days make sense, the document says itself.
        Given::Rolling => {
            let days = fields.number(&days_path, rule.rolling_days, 1, u32::from(u16::MAX))?;
            u16::try_from(days).ok().map(Window::Rolling)
        }
    }
}

fn days_of_month(fields: &mut Fields, path: &str, given: pb::DaysOfMonth) -> Option<DaysOfMonth> {
    let mut day = |name: &str, value: u32| {
        let day = fields.number(&format!("{path}.days_of_month.{name}"), value, 1, 31)?;
        i8::try_from(day).ok()
    };
    let (from, until) = (day("from", given.from), day("until", given.until));
    Some(DaysOfMonth { from: from?, until: until? })
}

/// Which enterprises something is about; all where nothing is said.
pub(crate) fn enterprises(
    fields: &mut Fields,
    path: &str,
    given: Option<&pb::RuleEnterprises>,
) -> Option<Enterprises> {
    let Some(given) = given else { return Some(Enterprises::default()) };
    let bounds = (0, WORDS_MAX);
    let at = |name: &str| format!("{path}.{name}");
    let grades = fields.each(&at("grades"), &given.grades, bounds, |fields, path, grade| {
        fields.choice(path, *grade, words::credit_grade)
    });
    let classes =
        fields.each(&at("risk_classes"), &given.risk_classes, bounds, |fields, path, class| {
            fields.choice(path, *class, words::risk_class)
        });
    let tags = fields.set(&at("tags"), &given.tags, (0, TAGS_MAX), TagId::parse);
    Some(Enterprises {
        grades: grades?.into_iter().collect(),
        risk_classes: classes?.into_iter().collect(),
        tags: tags?,
    })
}

fn floor(fields: &mut Fields, path: &str, floor: &pb::FrequencyFloor) -> Option<Floor> {
    let at = |name: &str| format!("{path}.{name}");
    let id = fields.parse(&at("id"), &floor.id, RuleId::parse);
    let enterprises = enterprises(fields, &at("enterprises"), floor.enterprises.as_ref());
    let grounds = grounds(fields, &at("grounds"), &floor.grounds);
    let years = fields.number(&at("years"), floor.years, 0, u32::from(u8::MAX));
    let source = fields.parse(&at("source"), &floor.source, text::name);
    let valid_from = fields.date(&at("valid_from"), floor.valid_from.as_ref());
    let valid_until = fields.optional_date(&at("valid_until"), floor.valid_until.as_ref());
    Some(Floor {
        id: id?,
        enterprises: enterprises?,
        grounds: grounds?,
        minimum: floor.minimum,
        years: u8::try_from(years?).ok()?,
        source: source?,
        is_default: floor.is_default,
        valid_from: valid_from?,
        valid_until: valid_until?,
    })
}

/// What is not given is as published.
fn excess(fields: &mut Fields, given: Option<&pb::FrequencyExcess>) -> Option<Excess> {
    let usual = Excess::default();
    let Some(given) = given else { return Some(usual) };
    let or = |value: u32, usual: u32| if value == 0 { usual } else { value };
    let days = or(given.days, u32::from(usual.days));
    let days = fields.number("document.frequency.excess.days", days, 1, u32::from(u16::MAX))?;
    Some(Excess {
        multiple: or(given.multiple, usual.multiple),
        visits: or(given.visits, usual.visits),
        days: u16::try_from(days).ok()?,
    })
}

pub(super) fn grounds(fields: &mut Fields, path: &str, given: &[i32]) -> Option<BTreeSet<Ground>> {
    let ground =
        |fields: &mut Fields, path: &str, ground: &i32| fields.choice(path, *ground, words::ground);
    let found = fields.each(path, given, (0, WORDS_MAX), ground)?;
    Some(found.into_iter().collect())
}
