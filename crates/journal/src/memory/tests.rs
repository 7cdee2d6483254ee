//! What a power cut leaves, what a disk that fails lets through, and that nobody is shown what is not on disk.

use std::{sync::atomic::AtomicU8, time::Duration};

use super::*;
use crate::Journal;

/// A disk that takes everything, nothing, or says so without doing it, and nothing else that befalls anybody.
#[derive(Debug, Default)]
struct Disk(AtomicU8);

const FAILS: u8 = 1;
const PRETENDS: u8 = 2;

impl Faults for Disk {
    fn append(&self) -> Passage {
        Passage { there: Duration::ZERO, fate: Fate::Arrives, back: Duration::ZERO }
    }

    fn load(&self) -> (Duration, bool) {
        (Duration::ZERO, true)
    }

    fn sync(&self) -> (Duration, SyncFate) {
        let fate = match self.0.load(SeqCst) {
            FAILS => SyncFate::Fails,
            PRETENDS => SyncFate::Pretends,
            _ => SyncFate::Succeeds,
        };
        (Duration::ZERO, fate)
    }
}

fn log() -> (Memory, Arc<Disk>) {
    (Memory::new(), Arc::default())
}

fn program(memory: &Memory, disk: &Arc<Disk>) -> Journal {
    Journal::Memory(memory.with_faults(Arc::<Disk>::clone(disk)))
}

fn stream() -> StreamName {
    StreamName::new("a", "profile", None).unwrap()
}

async fn append(journal: &Journal, expected: u64) -> Result<Position, AppendError> {
    journal.append(&stream(), "record".into(), Position(expected)).await
}

async fn loaded(journal: &Journal) -> Result<Vec<Record>, LoadError> {
    journal.load(&stream(), Position::START, Position::START).await
}

#[tokio::test]
async fn what_was_acknowledged_outlives_a_power_cut() {
    let (memory, disk) = log();
    let before = program(&memory, &disk);
    assert_eq!(append(&before, 0).await.unwrap(), Position(1));
    assert_eq!((memory.at_stake(), memory.cut_power(0)), (0, 0));
    assert_eq!(loaded(&program(&memory, &disk)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_disk_only_pretends_to_have_is_gone_and_its_position_is_given_again() {
    let (memory, disk) = log();
    let before = program(&memory, &disk);
    disk.0.store(PRETENDS, SeqCst);
    for expected in 0..3 {
        append(&before, expected).await.unwrap();
    }
    assert_eq!((memory.at_stake(), memory.cut_power(1)), (3, 2));
    // Who ran before the cut reaches nothing any more.
    assert!(!before.connected());
    assert!(matches!(append(&before, 1).await, Err(AppendError::Unavailable { .. })));
    assert!(loaded(&before).await.is_err());
    let after = program(&memory, &disk);
    assert_eq!(append(&after, 1).await.unwrap(), Position(2));
}

#[tokio::test]
async fn after_a_disk_has_failed_its_program_promises_and_shows_nothing_more() {
    let (memory, disk) = log();
    let (failed, other) = (program(&memory, &disk), program(&memory, &disk));
    append(&failed, 0).await.unwrap();
    disk.0.store(FAILS, SeqCst);
    assert!(matches!(append(&failed, 1).await, Err(AppendError::Unknown { .. })));
    disk.0.store(0, SeqCst);
    assert!(!failed.connected());
    assert!(loaded(&failed).await.is_err());
    assert!(failed.moved("profile", Position::START).await.is_err());
    assert!(append(&failed, 2).await.is_err());
    assert!(other.connected());
}

#[tokio::test]
async fn nobody_is_shown_what_is_not_on_disk() {
    let (memory, disk) = log();
    let (writer, reader) = (program(&memory, &disk), program(&memory, &disk));
    let observer = Journal::Memory(memory.clone());
    for way in 0..5 {
        disk.0.store(PRETENDS, SeqCst);
        append(&writer, way).await.unwrap();
        assert_eq!(memory.at_stake(), 1);
        disk.0.store(0, SeqCst);
        match way {
            0 => assert_eq!(loaded(&reader).await.unwrap().len(), 1),
            1 => assert_eq!(reader.moved("profile", Position(1)).await.unwrap().streams.len(), 1),
            2 => assert_eq!(observer.read(Position(2), 1).await.unwrap().len(), 1),
            3 => assert_eq!(observer.last_position().await.unwrap(), Position(4)),
            _ => assert_eq!(observer.follow(Position(4)).next().await.unwrap().len(), 1),
        }
        assert_eq!(memory.at_stake(), 0, "way {way}");
    }
}
