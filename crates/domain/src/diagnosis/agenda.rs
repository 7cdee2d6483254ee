//! What a joint diagnosis leaves for the system to do: its clocks, the delivery, the standing rule.

use crate::{
    agenda::{Change, Duty, Entry, Process},
    clock::{Clock, ClockId},
};

use super::{Event, Timestamp};

const DELIVERY: &str = "deliver";
const RULE: &str = "rule";

impl Process for Event {
    fn agenda(&self) -> Vec<Change> {
        match self {
            Self::DiagnosisConvened { clocks, .. } => clocks.iter().map(started).collect(),
            Self::OpinionGiven { stopped, .. } | Self::DiagnosisDiscontinued { stopped, .. } => {
                stopped.iter().copied().map(stop).collect()
            }
            Self::OpinionRevised { .. } => vec![],
            Self::DiagnosisConcluded { conclusion, at, stopped, .. } => {
                let stopped = stopped.iter().copied().map(stop);
                let rule = conclusion.standing_lead.as_ref();
                let rule = rule.map(|_| put(RULE, *at, Duty::PublishStandingRule {}));
                let delivery = put(DELIVERY, *at, Duty::DeliverConclusion {});
                stopped.chain([delivery]).chain(rule).collect()
            }
            Self::ClockStepsTaken { clock, next, .. } => vec![arm(*clock, *next)],
            Self::ConclusionDelivered {} => vec![Change::Drop(DELIVERY.to_owned())],
            Self::StandingRulePublished { .. } => vec![Change::Drop(RULE.to_owned())],
        }
    }
}

fn started(clock: &Clock) -> Change {
    arm(clock.id, clock.next().map(|planned| planned.at))
}

/// The next step, or nothing more when there is none.
fn arm(clock: ClockId, next: Option<Timestamp>) -> Change {
    match next {
        Some(at) => put(&key(clock), at, Duty::DiagnosisClock { clock }),
        None => stop(clock),
    }
}

fn stop(clock: ClockId) -> Change {
    Change::Drop(key(clock))
}

fn key(clock: ClockId) -> String {
    format!("clock/{}", clock.0)
}

fn put(key: &str, at: Timestamp, duty: Duty) -> Change {
    Change::Put(Entry { key: key.to_owned(), at, duty })
}
