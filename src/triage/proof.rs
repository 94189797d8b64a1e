//! Pure: how a camera is proved at its site. The figures of a model's evaluation come from other
//! mountains. What counts here: how long the camera has watched, what people found of its alarms,
//! and which rendered smoke it finds by day and by night.

use super::id::CameraId;
use crate::base::time::COUNTY;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Hours of watching that prove a camera: a week. Every hour of the day came seven times, with some
/// weather. A week without a false alarm shows that there are at most 0.53 a day (3.69 / 7:
/// `rate::garwood`).
pub const HOURS_NEEDED: f64 = 168.0;
/// The period that counts: 30 days, as when the ops page tries thresholds. A camera's view changes
/// with the season and with its lens.
pub const LOOKS_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Hours of the county's clock that are day, and those outside of which it is night, in every
/// season of Hunan (sunrise 5:30 to 7:20, sunset 17:20 to 19:30).
const DAY: std::ops::Range<i8> = 8..17;
const NO_NIGHT: std::ops::Range<i8> = 5..20;

/// At which scale smoke was looked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The whole view.
    Whole,
    /// A part of it, enlarged.
    Tile,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    Day,
    Night,
    /// Between the two.
    Twilight,
}

impl Light {
    pub fn at(at: Timestamp) -> Self {
        match COUNTY.to_datetime(at).hour() {
            hour if DAY.contains(&hour) => Self::Day,
            hour if NO_NIGHT.contains(&hour) => Self::Twilight,
            _ => Self::Night,
        }
    }
}

/// A finished self-test.
#[derive(Clone, PartialEq, Debug)]
pub struct Tested {
    pub camera: CameraId,
    pub at: Timestamp,
    pub scale: Scale,
    /// Width of the smallest plume found at most of the places, as a share of the picture's width;
    /// None: no plume was, the test failed.
    pub smallest: Option<f32>,
}

/// Time in which a camera was looked at as often as configured.
#[derive(Clone, PartialEq, Debug)]
pub struct Watched {
    pub camera: CameraId,
    /// Start of a day, UTC.
    pub day: Timestamp,
    pub seconds: u64,
}

/// Self-tests of one camera at one scale in one light.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Tests {
    #[serde(skip)]
    pub camera: CameraId,
    pub scale: Scale,
    pub light: Light,
    pub tests: u64,
    /// Those that found any size at most of its places.
    pub passed: u64,
    /// Of those: width of the smallest plume found, at best and at worst, share of the picture's;
    /// null when none passed.
    pub smallest_best: Option<f32>,
    pub smallest_worst: Option<f32>,
    pub last_at: Timestamp,
}

/// Incidents in which the camera alarmed, and what people found.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, ToSchema)]
pub struct Verdicts {
    /// Something burned.
    pub real: u64,
    pub false_alarms: u64,
    /// Closed without saying either.
    pub other: u64,
    pub open: u64,
}

/// What is still missing to a proof.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    Hours,
    TestByDay,
    TestByNight,
}

#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Proof {
    pub camera: CameraId,
    /// Empty: the figures speak. Never a word like "good".
    pub missing: Vec<Missing>,
    pub hours: f64,
    /// Since the end of the day of the last false alarm; all of them when there was none.
    pub hours_clean: f64,
    pub last_false_at: Option<Timestamp>,
    pub verdicts: Verdicts,
    pub self_tests: Vec<Tests>,
}

impl Proof {
    /// Uses only the entries of this camera.
    pub fn of(
        camera: &CameraId,
        watched: &[Watched],
        tests: &[Tests],
        verdicts: Verdicts,
        last_false_at: Option<Timestamp>,
    ) -> Self {
        let hours_of = |counts: &dyn Fn(&Watched) -> bool| {
            let mine = watched.iter().filter(|it| it.camera == *camera && counts(it));
            mine.map(|it| it.seconds as f64).sum::<f64>() / 3600.0
        };
        let (hours, hours_clean) = (
            hours_of(&|_| true),
            hours_of(&|it| last_false_at.is_none_or(|false_at| it.day > false_at)),
        );
        let self_tests: Vec<Tests> =
            tests.iter().filter(|it| it.camera == *camera).cloned().collect();
        // It must pass at every scale at which it is tested: smoke that only tiles show is found in
        // tiles alone.
        let has_passed = |light| {
            let mut in_light = self_tests.iter().filter(|it| it.light == light).peekable();
            in_light.peek().is_some() && in_light.all(|it| it.passed > 0)
        };
        let missing = [
            (Missing::Hours, hours < HOURS_NEEDED),
            (Missing::TestByDay, !has_passed(Light::Day)),
            (Missing::TestByNight, !has_passed(Light::Night)),
        ];
        let missing = missing
            .into_iter()
            .filter_map(|(what, is_missing)| is_missing.then_some(what))
            .collect();
        Self {
            camera: camera.clone(),
            missing,
            hours,
            hours_clean,
            last_false_at,
            verdicts,
            self_tests,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn week() -> Vec<Watched> {
        let day = |n: i64| at("2026-11-01T00:00:00Z") + SignedDuration::from_hours(24 * n);
        (0..7).map(|n| Watched { camera: "c1".into(), day: day(n), seconds: 24 * 3600 }).collect()
    }

    fn tests(light: Light, passed: u64) -> Tests {
        let (smallest, last_at) = ((passed > 0).then_some(0.04), at("2026-11-07T04:00:00Z"));
        let (camera, scale) = ("c1".into(), Scale::Whole);
        Tests {
            camera,
            scale,
            light,
            tests: 3,
            passed,
            smallest_best: smallest,
            smallest_worst: smallest,
            last_at,
        }
    }

    /// A camera installed yesterday has had no false alarm either.
    #[test]
    fn a_camera_is_unproven_until_it_has_watched_a_week_and_found_smoke_by_day_and_by_night() {
        let both = [tests(Light::Day, 1), tests(Light::Night, 2)];
        let missing = |watched: &[Watched], tests: &[Tests]| {
            Proof::of(&"c1".into(), watched, tests, Verdicts::default(), None).missing
        };
        assert_eq!(missing(&week(), &both), []);
        assert_eq!(missing(&week()[1..], &both), [Missing::Hours]);
        assert_eq!(
            missing(&week(), &[tests(Light::Day, 1), tests(Light::Night, 0)]),
            [Missing::TestByNight]
        );
        let in_tiles = Tests { scale: Scale::Tile, ..tests(Light::Day, 0) };
        let whole_alone = [tests(Light::Day, 1), in_tiles, tests(Light::Night, 1)];
        assert_eq!(missing(&week(), &whole_alone), [Missing::TestByDay], "never passed in tiles");
        assert_eq!(
            missing(&week(), &[tests(Light::Twilight, 3)]),
            [Missing::TestByDay, Missing::TestByNight]
        );
        let neighbour = Proof::of(&"c2".into(), &week(), &both, Verdicts::default(), None);
        assert_eq!(
            (neighbour.missing.len(), neighbour.hours),
            (3, 0.0),
            "another camera's week proves nothing of it"
        );
    }

    #[test]
    fn clean_hours_begin_after_the_day_of_the_last_false_alarm() {
        let proof = Proof::of(
            &"c1".into(),
            &week(),
            &[],
            Verdicts::default(),
            Some(at("2026-11-04T09:00:00Z")),
        );
        assert_eq!((proof.hours, proof.hours_clean), (168.0, 72.0));
    }

    #[test]
    fn day_and_night_are_those_of_the_county_in_every_season() {
        for (utc, light) in [
            ("2026-12-21T00:10:00Z", Light::Day),
            ("2026-12-21T08:50:00Z", Light::Day),
            ("2026-12-21T09:10:00Z", Light::Twilight),
            ("2026-06-21T12:10:00Z", Light::Night),
            ("2026-06-20T20:50:00Z", Light::Night),
            ("2026-06-20T21:10:00Z", Light::Twilight),
        ] {
            assert_eq!(Light::at(at(utc)), light, "{utc}");
        }
    }
}
