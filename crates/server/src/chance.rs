//! Chance, in the one place that takes it from the operating system.

use doudi_api::Chance;

/// Random bytes of the operating system.
#[must_use]
pub fn system() -> Chance {
    Chance::new(|| {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(bytes)
    })
}
