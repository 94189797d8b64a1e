//! The tunable numbers of confirmation, and the log-odds of one box under them.

use super::witness::{CORRELATION_S, SAYS_MAX, SILENCE, share};
use crate::triage::detection::{Class, Detection, Tile};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The tunable numbers of one camera, published by the ops page; the version stands on every sighting.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    pub version: u32,
    /// Neutral scores, 0..1, by class: over it a box speaks for fire there, below it against. Of the whole view, and of tiles.
    pub smoke: f32,
    pub fire: f32,
    pub smoke_tile: f32,
    pub fire_tile: f32,
    /// A place alarms from so much evidence on, log-odds: ln((1 - b) / a), with a the share of quiet places that may alarm, and b
    /// the share of fires that may be missed.
    pub evidence: f32,
    /// Evidence fades to 37 % in so long, so that what a place said an hour ago says nothing now.
    #[schema(value_type = String, format = Duration)]
    pub memory: SignedDuration,
    /// While alarmed, a box counts from `neutral score × hysteresis`.
    pub hysteresis: f32,
    /// The same place may alarm again only after so long without any counted box.
    #[schema(value_type = String, format = Duration)]
    pub cooldown: SignedDuration,
    /// Boxes smaller than this share of the frame do not count; larger than `area_max` neither (huge clouds).
    pub area_min: f32,
    pub area_max: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            version: 1,
            smoke: 0.5,
            fire: 0.5,
            smoke_tile: 0.5,
            fire_tile: 0.5,
            // 3 % of the quiet places alarm, and 10 % of the fires do not: ln(0.9 / 0.03).
            evidence: 3.4,
            memory: SignedDuration::from_mins(2),
            hysteresis: 0.8,
            cooldown: SignedDuration::from_mins(10),
            area_min: 0.0002,
            area_max: 0.6,
        }
    }
}

/// Longest memory: a fire must not gather evidence for longer before it alarms. The rules call ten
/// minutes late.
pub const MEMORY_MAX: SignedDuration = SignedDuration::from_mins(10);
/// Shortest memory: with less, two looks a minute apart would be unrelated.
const MEMORY_MIN: SignedDuration = SignedDuration::from_secs(30);

impl Thresholds {
    /// The neutral score of a class in the whole view, or in a tile.
    pub fn neutral(&self, class: Class, tile: Option<Tile>) -> f32 {
        match (class, tile) {
            (Class::Smoke, None) => self.smoke,
            (Class::Fire, None) => self.fire,
            (Class::Smoke, Some(_)) => self.smoke_tile,
            (Class::Fire, Some(_)) => self.fire_tile,
        }
    }

    /// Log-odds of a box, [`SILENCE`]..=[`SAYS_MAX`]. A box below the neutral score never counts
    /// less than no box at all.
    pub(super) fn says(&self, it: &Detection) -> f64 {
        (logit(it.confidence) - logit(self.neutral(it.class, it.tile))).clamp(SILENCE, SAYS_MAX)
    }

    pub(super) fn memory_s(&self) -> f64 {
        self.memory.max(MEMORY_MIN).as_secs_f64()
    }

    /// The lowest constant score at which a place alarms, 0..=1.
    pub fn lasting(&self, class: Class, tile: Option<Tile>) -> f32 {
        let says = f64::from(self.evidence) * CORRELATION_S / self.memory_s();
        score(logit(self.neutral(class, tile)) + says)
    }

    /// Neutral scores with which a place that keeps the level of its class, 0..1, alarms within a
    /// minute, at a cadence of 10 s as of 60 s. Rounded to four digits.
    #[must_use]
    pub fn with_levels(self, smoke: f32, fire: f32) -> Self {
        let below = f64::from(self.evidence) / share(60.0, self.memory_s());
        let [smoke, fire] = [smoke, fire].map(|level| (10_000.0 * score(logit(level) - below)).round() / 10_000.0);
        Self { smoke, fire, smoke_tile: smoke, fire_tile: fire, ..self }
    }

    /// What is wrong with the numbers, in Chinese and in English; `None`: nothing.
    pub fn problem(&self) -> Option<(&'static str, &'static str)> {
        let is_share = |value: f32| value > 0.0 && value <= 1.0;
        let most = SAYS_MAX * self.memory_s() / CORRELATION_S;
        if ![self.smoke, self.fire, self.smoke_tile, self.fire_tile].into_iter().all(is_share) {
            Some(("烟、火的中性分应大于0且不超过1。", "smoke, fire, smoke_tile and fire_tile must lie in 0..1."))
        } else if !(MEMORY_MIN..=MEMORY_MAX).contains(&self.memory) {
            Some(("记忆时长应为30秒到10分钟。", "memory must lie in 30s..=10min."))
        } else if !(self.evidence > 0.0 && f64::from(self.evidence) < most) {
            Some((
                "证据限值应大于0，且小于记忆秒数的十分之一，否则永不报警。",
                "evidence must be more than zero and less than a tenth of the memory's seconds, or no alarm is ever raised.",
            ))
        } else if !is_share(self.hysteresis) {
            Some(("滞回系数应大于0且不超过1。", "hysteresis must lie in 0..1."))
        } else if self.cooldown.is_negative() || self.cooldown > SignedDuration::from_hours(24) {
            Some(("冷却时间应为0到24小时。", "cooldown must lie between zero and 24 hours."))
        } else if !(self.area_min >= 0.0 && self.area_min < self.area_max && self.area_max <= 1.0) {
            Some(("尺寸范围应在0到1之间，最小小于最大。", "area_min < area_max must lie in 0..1."))
        } else {
            None
        }
    }
}

/// Log-odds of a score, which is clamped to a millionth from 0 and 1.
fn logit(score: f32) -> f64 {
    let score = f64::from(score).clamp(1e-6, 1.0 - 1e-6);
    (score / (1.0 - score)).ln()
}

fn score(log_odds: f64) -> f32 {
    (1.0 / (1.0 + (-log_odds).exp())) as f32
}
