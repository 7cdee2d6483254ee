//! How much of what there is for all one caller may hold at once, so that nobody keeps everybody else out.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::identity::Caller;

/// What each caller holds now. Whoever holds nothing is not remembered.
#[derive(Debug)]
pub(crate) struct Shares {
    most: usize,
    bytes_max: usize,
    held: Mutex<HashMap<String, Held>>,
}

/// What one caller holds.
#[derive(Debug, Default)]
struct Held {
    things: usize,
    bytes: usize,
}

/// One of the things that a caller holds, until it is dropped.
pub(crate) struct Share {
    shares: Arc<Shares>,
    caller: Arc<Caller>,
    bytes: AtomicUsize,
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share").finish_non_exhaustive()
    }
}

impl Shares {
    /// Each caller may hold so many, and so many bytes in them.
    pub(crate) fn new(most: usize, bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { most, bytes_max, held: Mutex::default() })
    }

    /// The most that one caller may hold.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// One more for the caller; none when it holds all that it may.
    pub(crate) fn take(self: &Arc<Self>, caller: &Arc<Caller>) -> Option<Share> {
        let mut held = self.held();
        let known = held.get_mut(&caller.subject);
        if known.as_ref().map_or(0, |own| own.things) >= self.most {
            return None;
        }
        match known {
            Some(own) => own.things += 1,
            None => {
                held.insert(caller.subject.clone(), Held { things: 1, bytes: 0 });
            }
        }
        let (shares, caller) = (Arc::clone(self), Arc::clone(caller));
        Some(Share { shares, caller, bytes: AtomicUsize::new(0) })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Whose it is.
    pub(crate) fn subject(&self) -> &str {
        &self.caller.subject
    }

    /// Holds so many more bytes, and says whether the caller may.
    pub(crate) fn hold(&self, bytes: usize) -> bool {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let mut held = self.shares.held();
        let own = held.entry(self.caller.subject.clone()).or_default();
        own.bytes = own.bytes.saturating_add(bytes);
        own.bytes <= self.shares.bytes_max
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        if let Some(own) = held.get_mut(&self.caller.subject) {
            own.things = own.things.saturating_sub(1);
            own.bytes = own.bytes.saturating_sub(self.bytes.load(Ordering::Relaxed));
            if own.things == 0 {
                held.remove(&self.caller.subject);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(subject: &str) -> Arc<Caller> {
        Arc::new(Caller { subject: subject.to_owned(), ..Caller::for_tests() })
    }

    #[test]
    fn a_caller_holds_its_share_and_others_have_theirs() {
        let shares = Shares::new(2, 10);
        let (one, other) = (caller("a"), caller("b"));
        let mut held = vec![shares.take(&one).unwrap(), shares.take(&caller("a")).unwrap()];
        assert!(shares.take(&one).is_none(), "its share is taken, whatever token it shows");
        let others = shares.take(&other).unwrap();
        held.pop();
        held.push(shares.take(&one).unwrap());
        assert!(shares.take(&one).is_none());
        assert!(held[0].hold(6) && held[1].hold(4) && !held[1].hold(1) && others.hold(10));
        drop(held.pop());
        assert!(held[0].hold(4), "what it gives back is its own again");
        drop((held, others));
        assert!(shares.held().is_empty(), "who holds nothing is forgotten");
        assert!(Shares::new(0, 10).take(&one).is_none());
    }
}
