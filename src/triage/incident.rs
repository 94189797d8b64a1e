//! Pure: 火情, the aggregate. `open` and `handle(input, now)` decide events ([`decide`], [`inputs`]); `from_log` and `apply` fold them
//! ([`fold`]); `next_deadline` says when time alone changes it.

mod decide;
mod fold;
mod inputs;
#[cfg(test)]
mod tests;

use super::dispatch::Dispatch;
use super::event::{Actor, Closure, Means, Place, Position, Recorded, Verification};
use super::geo::Fix;
use super::id::{ActionId, DispatchId, IncidentId, PersonId, PictureId};
use super::score::Priority;
use super::sighting::Sighting;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Incident {
    pub id: IncidentId,
    /// Number of events folded so far; a commit succeeds only on the version it was decided on.
    pub version: u64,
    pub state: State,
    pub drill: bool,
    pub opened_at: Timestamp,
    /// Earliest observation of any sighting.
    pub first_seen_at: Timestamp,
    /// Last observation of any sighting.
    pub last_seen_at: Timestamp,
    pub fix: Fix,
    pub place: Place,
    pub sightings: Vec<Sighting>,
    pub priority: Priority,
    /// Until when an officer may look before the policy acts; `None` once acted on. A decline sets it to that very moment:
    /// nobody is on the way, so the office is rung at once.
    pub review_by: Option<Timestamp>,
    pub review_missed: bool,
    /// The last dispatch (running unless declined), and those it took over from, oldest first.
    pub dispatch: Option<Dispatch>,
    pub past_dispatches: Vec<Dispatch>,
    pub verification: Option<Verification>,
    pub closure: Option<Closure>,
    pub closed_at: Option<Timestamp>,
    /// Actions already taken in, so that a repeat yields nothing.
    pub actions: Vec<ActionId>,
    pub log: Vec<Recorded>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// 待研判
    NeedsReview,
    /// 待接收
    Dispatched,
    /// 赶赴中
    Acknowledged,
    /// 核查中
    Arrived,
    /// 待审核
    Reported,
    /// 已销号
    Closed,
}

/// What somebody or something asks of an incident, in the imperative.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    AddSighting {
        sighting: Sighting,
        priority: Priority,
    },
    /// 派发 or, when a dispatch runs, 改派. The id is made at the edge.
    Dispatch {
        dispatch: DispatchId,
        ranger: PersonId,
    },
    Acknowledge {
        means: Means,
    },
    Decline {
        reason: String,
    },
    Arrive {
        means: Means,
        position: Option<Position>,
    },
    Report {
        verification: Verification,
    },
    SendBack {
        reason: String,
    },
    Close {
        closure: Closure,
    },
    AddPhoto {
        picture: PictureId,
    },
    Note {
        words: String,
    },
    /// Time alone: fires what is due. `dispatch` is the id to use should the policy dispatch by itself.
    Tick {
        dispatch: DispatchId,
    },
}

/// Who acts, and with which id and phone time.
#[derive(Clone, PartialEq, Debug)]
pub struct By {
    pub actor: Actor,
    pub action: Option<ActionId>,
    pub happened_at: Option<Timestamp>,
}

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
}

/// Everything at which time alone changes an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    /// The officer's look ran out: the policy dispatches, or the leader is rung.
    Review,
    Acknowledge,
    Arrive,
    Report,
    /// The ladder's rung with this index.
    Rung(u8),
}

/// What the edge knows when a sighting belongs to no open incident.
#[derive(Clone, PartialEq, Debug)]
pub struct NewIncident {
    pub id: IncidentId,
    pub dispatch: DispatchId,
    pub sighting: Sighting,
    pub place: Place,
    pub priority: Priority,
}
