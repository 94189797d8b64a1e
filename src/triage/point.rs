//! Pure: a model's operating points, from few false alarms to early alarms, and what its evaluation
//! expects of each.

use super::confirm::{Numbers, Thresholds};
use crate::lang::Words;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;
use utoipa::ToSchema;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PointName {
    /// 安静: fewest false alarms
    Quiet,
    /// 均衡
    Balanced,
    /// 灵敏: finds most, alarms earliest
    Eager,
}

impl PointName {
    pub const ALL: [Self; 3] = [Self::Quiet, Self::Balanced, Self::Eager];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Balanced => "balanced",
            Self::Eager => "eager",
        }
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PointName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|point| point.as_str() == name);
        named.ok_or_else(|| {
            format!(
                "there is no operating point {name:?}: choose quiet, balanced \
            or eager"
            )
        })
    }
}

/// All three points of one model.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Points {
    /// Where a fresh office starts.
    pub default: PointName,
    pub quiet: OperatingPoint,
    pub balanced: OperatingPoint,
    pub eager: OperatingPoint,
}

impl Points {
    pub fn get(&self, name: PointName) -> &OperatingPoint {
        match name {
            PointName::Quiet => &self.quiet,
            PointName::Balanced => &self.balanced,
            PointName::Eager => &self.eager,
        }
    }

    /// The operating point with these numbers; `None` for the office's own numbers.
    pub fn name_of(&self, thresholds: &Thresholds) -> Option<PointName> {
        let is =
            |name: &PointName| self.get(*name).tune(thresholds).is_ok_and(|it| it == *thresholds);
        PointName::ALL.into_iter().find(is)
    }
}

/// The five numbers of [`Thresholds`] that trade false alarms against missed fires.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct OperatingPoint {
    pub smoke: f32,
    pub fire: f32,
    pub smoke_tile: f32,
    pub fire_tile: f32,
    pub evidence: f32,
    pub expected: Expected,
}

impl OperatingPoint {
    /// The given thresholds with the numbers of this point.
    ///
    /// # Errors
    /// When it wants more evidence than the memory of `base` can hold.
    pub fn tune(&self, base: &Thresholds) -> Result<Thresholds, Words> {
        let Self { smoke, fire, smoke_tile, fire_tile, evidence, .. } = *self;
        let point = |it: &mut Numbers| {
            *it = Numbers { smoke, fire, smoke_tile, fire_tile, evidence, ..*it }
        };
        base.with(point)
    }
}

/// Figures of the model's evaluation, cross-validated by event. They are of its cameras, not of
/// this county's.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Expected {
    pub false_alarms_per_camera_day: Estimate,
    /// Share of the fires that were alarmed to, 0..=1.
    pub event_recall: Estimate,
    /// From the first frame in which somebody drew a box around smoke, minutes.
    pub minutes_to_alarm: Estimate,
}

/// A value and the ends of its 95 % interval.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, ToSchema)]
pub struct Estimate {
    pub value: f64,
    pub lower: f64,
    pub upper: f64,
}
