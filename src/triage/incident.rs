//! Pure: 火情, the aggregate. `open` and `handle(input, now)` decide events ([`decide`], [`inputs`], [`evidence`], [`chase`]);
//! `from_log` and `apply` fold them ([`fold`]); `next_deadline` says when time alone changes it; `owner` who has to act.

mod chase;
mod decide;
mod evidence;
mod fold;
mod inputs;
mod owner;
mod refusal;
#[cfg(test)]
mod tests;

pub use owner::Owner;
pub use refusal::Refusal;

use super::dispatch::Dispatch;
use super::event::{
    Actor, Closure, Hint, Intent, Matter, Means, NextTry, Place, Position, Recorded, Verification, WhyMoved,
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
    /// What somebody has to do, besides the dispatch's own steps, and when they are rung.
    pub waiting: Vec<Waiting>,
    /// A better place that waits for an officer's word.
    pub proposal: Option<Proposal>,
    /// A decision that an officer is making.
    pub intent: Option<Deciding>,
    /// The last dispatch (running unless declined), and those it took over from, oldest first.
    pub dispatch: Option<Dispatch>,
    pub past_dispatches: Vec<Dispatch>,
    /// Everybody who was rung or written to about it, as what.
    pub told: Vec<Told>,
    /// 叫应
    pub answers: Vec<Answer>,
    /// 未送达: messages that reached nobody, until somebody has taken them.
    pub undelivered: Vec<Undelivered>,
    /// 可能同一火情
    pub links: Vec<Link>,
    /// Incidents whose evidence counts here.
    pub merged: Vec<Merged>,
    /// The incident that leads this one.
    pub merged_into: Option<IncidentId>,
    pub split_from: Option<IncidentId>,
    /// Rung together with that one.
    pub flood: Option<IncidentId>,
    /// New evidence at this place after the closing.
    pub reminders: Vec<Sighting>,
    pub verification: Option<Verification>,
    pub closure: Option<Closure>,
    pub closed_at: Option<Timestamp>,
    /// Shared: a decision carries a copy of the incident along, and the log is most of it.
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
    /// `None`: nobody stands in the role.
    pub person: Option<PersonId>,
    pub channel: Channel,
    pub why: String,
    pub at: Timestamp,
    /// Where it went on, if anywhere.
    pub next: Option<NextTry>,
    /// No gateway carries this channel at all.
    pub no_channel: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Merged {
    pub other: IncidentId,
    /// An officer has looked at both.
    pub by_hand: bool,
    pub sightings: Vec<SightingId>,
}

/// Another incident that could be the same fire.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Link {
    pub other: IncidentId,
    /// Where it was believed to be, when both began at about the same time.
    pub hint: Option<Hint>,
}

/// What the core asks of the office while it decides: the rules, and pure questions to the registers.
#[derive(Clone, Copy)]
pub struct Office<'a> {
    pub policy: &'a Policy,
    /// Where a fix lies and who could go there now; beside it, where those that may be the same fire are believed to be.
    pub place: &'a Placing<'a>,
    /// Who stands in a role now, for an incident at a place with that ranger.
    pub holder: &'a Holder<'a>,
}

/// Fix, and where linked incidents are believed to be → place.
pub type Placing<'a> = dyn Fn(&Fix, &[Hint]) -> Place + 'a;

/// Role, place of the incident, ranger sent → who stands in the role now.
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

/// What somebody or something asks of an incident, in the imperative.
#[derive(Clone, PartialEq, Debug)]
pub enum Input {
    /// Evidence that belongs together (the pixels of one pass) comes at once and is judged at once.
    AddSightings {
        sightings: Vec<Sighting>,
    },
    /// On a closed incident, in its quiet time.
    Remind {
        sightings: Vec<Sighting>,
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
    /// 位置更正: take the proposed place over, or keep what is (and who goes).
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
    /// `other` is this same fire; the desk tells the other one in the same commit.
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
    /// An officer is deciding: what would happen by itself waits, for a bounded time.
    Intend {
        intent: Intent,
    },
    /// A message reached nobody.
    MessageFailed(Failed),
    /// Somebody takes an undelivered message upon himself.
    TakeUndelivered {
        message: MessageId,
    },
    /// Time alone: fires what is due. `dispatch` is the id to use should the policy dispatch by itself; `with`: an
    /// incident of the same flood that is rung for this one, too.
    Tick {
        dispatch: DispatchId,
        with: Option<IncidentId>,
    },
}

/// What became of a message.
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

/// Who acts, and with which id and phone time.
#[derive(Clone, PartialEq, Debug)]
pub struct By {
    pub actor: Actor,
    pub action: Option<ActionId>,
    pub happened_at: Option<Timestamp>,
}

/// Everything at which time alone changes an incident.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deadline {
    /// Somebody had to act and did not: the policy acts, or somebody is rung.
    Ring(Matter),
    /// The time for a decision that somebody was making is over.
    Intent,
    Acknowledge,
    Arrive,
    Report,
    /// The ladder's rung with this index.
    Rung(u8),
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
    /// The first of too many alike within a minute, and when it is rung.
    pub flood: Option<(IncidentId, Timestamp)>,
}

/// Evidence of one incident: five cameras that confirm a fire every ten minutes make 5,000 in a week. What comes then opens an
/// incident of its own, linked with this one, so that no log grows without end.
pub const SIGHTINGS_MAX: usize = 5_000;

impl Incident {
    /// Takes no more evidence in.
    pub fn is_full(&self) -> bool {
        self.sightings.len() + self.struck_out.len() >= SIGHTINGS_MAX
    }

    /// Where all of its evidence says that the fire is.
    pub fn located(&self) -> Fix {
        locate::fix_of(&self.sightings, self.is_joined_by_hand())
    }

    fn is_joined_by_hand(&self) -> bool {
        self.merged.iter().any(|it| it.by_hand)
    }

    /// Whether a link says more than is known, so that it is worth a line in the log. What an officer has parted, or what began at
    /// another time, gives no hint any more; a led incident is its leader's.
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

    /// Where those that could be the same fire are believed to be.
    pub fn hints(&self) -> Vec<Hint> {
        self.links.iter().filter_map(|it| it.hint).collect()
    }

    pub fn waiting(&self, matter: Matter) -> Option<&Waiting> {
        self.waiting.iter().find(|it| it.matter == matter)
    }

    /// Until when an officer may look before the policy acts or somebody is rung; `None` once that has happened.
    pub fn review_by(&self) -> Option<Timestamp> {
        self.review().filter(|it| it.rounds == 0).map(|it| it.due_at)
    }

    /// Nobody looked in time.
    pub fn review_missed(&self) -> bool {
        self.review().is_some_and(|it| it.rounds > 0)
    }

    fn review(&self) -> Option<&Waiting> {
        self.waiting(Matter::Review).or_else(|| self.waiting(Matter::Declined))
    }
}
