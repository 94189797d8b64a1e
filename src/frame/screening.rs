//! How reliable the screening network is here, since the start. Written by the analysis threads,
//! read by the ops page.

use serde::Serialize;
use utoipa::ToSchema;

/// Views: whole pictures and tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Screening {
    pub views: u64,
    /// Handed to the full network, because something was seen or suspected.
    pub passed: u64,
    /// Quiet ones at which the full network looked all the same …
    pub audits: u64,
    /// … and those of them in which it saw what counts towards an alarm.
    pub misses_sampled: u64,
}
