//! `default_point` and `[points.*]` of `model.toml`: each point is checked alone, against the
//! others and against `[thresholds]`.

use super::{Levels, refuse};
use crate::error::{Error, Result};
use crate::triage::confirm::Thresholds;
use crate::triage::detection::Class;
use crate::triage::point::{Estimate, Expected, OperatingPoint, PointName, Points};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[points.NAME]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawPoint {
    smoke: f32,
    fire: f32,
    smoke_tile: f32,
    fire_tile: f32,
    evidence: f32,
    expected: RawExpected,
}

/// Each figure: its value, and the lower and upper ends of its 95 % interval.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExpected {
    false_alarms_per_camera_day: [f64; 3],
    event_recall: [f64; 3],
    minutes_to_alarm: [f64; 3],
}

/// `None`: the model has no operating points.
pub(super) fn check(
    default: Option<&str>,
    mut points: BTreeMap<String, RawPoint>,
    screen: Levels,
    alarm: Levels,
) -> Result<Option<Points>> {
    let default = match default {
        None if points.is_empty() => return Ok(None),
        None => {
            return refuse(
                "[points] need default_point = \"balanced\" (or quiet, or eager) at the \
                top of the file",
            );
        }
        Some(name) => name.parse().map_err(|e| Error::invalid(format!("default_point: {e}")))?,
    };
    if let Some(name) = points.keys().find(|name| name.parse::<PointName>().is_err()) {
        return refuse(&format!(
            "[points.{name}]: points are named quiet, balanced and eager; rename or remove it"
        ));
    }
    let mut point = |name: PointName| match points.remove(name.as_str()) {
        Some(point) => point.check(name, screen),
        None => refuse(&format!(
            "[points.{name}] is missing: give quiet, balanced and eager, or none of them and no \
            default_point"
        )),
    };
    let [quiet, balanced, eager] =
        [point(PointName::Quiet)?, point(PointName::Balanced)?, point(PointName::Eager)?];
    let lasting = |name, point| tuned(name, point).map(|it| it.lasting(Class::Smoke, None));
    let (first, second, third) = (
        lasting(PointName::Quiet, &quiet)?,
        lasting(PointName::Balanced, &balanced)?,
        lasting(PointName::Eager, &eager)?,
    );
    if !(first >= second && second >= third) {
        return refuse(&format!(
            "[points]: the smoke score that alarms if it lasts must fall or stay equal from quiet \
            to balanced to eager; by smoke and evidence it is {first:.3}, {second:.3} and \
            {third:.3}: exchange their numbers"
        ));
    }
    let points = Points { default, quiet, balanced, eager };
    let start = points.get(default);
    if (start.smoke, start.fire) != (alarm.smoke, alarm.fire) {
        return refuse(&format!(
            "default_point {default} has smoke {} and fire {}, but [thresholds.alarm] has {} and \
            {}: make them equal",
            start.smoke, start.fire, alarm.smoke, alarm.fire
        ));
    }
    Ok(Some(points))
}

/// The defaults with the numbers of the point.
pub(super) fn tuned(name: PointName, point: &OperatingPoint) -> Result<Thresholds> {
    let tuned = point.tune(&Thresholds::default());
    tuned.map_err(|why| Error::invalid(format!("[points.{name}]: {}", why.en)))
}

impl RawPoint {
    fn check(self, name: PointName, screen: Levels) -> Result<OperatingPoint> {
        let Self { smoke, fire, smoke_tile, fire_tile, evidence, expected } = self;
        let levels = [
            (Class::Smoke, smoke),
            (Class::Fire, fire),
            (Class::Smoke, smoke_tile),
            (Class::Fire, fire_tile),
        ];
        if !levels.iter().all(|(class, level)| screen.of(*class) <= *level && *level <= 1.0) {
            return refuse(&format!(
                "[points.{name}]: [thresholds.screen] <= point <= 1 must hold for smoke and fire, \
                of the whole and of tiles"
            ));
        }
        let figure = |key: &str, [value, lower, upper]: [f64; 3], most: f64| {
            if 0.0 <= lower && lower <= value && value <= upper && upper <= most {
                return Ok(Estimate { value, lower, upper });
            }
            refuse(&format!(
                "[points.{name}.expected] {key} must be [value, lower, upper] with 0 <= lower <= \
                value <= upper <= {most}"
            ))
        };
        let expected = Expected {
            false_alarms_per_camera_day: figure(
                "false_alarms_per_camera_day",
                expected.false_alarms_per_camera_day,
                FALSE_ALARMS_MAX,
            )?,
            event_recall: figure("event_recall", expected.event_recall, 1.0)?,
            minutes_to_alarm: figure("minutes_to_alarm", expected.minutes_to_alarm, MINUTES_MAX)?,
        };
        Ok(OperatingPoint { smoke, fire, smoke_tile, fire_tile, evidence, expected })
    }
}

/// One a minute all day: a higher rate is a mistake in the file.
const FALSE_ALARMS_MAX: f64 = 1440.0;
/// One day: no evaluation follows an event for longer.
const MINUTES_MAX: f64 = 1440.0;

#[cfg(test)]
mod tests {
    use super::super::Manifest;
    use super::super::tests::HEATMAP;
    use super::*;
    use crate::triage::confirm::Numbers;
    use jiff::SignedDuration;

    const POINTS: &str = r#"
[points.quiet]
smoke = 0.91
fire = 0.99
smoke_tile = 0.91
fire_tile = 0.99
evidence = 4.5
[points.quiet.expected]
false_alarms_per_camera_day = [0.0, 0.0, 1.1]
event_recall = [0.86, 0.7, 1.0]
minutes_to_alarm = [2.0, 0.0, 4.0]

[points.balanced]
smoke = 0.5
fire = 0.6
smoke_tile = 0.5
fire_tile = 0.6
evidence = 3.4
[points.balanced.expected]
false_alarms_per_camera_day = [0.5, 0.1, 2.0]
event_recall = [0.9, 0.8, 1.0]
minutes_to_alarm = [1.0, 0.0, 3.0]

[points.eager]
smoke = 0.31
fire = 0.6
smoke_tile = 0.31
fire_tile = 0.6
evidence = 2.2
[points.eager.expected]
false_alarms_per_camera_day = [3, 1, 7]
event_recall = [0.96, 0.9, 1.0]
minutes_to_alarm = [0.5, 0.0, 1.0]
"#;

    fn with_points() -> String {
        format!("default_point = \"balanced\"\n{HEATMAP}{POINTS}")
    }

    #[test]
    fn three_points_are_understood_and_none_are_fine() {
        assert_eq!(Manifest::parse(HEATMAP).expect("valid").points, None);
        let points = Manifest::parse(&with_points()).expect("valid").points.expect("three of them");
        assert_eq!(points.default, PointName::Balanced);
        assert_eq!(
            (points.quiet.smoke, points.quiet.fire_tile, points.eager.evidence),
            (0.91, 0.99, 2.2)
        );
        let Expected { event_recall, .. } = points.quiet.expected;
        assert_eq!(event_recall, Estimate { value: 0.86, lower: 0.7, upper: 1.0 });

        let base =
            Thresholds::default().with(|it| (it.version, it.hysteresis) = (7, 0.7)).expect("valid");
        let tuned = points.quiet.tune(&base).expect("valid");
        let Numbers { smoke, fire, smoke_tile, fire_tile, evidence, version, hysteresis, .. } =
            *tuned;
        assert_eq!([smoke, fire, smoke_tile, fire_tile, evidence], [0.91, 0.99, 0.91, 0.99, 4.5]);
        assert_eq!((version, hysteresis), (7, 0.7), "the rest stays");
        let short = base
            .with(|it| (it.memory, it.evidence) = (SignedDuration::from_secs(30), 2.0))
            .expect("valid");
        assert!(
            points.quiet.tune(&short).is_err(),
            "30 s of memory never hold 4.5: the camera would be deaf"
        );
        assert_eq!((points.name_of(&tuned), points.name_of(&base)), (Some(PointName::Quiet), None));
    }

    #[test]
    fn every_mistake_is_named_with_its_cure() {
        let whole = with_points();
        let eager = POINTS
            .split_once("[points.eager]")
            .map(|(_, it)| format!("[points.eager]{it}"))
            .expect("it is there");
        for (from, to, complaint) in [
            ("default_point = \"balanced\"", "", "need default_point"),
            ("\"balanced\"", "\"loud\"", "choose quiet, balanced or eager"),
            ("\"balanced\"", "\"quiet\"", "make them equal"),
            (eager.as_str(), "", "[points.eager] is missing"),
            (POINTS, "", "or none of them and no default_point"),
            (eager.as_str(), &eager.replace("eager", "loud"), "[points.loud]"),
            (
                eager.as_str(),
                &format!("{eager}{}", eager.replace("eager", "loud")),
                "[points.loud]",
            ),
            ("evidence = 4.5", "evidense = 4.5", "expected one of `smoke`, `fire`, `smoke_tile`"),
            ("evidence = 4.5\n", "", "missing field `evidence`"),
            ("event_recall = [0.86, 0.7, 1.0]\n", "", "missing field `event_recall`"),
            ("event_recall = [0.86, 0.7, 1.0]", "event_recall = [0.86]", "event_recall"),
            ("smoke = 0.31", "smoke = 0.29", "[points.eager]: [thresholds.screen] <= point"),
            ("fire = 0.99", "fire = 1.01", "[points.quiet]: [thresholds.screen] <= point <= 1"),
            ("fire = 0.99", "fire = nan", "[points.quiet]"),
            ("smoke = 0.91", "smoke = 0.31", "from quiet to balanced to eager"),
            ("smoke = 0.31", "smoke = 0.71", "from quiet to balanced to eager"),
            (
                "smoke_tile = 0.31",
                "smoke_tile = 0.29",
                "[points.eager]: [thresholds.screen] <= \
            point",
            ),
            ("evidence = 4.5", "evidence = 0", "[points.quiet]: evidence = 0.0 is out of range"),
            ("evidence = 4.5", "evidence = 12", "or no alarm is ever raised"),
            ("evidence = 4.5", "evidence = nan", "[points.quiet]: evidence"),
            (
                "[0.0, 0.0, 1.1]",
                "[1.2, 0.0, 1.1]",
                "false_alarms_per_camera_day must be [value, lower, upper]",
            ),
            ("[0.0, 0.0, 1.1]", "[0.0, 0.1, 1.1]", "false_alarms_per_camera_day"),
            ("[0.0, 0.0, 1.1]", "[0.0, 0.0, inf]", "false_alarms_per_camera_day"),
            ("[2.0, 0.0, 4.0]", "[2.0, -1.0, 4.0]", "minutes_to_alarm"),
            ("[0.86, 0.7, 1.0]", "[86.0, 70.0, 100.0]", "upper <= 1"),
        ] {
            let text = whole.replacen(from, to, 1);
            assert_ne!(text, whole, "{from}");
            let error = Manifest::parse(&text).expect_err(to);
            assert!(error.message.contains(complaint), "{from} -> {to}: {}", error.message);
        }
        let changed = HEATMAP.replace("smoke = 0.5", "smoke = 0.55");
        let error = Manifest::parse(&format!("default_point = \"balanced\"\n{changed}{POINTS}"))
            .expect_err("differ");
        assert!(
            error.message.contains("smoke 0.5 and fire 0.6, but [thresholds.alarm] has 0.55"),
            "{}",
            error.message
        );
    }
}
