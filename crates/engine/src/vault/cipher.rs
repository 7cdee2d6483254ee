//! AES-256-GCM under a subject's key, and subject keys wrapped by a master key.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Generate, Key, Nonce, Payload},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use doudi_domain::Sealed;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::VaultError;

const ALGORITHM: &str = "aes-256-gcm";
const NONCE_BYTES: usize = 12;

/// What sealed bytes begin with: AES-256-GCM, then the nonce, then the ciphertext with its tag.
const BYTES_AES_256_GCM: u8 = 1;

/// The key of one data subject.
#[derive(Clone, Copy)]
pub(crate) struct SubjectKey([u8; 32]);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey")
    }
}

impl SubjectKey {
    pub(crate) fn generate() -> Self {
        Self(Key::<Aes256Gcm>::generate().into())
    }

    /// The nonce is a keyed hash of everything that makes this text or these bytes: equal only for equal input.
    pub(crate) fn seal(
        &self,
        subject: &str,
        label: &str,
        command_id: Uuid,
        text: &str,
    ) -> Result<Sealed, VaultError> {
        let nonce = self.nonce(label, command_id, text.as_bytes())?;
        let ciphertext = encrypt(&self.0, nonce, text.as_bytes(), subject)?;
        Ok(Sealed {
            subject: subject.to_owned(),
            algorithm: ALGORITHM.to_owned(),
            nonce: BASE64_STANDARD.encode(nonce),
            ciphertext: BASE64_STANDARD.encode(ciphertext),
        })
    }

    pub(crate) fn open(&self, sealed: &Sealed) -> Result<String, VaultError> {
        let decode = |text| BASE64_STANDARD.decode(text).map_err(|_| VaultError::Tampered);
        let nonce: [u8; NONCE_BYTES] =
            decode(&sealed.nonce)?.try_into().map_err(|_| VaultError::Tampered)?;
        let ciphertext = decode(&sealed.ciphertext)?;
        if sealed.algorithm != ALGORITHM {
            return Err(VaultError::Tampered);
        }
        let text = decrypt(&self.0, nonce, &ciphertext, &sealed.subject)?;
        String::from_utf8(text).map_err(|_| VaultError::Tampered)
    }

    /// Seals bytes of any kind; with their nonce and algorithm in front they are complete.
    pub(crate) fn seal_bytes(
        &self,
        subject: &str,
        label: &str,
        command_id: Uuid,
        bytes: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let nonce = self.nonce(label, command_id, bytes)?;
        let ciphertext = encrypt(&self.0, nonce, bytes, subject)?;
        Ok([[BYTES_AES_256_GCM].as_slice(), &nonce, &ciphertext].concat())
    }

    pub(crate) fn open_bytes(&self, subject: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let Some((&BYTES_AES_256_GCM, rest)) = sealed.split_first() else {
            return Err(VaultError::Tampered);
        };
        let (nonce, ciphertext) = rest.split_first_chunk().ok_or(VaultError::Tampered)?;
        decrypt(&self.0, *nonce, ciphertext, subject)
    }

    /// Wraps the key for storage: nonce, then ciphertext with its tag.
    pub(crate) fn wrap(&self, master: &[u8; 32], subject: &str) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_BYTES] = Nonce::<Aes256Gcm>::generate().into();
        Ok([nonce.as_slice(), &encrypt(master, nonce, &self.0, subject)?].concat())
    }

    pub(crate) fn unwrap(
        master: &[u8; 32],
        subject: &str,
        wrapped: &[u8],
    ) -> Result<Self, VaultError> {
        let (nonce, ciphertext) =
            wrapped.split_first_chunk::<NONCE_BYTES>().ok_or(VaultError::Tampered)?;
        let key = decrypt(master, *nonce, ciphertext, subject)?;
        key.try_into().map(Self).map_err(|_| VaultError::Tampered)
    }

    fn nonce(
        &self,
        label: &str,
        command_id: Uuid,
        content: &[u8],
    ) -> Result<[u8; NONCE_BYTES], VaultError> {
        let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(&self.0)
            .map_err(|_| VaultError::Tampered)?;
        mac.update(b"doudi nonce\0");
        mac.update(label.as_bytes());
        mac.update(b"\0");
        mac.update(command_id.as_bytes());
        mac.update(content);
        let tag = mac.finalize().into_bytes();
        let (nonce, _) = tag.split_first_chunk().ok_or(VaultError::Tampered)?;
        Ok(*nonce)
    }
}

/// A key that says nothing about `key`, one for each purpose.
pub(crate) fn derive(key: &[u8; 32], purpose: &str) -> [u8; 32] {
    let keyed = Sha256::new().chain_update(b"doudi key\0").chain_update(key);
    keyed.chain_update(purpose.as_bytes()).finalize().into()
}

fn encrypt(
    key: &[u8; 32],
    nonce: [u8; NONCE_BYTES],
    content: &[u8],
    subject: &str,
) -> Result<Vec<u8>, VaultError> {
    let payload = Payload { msg: content, aad: subject.as_bytes() };
    Aes256Gcm::new(&(*key).into())
        .encrypt(&Nonce::<Aes256Gcm>::from(nonce), payload)
        .map_err(|_| VaultError::Tampered)
}

fn decrypt(
    key: &[u8; 32],
    nonce: [u8; NONCE_BYTES],
    ciphertext: &[u8],
    subject: &str,
) -> Result<Vec<u8>, VaultError> {
    let payload = Payload { msg: ciphertext, aad: subject.as_bytes() };
    Aes256Gcm::new(&(*key).into())
        .decrypt(&Nonce::<Aes256Gcm>::from(nonce), payload)
        .map_err(|_| VaultError::Tampered)
}
