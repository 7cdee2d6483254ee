//! Replays the log under a candidate document: reads it once, from the beginning to where it ended when asked,
//! and changes nothing anywhere. There is no consumer that could be left behind; whoever drops the
//! future ends the replay.

use doudi_domain::{
    AppealId, Decider, EnterpriseId,
    appeal::Appeal,
    codec::{self, CodecError},
    enterprise::Profile,
    policy::Policy,
    visits::Visits,
    what_if::{Report, Told, WhatIf},
};
use doudi_journal::{Commit, Journal, Position, READ_RECORDS_MAX, Record};
use jiff::Timestamp;

use crate::LoadError;

/// After how many records that were looked into others get their turn.
const STRETCH: usize = 50;

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The position up to which the log was read.
    pub reached: Position,
    /// Where the log ended when the replay began.
    pub end: Position,
}

/// Why a commit cannot be looked into.
#[derive(Debug, thiserror::Error)]
#[error("the commit cannot be read")]
struct Unreadable;

/// Replays the log, telling how far it is after each page, and reports as of `now`. Commits that cannot be
/// read are counted and passed over.
///
/// # Errors
/// [`LoadError::Unavailable`] when the log does not answer in time or a record is missing.
pub async fn replay(
    journal: &Journal,
    mut what_if: WhatIf,
    now: Timestamp,
    mut told: impl FnMut(Progress),
) -> Result<Report, LoadError> {
    let end = journal.last_position().await.map_err(LoadError::Unavailable)?;
    let mut reached = Position::START;
    let mut page = journal.read(reached, READ_RECORDS_MAX).await.map_err(LoadError::Unavailable)?;
    while let Some(last) = page.last().map(|record| record.position) {
        // The next page is on its way while this one is looked into.
        let next = async {
            if last >= end { Ok(vec![]) } else { journal.read(last, READ_RECORDS_MAX).await }
        };
        let (next, ()) = tokio::join!(next, look(&mut what_if, &page, end));
        reached = last.min(end);
        told(Progress { reached, end });
        page = next.map_err(LoadError::Unavailable)?;
    }
    told(Progress { reached: end, end });
    Ok(what_if.report(now))
}

async fn look(what_if: &mut WhatIf, page: &[Record], end: Position) {
    for stretch in page.chunks(STRETCH) {
        for record in stretch.iter().filter(|record| record.position <= end) {
            if !what_if.reads(record.stream.kind(), record.stream.id()) {
                continue;
            }
            match read(what_if, record) {
                Ok(Some((recorded_at, told))) => what_if.take(recorded_at, told),
                Ok(None) => {}
                Err(Unreadable) => what_if.pass_over(),
            }
        }
        tokio::task::yield_now().await;
    }
}

/// What a record says; none where nothing in it matters.
fn read(what_if: &WhatIf, record: &Record) -> Result<Option<(Timestamp, Told)>, Unreadable> {
    let commit = record.commit().map_err(|_| Unreadable)?;
    let kind = record.stream.kind();
    if !commit.events.iter().any(|event| what_if.wants(kind, &event.name)) {
        return Ok(None);
    }
    let owner = || EnterpriseId::parse(record.stream.owner()).map_err(|_| Unreadable);
    let told = if kind == Profile::KIND {
        Told::Profile(owner()?, events(what_if, kind, &commit)?)
    } else if kind == Visits::KIND {
        Told::Visits(owner()?, events(what_if, kind, &commit)?)
    } else if kind == Appeal::KIND {
        let id = AppealId::parse(record.stream.id().unwrap_or_default()).map_err(|_| Unreadable)?;
        Told::Appeal(owner()?, id, events(what_if, kind, &commit)?)
    } else if kind == Policy::KIND {
        Told::Policy(events(what_if, kind, &commit)?)
    } else {
        return Ok(None);
    };
    Ok(Some((commit.recorded_at, told)))
}

fn events<E: codec::Storable>(
    what_if: &WhatIf,
    kind: &str,
    commit: &Commit,
) -> Result<Vec<E>, Unreadable> {
    let wanted = commit.events.iter().filter(|event| what_if.wants(kind, &event.name));
    let decoded = wanted.map(|event| codec::decode(&event.name, event.version, &event.data));
    decoded.collect::<Result<_, CodecError>>().map_err(|_| Unreadable)
}
