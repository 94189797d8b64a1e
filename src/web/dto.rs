//! The schemas of `/openapi.json`. Evidence, places and steps use triage's own types. Everything
//! that depends on the reader is made in [`eyes`].

mod eyes;
mod numbers;
mod township;

pub(super) use eyes::{Eyes, camera};

use crate::frame::Health;
use crate::lang::Lang;
use crate::register::InForce;
use crate::store::{KnownHotspot, Status};
use crate::triage::detection::Scores;
use crate::triage::dispatch::Step;
use crate::triage::event::{
    Actor, Because, Closure, Event, Flames, Means, NeighbourCounty, NextTry,
};
use crate::triage::geo::{Fix, LatLon, Locus};
use crate::triage::hotspot::HotspotConfidence;
use crate::triage::id::{
    CameraId, DispatchId, GridId, IncidentId, MessageId, PersonId, PictureId, SightingId,
};
use crate::triage::incident::{Deciding, Owner, State, Waiting};
use crate::triage::policy::{self, Stage};
use crate::triage::score::Priority;
use crate::triage::sighting::{Label, Source};
use crate::web::http::rights;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct MeView {
    pub person: PersonId,
    pub name: String,
    pub role: rights::Name,
    pub county: String,
    /// 乡镇: to which the role is confined; empty: it is not.
    pub townships: Vec<String>,
    pub lang: Lang,
    pub now: Timestamp,
}

#[derive(Serialize, ToSchema)]
pub(super) struct PersonView {
    pub id: PersonId,
    pub name: String,
    /// In the words of the policy's roles: `ranger`, `backup_ranger`, `village_chief`,
    /// `township_duty` …
    pub role: policy::Role,
    /// `null` for rangers' eyes, except their own.
    pub phone: Option<String>,
    pub distance_m: Option<f64>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct IncidentView {
    pub id: IncidentId,
    /// Short number people say aloud, for example "1121-03".
    pub code: String,
    pub version: u64,
    pub state: State,
    pub drill: bool,
    pub opened_at: Timestamp,
    pub first_seen_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub fix: Fix,
    pub place: PlaceView,
    /// 火险等级, 预警信号 and 禁火令 that hold at its place now, or held when it was closed.
    pub in_force: InForce,
    pub suggested: Vec<PersonView>,
    /// 责任人: who has to act next, and until when; `null` when closed, and for rangers' eyes.
    pub owner: Option<Owner>,
    /// 为什么派他 / 为什么没派, the most decisive first; in stable codes.
    pub because: Vec<Because>,
    /// What somebody has to do, and when they are rung.
    pub waiting: Vec<Waiting>,
    /// A better place that waits for an officer's word.
    pub proposal: Option<ProposalView>,
    /// An officer is deciding, and nothing is sent by itself until then.
    pub intent: Option<Deciding>,
    /// 未送达
    pub undelivered: Vec<UndeliveredView>,
    /// 叫应
    pub answers: Vec<AnswerView>,
    /// The reader was rung or written to without being sent, and has not said 收到.
    pub owes_answer: bool,
    /// 可能同一火情: ids of other incidents.
    pub links: Vec<IncidentId>,
    /// Incidents whose evidence counts here.
    pub merged: Vec<IncidentId>,
    pub merged_into: Option<IncidentId>,
    pub split_from: Option<IncidentId>,
    /// 误并: evidence struck out.
    pub struck_out: Vec<SightingView>,
    /// New evidence at this place since the closing.
    pub reminders: usize,
    /// Some of many: what opened it, the surest with a picture, and the newest.
    pub sightings: Vec<SightingView>,
    /// How many there are.
    pub sightings_count: usize,
    pub priority: Priority,
    pub review_by: Option<Timestamp>,
    pub review_missed: bool,
    pub dispatch: Option<DispatchView>,
    pub past_dispatches: Vec<DispatchView>,
    pub verification: Option<VerificationView>,
    /// 退回补充: why the report came back, until it is completed.
    pub sent_back: Option<String>,
    pub closure: Option<Closure>,
    pub closed_at: Option<Timestamp>,
    /// The newest lines; there are `version` of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub log: Option<Vec<LogView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub messages: Option<Vec<MessageView>>,
}

impl IncidentView {
    /// True when a message reached nobody, so the view holds whole phone numbers.
    pub(super) fn asks_for_a_call(&self) -> bool {
        let unsent = self.messages.iter().flatten().any(|it| it.phone.is_some());
        unsent || self.undelivered.iter().any(|it| it.phone.is_some())
    }
}

#[derive(Serialize, ToSchema)]
pub(super) struct PlaceView {
    pub name: String,
    pub grid: Option<GridId>,
    pub village: Option<String>,
    pub township: Option<String>,
    pub unique: bool,
    pub labels: Vec<Label>,
    /// 可能网格, the likeliest first.
    pub candidates: Vec<CandidateView>,
    /// Whose county it is when it is not ours.
    pub neighbour: Option<NeighbourCounty>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct CandidateView {
    pub grid: GridId,
    pub name: String,
    /// Share of the doubt that lies in this grid, 0..=1.
    pub weight: f64,
    pub ranger: Option<PersonView>,
    pub backup: Option<PersonView>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct ProposalView {
    pub fix: Fix,
    pub place: PlaceView,
}

#[derive(Serialize, ToSchema)]
pub(super) struct UndeliveredView {
    pub message: MessageId,
    /// Name, or empty when nobody stands in the role.
    pub name: String,
    pub role: policy::Role,
    pub phone: Option<String>,
    pub channel: policy::Channel,
    pub why: String,
    pub at: Timestamp,
    /// Who is told instead, and by what.
    pub next: Option<NextTry>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct AnswerView {
    pub person: PersonView,
    pub role: policy::Role,
    pub at: Timestamp,
    pub means: Means,
}

/// 邻格: a ranger of another grid it may be in, told with the dispatch.
#[derive(Serialize, ToSchema)]
pub(super) struct NeighbourView {
    pub grid: GridId,
    pub ranger: PersonView,
    /// Asked to go as well.
    pub go: bool,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SightingView {
    pub id: SightingId,
    pub source: SourceView,
    pub observed_at: Timestamp,
    pub locus: Locus,
    pub confidence: f32,
    pub pictures: Vec<PictureId>,
    pub drill: bool,
    pub labels: Vec<Label>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct SourceView {
    #[serde(flatten)]
    pub source: Source,
    /// A ranger has no list of cameras to look the name up in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub camera_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct DispatchView {
    pub id: DispatchId,
    pub ranger: PersonView,
    pub dispatched_at: Timestamp,
    pub zero_at: Timestamp,
    pub acknowledge_by: Timestamp,
    pub arrive_by: Timestamp,
    pub report_by: Timestamp,
    pub acknowledged: Option<Step>,
    pub arrived: Option<Step>,
    pub reported: Option<Step>,
    pub declined: Option<String>,
    pub missed: Vec<Stage>,
    pub grid: Option<GridId>,
    /// 声称到达: a tap whose position did not prove it.
    pub claimed: Option<Step>,
    pub neighbours: Vec<NeighbourView>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct VerificationView {
    pub category: u8,
    pub flames: Option<Flames>,
    pub area_mu: Option<f64>,
    pub extinguished: Option<bool>,
    pub words: String,
    pub photos: Vec<PictureId>,
    pub no_photo_reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct LogView {
    /// Its place in this incident's log, from 1.
    pub version: u64,
    pub at: Timestamp,
    pub actor: Actor,
    pub name: Option<String>,
    pub happened_at: Option<Timestamp>,
    /// `null` for a township's eyes where it names an incident of elsewhere.
    pub event: Option<Event>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct MessageView {
    pub id: MessageId,
    pub created_at: Timestamp,
    /// Name and the last four digits of the number.
    pub to: String,
    /// The whole number, where somebody has to phone because the text has not gone out.
    pub phone: Option<String>,
    pub role: policy::Role,
    pub channel: policy::Channel,
    pub status: Status,
    pub attempts: u32,
    pub words: String,
    pub error: Option<String>,
    pub sent_at: Option<Timestamp>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct CameraView {
    pub id: CameraId,
    pub name: String,
    pub at: LatLon,
    /// None: never surveyed.
    pub azimuth_deg: Option<f64>,
    pub field_of_view_deg: f64,
    pub range_m: f64,
    pub health: Health,
    pub health_since: Option<Timestamp>,
    pub detail: Option<String>,
    /// What is wrong with the main stream; the camera is watched all the same.
    pub main_detail: Option<String>,
    pub last_frame_at: Option<Timestamp>,
    /// Getting to know the view: until then the model has no picture from before to compare with;
    /// null when it has.
    pub learning_until: Option<Timestamp>,
    pub last_scores: Option<Scores>,
    /// Cadences since the program started, with and without a look.
    pub slots_met: u64,
    pub slots_missed: u64,
    /// Pictures of the main stream fetched on suspicion, since the program started.
    pub main_fetched: u64,
    pub alarms_today: usize,
    /// Without user and password.
    pub url: String,
    pub main_url: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct HotspotView {
    pub key: String,
    pub at: LatLon,
    pub acquired_at: Timestamp,
    pub satellite: String,
    pub instrument: String,
    pub confidence: HotspotConfidence,
    pub frp_mw: Option<f64>,
    pub scan_km: Option<f64>,
    pub track_km: Option<f64>,
    pub incident: Option<IncidentId>,
}

impl From<KnownHotspot> for HotspotView {
    fn from(KnownHotspot { hotspot, incident }: KnownHotspot) -> Self {
        Self {
            key: hotspot.key,
            at: hotspot.at,
            acquired_at: hotspot.acquired_at,
            satellite: hotspot.satellite,
            instrument: hotspot.instrument,
            confidence: hotspot.confidence,
            frp_mw: hotspot.frp_mw,
            scan_km: hotspot.scan_km,
            track_km: hotspot.track_km,
            incident,
        }
    }
}
