//! A walk through the whole log, also where records are missing or cannot be read.

use doudi_journal::{Entry, Journal, LoadError, Position, READ_RECORDS_MAX};

/// Where somebody is who reads the log from its start.
#[derive(Debug)]
pub(crate) struct Walk {
    journal: Journal,
    reached: Position,
    end: Position,
    limit: usize,
    /// How often in a row nothing could be read.
    failed: u32,
}

/// What comes next in the log.
#[derive(Debug)]
pub(crate) enum Stretch {
    /// Records without a gap, at least one.
    Whole(Vec<Entry>),
    /// No records, from the first of these positions to the last.
    Missing(Position, Position),
    /// One that breaks whatever reads it.
    Unreadable(Position),
}

impl Walk {
    /// From the start of the log to the end that it has now, or a later one.
    pub(crate) async fn new(journal: &Journal) -> Result<Self, LoadError> {
        let (journal, end) = (journal.clone(), journal.last_position().await?);
        Ok(Self { journal, reached: Position::START, end, limit: READ_RECORDS_MAX, failed: 0 })
    }

    /// The next stretch; none at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Stretch>, LoadError> {
        loop {
            let first = self.reached.next();
            match self.journal.entries(self.reached, self.limit).await {
                Ok(page) => match page.last() {
                    Some(last) => return Ok(Some(self.to(last.position, Stretch::Whole(page)))),
                    None if self.reached < self.end => {
                        let missing = Stretch::Missing(first, self.end);
                        return Ok(Some(self.to(self.end, missing)));
                    }
                    None => return Ok(None),
                },
                Err(LoadError::Gap { expected, found }) if expected == first => {
                    let last = Position(found.0.saturating_sub(1));
                    return Ok(Some(self.to(last, Stretch::Missing(first, last))));
                }
                // What stands before the gap comes first.
                Err(LoadError::Gap { expected, .. }) => {
                    let whole = expected.0.saturating_sub(first.0);
                    self.limit = usize::try_from(whole).unwrap_or(READ_RECORDS_MAX);
                }
                Err(LoadError::Unavailable { what, .. }) => {
                    // Either the log is away, and this fails as well, or a record breaks the connection.
                    let again = self.journal.again().await;
                    self.journal = again
                        .map_err(|error| LoadError::Unavailable { what, source: error.into() })?;
                    self.failed += 1;
                    if self.limit == 1 && self.failed > 1 {
                        return Ok(Some(self.to(first, Stretch::Unreadable(first))));
                    }
                    self.limit = self.limit.div_ceil(2);
                }
            }
        }
    }

    fn to(&mut self, reached: Position, stretch: Stretch) -> Stretch {
        (self.reached, self.limit, self.failed) = (reached, READ_RECORDS_MAX, 0);
        stretch
    }
}
