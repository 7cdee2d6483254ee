//! `doudi draw verify`: redoes a random draw from its stream in the log, and compares with what was recorded.

use doudi_domain::{
    Decider, DrawId, codec,
    draw::{Draw, Event, Made, Open, Outcome, Share, outcome},
};
use doudi_engine::streams;
use doudi_journal::{Journal, Position, Record};

use crate::{commands::Failure, verify::Chains};

/// What was found.
#[derive(Debug)]
pub struct Report {
    /// One line for each thing that was looked at.
    pub lines: Vec<String>,
    /// Whether the draw comes out again as it was recorded, bit for bit.
    pub sound: bool,
}

/// Reads the stream of a draw and redoes it.
///
/// # Errors
/// When the log or a commit cannot be read, or there is no such draw; what differs is in the report.
pub async fn verify(journal: &Journal, id: DrawId) -> Result<Report, Failure> {
    let start = Position::default();
    let records = journal.load(&streams::draw(id)?, start, start).await?;
    if records.is_empty() {
        return Err(format!("there is no draw {id}").into());
    }
    let mut chains = Chains::default();
    let mut events = Vec::new();
    for record in &records {
        chains.link(record);
        events.extend(decode(record)?);
    }
    let broken = chains.broken();
    let mut report = redo(&events);
    report.sound &= broken.is_empty();
    report
        .lines
        .insert(0, format!("draw {id}: {} commits, {} broken", records.len(), broken.len()));
    report.lines.extend(broken.iter().cloned());
    Ok(report)
}

fn decode(record: &Record) -> Result<Vec<Event>, Failure> {
    let mut events = Vec::new();
    for stored in record.commit()?.events {
        events.push(codec::decode(&stored.name, stored.version, &stored.data)?);
    }
    Ok(events)
}

/// Redoes the draw that those events record.
fn redo(events: &[Event]) -> Report {
    let mut report = Report { lines: vec![], sound: true };
    let mut state = Draw::default();
    let mut is_made = false;
    for event in events {
        match (&state, event) {
            (Draw::Open(open), Event::DrawMade { made }) => {
                is_made = true;
                compare(&mut report, open, made);
            }
            (Draw::Made(_), _) => report.differs("something is recorded after the draw was made"),
            (Draw::Absent | Draw::Open(_), _) => {}
        }
        state = state.evolve(event);
    }
    if !is_made {
        report.differs("the draw is not made, there is nothing to compare");
    }
    report
}

fn compare(report: &mut Report, open: &Open, made: &Made) {
    let Outcome { made: again, drawn } = outcome(&open.opening, &open.candidates, made.seed);
    report.lines.push(format!("{}, by the unit {}", open.opening.title, open.opening.unit));
    report.lines.push(format!("seed {}", made.seed));
    report.compare("pool", &again.pool, &made.pool);
    report.compare("result", &again.result, &made.result);
    let (found, recorded) = (again.counts, made.counts);
    for (grade, found, recorded) in [
        ("grade A", found.a, recorded.a),
        ("grade B and without a grade", found.b, recorded.b),
        ("grade C", found.c, recorded.c),
        ("grade D", found.d, recorded.d),
    ] {
        report.compare(grade, &words(found), &words(recorded));
    }
    let Share { candidates, .. } = found.total();
    report.lines.push(format!("{} of {candidates} enterprises drawn", drawn.len()));
}

fn words(share: Share) -> String {
    format!("{} of {}", share.drawn, share.candidates)
}

impl Report {
    fn compare<T: PartialEq + std::fmt::Display>(&mut self, what: &str, found: &T, recorded: &T) {
        if found == recorded {
            self.lines.push(format!("{what}: {found}, as recorded"));
        } else {
            self.differs(&format!("{what}: {found}, DIFFERS from the recorded {recorded}"));
        }
    }

    fn differs(&mut self, line: &str) {
        self.sound = false;
        self.lines.push(line.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::{
        CertificateNumber, EnterpriseId, Name, UnitId,
        draw::{Candidate, Counts, Digest, Opening, RatioTable, Ratios, Seed},
        enterprise::CreditGrade,
    };

    use super::*;

    fn candidate(n: usize) -> Candidate {
        let enterprise = EnterpriseId::parse(&format!("L-{n}")).unwrap();
        Candidate { enterprise, grade: Some(CreditGrade::C), avoid: [].into() }
    }

    /// Twenty enterprises in two chunks, ten of them drawn.
    fn recorded() -> Vec<Event> {
        let officers = ["2102-1", "2102-2", "2102-3"];
        let opening = Opening {
            title: Name::parse("双随机抽查").unwrap(),
            unit: UnitId::parse("market-regulation").unwrap(),
            campaign: None,
            ratios: Ratios { a: 0, b: 5, c: 50, d: 61 },
            officers: officers.iter().map(|id| CertificateNumber::parse(id).unwrap()).collect(),
            per_visit: 2,
        };
        let pool = (0..20).map(candidate).map(|found| (found.enterprise.clone(), found));
        let made = outcome(&opening, &pool.collect(), Seed([7; 32])).made;
        let added = |numbers: std::ops::Range<usize>| Event::CandidatesAdded {
            candidates: numbers.map(candidate).collect(),
        };
        let (table, catalogue_version) = (RatioTable::default(), 1);
        vec![
            Event::DrawOpened { opening, table, catalogue_version },
            added(0..12),
            added(12..20),
            Event::DrawMade { made },
        ]
    }

    /// The lines that differ once somebody changed what was recorded.
    fn differing(change: impl FnOnce(&mut Vec<Event>)) -> usize {
        let mut events = recorded();
        change(&mut events);
        let report = redo(&events);
        let differing = report.lines.iter().filter(|line| line.contains("DIFFERS")).count();
        assert_eq!(report.sound, differing == 0, "{report:?}");
        differing
    }

    fn made(events: &mut [Event]) -> &mut Made {
        match events.last_mut() {
            Some(Event::DrawMade { made }) => made,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_recorded_comes_out_again() {
        assert_eq!(differing(|_| {}), 0);
        let lines = redo(&recorded()).lines.join("\n");
        assert!(lines.contains("grade C: 10 of 20, as recorded"), "{lines}");
        assert!(lines.contains("10 of 20 enterprises drawn"), "{lines}");
    }

    #[test]
    fn a_foreign_hand_in_any_part_of_it_is_found() {
        assert_eq!(differing(|events| made(events).seed = Seed([8; 32])), 1);
        assert_eq!(differing(|events| made(events).pool = Digest([8; 32])), 1);
        assert_eq!(differing(|events| made(events).result = Digest([8; 32])), 1);
        assert_eq!(differing(|events| made(events).counts = Counts::default()), 1);
        // A chunk that was taken out of the pool changes everything.
        assert!(differing(|events| drop(events.remove(1))) >= 3);
    }

    #[test]
    fn what_was_added_after_the_draw_is_found_and_so_is_a_draw_that_was_never_made() {
        let mut events = recorded();
        events.push(Event::CandidatesAdded { candidates: vec![candidate(99)] });
        let late = redo(&events);
        assert!(!late.sound && late.lines.iter().any(|line| line.contains("after")), "{late:?}");
        let open = redo(&recorded()[..3]);
        assert!(!open.sound && open.lines[0].contains("not made"), "{open:?}");
    }
}
