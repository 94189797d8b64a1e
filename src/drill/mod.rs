//! 演练: a rendered smoke plume in a live camera's frames, marked as a drill everywhere; and the
//! pictures of the demo county.

mod board;
mod ladder;
mod plume;
pub mod scene;

pub use board::{Drill, DrillBoard};
pub use ladder::{TestPlume, WIDTHS, ladder};
pub use plume::{Alpha, Plume, alpha, colour, composite, flicker};
