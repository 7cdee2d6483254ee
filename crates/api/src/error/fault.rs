//! Faults: logged once with their whole chain of causes, answered with an id that finds the line.

use std::{
    error::Error,
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};

use super::{Reason, Refusal};

pub(crate) type Source = Box<dyn Error + Send + Sync>;

/// Counts the faults of this process, so that each has an id of its own.
static COUNT: AtomicU64 = AtomicU64::new(1);

/// Logs a fault and gives the answer that names it.
pub(crate) fn report(error: &(dyn Error + 'static)) -> Refusal {
    let chain = chain(error);
    let fault_id = id(&chain);
    tracing::error!(%fault_id, error = %chain, "a request failed through a fault");
    Refusal::new(Reason::Fault).with("fault_id", fault_id)
}

/// The same kind of fault begins with the same eight digits, so that repetitions show.
fn id(chain: &str) -> String {
    let hash = Sha256::digest(chain.as_bytes());
    let kind = u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]]);
    format!("{kind:08x}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn the_chain_is_whole_and_each_fault_has_its_own_id_of_the_same_kind() {
        let error = Outer(std::io::Error::other("inner"));
        assert_eq!(chain(&error), "outer: inner");
        let (one, two) = (id("outer: inner"), id("outer: inner"));
        assert_ne!(one, two);
        assert_eq!(one.split('-').next(), two.split('-').next());
    }
}
