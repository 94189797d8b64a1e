//! Pure: 火情线索, one located piece of evidence from any source.

use super::detection::{BoundingBox, Class, ModelVersion};
use super::false_alarm::FalseAlarm;
use super::geo::Locus;
use super::id::{CameraId, PictureId, PoseId, SightingId};
use super::opinion::Opinion;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Sighting {
    pub id: SightingId,
    pub source: Source,
    /// When it was seen (frame time, overpass time, call time), not when we heard of it.
    pub observed_at: Timestamp,
    pub locus: Locus,
    /// 0..1; for satellites low 0.3, nominal 0.6, high 0.9.
    pub confidence: f32,
    /// Pictures kept as evidence, best first.
    pub pictures: Vec<PictureId>,
    /// 演练: made by a drill. Flagged on every screen, message and statistic.
    pub drill: bool,
    /// Words that label it without hiding it: "in mask", "known heat source: 砖厂" …
    pub labels: Vec<Label>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    Camera {
        camera: CameraId,
        pose: PoseId,
        class: Class,
        #[schema(value_type = (f32, f32, f32, f32))]
        bbox: BoundingBox,
        model: ModelVersion,
        /// Version of the published thresholds under which it was confirmed.
        thresholds_version: u32,
        /// What a second network said of it; `None` in logs before there was one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        opinion: Option<Opinion>,
    },
    Satellite {
        hotspot_key: String,
        satellite: String,
        instrument: String,
        frp_mw: Option<f64>,
        pixels: u32,
    },
    /// A call to 12119, a tower, a ranger.
    Person { who: String, words: String },
    /// Another system's alarm.
    System {
        name: String,
        device: String,
        /// What it sent; `None`: a log before there was an intake.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        alarm: Option<SystemAlarm>,
    },
    /// 邻县通报: another county of this centre tells that its fire may lie here.
    Neighbour {
        county: String,
        /// Of the incident there.
        code: String,
    },
}

/// What another system says of its alarm, and what fixes what it sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct SystemAlarm {
    /// Its own id of the alarm.
    pub id: String,
    /// Its own word for what it saw; empty: it gave none.
    pub class: String,
    /// sha256 of the original, which is kept as it came.
    pub sha256: String,
}

impl Sighting {
    /// What a second network said of it.
    pub fn opinion(&self) -> Option<&Opinion> {
        match &self.source {
            Source::Camera { opinion, .. } => opinion.as_ref(),
            _ => None,
        }
    }
}

impl Source {
    pub fn kind(&self) -> SourceKind {
        match self {
            Self::Camera { .. } => SourceKind::Camera,
            Self::Satellite { .. } => SourceKind::Satellite,
            Self::Person { .. } => SourceKind::Person,
            Self::System { .. } | Self::Neighbour { .. } => SourceKind::System,
        }
    }
}

#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize, ToSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    Camera,
    Satellite,
    Person,
    System,
}

/// Labels order and explain; they never hide or close an alert (design invariant 3).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "label", rename_all = "snake_case")]
pub enum Label {
    /// 已知热源: inside the radius of a registered heat source that has not expired.
    KnownHeatSource { name: String },
    /// 疑似已批用火: inside an approved burn's place and window.
    ApprovedBurn { name: String },
    /// 禁火期内用火: the same, but a ban is in force there. It holds nothing back.
    BurnInBan { name: String, ban: String },
    /// Inside a mask drawn by the office on this pose.
    Masked { name: String },
    /// 边界热点: the uncertainty touches another grid, township or county.
    Border { neighbours: Vec<String> },
    /// Outside the county: to be passed on to the neighbour.
    OutsideCounty,
    /// 今日已核查: a person looked at this very place within the last day and found no forest fire.
    VerifiedLately { code: String, category: u8 },
    /// 固定热源（历史）: closed here `checks` times as no forest fire, learnt from the log, valid
    /// until a date.
    StaticHeat { checks: u32, until: Timestamp },
    /// 误报记忆: at this place of this view people found a false alarm within the last 30 days, of
    /// this cause.
    LookAlike { code: String, closed_at: Timestamp, cause: Option<FalseAlarm> },
    /// The camera has turned or its direction was never surveyed: it gives no bearing.
    NoBearing { camera: CameraId },
    /// 设备未登记: another system's device that the camera register does not have, and that did not
    /// say where it saw it.
    UnknownDevice { device: String },
}
