//! Pure: why an alarm was false.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// 误报原因, for tuning only (ux.md 6.6, level 2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
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
