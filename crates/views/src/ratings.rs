//! Ratings of visits, in sums that tell nobody's own.
//!
//! A unit's ratings are held back until they come from [`RATERS_MIN`] enterprises; then all of them
//! enter the sum of the month together. So the difference between any two answers is again a sum over
//! as many enterprises, and whoever watches the sums grow learns no single rating. An answer as of an
//! earlier time has all of them or none. A rating counts for one unit alone, so the sums of two units
//! tell no more than each.

use std::collections::BTreeMap;

use doudi_domain::{UnitId, ratings::Satisfaction};
use doudi_journal::Position;
use jiff::civil::Date;
use tokio_postgres::types::Type;

mod fold;
mod rows;

pub use doudi_domain::ratings::RATERS_MIN;
pub(crate) use rows::apply;

use crate::{
    Fresh, ViewError, ViewName, Views,
    db::{self, column},
    predicate::Predicate,
    read::Snapshot,
};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 2;

/// Whose ratings, and of which months.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The unit in charge of the visits.
    pub unit: UnitId,
    /// From the month of this day on.
    pub from: Date,
    /// Until the month of this day.
    pub until: Date,
}

/// What was summed up in a month.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// The first day of the month in which the ratings became enough to be summed up.
    pub month: Date,
    /// How many there are of each grade that there is.
    pub counts: BTreeMap<Satisfaction, u64>,
}

/// A unit's sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sums {
    /// The months in which something was summed up, oldest first.
    pub sums: Vec<Sum>,
    /// The log position that they reflect.
    pub position: Position,
}

impl Views {
    /// The sums of a unit's ratings by month.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn ratings(&self, query: &Query, fresh: Fresh) -> Result<Sums, ViewError> {
        let mut reader = self.reader(&[ViewName::Ratings], fresh).await?;
        load(&reader.once(), query).await
    }
}

async fn load(snapshot: &Snapshot<'_>, query: &Query) -> Result<Sums, ViewError> {
    let mut predicate = Predicate::default();
    predicate.is("unit", query.unit.as_str());
    predicate.compare("month", ">=", query.from.first_of_month(), Type::DATE);
    predicate.compare("month", "<=", query.until.first_of_month(), Type::DATE);
    let statement = format!(
        "SELECT month, satisfaction, sum(count)::bigint AS count FROM summed WHERE {} \
         GROUP BY month, satisfaction ORDER BY month",
        predicate.sql()
    );
    let rows = snapshot.meant("summing up ratings", &statement, &predicate).await?;
    let mut sums: Vec<Sum> = vec![];
    for row in &rows {
        let month = column(row, "month")?;
        let satisfaction = db::parsed(row, "satisfaction", db::from_word)?;
        let count = u64::try_from(column::<i64>(row, "count")?).unwrap_or(0);
        match sums.last_mut().filter(|last| last.month == month) {
            Some(last) => _ = last.counts.insert(satisfaction, count),
            None => sums.push(Sum { month, counts: [(satisfaction, count)].into() }),
        }
    }
    Ok(Sums { sums, position: snapshot.position().await? })
}
