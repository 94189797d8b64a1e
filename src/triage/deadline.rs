//! Pure: the instants at which time alone changes an incident.

use super::event::Matter;

/// Every deadline at which time alone changes an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    /// Somebody had to act and did not: the policy acts, or somebody is rung.
    Ring(Matter),
    /// The time for an officer's decision is over.
    Intent,
    Acknowledge,
    Arrive,
    Report,
    /// The ladder's rung with this index.
    Rung(u8),
}
