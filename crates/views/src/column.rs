//! Rows on their way into a table, column by column: with one statement, or, where many are new, copied into the
//! table, which costs PostgreSQL less.

use std::{
    fmt::{Debug, Display},
    pin::pin,
};

use deadpool_postgres::Transaction;
use serde::Serialize;
use tokio_postgres::{
    binary_copy::BinaryCopyInWriter,
    error::SqlState,
    types::{IsNull, Json, ToSql, Type, private::BytesMut, to_sql_checked},
};

use crate::{
    Source, ViewError,
    db::{self, applying},
    error::chain,
};

/// Fewer new rows than this are inserted with one statement. While rows are copied nobody can take them from a process
/// that is frozen, as PostgreSQL waits for it; a statement has arrived, or nothing is locked for it.
const COPIED_MIN: usize = 256;

/// A column of rows to be written.
pub(crate) struct Column<'a> {
    name: &'static str,
    of: Type,
    values: Box<dyn Values + 'a>,
}

/// The values of a column, one for each row.
trait Values: Send + Sync {
    fn at(&self, row: usize) -> &(dyn ToSql + Sync);
}

impl<T: ToSql + Send + Sync> Values for Vec<T> {
    fn at(&self, row: usize) -> &(dyn ToSql + Sync) {
        &self[row]
    }
}

impl<'a> Column<'a> {
    /// The column `name` of type `of`, with a value for each row.
    pub(crate) fn new<T>(name: &'static str, of: Type, values: Vec<T>) -> Self
    where
        T: ToSql + Send + Sync + 'a,
    {
        Self { name, of, values: Box::new(values) }
    }

    /// Of documents that PostgreSQL looks into, or of null.
    pub(crate) fn json<T>(name: &'static str, values: impl Iterator<Item = Option<&'a T>>) -> Self
    where
        T: Serialize + Debug + Sync + 'a,
    {
        Self::new(name, Type::JSONB, values.map(|value| value.map(Json)).collect())
    }

    /// Of lists of words.
    pub(crate) fn list<L>(name: &'static str, values: impl Iterator<Item = L>) -> Self
    where
        L: IntoIterator<Item: Display>,
    {
        let words = |list: L| List(list.into_iter().map(|word| word.to_string()).collect());
        Self::new(name, Type::TEXT_ARRAY, values.map(words).collect())
    }

    /// What an array of its values is an array of.
    fn element(&self) -> &str {
        if self.of == Type::TEXT_ARRAY { "text" } else { self.of.name() }
    }

    /// How it is read where its values came as an array.
    pub(crate) fn read(&self) -> String {
        let name = self.name;
        if self.of == Type::TEXT_ARRAY {
            format!("{name}::text[] AS {name}")
        } else {
            name.to_owned()
        }
    }
}

/// A list of words. PostgreSQL's arrays of arrays must be rectangular, so within an array lists are texts.
#[derive(Debug)]
struct List(Vec<String>);

impl ToSql for List {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Source> {
        if *of == Type::TEXT_ARRAY {
            self.0.to_sql(of, out)
        } else {
            db::array(&self.0).to_sql(of, out)
        }
    }

    fn accepts(of: &Type) -> bool {
        *of == Type::TEXT || *of == Type::TEXT_ARRAY
    }

    to_sql_checked!();
}

/// One value of a column.
#[derive(Debug)]
struct Value<'a>(&'a (dyn ToSql + Sync));

impl ToSql for Value<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Source> {
        self.0.to_sql_checked(of, out)
    }

    /// The value itself says whether it fits.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// The names of columns.
pub(crate) fn names(columns: &[Column<'_>]) -> Vec<&'static str> {
    columns.iter().map(|column| column.name).collect()
}

/// The rows `row` as they travel in a statement, for its FROM.
pub(crate) fn unnested(columns: &[Column<'_>]) -> String {
    let arrays =
        (1..).zip(columns).map(|(number, column)| format!("${number}::{}[]", column.element()));
    let arrays: Vec<_> = arrays.collect();
    format!("unnest({}) AS row({})", arrays.join(", "), names(columns).join(", "))
}

/// Runs a statement about [`unnested`] columns with some of their rows, if there are any.
pub(crate) async fn run(
    transaction: &Transaction<'_>,
    statement: &str,
    columns: &[Column<'_>],
    rows: &[usize],
) -> Result<(), ViewError> {
    if rows.is_empty() {
        return Ok(());
    }
    let statement = transaction.prepare_cached(statement).await.map_err(applying)?;
    let arrays = columns.iter().map(|column| rows.iter().map(|row| Value(column.values.at(*row))));
    let arrays: Vec<Vec<Value<'_>>> = arrays.map(Iterator::collect).collect();
    let arrays: Vec<_> = arrays.iter().map(|array| -> &(dyn ToSql + Sync) { array }).collect();
    transaction.execute(&statement, &arrays).await.map_err(applying)?;
    Ok(())
}

/// Adds some rows to `table`, where none of them is yet.
pub(crate) async fn add(
    transaction: &Transaction<'_>,
    table: &str,
    columns: &[Column<'_>],
    rows: &[usize],
) -> Result<(), ViewError> {
    if rows.len() >= COPIED_MIN {
        return copy(transaction, table, columns, rows).await;
    }
    let read: Vec<String> = columns.iter().map(Column::read).collect();
    let statement = format!(
        "INSERT INTO {table} ({}) SELECT {} FROM {}",
        names(columns).join(", "),
        read.join(", "),
        unnested(columns)
    );
    run(transaction, &statement, columns, rows).await
}

async fn copy(
    transaction: &Transaction<'_>,
    table: &str,
    columns: &[Column<'_>],
    rows: &[usize],
) -> Result<(), ViewError> {
    let statement = format!("COPY {table} ({}) FROM STDIN BINARY", names(columns).join(", "));
    let statement = transaction.prepare_cached(&statement).await.map_err(applying)?;
    let sink = transaction.copy_in(&statement).await.map_err(copying)?;
    let types: Vec<Type> = columns.iter().map(|column| column.of.clone()).collect();
    let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
    for row in rows {
        let values: Vec<_> = columns.iter().map(|column| column.values.at(*row)).collect();
        writer.as_mut().write(&values).await.map_err(copying)?;
    }
    writer.finish().await.map_err(copying)?;
    Ok(())
}

/// An error of a copy. That columns are not what we think says nothing of what was to be copied, nor of the
/// connection: somebody has changed the table.
fn copying(error: tokio_postgres::Error) -> ViewError {
    let misfit = error.as_db_error().is_some_and(|said| {
        *said.code() == SqlState::PROTOCOL_VIOLATION
            || *said.code() == SqlState::INVALID_BINARY_REPRESENTATION
            || *said.code() == SqlState::BAD_COPY_FILE_FORMAT
    });
    if misfit {
        ViewError::fault("copying records into a table of other columns", chain(&error))
    } else {
        applying(error)
    }
}
