//! `[screen]` of `model.toml`: a cheap network that looks first, at everything. The full network looks where it sees something.

use super::{Input, Levels, Manifest, RawInput, check_file, refuse};
use crate::error::Result;
use serde::Deserialize;

/// The screening network: head, classes, layout and normalisation are those of the full one.
#[derive(Clone, PartialEq, Debug)]
pub struct Screener {
    /// File name, beside `model.toml`.
    pub file: String,
    /// SHA-256 of that file, 64 lower-case hex digits.
    pub sha256: String,
    pub input: Input,
    /// From either of these scores on, 0..=1, the full network looks at the view, too.
    pub levels: Levels,
    /// Of the other views the full network looks at so large a share all the same, 0..=1, to measure what is missed.
    pub audit: f32,
    /// Share of views without smoke at which it calls the full network, 0..=1, as found when the model was evaluated: what a look
    /// costs follows from it. Left out in `model.toml`: all.
    pub calls: f32,
}

/// As written. Sizes that are left out are those of `[input]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RawScreener {
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
    pub fn check(self, of_full: &RawInput) -> Result<Screener> {
        let Self { file, sha256, smoke, fire, audit, calls, width, height, rect_stride } = self;
        check_file(&file, &sha256)?;
        if ![smoke, fire].iter().all(|level| 0.0 < *level && *level <= 1.0) {
            return refuse("[screen]: 0 < score <= 1 must hold for smoke and for fire");
        }
        if ![audit, calls].iter().all(|share| (0.0..=1.0).contains(share)) {
            return refuse("[screen] audit and calls are shares and must lie in 0..=1, for example 0.02");
        }
        let input = RawInput {
            width: width.unwrap_or(of_full.width),
            height: height.unwrap_or(of_full.height),
            rect_stride: rect_stride.or(of_full.rect_stride),
            ..of_full.clone()
        };
        Ok(Screener { file, sha256, input: input.check()?, levels: Levels { smoke, fire }, audit, calls })
    }
}

impl Manifest {
    /// What would describe the screening network if it stood alone.
    pub fn of_screener(&self) -> Option<Self> {
        let Screener { file, sha256, input, .. } = self.screener.clone()?;
        Some(Self { file, sha256, input, screener: None, verifier: None, ..self.clone() })
    }
}
