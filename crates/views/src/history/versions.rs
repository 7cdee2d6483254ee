//! Rows as they are one after the other within a batch, and the one way of them into a table and into its past.

use std::{collections::HashMap, fmt::Display, hash::Hash};

use deadpool_postgres::Transaction;
use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::types::ToSql;

use crate::{
    ViewError,
    db::{self, applying},
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
        let since = self.turn(key, fact, Some(next));
        self.rows.push(Version { row, since, until: None });
    }

    /// There is no such row from `fact` on.
    pub(crate) fn end(&mut self, key: K, fact: &Fact) {
        self.turn(key.clone(), fact, None);
        if let Some(seen) = self.seen.get(&key) {
            self.gone.push((key, seen.first));
        }
    }

    fn turn(&mut self, key: K, fact: &Fact, next: Option<usize>) -> Moment {
        let now = (fact.position, fact.occurred_at);
        let seen = self.seen.entry(key).or_insert(Seen { first: now, latest: None });
        if let Some(before) = seen.latest {
            self.rows[before].until = Some(now);
        }
        seen.latest = next;
        now
    }

    /// In the order in which they began.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().map(|version| &version.row)
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
        columns.extend(moments("until", self.gone.iter().map(|(_, moment)| Some(*moment))));
        run(transaction, &remove(table, &columns), &columns).await
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
        columns.extend(moments("since", self.rows.iter().map(|version| Some(version.since))));
        columns.extend(moments("until", self.rows.iter().map(|version| version.until)));
        run(transaction, &put(table, &columns), &columns).await
    }
}

/// A column of rows to be written.
pub(crate) struct Column<'a> {
    name: &'static str,
    /// What its values travel as.
    of: &'static str,
    /// What the column is made of them.
    form: Form,
    values: Box<dyn ToSql + Sync + Send + 'a>,
}

#[derive(Clone, Copy)]
enum Form {
    Same,
    Json,
    List,
}

impl<'a> Column<'a> {
    /// Of a type that PostgreSQL knows by the name `of`.
    pub(crate) fn new<T>(name: &'static str, of: &'static str, values: Vec<T>) -> Self
    where
        T: ToSql + Sync + Send + 'a,
    {
        Self { name, of, form: Form::Same, values: Box::new(values) }
    }

    /// Of documents, or of null.
    pub(crate) fn json<'v, T: Serialize + 'v>(
        name: &'static str,
        values: impl Iterator<Item = Option<&'v T>>,
    ) -> Result<Self, ViewError> {
        let values: Vec<_> =
            values.map(|value| value.map(text).transpose()).collect::<Result<_, _>>()?;
        Ok(Self { name, of: "text", form: Form::Json, values: Box::new(values) })
    }

    /// Of lists of words.
    pub(crate) fn list<L>(name: &'static str, values: impl Iterator<Item = L>) -> Self
    where
        L: IntoIterator<Item: Display>,
    {
        let values: Vec<_> = values.map(db::array).collect();
        Self { name, of: "text", form: Form::List, values: Box::new(values) }
    }

    fn read(&self) -> String {
        let name = self.name;
        match self.form {
            Form::Same => name.to_owned(),
            Form::Json => format!("{name}::jsonb AS {name}"),
            Form::List => format!("{name}::text[] AS {name}"),
        }
    }
}

fn text<T: Serialize>(value: &T) -> Result<String, ViewError> {
    let text = serde_json::to_string(value);
    text.map_err(|error| ViewError::fault("writing a column of a view", error))
}

/// Two columns: `since` and `since_at`, or `until` and `until_at`.
fn moments(name: &'static str, of: impl Iterator<Item = Option<Moment>>) -> [Column<'static>; 2] {
    let name_at = if name == "since" { "since_at" } else { "until_at" };
    let (positions, times): (Vec<_>, Vec<_>) =
        of.map(|moment| (moment.map(|(position, _)| position), moment.map(|(_, at)| at))).unzip();
    [Column::new(name, "bigint", positions), Column::new(name_at, "timestamptz", times)]
}

async fn run(
    transaction: &Transaction<'_>,
    statement: &str,
    columns: &[Column<'_>],
) -> Result<(), ViewError> {
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let values = columns.iter().map(|column| -> &(dyn ToSql + Sync) { &*column.values });
    let values: Vec<_> = values.collect();
    transaction.execute(&statement, &values).await.map_err(applying)?;
    Ok(())
}

fn names(columns: &[Column<'_>]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

/// The columns as they travel.
fn unnested(columns: &[Column<'_>]) -> String {
    let arrays = (1..).zip(columns).map(|(number, column)| format!("${number}::{}[]", column.of));
    let arrays: Vec<_> = arrays.collect();
    format!("unnest({}) AS row({})", arrays.join(", "), names(columns).join(", "))
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
        unnested(columns)
    )
}

fn put(table: Table, columns: &[Column<'_>]) -> String {
    let Table { name, key } = table;
    let read: Vec<_> = columns.iter().map(Column::read).collect();
    let all = names(columns);
    // Without until and until_at.
    let now = &all[..all.len() - 2];
    let set = now.iter().filter(|name| !key.split(", ").any(|own| own == **name));
    let set: Vec<_> = set.map(|name| format!("{name} = excluded.{name}")).collect();
    let were: Vec<_> = now.iter().map(|name| format!("v.{name}")).collect();
    let (read, all, now) = (read.join(", "), all.join(", "), now.join(", "));
    let (set, were) = (set.join(", "), were.join(", "));
    let (rows, same) = (unnested(columns), same_key(table, "v", "first"));
    format!(
        "WITH row AS (SELECT {read} FROM {rows}), \
         first AS (SELECT DISTINCT ON ({key}) {key}, since, since_at FROM row ORDER BY {key}, since), \
         past AS (INSERT INTO {name}_past ({all}) \
         SELECT {were}, first.since, first.since_at FROM first \
         JOIN {name} AS v ON {same} AND v.since < first.since \
         UNION ALL SELECT {all} FROM row WHERE until IS NOT NULL) \
         INSERT INTO {name} ({now}) SELECT {now} FROM row WHERE until IS NULL \
         ON CONFLICT ({key}) DO UPDATE SET {set}"
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
            let firsts = |versions: &Versions<u8, (u8, u8)>| {
                let firsts = versions.seen.iter().map(|(key, seen)| (*key, seen.first.0));
                firsts.collect::<Vec<_>>()
            };
            for (key, (until, _)) in &versions.gone {
                if let Some((since, row)) = self.now.remove(key) {
                    self.past.push((*key, row, since, *until));
                }
            }
            for (key, until) in firsts(&versions) {
                if let Some((since, row)) = self.now.get(&key) {
                    self.past.push((key, *row, *since, until));
                }
            }
            for Version { row: (key, row), since, until } in &versions.rows {
                match until {
                    Some((until, _)) => self.past.push((*key, *row, since.0, *until)),
                    None => _ = self.now.insert(*key, (since.0, *row)),
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
            Column::new("thing", "uuid", vec![uuid::Uuid::nil()]),
            Column::new("owner", "text", vec!["L-1"]),
            Column::list("beside", [["a", "b"]].into_iter()),
            Column::json("said", [Some(&7)].into_iter()).unwrap(),
        ];
        columns.extend(moments("since", [Some((3, Timestamp::UNIX_EPOCH))].into_iter()));
        columns.extend(moments("until", [None].into_iter()));
        let said = put(table, &columns);
        for part in [
            "beside::text[] AS beside, said::jsonb AS said, since",
            "unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::timestamptz[], $7::bigint[]",
            "JOIN thing AS v ON v.thing = first.thing AND v.owner = first.owner AND v.since < first.since",
            "ON CONFLICT (thing, owner) DO UPDATE SET beside = excluded.beside, said = excluded.said, since",
        ] {
            assert!(said.contains(part), "{said} has no {part}");
        }
    }
}
