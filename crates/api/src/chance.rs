//! Where chance comes from.

use std::{error::Error, fmt, sync::Arc};

/// Why there are no random bytes.
pub type ChanceError = Box<dyn Error + Send + Sync>;

/// A source of random bytes that nobody can foretell. The binary gives the operating system's.
#[derive(Clone)]
pub struct Chance(Arc<dyn Fn() -> Result<[u8; 32], ChanceError> + Send + Sync>);

impl Chance {
    /// A source that asks `bytes` each time.
    pub fn new(bytes: impl Fn() -> Result<[u8; 32], ChanceError> + Send + Sync + 'static) -> Self {
        Self(Arc::new(bytes))
    }

    /// Fresh bytes.
    ///
    /// # Errors
    /// When the source gives none.
    pub fn bytes(&self) -> Result<[u8; 32], ChanceError> {
        (self.0)()
    }
}

impl fmt::Debug for Chance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chance")
    }
}
