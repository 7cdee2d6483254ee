//! Panics of a doudi in this process, also those that somebody catches and those that end a task nobody waits for.
//! They are told from those of other tests by the runtime that they happen on.

use std::{
    panic,
    sync::{Mutex, MutexGuard, Once, PoisonError},
};

use tokio::runtime::{Handle, Id};

/// What panicked on which runtime of this process.
static SEEN: Mutex<Vec<(Id, String)>> = Mutex::new(Vec::new());

fn seen() -> MutexGuard<'static, Vec<(Id, String)>> {
    SEEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What panics on the runtime of one test, its blocking threads included.
#[derive(Debug)]
pub(super) struct Panics {
    runtime: Id,
    /// How many were seen before; a runtime that is gone may have had the same id.
    before: usize,
}

impl Panics {
    /// From now on, on the runtime of who calls this.
    pub(super) fn watched() -> Self {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let others = panic::take_hook();
            panic::set_hook(Box::new(move |found| {
                if let Ok(runtime) = Handle::try_current() {
                    let found = found.to_string();
                    seen().push((runtime.id(), found));
                }
                others(found);
            }));
        });
        Self { runtime: Handle::current().id(), before: seen().len() }
    }

    fn found(&self) -> Vec<String> {
        let seen = seen();
        let ours = seen.iter().skip(self.before).filter(|(runtime, _)| *runtime == self.runtime);
        ours.map(|(_, found)| found.clone()).collect()
    }

    /// That nothing did.
    #[track_caller]
    pub(super) fn none(&self) {
        let found = self.found();
        assert!(found.is_empty(), "{} panics:\n{}", found.len(), found.join("\n"));
    }
}

fn bug() {
    panic!("a bug");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_seen_wherever_it_ends_and_that_of_others_is_not() {
    let panics = Panics::watched();
    assert!(std::thread::spawn(bug).join().is_err());
    panics.none();
    assert!(panic::catch_unwind(bug).is_err());
    assert!(tokio::spawn(async { bug() }).await.is_err());
    assert!(tokio::task::spawn_blocking(bug).await.is_err());
    let found = panics.found();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found.iter().all(|found| found.contains("a bug")), "{found:?}");
    // Who looks later sees what comes later.
    Panics::watched().none();
}
