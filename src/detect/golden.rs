//! `goldens.json`: the network's expected answers to pictures made from formulas, so that any
//! installation can be checked without data.

use super::heads::{Output, yolo};
use super::manifest::{Head, Input, Manifest};
use super::worker::Worker;
use crate::error::{Error, Result};
use crate::triage::detection::Class;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file as written by the model's export, or by `huoyan model check --write-goldens`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Goldens {
    /// Largest difference that still counts as equal.
    tolerance: f32,
    width: u32,
    height: u32,
    cases: Vec<Case>,
    /// The goldens of the screening network, where the model has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    screen: Option<Box<Self>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Case {
    /// Names the formula of the picture: see [`pixel`].
    name: String,
    /// Absent: the network does not have the class.
    #[serde(skip_serializing_if = "Option::is_none")]
    smoke: Option<Expected>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fire: Option<Expected>,
}

/// The answers for one class: over the cells of a heatmap, or the candidate boxes of a detector.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Expected {
    max: f32,
    mean: f32,
    /// Row and column of the strongest cell; compared only if `max` is above [`PLACE_FROM`]. Absent
    /// for detectors: their neighbouring candidates are too similar.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<[usize; 2]>,
}

/// Below this value rounding decides which cell is the strongest.
const PLACE_FROM: f32 = 0.05;

/// The pictures of `record`, and the tolerance between two machines: the last bits of sums of
/// 32-bit numbers.
const PICTURES: [&str; 4] = ["grey", "wave", "scene", "puff"];
const TOLERANCE: f32 = 1e-3;

/// A value that differs from that of the machine which made the model.
#[derive(Clone, PartialEq, Debug)]
pub struct Mismatch {
    /// For example "puff, smoke, max".
    pub what: String,
    pub expected: f32,
    pub found: f32,
}

impl Goldens {
    /// `None`: the model has no goldens.
    pub fn load(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join("goldens.json");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => {
                return Err(
                    Error::unavailable(format!("{} cannot be read", path.display())).because(e)
                );
            }
        };
        serde_json::from_str(&text).map(Some).map_err(|e| {
            Error::invalid(format!("{} cannot be parsed: install the model again", path.display()))
                .because(e)
        })
    }

    /// Records this machine's answers, for comparison on others.
    pub fn record(worker: &mut Worker) -> Result<Self> {
        let screen = worker.screener().map(Self::record).transpose()?.map(Box::new);
        let manifest = worker.manifest();
        let case = |name: &str| {
            let [smoke, fire] = answer(name, &manifest, worker)?;
            Ok(Case { name: name.to_owned(), smoke, fire })
        };
        let cases = PICTURES.into_iter().map(case).collect::<Result<_>>()?;
        let Input { width, height, .. } = manifest.input;
        Ok(Self { tolerance: TOLERANCE, width, height, cases, screen })
    }

    /// Writes the file. An existing file is kept, because a released model never changes.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let path = folder.join("goldens.json");
        let text = serde_json::to_string_pretty(self)
            .map_err(|e| Error::internal("goldens cannot be written as JSON").because(e))?;
        let unwritten = |e: std::io::Error| match e.kind() {
            std::io::ErrorKind::AlreadyExists => Error::invalid(format!(
                "{} exists and is not overwritten; put a changed model into a new folder",
                path.display()
            )),
            _ => Error::unavailable(format!("{} cannot be written", path.display())).because(e),
        };
        let mut file = std::fs::File::create_new(&path).map_err(unwritten)?;
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(unwritten)
    }

    pub fn len(&self) -> usize {
        self.cases.len() + self.screen.as_ref().map_or(0, |screen| screen.len())
    }

    pub fn is_empty(&self) -> bool {
        self.cases.is_empty()
    }

    /// Runs every case, also those of the screening network if it is in use. Empty when all agree.
    pub fn check(&self, worker: &mut Worker) -> Result<Vec<Mismatch>> {
        let mut found = Vec::new();
        if let Some(screener) = worker.screener() {
            let goldens = self.screen.as_deref().ok_or_else(|| {
                Error::invalid(
                    "goldens.json does not cover the network of [screen]: install the \
                    model again",
                )
            })?;
            let of_screen = |it: Mismatch| Mismatch { what: format!("screen, {}", it.what), ..it };
            found.extend(goldens.check(screener)?.into_iter().map(of_screen));
        }
        let manifest = worker.manifest();
        if (self.width, self.height) != (manifest.input.width, manifest.input.height) {
            return Err(Error::invalid(
                "goldens.json is for another input size than model.toml: install the model again",
            ));
        }
        for case in &self.cases {
            let measured = answer(&case.name, &manifest, worker)?;
            for ((class, expected), measured) in
                [("smoke", case.smoke), ("fire", case.fire)].into_iter().zip(measured)
            {
                let Some(expected) = expected else { continue };
                let measured = measured.ok_or_else(|| {
                    Error::invalid(format!(
                        "goldens.json expects {class}, but [classes] of model.toml has none"
                    ))
                })?;
                self.compare(&format!("{}, {class}", case.name), expected, measured, &mut found);
            }
        }
        Ok(found)
    }

    fn compare(
        &self,
        what: &str,
        expected: Expected,
        measured: Expected,
        found: &mut Vec<Mismatch>,
    ) {
        let mut number = |name: &str, expected: f32, measured: f32, tolerance: f32| {
            let difference = (expected - measured).abs();
            if difference > tolerance || difference.is_nan() {
                found.push(Mismatch { what: format!("{what}, {name}"), expected, found: measured });
            }
        };
        number("max", expected.max, measured.max, self.tolerance);
        number("mean", expected.mean, measured.mean, self.tolerance);
        if let (Some(expected_at), Some(at)) = (expected.at, measured.at)
            && expected.max > PLACE_FROM
        {
            number("row", expected_at[0] as f32, at[0] as f32, 0.0);
            number("column", expected_at[1] as f32, at[1] as f32, 0.0);
        }
    }
}

/// The network's answers to one picture, for smoke and for fire.
fn answer(name: &str, manifest: &Manifest, worker: &mut Worker) -> Result<[Option<Expected>; 2]> {
    let tensor = tensor(name, &manifest.input)?;
    let classes = [Class::Smoke, Class::Fire];
    match &manifest.head {
        Head::Heatmap { heatmap, .. } => worker.run(&tensor, heatmap, |heat: Output| {
            let columns = heat.shape.last().map_or(1, |&c| usize::try_from(c).unwrap_or(1).max(1));
            let cells = (heat.values.len() / manifest.classes.len()).max(1);
            let planes = manifest.classes.iter().zip(heat.values.chunks_exact(cells));
            let of = |wanted| planes.clone().find(|(class, _)| **class == Some(wanted));
            Ok(classes.map(|wanted| of(wanted).map(|(_, plane)| measure(plane, Some(columns)))))
        }),
        Head::Yolo { boxes, layout, .. } => worker.run(&tensor, boxes, |output| {
            let of = |wanted| yolo::confidences(output, *layout, &manifest.classes, wanted);
            let [smoke, fire] = classes.map(of);
            Ok([smoke?, fire?].map(|found| found.map(|candidates| measure(&candidates, None))))
        }),
    }
}

fn measure(plane: &[f32], columns: Option<usize>) -> Expected {
    let (at, max) = plane
        .iter()
        .copied()
        .enumerate()
        .fold((0, f32::MIN), |best, next| if next.1 > best.1 { next } else { best });
    let at = columns.map(|columns| [at / columns, at % columns]);
    Expected { max, mean: plane.iter().sum::<f32>() / plane.len() as f32, at }
}

/// The whole input tensor of a case, normalised.
fn tensor(name: &str, input: &Input) -> Result<Vec<f32>> {
    let mut tensor = Vec::with_capacity(input.shape().iter().product());
    for t in 0..input.frames() {
        for c in 0..3 {
            for y in 0..input.height {
                for x in 0..input.width {
                    let v = pixel(name, t, c, f64::from(y), f64::from(x)).ok_or_else(|| {
                        Error::invalid(format!(
                            "goldens.json: this version knows no picture {name:?}"
                        ))
                    })?;
                    tensor.push((v as f32 - input.mean[c]) / input.std[c]);
                }
            }
        }
    }
    Ok(tensor)
}

/// The value, 0..=1, at frame `t` (0 = present), colour `c` (0 = red), row and column: the formulas
/// of the file's `value` fields.
fn pixel(name: &str, t: usize, c: usize, y: f64, x: f64) -> Option<f64> {
    let scene = || {
        if y < 240.0 {
            0.55 + 0.05 * c as f64 + y / 1600.0
        } else {
            0.30 + 0.05 * c as f64 + (x * 5.0 + y * 11.0) % 23.0 / 230.0
        }
    };
    Some(match name {
        "grey" => 114.0 / 255.0,
        "wave" => (7.0 * x + 13.0 * y + 29.0 * c as f64 + 17.0 * t as f64) % 256.0 / 255.0,
        "scene" => scene(),
        "puff" => {
            let present = if t == 0 { 1.0 } else { 0.0 };
            let b = 0.8 * (-((x - 320.0).powi(2) + (y - 250.0).powi(2)) / 1152.0).exp() * present;
            scene() * (1.0 - b) + 0.85 * b
        }
        _ => return None,
    })
}
