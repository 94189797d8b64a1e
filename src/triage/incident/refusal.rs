//! Pure: why an input is refused.

use serde::{Deserialize, Serialize};

/// Why an input was refused; the page words it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// Closed incidents are never reopened (a late action is logged instead).
    Closed,
    /// No dispatch runs.
    NotDispatched,
    /// Somebody else's dispatch, or an act that only officers may do.
    NotYours,
    /// A reason is missing. A report without a photo is accepted: photos follow the words over a
    /// slow connection, and the office can send the report back.
    Incomplete,
    /// There is no report to send back.
    NotReported,
    /// No such evidence, link, message or proposal here.
    NotHere,
    /// The last piece of evidence cannot be removed: close the incident instead.
    LastEvidence,
    /// Closing an incident whose last report was "not out" requires words: who says that it is
    /// over, and its present state.
    StillBurning,
    /// The action's id belongs to another action here: treating it as a repeat would lose this one.
    KeyReused,
}
