//! Parses `model.toml` into a valid [`Manifest`], once. Unknown keys are refused; every error names
//! the file and the remedy.

mod points;
mod screener;
mod verifier;

use crate::error::{Error, Result};
use crate::frame::Licence;
use crate::triage::confirm::Thresholds;
use crate::triage::detection::{Class, ModelVersion, Scores};
use crate::triage::point::Points;
use jiff::SignedDuration;
use points::RawPoint;
use screener::RawScreener;
pub use screener::Screener;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use verifier::RawVerifier;
pub use verifier::Verifier;

/// What the program must know about a network and the network's file does not state.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    pub version: ModelVersion,
    /// File name of the network, beside `model.toml`.
    pub file: String,
    /// SHA-256 of that file, 64 lower-case hex digits.
    pub sha256: String,
    pub input: Input,
    pub head: Head,
    /// The meaning of each output channel; `None` for a class the program does not use.
    pub classes: Vec<Option<Class>>,
    /// Minimum score of a heatmap's cells and of the boxes that are passed on.
    pub screen: Levels,
    /// Operating points, from few false alarms to early alarms.
    pub points: Option<Points>,
    /// The thresholds that the model recommends: its default operating point. If it has none, those
    /// with which a place alarms that stays at the model's alarm levels.
    pub advice: Thresholds,
    /// A cheap network that runs first. `None`: the full network runs on everything.
    pub screener: Option<Screener>,
    /// A small network that gives a second opinion on confirmed places.
    pub verifier: Option<Verifier>,
    /// `None`: the model states none.
    pub licence: Option<Licence>,
}

/// One level per class, 0..=1.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Levels {
    pub smoke: f32,
    pub fire: f32,
}

impl Levels {
    pub fn of(&self, class: Class) -> f32 {
        match class {
            Class::Smoke => self.smoke,
            Class::Fire => self.fire,
        }
    }

    /// Whether one of the scores is at or above its level.
    pub fn is_reached(&self, scores: Scores) -> bool {
        scores.smoke >= self.smoke || scores.fire >= self.fire
    }
}

/// The network's input tensor.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    pub name: String,
    /// Pixels.
    pub width: u32,
    pub height: u32,
    pub layout: Layout,
    /// For red, green, blue: `(pixel / 255 - mean) / std`.
    pub mean: [f32; 3],
    pub std: [f32; 3],
    /// How long before the present the second frame was taken. `None`: the network sees one frame
    /// only.
    pub past: Option<SignedDuration>,
    /// The network averages the second frame over this many pixels in each direction before
    /// anything else. Pasts are kept at 1/`past_scale` of the width and height: no detail is lost,
    /// and they take a fraction of the memory.
    pub past_scale: u32,
    /// The network accepts other heights and widths: letterbox padding is cropped by multiples of
    /// this many pixels. `None`: every picture is placed on the full canvas.
    pub rect_stride: Option<u32>,
}

impl Input {
    pub fn frames(&self) -> usize {
        if self.past.is_some() { 2 } else { 1 }
    }

    /// Shape of the tensor on the full canvas.
    pub fn shape(&self) -> Vec<usize> {
        self.shape_of(self.width, self.height)
    }

    pub fn shape_of(&self, width: u32, height: u32) -> Vec<usize> {
        let (h, w) = (height as usize, width as usize);
        match self.layout {
            Layout::Ntchw => vec![1, self.frames(), 3, h, w],
            Layout::Nchw => vec![1, 3 * self.frames(), h, w],
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// `[1, frames, 3, height, width]`, the present first.
    Ntchw,
    /// `[1, 3 × frames, height, width]`, the present first.
    Nchw,
}

/// How to read the network's outputs.
#[derive(Clone, PartialEq, Debug)]
pub enum Head {
    /// `[1, classes, rows, columns]`, 0..=1 per cell. Frame scores: the output `scores`,
    /// `[1, classes]`, or else the strongest cell.
    Heatmap { heatmap: String, scores: Option<String> },
    /// Boxes of the YOLO family, before non-maximum suppression.
    Yolo { boxes: String, layout: YoloLayout, iou: f32 },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YoloLayout {
    /// `[1, N, 5 + classes]`: centre x, y, width, height in input pixels, objectness, classes.
    V5,
    /// `[1, 4 + classes, N]`, of versions 8 and 11: no objectness.
    V8,
}

/// Two boxes of one class that overlap by more than this count as one. 0.45 is the default of the
/// YOLO family's own tools.
const IOU_DEFAULT: f32 = 0.45;
/// A smaller or larger input is taken for a mistake in the file.
const SIDE_MIN: u32 = 32;
const SIDE_MAX: u32 = 4096;
/// The coarsest averaging of the past that is supported: stride 8.
const PAST_SCALE_MAX: u32 = 8;

impl Manifest {
    /// Reads `model.toml` in the folder.
    pub fn load(folder: &Path) -> Result<Self> {
        let path = folder.join("model.toml");
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Error::unavailable(format!(
                "no model here: {} cannot be read; name a folder with model.toml and model.onnx in \
                [detect] model",
                path.display()
            ))
            .because(e)
        })?;
        Self::parse(&text).map_err(|e| Error::invalid(format!("{}: {}", path.display(), e.message)))
    }

    pub fn parse(text: &str) -> Result<Self> {
        toml::from_str::<Raw>(text).map_err(|e| Error::invalid(e.to_string()))?.check()
    }
}

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    name: String,
    version: String,
    file: String,
    sha256: String,
    head: RawHead,
    classes: Vec<String>,
    /// For people: the operator set and format version of the file. The runtime checks them itself.
    #[serde(rename = "opset")]
    _opset: Option<u32>,
    #[serde(rename = "onnx_ir")]
    _onnx_ir: Option<u32>,
    licence: Option<String>,
    licence_note_zh: Option<String>,
    licence_note_en: Option<String>,
    default_point: Option<String>,
    input: RawInput,
    output: RawOutput,
    thresholds: RawThresholds,
    #[serde(default)]
    points: BTreeMap<String, RawPoint>,
    screen: Option<RawScreener>,
    verifier: Option<RawVerifier>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum RawHead {
    Heatmap,
    Yolo,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawInput {
    name: String,
    width: u32,
    height: u32,
    channels: u32,
    frames: usize,
    #[serde(default)]
    past_s: Vec<u32>,
    #[serde(default = "one")]
    past_scale: u32,
    rect_stride: Option<u32>,
    layout: Layout,
    mean: [f32; 3],
    std: [f32; 3],
    letterbox: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutput {
    heatmap: Option<String>,
    scores: Option<String>,
    boxes: Option<String>,
    layout: Option<YoloLayout>,
    iou: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawThresholds {
    screen: Levels,
    alarm: Levels,
}

impl Raw {
    fn check(self) -> Result<Manifest> {
        let (head, licence) = (self.head()?, self.licence()?);
        let input = self.input.check()?;
        check_file(&self.file, &self.sha256)?;
        let screener = self.screen.map(|it| it.check(&self.input)).transpose()?;
        let verifier = self.verifier.map(|it| it.check(&input)).transpose()?;
        let classes: Vec<Option<Class>> = self.classes.iter().map(|name| class(name)).collect();
        if classes.iter().all(Option::is_none) {
            return refuse(
                "classes must name the output channels in order, and \"smoke\" or \
                \"fire\" among them",
            );
        }
        for class in [Class::Smoke, Class::Fire] {
            let (screen, alarm) =
                (self.thresholds.screen.of(class), self.thresholds.alarm.of(class));
            if !(0.0 < screen && screen <= alarm && alarm <= 1.0) {
                return refuse(
                    "thresholds: 0 < screen <= alarm <= 1 must hold for smoke and for \
                    fire",
                );
            }
        }
        let version = ModelVersion { name: self.name, version: self.version };
        let RawThresholds { screen, alarm } = self.thresholds;
        let points = points::check(self.default_point.as_deref(), self.points, screen, alarm)?;
        let advice = match &points {
            Some(points) => points::tuned(points.default, points.get(points.default))?,
            None => Thresholds::default().with_levels(alarm.smoke, alarm.fire),
        };
        let Self { file, sha256, .. } = self;
        Ok(Manifest {
            version,
            file,
            sha256,
            input,
            head,
            classes,
            screen,
            points,
            advice,
            screener,
            verifier,
            licence,
        })
    }

    fn licence(&self) -> Result<Option<Licence>> {
        match (&self.licence, &self.licence_note_zh, &self.licence_note_en) {
            (None, None, None) => Ok(None),
            (Some(name), Some(zh), Some(en))
                if ![name, zh, en].iter().any(|it| it.trim().is_empty()) =>
            {
                Ok(Some(Licence { name: name.clone(), note_zh: zh.clone(), note_en: en.clone() }))
            }
            _ => refuse(
                "licence (for example \"non-commercial\"), licence_note_zh and licence_note_en \
                (its basis, one sentence each) go together: give all three, or none",
            ),
        }
    }

    fn head(&self) -> Result<Head> {
        let RawOutput { heatmap, scores, boxes, layout, iou } = &self.output;
        match (self.head, heatmap, boxes, layout) {
            (RawHead::Heatmap, Some(heatmap), None, None) if iou.is_none() => {
                Ok(Head::Heatmap { heatmap: heatmap.clone(), scores: scores.clone() })
            }
            (RawHead::Yolo, None, Some(boxes), Some(layout)) if scores.is_none() => {
                let iou = iou.unwrap_or(IOU_DEFAULT);
                if !(0.0..=1.0).contains(&iou) {
                    return refuse("[output] iou must lie in 0..=1");
                }
                Ok(Head::Yolo { boxes: boxes.clone(), layout: *layout, iou })
            }
            (RawHead::Heatmap, ..) => {
                refuse("head \"heatmap\" needs [output] heatmap, may have scores, and nothing else")
            }
            (RawHead::Yolo, ..) => refuse(
                "head \"yolo\" needs [output] boxes and layout (\"v5\" or \"v8\"), may have iou, \
                and nothing else",
            ),
        }
    }
}

impl RawInput {
    fn check(&self) -> Result<Input> {
        if self.channels != 3 || !self.letterbox {
            return refuse(
                "[input] channels = 3 and letterbox = true are the only supported input",
            );
        }
        let side = |n: u32| (SIDE_MIN..=SIDE_MAX).contains(&n) && n.is_multiple_of(2);
        if !side(self.width) || !side(self.height) {
            return refuse("[input] width and height must be even and lie in 32..=4096 pixels");
        }
        if !self.std.iter().all(|s| *s > 0.0) || !self.mean.iter().all(|m| m.is_finite()) {
            return refuse("[input] std must be positive and mean finite");
        }
        let past = match (self.frames, self.past_s.as_slice()) {
            (1, []) => None,
            (2, [past_s]) if *past_s > 0 => Some(SignedDuration::from_secs(i64::from(*past_s))),
            _ => {
                return refuse(
                    "[input] frames = 1 without past_s, or frames = 2 with past_s = \
                [seconds before]",
                );
            }
        };
        if !(1..=PAST_SCALE_MAX).contains(&self.past_scale) {
            return refuse(
                "[input] past_scale must lie in 1..=8: by how much the network averages \
                the earlier frame",
            );
        }
        let in_steps = |stride: u32| {
            stride > 0 && self.width.is_multiple_of(stride) && self.height.is_multiple_of(stride)
        };
        if !self.rect_stride.is_none_or(in_steps) {
            return refuse(
                "[input] rect_stride must divide width and height: the network's \
                coarsest step in pixels",
            );
        }
        let (name, mean, std) = (self.name.clone(), self.mean, self.std);
        let &Self { width, height, layout, past_scale, rect_stride, .. } = self;
        Ok(Input { name, width, height, layout, mean, std, past, past_scale, rect_stride })
    }
}

fn check_file(file: &str, sha256: &str) -> Result<()> {
    if file.is_empty() || file.contains(['/', '\\']) {
        return refuse(
            "file must be the name of the network in the same folder, for example \
            \"model.onnx\"",
        );
    }
    if sha256.len() != 64 || !sha256.chars().all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
    {
        return refuse(
            "sha256 must be the 64 lower-case hex digits that `sha256sum` prints for the \
            network",
        );
    }
    Ok(())
}

fn one() -> u32 {
    1
}

fn class(name: &str) -> Option<Class> {
    match name.to_ascii_lowercase().as_str() {
        "smoke" => Some(Class::Smoke),
        "fire" | "flame" => Some(Class::Fire),
        _ => None,
    }
}

fn refuse<T>(words: &str) -> Result<T> {
    Err(Error::invalid(words))
}

#[cfg(test)]
pub(super) mod tests;
