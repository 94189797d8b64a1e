//! THE MODEL: from pictures to scored boxes. The only module that uses `ort`.
//!
//! ```text
//!  picture ─► letterbox ─► tensor ─► ONNX Runtime ─► head ─► scores, boxes ─► (triage::confirm)
//!  history ─► (what the same pose looked like minutes ago) ─┘
//! ```
//!
//! A model is a folder: `model.toml` describes the network, `model.onnx` is the network. The code
//! names no particular network, so any public smoke detector with a known head can be used.

mod detector;
mod device;
mod golden;
mod heads;
mod history;
mod manifest;
mod open;
mod runtime;
mod tensor;
mod try_out;
mod tube;
mod verifier;
mod worker;

pub use detector::Detector;
pub use device::Chosen;
pub use golden::{Goldens, Mismatch};
pub use history::{Part, Pasts};
pub use manifest::{Head, Input, Layout, Levels, Manifest, Screener, Verifier, YoloLayout};
pub use runtime::NO_TELEMETRY;
pub use tensor::Letterbox;
pub use verifier::VerifierSession;
pub use worker::{Look, Worker};
