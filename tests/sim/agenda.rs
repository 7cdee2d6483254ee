//! The agenda in memory: it follows the log, takes it in as the tables do, lags behind it and cannot always be read.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use doudi_domain::{
    Decider,
    agenda::{Change, Duty, Process},
    appeal::Appeal,
    codec,
    device::Device,
    diagnosis::Diagnosis,
    visits::Visits,
};
use doudi_engine::{
    Position, StreamName,
    react::{Agenda, AgendaError, Due, Page, Query},
};
use doudi_journal::{Journal, Record};
use doudi_server::agenda::entry;
use jiff::Timestamp;

use super::{
    network::{Network, pass},
    truth::Truth,
    views::Follower,
};

/// The entries by stream and key.
pub(super) type Entries = BTreeMap<(StreamName, String), Due>;

/// What there is to do, as far as it has followed the log. Clones are the same one.
#[derive(Clone)]
pub(super) struct Kept {
    journal: Journal,
    network: Network,
    known: Arc<Mutex<(Position, Entries)>>,
    /// What the other views make of the same records.
    views: Arc<Mutex<Follower>>,
}

impl Kept {
    pub(super) fn new(journal: &Journal, network: &Network, views: Follower) -> Self {
        let (journal, network) = (journal.clone(), network.clone());
        Self { journal, network, known: Arc::default(), views: Arc::new(Mutex::new(views)) }
    }

    /// Follows the log, to its end unless there is trouble.
    async fn follow(&self) -> Position {
        let (after, _) = *self.known.lock().unwrap();
        let mut records = self.journal.read(after, 1000).await.unwrap();
        if self.network.is_troubled() {
            records.truncate(records.len() / 2);
        }
        let (position, entries) = &mut *self.known.lock().unwrap();
        // Somebody else may have been here meanwhile.
        records.retain(|record| record.position > *position);
        self.views.lock().unwrap().follow(&records);
        for ((stream, key), now) in doudi_views::agenda::changes(&records) {
            let name = (StreamName::parse(&stream).unwrap(), key);
            match now {
                Some(due) => entries.insert(name, entry(due)),
                None => entries.remove(&name),
            };
        }
        *position = records.last().map_or(*position, |record| record.position.max(*position));
        *position
    }

    /// What is due at `now` by the whole log, with the grace that a visit has.
    pub(super) async fn due_now(&self, now: Timestamp, grace_days: i64) -> Vec<Due> {
        while self.follow().await < self.journal.last_position().await.unwrap() {}
        let grace = jiff::SignedDuration::from_hours(24 * grace_days);
        let until = |due: &Due| {
            if matches!(due.duty, Duty::ExpireVisit { .. }) { now - grace } else { now }
        };
        let (_, entries) = &*self.known.lock().unwrap();
        entries.values().filter(|due| due.at <= until(due)).cloned().collect()
    }

    pub(super) fn entries(&self) -> Entries {
        self.known.lock().unwrap().1.clone()
    }

    /// Says what the views hold at the end of the log that they should not.
    pub(super) async fn judge_views(&self, truth: &Truth<'_>) -> Result<(), String> {
        while self.follow().await < self.journal.last_position().await.unwrap() {}
        self.views.lock().unwrap().judge(truth)
    }
}

impl Agenda for Kept {
    async fn due(&self, query: &Query) -> Result<Page, AgendaError> {
        if self.network.is_troubled() {
            return Err(AgendaError("the tables do not answer".into()));
        }
        let position = self.follow().await;
        let until: BTreeMap<_, _> = query.until.iter().copied().collect();
        let order = |due: &Due| (due.at, due.stream.clone(), due.key.clone());
        let is_due = |due: &&Due| due.at <= until[due.duty.kind()];
        let mut due: Vec<Due> =
            self.known.lock().unwrap().1.values().filter(is_due).cloned().collect();
        due.sort_by_key(order);
        if let Some(after) = &query.after {
            due.retain(|due| order(due) > order(after));
        }
        let more = due.len() > query.limit;
        due.truncate(query.limit);
        Ok(Page { due, more, position })
    }

    async fn wait_until(&self, position: Position, within: Duration) -> Position {
        let reached = self.follow().await;
        if reached >= position {
            return reached;
        }
        pass(within).await;
        self.follow().await
    }
}

/// The agenda as the whole log has it, by no code of the views.
pub(super) fn folded(records: &[Record]) -> Entries {
    let mut entries = Entries::new();
    for record in records {
        take(&mut entries, record);
    }
    entries
}

fn take(entries: &mut Entries, record: &Record) {
    let changes = match record.stream.kind() {
        Visits::KIND => changes::<Visits>(record),
        Appeal::KIND => changes::<Appeal>(record),
        Diagnosis::KIND => changes::<Diagnosis>(record),
        Device::KIND => changes::<Device>(record),
        _ => return,
    };
    let commit = record.commit().unwrap();
    for change in changes {
        match change {
            Change::Put(entry) => {
                let due = Due::of(&commit, record.position, entry);
                entries.insert((due.stream.clone(), due.key.clone()), due);
            }
            Change::Drop(key) => {
                entries.remove(&(record.stream.clone(), key));
            }
        }
    }
}

fn changes<D>(record: &Record) -> Vec<Change>
where
    D: Decider,
    D::Event: Process,
{
    events::<D>(record).iter().flat_map(Process::agenda).collect()
}

/// The events of a record.
pub(super) fn events<D: Decider>(record: &Record) -> Vec<D::Event> {
    let decode = |stored: &doudi_journal::StoredEvent| {
        codec::decode(&stored.name, stored.version, &stored.data).unwrap()
    };
    record.commit().unwrap().events.iter().map(decode).collect()
}
