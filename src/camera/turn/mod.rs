//! Whose turn it is: the slot of every camera, the schedule that picks one, and whether the pace is
//! kept.

mod gop;
mod main_slot;
pub(super) mod overload;
mod pace;
mod patrol;
pub(super) mod schedule;
pub(super) mod slots;
mod steadiness;
mod suspicion;
