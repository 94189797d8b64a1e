//! Pure: 火情, the aggregate. `open` and `handle(input, now)` decide events ([`decide`],
//! [`inputs`], [`evidence`], [`chase`]); `from_log` and `apply` fold them ([`fold`]).
//! `next_deadline` is when time alone changes it, and `owner` is who has to act.

mod chase;
mod decide;
mod evidence;
mod fold;
mod inputs;
mod owner;
mod refusal;
#[cfg(test)]
mod tests;

pub use super::deadline::Deadline;
pub use owner::{Owner, Who};
pub use refusal::Refusal;

use super::dispatch::Dispatch;
use super::event::{
    Actor, Closure, Hint, Intent, Matter, Means, NextTry, Place, Position, Recorded, Verification,
    WhyMoved,
};
use super::geo::Fix;
use super::id::{ActionId, DispatchId, IncidentId, MessageId, PersonId, PictureId, SightingId};
use super::locate;
use super::policy::{Channel, Policy, Role};
use super::score::Priority;
use super::sighting::Sighting;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

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
    /// The evidence that counts.
    pub sightings: Vec<Sighting>,
    /// 误并: evidence that an officer has struck out.
    pub struck_out: Vec<Sighting>,
    pub priority: Priority,
    /// What somebody has to do besides the dispatch's own steps, and when they are rung.
    pub waiting: Vec<Waiting>,
    /// A better place that waits for an officer's word.
    pub proposal: Option<Proposal>,
    /// A decision that an officer is making.
    pub intent: Option<Deciding>,
    /// The last dispatch (running unless declined), and below it those that it replaced, oldest
    /// first.
    pub dispatch: Option<Dispatch>,
    pub past_dispatches: Vec<Dispatch>,
    /// Everybody who was rung or written to about it, with their role.
    pub told: Vec<Told>,
    /// 叫应
    pub answers: Vec<Answer>,
    /// 未送达: messages that reached nobody, until somebody takes them over.
    pub undelivered: Vec<Undelivered>,
    /// 可能同一火情
    pub links: Vec<Link>,
    /// Incidents whose evidence counts here.
    pub merged: Vec<Merged>,
    /// The incident that leads this one.
    pub merged_into: Option<IncidentId>,
    pub split_from: Option<IncidentId>,
    /// The incident with which this one is rung.
    pub flood: Option<IncidentId>,
    /// New evidence at this place since it was closed.
    pub reminders: Vec<Sighting>,
    pub verification: Option<Verification>,
    pub closure: Option<Closure>,
    pub closed_at: Option<Timestamp>,
    /// Shared: a decision copies the incident, and the log is most of it.
    pub log: Vec<Arc<Recorded>>,
}

/// Something that somebody has to do: rung first at `due_at`, then again and higher.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    pub matter: Matter,
    pub since: Timestamp,
    pub due_at: Timestamp,
    /// Rings so far.
    pub rounds: u32,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Proposal {
    pub fix: Fix,
    pub place: Place,
    pub why: WhyMoved,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Deciding {
    pub intent: Intent,
    pub by: Option<PersonId>,
    pub until: Timestamp,
    /// The first of them, from which the longest hold counts.
    pub since: Timestamp,
    /// Its time is over.
    pub over: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Told {
    pub person: PersonId,
    pub role: Role,
    pub at: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Answer {
    pub person: PersonId,
    pub role: Role,
    pub at: Timestamp,
    pub means: Means,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Undelivered {
    pub message: MessageId,
    pub role: Role,
    /// `None`: nobody has the role.
    pub person: Option<PersonId>,
    pub channel: Channel,
    pub why: String,
    pub at: Timestamp,
    /// Where it is sent next, if anywhere.
    pub next: Option<NextTry>,
    /// No gateway carries this channel at all.
    pub no_channel: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Merged {
    pub other: IncidentId,
    /// Merged by an officer.
    pub by_hand: bool,
    pub sightings: Vec<SightingId>,
}

/// Another incident that could be the same fire.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Link {
    pub other: IncidentId,
    /// Where it was believed to be, if both began at about the same time.
    pub hint: Option<Hint>,
}

/// What the core needs from the office to decide: the rules, and pure queries to the registers.
#[derive(Clone, Copy)]
pub struct Office<'a> {
    pub policy: &'a Policy,
    /// Where a fix lies and who could go there now. The hints are where incidents that may be the
    /// same fire are believed to be.
    pub place: &'a Placing<'a>,
    /// Who has a role now, for an incident at a place with that ranger.
    pub holder: &'a Holder<'a>,
}

/// Fix, and the believed places of linked incidents → place.
pub type Placing<'a> = dyn Fn(&Fix, &[Hint]) -> Place + 'a;

/// Role, place of the incident, dispatched ranger → who has the role now.
pub type Holder<'a> = dyn Fn(Role, &Place, Option<&PersonId>) -> Option<PersonId> + 'a;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
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

/// A request from a person or a source, in the imperative.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// Evidence that belongs together (the pixels of one pass) comes and is judged together.
    AddSightings {
        sightings: Vec<Sighting>,
    },
    /// New evidence for a closed incident, in its quiet time.
    Remind {
        sightings: Vec<Sighting>,
    },
    /// 派发 or, while a dispatch runs, 改派. The id is made at the edge.
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
    AskSupport {
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
    /// A reply that could not be understood, in words.
    UnclearReply {
        words: String,
    },
    /// 位置更正: accept the proposed place, or keep the present one (and who goes).
    Relocate {
        accept: bool,
    },
    /// 误并
    StrikeOut {
        sighting: SightingId,
        reason: String,
    },
    Reinstate {
        sighting: SightingId,
    },
    /// Part of the evidence becomes the incident `into`, which the desk opens in the same commit.
    SplitOff {
        sightings: Vec<SightingId>,
        into: IncidentId,
    },
    /// `other` is this same fire; the desk informs the other one in the same commit.
    Merge {
        other: IncidentId,
        sightings: Vec<Sighting>,
    },
    MergeInto {
        into: IncidentId,
    },
    Unmerge {
        other: IncidentId,
    },
    Link(Link),
    /// An officer is deciding: automatic actions wait, for a bounded time.
    Intend {
        intent: Intent,
    },
    /// A message reached nobody.
    MessageFailed(Failed),
    /// Somebody takes over an undelivered message.
    TakeUndelivered {
        message: MessageId,
    },
    /// Time alone: fires what is due. `dispatch`: id for a dispatch that the policy makes by
    /// itself. `with`: an incident of the same flood, whose ring covers this one.
    Tick {
        dispatch: DispatchId,
        with: Option<IncidentId>,
    },
}

/// A message that failed, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failed {
    pub message: MessageId,
    pub role: Role,
    pub person: Option<PersonId>,
    pub channel: Channel,
    pub why: String,
    /// No gateway carries the channel, for anybody.
    pub no_channel: bool,
    /// The person has no number.
    pub no_number: bool,
}

/// Who acts, with the action's id and the phone's time.
#[derive(Clone, PartialEq, Debug)]
pub struct By {
    pub actor: Actor,
    pub action: Option<ActionId>,
    pub happened_at: Option<Timestamp>,
}

/// What the edge knows when evidence belongs to no open incident.
#[derive(Clone, PartialEq, Debug)]
pub struct NewIncident {
    pub id: IncidentId,
    pub dispatch: DispatchId,
    /// Not empty; judged together.
    pub sightings: Vec<Sighting>,
    /// Open incidents that could be the same fire.
    pub links: Vec<Link>,
    pub split_from: Option<IncidentId>,
    /// The first incident of a flood, and when it is rung.
    pub flood: Option<(IncidentId, Timestamp)>,
}

/// Most sightings of one incident: five cameras that confirm a fire every ten minutes make 5,000 in
/// a week. Later evidence opens a new, linked incident, so that no log grows without end.
pub const SIGHTINGS_MAX: usize = 5_000;

impl Incident {
    /// Accepts no more evidence.
    pub fn is_full(&self) -> bool {
        self.sightings.len() + self.struck_out.len() >= SIGHTINGS_MAX
    }

    /// The fix from all of its evidence.
    pub fn located(&self) -> Fix {
        locate::fix_of(&self.sightings, self.is_joined_by_hand())
    }

    fn is_joined_by_hand(&self) -> bool {
        self.merged.iter().any(|it| it.by_hand)
    }

    /// Whether a link adds something worth a line in the log. Incidents that an officer has parted,
    /// or that began at different times, get no more hints. A led incident leaves links to its
    /// leader.
    pub fn learns_from(&self, link: &Link) -> bool {
        let known = self.links.iter().find(|it| it.other == link.other).map(|it| it.hint);
        let joined = self.merged.iter().any(|it| it.other == link.other);
        let says_more = match (known, link.hint) {
            (None, _) => true,
            (Some(Some(Hint { fix: known, .. })), Some(Hint { fix: new, .. })) => {
                new.method != known.method || new.radius_m < known.radius_m / 2.0
            }
            (Some(_), _) => false,
        };
        says_more && !joined && self.merged_into.is_none() && link.other != self.id
    }

    /// The believed places of incidents that could be the same fire.
    pub fn hints(&self) -> Vec<Hint> {
        self.links.iter().filter_map(|it| it.hint).collect()
    }

    pub fn waiting(&self, matter: Matter) -> Option<&Waiting> {
        self.waiting.iter().find(|it| it.matter == matter)
    }

    /// Until when an officer may look before the policy acts or somebody is rung; `None`
    /// afterwards.
    pub fn review_by(&self) -> Option<Timestamp> {
        self.review().filter(|it| it.rounds == 0).map(|it| it.due_at)
    }

    /// Since when nobody has looked at what should have been looked at by now.
    pub fn unseen_since(&self) -> Option<Timestamp> {
        self.review().filter(|it| it.rounds > 0).map(|it| it.since)
    }

    /// Nobody looked in time.
    pub fn review_missed(&self) -> bool {
        self.review().is_some_and(|it| it.rounds > 0)
    }

    fn review(&self) -> Option<&Waiting> {
        self.waiting(Matter::Review).or_else(|| self.waiting(Matter::Declined))
    }
}
