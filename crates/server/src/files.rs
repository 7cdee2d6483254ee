//! How many files this process may have open: one for each connection, as far as the system allows.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files beside the connections of clients: those to the servers, of the archive, and the program's own.
const OTHERS: u64 = 512;

/// Raises the limit so that so many connections can be open, and says so where it cannot.
pub(crate) fn allow(connections_max: usize) {
    let wanted = u64::try_from(connections_max).unwrap_or(u64::MAX).saturating_add(OTHERS);
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= wanted) {
        return;
    }
    let allowed = limit.maximum.map_or(wanted, |most| most.min(wanted));
    let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(allowed), ..limit });
    if raised.is_err() || allowed < wanted {
        tracing::warn!(wanted, allowed, "fewer files may be open than grpc.connections_max needs");
    }
}
