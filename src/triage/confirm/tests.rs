use super::*;
use crate::triage::detection::{ModelVersion, Scores, Stream};
use crate::triage::kit::start;
use crate::triage::whatif;
use jiff::SignedDuration;
use proptest::prelude::*;

const HERE: [f32; 4] = [0.40, 0.40, 0.06, 0.06];
const THERE: [f32; 4] = [0.80, 0.30, 0.06, 0.06];
/// HERE lies in LEFT, THERE in RIGHT.
const LEFT: Tile = Tile { x: 0, y: 40, w: 100, h: 100 };
const RIGHT: Tile = Tile { x: 100, y: 40, w: 100, h: 100 };

fn look(seconds: i64, boxes: &[(Class, f32, [f32; 4])]) -> Analysis {
    let detection = |(class, confidence, bbox): &(Class, f32, [f32; 4])| Detection {
        class: *class,
        confidence: *confidence,
        bbox: (*bbox).into(),
        tile: None,
    };
    Analysis {
        camera: "tower-1".into(),
        pose: "default".into(),
        captured_at: start() + SignedDuration::from_secs(seconds),
        scores: Scores::default(),
        detections: boxes.iter().map(detection).collect(),
        model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.1.0".to_owned() },
        stream: Stream::Screened,
        tiles: Vec::new(),
        has_past: true,
    }
}

fn smoke(seconds: i64, confidence: f32) -> Analysis {
    look(seconds, &[(Class::Smoke, confidence, HERE)])
}

/// Smoke in a tile, while the whole view sees nothing.
fn in_tile(seconds: i64, confidence: f32) -> Analysis {
    let mut look = smoke(seconds, confidence);
    look.detections[0].tile = Some(LEFT);
    look.tiles = vec![LEFT];
    look
}

/// Seconds of the looks at which something was confirmed.
fn alarms(thresholds: &Thresholds, looks: &[Analysis]) -> Vec<i64> {
    let mut confirmer = Confirmer::new(thresholds.clone());
    let found = looks.iter().flat_map(|it| confirmer.observe(it));
    found.map(|it| it.confirmed_at.duration_since(start()).as_secs()).collect()
}

fn of_default(looks: &[Analysis]) -> Vec<i64> {
    alarms(&Thresholds::default(), looks)
}

fn every_10_s(confidences: &[f32]) -> Vec<Analysis> {
    (0..).zip(confidences).map(|(n, confidence)| smoke(n * 10, *confidence)).collect()
}

/// One look every `cadence_s` seconds, for `minutes`.
fn steady(cadence_s: i64, minutes: i64, look: impl Fn(i64) -> Analysis) -> Vec<Analysis> {
    (0..minutes * 60).step_by(cadence_s as usize).map(look).collect()
}

/// Neutral score 0.5, limit 3.4. The higher the scores, the sooner the alarm. Misses cost evidence,
/// and scores below neutral never alarm.
#[test]
fn evidence_adds_up_and_fades() {
    let never = vec![];
    for (what, confidences, expected) in [
        ("certain smoke", [0.999; 12].to_vec(), vec![30]),
        ("likely smoke", [0.9; 12].to_vec(), vec![50]),
        ("one that stands under every threshold of before", [0.75; 20].to_vec(), vec![170]),
        ("too short", [0.9; 5].to_vec(), never.clone()),
        ("missed twice", [0.9, 0.9, 0.0, 0.9, 0.9, 0.0, 0.9, 0.9, 0.9, 0.9].to_vec(), vec![90]),
        ("seen now and then", [0.9, 0.0, 0.0, 0.0].repeat(20), never.clone()),
        ("neutral", [0.5; 60].to_vec(), never.clone()),
        ("below neutral", [0.4; 60].to_vec(), never),
    ] {
        assert_eq!(of_default(&every_10_s(&confidences)), expected, "{what}");
    }
}

#[test]
fn looks_every_10_s_and_every_60_s_mean_the_same() {
    for (score, expected) in
        [(0.75, [170, 180, 180]), (0.8, [110, 120, 120]), (0.9, [50, 60, 60]), (0.99, [30, 30, 60])]
    {
        let at = |cadence_s| of_default(&steady(cadence_s, 10, |s| smoke(s, score)));
        assert_eq!(
            [10, 30, 60].map(|cadence_s| at(cadence_s)[..1].to_vec()),
            expected.map(|s| vec![s]),
            "{score}"
        );
    }
}

#[test]
fn a_single_look_is_never_enough() {
    let eager = Thresholds::default().with(|it| it.evidence = 0.2).expect("valid");
    let second_after = |seconds| alarms(&eager, &[smoke(0, 1.0), smoke(seconds, 1.0)]).len();
    assert_eq!((second_after(7), second_after(8)), (0, 1), "nor are two of the same moment");
    assert!(
        alarms(&eager, &[smoke(0, 1.0), smoke(10, 0.0)]).is_empty(),
        "nobody has seen it twice"
    );
    let mut both = in_tile(0, 1.0);
    both.detections.extend(smoke(0, 1.0).detections);
    assert!(alarms(&eager, &[both]).is_empty(), "the whole and a tile of one look are one look");
}

/// At a start, and after a camera has turned.
#[test]
fn a_look_without_a_past_counts_half() {
    let glare = |has_past: bool| steady(10, 5, |s| Analysis { has_past, ..smoke(s, 0.9) });
    assert_eq!((of_default(&glare(true)), of_default(&glare(false))), (vec![50], vec![170]));
}

#[test]
fn what_only_a_tile_sees_alarms_though_the_whole_is_silent() {
    assert_eq!(of_default(&steady(10, 5, |s| in_tile(s, 0.9))), [50]);
    let strict = Thresholds::default().with(|it| it.smoke_tile = 0.95).expect("valid");
    assert!(
        alarms(&strict, &steady(10, 5, |s| in_tile(s, 0.9))).is_empty(),
        "tiles have neutral scores of their own"
    );
    // Each tile is looked at every 30 s. Between these looks the whole view sees nothing, which is
    // no evidence against the tile.
    let in_turn = |s: i64| match s % 30 {
        0 => in_tile(s, 0.9),
        10 => Analysis { tiles: vec![RIGHT], ..look(s, &[]) },
        _ => look(s, &[]),
    };
    assert_eq!(of_default(&steady(10, 5, in_turn)), [60]);
}

#[test]
fn a_silent_tile_counts_where_it_looked() {
    let then = |tile: Tile| {
        let later = |n: i64| {
            if n % 2 == 0 {
                in_tile(n * 10, 0.9)
            } else {
                Analysis { tiles: vec![tile], ..look(n * 10, &[]) }
            }
        };
        of_default(&(0..30).map(later).collect::<Vec<_>>())
    };
    assert_eq!((then(RIGHT).len(), then(LEFT).len()), (1, 0));
}

/// Their errors are independent: their evidence adds up.
#[test]
fn whole_and_tile_together_are_twice_as_sure_as_one() {
    let both = |s: i64, whole: f32| {
        let mut look = in_tile(s, 0.9);
        look.detections.extend(smoke(s, whole).detections);
        look
    };
    let evidence = |looks: &[Analysis]| {
        let mut confirmer =
            Confirmer::new(Thresholds::default().with(|it| it.evidence = 0.1).expect("valid"));
        looks
            .iter()
            .flat_map(|it| confirmer.observe(it))
            .map(|it| it.evidence)
            .next()
            .expect("an alarm")
    };
    let alone = evidence(&steady(10, 1, |s| in_tile(s, 0.9)));
    let together = evidence(&steady(10, 1, |s| both(s, 0.9)));
    assert!((together / alone - 2.0).abs() < 1e-4, "{alone} {together}");
    assert!(evidence(&steady(10, 1, |s| both(s, 0.1))) >= alone, "the weaker takes nothing away");
}

/// Three objects with equal scores, just enough for the limit if they stood still: growing smoke, a
/// driving lorry, a rock.
#[test]
fn growth_speaks_for_smoke_and_drift_and_standing_against() {
    let seen = |bbox: fn(f32) -> [f32; 4], score: f32| {
        steady(10, 60, |s| look(s, &[(Class::Smoke, score, bbox(s as f32 / 60.0))])) // minutes
    };
    let stands = |_| [0.4, 0.4, 0.04, 0.04];
    let grows = |m: f32| [0.4, 0.44 - 0.02 * m, 0.04, 0.04 + 0.02 * m];
    let drives = |m: f32| [0.1 + 0.08 * m, 0.4, 0.04, 0.04];
    let first = |looks: Vec<Analysis>| of_default(&looks).first().copied();
    let (standing, growing, driving) =
        (first(seen(stands, 0.75)), first(seen(grows, 0.75)), first(seen(drives, 0.75)));
    assert_eq!((standing, growing, driving), (Some(170), Some(110), None));

    // A pale rock in changing light stays just below the limit; then the sun shines on it for two
    // minutes.
    let in_the_sun = |minute: i64| {
        let score = |s: i64| if s >= minute * 60 { 0.74 } else { 0.69 };
        of_default(&steady(10, minute + 2, |s| smoke(s, score(s))))
    };
    assert_eq!(
        (in_the_sun(4).len(), in_the_sun(12).len()),
        (1, 0),
        "by then it has stood there for long"
    );
    // A fire that begins at the rock changes the box, and alarms like any other.
    let mut fire = steady(10, 12, |s| smoke(s, 0.69));
    fire.extend(
        (0..12).map(|n| look(720 + n * 10, &[(Class::Smoke, 0.95, [0.38, 0.3, 0.1, 0.16])])),
    );
    assert!(of_default(&fire).first().is_some_and(|s| *s <= 760), "{:?}", of_default(&fire));
}

/// The limit is as low as the bonus for growth: weak evidence does not alarm because its box
/// spreads.
#[test]
fn growth_adds_no_more_than_what_looks_have_said() {
    let spreads = |score: f32| {
        let side = |n: i64| 0.03 + 0.02 * n as f32;
        let looks: Vec<Analysis> = (0..3)
            .map(|n| look(n * 10, &[(Class::Smoke, score, [0.4, 0.4, side(n), side(n)])]))
            .collect();
        alarms(
            &Thresholds::default().with(|it| (it.smoke, it.evidence) = (0.9, 1.0)).expect("valid"),
            &looks,
        )
    };
    assert_eq!((spreads(0.91), spreads(0.98)), (vec![], vec![10]));
}

#[test]
fn flames_may_flicker() {
    let flame = |s: i64| look(s, &[(Class::Fire, if s % 20 == 0 { 0.97 } else { 0.7 }, HERE)]);
    let calm = |s: i64| look(s, &[(Class::Fire, 0.89, HERE)]);
    assert_eq!(
        (of_default(&steady(10, 30, flame)), of_default(&steady(10, 30, calm))),
        (vec![60], vec![60])
    );
}

#[test]
fn the_best_look_is_the_evidence_and_the_rise_is_told() {
    let mut confirmer = Confirmer::new(Thresholds::default());
    let looks = every_10_s(&[0.8, 0.8, 0.97, 0.8, 0.8, 0.9, 0.9, 0.9]);
    let found: Vec<Confirmed> = looks.iter().flat_map(|it| confirmer.observe(it)).collect();
    let [only] = found.as_slice() else { panic!("one confirmation: {found:?}") };
    assert_eq!(
        (only.confidence, only.best_at, only.first_at, only.confirmed_at),
        (0.97, looks[2].captured_at, looks[0].captured_at, looks[7].captured_at)
    );
    let scores: Vec<f32> = only.rise.iter().map(|step| step.score).collect();
    assert_eq!(scores, [0.8, 0.8, 0.97, 0.8, 0.8, 0.9, 0.9, 0.9]);
    assert!(
        only.rise.windows(2).all(|two| two[0].evidence < two[1].evidence && two[0].at < two[1].at)
    );
    assert_eq!(only.rise.last().map(|step| step.evidence), Some(only.evidence));
    assert!(only.evidence >= 3.4);
}

/// While alarmed, 0.4 is enough to stay so. Below it the place falls quiet, and may alarm again
/// after ten minutes.
#[test]
fn hysteresis_and_cooldown() {
    let quiet_for = |minutes: i64, dim: f32| {
        let mut looks = every_10_s(&[0.9; 6]);
        looks.extend((6..minutes * 6).map(|n| smoke(n * 10, dim)));
        looks.extend((0..6).map(|n| smoke(minutes * 60 + n * 10, 0.9)));
        of_default(&looks).len()
    };
    assert_eq!(quiet_for(5, 0.0), 1, "before the cooldown is over");
    assert_eq!(quiet_for(12, 0.0), 2, "after it");
    assert_eq!(quiet_for(60, 0.41), 1, "it never fell quiet");
    assert_eq!(quiet_for(60, 0.39), 2);
}

#[test]
fn places_and_classes_are_weighed_apart() {
    let both = |n: i64| {
        look(
            n * 10,
            &[(Class::Smoke, 0.9, HERE), (Class::Smoke, 0.88, THERE), (Class::Fire, 0.9, HERE)],
        )
    };
    assert_eq!(of_default(&(0..12).map(both).collect::<Vec<_>>()).len(), 3);
    let jumping: Vec<Analysis> = (0..30)
        .map(|n| look(n * 10, &[(Class::Smoke, 0.9, if n % 3 == 0 { HERE } else { THERE })]))
        .collect();
    assert_eq!(of_default(&jumping).len(), 1, "only one of them is seen often enough");
    let crowd = [(Class::Smoke, 0.9, HERE), (Class::Smoke, 0.9, HERE), (Class::Smoke, 0.9, HERE)];
    assert_eq!(
        of_default(&steady(10, 2, |s| look(s, &crowd))),
        [50],
        "three boxes of one look are one"
    );
}

#[test]
fn a_growing_leaning_plume_is_one_place() {
    let plume: Vec<Analysis> = (0..30)
        .map(|n| {
            let grown = 0.03 + 0.01 * n as f32;
            look(n * 10, &[(Class::Smoke, 0.9, [0.3 + 0.01 * n as f32, 0.6 - grown, grown, grown])])
        })
        .collect();
    assert_eq!(of_default(&plume), [30], "and its growth speaks for it");
}

#[test]
fn too_small_and_too_large_do_not_count() {
    for (side, counts) in [(0.01, false), (0.02, true), (0.7, true), (0.8, false)] {
        let looks = steady(10, 2, |s| look(s, &[(Class::Smoke, 0.9, [0.1, 0.1, side, side])]));
        assert_eq!(!of_default(&looks).is_empty(), counts, "{side}");
    }
}

#[test]
fn looks_out_of_order_are_ignored_and_gaps_forget() {
    let repeated: Vec<Analysis> =
        every_10_s(&[0.9; 5]).into_iter().flat_map(|it| [it.clone(), it, smoke(-5, 0.9)]).collect();
    assert_eq!(of_default(&repeated), [0i64; 0]);
    let gap = |minutes: i64| {
        let mut looks = every_10_s(&[0.9; 5]);
        looks.push(smoke(40 + minutes * 60, 0.8));
        of_default(&looks).len()
    };
    assert_eq!((gap(1), gap(10)), (1, 0), "what was there ten minutes ago says little now");
}

#[test]
fn a_clock_set_back_does_not_blind_a_camera() {
    let at_eight: Vec<Analysis> = (0..6).map(|n| smoke(7200 + n * 10, 0.9)).collect();
    let at_seven =
        |place: [f32; 4]| (0..20).map(move |n| look(3600 + n * 10, &[(Class::Smoke, 0.9, place)]));
    let elsewhere: Vec<Analysis> = at_eight.iter().cloned().chain(at_seven(THERE)).collect();
    assert_eq!(of_default(&elsewhere), [7250, 3700], "five looks are ignored, then they count");
    let here: Vec<Analysis> = at_eight.iter().cloned().chain(at_seven(HERE)).collect();
    assert_eq!(of_default(&here), [7250], "the same smoke does not alarm twice");
}

#[test]
fn numbers_that_are_none_count_for_nothing() {
    for value in [f32::NAN, f32::INFINITY, -1.0] {
        let looks = steady(10, 2, |s| look(s, &[(Class::Smoke, 0.9, [0.1, 0.1, value, 0.1])]));
        assert!(of_default(&looks).is_empty(), "{value}");
    }
    assert!(of_default(&every_10_s(&[f32::NAN; 12])).is_empty());
    let anything = Thresholds::default().with(|it| it.area_min = 0.0).expect("valid");
    alarms(&anything, &steady(10, 2, |s| look(s, &[(Class::Smoke, 0.9, [0.1, 0.1, 0.0, 0.0])])));
}

#[test]
fn only_so_many_places_are_followed() {
    // A grid of 10 × 10 far-apart boxes, the last the most certain.
    let spot = |n: i64| {
        (
            Class::Smoke,
            0.8 + 0.001 * n as f32,
            [0.1 * (n % 10) as f32, 0.1 * (n / 10) as f32, 0.015, 0.015],
        )
    };
    let all: Vec<_> = (0..100).map(spot).collect();
    let mut confirmer = Confirmer::new(Thresholds::default());
    let found: Vec<Confirmed> =
        (0..12).flat_map(|n| confirmer.observe(&look(n * 10, &all))).collect();
    assert_eq!(found.len(), PLACES_MAX);
    assert!(found.iter().all(|it| it.confidence > 0.835), "the most certain ones");
}

#[test]
fn the_rise_of_a_place_is_kept_only_so_long() {
    let every_second: Vec<Analysis> = steady(1, 8, |s| smoke(s, 0.62));
    let patient = Thresholds::default()
        .with(|it| (it.evidence, it.memory) = (9.4, MEMORY_MAX))
        .expect("valid");
    let mut confirmer = Confirmer::new(patient);
    assert!(every_second.iter().all(|it| confirmer.observe(it).is_empty()));
    let found =
        (0..600).find_map(|n| confirmer.observe(&smoke(480 + n, 0.99)).pop()).expect("in the end");
    assert_eq!(found.rise.len(), HITS_MAX);
}

#[test]
fn published_numbers_apply_at_once_without_a_second_alarm() {
    let mut confirmer =
        Confirmer::new(Thresholds::default().with(|it| it.smoke = 0.8).expect("valid"));
    let count = |confirmer: &mut Confirmer, from: i64| {
        (from..from + 20).flat_map(|n| confirmer.observe(&smoke(n * 10, 0.75))).count()
    };
    assert_eq!(count(&mut confirmer, 0), 0);
    confirmer.retune(Thresholds::default().with(|it| it.version = 2).expect("valid"));
    assert_eq!((count(&mut confirmer, 20), confirmer.thresholds().version), (1, 2));
    confirmer.retune(Thresholds::default().with(|it| it.version = 3).expect("valid"));
    assert_eq!(count(&mut confirmer, 40), 0);
}

/// For a model that states only which score is an alarm, and for thresholds of versions that
/// counted frames.
#[test]
fn a_place_that_keeps_the_level_alarms_within_a_minute() {
    for level in [0.3, 0.5, 0.937] {
        let thresholds = Thresholds::default().with_levels(level, 0.9);
        for cadence_s in [10, 20, 30, 60] {
            let first = alarms(&thresholds, &steady(cadence_s, 5, |s| smoke(s, level + 1e-4)))
                .first()
                .copied();
            assert!(first.is_some_and(|s| s <= 60), "{level} every {cadence_s} s: {first:?}");
        }
    }
}

#[test]
fn the_lasting_score_is_the_lowest_that_alarms() {
    let thresholds = Thresholds::default().with(|it| it.smoke = 0.6).expect("valid");
    let lasting = thresholds.lasting(Class::Smoke, None);
    let first = |score: f32| alarms(&thresholds, &steady(10, 15, |s| flickering(s, score)));
    assert_eq!((first(lasting - 0.01).len(), first(lasting + 0.01).len()), (0, 1), "{lasting}");
}

/// Its box shrinks and grows again, so that it does not count as standing still.
fn flickering(seconds: i64, score: f32) -> Analysis {
    let size = if seconds % 60 < 30 { 0.06 } else { 0.05 };
    look(seconds, &[(Class::Smoke, score, [0.4, 0.4, size, size])])
}

#[test]
fn what_if_is_what_would_have_been() {
    let of = |camera: &str, looks: Vec<Analysis>| {
        looks.into_iter().map(|it| Analysis { camera: camera.into(), ..it }).collect::<Vec<_>>()
    };
    let (a, b) = (of("a", every_10_s(&[0.95; 30])), of("b", every_10_s(&[0.75; 30])));
    let mixed: Vec<Analysis> =
        a.iter().zip(&b).flat_map(|(a, b)| [b.clone(), a.clone()]).rev().collect();
    let cameras = |thresholds: &Thresholds| {
        let found = whatif::replay(&mixed, thresholds);
        let mut names: Vec<String> = found.iter().map(|(camera, _)| camera.to_string()).collect();
        names.sort();
        names
    };
    let neutral =
        |smoke: f32| cameras(&Thresholds::default().with(|it| it.smoke = smoke).expect("valid"));
    assert_eq!(
        (neutral(0.5), neutral(0.7), neutral(0.95)),
        (vec!["a".into(), "b".into()], vec!["a".into()], vec![])
    );
    let limit = |evidence: f32| {
        cameras(&Thresholds::default().with(|it| it.evidence = evidence).expect("valid"))
    };
    assert_eq!((limit(3.4), limit(6.0)), (vec!["a".into(), "b".into()], vec!["a".into()]));
}

mod properties;
