//! PURE: fire, places, people's steps and deadlines. Takes `now` and inputs, returns events. No
//! clock, no file, no socket, no database, no async, and no other module of ours.

pub mod associate;
pub mod category;
pub mod cluster;
pub mod confirm;
pub mod datum;
pub mod deadline;
pub mod detection;
pub mod dispatch;
pub mod event;
pub mod false_alarm;
pub mod geo;
pub mod hotspot;
pub mod id;
pub mod incident;
pub mod locate;
pub mod memory;
pub mod opinion;
pub mod overlap;
pub mod point;
pub mod policy;
pub mod profile;
pub mod proof;
pub mod rate;
pub mod ray;
pub mod retention;
pub mod score;
pub mod sending;
pub mod sighting;
pub mod spread;
pub mod strip;
pub mod support;
pub mod terrain;
pub mod whatif;

#[cfg(test)]
#[path = "../../tests/it/triage_kit.rs"]
pub(crate) mod kit;
