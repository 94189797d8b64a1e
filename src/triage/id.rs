//! Identifiers. UUIDv7 where machines make them (sortable, made at the edge and passed in); short names where people do.

use serde::{Deserialize, Serialize};
use std::fmt;
use utoipa::ToSchema;
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
    /// One picture kept as evidence.
    PictureId,
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
