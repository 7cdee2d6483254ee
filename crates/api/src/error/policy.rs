//! What is wrong with a policy document, one violation for each problem.

use doudi_domain::{
    CaseTypeId, RuleId,
    calendar::CalendarProblem,
    cases::CaseTypesProblem,
    catalogue::CatalogueProblem,
    frequency::FrequencyProblem,
    policy::{Problem, Rejection},
    routing::RoutingProblem,
    what_if::Untried,
};

use super::{Explain, Reason, Refusal, Violation, Words, fill};

impl Explain for Rejection {
    fn explain(&self) -> Refusal {
        match self {
            Self::Unsound { problems } => unsound(problems),
            Self::VersionUnknown(version) => {
                Refusal::new(Reason::PolicyVersionUnknown).with("document_version", version)
            }
            Self::VersionRetired(version) => {
                Refusal::new(Reason::PolicyVersionRetired).with("document_version", version)
            }
            Self::RoutingUnpublished => Refusal::new(Reason::RoutingUnpublished),
        }
    }
}

impl Explain for Untried {
    fn explain(&self) -> Refusal {
        match self {
            Self::Catalogue => Refusal::new(Reason::PolicyUntried).about("document"),
            Self::Unsound(problems) => unsound(problems),
        }
    }
}

fn unsound(problems: &[Problem]) -> Refusal {
    let fields: Vec<Violation> = problems.iter().map(violation).collect();
    let mut refusal = Refusal::new(Reason::PolicyUnsound).with("count", fields.len());
    if let Some(first) = fields.first() {
        refusal = refusal.word("problem", fill(first.reason, &first.values));
    }
    Refusal { fields, ..refusal }
}

fn violation(problem: &Problem) -> Violation {
    match problem {
        Problem::Calendar(problem) => calendar(problem),
        Problem::CaseTypes(problem) => case_types(problem),
        Problem::Routing(problem) => routing(problem),
        Problem::Frequency(problem) => frequency(problem),
        Problem::Catalogue(problem) => catalogue(problem),
    }
}

fn frequency(problem: &FrequencyProblem) -> Violation {
    let rules = |reason| Violation::new("document.frequency.rules", reason);
    let of = |reason, rule: &RuleId| rules(reason).with("rule", rule);
    match problem {
        FrequencyProblem::NoRules => rules(Reason::NoRules),
        FrequencyProblem::RuleTwice(rule) => of(Reason::RuleTwice, rule),
        FrequencyProblem::ValidityReversed(rule) => of(Reason::RuleValidityReversed, rule),
        FrequencyProblem::Span(rule) => of(Reason::RuleSpan, rule),
        FrequencyProblem::DaysOfMonth(rule) => of(Reason::RuleDaysOfMonth, rule),
        FrequencyProblem::MinimumZero(rule) => of(Reason::RuleMinimumZero, rule),
        FrequencyProblem::CountsNothing(rule) => of(Reason::RuleCountsNothing, rule),
        FrequencyProblem::Contradiction(one, other) => {
            of(Reason::RulesContradict, one).with("other", other)
        }
        FrequencyProblem::FloorAboveCap { floor, cap } => {
            of(Reason::RuleFloorAboveCap, floor).with("cap", cap)
        }
        FrequencyProblem::Excess => {
            Violation::new("document.frequency.excess", Reason::FrequencyExcess)
        }
        FrequencyProblem::VisitTerms => {
            Violation::new("document.frequency.visits", Reason::VisitTerms)
        }
    }
}

fn catalogue(problem: &CatalogueProblem) -> Violation {
    let of = |field: &str, reason| Violation::new(&format!("document.catalogue.{field}"), reason);
    match problem {
        CatalogueProblem::OfficerTwice(certificate) => {
            of("officers", Reason::OfficerTwice).with("certificate", certificate)
        }
        CatalogueProblem::ValidityReversed(certificate) => {
            of("officers", Reason::CertificateValidityReversed).with("certificate", certificate)
        }
        CatalogueProblem::ItemTwice(item) => of("items", Reason::ItemTwice).with("item", item),
        CatalogueProblem::NoMode(item) => of("items", Reason::ItemNoMode).with("item", item),
        CatalogueProblem::NoTrigger(item) => of("items", Reason::ItemNoTrigger).with("item", item),
        CatalogueProblem::SelfEntrusted => of("entrusted.by", Reason::SelfEntrusted),
    }
}

fn calendar(problem: &CalendarProblem) -> Violation {
    let exceptions = |reason| Violation::new("document.calendar.exceptions", reason);
    match problem {
        CalendarProblem::Order(date) => exceptions(Reason::CalendarOrder).with("date", date),
        CalendarProblem::Year(date) => exceptions(Reason::CalendarYear).with("date", date),
        CalendarProblem::Years => Violation::new("document.calendar.years", Reason::CalendarYears),
        CalendarProblem::Hours => Violation::new("document.calendar.hours", Reason::CalendarHours),
        CalendarProblem::HoursOn(date) => exceptions(Reason::CalendarHoursOn).with("date", date),
    }
}

fn routing(problem: &RoutingProblem) -> Violation {
    let table = |reason| Violation::new("document.routing", reason);
    match problem {
        RoutingProblem::Twice(id) => table(Reason::RoutingTwice).with("id", id),
        RoutingProblem::UnitUnlisted { place, unit } => {
            table(Reason::RoutingUnitUnlisted).word("place", named(place)).with("unit", unit)
        }
        RoutingProblem::OwnSuccessor(unit) => table(Reason::RoutingOwnSuccessor).with("unit", unit),
        RoutingProblem::CityDeskAbolished(unit) => {
            table(Reason::RoutingCityDeskAbolished).with("unit", unit)
        }
    }
}

fn case_types(problem: &CaseTypesProblem) -> Violation {
    let types = |reason| Violation::new("document.case_types.types", reason);
    let of = |reason, id: &CaseTypeId| types(reason).with("case_type", id);
    match problem {
        CaseTypesProblem::NoTypes => types(Reason::NoCaseTypes),
        CaseTypesProblem::TypeTwice(id) => of(Reason::CaseTypeTwice, id),
        CaseTypesProblem::NoClasses(id) => of(Reason::CaseTypeNoClasses, id),
        CaseTypesProblem::ClassTwice { case_type, class } => {
            of(Reason::CaseClassTwice, case_type).with("class", class)
        }
        CaseTypesProblem::ResolveZero { case_type, class } => {
            of(Reason::CaseClassResolveZero, case_type).with("class", class)
        }
        CaseTypesProblem::AllowanceZero { case_type, step: name } => {
            of(Reason::CaseAllowanceZero, case_type).word("step", step(name))
        }
        CaseTypesProblem::Warnings(id) => of(Reason::CaseWarnings, id),
        CaseTypesProblem::Ladder(id) => of(Reason::CaseLadder, id),
        CaseTypesProblem::LevelTwice(id) => of(Reason::CaseLevelTwice, id),
    }
}

/// The steps of a case as the domain names them.
fn step(name: &'static str) -> Words {
    let zh = match name {
        "accept" => "受理",
        "dispatch" => "分办",
        "contact" => "首次联系",
        "ruling" => "退单裁定",
        "co_handling" => "协办",
        "feedback" => "回访",
        "close" => "归档",
        "opinion" => "会诊意见",
        "conclusion" => "会诊结论",
        "mediation" => "调解",
        other => other,
    };
    Words::pair(name, zh)
}

/// The places of a routing table as the domain names them.
fn named(place: &str) -> Words {
    let zh = match place.split_once(' ') {
        Some(("area", code)) => format!("区划{code}"),
        Some(("topic", id)) => format!("事项{id}"),
        Some(("unit", id)) => format!("单位{id}的承继单位"),
        Some(("rule", topic)) => format!("事项{topic}的常设规则"),
        _ if place == "the city desk" => "市诉求专席".to_owned(),
        _ if place == "the guarantee" => "兜底单位".to_owned(),
        _ => place.to_owned(),
    };
    Words::owned(place.to_owned(), zh)
}
