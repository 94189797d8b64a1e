//! Pure: everything that can happen to an incident, as past events. Their log is the truth.

mod pictures;
mod place;
mod report;

pub use super::false_alarm::FalseAlarm;
pub use place::{Candidate, Hint, Neighbour, NeighbourCounty, Place};
pub use report::{Closure, Flames, Position, Remark, Verification};

use super::geo::Fix;
use super::id::{
    ActionId, DispatchId, GridId, IncidentId, MessageId, PersonId, PictureId, SightingId,
};
use super::policy::{Channel, Role, Stage};
use super::score::Priority;
use super::sighting::Sighting;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One line of the append-only log, before the store chains it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// Server time, by which deadlines, lateness and order are judged.
    pub at: Timestamp,
    pub actor: Actor,
    /// The phone's or page's id of the action; a repeat of it yields no event.
    pub action: Option<ActionId>,
    /// When the person did it, by the phone's clock; shown beside `at`, never instead of it.
    pub happened_at: Option<Timestamp>,
    pub event: Event,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Actor {
    /// The program itself: cameras, feeds, clocks.
    System,
    Ranger {
        person: PersonId,
    },
    Officer {
        person: PersonId,
    },
}

impl Actor {
    pub fn person(&self) -> Option<&PersonId> {
        match self {
            Self::System => None,
            Self::Ranger { person } | Self::Officer { person } => Some(person),
        }
    }
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(
    clippy::large_enum_variant,
    reason = "events are written and folded one by one; boxes would only be in the way"
)]
pub enum Event {
    Opened {
        incident: IncidentId,
        sighting: Sighting,
        place: Place,
        priority: Priority,
        review_by: Option<Timestamp>,
        policy_version: u32,
        /// `None` in logs before 0.2: there the fix follows from the sightings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fix: Option<Fix>,
        /// The incident this one was split off.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        split_from: Option<IncidentId>,
        /// The first of many alike within a minute, with which this one is rung.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        flood: Option<IncidentId>,
    },
    SightingAdded {
        sighting: Sighting,
        priority: Priority,
        /// An officer looks by then, when that is sooner than before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review_by: Option<Timestamp>,
    },
    /// 位置更正: the evidence now says another place.
    Relocated {
        fix: Fix,
        place: Place,
        why: WhyMoved,
        priority: Priority,
        /// Somebody is on the way to another grid: the officer has until then to say who goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer_by: Option<Timestamp>,
        /// The ranger sent is told (位置更正): another grid, or farther than an arrival may be off.
        #[serde(default)]
        tell_ranger: bool,
        /// Rangers of other grids who are told of it now for the first time.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        neighbours: Vec<Neighbour>,
    },
    /// The evidence says another place, but somebody is on the way or there: an officer decides.
    RelocationProposed {
        fix: Fix,
        place: Place,
        why: WhyMoved,
        answer_by: Timestamp,
        /// Rangers of the grids it may rather be in, told meanwhile: knowing costs nothing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        neighbours: Vec<Neighbour>,
    },
    /// The officer keeps the place.
    RelocationDismissed,
    /// Evidence taken out: it belongs to no fire here (误并), and the fix is found anew without it.
    StruckOut {
        sighting: SightingId,
        reason: String,
    },
    /// The undo of `StruckOut`.
    Reinstated {
        sighting: SightingId,
    },
    /// Part of the evidence became an incident of its own.
    SplitOff {
        sightings: Vec<SightingId>,
        into: IncidentId,
    },
    /// Another incident is this same fire: its evidence counts here too.
    Merged {
        other: IncidentId,
        sightings: Vec<Sighting>,
    },
    /// This incident is the same fire as another, which leads. Clocks that run go on.
    MergedInto {
        into: IncidentId,
    },
    /// The undo of `Merged` and of `MergedInto`.
    Unmerged {
        other: IncidentId,
    },
    /// 可能同一火情: could be the same fire, not proven.
    Linked {
        other: IncidentId,
        /// Where the other one was then believed to be, when both began at about the same time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<Hint>,
    },
    /// New evidence at the place of a closed incident, in its quiet time.
    Reminded {
        sighting: Sighting,
    },
    /// In logs before 0.2: the review time ran out and somebody was rung.
    ReviewMissed {
        tell: Vec<Role>,
        channel: Channel,
    },
    /// Somebody has to act and has not: rung, and again at `again_at` unless it is done.
    Rang {
        matter: Matter,
        /// From 0.
        round: u32,
        tell: Vec<Role>,
        channel: Channel,
        /// Who stands in these roles and has not answered lately, in their order.
        people: Vec<Called>,
        again_at: Timestamp,
        /// Told together with this incident, in one ring.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        with: Option<IncidentId>,
    },
    /// Somebody who was rung has heard and said so (收到): it stops their own ringing only.
    Answered {
        person: PersonId,
        role: Role,
        means: Means,
    },
    /// A text or call that did not reach its person, and who is told instead.
    Undelivered {
        message: MessageId,
        role: Role,
        person: Option<PersonId>,
        channel: Channel,
        why: String,
        /// No gateway carries the channel, for anybody.
        no_channel: bool,
        next: Option<NextTry>,
    },
    /// Somebody has taken an undelivered message upon himself: told him by phone, or went.
    UndeliveredTaken {
        message: MessageId,
    },
    /// An officer is deciding: what the policy would do by itself waits until then.
    Intended {
        intent: Intent,
        until: Timestamp,
    },
    /// The time for that decision is over, and the policy may act again.
    IntentOver,
    Dispatched(Dispatched),
    Acknowledged {
        dispatch: DispatchId,
        means: Means,
        late: bool,
    },
    /// 不能前往: the reason is mandatory.
    Declined {
        dispatch: DispatchId,
        reason: String,
    },
    Arrived {
        dispatch: DispatchId,
        means: Means,
        position: Option<Position>,
        distance_m: Option<f64>,
        late: bool,
        /// 声称到达: why the position does not prove it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unproven: Option<Unproven>,
    },
    Reported {
        dispatch: DispatchId,
        verification: Verification,
        late: bool,
        /// 待审核 until then; `None` in logs before 0.2.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review_by: Option<Timestamp>,
    },
    /// One of the three limits passed without its step. Exactly once each.
    DeadlineMissed {
        dispatch: DispatchId,
        stage: Stage,
    },
    /// A rung of the ladder fired. Exactly once each.
    Escalated {
        dispatch: DispatchId,
        rung: u8,
        tell: Vec<Role>,
        channel: Channel,
        /// Who stands in these roles, in their order; empty in logs before 0.2.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        people: Vec<Called>,
    },
    /// 退回补充
    SentBack {
        dispatch: DispatchId,
        reason: String,
        /// The form is due again then; `None` in logs before 0.2.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplement_by: Option<Timestamp>,
    },
    Closed {
        closure: Closure,
    },
    /// A late or repeated step of a person, kept for the record without changing the state (补传).
    LateActionKept {
        words: String,
        #[serde(default, skip_serializing_if = "Remark::is_plain")]
        about: Remark,
    },
    PhotoAdded {
        picture: PictureId,
    },
    /// An officer's note is also the office's answer to a request for support.
    Noted {
        words: String,
        #[serde(default, skip_serializing_if = "Remark::is_plain")]
        about: Remark,
    },
    /// 请求支援: the ranger at the fire needs more than himself.
    SupportAsked {
        dispatch: DispatchId,
        reason: String,
    },
}

/// Why the place changed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum WhyMoved {
    /// New evidence came.
    Evidence { sighting: SightingId },
    /// Evidence was struck out, put back, split off or merged in.
    Sorted,
    /// Another incident that could be the same fire points at another grid.
    Linked { other: IncidentId },
    /// An officer took a proposed place over.
    Officer,
}

/// What somebody has to do about an incident, besides the dispatch's own three steps.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Matter {
    /// 待研判: look at the alert, send somebody or close it.
    Review,
    /// 待改派: the ranger cannot go; send another.
    Declined,
    /// 位置更正: decide who continues.
    Relocation,
    /// 超时: the whole ladder has been rung and the step is still not taken.
    Overdue,
    /// 待审核: review the report.
    ReportReview,
    /// 待补充: complete the form that was sent back.
    Supplement,
    /// 请求支援: arrange what the ranger needs, and record it.
    Support,
}

/// A person rung in a role.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Called {
    pub role: Role,
    /// `None`: nobody stands in it today.
    pub person: Option<PersonId>,
}

/// Where an undelivered message goes on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NextTry {
    pub role: Role,
    /// `Some`: the same person on another channel.
    pub person: Option<PersonId>,
    pub channel: Channel,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    Dispatch,
    FalseAlarm,
}

/// Why a position does not prove an arrival.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unproven {
    /// Farther from where the fire may be than the policy allows.
    Far,
    /// Measured too long before the tap.
    Old,
    /// 无定位
    NoPosition,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Dispatched {
    pub dispatch: DispatchId,
    pub ranger: PersonId,
    /// The grid he is sent to; `None` in logs before 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<GridId>,
    /// The dispatch this one takes over from (改派).
    pub replaces: Option<DispatchId>,
    pub zero_at: Timestamp,
    pub acknowledge_by: Timestamp,
    pub arrive_by: Timestamp,
    pub report_by: Timestamp,
    /// The ladder with absolute times, fixed at dispatch so that a later policy changes nothing
    /// behind anyone's back.
    pub ladder: Vec<Due>,
    pub policy_version: u32,
    /// From then on, with every rung fired, the office is rung until the step is taken; `None` in
    /// logs before 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chase_at: Option<Timestamp>,
    /// 为什么派他
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Because>,
    /// Rangers of the other grids it may be in, who are told with this dispatch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<Neighbour>,
}

/// One reason for sending or not sending; the page words it in the reader's language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Because {
    /// Stable code, see `triage::sending`.
    pub code: String,
    /// What it speaks of: a grid's name, a kiln's, a number.
    pub value: String,
}

/// A rung with its instant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Due {
    pub at: Timestamp,
    pub unless: Stage,
    pub tell: Vec<Role>,
    pub channel: Channel,
}

/// By whose hand a step was taken; the KPI keeps proxy apart from own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "means", rename_all = "snake_case")]
pub enum Means {
    Phone,
    SmsReply,
    KeyPress,
    /// 代接收: a named officer on the ranger's word.
    Proxy {
        reason: String,
    },
    /// Implied by a later step (arriving acknowledges).
    Implied,
}
