//! `[screen]` of `model.toml`: a cheap network that runs first, on everything. The full network
//! runs where it finds something.

use super::{Input, Levels, Manifest, RawInput, check_file, refuse};
use crate::error::Result;
use serde::Deserialize;

/// The screening network. Head, classes, layout and normalisation are those of the full network.
#[derive(Clone, PartialEq, Debug)]
pub struct Screener {
    /// File name, beside `model.toml`.
    pub file: String,
    /// SHA-256 of that file, 64 lower-case hex digits.
    pub sha256: String,
    pub input: Input,
    /// At or above either of these scores, 0..=1, the full network runs on the view as well.
    pub levels: Levels,
    /// Share of the remaining views on which the full network runs all the same, 0..=1, to measure
    /// what is missed.
    pub audit: f32,
    /// Share of the views without smoke on which it calls the full network, 0..=1, as measured in
    /// the model's evaluation. The cost of a look is estimated from it. Absent in `model.toml`: 1.
    pub calls: f32,
}

/// As written. Absent sizes are those of `[input]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScreener {
    file: String,
    sha256: String,
    smoke: f32,
    fire: f32,
    audit: f32,
    #[serde(default = "all")]
    calls: f32,
    width: Option<u32>,
    height: Option<u32>,
    rect_stride: Option<u32>,
}

fn all() -> f32 {
    1.0
}

impl RawScreener {
    pub(super) fn check(self, of_full: &RawInput) -> Result<Screener> {
        let Self { file, sha256, smoke, fire, audit, calls, width, height, rect_stride } = self;
        check_file(&file, &sha256)?;
        if ![smoke, fire].iter().all(|level| 0.0 < *level && *level <= 1.0) {
            return refuse("[screen]: 0 < score <= 1 must hold for smoke and for fire");
        }
        if ![audit, calls].iter().all(|share| (0.0..=1.0).contains(share)) {
            return refuse(
                "[screen] audit and calls are shares and must lie in 0..=1, for example \
                0.02",
            );
        }
        let input = RawInput {
            width: width.unwrap_or(of_full.width),
            height: height.unwrap_or(of_full.height),
            rect_stride: rect_stride.or(of_full.rect_stride),
            ..of_full.clone()
        };
        Ok(Screener {
            file,
            sha256,
            input: input.check()?,
            levels: Levels { smoke, fire },
            audit,
            calls,
        })
    }
}

impl Manifest {
    /// The manifest of the screening network as a model of its own.
    pub fn of_screener(&self) -> Option<Self> {
        let Screener { file, sha256, input, .. } = self.screener.clone()?;
        Some(Self { file, sha256, input, screener: None, verifier: None, ..self.clone() })
    }
}
