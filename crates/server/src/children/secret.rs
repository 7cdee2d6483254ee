//! The random secrets of the children: made on the first start, kept in the data folder.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::ChildError;

/// Reads the secret in `path`, or makes one of 192 random bits (48 hexadecimal digits) there, readable by its owner
/// only.
pub(crate) fn read_or_make(path: &Path) -> Result<String, ChildError> {
    if let Ok(secret) = fs::read_to_string(path)
        && !secret.trim().is_empty()
    {
        return Ok(secret.trim().to_owned());
    }
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).map_err(ChildError::Random)?;
    let mut secret = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(secret, "{byte:02x}");
    }
    write_private(path, &secret)?;
    Ok(secret)
}

/// Writes a file that only its owner may read, in place of what was there.
pub(crate) fn write_private(path: &Path, text: &str) -> Result<(), ChildError> {
    let failed = |source| ChildError::Folder { doing: "write", path: path.to_owned(), source };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}
