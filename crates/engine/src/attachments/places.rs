//! Places for contents in memory.
//!
//! Invariants: there are never more contents in memory than places; one caller never holds more than
//! its share, so nobody keeps everybody else out.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Which part of the places one caller may hold at once; one place at least.
const SHARE: usize = 4;

/// A place for one content in memory, held for as long as it is there.
#[derive(Debug)]
pub struct Place {
    _own: OwnedSemaphorePermit,
    _all: OwnedSemaphorePermit,
}

/// So many places, and the share of each caller that holds one or waits for it.
#[derive(Debug)]
pub(super) struct Places {
    all: Arc<Semaphore>,
    share: usize,
    callers: Mutex<HashMap<String, Weak<Semaphore>>>,
}

impl Places {
    pub(super) fn new(places: usize) -> Self {
        let share = (places / SHARE).max(1);
        Self { all: Arc::new(Semaphore::new(places)), share, callers: Mutex::default() }
    }

    /// Waits for a place of that caller's share, then for one of all. None only when the process ends.
    pub(super) async fn take(&self, caller: &str) -> Option<Place> {
        let own = self.share_of(caller).acquire_owned().await.ok()?;
        let all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Place { _own: own, _all: all })
    }

    /// What the caller holds or waits for keeps its share known; nobody else's is remembered.
    fn share_of(&self, caller: &str) -> Arc<Semaphore> {
        let mut callers = self.callers.lock().unwrap_or_else(PoisonError::into_inner);
        callers.retain(|_, share| share.strong_count() > 0);
        if let Some(known) = callers.get(caller).and_then(Weak::upgrade) {
            return known;
        }
        let share = Arc::new(Semaphore::new(self.share));
        callers.insert(caller.to_owned(), Arc::downgrade(&share));
        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the caller gets a place without waiting.
    async fn gets(places: &Places, caller: &str) -> Option<Place> {
        tokio::select! {
            biased;
            place = places.take(caller) => place,
            () = tokio::task::yield_now() => None,
        }
    }

    #[tokio::test]
    async fn one_caller_holds_a_quarter_of_the_places_and_waits_for_its_own() {
        let places = Places::new(8);
        let mut held = vec![places.take("a").await.unwrap(), places.take("a").await.unwrap()];
        assert!(gets(&places, "a").await.is_none(), "its share is taken");
        let other = gets(&places, "b").await;
        assert!(other.is_some(), "while others have theirs");
        held.pop();
        assert!(gets(&places, "a").await.is_some(), "what it gives back is its own again");
    }

    #[tokio::test]
    async fn all_callers_together_hold_no_more_than_there_are() {
        let places = Places::new(2);
        let mut held = Vec::new();
        for caller in ["a", "b"] {
            held.push(places.take(caller).await.unwrap());
        }
        assert!(gets(&places, "c").await.is_none());
        held.pop();
        assert!(gets(&places, "c").await.is_some());
        drop(held);
        assert!(gets(&places, "a").await.is_some());
        assert_eq!(places.callers.lock().unwrap().len(), 1, "who holds nothing is forgotten");
    }
}
