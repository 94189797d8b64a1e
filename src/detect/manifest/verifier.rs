//! `[verifier]` of `model.toml`: a small network that gives a second opinion on a confirmed place,
//! from crops of present and earlier pictures.

use super::{Input, check_file, refuse};
use crate::error::Result;
use jiff::SignedDuration;
use serde::Deserialize;

/// Sides of a crop, pixels; a small network does not take larger ones.
const SIDES: std::ops::RangeInclusive<u32> = 16..=512;
/// Maximum of `far`; beyond it a crop would show more than the whole picture.
const TIMES_MAX: f32 = 20.0;
/// Younger pictures show the same smoke; `Pasts` returns none of them.
const AGE_MIN_S: u32 = 20;
const AGES_MAX: usize = 8;

/// The verifying network. Input: `[1, 2, 1 + ages, 3, side, side]`: near and far; now, then each
/// age; red, green, blue, normalised as in `[input]`. Output: `[1]`, the probability of smoke.
#[derive(Clone, PartialEq, Debug)]
pub struct Verifier {
    /// File name, beside `model.toml`.
    pub file: String,
    /// SHA-256 of that file, 64 lower-case hex digits.
    pub sha256: String,
    /// Recorded with every opinion.
    pub version: String,
    pub input: String,
    pub output: String,
    /// Width and height of a crop in the network's input, pixels; even.
    pub side: u32,
    /// Side of the near and of the far crop, divided by the longer side of the box.
    pub near: f32,
    pub far: f32,
    /// Ages of the earlier pictures, ascending.
    pub ages: Vec<SignedDuration>,
    /// At or above this probability it agrees, 0..=1.
    pub threshold: f32,
    /// For red, green, blue: `(pixel / 255 - mean) / std`.
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl Verifier {
    /// Shape of its input.
    pub fn shape(&self) -> [usize; 6] {
        let side = self.side as usize;
        [1, 2, 1 + self.ages.len(), 3, side, side]
    }
}

/// As written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawVerifier {
    file: String,
    sha256: String,
    version: String,
    input: String,
    output: String,
    side: u32,
    near: f32,
    far: f32,
    ages_s: Vec<u32>,
    threshold: f32,
}

impl RawVerifier {
    /// `of_full`: the input of the detector, which determines how long pasts are kept.
    pub(super) fn check(self, of_full: &Input) -> Result<Verifier> {
        let Self { file, sha256, version, input, output, side, near, far, ages_s, threshold } =
            self;
        check_file(&file, &sha256)?;
        if version.trim().is_empty() {
            return refuse(
                "[verifier] version must not be empty: it is recorded with every opinion, for \
                example \"1\"",
            );
        }
        if !SIDES.contains(&side) || !side.is_multiple_of(2) {
            return refuse("[verifier] side must be even and lie in 16..=512 pixels");
        }
        if !(1.0 <= near && near < far && far <= TIMES_MAX) {
            return refuse(
                "[verifier]: 1 <= near < far <= 20 must hold: a crop's side over the longer side \
                of the box",
            );
        }
        let Some(past) = of_full.past else {
            return refuse(
                "[verifier] compares with earlier pictures, but for a model with [input] frames = \
                1 none are kept: remove [verifier]",
            );
        };
        let rises = ages_s.windows(2).all(|pair| pair[0] < pair[1]);
        let is_kept = |age_s: &u32| *age_s >= AGE_MIN_S && i64::from(*age_s) <= past.as_secs();
        if ages_s.is_empty() || ages_s.len() > AGES_MAX || !rises || !ages_s.iter().all(is_kept) {
            return refuse(
                "[verifier] ages_s must be 1 to 8 rising numbers of seconds, each from 20 to \
                past_s of [input], for example [60, 120, 180]",
            );
        }
        if !(0.0..=1.0).contains(&threshold) {
            return refuse(
                "[verifier] threshold is a probability and must lie in 0..=1, for \
                example 0.5",
            );
        }
        let ages =
            ages_s.into_iter().map(|age_s| SignedDuration::from_secs(i64::from(age_s))).collect();
        let Input { mean, std, .. } = *of_full;
        Ok(Verifier {
            file,
            sha256,
            version,
            input,
            output,
            side,
            near,
            far,
            ages,
            threshold,
            mean,
            std,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Manifest;
    use super::super::tests::HEATMAP;

    #[test]
    fn a_second_network_is_described_and_every_mistake_is_named() {
        assert_eq!(Manifest::parse(HEATMAP).expect("valid").verifier, None);
        let sum = "f".repeat(64);
        let verifier = format!(
            "[verifier]\nfile = \"verifier.onnx\"\nsha256 = \"{sum}\"\nversion = \"1\"\ninput = \
            \"tube\"\noutput = \"smoke\"\n\
             side = 64\nnear = 1.6\nfar = 4.8\nages_s = [60, 120, 180]\nthreshold = 0.5\n"
        );
        let parse = |verifier: &str| Manifest::parse(&format!("{HEATMAP}\n{verifier}"));
        let model = parse(&verifier).expect("valid");
        let described = model.verifier.expect("there is one");
        assert_eq!((described.shape(), described.mean), ([1, 2, 4, 3, 64, 64], model.input.mean));
        for (from, to, complaint) in [
            ("verifier.onnx", "../verifier.onnx", "same folder"),
            (sum.as_str(), "short", "sha256sum"),
            ("version = \"1\"", "version = \" \"", "[verifier] version"),
            ("side = 64", "side = 63", "[verifier] side"),
            ("side = 64", "side = 1024", "16..=512"),
            ("near = 1.6", "near = 0.5", "near < far"),
            ("far = 4.8", "far = nan", "near < far"),
            ("[60, 120, 180]", "[]", "ages_s"),
            ("[60, 120, 180]", "[120, 60]", "rising"),
            ("[60, 120, 180]", "[10, 60]", "from 20"),
            ("[60, 120, 180]", "[60, 240]", "to past_s"),
            ("threshold = 0.5", "threshold = 50", "0..=1"),
            ("threshold = 0.5", "treshold = 0.5", "treshold"),
        ] {
            let text = verifier.replacen(from, to, 1);
            assert_ne!(text, verifier, "{from}");
            let error = parse(&text).expect_err(to);
            assert!(error.message.contains(complaint), "{from} -> {to}: {}", error.message);
        }
        let one_frame = HEATMAP.replace("frames = 2\npast_s = [180]", "frames = 1");
        let error = Manifest::parse(&format!("{one_frame}\n{verifier}"))
            .expect_err("nothing to compare with");
        assert!(error.message.contains("frames = 1"), "{}", error.message);
    }
}
