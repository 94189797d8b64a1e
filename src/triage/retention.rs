//! Pure: which pictures must be kept (留存期). One rule for removing pictures, for finding missing
//! ones, and for explaining why one is gone. The log itself is kept for good.

use super::category::burned;
use super::detection::BoundingBox;
use super::event::{Event, Recorded};
use super::id::{IncidentId, PictureId};
use crate::base::range::{at_least, within};
use crate::lang::Words;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Lack of room removes no pictures of a false alarm within a week of its closing: somebody may
/// still doubt it.
const FALSE_ALARM_SPARED: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Nor pictures of no incident within a day, in which their sighting is long recorded. Until it is
/// filed, its pictures must be kept (`store::pictures`).
const UNCLAIMED_SPARED: SignedDuration = SignedDuration::from_hours(24);
/// Nor pictures of a strip (过程图) within the day in which it is judged.
const STRIP_SPARED: SignedDuration = SignedDuration::from_hours(24);
/// Days after the closing that a strip is kept if nothing burned: time to learn from it
/// (`export-training`), and no longer. A fire's strip is kept as long as its other pictures.
const STRIP_DAYS: u32 = 30;

/// Longest retention: a hundred years.
const DAYS_MAX: u32 = 36_500;

/// How long each kind is kept, in days. The numbers are this program's choice; an office with rules
/// of its own sets them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Pictures of what burned, after the closing: three years, in which its case may be reviewed.
    pub fires_days: u32,
    /// Pictures of what did not burn, and of drills, after the closing: half a year, as long as the
    /// program remembers the place.
    pub false_alarms_days: u32,
    /// Pictures of no incident: a week.
    pub unclaimed_days: u32,
    /// Hotspots and the lists they came in: 400 days, so that a season can be compared with the one
    /// before.
    pub hotspots_days: u32,
    /// The model's output for every frame: 30 days, twice the fortnight of the 清明 season.
    pub analyses_days: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            fires_days: 1_095,
            false_alarms_days: 180,
            unclaimed_days: 7,
            hotspots_days: 400,
            analyses_days: 30,
        }
    }
}

/// What to do with a picture; the more it is worth, the greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Keeping {
    /// Its time is over: it is deleted.
    Over,
    /// Kept while there is room.
    Spare(Spare),
    /// It must be kept.
    Owed,
}

/// In the order in which they are deleted when room is short.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Spare {
    Strip,
    Unclaimed,
    FalseAlarm,
}

impl Retention {
    /// Refuses a limit that would delete evidence before it has been looked at, or that is no time
    /// at all.
    pub fn check(&self) -> Result<(), Words> {
        let usual = Self::default();
        within("fires_days", self.fires_days, 7..=DAYS_MAX, usual.fires_days)?;
        within("false_alarms_days", self.false_alarms_days, 7..=DAYS_MAX, usual.false_alarms_days)?;
        at_least("fires_days", self.fires_days, "false_alarms_days", self.false_alarms_days)?;
        within("unclaimed_days", self.unclaimed_days, 1..=DAYS_MAX, usual.unclaimed_days)?;
        // A hotspot that is forgotten counts as new.
        within("hotspots_days", self.hotspots_days, 30..=DAYS_MAX, usual.hotspots_days)?;
        within("analyses_days", self.analyses_days, 1..=3_650, usual.analyses_days)
    }

    /// For a picture of no incident, by the time at which it was stored.
    pub fn unclaimed(&self, kept_at: Timestamp, now: Timestamp) -> Keeping {
        spare(
            Spare::Unclaimed,
            now.duration_since(kept_at),
            UNCLAIMED_SPARED,
            days(self.unclaimed_days),
        )
    }

    /// For a picture of a closed incident.
    fn closed(&self, burned: bool, since: Timestamp, now: Timestamp) -> Keeping {
        let age = now.duration_since(since);
        match burned {
            true if age < days(self.fires_days) => Keeping::Owed,
            true => Keeping::Over,
            false => {
                spare(Spare::FalseAlarm, age, FALSE_ALARM_SPARED, days(self.false_alarms_days))
            }
        }
    }
}

fn spare(
    kind: Spare,
    age: SignedDuration,
    spared: SignedDuration,
    kept: SignedDuration,
) -> Keeping {
    match age {
        age if age < spared => Keeping::Owed,
        age if age < kept => Keeping::Spare(kind),
        _ => Keeping::Over,
    }
}

/// A number of days.
pub fn days(count: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(count) * 24)
}

/// What the log says about pictures: which incidents name each, whose evidence it is, and how those
/// incidents ended. About 300 bytes a picture, and some ten thousand pictures a year.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The incidents that name each picture, with the last time at which each did.
    pictures: HashMap<PictureId, Vec<(IncidentId, Timestamp)>>,
    belongs: HashMap<PictureId, Belongs>,
    incidents: HashMap<IncidentId, Known>,
}

/// Whose evidence a picture is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Belongs {
    pub incident: IncidentId,
    /// The box of the smoke in the picture; photos have none.
    pub bbox: Option<BoundingBox>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Known {
    drill: bool,
    /// Time and category of the closing.
    closed: Option<(Timestamp, u8)>,
}

impl Ledger {
    /// Reads one event. It needs all of them, in their order.
    pub fn note(&mut self, incident: IncidentId, recorded: &Recorded) {
        let known = self.incidents.entry(incident).or_default();
        match &recorded.event {
            Event::Opened { sighting, .. } => known.drill = sighting.drill,
            Event::Closed { closure } => known.closed = Some((recorded.at, closure.category)),
            _ => {}
        }
        // Evidence of a led incident stays that incident's, where it was filed.
        let is_led = matches!(recorded.event, Event::Merged { .. });
        for (picture, bbox) in recorded.event.pictures() {
            if !is_led {
                self.belongs.insert(picture, Belongs { incident, bbox });
            }
            let named = self.pictures.entry(picture).or_default();
            named.retain(|(by, _)| *by != incident);
            named.push((incident, recorded.at));
        }
    }

    /// `None`: no incident names it.
    pub fn belongs(&self, picture: PictureId) -> Option<Belongs> {
        self.belongs.get(&picture).copied()
    }

    /// The strictest demand of the incidents that name it. `None`: no incident names it.
    pub fn keeping(
        &self,
        picture: PictureId,
        policy: &Retention,
        now: Timestamp,
    ) -> Option<Keeping> {
        let of = |(incident, named_at): &(IncidentId, Timestamp)| match self.incidents.get(incident)
        {
            Some(Known { drill, closed: Some((at, category)) }) => {
                policy.closed(!drill && burned(*category), *at.max(named_at), now)
            }
            _ => Keeping::Owed,
        };
        self.pictures.get(&picture)?.iter().map(of).max()
    }

    /// For a picture of a strip, by the incident to which its sighting belongs. `None`: to none
    /// yet. It is supporting material: after a day it is deleted before anything that the log
    /// names.
    pub fn strip(
        &self,
        of: Option<IncidentId>,
        captured_at: Timestamp,
        policy: &Retention,
        now: Timestamp,
    ) -> Keeping {
        let of_no_fire = days(STRIP_DAYS.min(policy.false_alarms_days));
        let (since, kept) = match of.and_then(|incident| self.incidents.get(&incident)) {
            Some(Known { closed: None, .. }) => (now, of_no_fire),
            Some(Known { drill: false, closed: Some((at, category)) }) if burned(*category) => {
                (*at, days(policy.fires_days))
            }
            Some(Known { closed: Some((at, _)), .. }) => (*at, of_no_fire),
            None => (captured_at, of_no_fire),
        };
        match now.duration_since(since) {
            age if age >= kept => Keeping::Over,
            _ if now.duration_since(captured_at) < STRIP_SPARED => Keeping::Owed,
            _ => Keeping::Spare(Spare::Strip),
        }
    }
}

#[cfg(test)]
mod tests;
