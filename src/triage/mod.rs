//! PURE: fire, places, people's steps and deadlines. Takes `now` and inputs, returns events. No clock, no file, no socket,
//! no database, no async, nothing of ours outside this folder.

pub mod confirm;
pub mod detection;
pub mod dispatch;
pub mod event;
pub mod fuse;
pub mod geo;
pub mod hotspot;
pub mod id;
pub mod incident;
pub mod locate;
pub mod overlap;
pub mod point;
pub mod policy;
pub mod score;
pub mod sighting;
pub mod whatif;

#[cfg(test)]
#[path = "../../tests/it/triage_kit.rs"]
mod kit;
