//! Identifiers. Machines make UUIDv7 (sortable, made at the edge and passed in); people choose
//! short names.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::str::FromStr;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )+};
}

macro_rules! name_id {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);
        impl $name {
            pub fn as_str(&self) -> &str { &self.0 }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> Self { Self(text.to_owned()) }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.fmt(f) }
        }
    )+};
}

uuid_id! {
    /// One piece of located evidence.
    SightingId,
    /// What we believe is one fire.
    IncidentId,
    /// One ranger sent to one incident.
    DispatchId,
    /// One text to one person on one channel.
    MessageId,
    /// Made by the phone or page for each action, so that a repeat is recognised (Idempotency-Key).
    ActionId,
}

name_id! {
    /// Camera id in the office's register; for GB/T 28181 devices the 20-digit id.
    CameraId,
    /// Preset position of a camera; "default" for a fixed one.
    PoseId,
    /// Fire-prevention grid (网格) code.
    GridId,
    /// A person in the office's register.
    PersonId,
}

/// Begins every pose that is no registered preset. The register refuses such names.
const UNREGISTERED: char = '?';

impl PoseId {
    /// A view of a turning camera that nobody has named; `None`: night or fog hides which it is.
    /// No row of the register has this pose, so it gives no bearing and has no mask.
    pub fn unregistered(view: Option<u32>) -> Self {
        Self(view.map_or_else(|| UNREGISTERED.into(), |number| format!("{UNREGISTERED}{number}")))
    }

    pub fn is_unregistered(&self) -> bool {
        self.0.starts_with(UNREGISTERED)
    }

    /// Whether two pictures with this pose show one view.
    pub fn is_one_view(&self) -> bool {
        *self != Self::unregistered(None)
    }
}

/// A picture kept as evidence, `<UUID>-<sha256 of its bytes>`. So every reference to it, and its
/// file's name, fix what it shows. In logs before 0.2 it is only a UUID: what those pictures showed
/// is unknown.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PictureId {
    /// Two pictures with equal bytes are two pieces of evidence.
    uuid: Uuid,
    sha256: Option<[u8; 32]>,
}

/// Characters of a UUID as text.
const UUID_CHARS: usize = 36;

impl PictureId {
    pub fn of(uuid: Uuid, bytes: &[u8]) -> Self {
        Self { uuid, sha256: Some(Sha256::digest(bytes).into()) }
    }

    /// Whether the picture had these bytes; `None`: unknown.
    pub fn is_of(&self, bytes: &[u8]) -> Option<bool> {
        Some(self.sha256? == <[u8; 32]>::from(Sha256::digest(bytes)))
    }
}

impl fmt::Display for PictureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uuid.fmt(f)?;
        self.sha256.map_or(Ok(()), |sha256| write!(f, "-{}", hex::encode(sha256)))
    }
}

/// Not the id of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoPicture;

impl fmt::Display for NoPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not the id of a picture")
    }
}

impl std::error::Error for NoPicture {}

impl FromStr for PictureId {
    type Err = NoPicture;

    /// Accepts one spelling only: a file has one name.
    fn from_str(text: &str) -> Result<Self, NoPicture> {
        let (uuid, rest) = text.split_at_checked(UUID_CHARS).ok_or(NoPicture)?;
        let uuid = uuid.parse().map_err(|_| NoPicture)?;
        let sha256 = match rest.strip_prefix('-') {
            None => None,
            Some(hash) => {
                let mut sha256 = [0; 32];
                hex::decode_to_slice(hash, &mut sha256).map_err(|_| NoPicture)?;
                Some(sha256)
            }
        };
        Some(Self { uuid, sha256 }).filter(|it| it.to_string() == text).ok_or(NoPicture)
    }
}

impl PartialSchema for PictureId {
    fn schema() -> RefOr<Schema> {
        let words = "One picture kept as evidence: a UUID and the sha256 of its bytes; in logs \
            before 0.2 only the UUID.";
        let text = ObjectBuilder::new().schema_type(Type::String).description(Some(words));
        text.pattern(Some("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(-[0-9a-f]{64})?$")).into()
    }
}

impl ToSchema for PictureId {}

impl TryFrom<String> for PictureId {
    type Error = NoPicture;

    fn try_from(text: String) -> Result<Self, NoPicture> {
        text.parse()
    }
}

impl From<PictureId> for String {
    fn from(picture: PictureId) -> Self {
        picture.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_picture_says_what_it_shows() {
        let picture = PictureId::of(Uuid::from_u128(7), b"smoke");
        let text = picture.to_string();
        assert_eq!(text.len(), UUID_CHARS + 65);
        assert_eq!(text.parse(), Ok(picture));
        assert_eq!((picture.is_of(b"smoke"), picture.is_of(b"fog")), (Some(true), Some(false)));
        let old: PictureId = text[..UUID_CHARS].parse().expect("of an old log");
        assert_eq!((old.is_of(b"smoke"), old.to_string().len()), (None, UUID_CHARS));
        for bad in [
            "",
            "../../etc/passwd",
            &text[..50],
            &text.to_uppercase(),
            &format!("{text}0"),
            &format!("{old}_"),
        ] {
            assert_eq!(bad.parse::<PictureId>(), Err(NoPicture), "{bad}");
        }
    }
}
