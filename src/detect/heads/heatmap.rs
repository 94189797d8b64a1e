//! Pure: from a grid of probabilities to frame scores, and one box for every connected patch of
//! cells at or above the screen level.

use super::{BOXES_MAX, Output};
use crate::detect::manifest::Levels;
use crate::detect::tensor::Letterbox;
use crate::error::{Error, Result};
use crate::triage::detection::{BoundingBox, Class, Detection, Scores};

/// `heat` is `[1, classes, rows, columns]`. Cells that lie entirely on the letterbox padding are
/// ignored.
pub(crate) fn read(
    heat: Output,
    classes: &[Option<Class>],
    at: Letterbox,
    screen: Levels,
) -> Result<(Scores, Vec<Detection>)> {
    let &[1, channels, rows, columns] = heat.shape else { return Err(misfit(heat, classes.len())) };
    let (rows, columns) =
        (usize::try_from(rows).unwrap_or(0), usize::try_from(columns).unwrap_or(0));
    if channels != classes.len() as i64
        || rows == 0
        || columns == 0
        || heat.values.len() != classes.len() * rows * columns
    {
        return Err(misfit(heat, classes.len()));
    }
    let (canvas_w, canvas_h) = at.canvas;
    let grid = Grid {
        rows,
        columns,
        cell_w: canvas_w as f32 / columns as f32,
        cell_h: canvas_h as f32 / rows as f32,
    };
    let mut scores = Scores::default();
    let mut detections = Vec::new();
    for (plane, class) in heat.values.chunks_exact(rows * columns).zip(classes) {
        let Some(class) = *class else { continue };
        let seen: Vec<f32> = (0..plane.len())
            .map(|cell| {
                if grid.bbox(grid.span(cell), at).is_some() {
                    plane[cell].clamp(0.0, 1.0)
                } else {
                    0.0
                }
            })
            .collect();
        let peak = seen.iter().copied().fold(0.0, f32::max);
        match class {
            Class::Smoke => scores.smoke = scores.smoke.max(peak),
            Class::Fire => scores.fire = scores.fire.max(peak),
        }
        let mut patches = patches(&seen, &grid, screen.of(class));
        patches.sort_by(|a, b| b.peak.total_cmp(&a.peak));
        detections.extend(patches.iter().take(BOXES_MAX).filter_map(|patch| {
            let bbox = grid.bbox(patch.span, at)?;
            Some(Detection { class, confidence: patch.peak, bbox, tile: None })
        }));
    }
    Ok((scores, detections))
}

/// Frame scores from a separate output, `[1, classes]`.
pub(crate) fn scores(output: Output, classes: &[Option<Class>]) -> Result<Scores> {
    if output.shape != [1, classes.len() as i64] || output.values.len() != classes.len() {
        return Err(Error::invalid(format!(
            "the network's scores have shape {:?}, expected [1, {}]: correct classes or output in \
            model.toml",
            output.shape,
            classes.len()
        )));
    }
    let of = |wanted| {
        let of_class =
            output.values.iter().zip(classes).filter(|(_, class)| **class == Some(wanted));
        of_class.map(|(v, _)| v.clamp(0.0, 1.0)).fold(0.0, f32::max)
    };
    Ok(Scores { smoke: of(Class::Smoke), fire: of(Class::Fire) })
}

struct Grid {
    rows: usize,
    columns: usize,
    /// Canvas pixels per cell.
    cell_w: f32,
    cell_h: f32,
}

/// Columns and rows of the cells, first and last inclusive.
#[derive(Clone, Copy)]
struct Span {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

impl Grid {
    fn span(&self, cell: usize) -> Span {
        let (row, column) = (cell / self.columns, cell % self.columns);
        Span { left: column, top: row, right: column, bottom: row }
    }

    fn bbox(&self, span: Span, at: Letterbox) -> Option<BoundingBox> {
        at.to_picture([
            span.left as f32 * self.cell_w,
            span.top as f32 * self.cell_h,
            (span.right + 1) as f32 * self.cell_w,
            (span.bottom + 1) as f32 * self.cell_h,
        ])
    }
}

/// A connected patch and its strongest cell.
struct Patch {
    span: Span,
    peak: f32,
}

/// Cells are neighbours if they share a side or a corner: a thin plume rises diagonally.
fn patches(plane: &[f32], grid: &Grid, screen: f32) -> Vec<Patch> {
    let mut todo: Vec<bool> = plane.iter().map(|&v| v >= screen).collect();
    let mut found = Vec::new();
    for start in 0..plane.len() {
        if !std::mem::take(&mut todo[start]) {
            continue;
        }
        let mut patch = Patch { span: grid.span(start), peak: 0.0 };
        let mut edge = vec![start];
        while let Some(cell) = edge.pop() {
            let Span { left: column, top: row, .. } = grid.span(cell);
            let span = &mut patch.span;
            (span.left, span.right) = (span.left.min(column), span.right.max(column));
            (span.top, span.bottom) = (span.top.min(row), span.bottom.max(row));
            patch.peak = patch.peak.max(plane[cell]);
            for r in row.saturating_sub(1)..=(row + 1).min(grid.rows - 1) {
                for c in column.saturating_sub(1)..=(column + 1).min(grid.columns - 1) {
                    if std::mem::take(&mut todo[r * grid.columns + c]) {
                        edge.push(r * grid.columns + c);
                    }
                }
            }
        }
        found.push(patch);
    }
    found
}

fn misfit(heat: Output, classes: usize) -> Error {
    Error::invalid(format!(
        "the network's heatmap has shape {:?}, but model.toml names {classes} classes and expects \
         [1, {classes}, rows, columns]: correct classes or output in model.toml",
        heat.shape
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::manifest::{Manifest, tests::HEATMAP};

    const SCREEN: Levels = Levels { smoke: 0.5, fire: 0.5 };

    /// Smoke drawn with one digit per cell (tenths), in 4 columns of 160 pixels and 3 rows of 160.
    /// Fire is 0.1 everywhere.
    fn smoke(drawing: [&str; 3], width: u32, height: u32) -> (Scores, Vec<([f32; 4], f32)>) {
        let input = Manifest::parse(HEATMAP).expect("valid").input;
        let mut values: Vec<f32> = drawing
            .join("")
            .chars()
            .map(|c| c.to_digit(10).expect("a digit") as f32 / 10.0)
            .collect();
        values.extend([0.1; 12]);
        let heat = Output { shape: &[1, 2, 3, 4], values: &values };
        let classes = [Some(Class::Smoke), Some(Class::Fire)];
        let at = Letterbox::new(width, height, &input);
        let (scores, found) = read(heat, &classes, at, SCREEN).expect("shapes fit");
        assert!(found.iter().all(|d| d.class == Class::Smoke));
        (scores, found.iter().map(|d| (d.bbox.into(), d.confidence)).collect())
    }

    #[test]
    fn patches_become_boxes() {
        let third = 1.0 / 3.0;
        for (what, drawing, expected) in [
            ("nothing", ["0000", "0400", "0000"], vec![]),
            ("one cell", ["0000", "0700", "0000"], vec![([0.25, third, 0.25, third], 0.7)]),
            (
                "a plume leaning right is one",
                ["0005", "0060", "0700"],
                vec![([0.25, 0.0, 0.75, 1.0], 0.7)],
            ),
            (
                "two apart, the stronger first",
                ["6000", "0000", "0009"],
                vec![([0.75, 2.0 * third, 0.25, third], 0.9), ([0.0, 0.0, 0.25, third], 0.6)],
            ),
        ] {
            let (_, found) = smoke(drawing, 640, 480);
            assert_eq!(found.len(), expected.len(), "{what}");
            for ((bbox, confidence), (want, peak)) in found.iter().zip(&expected) {
                assert!(
                    bbox.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-5),
                    "{what}: {bbox:?}"
                );
                assert!((confidence - peak).abs() < 1e-5, "{what}");
            }
        }
    }

    #[test]
    fn the_score_is_the_strongest_cell_even_below_the_screen() {
        let (scores, found) = smoke(["0000", "0400", "0000"], 640, 480);
        assert_eq!(scores, Scores { smoke: 0.4, fire: 0.1 });
        assert_eq!(found, []);
    }

    #[test]
    fn what_shines_on_the_bars_alone_is_not_there() {
        // A 4:1 picture is 160 pixels high on the canvas: the middle row.
        let (scores, found) = smoke(["9999", "0060", "9999"], 640, 160);
        assert_eq!(scores.smoke, 0.6);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].0, [0.5, 0.0, 0.25, 1.0]);
    }

    #[test]
    fn another_shape_is_refused_with_the_cure() {
        let input = Manifest::parse(HEATMAP).expect("valid").input;
        let at = Letterbox::new(640, 480, &input);
        for shape in
            [&[1i64, 3, 3, 4][..], &[1, 2, 3, 5], &[2, 3, 4], &[1, 2, -3, 4], &[1, 2, 0, 0]]
        {
            let heat = Output { shape, values: &[0.0; 24] };
            let error = read(heat, &[Some(Class::Smoke), Some(Class::Fire)], at, SCREEN)
                .expect_err("misfit");
            assert!(error.message.contains("model.toml"), "{shape:?}");
        }
    }
}
