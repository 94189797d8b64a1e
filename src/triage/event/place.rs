//! Pure: where an incident lies in the office's registers, as events carry it.

use crate::triage::geo::Fix;
use crate::triage::id::{GridId, PersonId};
use crate::triage::sighting::Label;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where the incident lies in the office's registers, found at the edge and passed in.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Place {
    pub name: String,
    /// The likeliest grid.
    pub grid: Option<GridId>,
    pub village: Option<String>,
    pub township: Option<String>,
    /// Rangers who could go, best first: the likeliest grid's A角, its B角, then those of the other
    /// candidates.
    pub suggested: Vec<PersonId>,
    /// False when the fire may lie in more than one grid: 边界热点.
    pub unique: bool,
    pub labels: Vec<Label>,
    /// 可能网格: every grid the fire may be in, the likeliest first. Empty in logs before 0.2 and
    /// without grids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
    /// Whose county it is when it is not ours: 转报.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbour: Option<NeighbourCounty>,
}

/// Where another incident is believed to be that may be the same fire.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Hint {
    pub fix: Fix,
    /// How likely both are one, 0..=1.
    pub likely: f64,
}

/// A grid the fire may be in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Candidate {
    pub grid: GridId,
    /// "官庄镇大坪村 3号网格"
    pub name: String,
    /// How likely the fire is in this grid, 0..=1: its share of the doubt, and more where linked
    /// incidents point. All candidates and what lies in no grid sum to 1.
    pub weight: f64,
    /// Share of the fix's own doubt that lies in this grid. In logs before 0.2 the weight was the
    /// share.
    #[serde(default)]
    pub share: f64,
    /// Who acts as its A角 and B角 today.
    pub ranger: Option<PersonId>,
    pub backup: Option<PersonId>,
}

/// The county on the other side of the border, and the number of its duty office where the register
/// has one.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct NeighbourCounty {
    pub name: String,
    pub phone: Option<String>,
}

/// 邻格: a ranger told of a fire that may be in his grid.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Neighbour {
    pub grid: GridId,
    pub ranger: PersonId,
    /// Asked to go as well, because the two grids are about equally likely; the first who answers
    /// goes.
    pub go: bool,
}
