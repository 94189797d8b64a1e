//! Pure: what a ranger reports and how an office closes, as events carry them.

use super::NeighbourCounty;
use crate::triage::category::STILL_CHECKING;
use crate::triage::false_alarm::FalseAlarm;
use crate::triage::geo::LatLon;
use crate::triage::id::PictureId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Position {
    pub at: LatLon,
    pub accuracy_m: f64,
    /// When the phone measured it, by its own clock; `None`: not told, and then it proves no
    /// arrival.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured_at: Option<Timestamp>,
}

/// 核查反馈
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
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
    pub fn is_interim(&self) -> bool {
        self.category == STILL_CHECKING
    }
}

/// What words in the log are. In logs before 0.2 all are plain.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Remark {
    #[default]
    Plain,
    /// A reply from a phone without data that could not be understood.
    UnclearReply,
    /// Somebody who was called and not sent cannot go.
    CannotGo,
}

impl Remark {
    pub(super) fn is_plain(&self) -> bool {
        *self == Self::Plain
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Flames {
    None,
    Small,
    Large,
}

/// 销号
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Closure {
    /// Official category code; 误报 has its second-level reason.
    pub category: u8,
    pub false_alarm: Option<FalseAlarm>,
    pub words: String,
    /// 转报: whose county it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub passed_to: Option<NeighbourCounty>,
}
