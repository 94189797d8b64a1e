//! Pure: 训练数据: what an office's cameras saw and people judged → rows of `watch.csv`, the table
//! of fixed cameras that `models/*/train` learns from.
//!
//! A row says what the picture shows, which camera took it and when, and what it was found to be.
//! It never holds a person's name, phone or words, a village, a grid or a place. Camera ids and
//! names are exported; drills never are.

use super::category;
use super::export::harmless;
use crate::county::County;
use crate::triage::category::{INDUSTRIAL_HEAT, NOTHING_FOUND};
use crate::triage::detection::{BoundingBox, Class, ModelVersion};
use crate::triage::event::FalseAlarm;
use crate::triage::id::{CameraId, IncidentId, PictureId, PoseId, SightingId};
use crate::triage::incident::{Incident, State};
use crate::triage::sighting::Source;
use crate::triage::strip::StripFrame;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// The columns that the training project reads, then those for people and later tools.
pub const COLUMNS: [&str; 22] = [
    "image",
    "event",
    "split",
    "camera",
    "camera_name",
    "captured_at",
    "minute_index",
    "xmin",
    "ymin",
    "xmax",
    "ymax",
    "spectrum",
    "ts_confidence",
    "unsure",
    "unsure_reason",
    "fire",
    "width",
    "height",
    "verdict",
    "class",
    "model",
    "score",
];

/// One camera in five is kept for validation.
const VAL_BELOW: u8 = 51;

/// What a model can learn from a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lesson {
    /// Something burned in the open: the box is a valid label.
    Smoke,
    /// A ranger or an officer said that nothing burned: a hard negative, without a box.
    Nothing,
    /// Not usable for training yet, and why.
    Open(&'static str),
}

/// One evidence picture of a camera sighting, or one picture of its strip.
#[derive(Clone, PartialEq, Debug)]
pub struct Example {
    pub picture: PictureId,
    pub sighting: SightingId,
    /// The same for all rows of one fire, whichever camera saw it.
    pub incident: IncidentId,
    /// The same for all rows of one view of that fire: the training project compares pictures of
    /// one event with each other. It is the incident's id; where several views saw the fire, the
    /// second is `<id>-2`, and so on.
    pub event: String,
    pub camera: CameraId,
    /// Empty when the camera has left the register.
    pub camera_name: String,
    pub captured_at: Timestamp,
    /// Whole minutes since the event's first confirmed picture; negative for earlier pictures of a
    /// strip.
    pub minute_index: i64,
    pub bbox: BoundingBox,
    pub class: Class,
    pub model: ModelVersion,
    pub score: f32,
    pub lesson: Lesson,
    /// "Farm burning", "Nothing found: fog_or_cloud", "open".
    pub verdict: String,
}

/// Facts that only the picture itself shows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PictureFacts {
    /// Pixels.
    pub width: u32,
    pub height: u32,
    /// No colour at all: near-infrared, as cameras see at night.
    pub grey: bool,
}

/// The camera sightings of an incident with their pictures, oldest first. Empty for a drill.
pub fn examples(incident: &Incident, county: &County) -> Vec<Example> {
    if incident.drill {
        return Vec::new();
    }
    let (lesson, verdict) = judged(incident);
    let mut sightings: Vec<_> =
        incident.sightings.iter().filter(|sighting| !sighting.drill).collect();
    sightings.sort_by_key(|sighting| sighting.observed_at);
    // One entry per view: camera, pose, time of its first picture.
    let mut views: Vec<(&CameraId, &PoseId, Timestamp)> = Vec::new();
    let mut examples = Vec::new();
    for sighting in sightings {
        let Source::Camera { camera, pose, class, bbox, model, .. } = &sighting.source else {
            continue;
        };
        // The box was found in the first picture. Further ones would have no box and no time of
        // their own.
        let Some(picture) = sighting.pictures.first() else { continue };
        let captured_at = sighting.observed_at;
        let view =
            views.iter().position(|(c, p, _)| (*c, *p) == (camera, pose)).unwrap_or_else(|| {
                views.push((camera, pose, captured_at));
                views.len() - 1
            });
        let id = incident.id;
        examples.push(Example {
            picture: *picture,
            sighting: sighting.id,
            incident: id,
            event: if view == 0 { id.to_string() } else { format!("{id}-{}", view + 1) },
            camera: camera.clone(),
            camera_name: county.camera(camera).map(|entry| entry.name.clone()).unwrap_or_default(),
            captured_at,
            minute_index: captured_at.duration_since(views[view].2).as_mins(),
            bbox: *bbox,
            class: *class,
            model: model.clone(),
            score: sighting.confidence,
            lesson,
            verdict: verdict.clone(),
        });
    }
    examples
}

/// The pictures that a sighting's strip adds to its confirmed one. Where something burned, a
/// picture in which the model saw it has its box. For a picture in which it saw nothing, it is
/// unknown whether smoke was there, but the picture serves as a past for comparison.
pub fn around(confirmed: &Example, strip: &[StripFrame]) -> Vec<Example> {
    let others = strip.iter().filter(|frame| frame.captured_at != confirmed.captured_at);
    let row = |frame: &StripFrame| {
        let since = frame.captured_at.duration_since(confirmed.captured_at);
        let lesson = match (confirmed.lesson, frame.seen) {
            (Lesson::Smoke, None) => {
                Lesson::Open("around a fire: nobody has said whether it shows smoke")
            }
            (lesson, _) => lesson,
        };
        Example {
            picture: frame.picture,
            captured_at: frame.captured_at,
            minute_index: confirmed.minute_index + since.as_secs().div_euclid(60),
            bbox: frame.seen.map_or(confirmed.bbox, |it| it.bbox),
            score: frame.seen.map_or(0.0, |it| it.score),
            lesson,
            ..confirmed.clone()
        }
    };
    others.map(row).collect()
}

/// The closure is the office's final word. Before it the ranger's report counts, unless it was sent
/// back.
fn judged(incident: &Incident) -> (Lesson, String) {
    let reported = incident
        .verification
        .as_ref()
        .filter(|it| incident.state == State::Reported && !it.is_interim());
    let (code, why) = match (&incident.closure, reported) {
        (Some(closure), _) => (closure.category, closure.false_alarm),
        (None, Some(report)) => (report.category, None),
        (None, None) => return (Lesson::Open("nobody has judged it yet"), "open".to_owned()),
    };
    let Some(category) = category(code) else {
        return (
            Lesson::Open("a category that this version does not know"),
            format!("category {code}"),
        );
    };
    let verdict = match why {
        Some(why) => format!("{}: {}", category.en, word(why)),
        None => category.en.to_owned(),
    };
    (lesson(code, category.fire, why), verdict)
}

/// Smoke of a chimney or a kitchen is no fire, but it is smoke. Such a picture without a box would
/// teach the model not to see smoke. The office decides, so the row is open.
fn lesson(code: u8, fire: bool, why: Option<FalseAlarm>) -> Lesson {
    match (why, code) {
        (Some(FalseAlarm::CookingSmoke | FalseAlarm::Incense | FalseAlarm::FactorySmoke), _)
        | (None, INDUSTRIAL_HEAT) => Lesson::Open("real smoke or heat, but no wildfire"),
        (Some(_), _) | (None, NOTHING_FOUND) => Lesson::Nothing,
        (None, _) if fire => Lesson::Smoke,
        (None, _) => Lesson::Open("the category says neither fire nor false alarm"),
    }
}

fn word(why: FalseAlarm) -> &'static str {
    match why {
        FalseAlarm::CookingSmoke => "cooking_smoke",
        FalseAlarm::Incense => "incense",
        FalseAlarm::FactorySmoke => "factory_smoke",
        FalseAlarm::FogOrCloud => "fog_or_cloud",
        FalseAlarm::Dust => "dust",
        FalseAlarm::Glare => "glare",
        FalseAlarm::DirtyLens => "dirty_lens",
        FalseAlarm::Unclear => "unclear",
    }
}

impl Example {
    /// The picture's file name under `images/`.
    pub fn image(&self) -> String {
        format!("{}.jpg", self.picture)
    }

    /// `"train"` or `"val"`: a whole camera is one or the other, on every machine and for ever, so
    /// that the model is never validated on a view it was trained on. As in training, `x-ir` (the
    /// infrared camera beside `x`) goes with `x`.
    pub fn split(&self) -> &'static str {
        let pair = self.camera.as_str();
        let first = Sha256::digest(pair.strip_suffix("-ir").unwrap_or(pair))[0];
        if first < VAL_BELOW { "val" } else { "train" }
    }

    /// In the order of [`COLUMNS`]. Boxes in pixels, clipped to the picture.
    pub fn row(&self, look: PictureFacts) -> [String; COLUMNS.len()] {
        let [xmin, ymin, xmax, ymax] = match self.lesson {
            Lesson::Smoke => corners(&self.bbox, look).map(|pixels| format!("{pixels:.1}")),
            Lesson::Nothing | Lesson::Open(_) => std::array::from_fn(|_| String::new()),
        };
        let (unsure, reason) = match self.lesson {
            Lesson::Smoke | Lesson::Nothing => ("0", ""),
            Lesson::Open(reason) => ("1", reason),
        };
        [
            self.image(),
            self.event.clone(),
            self.split().to_owned(),
            harmless(self.camera.as_str()),
            harmless(&self.camera_name),
            self.captured_at.to_string(),
            self.minute_index.to_string(),
            xmin,
            ymin,
            xmax,
            ymax,
            if look.grey { "ir" } else { "colour" }.to_owned(),
            // The time comes from the program's clock, not from text in the picture.
            "1".to_owned(),
            unsure.to_owned(),
            reason.to_owned(),
            self.incident.to_string(),
            look.width.to_string(),
            look.height.to_string(),
            self.verdict.clone(),
            match self.class {
                Class::Smoke => "smoke",
                Class::Fire => "fire",
            }
            .to_owned(),
            harmless(&format!("{} {}", self.model.name, self.model.version)),
            format!("{:.3}", self.score),
        ]
    }
}

/// The whole file, RFC 4180, UTF-8 without a byte order mark (the training project reads it as it
/// is).
pub fn table(rows: &[[String; COLUMNS.len()]]) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).map_err(|e| e.to_string())?;
    for row in rows {
        writer.write_record(row).map_err(|e| e.to_string())?;
    }
    let bytes = writer.into_inner().map_err(|e| e.to_string())?;
    String::from_utf8(bytes).map_err(|e| e.to_string())
}

/// Left, top, right, bottom.
fn corners(bbox: &BoundingBox, PictureFacts { width, height, .. }: PictureFacts) -> [f32; 4] {
    let across = |share: f32| share.clamp(0.0, 1.0) * width as f32;
    let down = |share: f32| share.clamp(0.0, 1.0) * height as f32;
    [across(bbox.x), down(bbox.y), across(bbox.x + bbox.w), down(bbox.y + bbox.h)]
}

#[cfg(test)]
mod tests;
