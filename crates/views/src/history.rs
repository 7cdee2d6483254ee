//! What rows were. A row that changes leaves its version behind in a table beside it, `<table>_past`,
//! with the commit and the time at which it began to be so and those at which it ceased. So every
//! query can be asked as of an earlier commit, or as of an earlier time in the world, unchanged.
//!
//! `since` is the commit that made a version, `since_at` when what it records happened; `until` and
//! `until_at` are those of the commit that ended it.

use std::{collections::HashMap, hash::Hash};

use doudi_domain::EnterpriseId;
use doudi_journal::{CITY, Position};
use jiff::Timestamp;

use crate::{ViewName, db, fact::Fact, predicate::Held};

/// As when something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// As the log stood at that position: what was known then.
    Recorded(Position),
    /// As the world was at that instant, by all that is known now.
    Occurred(Timestamp),
}

/// Whose rows a fact changes: those of an enterprise, or of the thing of the city with that id.
type Owner<'a> = (&'a str, Option<&'a str>);

fn owner(fact: &Fact) -> Owner<'_> {
    match fact.stream.owner() {
        CITY => (CITY, fact.stream.id()),
        owner => (owner, None),
    }
}

/// Of facts of which no two have one owner: the commit of each, and when what it records happened.
#[derive(Debug)]
pub(crate) struct Moments<'a>(HashMap<Owner<'a>, (i64, Timestamp)>);

impl<'a> Moments<'a> {
    pub(crate) fn of(facts: &'a [Fact]) -> Self {
        let moment = |fact: &Fact| (fact.position, fact.occurred_at);
        Self(facts.iter().map(|fact| (owner(fact), moment(fact))).collect())
    }

    /// The columns `since` and `since_at` of rows that the facts about their enterprises change.
    pub(crate) fn about<'e>(
        &self,
        enterprises: impl Iterator<Item = &'e EnterpriseId>,
    ) -> (Vec<i64>, Vec<Timestamp>) {
        enterprises.map(|id| self.moment((id.as_str(), None))).unzip()
    }

    /// There is one for every row that the facts change.
    fn moment(&self, owner: Owner<'_>) -> (i64, Timestamp) {
        self.0.get(&owner).copied().unwrap_or((0, Timestamp::UNIX_EPOCH))
    }
}

/// Parts facts into rounds, each owner at most once in each and its facts in their order, so that a
/// round changes every row by one commit and no version in between is passed over.
pub(crate) fn rounds(facts: Vec<Fact>) -> Vec<Vec<Fact>> {
    let mut counts: HashMap<Owner<'_>, usize> = HashMap::new();
    let count = |fact| {
        let count = counts.entry(owner(fact)).or_default();
        *count += 1;
        *count
    };
    let numbers: Vec<usize> = facts.iter().map(count).collect();
    let mut rounds = Vec::new();
    rounds.resize_with(numbers.iter().copied().max().unwrap_or_default(), Vec::new);
    for (fact, number) in facts.into_iter().zip(numbers) {
        rounds[number - 1].push(fact);
    }
    rounds
}

/// What rows were one after the other within a batch, and what they are at its end.
#[derive(Debug)]
pub(crate) struct Versions<K, V> {
    rows: Vec<Version<V>>,
    latest: HashMap<K, usize>,
}

/// What a row was, or is while nothing ended it.
#[derive(Debug)]
pub(crate) struct Version<V> {
    pub(crate) row: V,
    /// The commit that made it so, and when what that records happened.
    pub(crate) since: i64,
    pub(crate) since_at: Timestamp,
    /// Those of the commit that ended it.
    pub(crate) until: Option<i64>,
    pub(crate) until_at: Option<Timestamp>,
}

impl<K, V> Default for Versions<K, V> {
    fn default() -> Self {
        Self { rows: Vec::new(), latest: HashMap::new() }
    }
}

impl<K: Hash + Eq, V> Versions<K, V> {
    /// The row is so from `fact` on, the facts of a row in their order.
    pub(crate) fn push(&mut self, key: K, row: V, fact: &Fact) {
        let (since, since_at) = (fact.position, fact.occurred_at);
        if let Some(before) = self.latest.insert(key, self.rows.len()) {
            self.rows[before].until = Some(since);
            self.rows[before].until_at = Some(since_at);
        }
        self.rows.push(Version { row, since, since_at, until: None, until_at: None });
    }

    /// In the order in which they began.
    pub(crate) fn rows(&self) -> &[Version<V>] {
        &self.rows
    }
}

/// How a table remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Memory {
    /// Rows change; what they were is in the table beside it. The columns are its key.
    Versions(&'static str),
    /// Rows are only added: each has its `position` and `occurred_at`.
    Added,
}

/// The beginning of a statement that asks tables of `view` as of then: each of them is named again as what
/// it was, by what was known at `known`, if that is not all that there is. A table that is held as a whole
/// is named as what of it is within the scope. Where only a page of it is held, all of it is named, and
/// beside it what pages are made of: by what was known, `<table>_lasting`, which is so still, whatever the
/// scope, and `<table>_ended`, which is not; else `<table>_held`.
pub(crate) fn prefix(
    view: ViewName,
    as_of: AsOf,
    known: Option<Position>,
    held: Option<&Held>,
) -> String {
    let tables = view.memory().iter().flat_map(|(table, memory)| match memory {
        Memory::Versions(key) => {
            let versions = Versioned { table, key, as_of, known };
            versions.named(held.filter(|held| held.table == *table))
        }
        Memory::Added => vec![named(table, &added(table, as_of, known))],
    });
    let tables: Vec<String> = tables.collect();
    if tables.is_empty() { String::new() } else { format!("WITH {} ", tables.join(", ")) }
}

fn named(table: &str, rows: &str) -> String {
    format!("{table} AS NOT MATERIALIZED ({rows})")
}

/// A table with past rows, as of then.
struct Versioned<'a> {
    table: &'a str,
    key: &'a str,
    as_of: AsOf,
    known: Option<Position>,
}

impl Versioned<'_> {
    fn named(&self, held: Option<&Held>) -> Vec<String> {
        let table = self.table;
        match (held, self.as_of) {
            (None, _) => vec![named(table, &self.rows(None))],
            (Some(held), _) if held.whole => vec![named(table, &self.rows(Some(held)))],
            (Some(held), AsOf::Recorded(_)) => vec![
                named(&format!("{table}_lasting"), &self.lasting(None)),
                named(&format!("{table}_ended"), &self.ended(Some(held))),
                named(table, &self.rows(None)),
            ],
            (Some(held), AsOf::Occurred(_)) => vec![
                named(&format!("{table}_held"), &self.rows(Some(held))),
                named(table, &self.rows(None)),
            ],
        }
    }

    /// The rows as of then, within a scope if any.
    fn rows(&self, held: Option<&Held>) -> String {
        let (key, both) = (self.key, [self.lasting(held), self.ended(held)].join(" UNION ALL "));
        match self.as_of {
            AsOf::Recorded(_) => both,
            // Of versions that overlap, because something became known late, the one that is known last.
            AsOf::Occurred(_) => format!(
                "SELECT DISTINCT ON ({key}) * FROM ({both}) AS known ORDER BY {key}, since DESC"
            ),
        }
    }

    /// Those that are so still.
    fn lasting(&self, held: Option<&Held>) -> String {
        let (table, (begun, _)) = (self.table, self.span());
        let within = held.map(|held| format!(" AND {}", held.lasting)).unwrap_or_default();
        format!(
            "SELECT *, NULL::bigint AS until, NULL::timestamptz AS until_at FROM {table} \
             WHERE {begun}{within}"
        )
    }

    /// Those that are not.
    fn ended(&self, held: Option<&Held>) -> String {
        let (table, (begun, lasts)) = (self.table, self.span());
        let rows = format!("SELECT * FROM {table}_past AS past WHERE {begun} AND {lasts}");
        let Some(held) = held else { return rows };
        let each: Vec<String> =
            held.ended.iter().map(|within| format!("{rows} AND {within}")).collect();
        each.join(" UNION ALL ")
    }

    /// That a row had begun to be so, and that it had not ceased.
    fn span(&self) -> (String, String) {
        match self.as_of {
            AsOf::Recorded(position) => {
                let position = db::stored(position);
                (format!("since <= {position}"), format!("until > {position}"))
            }
            AsOf::Occurred(instant) => {
                let begun = format!("since_at <= '{instant}'");
                let lasts = format!("until_at > '{instant}'");
                match self.known.map(db::stored) {
                    Some(known) => (
                        format!("{begun} AND since <= {known}"),
                        // What ended it was not known yet.
                        format!("({lasts} OR until > {known})"),
                    ),
                    None => (begun, lasts),
                }
            }
        }
    }
}

fn added(table: &str, as_of: AsOf, known: Option<Position>) -> String {
    match as_of {
        AsOf::Recorded(position) => {
            format!("SELECT * FROM {table} WHERE position <= {}", db::stored(position))
        }
        AsOf::Occurred(instant) => {
            let known = known.map(|known| format!(" AND position <= {}", db::stored(known)));
            format!(
                "SELECT * FROM {table} WHERE occurred_at <= '{instant}'{}",
                known.unwrap_or_default()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use doudi_domain::appeal::Event;
    use proptest::prelude::*;

    use super::*;
    use crate::{fact::Content, kit::appeal_id};

    fn fact(owner: u8, position: i64) -> Fact {
        let owner = EnterpriseId::parse(&format!("L-{owner}")).unwrap();
        let content = Content::Appeal(owner, appeal_id(1), vec![Event::KeyDestroyed {}]);
        Fact::of(content, Timestamp::UNIX_EPOCH, position)
    }

    proptest! {
        #[test]
        fn rounds_lose_nothing_keep_the_order_and_have_each_owner_once(
            owners in proptest::collection::vec(0_u8..5, 0..40),
        ) {
            let facts = (1..).zip(&owners).map(|(position, of)| fact(*of, position)).collect();
            let rounds = rounds(facts);
            for round in &rounds {
                let of: HashSet<Owner<'_>> = round.iter().map(owner).collect();
                prop_assert_eq!(of.len(), round.len());
            }
            let mut last: HashMap<Owner<'_>, i64> = HashMap::new();
            for fact in rounds.iter().flatten() {
                let before = last.insert(owner(fact), fact.position);
                prop_assert!(before.is_none_or(|before| before < fact.position));
            }
            prop_assert_eq!(rounds.iter().flatten().count(), owners.len());
        }
    }

    #[test]
    fn a_row_is_asked_for_as_it_was() {
        let said = prefix(ViewName::Alerts, AsOf::Recorded(Position(7)), None, None);
        assert_eq!(
            said,
            "WITH alert AS NOT MATERIALIZED (SELECT * FROM alert WHERE position <= 7) "
        );
        let said = prefix(ViewName::Measures, AsOf::Recorded(Position(7)), None, None);
        assert!(said.contains("FROM returns WHERE since <= 7 UNION ALL"), "{said}");
        let past = "FROM returns_past AS past WHERE since <= 7 AND until > 7";
        assert!(said.contains(past), "{said}");
        assert_eq!(prefix(ViewName::Agenda, AsOf::Recorded(Position(7)), None, None), "");
    }
}
