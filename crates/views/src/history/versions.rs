//! Rows as they are one after the other within a batch, and the one way of them into a table and into its past.

use std::{collections::HashMap, hash::Hash};

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use tokio_postgres::types::Type;

use crate::{
    ViewError,
    column::{self, Column},
    fact::Fact,
};

/// A table whose rows change, with `<table>_past` for what they were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns by which a row is told from others, with commas between them.
    pub(crate) key: &'static str,
}

/// When a row began or ceased to be so: the commit that says it, and when what that records happened.
type Moment = (i64, Timestamp);

/// The columns of moments: since when a row is so, until when it was, and when the batch first says otherwise.
const SINCE: [&str; 2] = ["since", "since_at"];
const UNTIL: [&str; 2] = ["until", "until_at"];
const FIRST: [&str; 2] = ["first", "first_at"];

fn moment(fact: &Fact) -> Moment {
    (fact.position, fact.occurred_at)
}

/// What rows were one after the other within a batch, and what they are at its end.
#[derive(Debug)]
pub(crate) struct Versions<K, V> {
    rows: Vec<Version<V>>,
    seen: HashMap<K, Seen>,
    gone: Vec<(K, Moment)>,
}

/// What a row was, or is while nothing ended it.
#[derive(Debug)]
struct Version<V> {
    row: V,
    since: Moment,
    until: Option<Moment>,
    /// When the first version of the row within the batch began.
    first: Moment,
}

/// What became of a row within the batch.
#[derive(Debug)]
struct Seen {
    first: Moment,
    /// Its last version, if that has not ended.
    latest: Option<usize>,
}

impl<K, V> Default for Versions<K, V> {
    fn default() -> Self {
        Self { rows: Vec::new(), seen: HashMap::new(), gone: Vec::new() }
    }
}

impl<K: Hash + Eq + Clone, V> Versions<K, V> {
    /// The row is so from `fact` on. The facts of a row come in their order.
    pub(crate) fn push(&mut self, key: K, row: V, fact: &Fact) {
        let next = self.rows.len();
        let first = self.turn(key, fact, Some(next));
        self.rows.push(Version { row, since: moment(fact), until: None, first });
    }

    /// There is no such row from `fact` on.
    pub(crate) fn end(&mut self, key: K, fact: &Fact) {
        let first = self.turn(key.clone(), fact, None);
        self.gone.push((key, first));
    }

    /// When the row was first said anything of.
    fn turn(&mut self, key: K, fact: &Fact, next: Option<usize>) -> Moment {
        let now = moment(fact);
        let seen = self.seen.entry(key).or_insert(Seen { first: now, latest: None });
        if let Some(before) = seen.latest {
            self.rows[before].until = Some(now);
        }
        seen.latest = next;
        seen.first
    }

    /// In the order in which they began.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().map(|version| &version.row)
    }

    /// Leaves the rows as they are at the end of the batch in a table that is kept in memory, as [`Versions::remove`]
    /// and [`Versions::put`] do in one of PostgreSQL. What they were is not kept.
    pub(crate) fn leave(&self, table: &mut HashMap<K, V>)
    where
        V: Clone,
    {
        for (key, seen) in &self.seen {
            match seen.latest {
                Some(latest) => table.insert(key.clone(), self.rows[latest].row.clone()),
                None => table.remove(key),
            };
        }
    }

    /// Takes the rows that ended out of the table, those named by `keys`, and keeps what they were.
    pub(crate) async fn remove(
        &self,
        transaction: &Transaction<'_>,
        table: Table,
        keys: impl for<'k> FnOnce(&[&'k K]) -> Vec<Column<'k>>,
    ) -> Result<(), ViewError> {
        if self.gone.is_empty() {
            return Ok(());
        }
        let keyed: Vec<&K> = self.gone.iter().map(|(key, _)| key).collect();
        let mut columns = keys(&keyed);
        columns.extend(moments(UNTIL, self.gone.iter().map(|(_, moment)| Some(*moment))));
        let all: Vec<usize> = (0..self.gone.len()).collect();
        column::run(transaction, &remove(table, &columns), &columns, &all).await
    }

    /// Writes the rows: what they are now into the table, in the place of what they were, and what they were
    /// into its past.
    pub(crate) async fn put(
        &self,
        transaction: &Transaction<'_>,
        table: Table,
        mut columns: Vec<Column<'_>>,
    ) -> Result<(), ViewError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let (over, lasting): (Vec<usize>, Vec<usize>) =
            (0..self.rows.len()).partition(|row| self.rows[*row].until.is_some());
        columns.extend(moments(SINCE, self.rows.iter().map(|version| Some(version.since))));
        columns.extend(moments(UNTIL, self.rows.iter().map(|version| version.until)));
        column::add(transaction, &format!("{}_past", table.name), &columns, &over).await?;
        columns.truncate(columns.len() - UNTIL.len());
        columns.extend(moments(FIRST, self.rows.iter().map(|version| Some(version.first))));
        column::run(transaction, &put(table, &columns), &columns, &lasting).await
    }
}

fn moments(
    [name, name_at]: [&'static str; 2],
    of: impl Iterator<Item = Option<Moment>>,
) -> [Column<'static>; 2] {
    let (positions, times): (Vec<_>, Vec<_>) =
        of.map(|moment| (moment.map(|(position, _)| position), moment.map(|(_, at)| at))).unzip();
    [Column::new(name, Type::INT8, positions), Column::new(name_at, Type::TIMESTAMPTZ, times)]
}

fn same_key(table: Table, one: &str, other: &str) -> String {
    let same = table.key.split(", ").map(|name| format!("{one}.{name} = {other}.{name}"));
    same.collect::<Vec<_>>().join(" AND ")
}

fn remove(table: Table, columns: &[Column<'_>]) -> String {
    let (name, same) = (table.name, same_key(table, "v", "row"));
    format!(
        "WITH gone AS (DELETE FROM {name} AS v USING {} WHERE {same} \
         RETURNING v.*, row.until, row.until_at) \
         INSERT INTO {name}_past SELECT * FROM gone WHERE since < until",
        column::unnested(columns)
    )
}

fn put(table: Table, columns: &[Column<'_>]) -> String {
    let Table { name, key } = table;
    let read: Vec<_> = columns.iter().map(Column::read).collect();
    let all = column::names(columns);
    let now = &all[..all.len() - FIRST.len()];
    let set = now.iter().filter(|name| !key.split(", ").any(|own| own == **name));
    let set: Vec<_> = set.map(|name| format!("{name} = excluded.{name}")).collect();
    let were: Vec<_> = now.iter().map(|name| format!("v.{name}")).collect();
    let (read, now, set, were) = (read.join(", "), now.join(", "), set.join(", "), were.join(", "));
    let (rows, same) = (column::unnested(columns), same_key(table, "v", "row"));
    format!(
        "WITH row AS (SELECT {read} FROM {rows}), \
         past AS (INSERT INTO {name}_past ({now}, until, until_at) \
         SELECT {were}, row.first, row.first_at FROM row \
         JOIN {name} AS v ON {same} AND v.since < row.first) \
         INSERT INTO {name} ({now}) SELECT {now} FROM row ON CONFLICT ({key}) DO UPDATE SET {set}"
    )
}

#[cfg(test)]
mod tests {
    use doudi_domain::{EnterpriseId, appeal::Event};
    use proptest::prelude::*;

    use super::*;
    use crate::{fact::Content, kit::appeal_id};

    fn fact(position: i64) -> Fact {
        let owner = EnterpriseId::parse("L-1").unwrap();
        let content = Content::Appeal(owner, appeal_id(1), vec![Event::KeyDestroyed {}]);
        Fact::of(content, Timestamp::UNIX_EPOCH, position)
    }

    /// What the statements make of versions.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Tables {
        now: HashMap<u8, (i64, u8)>,
        past: Vec<(u8, u8, i64, i64)>,
    }

    impl Tables {
        fn take(&mut self, moves: &[(i64, (u8, Option<u8>))]) {
            let mut versions = Versions::default();
            for (position, (key, row)) in moves {
                match row {
                    Some(row) => versions.push(*key, (*key, *row), &fact(*position)),
                    None => versions.end(*key, &fact(*position)),
                }
            }
            for (key, (until, _)) in &versions.gone {
                if let Some((since, row)) = self.now.remove(key) {
                    self.past.push((*key, row, since, *until));
                }
            }
            for Version { row: (key, row), since, until, first } in &versions.rows {
                match until {
                    Some((until, _)) => self.past.push((*key, *row, since.0, *until)),
                    None => {
                        if let Some((since, row)) = self.now.insert(*key, (since.0, *row)) {
                            self.past.push((*key, row, since, first.0));
                        }
                    }
                }
            }
            self.past.sort_unstable();
        }
    }

    proptest! {
        #[test]
        fn batches_of_any_size_leave_the_same_behind(
            moves in proptest::collection::vec((0_u8..4, proptest::option::weighted(0.7, 0_u8..9)), 0..40),
            size in 1_usize..20,
        ) {
            let moves: Vec<_> = (1..).zip(moves).collect();
            let (mut one_by_one, mut batched) = (Tables::default(), Tables::default());
            moves.chunks(1).for_each(|one| one_by_one.take(one));
            moves.chunks(size).for_each(|some| batched.take(some));
            prop_assert_eq!(one_by_one, batched);
        }
    }

    #[test]
    fn a_row_is_written_over_and_what_it_was_is_kept() {
        let table = Table { name: "thing", key: "thing, owner" };
        let mut columns = vec![
            Column::new("thing", Type::UUID, vec![uuid::Uuid::nil()]),
            Column::new("owner", Type::TEXT, vec!["L-1"]),
            Column::list("beside", [["a", "b"]].into_iter()),
            Column::json("said", [Some(&7)].into_iter()),
        ];
        columns.extend(moments(SINCE, [Some((3, Timestamp::UNIX_EPOCH))].into_iter()));
        columns.extend(moments(FIRST, [Some((2, Timestamp::UNIX_EPOCH))].into_iter()));
        let said = put(table, &columns);
        for part in [
            "beside::text[] AS beside, said, since",
            "unnest($1::uuid[], $2::text[], $3::text[], $4::jsonb[], $5::int8[], $6::timestamptz[], $7::int8[]",
            "JOIN thing AS v ON v.thing = row.thing AND v.owner = row.owner AND v.since < row.first)",
            "ON CONFLICT (thing, owner) DO UPDATE SET beside = excluded.beside, said = excluded.said, since",
        ] {
            assert!(said.contains(part), "{said} has no {part}");
        }
    }
}
