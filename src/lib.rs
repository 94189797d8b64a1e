//! A county's cameras and satellites see something; within seconds the right ranger's phone knows;
//! within an hour the office knows what it was, and nothing was lost on the way.
//!
//! ```text
//!  camera ─► keyframe ─► frame ─► detection ─► sighting ─┐
//!  (GStreamer)         (decode pool) (ONNX)   (confirm)  ├─► incident ─► dispatch ─► ranger
//!  satellite file ──────► hotspot ───────────► sighting ─┤   (associate,  (131:       (phone: acknowledge,
//!  (GStreamer)           (parse)                         │    locate,      10/30/60)   arrive, report)
//!  person · other system's alarm ────────────► sighting ─┘    score)                         │
//!                                                               └──► office board ◄── verification ─► closure
//! ```

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
// The documentation is for those who change the code, so links to private items are useful.
#![allow(rustdoc::private_intra_doc_links)]

// The base: time, errors, languages and what else all use; addresses, settings, progress on the
// terminal.
pub mod address;
pub mod base;
pub mod config;
pub mod progress;
pub mod table;

pub use base::{clock, error, lang};

// The vocabulary that all use, and the pictures that are passed on.
pub mod frame;
pub mod register;
pub mod triage;

// The processing line, in its order.
pub mod camera;

pub mod detect;

pub mod satellite;

pub mod county;

pub mod store;

pub mod backup;

pub mod bus;

pub mod desk;

pub mod notify;

pub mod report;

pub mod drill;

pub mod engine;

pub mod edge;

pub mod web;

// The modules that may import all others.
pub mod app;
pub mod cli;

#[cfg(any(test, fuzzing))]
pub mod fuzz;
