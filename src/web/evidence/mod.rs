//! Pictures: of an alarm, of what was around it, of people on the spot, and the cameras' last ones.

mod closeup;
pub(super) mod pictures;
pub(super) mod strips;
