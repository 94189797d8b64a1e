use super::*;
use crate::triage::detection::{ModelVersion, Scores, Stream};
use crate::triage::kit::start;
use crate::triage::whatif;
use proptest::prelude::*;

const HERE: [f32; 4] = [0.40, 0.40, 0.06, 0.06];
const THERE: [f32; 4] = [0.80, 0.30, 0.06, 0.06];

fn frame(seconds: i64, boxes: &[(Class, f32, [f32; 4])]) -> Analysis {
    Analysis {
        camera: "tower-1".into(),
        pose: "default".into(),
        captured_at: start() + SignedDuration::from_secs(seconds),
        scores: Scores::default(),
        detections: boxes
            .iter()
            .map(|(class, confidence, bbox)| Detection {
                class: *class,
                confidence: *confidence,
                bbox: (*bbox).into(),
                tile: None,
            })
            .collect(),
        model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.1.0".to_owned() },
        stream: Stream::Screened,
        tiles: Vec::new(),
    }
}

fn smoke(seconds: i64, confidence: f32) -> Analysis {
    frame(seconds, &[(Class::Smoke, confidence, HERE)])
}

/// In which frames, by their second, something was confirmed.
fn alarms(thresholds: &Thresholds, frames: &[Analysis]) -> Vec<i64> {
    let mut confirmer = Confirmer::new(thresholds.clone());
    let found = frames.iter().flat_map(|it| confirmer.observe(it));
    found.map(|it| it.confirmed_at.duration_since(start()).as_secs()).collect()
}

fn every_10_s(confidences: &[f32]) -> Vec<Analysis> {
    (0..).zip(confidences).map(|(n, confidence)| smoke(n * 10, *confidence)).collect()
}

/// Three of the last five frames, from 0.5.
#[test]
fn k_of_n() {
    let table: [(&[f32], &[i64]); 7] = [
        (&[0.9, 0.9], &[]),
        (&[0.9, 0.9, 0.9], &[20]),
        (&[0.9, 0.0, 0.9, 0.0, 0.9], &[40]),
        (&[0.9, 0.0, 0.0, 0.9, 0.0, 0.9], &[]),
        (&[0.9, 0.0, 0.0, 0.9, 0.0, 0.9, 0.9], &[60]),
        (&[0.49, 0.49, 0.49, 0.49, 0.49], &[]),
        (&[0.5, 0.5, 0.5, 0.5, 0.5], &[20]),
    ];
    for (confidences, expected) in table {
        assert_eq!(alarms(&Thresholds::default(), &every_10_s(confidences)), expected, "{confidences:?}");
    }
}

#[test]
fn the_best_frame_is_the_evidence() {
    let mut confirmer = Confirmer::new(Thresholds::default());
    let frames = [smoke(0, 0.6), smoke(10, 0.9), smoke(20, 0.7)];
    let found: Vec<Confirmed> = frames.iter().flat_map(|it| confirmer.observe(it)).collect();
    let [only] = found.as_slice() else { panic!("one confirmation: {found:?}") };
    assert_eq!(
        (only.confidence, only.best_at, only.first_at, only.confirmed_at),
        (0.9, frames[1].captured_at, frames[0].captured_at, frames[2].captured_at)
    );
}

/// While confirmed, 0.4 is enough to stay so; below it the place falls quiet and may alarm again after ten minutes.
#[test]
fn hysteresis_and_cooldown() {
    let quiet_for = |minutes: i64, dim: f32| {
        let mut frames = every_10_s(&[0.9, 0.9, 0.9]);
        frames.extend((3..minutes * 6).map(|n| smoke(n * 10, dim)));
        frames.extend((0..3).map(|n| smoke(minutes * 60 + n * 10, 0.9)));
        alarms(&Thresholds::default(), &frames).len()
    };
    assert_eq!(quiet_for(5, 0.0), 1, "before the cooldown is over");
    assert_eq!(quiet_for(12, 0.0), 2, "after it");
    assert_eq!(quiet_for(60, 0.41), 1, "it never fell quiet");
    assert_eq!(quiet_for(60, 0.39), 2);
}

#[test]
fn places_and_classes_are_counted_apart() {
    let both =
        |n: i64| frame(n * 10, &[(Class::Smoke, 0.9, HERE), (Class::Smoke, 0.8, THERE), (Class::Fire, 0.7, HERE)]);
    let mut confirmer = Confirmer::new(Thresholds::default());
    let found: Vec<Confirmed> = (0..8).flat_map(|n| confirmer.observe(&both(n))).collect();
    assert_eq!(found.len(), 3);
    let jumping: Vec<Analysis> =
        (0..6).map(|n| frame(n * 10, &[(Class::Smoke, 0.9, if n % 3 == 0 { HERE } else { THERE })])).collect();
    assert_eq!(alarms(&Thresholds::default(), &jumping).len(), 1, "only one of them is seen often enough");
    let flicker = [(Class::Smoke, 0.9, HERE), (Class::Smoke, 0.8, HERE), (Class::Smoke, 0.7, HERE)];
    assert_eq!(alarms(&Thresholds::default(), &[frame(0, &flicker)]), [0i64; 0], "three boxes are one frame");
}

#[test]
fn a_growing_leaning_plume_is_one_place() {
    let plume: Vec<Analysis> = (0..30)
        .map(|n| {
            let grown = 0.03 + 0.01 * n as f32;
            frame(n * 10, &[(Class::Smoke, 0.9, [0.3 + 0.01 * n as f32, 0.6 - grown, grown, grown])])
        })
        .collect();
    assert_eq!(alarms(&Thresholds::default(), &plume), [20]);
}

#[test]
fn too_small_and_too_large_do_not_count() {
    for (side, counts) in [(0.01, false), (0.02, true), (0.7, true), (0.8, false)] {
        let frames: Vec<Analysis> =
            (0..5).map(|n| frame(n * 10, &[(Class::Smoke, 0.9, [0.1, 0.1, side, side])])).collect();
        assert_eq!(!alarms(&Thresholds::default(), &frames).is_empty(), counts, "{side}");
    }
}

#[test]
fn frames_out_of_order_are_ignored_and_gaps_forget() {
    let repeated = [smoke(0, 0.9), smoke(10, 0.9), smoke(10, 0.9), smoke(5, 0.9)];
    assert_eq!(alarms(&Thresholds::default(), &repeated), [0i64; 0]);
    let gap =
        |seconds: i64| alarms(&Thresholds::default(), &[smoke(0, 0.9), smoke(10, 0.9), smoke(10 + seconds, 0.9)]).len();
    assert_eq!((gap(290), gap(291)), (1, 0), "a window of 5 frames spans 5 minutes at most");
}

#[test]
fn a_clock_set_back_does_not_blind_a_camera() {
    let at_eight: Vec<Analysis> = (0..3).map(|n| smoke(7200 + n * 10, 0.9)).collect();
    let at_seven = |place: [f32; 4]| (0..10).map(move |n| frame(3600 + n * 10, &[(Class::Smoke, 0.9, place)]));
    let elsewhere: Vec<Analysis> = at_eight.iter().cloned().chain(at_seven(THERE)).collect();
    assert_eq!(alarms(&Thresholds::default(), &elsewhere), [7220, 3670], "five frames are ignored, then three count");
    let here: Vec<Analysis> = at_eight.iter().cloned().chain(at_seven(HERE)).collect();
    assert_eq!(alarms(&Thresholds::default(), &here), [7220], "the same smoke does not alarm twice");
}

#[test]
fn numbers_that_are_none_count_for_nothing() {
    let odd = [f32::NAN, f32::INFINITY, -1.0];
    for value in odd {
        let frames: Vec<Analysis> =
            (0..5).map(|n| frame(n * 10, &[(Class::Smoke, 0.9, [0.1, 0.1, value, 0.1])])).collect();
        assert!(alarms(&Thresholds::default(), &frames).is_empty(), "{value}");
    }
    assert!(alarms(&Thresholds::default(), &every_10_s(&[f32::NAN; 5])).is_empty());
}

#[test]
fn only_so_many_places_are_followed() {
    // A grid of 10 × 10 far-apart boxes, the last the most certain.
    let spot =
        |n: i64| (Class::Smoke, 0.6 + 0.001 * n as f32, [0.1 * (n % 10) as f32, 0.1 * (n / 10) as f32, 0.015, 0.015]);
    let all: Vec<_> = (0..100).map(spot).collect();
    let mut confirmer = Confirmer::new(Thresholds::default());
    let found: Vec<Confirmed> = (0..3).flat_map(|n| confirmer.observe(&frame(n * 10, &all))).collect();
    assert_eq!(found.len(), PLACES_MAX);
    assert!(found.iter().all(|it| it.confidence > 0.635), "the most certain ones");
}

#[test]
fn published_numbers_apply_at_once_without_a_second_alarm() {
    let mut confirmer = Confirmer::new(Thresholds { smoke: 0.8, ..Thresholds::default() });
    let count = |confirmer: &mut Confirmer, from: i64| {
        (from..from + 3).flat_map(|n| confirmer.observe(&smoke(n * 10, 0.7))).count()
    };
    assert_eq!(count(&mut confirmer, 0), 0);
    confirmer.retune(Thresholds { version: 2, ..Thresholds::default() });
    assert_eq!((count(&mut confirmer, 3), confirmer.thresholds().version), (1, 2));
    confirmer.retune(Thresholds { version: 3, ..Thresholds::default() });
    assert_eq!(count(&mut confirmer, 6), 0);
}

#[test]
fn what_if_is_what_would_have_been() {
    let of = |camera: &str, frames: Vec<Analysis>| {
        frames.into_iter().map(|it| Analysis { camera: camera.into(), ..it }).collect::<Vec<_>>()
    };
    let (a, b) = (of("a", every_10_s(&[0.9; 20])), of("b", every_10_s(&[0.6; 20])));
    let mixed: Vec<Analysis> = a.iter().zip(&b).flat_map(|(a, b)| [b.clone(), a.clone()]).rev().collect();
    let cameras = |smoke: f32| {
        let found = whatif::replay(&mixed, &Thresholds { smoke, ..Thresholds::default() });
        let mut names: Vec<String> = found.iter().map(|(camera, _)| camera.to_string()).collect();
        names.sort();
        names
    };
    assert_eq!((cameras(0.5), cameras(0.7), cameras(0.95)), (vec!["a".into(), "b".into()], vec!["a".into()], vec![]));
}

fn any_frames() -> impl Strategy<Value = Vec<Analysis>> {
    let boxed = (any::<bool>(), 0.0f32..1.0, 0.0f32..0.9, 0.0f32..0.9, 0.0f32..0.3, 0.0f32..0.3);
    let boxes = proptest::collection::vec(boxed, 0..4);
    proptest::collection::vec((1i64..200, boxes), 0..60).prop_map(|frames| {
        let mut seconds = 0;
        let frames = frames.into_iter().map(|(gap, boxes)| {
            seconds += gap;
            let boxes: Vec<_> = boxes
                .into_iter()
                .map(|(fire, confidence, x, y, w, h)| {
                    (if fire { Class::Fire } else { Class::Smoke }, confidence, [x, y, w, h])
                })
                .collect();
            frame(seconds, &boxes)
        });
        frames.collect()
    })
}

proptest! {
    /// What a confirmation says of itself is true of the frames.
    #[test]
    fn every_confirmation_has_its_frames(frames in any_frames()) {
        let thresholds = Thresholds::default();
        let mut confirmer = Confirmer::new(thresholds.clone());
        for (index, analysis) in frames.iter().enumerate() {
            for found in confirmer.observe(analysis) {
                let window = &frames[(index + 1).saturating_sub(thresholds.window as usize)..=index];
                let counted = window.iter().filter(|it| {
                    it.detections.iter().any(|d| d.class == found.class && d.confidence >= thresholds.of(d.class))
                });
                prop_assert!(counted.count() >= thresholds.needed as usize);
                prop_assert!(found.first_at <= found.best_at && found.best_at <= found.confirmed_at);
                let best = window.iter().find(|it| it.captured_at == found.best_at).expect("in the window");
                prop_assert!(best.detections.iter().any(|d| d.bbox == found.bbox && d.confidence == found.confidence));
            }
        }
    }

    /// Sending frames again, or late, changes nothing.
    #[test]
    fn repeats_change_nothing(frames in any_frames()) {
        let twice: Vec<Analysis> = frames.iter().flat_map(|it| [it.clone(), it.clone(), frames[0].clone()]).collect();
        prop_assert_eq!(alarms(&Thresholds::default(), &frames), alarms(&Thresholds::default(), &twice));
    }
}
