//! Ids made from names. The same name gives the same id in every process and for ever, so that a
//! repeat is recognised.

use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

/// A UUID of version 8 (RFC 9562): the first 16 bytes of the name's SHA-256.
pub fn named(name: impl AsRef<[u8]>) -> Uuid {
    Builder::from_custom_bytes(first_bytes(name)).into_uuid()
}

/// The same with the bits of version 4. For ids that have had this form since the first release: a
/// repeat that arrives after an update must still have the same id.
pub fn named_v4(name: impl AsRef<[u8]>) -> Uuid {
    Builder::from_random_bytes(first_bytes(name)).into_uuid()
}

fn first_bytes(name: impl AsRef<[u8]>) -> [u8; 16] {
    let digest: [u8; 32] = Sha256::digest(name).into();
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `printf smoke | sha256sum`: another algorithm would double what is repeated
    /// after an update.
    #[test]
    fn a_name_keeps_its_id_from_version_to_version() {
        assert_eq!(named("smoke").to_string(), "04d588cb-41b8-822d-9233-924f0fe8280d");
        assert_eq!(named_v4("smoke").to_string(), "04d588cb-41b8-422d-9233-924f0fe8280d");
    }
}
