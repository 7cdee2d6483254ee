//! What each consumer should have seen: computed from the records of the log alone, without a table or the API.

use std::collections::HashMap;

use doudi_api::proto::TimelineKind;
use doudi_domain::{appeal, codec, enterprise, visits};
use doudi_journal::{Journal, Position, READ_RECORDS_MAX, Record, StoredEvent};

/// One event, as the log has it and as a consumer was sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::real) struct Seen {
    pub(in crate::real) position: u64,
    pub(in crate::real) ordinal: u32,
    pub(in crate::real) enterprise: String,
    pub(in crate::real) event_type: String,
}

/// What somebody follows, by the feed or by a live timeline. All conditions given must hold.
#[derive(Clone, Debug, Default)]
pub(in crate::real) struct Wish {
    pub(in crate::real) name: &'static str,
    pub(in crate::real) by_feed: bool,
    pub(in crate::real) kind: Option<TimelineKind>,
    pub(in crate::real) area: Option<&'static str>,
    pub(in crate::real) enterprise: Option<&'static str>,
    /// Only for a live timeline.
    pub(in crate::real) unit: Option<&'static str>,
}

/// The log as it was read.
#[derive(Debug, Default)]
pub(in crate::real) struct Recorded {
    /// Every event of an enterprise, in order.
    lines: Vec<Line>,
    /// How often each command id stands in it.
    pub(in crate::real) commands: HashMap<String, usize>,
    /// Who has to do with what, by the thing's name.
    charges: HashMap<String, Charge>,
}

/// One event, with what consumers choose by.
#[derive(Debug)]
struct Line {
    seen: Seen,
    kind: TimelineKind,
    charge: Charge,
}

/// Where something is, and which units lead it or take part.
#[derive(Clone, Debug, Default)]
struct Charge {
    area: Option<String>,
    units: Vec<String>,
}

impl Recorded {
    /// Reads the whole log.
    pub(in crate::real) async fn read(journal: &Journal) -> Self {
        let (mut recorded, mut reached) = (Self::default(), Position::START);
        loop {
            let page = journal.read(reached, READ_RECORDS_MAX).await.unwrap();
            if page.is_empty() {
                return recorded;
            }
            for record in page {
                assert_eq!(record.position, reached.next(), "a position is missing");
                reached = record.position;
                recorded.take(&record);
            }
        }
    }

    /// What somebody with that wish should have seen, in this order.
    pub(in crate::real) fn due(&self, wish: &Wish) -> Vec<&Seen> {
        let is_due = |line: &&Line| {
            let Charge { area, units } = &line.charge;
            wish.kind.is_none_or(|kind| kind == line.kind)
                && wish.area.is_none_or(|wanted| area.as_deref() == Some(wanted))
                && wish.enterprise.is_none_or(|wanted| wanted == line.seen.enterprise)
                && wish.unit.is_none_or(|wanted| units.iter().any(|unit| unit == wanted))
        };
        self.lines.iter().filter(is_due).map(|line| &line.seen).collect()
    }

    /// Whether some commit holds several events, so that a consumer can leave in its midst.
    pub(in crate::real) fn has_several_at_once(&self) -> bool {
        self.lines.iter().any(|line| line.seen.ordinal > 0)
    }

    fn take(&mut self, record: &Record) {
        let commit = record.commit().unwrap();
        *self.commands.entry(commit.command_id.to_string()).or_default() += 1;
        let kind = match record.stream.kind() {
            "profile" => TimelineKind::Profile,
            "visits" => TimelineKind::Visit,
            "appeal" => TimelineKind::Appeal,
            "policy" => return,
            other => panic!("nobody here writes {other}"),
        };
        for (ordinal, event) in (0..).zip(&commit.events) {
            let (name, found) = found(kind, record, event);
            if let Some(found) = found {
                self.charges.insert(name.clone(), found);
            }
            let seen = Seen {
                position: record.position.0,
                ordinal,
                enterprise: record.stream.owner().to_owned(),
                event_type: event.name.clone(),
            };
            self.lines.push(Line { seen, kind, charge: self.charges[&name].clone() });
        }
    }
}

/// The name of what an event is about, and who has to do with it where the event says so.
fn found(kind: TimelineKind, record: &Record, event: &StoredEvent) -> (String, Option<Charge>) {
    let stream = record.stream.to_string();
    match kind {
        TimelineKind::Visit => {
            let event: visits::Event = decode(event);
            let name = format!("{stream} {}", event.visit());
            let visits::Event::VisitPlanned { plan, area, .. } = event else {
                return (name, None);
            };
            let units = std::iter::once(&plan.unit).chain(plan.shares.keys());
            let units = units.map(ToString::to_string).collect();
            (name, Some(Charge { area: area.map(|area| area.to_string()), units }))
        }
        TimelineKind::Appeal => {
            let appeal::Event::AppealSubmitted { submission, .. } = decode(event) else {
                return (stream, None);
            };
            (stream, at(&submission.area))
        }
        TimelineKind::Profile => {
            let enterprise::Event::EnterpriseRegistered { area, .. } = decode(event) else {
                return (stream, None);
            };
            (stream, at(&area))
        }
        TimelineKind::Unspecified => unreachable!("each stream has a kind"),
    }
}

fn at(area: &doudi_domain::AreaCode) -> Option<Charge> {
    Some(Charge { area: Some(area.to_string()), units: vec![] })
}

fn decode<E: codec::Storable>(event: &StoredEvent) -> E {
    codec::decode(&event.name, event.version, &event.data).unwrap()
}
