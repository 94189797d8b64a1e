//! Pure: output tensors → scores and boxes. One file a head.

pub mod heatmap;
pub mod yolo;

/// An output tensor as the runtime hands it over.
#[derive(Clone, Copy, Debug)]
pub struct Output<'a> {
    pub shape: &'a [i64],
    pub values: &'a [f32],
}

/// At most so many boxes a frame and class: more say nothing a person or the confirmation could use.
pub const BOXES_MAX: usize = 32;
