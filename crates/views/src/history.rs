//! What rows were. A row that changes leaves its version behind in a table beside it, `<table>_past`,
//! with the commit and the time at which it began to be so and those at which it ceased. So every
//! query can be asked as of an earlier commit, or as of an earlier time in the world, unchanged.
//!
//! `since` is the commit that made a version, `since_at` when what it records happened; `until` and
//! `until_at` are those of the commit that ended it.

use std::collections::HashMap;

use doudi_domain::EnterpriseId;
use doudi_journal::{CITY, Position};
use jiff::Timestamp;

use crate::{ViewName, db, fact::Fact};

/// As when something is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// As the log stood at that position: what was known then.
    Recorded(Position),
    /// As the world was at that instant, by all that is known now.
    Occurred(Timestamp),
}

/// The commit that makes a version of a row, and when what it records happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) since: i64,
    pub(crate) since_at: Timestamp,
}

/// The moments of facts of which no two are about the same owner.
#[derive(Debug)]
pub(crate) struct Moments<'a>(HashMap<&'a str, Moment>);

impl<'a> Moments<'a> {
    pub(crate) fn of(facts: &'a [Fact]) -> Self {
        let moment = |fact: &Fact| Moment { since: fact.position, since_at: fact.occurred_at };
        Self(facts.iter().map(|fact| (owner(fact), moment(fact))).collect())
    }

    /// The moment of the fact about an enterprise. There is one for every row that the facts change.
    pub(crate) fn about(&self, enterprise: &EnterpriseId) -> Moment {
        self.of_owner(enterprise.as_str())
    }

    /// The moment of the fact on a stream of the city.
    pub(crate) fn on(&self, stream: &str) -> Moment {
        self.of_owner(stream)
    }

    fn of_owner(&self, owner: &str) -> Moment {
        let none = Moment { since: 0, since_at: Timestamp::UNIX_EPOCH };
        self.0.get(owner).copied().unwrap_or(none)
    }
}

/// Whose rows a fact changes: those of an enterprise, or of one stream of the city.
fn owner(fact: &Fact) -> &str {
    match fact.stream.owner() {
        CITY => fact.stream.as_str(),
        owner => owner,
    }
}

/// Parts facts into rounds, each owner at most once in each and its facts in their order, so that a
/// round changes every row by one commit and no version in between is passed over.
pub(crate) fn rounds(facts: Vec<Fact>) -> Vec<Vec<Fact>> {
    let mut rounds: Vec<Vec<Fact>> = Vec::new();
    let mut next: HashMap<String, usize> = HashMap::new();
    for fact in facts {
        let round = next.entry(owner(&fact).to_owned()).or_default();
        if rounds.len() <= *round {
            rounds.push(Vec::new());
        }
        if let Some(facts) = rounds.get_mut(*round) {
            facts.push(fact);
        }
        *round += 1;
    }
    rounds
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
/// it was.
pub(crate) fn prefix(view: ViewName, as_of: AsOf) -> String {
    let tables = view.memory().iter().map(|(table, memory)| {
        let rows = match memory {
            Memory::Versions(key) => versions(table, key, as_of),
            Memory::Added => added(table, as_of),
        };
        format!("{table} AS NOT MATERIALIZED ({rows})")
    });
    let tables: Vec<String> = tables.collect();
    if tables.is_empty() { String::new() } else { format!("WITH {} ", tables.join(", ")) }
}

fn versions(table: &str, key: &str, as_of: AsOf) -> String {
    let both = |live: &str, past: &str| {
        format!(
            "SELECT *, NULL::bigint AS until, NULL::timestamptz AS until_at FROM {table} \
             WHERE {live} UNION ALL SELECT * FROM {table}_past WHERE {past}"
        )
    };
    match as_of {
        AsOf::Recorded(position) => {
            let position = db::stored(position);
            let begun = format!("since <= {position}");
            both(&begun, &format!("{begun} AND until > {position}"))
        }
        // Of versions that overlap, because something became known late, the one that is known last.
        AsOf::Occurred(instant) => {
            let begun = format!("since_at <= '{instant}'");
            let rows = both(&begun, &format!("{begun} AND until_at > '{instant}'"));
            format!(
                "SELECT DISTINCT ON ({key}) * FROM ({rows}) AS known ORDER BY {key}, since DESC"
            )
        }
    }
}

fn added(table: &str, as_of: AsOf) -> String {
    match as_of {
        AsOf::Recorded(position) => {
            format!("SELECT * FROM {table} WHERE position <= {}", db::stored(position))
        }
        AsOf::Occurred(instant) => {
            format!("SELECT * FROM {table} WHERE occurred_at <= '{instant}'")
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
                let of: HashSet<&str> = round.iter().map(owner).collect();
                prop_assert_eq!(of.len(), round.len());
            }
            let mut last: HashMap<&str, i64> = HashMap::new();
            for fact in rounds.iter().flatten() {
                let before = last.insert(owner(fact), fact.position);
                prop_assert!(before.is_none_or(|before| before < fact.position));
            }
            prop_assert_eq!(rounds.iter().flatten().count(), owners.len());
        }
    }

    #[test]
    fn a_row_is_asked_for_as_it_was() {
        let said = prefix(ViewName::Alerts, AsOf::Recorded(Position(7)));
        assert_eq!(
            said,
            "WITH alert AS NOT MATERIALIZED (SELECT * FROM alert WHERE position <= 7) "
        );
        let said = prefix(ViewName::Measures, AsOf::Recorded(Position(7)));
        assert!(said.contains("FROM returns WHERE since <= 7 UNION ALL"), "{said}");
        assert!(said.contains("FROM returns_past WHERE since <= 7 AND until > 7"), "{said}");
        assert_eq!(prefix(ViewName::Agenda, AsOf::Recorded(Position(7))), "");
    }
}
