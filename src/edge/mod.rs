//! THE EDGE'S DISK: what an edge has seen waits here until the centre's server has it. A sighting
//! is on the disk before anything else happens to it, leaves in the order in which it came, and
//! goes before every picture.

mod roster;
mod sender;
mod spool;
mod word;

pub use roster::{Roster, Standing};
pub use sender::{Way, send};
pub use spool::{Piece, Spool, Waiting, Waits};
pub use word::{CameraWord, Fault, Word};

/// How an edge's log says that an alarm is safe. `examples/cluster` counts alarms by these words.
pub const KEPT: &str = "an alarm is kept";
