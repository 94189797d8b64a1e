//! Pure: reduces the candidate boxes of the YOLO family to a few, by non-maximum suppression.

use super::{BOXES_MAX, Output};
use crate::detect::manifest::{Levels, YoloLayout};
use crate::detect::tensor::Letterbox;
use crate::error::{Error, Result};
use crate::triage::detection::{Class, Detection, Scores};

/// Maximum number of candidates per class. The rest are the weakest of thousands, and the cost of
/// suppression is quadratic.
const CANDIDATES_MAX: usize = 1000;

pub(crate) fn read(
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
        for (channel, _) in classes.iter().enumerate().filter(|(_, class)| **class == Some(wanted))
        {
            for row in 0..table.rows {
                let confidence = table.confidence(row, channel);
                let Some(bbox) = at.to_picture(table.corners(row)) else { continue };
                match wanted {
                    Class::Smoke => scores.smoke = scores.smoke.max(confidence),
                    Class::Fire => scores.fire = scores.fire.max(confidence),
                }
                if confidence >= screen.of(wanted) {
                    candidates.push(Detection { class: wanted, confidence, bbox, tile: None });
                }
            }
        }
        kept.extend(suppress(candidates, iou));
    }
    Ok((scores, kept))
}

/// The confidence of every candidate in one class, 0..=1. `None`: the network does not have the
/// class.
pub(crate) fn confidences(
    boxes: Output,
    layout: YoloLayout,
    classes: &[Option<Class>],
    wanted: Class,
) -> Result<Option<Vec<f32>>> {
    let table = Table::new(boxes, layout, classes.len())?;
    let channels: Vec<usize> =
        (0..classes.len()).filter(|&channel| classes[channel] == Some(wanted)).collect();
    let strongest =
        |row| channels.iter().map(|&channel| table.confidence(row, channel)).fold(0.0, f32::max);
    Ok((!channels.is_empty()).then(|| (0..table.rows).map(strongest).collect()))
}

/// Whether an output of this shape matches `model.toml`. A negative size is known only after a run.
pub(crate) fn fits(shape: &[i64], layout: YoloLayout, classes: usize) -> Result<()> {
    let (columns, rows) = match (layout, shape) {
        (YoloLayout::V5, &[looks, rows, columns]) | (YoloLayout::V8, &[looks, columns, rows])
            if looks <= 1 =>
        {
            (columns, rows)
        }
        _ => (0, 0),
    };
    let known = columns < 0 || columns == columns_of(layout, classes) as i64;
    if known && rows != 0 && shape != SUPPRESSED {
        return Ok(());
    }
    let found = match *shape {
        _ if shape == SUPPRESSED => {
            "boxes after non-maximum suppression: export it without (no nms argument)".to_owned()
        }
        [_, rows, columns] if rows > columns && columns > 5 => {
            format!("layout = \"v5\" with {} classes", columns - 5)
        }
        [_, columns, rows] if rows > columns && columns > 4 => {
            format!("layout = \"v8\" with {} classes", columns - 4)
        }
        _ => "an unknown layout: export the whole detector to one output, not single scales"
            .to_owned(),
    };
    let layout = match layout {
        YoloLayout::V5 => "v5",
        YoloLayout::V8 => "v8",
    };
    Err(Error::invalid(format!(
        "the network's boxes have shape {shape:?}, which is {found}; model.toml names layout = \
        \"{layout}\" and {classes} classes: correct [output] layout or classes there, every class \
        of the network in its order"
    )))
}

/// The output shape of exports with built-in suppression: at most 300 boxes of corners, score and
/// class. No input size gives 300 candidates of one class in version 5.
const SUPPRESSED: [i64; 3] = [1, 300, 6];

fn columns_of(layout: YoloLayout, classes: usize) -> usize {
    match layout {
        YoloLayout::V5 => 5 + classes,
        YoloLayout::V8 => 4 + classes,
    }
}

/// Strongest first. A box that overlaps a stronger one by more than `iou` is dropped.
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

/// Reads both export layouts in the same way.
struct Table<'a> {
    values: &'a [f32],
    layout: YoloLayout,
    rows: usize,
    columns: usize,
}

impl<'a> Table<'a> {
    fn new(boxes: Output<'a>, layout: YoloLayout, classes: usize) -> Result<Self> {
        fits(boxes.shape, layout, classes)?;
        let columns = columns_of(layout, classes);
        let rows = boxes.values.len() / columns;
        if rows == 0 || boxes.shape.iter().product::<i64>() != (rows * columns) as i64 {
            let numbers = boxes.values.len();
            return Err(Error::internal(format!(
                "{numbers} numbers in an output of shape {:?}",
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

    const AT: Letterbox = Letterbox { x: 0, y: 60, width: 640, height: 360, canvas: (640, 480) };
    const SCREEN: Levels = Levels { smoke: 0.3, fire: 0.3 };
    const CLASSES: [Option<Class>; 3] = [Some(Class::Fire), None, Some(Class::Smoke)];

    /// Rows of centre x, y, width, height, fire, other, smoke.
    type Rows<'a> = &'a [[f32; 7]];

    fn v8(rows: Rows) -> Vec<Detection> {
        let values: Vec<f32> =
            (0..7).flat_map(|column| rows.iter().map(move |row| row[column])).collect();
        let boxes = Output { shape: &[1, 7, rows.len() as i64], values: &values };
        read(boxes, YoloLayout::V8, &CLASSES, AT, SCREEN, 0.45).expect("shapes fit").1
    }

    fn v5(rows: Rows, objectness: f32) -> Vec<Detection> {
        let values: Vec<f32> = rows
            .iter()
            .flat_map(|&[x, y, w, h, fire, other, smoke]| {
                [x, y, w, h, objectness, fire, other, smoke]
            })
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
        let confidences: Vec<f32> =
            v5(TWO_ON_ONE_PLUME, 0.5).iter().map(|d| d.confidence).collect();
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
        assert_eq!(
            kinds,
            [Class::Smoke, Class::Fire],
            "the last lies on the bar, the third is nothing of ours"
        );
    }

    #[test]
    fn broken_numbers_are_no_boxes() {
        let nan = f32::NAN;
        assert_eq!(
            v8(&[
                [nan, 240.0, 64.0, 72.0, 0.0, 0.0, 0.9],
                [160.0, 240.0, 64.0, 72.0, nan, 0.0, nan]
            ]),
            []
        );
    }

    #[test]
    fn another_shape_is_refused_with_the_cure() {
        for (layout, shape, cure) in [
            (
                YoloLayout::V8,
                vec![1i64, 8400, 8],
                "is layout = \"v5\" with 3 classes; model.toml names layout = \"v8\"",
            ),
            (
                YoloLayout::V5,
                vec![1, 7, 8400],
                "is layout = \"v8\" with 3 classes; model.toml names layout = \"v5\"",
            ),
            (
                YoloLayout::V8,
                vec![1, 84, 8400],
                "with 80 classes; model.toml names layout = \"v8\" and 3 classes",
            ),
            (YoloLayout::V5, vec![1, 300, 6], "no nms argument"),
            (YoloLayout::V5, vec![1, 3, 80, 80, 8], "single scales"),
            (YoloLayout::V8, vec![16, 7, 8400], "model.toml"),
        ] {
            let values =
                vec![0.0; usize::try_from(shape.iter().product::<i64>()).expect("positive")];
            let error =
                read(Output { shape: &shape, values: &values }, layout, &CLASSES, AT, SCREEN, 0.45);
            let message = error.expect_err("misfit").message;
            assert!(message.contains(cure), "{shape:?}: {message}");
        }
        assert!(
            fits(&[1, 300, 6], YoloLayout::V5, 1).is_err(),
            "the one class too many that would pass by its numbers"
        );
        assert!(
            fits(&[-1, 7, -1], YoloLayout::V8, 3).is_ok()
                && fits(&[1, -1, -1], YoloLayout::V5, 3).is_ok()
        );
        let torn = Output { shape: &[1, 7, 4], values: &[0.0; 21] };
        assert!(read(torn, YoloLayout::V8, &CLASSES, AT, SCREEN, 0.45).is_err());
    }
}
