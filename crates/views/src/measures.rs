//! Measures: who returned what to whom, and the three rates (响应率、解决率、满意率).
//!
//! A fact counts when and where it happened: a later word, another unit or a second handling never
//! rewrites it. Until the close the enterprise's own word comes before what a desk recorded that it
//! said on the phone. At the close the record of a handling is final: what was said on the phone is
//! the word where the enterprise itself said nothing, and what it says afterwards counts only for
//! what nobody had said.

mod fold;
mod query;
mod rows;

pub use query::{Flow, FlowCell, FlowQuery, Rate, RateGroup, Rates, RatesQuery};
pub(crate) use rows::{HANDLING, RETURNS, apply};

use crate::{Fresh, ViewError, ViewName, Views};

/// The version of the tables and of what they mean.
pub(crate) const VERSION: i32 = 6;

/// The most groups of one answer; where there are more, those with the most in them.
pub const GROUPS_MAX: usize = 1000;

impl Views {
    /// Who returned appeals to whom (退单流向).
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn flow(&self, query: &FlowQuery, fresh: Fresh) -> Result<Flow, ViewError> {
        let mut reader = self.reader(&[ViewName::Measures], fresh).await?;
        query::flow(&reader.once(), query).await
    }

    /// How many handlings were responded to in time, resolved and satisfying.
    ///
    /// # Errors
    /// As [`Views::timeline`].
    pub async fn rates(&self, query: &RatesQuery, fresh: Fresh) -> Result<Rates, ViewError> {
        let mut reader = self.reader(&[ViewName::Measures], fresh).await?;
        query::rates(&reader.once(), query).await
    }
}
