//! `doudi destroy-keys`: destroys every key whose destruction the log orders, once more.
//!
//! An older copy of the vault brings back keys that were destroyed since, and the agenda holds only
//! what is still to be done. So this goes through the whole log, however often it is run.

use doudi_domain::{Decider, appeal, codec};
use doudi_engine::Vault;
use doudi_journal::{Journal, Position, Record};

use crate::commands::Failure;

/// Records read at a time.
const PAGE: usize = 1000;

/// What was found in the log.
#[derive(Debug, Default)]
pub struct Erasures {
    /// How many keys were destroyed, those included that were destroyed already.
    pub destroyed: u64,
    /// The records that cannot be read, which may order the destruction of further keys.
    pub unreadable: Vec<String>,
}

/// Goes through the log up to its end.
///
/// # Errors
/// When the log or the vault cannot be reached; what was destroyed until then stays destroyed.
pub async fn destroy_keys(journal: &Journal, vault: &Vault) -> Result<Erasures, Failure> {
    let mut found = Erasures::default();
    let mut position = Position::default();
    loop {
        let page = journal.read(position, PAGE).await?;
        let Some(last) = page.last() else { return Ok(found) };
        position = last.position;
        let mut subjects = Vec::new();
        for record in page.iter().filter(|record| record.stream.kind() == appeal::Appeal::KIND) {
            match ordered(record) {
                Ok(ordered) => subjects.extend(ordered),
                Err(error) => {
                    found
                        .unreadable
                        .push(format!("{} at {}: {error}", record.stream, record.position));
                }
            }
        }
        // The vault wants each named once.
        subjects.sort_unstable();
        subjects.dedup();
        let subjects: Vec<&str> = subjects.iter().map(String::as_str).collect();
        vault.destroy(&subjects).await?;
        found.destroyed += subjects.len() as u64;
    }
}

/// The subjects whose keys a record orders to be destroyed.
fn ordered(record: &Record) -> Result<Vec<String>, Failure> {
    let mut subjects = Vec::new();
    for stored in record.commit()?.events {
        let event = codec::decode(&stored.name, stored.version, &stored.data)?;
        if let appeal::Event::PersonalDataErased { subject } = event {
            subjects.push(subject);
        }
    }
    Ok(subjects)
}
