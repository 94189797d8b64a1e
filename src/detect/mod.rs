//! THE MODEL: pictures in, scored boxes out. The only home of `ort`.
//!
//! ```text
//!  picture ─► letterbox ─► tensor ─► ONNX Runtime ─► head ─► scores, boxes ─► (triage::confirm)
//!  history ─► (what the same pose looked like minutes ago) ─┘
//! ```
//!
//! A model is a folder: `model.toml` says what the program must know, `model.onnx` is what it runs. Nothing about a
//! particular network is written down here, so any public smoke detector with a known head can be dropped in.

mod detector;
mod device;
mod golden;
mod heads;
mod history;
mod manifest;
mod open;
mod runtime;
mod tensor;
mod tube;
mod verifier;

pub use detector::{Detector, Look, Worker};
pub use device::Chosen;
pub use golden::{Goldens, Mismatch};
pub use history::{History, Part};
pub use manifest::{Head, Input, Layout, Levels, Manifest, Screener, Verifier, YoloLayout};
pub use runtime::NO_TELEMETRY;
pub use tensor::Letterbox;
pub use verifier::VerifierSession;
