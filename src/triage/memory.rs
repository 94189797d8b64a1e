//! Pure: what closed incidents teach about a place. They label and remind; they never hide strong
//! evidence.

use super::category::{OUTSIDE, STILL_CHECKING, burned, is_fixed_heat, is_forest_fire};
use super::cluster;
use super::confirm;
use super::detection::BoundingBox;
use super::event::FalseAlarm;
use super::geo::{Fix, FixMethod, Ray, Spread, turn_deg};
use super::id::{CameraId, IncidentId, PoseId};
use super::incident::Incident;
use super::overlap::SAME_APEX_M;
use super::policy::Policy;
use super::sighting::{Label, Sighting, Source, SourceKind};
use crate::base::time::COUNTY;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How long 今日已核查 counts: a day. After that the farmer may have lit the next field.
const VERIFIED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// Number of days on which somebody found heat at a place before it counts as a fixed heat source:
/// 3. Two may be chance, such as one burning of two days.
const STATIC_CHECKS: u32 = 3;
/// How long such checks count: half a year, the fire season. The kiln of autumn is not that of
/// spring.
const STATIC_MEMORY: SignedDuration = SignedDuration::from_hours(180 * 24);
/// 90 days after the last check the label ends: somebody has to check again whether it still burns
/// there.
const STATIC_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Its radius is at least 500 m, a pixel's own 375 m and the size of a works.
const STATIC_RADIUS_M: f64 = 500.0;
/// How long a false alarm that people verified counts for that part of the camera's view: 30 days.
/// Later, light, leaves and steam are of another season.
const LOOK_ALIKE_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Most places in pictures remembered of one incident: what eight cameras see of two places each. A
/// larger front resembles nothing else.
const SEEN_MAX: usize = 16;

/// What is remembered of a closed incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Closed {
    pub incident: IncidentId,
    /// As it is spoken: "1121-03". The store knows it, the incident does not.
    #[serde(default)]
    pub code: String,
    pub at: Fix,
    /// Code of the official category.
    pub category: u8,
    /// It was a fire in forest, shrub or grass: then it teaches nothing about the place.
    pub forest_fire: bool,
    pub closed_at: Timestamp,
    /// Kinds of source that had seen it.
    pub sources: BTreeSet<SourceKind>,
    pub drill: bool,
    /// Where cameras had seen it, each place once; empty in records from before pictures were
    /// remembered.
    #[serde(default)]
    pub seen: Vec<InPicture>,
    /// 误报原因
    #[serde(default)]
    pub false_alarm: Option<FalseAlarm>,
}

/// A place in the picture of one camera's pose.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct InPicture {
    pub camera: CameraId,
    pub pose: PoseId,
    pub bbox: BoundingBox,
}

impl InPicture {
    fn of(sighting: &Sighting) -> Option<Self> {
        match &sighting.source {
            // What a view shows that nobody has named is not known for long enough.
            Source::Camera { camera, pose, bbox, .. } if !pose.is_unregistered() => {
                Some(Self { camera: camera.clone(), pose: pose.clone(), bbox: *bbox })
            }
            _ => None,
        }
    }

    /// Each place once, [`SEEN_MAX`] at most.
    fn all_of(sightings: &[Sighting]) -> Vec<Self> {
        let mut seen: Vec<Self> = Vec::new();
        for place in sightings.iter().filter_map(Self::of) {
            if seen.len() < SEEN_MAX && !seen.iter().any(|known| known.is_same(&place)) {
                seen.push(place);
            }
        }
        seen
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.camera, &self.pose) == (&other.camera, &other.pose)
            && confirm::is_same_place(&self.bbox, &other.bbox)
    }
}

impl Closed {
    /// `None` while it is open.
    pub fn of(incident: &Incident) -> Option<Self> {
        let closure = incident.closure.as_ref()?;
        let category = closure.category;
        Some(Self {
            incident: incident.id,
            code: String::new(),
            at: incident.fix,
            category,
            forest_fire: is_forest_fire(category),
            closed_at: incident.closed_at?,
            sources: incident.sightings.iter().map(|it| it.source.kind()).collect(),
            drill: incident.drill,
            seen: InPicture::all_of(&incident.sightings),
            false_alarm: closure.false_alarm,
        })
    }

    /// A person found that nothing burned there.
    fn is_verified_false(&self) -> bool {
        self.is_no_forest_fire() && !burned(self.category)
    }

    /// A person found no forest fire there. Of what was passed on, nobody here has checked
    /// anything.
    fn is_no_forest_fire(&self) -> bool {
        !self.forest_fire && !self.drill && self.category != STILL_CHECKING && !self.is_outside()
    }

    /// 转报: passed on to the neighbouring county.
    fn is_outside(&self) -> bool {
        self.category == OUTSIDE
    }

    /// Closed within this time before now. Evidence of a late file may be older than the closing; a
    /// closing in the future teaches nothing.
    fn is_within(&self, limit: SignedDuration, now: Timestamp) -> bool {
        let ago = now.duration_since(self.closed_at);
        !ago.is_negative() && ago <= limit
    }
}

/// The labels that closed incidents give to a place. Those closed more than half a year ago give
/// none and need not be passed in.
pub fn labels(fix: &Fix, now: Timestamp, closed: &[Closed]) -> Vec<Label> {
    let here = |it: &&Closed| it.is_no_forest_fire() && is_same_place(fix, &it.at, 0.0);
    let verified = closed.iter().filter(here).filter(|it| it.is_within(VERIFIED_FOR, now));
    let verified = verified.max_by_key(|it| (it.closed_at, it.incident));
    let verified =
        verified.map(|it| Label::VerifiedLately { code: it.code.clone(), category: it.category });
    verified.into_iter().chain(static_heat(fix, now, closed)).collect()
}

fn static_heat(fix: &Fix, now: Timestamp, closed: &[Closed]) -> Option<Label> {
    let heat = closed.iter().filter(|it| it.is_no_forest_fire() && is_fixed_heat(it.category));
    let here: Vec<Timestamp> = heat
        .filter(|it| {
            it.is_within(STATIC_MEMORY, now) && is_same_place(fix, &it.at, STATIC_RADIUS_M)
        })
        .map(|it| it.closed_at)
        .collect();
    let days: BTreeSet<Date> = here.iter().map(|at| COUNTY.to_datetime(*at).date()).collect();
    let checks = u32::try_from(days.len()).unwrap_or(u32::MAX);
    let until = *here.iter().max()? + STATIC_FOR;
    (checks >= STATIC_CHECKS && now < until).then_some(Label::StaticHeat { checks, until })
}

/// 误报记忆: for a camera's sighting, the last verified false alarm at the same place of the same
/// view. It labels and hides nothing: smoke may rise in front of the very rock that looked like
/// smoke.
pub fn look_alike(sighting: &Sighting, now: Timestamp, closed: &[Closed]) -> Option<Label> {
    let place = InPicture::of(sighting)?;
    // An incident closed at this very instant may be the sighting's own.
    let before = |it: &&Closed| it.closed_at < now && it.is_within(LOOK_ALIKE_FOR, now);
    let taught = closed.iter().filter(before).filter(|it| it.is_verified_false());
    let here = taught.filter(|it| it.seen.iter().any(|seen| seen.is_same(&place)));
    let last = here.max_by_key(|it| (it.closed_at, it.incident))?;
    Some(Label::LookAlike {
        code: last.code.clone(),
        closed_at: last.closed_at,
        cause: last.false_alarm,
    })
}

/// The closed incident of which new evidence is only a reminder (再次报警); of several, the one
/// closed last. Within `policy.quiet_after`, the same kind of source sees again what a person found
/// to be no forest fire, or sees again outside the county what was passed on. Never for a person's
/// report, a drill or strong evidence (three pixels, or 连续). `is_outside`: whether the evidence
/// is outside.
pub fn reminds(
    sightings: &[Sighting],
    fix: &Fix,
    now: Timestamp,
    closed: &[Closed],
    policy: &Policy,
    is_outside: impl FnOnce() -> bool,
) -> Option<IncidentId> {
    let kind = sightings.first()?.source.kind();
    let is_machine = sightings
        .iter()
        .all(|it| it.source.kind() == kind && kind != SourceKind::Person && !it.drill);
    if !is_machine || cluster::heat(sightings).is_strong() {
        return None;
    }
    let same = closed
        .iter()
        .filter(|it| (it.is_no_forest_fire() || it.is_outside()) && it.sources.contains(&kind));
    let lately: Vec<&Closed> = same
        .filter(|it| it.is_within(policy.quiet_after, now) && is_same_place(fix, &it.at, 0.0))
        .collect();
    // Our fire near the neighbour's is news, and so is the neighbour's fire near our kiln.
    let outside = lately.iter().any(|it| it.is_outside()) && is_outside();
    let alike = lately.into_iter().filter(|it| it.is_outside() == outside);
    alike.max_by_key(|it| (it.closed_at, it.incident)).map(|it| it.incident)
}

/// Two places within the larger of both radii; two directions from one mast within the larger of
/// both half widths. A place and a direction are never the same: otherwise everything behind the
/// place would be the same, too.
fn is_same_place(one: &Fix, other: &Fix, least_m: f64) -> bool {
    if one.is_a_place() && other.is_a_place() {
        return one.centre.distance_m(other.centre)
            <= one.radius_m.max(other.radius_m).max(least_m);
    }
    let direction = |fix: &Fix| match (fix.method, fix.spread()) {
        (FixMethod::Bearing, Spread::Sector(Ray { apex, azimuth_deg, half_width_deg, .. })) => {
            Some((apex, azimuth_deg, half_width_deg))
        }
        _ => None,
    };
    let (Some((mast, azimuth_deg, half_deg)), Some((other, other_deg, other_half_deg))) =
        (direction(one), direction(other))
    else {
        return false;
    };
    mast.distance_m(other) <= SAME_APEX_M
        && turn_deg(azimuth_deg, other_deg) <= half_deg.max(other_half_deg)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::kit::{at, camera, person, place_m, satellite, uuid};
    use crate::triage::locate;

    const DAY: f64 = 24.0 * 60.0;

    fn closed(id: u128, minute: f64, category: u8, sighting: &Sighting) -> Closed {
        Closed {
            incident: IncidentId(uuid(id)),
            code: format!("{id}号"),
            at: locate::fix(std::slice::from_ref(sighting)),
            category,
            forest_fire: [0, 1, 5].contains(&category),
            closed_at: at(minute),
            sources: BTreeSet::from([sighting.source.kind()]),
            drill: false,
            seen: InPicture::of(sighting).into_iter().collect(),
            false_alarm: None,
        }
    }

    fn pixel(east_m: f64) -> Sighting {
        satellite(1, at(0.0), place_m(east_m, 0.0))
    }

    fn said(sighting: &Sighting, minute: f64, closed: &[Closed]) -> Vec<Label> {
        labels(&locate::fix(std::slice::from_ref(sighting)), at(minute), closed)
    }

    #[test]
    fn a_place_verified_today_says_so_for_a_day() {
        let verified = vec![Label::VerifiedLately { code: "7号".to_owned(), category: 3 }];
        let table = [
            ("two hours later", 120.0, 3, 0.0, true),
            ("within the radius", 120.0, 3, 370.0, true),
            ("outside of it", 120.0, 3, 380.0, false),
            ("the next day", 1441.0, 3, 0.0, false),
            ("a forest fire", 120.0, 0, 0.0, false),
        ];
        for (what, minute, category, east_m, expected) in table {
            let found = said(&pixel(east_m), minute, &[closed(7, 0.0, category, &pixel(0.0))]);
            assert_eq!(found, if expected { verified.clone() } else { vec![] }, "{what}");
        }
    }

    #[test]
    fn three_checks_on_three_days_make_a_fixed_heat_source() {
        let check = |id: u128, day: f64| closed(id, day * DAY, 6, &pixel(100.0 * id as f64));
        let until = at(70.0 * DAY) + STATIC_FOR;
        let three = [check(1, 0.0), check(2, 40.0), check(3, 70.0)];
        let learnt = Label::StaticHeat { checks: 3, until };
        assert_eq!(said(&pixel(200.0), 75.0 * DAY, &three), [learnt]);
        assert_eq!(said(&pixel(900.0), 75.0 * DAY, &three), [], "another place");
        assert_eq!(said(&pixel(200.0), 161.0 * DAY, &three), [], "90 days after the last");
        assert_eq!(said(&pixel(200.0), 75.0 * DAY, &three[..2]), []);
        let one_day = [check(1, 0.0), check(2, 0.01), check(3, 0.02)];
        assert_eq!(said(&pixel(200.0), 5.0 * DAY, &one_day), [], "three times on one day");
        let farm = [0.0, 10.0, 20.0].map(|day| closed(9, day * DAY, 3, &pixel(0.0)));
        assert_eq!(said(&pixel(0.0), 25.0 * DAY, &farm), [], "a field is no kiln");
    }

    /// What lies beyond the border is another office's task: it teaches nothing here, and silences
    /// no fire of ours.
    #[test]
    fn what_was_passed_on_hushes_no_fire_of_ours() {
        let passed_on = [closed(7, 0.0, OUTSIDE, &pixel(0.0))];
        let near = locate::fix(&[pixel(100.0)]);
        let reminds = |outside| {
            reminds(&[pixel(100.0)], &near, at(30.0), &passed_on, &Policy::default(), || outside)
        };
        assert_eq!(reminds(false), None, "on our side of the border");
        assert_eq!(reminds(true), Some(IncidentId(uuid(7))), "the same fire beyond it");
        assert_eq!(said(&pixel(0.0), 60.0, &passed_on), [], "nobody was there");
    }

    #[test]
    fn a_chimney_is_known_by_its_direction_from_the_mast() {
        let mast = place_m(-4000.0, 0.0);
        let smoke = |azimuth_deg| camera(1, at(0.0), "west", mast, azimuth_deg, 0.8);
        let chimney = [closed(7, 0.0, 6, &smoke(90.0))];
        assert_eq!(said(&smoke(91.5), 60.0, &chimney).len(), 1);
        assert_eq!(said(&smoke(93.0), 60.0, &chimney), []);
        assert_eq!(said(&pixel(0.0), 60.0, &chimney), [], "the pixel may lie behind it");
        assert_eq!(
            said(&smoke(90.0), 60.0, &[closed(7, 0.0, 6, &pixel(0.0))]),
            [],
            "and the smoke behind the pixel"
        );
    }

    /// Steam at the same place of the same view is labelled as similar to last week's steam, for
    /// thirty days and for that view alone.
    #[test]
    fn a_verified_false_alarm_is_remembered_where_it_stood_in_the_picture() {
        let mast = place_m(-4000.0, 0.0);
        let seen = |bbox: [f32; 4], name: &str| {
            let mut sighting = camera(1, at(0.0), name, mast, 90.0, 0.8);
            if let Source::Camera { bbox: it, .. } = &mut sighting.source {
                *it = bbox.into();
            }
            sighting
        };
        let steam = seen([0.4, 0.4, 0.1, 0.1], "west");
        let mut taught = closed(7, 0.0, 9, &steam);
        taught.false_alarm = Some(FalseAlarm::FogOrCloud);
        let like = |sighting: &Sighting, day: f64, taught: &Closed| {
            look_alike(sighting, at(day * DAY), std::slice::from_ref(taught)).is_some()
        };
        let label = Label::LookAlike {
            code: "7号".to_owned(),
            closed_at: at(0.0),
            cause: taught.false_alarm,
        };
        assert_eq!(look_alike(&steam, at(DAY), std::slice::from_ref(&taught)), Some(label));
        assert!(like(&seen([0.42, 0.38, 0.12, 0.1], "west"), 29.0, &taught), "it leans");
        assert!(!like(&steam, 31.0, &taught), "another season begins");
        assert!(!like(&seen([0.7, 0.4, 0.1, 0.1], "west"), 1.0, &taught), "elsewhere in the view");
        assert!(!like(&seen([0.4, 0.4, 0.1, 0.1], "east"), 1.0, &taught), "another camera");
        assert!(!like(&steam, 1.0, &closed(8, 0.0, 3, &steam)), "a farmer's fire was smoke");
        assert!(!like(&pixel(0.0), 1.0, &taught), "a satellite has no view");
        let front: Vec<Sighting> =
            (0..40).map(|n| seen([0.05 * (n % 20) as f32, 0.4, 0.01, 0.02], "west")).collect();
        assert_eq!(
            InPicture::all_of(&front).len(),
            SEEN_MAX,
            "each place once, and no more than anybody would call one thing"
        );
    }

    #[test]
    fn the_next_pixel_of_a_kiln_only_reminds() {
        let kiln = [closed(7, 0.0, 6, &pixel(0.0))];
        let (policy, near) = (Policy::default(), locate::fix(&[pixel(100.0)]));
        let remind = |sightings: &[Sighting], minute: f64, closed: &[Closed]| {
            reminds(sightings, &near, at(minute), closed, &policy, || false).is_some()
        };
        assert!(remind(&[pixel(100.0)], 119.0, &kiln));
        assert!(!remind(&[pixel(100.0)], 121.0, &kiln), "two hours are about one pass");
        assert!(
            !remind(&[person(2, at(1.0), place_m(0.0, 0.0), 300.0)], 1.0, &kiln),
            "a person is always heard"
        );
        let by_camera = camera(2, at(1.0), "west", place_m(-4000.0, 0.0), 90.0, 0.8);
        assert!(!remind(&[by_camera], 1.0, &kiln), "another kind of eye is news");
        let three: Vec<Sighting> =
            (0..3).map(|n| satellite(n + 1, at(1.0), place_m(375.0 * n as f64, 0.0))).collect();
        assert!(!remind(&three, 1.0, &kiln), "three pixels are more than a kiln");
        let again = [pixel(0.0), satellite(2, at(190.0), place_m(0.0, 0.0))];
        assert!(!remind(&again, 31.0, &kiln), "连续");
        assert!(
            !remind(&[pixel(0.0)], 1.0, &[closed(7, 0.0, 0, &pixel(0.0))]),
            "a forest fire flares up again"
        );
        assert!(
            !remind(&[Sighting { drill: true, ..pixel(0.0) }], 1.0, &kiln),
            "drills are their own"
        );
    }
}
