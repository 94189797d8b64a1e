//! Pure: why an input is not taken.

use serde::{Deserialize, Serialize};

/// Why an input was not taken; the page words it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Closed incidents are never reopened (a late action is kept as a line in the log instead).
    Closed,
    /// No dispatch runs.
    NotDispatched,
    /// Somebody else's dispatch, or an act that only officers may do.
    NotYours,
    /// A reason is missing. A report without a photo is taken: photos follow the words over a thin line, and the office
    /// can send it back.
    Incomplete,
    /// Nothing has been reported that could be sent back.
    NotReported,
    /// No such evidence, link, message or proposal here.
    NotHere,
    /// The last piece of evidence stays: close the incident instead.
    LastEvidence,
    /// Closing what was last reported as not out asks for words: who says that it is over, and how it stands.
    StillBurning,
    /// The action's id belongs to another action here: taking it for a repeat would lose this one.
    KeyReused,
}
