//! The keys of the development mode: one signs tokens, one codes, one wraps the vault's keys. Made on the first
//! start, kept in the data folder, readable by their owner only.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ed25519_dalek::{SigningKey, pkcs8::EncodePrivateKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;
use serde_json::Value;

/// The key id by which every other role knows and refuses a development key.
pub const DEV_KEY_ID: &str = "doudi-dev";

/// The id of the vault's master key in development mode.
pub const MASTER_KEY_ID: &str = "dev";

/// The keys of one data folder.
#[derive(Debug, Clone)]
pub struct DevKey {
    id: String,
    signing: SigningKey,
    /// The public half, as a JWK set.
    pub public_file: PathBuf,
    /// The master key of the vault, base64.
    pub master_file: PathBuf,
    /// The key of codes with its private half, as a JWK set.
    pub codes_file: PathBuf,
}

/// Why a key cannot be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum DevKeyError {
    /// A file cannot be read or written.
    #[error("the key file {} cannot be read or written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file does not hold a key.
    #[error("the file {} holds no key of 32 bytes in base64", .0.display())]
    Shape(PathBuf),
    /// The operating system gives no random bytes.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// The key cannot be put in the form that signing needs.
    #[error("the key cannot be encoded")]
    Encode(#[source] ed25519_dalek::pkcs8::Error),
    /// A token cannot be signed.
    #[error("a token cannot be signed")]
    Sign(#[from] jsonwebtoken::errors::Error),
}

impl DevKey {
    /// Reads the keys in `folder`, making those that are missing. Tokens will carry the key id `id`.
    ///
    /// # Errors
    /// See [`DevKeyError`].
    pub fn read_or_make(folder: &Path, id: &str) -> Result<Self, DevKeyError> {
        let signing = SigningKey::from_bytes(&secret(&folder.join("token-key"))?);
        let master_file = folder.join("master-key");
        secret(&master_file)?;
        let public_file = folder.join("token-keys.json");
        keep(&public_file, &jwk(id, &signing))?;
        let codes_file = folder.join("code-keys.json");
        let codes = SigningKey::from_bytes(&secret(&folder.join("code-key"))?);
        keep(&codes_file, &whole(id, &codes))?;
        Ok(Self { id: id.to_owned(), signing, public_file, master_file, codes_file })
    }

    /// Reads the keys of a data folder that development mode has made.
    ///
    /// # Errors
    /// [`DevKeyError::File`] when there are none.
    pub fn read(folder: &Path) -> Result<Self, DevKeyError> {
        let path = folder.join("token-key");
        match fs::metadata(&path) {
            Ok(_) => Self::read_or_make(folder, DEV_KEY_ID),
            Err(source) => Err(DevKeyError::File { path, source }),
        }
    }

    /// Signs claims as a token.
    ///
    /// # Errors
    /// See [`DevKeyError`].
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, DevKeyError> {
        let der = self.signing.to_pkcs8_der().map_err(DevKeyError::Encode)?;
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::EdDSA) };
        let key = EncodingKey::from_ed_der(der.as_bytes());
        Ok(jsonwebtoken::encode(&header, claims, &key)?)
    }
}

/// The public half of a key as a JWK (RFC 8037).
fn jwk(id: &str, key: &SigningKey) -> Value {
    let public = BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    serde_json::json!({
        "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id, "x": public,
    })
}

/// Writes a set of one key, for its owner only.
fn keep(path: &Path, key: &Value) -> Result<(), DevKeyError> {
    let file = |source| DevKeyError::File { path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    let mut open =
        options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(file)?;
    let set = serde_json::json!({ "keys": [key] });
    open.write_all(set.to_string().as_bytes()).map_err(file)
}

/// A new key for codes with its private half, as a JWK set: what `codes.keys_file` holds.
///
/// # Errors
/// [`DevKeyError::Random`].
pub fn code_keys(id: &str) -> Result<String, DevKeyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(DevKeyError::Random)?;
    Ok(serde_json::json!({ "keys": [whole(id, &SigningKey::from_bytes(&bytes))] }).to_string())
}

/// Both halves of a key as a JWK.
fn whole(id: &str, key: &SigningKey) -> Value {
    let mut jwk = jwk(id, key);
    jwk["d"] = BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes()).into();
    jwk
}

/// Reads 32 secret bytes in base64, or makes them.
fn secret(path: &Path) -> Result<[u8; 32], DevKeyError> {
    let file = |source| DevKeyError::File { path: path.to_owned(), source };
    match fs::read_to_string(path) {
        Ok(text) => {
            let bytes = BASE64_STANDARD.decode(text.trim()).ok();
            bytes
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or_else(|| DevKeyError::Shape(path.to_owned()))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes).map_err(DevKeyError::Random)?;
            let mut options = OpenOptions::new();
            let mut open =
                options.write(true).create_new(true).mode(0o600).open(path).map_err(file)?;
            open.write_all(BASE64_STANDARD.encode(bytes).as_bytes()).map_err(file)?;
            Ok(bytes)
        }
        Err(error) => Err(file(error)),
    }
}
