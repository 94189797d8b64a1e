use super::*;
use crate::triage::kit::{at, camera, person, place_m, satellite, start};
use proptest::prelude::*;

fn smoke(id: u128, tower: &str, confidence: f32) -> Sighting {
    camera(id, at(id as f64), tower, place_m(-3000.0, 0.0), 90.0, confidence)
}

fn pixel(id: u128, pixels: u32, frp_mw: Option<f64>) -> Sighting {
    let mut sighting = satellite(id, at(id as f64), place_m(0.0, 0.0));
    if let Source::Satellite { pixels: p, frp_mw: f, .. } = &mut sighting.source {
        (*p, *f) = (pixels, frp_mw);
    }
    sighting
}

fn flames(id: u128, minute: f64) -> Sighting {
    let mut sighting = camera(id, at(minute), "tower-1", place_m(-3000.0, 0.0), 90.0, 0.8);
    if let Source::Camera { class, .. } = &mut sighting.source {
        *class = Class::Fire;
    }
    sighting
}

fn said(priority: &Priority) -> Vec<(&str, f64, &str)> {
    priority
        .reasons
        .iter()
        .map(|it| (it.code.as_str(), it.points.round(), it.value.as_str()))
        .collect()
}

#[test]
fn each_reason_with_its_points() {
    let brickworks = [Label::KnownHeatSource { name: "砖厂".to_owned() }];
    let table: [(Vec<_>, &[Label], Vec<_>); 9] = [
        (vec![smoke(1, "tower-1", 0.82)], &[], vec![("camera_confidence", 49.0, "0.82")]),
        (vec![pixel(1, 1, None)], &[], vec![("satellite_confidence", 30.0, "0.60")]),
        (
            vec![pixel(1, 3, Some(8.0))],
            &brickworks,
            vec![
                ("satellite_confidence", 30.0, "0.60"),
                ("pixels", 25.0, "3"),
                ("frp", 4.0, "8.0"),
                ("known_heat_source", 0.0, "砖厂"),
            ],
        ),
        (
            vec![pixel(1, 2, None)],
            &brickworks,
            vec![("satellite_confidence", 30.0, "0.60"), ("known_heat_source", -25.0, "砖厂")],
        ),
        (
            vec![smoke(1, "tower-1", 0.5), smoke(2, "tower-2", 0.4)],
            &[],
            vec![("camera_confidence", 30.0, "0.50"), ("second_camera", 20.0, "tower-2")],
        ),
        (
            vec![pixel(1, 1, None), smoke(2, "tower-1", 0.55)],
            &[],
            vec![("camera_confidence", 33.0, "0.55"), ("second_source", 25.0, "N20 VIIRS")],
        ),
        (
            vec![smoke(1, "tower-1", 0.5), smoke(2, "tower-1", 0.6), smoke(3, "tower-1", 0.4)],
            &[],
            vec![("camera_confidence", 36.0, "0.60"), ("repeated", 6.0, "3")],
        ),
        (vec![person(1, start(), place_m(0.0, 0.0), 300.0)], &[], vec![("person", 40.0, "12119")]),
        // 13:21 by the sun; 21:21 is below.
        (
            vec![flames(1, 0.0)],
            &[],
            vec![("camera_confidence", 48.0, "0.80"), ("fire_class", 15.0, "0.80")],
        ),
    ];
    for (sightings, labels, expected) in table {
        assert_eq!(said(&priority(&sightings, labels)), expected);
    }
    let night = priority(&[flames(1, 8.0 * 60.0)], &[]);
    assert_eq!(said(&night).last(), Some(&("night_fire", 10.0, "21:21")));
}

#[test]
fn labels_lower_and_never_hide() {
    let all = [
        Label::KnownHeatSource { name: "砖厂".to_owned() },
        Label::ApprovedBurn { name: "炼山".to_owned() },
        Label::Masked { name: "烟囱".to_owned() },
        Label::OutsideCounty,
        Label::Border { neighbours: vec!["G18".to_owned(), "G19".to_owned()] },
    ];
    let found = priority(&[smoke(1, "tower-1", 0.5)], &all);
    assert_eq!(found.score, 0.0);
    assert_eq!(found.reasons.len(), 6, "and says why");
    assert_eq!(said(&found).last(), Some(&("border", 5.0, "G18、G19")));
}

#[test]
fn a_label_counts_once_however_often_it_is_said() {
    let label = Label::KnownHeatSource { name: "砖厂".to_owned() };
    let mut labelled = smoke(1, "tower-1", 0.8);
    labelled.labels = vec![label.clone()];
    assert_eq!(
        priority(&[labelled.clone(), labelled], &[label])
            .reasons
            .iter()
            .filter(|it| it.points < 0.0)
            .count(),
        1
    );
}

fn any_sighting() -> impl Strategy<Value = Sighting> {
    let confidence = prop_oneof![any::<f32>(), 0.0f32..1.0, Just(f32::NAN), Just(f32::INFINITY)];
    (0..4u8, 1..1000u128, confidence, any::<u32>(), proptest::option::of(any::<f64>())).prop_map(
        |(kind, id, confidence, pixels, frp_mw)| {
            let sighting = match kind {
                0 => pixel(id, pixels, frp_mw),
                1 => person(id, start(), place_m(0.0, 0.0), 300.0),
                2 => flames(id, id as f64),
                _ => smoke(id, if id.is_multiple_of(2) { "tower-1" } else { "tower-2" }, 0.5),
            };
            Sighting { confidence, ..sighting }
        },
    )
}

proptest! {
    #[test]
    fn always_a_number_always_explained(sightings in proptest::collection::vec(any_sighting(), 1..12)) {
        let found = priority(&sightings, &[]);
        let sum: f64 = found.reasons.iter().map(|it| it.points).sum();
        prop_assert!(sum.is_finite());
        prop_assert_eq!(found.score, sum.clamp(0.0, 100.0));
        let mut backwards = sightings;
        backwards.reverse();
        let again = priority(&backwards, &[]);
        prop_assert_eq!(found.score, again.score);
    }

    #[test]
    fn more_evidence_never_lowers_it(sightings in proptest::collection::vec(any_sighting(), 2..12)) {
        let before = priority(&sightings[1..], &[]).score;
        prop_assert!(priority(&sightings, &[]).score >= before - 1e-9);
    }
}
