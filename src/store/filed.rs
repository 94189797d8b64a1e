//! What the store gives out of an incident.

use crate::triage::incident::Incident;

/// An incident with the number the office says aloud.
#[derive(Clone, PartialEq, Debug)]
pub struct Filed {
    /// "1121-03": month and day of opening in Beijing time, number within the day.
    pub code: String,
    /// Increases with every opening; the cursor of lists.
    pub opened_seq: u64,
    pub incident: Incident,
}
