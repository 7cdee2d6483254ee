//! Frequency policies as they go out.

use std::collections::BTreeSet;

use doudi_domain::frequency::{
    Counting, Enterprises, Excess, Floor, FrequencyPolicy, Ground, Joint, Rule, VisitTerms, Window,
};

use crate::{
    convert::{common, inspection::words},
    proto as pb,
};

pub(super) fn of_policy(policy: &FrequencyPolicy) -> pb::FrequencyPolicy {
    let Excess { multiple, visits, days } = policy.excess;
    pb::FrequencyPolicy {
        rules: policy.rules.iter().map(of_rule).collect(),
        floors: policy.floors.iter().map(of_floor).collect(),
        excess: Some(pb::FrequencyExcess { multiple, visits, days: days.into() }),
        visits: Some(of_visit_terms(policy.visits)),
    }
}

fn of_visit_terms(terms: VisitTerms) -> pb::VisitTerms {
    pb::VisitTerms {
        approval_days: Some(terms.approval_days.into()),
        tell_days: Some(terms.tell_days.into()),
        backfill_days: Some(terms.backfill_days.into()),
        near_days: Some(terms.near_days.into()),
        place_metres: Some(terms.place_metres),
        blue_percent: Some(terms.warnings.blue_percent.into()),
        yellow_percent: Some(terms.warnings.yellow_percent.into()),
    }
}

fn of_rule(rule: &Rule) -> pb::FrequencyRule {
    let (window, rolling_days) = match rule.window {
        Window::CalendarYear => (pb::FrequencyWindow::CalendarYear, 0),
        Window::CalendarMonth => (pb::FrequencyWindow::CalendarMonth, 0),
        Window::IsoWeek => (pb::FrequencyWindow::IsoWeek, 0),
        Window::Day => (pb::FrequencyWindow::Day, 0),
        Window::Rolling(days) => (pb::FrequencyWindow::Rolling, u32::from(days)),
    };
    let days = rule.days_of_month.map(|days| pb::DaysOfMonth {
        from: u32::from(days.from.unsigned_abs()),
        until: u32::from(days.until.unsigned_abs()),
    });
    pb::FrequencyRule {
        id: rule.id.to_string(),
        subject: words::of_subject(rule.subject).into(),
        window: window.into(),
        maximum: rule.maximum,
        exempt_grounds: of_grounds(&rule.exempt_grounds),
        source: rule.source.to_string(),
        is_default: rule.is_default,
        valid_from: Some(common::of_date(rule.valid_from)),
        valid_until: rule.valid_until.map(common::of_date),
        rolling_days,
        enterprises: of_enterprises(&rule.enterprises),
        days_of_month: days,
        grounds: of_grounds(&rule.grounds),
        only_without_finding: rule.counting == Counting::WithoutFinding,
        once_per_unit: rule.joint == Joint::OncePerUnit,
        on_exceeding: words::of_on_exceeding(rule.on_exceeding).into(),
        items: rule.items.iter().map(ToString::to_string).collect(),
        fields: rule.fields.iter().map(ToString::to_string).collect(),
    }
}

fn of_floor(floor: &Floor) -> pb::FrequencyFloor {
    pb::FrequencyFloor {
        id: floor.id.to_string(),
        enterprises: of_enterprises(&floor.enterprises),
        grounds: of_grounds(&floor.grounds),
        minimum: floor.minimum,
        years: floor.years.into(),
        source: floor.source.to_string(),
        is_default: floor.is_default,
        valid_from: Some(common::of_date(floor.valid_from)),
        valid_until: floor.valid_until.map(common::of_date),
    }
}

/// Which enterprises something is about; none said for all.
pub(crate) fn of_enterprises(enterprises: &Enterprises) -> Option<pb::RuleEnterprises> {
    let Enterprises { grades, risk_classes, tags } = enterprises;
    (*enterprises != Enterprises::default()).then(|| pb::RuleEnterprises {
        grades: grades.iter().map(|grade| words::of_credit_grade(*grade).into()).collect(),
        risk_classes: risk_classes
            .iter()
            .map(|class| words::of_risk_class(*class).into())
            .collect(),
        tags: tags.iter().map(ToString::to_string).collect(),
    })
}

pub(super) fn of_grounds(grounds: &BTreeSet<Ground>) -> Vec<i32> {
    grounds.iter().map(|ground| words::of_ground(*ground).into()).collect()
}
