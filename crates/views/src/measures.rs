//! Measures: who returned what to whom, and the three rates (响应率、解决率、满意率).
//!
//! A fact counts when and where it happened: a later word, another unit or a second handling never
//! rewrites it.

use jiff::{
    Timestamp,
    civil::{Date, date, time},
    tz,
};
use tokio_postgres::types::Type;

mod fold;
mod query;
mod rows;

pub use query::{Flow, FlowCell, FlowQuery, Rate, RateGroup, Rates, RatesQuery};
pub(crate) use rows::apply;

use crate::{Fresh, ViewError, ViewName, Views, predicate::Predicate};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 2;

/// The most groups of one answer; where there are more, those with the most in them.
pub const GROUPS_MAX: usize = 1000;

/// The days from `from` to `until`, both included, in Asia/Shanghai.
fn within_days(predicate: &mut Predicate, column: &str, from: Date, until: Date) {
    if let Some(begin) = midnight(from) {
        predicate.compare(column, ">=", begin, Type::TIMESTAMPTZ);
    }
    if let Some(end) = until.tomorrow().ok().and_then(midnight) {
        predicate.compare(column, "<", end, Type::TIMESTAMPTZ);
    }
}

/// When a day begins; none beyond the end of the calendar. PostgreSQL's own
/// calendar begins later than ours, and no fact lies before the first year.
fn midnight(day: Date) -> Option<Timestamp> {
    let begin = day.max(date(1, 1, 1)).to_datetime(time(0, 0, 0, 0));
    tz::offset(8).to_timestamp(begin).ok()
}

impl Views {
    /// Who returned appeals to whom (退单流向).
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn flow(&self, query: &FlowQuery, fresh: Fresh) -> Result<Flow, ViewError> {
        self.wait(ViewName::Measures, fresh.at_least, fresh.within).await?;
        let flow = query::flow(&self.pool, query).await?;
        fresh.check(ViewName::Measures, flow.position)?;
        Ok(flow)
    }

    /// How many handlings were responded to in time, resolved and satisfying.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn rates(&self, query: &RatesQuery, fresh: Fresh) -> Result<Rates, ViewError> {
        self.wait(ViewName::Measures, fresh.at_least, fresh.within).await?;
        let rates = query::rates(&self.pool, query).await?;
        fresh.check(ViewName::Measures, rates.position)?;
        Ok(rates)
    }
}
