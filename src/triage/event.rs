//! Pure: everything that can ever have happened to an incident, in the past tense. The log of these is the truth.

use super::geo::LatLon;
use super::id::{ActionId, DispatchId, GridId, IncidentId, PersonId, PictureId};
use super::policy::{Channel, Role, Stage};
use super::score::Priority;
use super::sighting::{Label, Sighting};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One line of the append-only log, before the store chains it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Recorded {
    /// Server time: deadlines, lateness and order follow it.
    pub at: Timestamp,
    pub actor: Actor,
    /// The phone's or page's id of the action; a repeat of it yields no event.
    pub action: Option<ActionId>,
    /// When the person did it, by the phone's clock; shown beside `at`, never instead of it.
    pub happened_at: Option<Timestamp>,
    pub event: Event,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    Opened {
        incident: IncidentId,
        sighting: Sighting,
        place: Place,
        priority: Priority,
        review_by: Option<Timestamp>,
        policy_version: u32,
    },
    SightingAdded {
        sighting: Sighting,
        priority: Priority,
    },
    /// The review time ran out under `officer`, or the score was too low to dispatch alone: the leader on duty is rung.
    ReviewMissed {
        tell: Vec<Role>,
        channel: Channel,
    },
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
    },
    Reported {
        dispatch: DispatchId,
        verification: Verification,
        late: bool,
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
    },
    /// 退回补充
    SentBack {
        dispatch: DispatchId,
        reason: String,
    },
    Closed {
        closure: Closure,
    },
    /// A late or repeated step of a person, kept for the record without changing the state (补传).
    LateActionKept {
        words: String,
    },
    PhotoAdded {
        picture: PictureId,
    },
    Noted {
        words: String,
    },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Dispatched {
    pub dispatch: DispatchId,
    pub ranger: PersonId,
    /// The dispatch this one takes over from (改派).
    pub replaces: Option<DispatchId>,
    pub zero_at: Timestamp,
    pub acknowledge_by: Timestamp,
    pub arrive_by: Timestamp,
    pub report_by: Timestamp,
    /// The ladder with absolute times, fixed at dispatch so that a later policy changes nothing behind anyone's back.
    pub ladder: Vec<Due>,
    pub policy_version: u32,
}

/// A rung with its instant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Due {
    pub at: Timestamp,
    pub unless: Stage,
    pub tell: Vec<Role>,
    pub channel: Channel,
}

/// By whose hand a step was taken; the KPI keeps proxy apart from own.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Position {
    pub at: LatLon,
    pub accuracy_m: f64,
}

/// 核查反馈
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Verification {
    /// Code of the official category (热点类别), see `report::category`; 10 核查中 is interim.
    pub category: u8,
    pub flames: Option<Flames>,
    pub area_mu: Option<f64>,
    pub extinguished: Option<bool>,
    pub words: String,
    pub photos: Vec<PictureId>,
    /// Why there is no photo, when there is none.
    pub no_photo_reason: Option<String>,
    pub position: Option<Position>,
}

impl Verification {
    /// 核查中: the ranger is still looking. It does not stop the 60-minute clock (domain rule 21).
    pub const INTERIM: u8 = 10;

    pub fn is_interim(&self) -> bool {
        self.category == Self::INTERIM
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flames {
    None,
    Small,
    Large,
}

/// 销号
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Closure {
    /// Official category code; 误报 has its second-level reason.
    pub category: u8,
    pub false_alarm: Option<FalseAlarm>,
    pub words: String,
}

/// 误报原因, for tuning only (ux.md 6.6, level 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FalseAlarm {
    CookingSmoke,
    Incense,
    FactorySmoke,
    FogOrCloud,
    Dust,
    Glare,
    DirtyLens,
    Unclear,
}

/// Where the incident lies in the office's registers, found at the edge and passed in.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    pub name: String,
    pub grid: Option<GridId>,
    pub village: Option<String>,
    pub township: Option<String>,
    /// Rangers who could go, best first: the grid's A角, its B角, the neighbours'.
    pub suggested: Vec<PersonId>,
    /// False when the uncertainty touches another grid: 边界热点.
    pub unique: bool,
    pub labels: Vec<Label>,
}
