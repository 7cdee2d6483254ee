//! The rows behind a number, in pages.

use doudi_domain::EnterpriseId;
use doudi_journal::Position;
use jiff::Timestamp;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::{Filter, Row, query::whole};
use crate::{
    ViewError,
    db::{self, column},
    inbox::{Writer, padded, unpadded},
    predicate::Predicate,
    read::Snapshot,
};

/// Which page of which rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageQuery {
    /// Which.
    pub filter: Filter,
    /// Only what comes after this: `next` of the page before.
    pub after: Option<Cursor>,
    /// The most rows to return, 1 to [`PAGE_MAX`](crate::PAGE_MAX).
    pub limit: usize,
}

/// Where a page ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// In microseconds.
    at: Timestamp,
    subject: Uuid,
    enterprise: EnterpriseId,
    part: Uuid,
    number: i64,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The rows, the latest first.
    pub rows: Vec<Row>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<Cursor>,
    /// The log position that the page reflects.
    pub position: Position,
}

impl Cursor {
    /// How many bytes a cursor takes.
    pub const BYTES: usize = 8 + 16 + 18 + 16 + 8;

    /// Where a page ends whose last row this is.
    #[must_use]
    pub fn of(row: &Row) -> Self {
        let (subject, enterprise) = (row.subject, row.enterprise.clone());
        Self { at: row.at, subject, enterprise, part: row.part, number: row.number }
    }

    /// The cursor as bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut writer = Writer { bytes: [0; Self::BYTES], at: 0 };
        writer.put(&self.at.as_microsecond().to_be_bytes());
        writer.put(self.subject.as_bytes());
        writer.put(&padded(&self.enterprise));
        writer.put(self.part.as_bytes());
        writer.put(&self.number.to_be_bytes());
        writer.bytes
    }

    /// The cursor that gave those bytes; none for others.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (at, bytes) = bytes.split_first_chunk::<8>()?;
        let (subject, bytes) = bytes.split_first_chunk::<16>()?;
        let (enterprise, bytes) = bytes.split_first_chunk::<18>()?;
        let (part, bytes) = bytes.split_first_chunk::<16>()?;
        let number: &[u8; 8] = bytes.try_into().ok()?;
        Some(Self {
            at: Timestamp::from_microsecond(i64::from_be_bytes(*at)).ok()?,
            subject: Uuid::from_bytes(*subject),
            enterprise: unpadded(enterprise)?,
            part: Uuid::from_bytes(*part),
            number: i64::from_be_bytes(*number),
        })
    }
}

/// Loads one page.
pub(super) async fn load(
    snapshot: &Snapshot<'_>,
    filter: &Filter,
    after: Option<&Cursor>,
    limit: usize,
) -> Result<Page, ViewError> {
    let definition = filter.figure.definition();
    let mut predicate = Predicate::default();
    let rows = filter.rows(&definition, &mut predicate, snapshot.tense());
    if let Some(after) = after {
        let key: Vec<(Box<dyn ToSql + Sync + Send>, Type)> = vec![
            (Box::new(after.at), Type::TIMESTAMPTZ),
            (Box::new(after.subject), Type::UUID),
            (Box::new(after.enterprise.as_str().to_owned()), Type::TEXT),
            (Box::new(after.part), Type::UUID),
            (Box::new(after.number), Type::INT8),
        ];
        // The order of the rows, backwards.
        let columns = format!("at, subject, enterprise, {}, number", definition.part);
        predicate.compare_row(&columns, "<", key);
    }
    let values: Vec<String> = definition
        .dimensions
        .iter()
        .map(|dimension| format!("coalesce({}::text, '')", dimension.column()))
        .collect();
    let statement = format!(
        "SELECT at, subject, enterprise, {} AS part, number, {} AS hit, {} AS seconds, ARRAY[{}] AS held \
         FROM ({rows}) AS counted WHERE {} \
         ORDER BY at DESC, subject DESC, enterprise DESC, part DESC, number DESC LIMIT {}",
        definition.part,
        definition.hit,
        definition.seconds,
        values.join(", "),
        predicate.sql(),
        limit + 1
    );
    let rows = snapshot.meant("listing the rows of a board", &statement, &predicate).await?;
    let mut rows = rows.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next = rows.last().filter(|_| more).map(Cursor::of);
    Ok(Page { rows, next, position: snapshot.position().await? })
}

fn read(row: &tokio_postgres::Row) -> Result<Row, ViewError> {
    Ok(Row {
        subject: column(row, "subject")?,
        enterprise: db::parsed(row, "enterprise", EnterpriseId::parse)?,
        part: column(row, "part")?,
        number: column(row, "number")?,
        at: column(row, "at")?,
        hit: column(row, "hit")?,
        seconds: column::<Option<f64>>(row, "seconds")?.map(whole),
        values: column(row, "held")?,
    })
}
