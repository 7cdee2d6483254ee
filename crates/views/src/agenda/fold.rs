//! From facts to changes of the agenda: a pure fold, in which the last change of a key counts.

use std::collections::BTreeMap;

use doudi_domain::agenda::{Change, Entry, Process};

use crate::fact::{Content, Fact};

/// What becomes of a key: its new entry with the fact that put it there, or none.
pub(super) type Outcome<'a> = Option<(Entry, &'a Fact)>;

/// The keys that the facts change, by stream and key, with what becomes of each.
pub(super) fn fold(facts: &[Fact]) -> BTreeMap<(&str, String), Outcome<'_>> {
    let mut changed = BTreeMap::new();
    for fact in facts {
        for change in changes(&fact.content) {
            match change {
                Change::Put(entry) => {
                    let key = (fact.stream.as_str(), entry.key.clone());
                    changed.insert(key, Some((entry, fact)));
                }
                Change::Drop(key) => {
                    changed.insert((fact.stream.as_str(), key), None);
                }
            }
        }
    }
    changed
}

/// What the processes make of a commit.
fn changes(content: &Content) -> Vec<Change> {
    match content {
        Content::Visits(_, events) => all(events),
        Content::Appeal(_, _, events) => all(events),
        Content::Diagnosis(_, _, events) => all(events),
        Content::Device(events) => all(events),
        Content::Profile(..)
        | Content::Ratings(..)
        | Content::Policy(..)
        | Content::Webhook(..) => vec![],
    }
}

fn all<E: Process>(events: &[E]) -> Vec<Change> {
    events.iter().flat_map(Process::agenda).collect()
}

#[cfg(test)]
mod tests {
    use doudi_domain::{AppealId, EnterpriseId, appeal, clock::ClockKind, visits};
    use jiff::Timestamp;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::kit::inspections::{Inspections, moves, plan, visit};

    fn planned(n: u64, on: &str) -> visits::Event {
        crate::kit::inspections::planned(plan(n, "tax", on))
    }

    fn expired(n: u64) -> visits::Event {
        visits::Event::VisitExpired { visit: visit(n) }
    }

    fn of(enterprise: &str, events: Vec<visits::Event>, position: i64) -> Fact {
        let content = Content::Visits(EnterpriseId::parse(enterprise).unwrap(), events);
        Fact::of(content, Timestamp::UNIX_EPOCH, position)
    }

    /// Stream, key, and position of the entry where there is one.
    fn told(facts: &[Fact]) -> Vec<(String, String, Option<i64>)> {
        fold(facts)
            .into_iter()
            .map(|((stream, key), entry)| {
                let key = key.rsplit('-').next().unwrap_or_default().trim_start_matches('0').into();
                (stream.to_owned(), key, entry.map(|(_, fact)| fact.position))
            })
            .collect()
    }

    #[test]
    fn the_last_change_of_a_key_counts() {
        let facts = [
            of("L-1", vec![planned(1, "2026-03-02"), planned(2, "2026-03-03")], 1),
            of("L-1", vec![expired(1)], 2),
            of("L-1", vec![expired(3)], 3),
            of("L-1", vec![planned(3, "2026-03-04")], 4),
            of("L-1", vec![expired(2), planned(2, "2026-03-05")], 5),
        ];
        let stream = || "ev.L-1.visits".to_owned();
        let key = |n: &str| n.to_owned();
        let expected = [
            (stream(), key("1"), None),
            (stream(), key("2"), Some(5)),
            (stream(), key("3"), Some(4)),
        ];
        assert_eq!(told(&facts), expected);
        let found = fold(&facts);
        let (entry, _) = found.values().flatten().next().unwrap();
        assert_eq!(entry.at, "2026-03-06T00:00+08:00".parse().unwrap());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Each duty comes with what owes it and goes with it, whatever happens to a visit.
        #[test]
        fn the_agenda_of_visits_is_what_they_still_owe(moves in moves()) {
            let life = Inspections::random(&moves);
            let found = fold(&life.log);
            let on_it = |prefix: &str| {
                let entries = found.iter().filter(|(_, entry)| entry.is_some());
                entries.filter(|((_, key), _)| key.starts_with(prefix)).count()
            };
            let ahead = life.visits.all().filter(|visit| visit.is_ahead());
            prop_assert_eq!(on_it("visit/"), ahead.count());
            for (prefix, kind) in [("approval/", ClockKind::Approval), ("tell/", ClockKind::Tell)] {
                let clocks = life.visits.all().flat_map(|visit| &visit.clocks);
                let running = clocks.filter(|clock| clock.kind == kind && clock.next().is_some());
                prop_assert_eq!(on_it(prefix), running.count(), "{}", prefix);
            }
            let open = life.visits.all().flat_map(|visit| visit.rectifications.values());
            prop_assert_eq!(on_it("rectify/"), open.filter(|open| !open.overdue).count());
        }
    }

    #[test]
    fn the_same_key_on_another_stream_is_another_entry() {
        let facts = [
            of("L-1", vec![planned(1, "2026-03-02")], 1),
            of("L-2", vec![planned(1, "2026-03-02")], 2),
            of("L-1", vec![expired(1)], 3),
        ];
        let gone = ("ev.L-1.visits".to_owned(), "1".to_owned(), None);
        let stays = ("ev.L-2.visits".to_owned(), "1".to_owned(), Some(2));
        assert_eq!(told(&facts), [gone, stays]);
    }

    #[test]
    fn an_appeal_has_its_agenda_under_its_own_stream() {
        let (enterprise, appeal) = (EnterpriseId::parse("L-1").unwrap(), AppealId(Uuid::nil()));
        let erased = appeal::Event::PersonalDataErased { subject: "appeal:1".to_owned() };
        let content = Content::Appeal(enterprise, appeal, vec![erased]);
        let facts = [Fact::of(content, Timestamp::UNIX_EPOCH, 7)];
        let stream = format!("ev.L-1.appeal.{}", Uuid::nil());
        assert_eq!(told(&facts), [(stream, "erase".to_owned(), Some(7))]);
    }
}
