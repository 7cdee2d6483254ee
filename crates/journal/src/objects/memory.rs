//! Objects in memory: the same promises as the real store, for tests and simulations.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;

use super::{ObjectError, ObjectName, checked, too_large};

/// Objects in memory. Clones share one store.
#[derive(Clone, Debug, Default)]
pub struct MemoryObjects {
    objects: Arc<Mutex<HashMap<ObjectName, Bytes>>>,
}

impl MemoryObjects {
    /// An empty store.
    #[must_use]
    pub fn new() -> MemoryObjects {
        MemoryObjects::default()
    }

    // A panic elsewhere cannot leave the map half-changed: every change is one call.
    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectName, Bytes>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn put(&self, name: &ObjectName, bytes: Bytes) {
        self.lock().entry(name.clone()).or_insert(bytes);
    }

    pub(super) fn get(&self, name: &ObjectName, bytes_max: usize) -> Result<Bytes, ObjectError> {
        let found = self.lock().get(name).cloned();
        let bytes = found.ok_or_else(|| ObjectError::Missing { name: name.clone() })?;
        if bytes.len() > bytes_max {
            return Err(too_large(name, bytes.len(), bytes_max));
        }
        checked(name, bytes)
    }

    pub(super) fn delete(&self, name: &ObjectName) {
        self.lock().remove(name);
    }
}
