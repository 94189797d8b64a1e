//! What every network goes through when it is opened: the file's checksum, and names for its
//! errors.

use crate::error::{Error, Result};
use sha2::{Digest, Sha256};
use std::path::Path;

/// Reads the file and compares its checksum with the one in `model.toml`.
pub(super) fn read_network(path: &Path, sha256: &str) -> Result<Vec<u8>> {
    let network = std::fs::read(path).map_err(|e| {
        Error::unavailable(format!("the network {} cannot be read", path.display())).because(e)
    })?;
    let sum = hex::encode(Sha256::digest(&network));
    if sum != sha256 {
        return Err(Error::invalid(format!(
            "{} is not the file that model.toml describes (SHA-256 {sum}, expected {sha256}): \
            install the model again; if you put this network there yourself, write its sum into \
            model.toml",
            path.display()
        )));
    }
    Ok(network)
}

/// Prefixes the error's message with the file it concerns.
pub(super) fn at(file: &Path, error: Error) -> Error {
    error.at(&file.display().to_string())
}

/// The names of a network's inputs or outputs, for an error message.
pub(super) fn names(outlets: &[ort::value::Outlet]) -> String {
    outlets.iter().map(|o| format!("{:?}", o.name())).collect::<Vec<_>>().join(", ")
}
