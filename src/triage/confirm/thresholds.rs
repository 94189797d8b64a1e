//! The tunable numbers of confirmation, and the log-odds of one box under them.

use super::witness::{CORRELATION_S, SAYS_MAX, SILENCE, share};
use crate::base::range::{more_than, within};
use crate::lang::Words;
use crate::triage::detection::{Class, Detection, Tile};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::{Deref, RangeInclusive};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

/// The tunable numbers of one camera, published by the ops page; the version stands on every
/// sighting.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
#[schema(as = Thresholds)]
pub struct Numbers {
    pub version: u32,
    /// Neutral scores, 0..1, by class: over it a box speaks for fire there, below it against. Of
    /// the whole view, and of tiles.
    pub smoke: f32,
    pub fire: f32,
    pub smoke_tile: f32,
    pub fire_tile: f32,
    /// A place alarms from so much evidence on, log-odds: ln((1 - b) / a), with a the share of
    /// quiet places that may alarm, and b the share of fires that may be missed.
    pub evidence: f32,
    /// Evidence fades to 37 % in so long, so that what a place said an hour ago says nothing now.
    #[schema(value_type = String, format = Duration)]
    pub memory: SignedDuration,
    /// While alarmed, a box counts from `neutral score × hysteresis`.
    pub hysteresis: f32,
    /// The same place may alarm again only after so long without any counted box.
    #[schema(value_type = String, format = Duration)]
    pub cooldown: SignedDuration,
    /// Boxes smaller than this share of the frame do not count; larger than `area_max` neither
    /// (huge clouds).
    pub area_min: f32,
    pub area_max: f32,
}

/// [`Numbers`] with which a fire can alarm. There are no others: whatever comes from a file, a
/// page or the database is checked here, once.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Numbers")]
pub struct Thresholds(Numbers);

impl Default for Numbers {
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

/// Neutral scores. At 1 no box could ever speak for a fire, at 0 every box would.
const NEUTRAL: RangeInclusive<f32> = 0.001..=0.999;
/// The lower end: nine in ten quiet places would alarm. The upper end is what the longest memory
/// can hold.
const EVIDENCE: RangeInclusive<f32> = 0.1..=60.0;
const HYSTERESIS: RangeInclusive<f32> = 0.01..=1.0;
/// A fire that flares up again on the next day is told again.
const COOLDOWN: RangeInclusive<SignedDuration> =
    SignedDuration::ZERO..=SignedDuration::from_hours(24);
const SHARE: RangeInclusive<f32> = 0.0..=1.0;
/// The next version is this one plus one.
const VERSIONS: RangeInclusive<u32> = 0..=1_000_000_000;

impl TryFrom<Numbers> for Thresholds {
    type Error = Words;

    /// # Errors
    /// Says which number is out of its range, in both languages.
    fn try_from(it: Numbers) -> Result<Self, Words> {
        let usual = Numbers::default();
        within("version", it.version, VERSIONS, usual.version)?;
        within("smoke", it.smoke, NEUTRAL, usual.smoke)?;
        within("fire", it.fire, NEUTRAL, usual.fire)?;
        within("smoke_tile", it.smoke_tile, NEUTRAL, usual.smoke_tile)?;
        within("fire_tile", it.fire_tile, NEUTRAL, usual.fire_tile)?;
        within("memory", it.memory, MEMORY_MIN..=MEMORY_MAX, usual.memory)?;
        within("evidence", it.evidence, EVIDENCE, usual.evidence)?;
        let most = SAYS_MAX * it.memory.as_secs_f64() / CORRELATION_S;
        if f64::from(it.evidence) >= most {
            let (evidence, memory) = (it.evidence, it.memory);
            return Err(Words::new(
                format!(
                    "evidence = {evidence} 应小于 memory（{memory:#}）秒数的十分之一，即 \
                    {most:.1}，否则永不报警"
                ),
                format!(
                    "evidence = {evidence} must be less than a tenth of the seconds of memory \
                    ({memory:#}), {most:.1}, or no alarm is ever raised"
                ),
            ));
        }
        within("hysteresis", it.hysteresis, HYSTERESIS, usual.hysteresis)?;
        within("cooldown", it.cooldown, COOLDOWN, usual.cooldown)?;
        within("area_min", it.area_min, SHARE, usual.area_min)?;
        within("area_max", it.area_max, SHARE, usual.area_max)?;
        more_than("area_max", it.area_max, "area_min", it.area_min)?;
        Ok(Self(it))
    }
}

impl Deref for Thresholds {
    type Target = Numbers;

    fn deref(&self) -> &Numbers {
        &self.0
    }
}

/// To everybody outside they are their numbers.
impl PartialSchema for Thresholds {
    fn schema() -> RefOr<Schema> {
        Numbers::schema()
    }
}

impl ToSchema for Thresholds {
    fn name() -> Cow<'static, str> {
        Numbers::name()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Numbers::schemas(schemas);
    }
}

impl Thresholds {
    /// These with some numbers changed.
    ///
    /// # Errors
    /// As `try_from`.
    pub fn with(&self, change: impl FnOnce(&mut Numbers)) -> Result<Self, Words> {
        let mut numbers = self.0;
        change(&mut numbers);
        numbers.try_into()
    }

    /// The same as another version: what is published counts on.
    #[must_use]
    pub fn versioned(&self, version: u32) -> Self {
        Self(Numbers { version: version.min(*VERSIONS.end()), ..self.0 })
    }

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
        self.memory.as_secs_f64()
    }

    /// The lowest constant score at which a place alarms, 0..=1.
    pub fn lasting(&self, class: Class, tile: Option<Tile>) -> f32 {
        let says = f64::from(self.evidence) * CORRELATION_S / self.memory_s();
        score(logit(self.neutral(class, tile)) + says)
    }

    /// Neutral scores with which a place that keeps the level of its class, 0..1, alarms within a
    /// minute, at a cadence of 10 s as of 60 s. Rounded to four digits.
    #[must_use]
    pub fn with_levels(&self, smoke: f32, fire: f32) -> Self {
        let below = f64::from(self.evidence) / share(60.0, self.memory_s());
        let [smoke, fire] = [smoke, fire].map(|level| {
            let neutral = (10_000.0 * score(logit(level) - below)).round() / 10_000.0;
            neutral.clamp(*NEUTRAL.start(), *NEUTRAL.end())
        });
        Self(Numbers { smoke, fire, smoke_tile: smoke, fire_tile: fire, ..self.0 })
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
