//! What is wrong with a policy document, one violation for each problem.

use doudi_domain::{
    calendar::CalendarProblem,
    policy::{Problem, Rejection},
    routing::RoutingProblem,
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
        Problem::Routing(problem) => routing(problem),
        Problem::RuleTwice(rule) => rules(Reason::RuleTwice).with("rule", rule),
        Problem::MaximumZero(rule) => rules(Reason::RuleMaximumZero).with("rule", rule),
        Problem::ValidityReversed(rule) => rules(Reason::RuleValidityReversed).with("rule", rule),
        Problem::NoRules => rules(Reason::NoRules),
    }
}

fn rules(reason: Reason) -> Violation {
    Violation::new("document.frequency.rules", reason)
}

fn calendar(problem: &CalendarProblem) -> Violation {
    let exceptions = |reason| Violation::new("document.calendar.exceptions", reason);
    match problem {
        CalendarProblem::Order(date) => exceptions(Reason::CalendarOrder).with("date", date),
        CalendarProblem::Year(date) => exceptions(Reason::CalendarYear).with("date", date),
        CalendarProblem::Years => Violation::new("document.calendar.years", Reason::CalendarYears),
    }
}

fn routing(problem: &RoutingProblem) -> Violation {
    let table = |reason| Violation::new("document.routing", reason);
    match problem {
        RoutingProblem::Twice(id) => table(Reason::RoutingTwice).with("id", id),
        RoutingProblem::UnitUnlisted { place, unit } => {
            table(Reason::RoutingUnitUnlisted).word("place", named(place)).with("unit", unit)
        }
    }
}

/// The places of a routing table as the domain names them.
fn named(place: &str) -> Words {
    let zh = match place.split_once(' ') {
        Some(("area", code)) => format!("区划{code}"),
        Some(("topic", id)) => format!("事项{id}"),
        _ if place == "the city desk" => "市诉求专席".to_owned(),
        _ => place.to_owned(),
    };
    Words::owned(place.to_owned(), zh)
}
