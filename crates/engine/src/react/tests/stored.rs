//! An agenda for tests: folded from the log each time that it is asked.

use std::{collections::BTreeMap, sync::atomic::AtomicU64};

use doudi_domain::{
    agenda::{Change, Process},
    device::Device,
    diagnosis::Diagnosis,
};

use super::*;

/// The agenda as the log has it, or had it at a position where it stands still.
#[derive(Clone)]
pub(super) struct Folded {
    journal: Journal,
    pub(super) still_at: Arc<AtomicU64>,
    pub(super) asked: Arc<AtomicUsize>,
}

impl Folded {
    pub(super) fn of(journal: &Journal) -> Self {
        let still_at = Arc::new(AtomicU64::new(u64::MAX));
        Self { journal: journal.clone(), still_at, asked: Arc::default() }
    }

    async fn position(&self) -> Position {
        self.journal.last_position().await.unwrap().min(Position(self.still_at.load(SeqCst)))
    }
}

impl Agenda for Folded {
    async fn due(&self, query: &Query) -> Result<Page, AgendaError> {
        self.asked.fetch_add(1, Relaxed);
        let position = self.position().await;
        let mut entries = BTreeMap::new();
        for record in self.journal.read(Position::START, 1000).await.unwrap() {
            if record.position <= position {
                take(&mut entries, &record);
            }
        }
        let until: BTreeMap<_, _> = query.until.iter().copied().collect();
        let mut due: Vec<Due> = entries.into_values().collect();
        due.retain(|due| due.at <= until[due.duty.kind()]);
        let order = |due: &Due| (due.at, due.stream.to_string(), due.key.clone());
        due.sort_by_key(order);
        if let Some(after) = &query.after {
            due.retain(|due| order(due) > order(after));
        }
        let more = due.len() > query.limit;
        due.truncate(query.limit);
        Ok(Page { due, more, position })
    }

    async fn wait_until(&self, position: Position, within: Duration) -> Position {
        let reached = self.position().await;
        if reached < position {
            pass(within).await;
            return self.position().await;
        }
        reached
    }
}

/// What a record makes of the agenda; one that cannot be read, nothing.
fn take(entries: &mut BTreeMap<(StreamName, String), Due>, record: &Record) {
    let changes: Vec<Change> = match record.stream.kind() {
        Visits::KIND => changes(decode::<Visits>(record)),
        Appeal::KIND => changes(decode::<Appeal>(record)),
        Diagnosis::KIND => changes(decode::<Diagnosis>(record)),
        Device::KIND => changes(decode::<Device>(record)),
        _ => vec![],
    };
    for change in changes {
        match change {
            Change::Put(entry) => {
                let due = Due::of(&record.commit().unwrap(), record.position, entry);
                entries.insert((due.stream.clone(), due.key.clone()), due);
            }
            Change::Drop(key) => {
                entries.remove(&(record.stream.clone(), key));
            }
        }
    }
}

fn changes<E: Process>(events: Result<Vec<E>, LoadError>) -> Vec<Change> {
    events.unwrap_or_default().iter().flat_map(Process::agenda).collect()
}

/// The events of a record.
pub(super) fn decode<D: Decider>(record: &Record) -> Result<Vec<D::Event>, LoadError> {
    events::<D>(record, &commit(record)?)
}
