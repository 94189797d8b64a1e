//! Pure: from output tensors to scores and boxes. One file per head.

pub(super) mod heatmap;
pub(super) mod yolo;

/// An output tensor of the runtime.
#[derive(Clone, Copy, Debug)]
pub(super) struct Output<'a> {
    pub shape: &'a [i64],
    pub values: &'a [f32],
}

/// Maximum number of boxes per frame and class: more are of no use to a person or to the
/// confirmation.
pub(super) const BOXES_MAX: usize = 32;
