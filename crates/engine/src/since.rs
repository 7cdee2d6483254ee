//! What happened to a stream after a version that somebody knew, for those who come too late.

use doudi_domain::Decider;
use doudi_journal::{Position, StreamName, Version};

use crate::{
    execute::Engine,
    folded::{LoadError, commit},
};

impl Engine {
    /// The type names of what happened to a stream after its version `known`: the newest ones, at
    /// most `names_max`, oldest first. None where the stream has not got that far.
    ///
    /// # Errors
    /// [`LoadError`] when the log does not answer in time or the stream is damaged.
    pub async fn events_since<D: Decider>(
        &self,
        stream: &StreamName,
        known: Version,
        names_max: usize,
    ) -> Result<Vec<String>, LoadError> {
        let folded = self.read::<D>(stream, Position::START).await?;
        if known >= folded.version {
            return Ok(vec![]);
        }
        // A commit holds at least one event, so no more commits are needed than names are wanted.
        let commits = u64::try_from(names_max).unwrap_or(u64::MAX);
        let from = known.0.max(folded.version.0.saturating_sub(commits));
        let at = folded.receipts.values().find(|receipt| receipt.version.0 == from);
        let after = at.map_or(Position::START, |receipt| receipt.position);
        let records = self.journal.load(stream, after, folded.position).await;
        let mut names = Vec::new();
        for record in records.map_err(LoadError::Unavailable)? {
            names.extend(commit(&record)?.events.into_iter().map(|event| event.name));
        }
        Ok(names.split_off(names.len().saturating_sub(names_max)))
    }
}

#[cfg(test)]
mod tests {
    use doudi_domain::{
        VisitId,
        visits::{CancelReason, Command, Visits},
    };

    use super::*;
    use crate::execute::tests::{envelope, id, plan, prepared, unit};

    #[tokio::test]
    async fn who_comes_too_late_learns_what_happened() {
        let (_, engine, stream) = prepared().await;
        for n in [10, 20] {
            let reason = CancelReason::TaskWithdrawn;
            let cancel = Command::Cancel { visit: VisitId(id(n)), unit: unit("fire"), reason };
            for (n, command) in [(n, plan(n, "fire")), (n + 1, cancel)] {
                engine.execute::<Visits>(&stream, &command, &envelope(n)).await.unwrap();
            }
        }
        let since = async |version, max| {
            engine.events_since::<Visits>(&stream, Version(version), max).await.unwrap()
        };
        assert_eq!(since(2, 20).await, ["VisitPlanned", "VisitCancelled"]);
        assert_eq!(since(0, 20).await.len(), 4);
        assert_eq!(since(0, 3).await, ["VisitCancelled", "VisitPlanned", "VisitCancelled"]);
        assert!(since(4, 20).await.is_empty() && since(9, 20).await.is_empty());
    }
}
