//! A subject's key as it is stored, in PostgreSQL or beside the log: wrapped by a master key.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::Deserialize;

use super::{MasterKeys, VaultError, cipher::SubjectKey};

/// A wrapped key.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Wrapped {
    /// The id of the master key.
    pub(super) master_key: String,
    pub(super) bytes: Vec<u8>,
}

/// A wrapped key as JSON, with whose it is.
#[derive(Deserialize)]
struct Written {
    subject: String,
    master_key: String,
    wrapped: String,
}

impl Wrapped {
    /// A new key, wrapped by the active master key.
    pub(super) fn generate(master: &MasterKeys, subject: &str) -> Result<Self, VaultError> {
        let MasterKeys { active, keys } = master;
        let key = keys.get(active).ok_or_else(|| VaultError::MasterKeyMissing(active.clone()))?;
        let bytes = SubjectKey::generate().wrap(key, subject)?;
        Ok(Self { master_key: active.clone(), bytes })
    }

    /// The key in it.
    pub(super) fn open(
        &self,
        master: &MasterKeys,
        subject: &str,
    ) -> Result<SubjectKey, VaultError> {
        let key = master.keys.get(&self.master_key);
        let key = key.ok_or_else(|| VaultError::MasterKeyMissing(self.master_key.clone()))?;
        SubjectKey::unwrap(key, subject, &self.bytes)
    }

    /// As it waits beside the log.
    pub(super) fn write(&self, subject: &str) -> Bytes {
        let wrapped = BASE64_STANDARD.encode(&self.bytes);
        let json = serde_json::json!({
            "subject": subject,
            "master_key": self.master_key,
            "wrapped": wrapped,
        });
        json.to_string().into()
    }

    /// The key that was written, and whose it is.
    pub(super) fn read(written: &[u8]) -> Result<(String, Self), VaultError> {
        let Written { subject, master_key, wrapped } =
            serde_json::from_slice(written).map_err(|_| VaultError::Tampered)?;
        let bytes = BASE64_STANDARD.decode(wrapped).map_err(|_| VaultError::Tampered)?;
        Ok((subject, Self { master_key, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written_and_opens_for_its_subject_alone() {
        let master = MasterKeys::new("a".to_owned(), [("a".to_owned(), [1; 32])].into()).unwrap();
        let key = Wrapped::generate(&master, "appeal:1").unwrap();
        let (subject, read) = Wrapped::read(&key.write("appeal:1")).unwrap();
        assert!(subject == "appeal:1" && read == key);
        assert!(read.open(&master, "appeal:1").is_ok());
        assert!(matches!(read.open(&master, "appeal:2"), Err(VaultError::Tampered)));
        for foreign in [&b""[..], b"{}", br#"{"subject":"s","master_key":"a","wrapped":"?"}"#] {
            assert!(matches!(Wrapped::read(foreign), Err(VaultError::Tampered)));
        }
    }
}
