//! Personal data as it stands in an event: encrypted, and unreadable for ever once its key is destroyed.

use serde::{Deserialize, Serialize};

/// A text about people (姓名、电话 and the like), encrypted under the key of one data subject.
///
/// The domain carries it and never opens it. The nonce is derived from key, command and text, so
/// that a repeated command seals to the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    /// Whose key seals it: `<kind>:<id>`.
    pub subject: String,
    /// The algorithm, `aes-256-gcm`.
    pub algorithm: String,
    /// The nonce, base64.
    pub nonce: String,
    /// The ciphertext with its tag, base64.
    pub ciphertext: String,
}
