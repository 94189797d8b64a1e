//! Pure: a model's output for one frame.

use super::id::{CameraId, PoseId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// 烟
    Smoke,
    /// 火: flames, or their glow in near-infrared
    Fire,
}

/// Left, top, width, height as fractions 0..1 of the frame; written `[x, y, w, h]`.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(from = "[f32; 4]", into = "[f32; 4]")]
pub struct BoundingBox {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl From<[f32; 4]> for BoundingBox {
    fn from([x, y, w, h]: [f32; 4]) -> Self {
        Self { x, y, w, h }
    }
}

impl From<BoundingBox> for [f32; 4] {
    fn from(b: BoundingBox) -> Self {
        [b.x, b.y, b.w, b.h]
    }
}

impl BoundingBox {
    pub fn area(&self) -> f32 {
        self.w * self.h
    }

    /// Horizontal centre, 0 = left edge, 1 = right edge.
    pub fn centre_x(&self) -> f32 {
        self.x + self.w / 2.0
    }

    pub fn centre_y(&self) -> f32 {
        self.y + self.h / 2.0
    }

    /// Intersection over union, 0..=1.
    pub fn iou(&self, other: &Self) -> f32 {
        let w = (self.x + self.w).min(other.x + other.w) - self.x.max(other.x);
        let h = (self.y + self.h).min(other.y + other.h) - self.y.max(other.y);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let both = w * h;
        both / (self.area() + other.area() - both)
    }
}

/// 分块: a part of a view that is analysed by itself, with earlier pictures of its own. Left, top,
/// width, height in steps of 1/200 of the frame's width and height; written `[x, y, w, h]`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(from = "[u8; 4]", into = "[u8; 4]")]
pub struct Tile {
    pub x: u8,
    pub y: u8,
    pub w: u8,
    pub h: u8,
}

/// Steps across a frame in which tiles are measured.
pub const TILE_STEPS: u8 = 200;

impl From<[u8; 4]> for Tile {
    fn from([x, y, w, h]: [u8; 4]) -> Self {
        Self { x, y, w, h }
    }
}

impl From<Tile> for [u8; 4] {
    fn from(t: Tile) -> Self {
        [t.x, t.y, t.w, t.h]
    }
}

impl Tile {
    /// Its place in the frame.
    pub fn area(&self) -> BoundingBox {
        let part = |steps: u8| f32::from(steps) / f32::from(TILE_STEPS);
        BoundingBox { x: part(self.x), y: part(self.y), w: part(self.w), h: part(self.h) }
    }

    /// Converts a box from fractions of the tile to fractions of the frame.
    pub fn on_frame(&self, bbox: &BoundingBox) -> BoundingBox {
        let area = self.area();
        BoundingBox {
            x: area.x + bbox.x * area.w,
            y: area.y + bbox.y * area.h,
            w: bbox.w * area.w,
            h: bbox.h * area.h,
        }
    }
}

/// 检测框: one box in one frame.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Detection {
    pub class: Class,
    /// The model's score, 0..1. Not a probability of fire: see the model card.
    pub confidence: f32,
    /// Fractions of the whole frame, also if it was seen in a tile.
    pub bbox: BoundingBox,
    /// The tile in which it was seen; `None`: in the whole frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tile: Option<Tile>,
}

/// Which weights said so; on every sighting, so that scores stay attributable after an upgrade.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
pub struct ModelVersion {
    pub name: String,
    pub version: String,
}

/// Frame-level scores, 0..1 each.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Scores {
    pub smoke: f32,
    pub fire: f32,
}

/// Which of a camera's streams a picture came from.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// The one analysed at every cadence: the sub-stream, or the only stream.
    #[default]
    Screened,
    /// 主码流: fetched on suspicion, for a closer look.
    Main,
}

/// The complete output of the model for one frame of one camera.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Analysis {
    pub camera: CameraId,
    pub pose: PoseId,
    pub captured_at: Timestamp,
    pub scores: Scores,
    pub detections: Vec<Detection>,
    pub model: ModelVersion,
    #[serde(default)]
    pub stream: Stream,
    /// The tiles analysed beside the whole view. Elsewhere, no box in a tile means nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiles: Vec<Tile>,
    /// Whether the model had an earlier picture to compare with, or needs none.
    #[serde(default = "yes")]
    pub has_past: bool,
}

fn yes() -> bool {
    true
}
