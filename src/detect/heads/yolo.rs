//! Pure: candidate boxes of the YOLO family → the few that stand, by non-maximum suppression.

use super::{BOXES_MAX, Output};
use crate::detect::manifest::{Levels, YoloLayout};
use crate::detect::tensor::Letterbox;
use crate::error::{Error, Result};
use crate::triage::detection::{Class, Detection, Scores};

/// Candidates beyond so many a class are the weakest of thousands; suppression is quadratic in them.
const CANDIDATES_MAX: usize = 1000;

pub fn read(
    boxes: Output,
    layout: YoloLayout,
    classes: &[Option<Class>],
    at: Letterbox,
    screen: Levels,
    iou: f32,
) -> Result<(Scores, Vec<Detection>)> {
    let table = Table::new(boxes, layout, classes.len())?;
    let mut scores = Scores::default();
    let mut kept = Vec::new();
    for wanted in [Class::Smoke, Class::Fire] {
        let mut candidates = Vec::new();
        for (channel, _) in classes.iter().enumerate().filter(|(_, class)| **class == Some(wanted)) {
            for row in 0..table.rows {
                let confidence = table.confidence(row, channel);
                let Some(bbox) = at.to_picture(table.corners(row)) else { continue };
                match wanted {
                    Class::Smoke => scores.smoke = scores.smoke.max(confidence),
                    Class::Fire => scores.fire = scores.fire.max(confidence),
                }
                if confidence >= screen.of(wanted) {
                    candidates.push(Detection { class: wanted, confidence, bbox });
                }
            }
        }
        kept.extend(suppress(candidates, iou));
    }
    Ok((scores, kept))
}

/// The strongest first; whatever overlaps a stronger one by more than `iou` goes.
fn suppress(mut candidates: Vec<Detection>, iou: f32) -> Vec<Detection> {
    candidates.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    candidates.truncate(CANDIDATES_MAX);
    let mut kept: Vec<Detection> = Vec::new();
    for candidate in candidates {
        if kept.len() < BOXES_MAX && kept.iter().all(|k| k.bbox.iou(&candidate.bbox) <= iou) {
            kept.push(candidate);
        }
    }
    kept
}

/// Both export layouts, read alike.
struct Table<'a> {
    values: &'a [f32],
    layout: YoloLayout,
    rows: usize,
    columns: usize,
}

impl<'a> Table<'a> {
    fn new(boxes: Output<'a>, layout: YoloLayout, classes: usize) -> Result<Self> {
        let (columns, expected) = match layout {
            YoloLayout::V5 => (5 + classes, format!("[1, N, {}]", 5 + classes)),
            YoloLayout::V8 => (4 + classes, format!("[1, {}, N]", 4 + classes)),
        };
        let rows = match (layout, boxes.shape) {
            (YoloLayout::V5, &[1, rows, c]) | (YoloLayout::V8, &[1, c, rows]) if c == columns as i64 => {
                usize::try_from(rows).unwrap_or(0)
            }
            _ => 0,
        };
        if rows == 0 || boxes.values.len() != rows * columns {
            return Err(Error::invalid(format!(
                "the network's boxes have shape {:?}, but model.toml names {classes} classes and layout {layout:?}, \
                 which is {expected}: correct classes or layout in model.toml",
                boxes.shape
            )));
        }
        Ok(Self { values: boxes.values, layout, rows, columns })
    }

    fn at(&self, row: usize, column: usize) -> f32 {
        match self.layout {
            YoloLayout::V5 => self.values[row * self.columns + column],
            YoloLayout::V8 => self.values[column * self.rows + row],
        }
    }

    fn confidence(&self, row: usize, channel: usize) -> f32 {
        let confidence = match self.layout {
            YoloLayout::V5 => self.at(row, 4) * self.at(row, 5 + channel),
            YoloLayout::V8 => self.at(row, 4 + channel),
        };
        if confidence.is_finite() { confidence.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Left, top, right, bottom in canvas pixels.
    fn corners(&self, row: usize) -> [f32; 4] {
        let [x, y, w, h] = std::array::from_fn(|i| self.at(row, i));
        [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Letterbox = Letterbox { x: 0, y: 60, width: 640, height: 360 };
    const SCREEN: Levels = Levels { smoke: 0.3, fire: 0.3 };
    const CLASSES: [Option<Class>; 3] = [Some(Class::Fire), None, Some(Class::Smoke)];

    /// Rows of centre x, y, width, height, fire, other, smoke.
    type Rows<'a> = &'a [[f32; 7]];

    fn v8(rows: Rows) -> Vec<Detection> {
        let values: Vec<f32> = (0..7).flat_map(|column| rows.iter().map(move |row| row[column])).collect();
        let boxes = Output { shape: &[1, 7, rows.len() as i64], values: &values };
        read(boxes, YoloLayout::V8, &CLASSES, AT, SCREEN, 0.45).expect("shapes fit").1
    }

    fn v5(rows: Rows, objectness: f32) -> Vec<Detection> {
        let values: Vec<f32> = rows
            .iter()
            .flat_map(|&[x, y, w, h, fire, other, smoke]| [x, y, w, h, objectness, fire, other, smoke])
            .collect();
        let boxes = Output { shape: &[1, rows.len() as i64, 8], values: &values };
        read(boxes, YoloLayout::V5, &CLASSES, AT, SCREEN, 0.45).expect("shapes fit").1
    }

    const TWO_ON_ONE_PLUME: Rows = &[
        [160.0, 240.0, 64.0, 72.0, 0.0, 0.0, 0.6],
        [164.0, 240.0, 64.0, 72.0, 0.0, 0.0, 0.8],
        [480.0, 240.0, 64.0, 72.0, 0.0, 0.0, 0.5],
    ];

    #[test]
    fn overlapping_boxes_of_a_class_are_one() {
        let found = v8(TWO_ON_ONE_PLUME);
        let confidences: Vec<f32> = found.iter().map(|d| d.confidence).collect();
        assert_eq!(confidences, [0.8, 0.5]);
        assert!((found[0].bbox.centre_x() - 164.0 / 640.0).abs() < 1e-6);
        assert!((found[0].bbox.centre_y() - 0.5).abs() < 1e-6, "the bars are taken off");
    }

    #[test]
    fn both_layouts_say_the_same() {
        assert_eq!(v5(TWO_ON_ONE_PLUME, 1.0), v8(TWO_ON_ONE_PLUME));
    }

    #[test]
    fn objectness_weighs_in_version_5() {
        let confidences: Vec<f32> = v5(TWO_ON_ONE_PLUME, 0.5).iter().map(|d| d.confidence).collect();
        assert_eq!(confidences, [0.4], "0.5 × 0.8 stands, 0.5 × 0.5 is below the screen");
    }

    #[test]
    fn smoke_over_fire_is_two_things_and_other_classes_are_none() {
        let found = v8(&[
            [160.0, 240.0, 64.0, 72.0, 0.9, 0.0, 0.0],
            [160.0, 240.0, 64.0, 72.0, 0.0, 0.0, 0.8],
            [400.0, 240.0, 64.0, 72.0, 0.0, 0.9, 0.1],
            [400.0, 30.0, 64.0, 20.0, 0.9, 0.0, 0.9],
        ]);
        let kinds: Vec<Class> = found.iter().map(|d| d.class).collect();
        assert_eq!(kinds, [Class::Smoke, Class::Fire], "the last lies on the bar, the third is nothing of ours");
    }

    #[test]
    fn broken_numbers_are_no_boxes() {
        let nan = f32::NAN;
        assert_eq!(v8(&[[nan, 240.0, 64.0, 72.0, 0.0, 0.0, 0.9], [160.0, 240.0, 64.0, 72.0, nan, 0.0, nan]]), []);
    }

    #[test]
    fn another_shape_is_refused_with_the_cure() {
        for (layout, shape) in
            [(YoloLayout::V8, [1i64, 8, 3]), (YoloLayout::V5, [1, 3, 7]), (YoloLayout::V8, [1, 7, 4])]
        {
            let boxes = Output { shape: &shape, values: &[0.0; 21] };
            let error = read(boxes, layout, &CLASSES, AT, SCREEN, 0.45).expect_err("misfit");
            assert!(error.message.contains("model.toml"), "{shape:?}");
        }
    }
}
