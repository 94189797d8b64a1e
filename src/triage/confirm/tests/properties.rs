//! Properties that hold whatever a model outputs.

use super::*;

fn any_looks() -> impl Strategy<Value = Vec<Analysis>> {
    let boxed = (
        any::<bool>(),
        any::<bool>(),
        0.0f32..1.0,
        0.0f32..0.9,
        0.0f32..0.9,
        0.0f32..0.3,
        0.0f32..0.3,
    );
    let boxes = proptest::collection::vec(boxed, 0..5);
    proptest::collection::vec((1i64..90, boxes, any::<bool>(), any::<bool>()), 0..60).prop_map(
        |looks| {
            let mut seconds = 0;
            let looks = looks.into_iter().map(|(gap, boxes, tiled, has_past)| {
                seconds += gap;
                let detection = |(fire, in_tile, confidence, x, y, w, h)| Detection {
                    class: if fire { Class::Fire } else { Class::Smoke },
                    confidence,
                    bbox: [x, y, w, h].into(),
                    tile: (tiled && in_tile).then_some(LEFT),
                };
                Analysis {
                    detections: boxes.into_iter().map(detection).collect(),
                    tiles: if tiled { vec![LEFT] } else { Vec::new() },
                    has_past,
                    ..look(seconds, &[])
                }
            });
            looks.collect()
        },
    )
}

fn sensitive() -> Thresholds {
    Thresholds::default().with(|it| it.evidence = 1.0).expect("valid")
}

fn logit(score: f32) -> f32 {
    (score / (1.0 - score)).ln()
}

proptest! {
    /// Every fact in a confirmation agrees with the looks.
    #[test]
    fn every_confirmation_has_its_looks(looks in any_looks()) {
        let thresholds = sensitive();
        let mut confirmer = Confirmer::new(thresholds.clone());
        for analysis in &looks {
            for found in confirmer.observe(analysis) {
                prop_assert!(found.confirmed_at.duration_since(found.first_at) >= MIN_APART, "two looks: {found:?}");
                prop_assert!(found.first_at <= found.best_at && found.best_at <= found.confirmed_at);
                prop_assert!(found.evidence >= thresholds.evidence);
                let best = looks.iter().find(|it| it.captured_at == found.best_at).expect("one of \
                    them");
                prop_assert!(best.detections.iter().any(|d| d.bbox == found.bbox && d.confidence == found.confidence));
                for step in &found.rise {
                    let at = looks.iter().find(|it| it.captured_at == step.at).expect("one of them");
                    prop_assert!(at.detections.iter().any(|d| d.class == found.class && d.confidence == step.score));
                }
            }
        }
    }

    /// Repeated or late looks change nothing.
    #[test]
    fn repeats_change_nothing(looks in any_looks()) {
        let twice: Vec<Analysis> = looks.iter().flat_map(|it| [it.clone(), it.clone(), looks[0].clone()]).collect();
        prop_assert_eq!(alarms(&sensitive(), &looks), alarms(&sensitive(), &twice));
    }

    #[test]
    fn the_order_of_boxes_in_a_look_is_the_models_affair(looks in any_looks(), turn in 0usize..5) {
        let turned: Vec<Analysis> = looks.iter().cloned().map(|mut it| {
            it.detections.reverse();
            let by = turn.min(it.detections.len());
            it.detections.rotate_left(by);
            it
        }).collect();
        let all = |looks: &[Analysis]| {
            let mut confirmer = Confirmer::new(sensitive());
            looks.iter().flat_map(|it| confirmer.observe(it)).collect::<Vec<_>>()
        };
        prop_assert_eq!(all(&looks), all(&turned));
    }

    /// A constant score alarms at a slow cadence at most one slow look later than at 10 s.
    #[test]
    fn cadence_does_not_matter(score in 0.55f32..0.999, evidence in 1.0f32..6.0, slow in prop::sample::select(vec![20i64, 30, 60])) {
        let thresholds = Thresholds::default().with(|it| it.evidence = evidence).expect("valid");
        let first = |cadence_s| alarms(&thresholds, &steady(cadence_s, 10, |s| smoke(s, score))).first().copied();
        let (often, seldom) = (first(10), first(slow));
        // The evidence that the score reaches in the end. In its last tenth, one look more or less
        // means minutes.
        let most = logit(score).min(3.0) * 4.0;
        if evidence > most {
            prop_assert_eq!((often, seldom), (None, None));
        } else if evidence < 0.9 * most {
            let (often, seldom) = (often.expect("heard"), seldom.expect("heard"));
            prop_assert!((0..=slow).contains(&(seldom - often)), "{often} {seldom}");
        }
    }

    #[test]
    fn nothing_alarms_below_neutral(neutral in 0.1f32..0.9, below in 0.0f32..1.0, cadence_s in 1i64..120) {
        let thresholds = Thresholds::default().with(|it| (it.smoke, it.smoke_tile, it.evidence) = (neutral, neutral, 0.1)).expect("valid");
        let score = neutral * below;
        prop_assert!(alarms(&thresholds, &steady(cadence_s, 60, |s| smoke(s, score))).is_empty());
        prop_assert!(alarms(&thresholds, &steady(cadence_s, 60, |s| in_tile(s, score))).is_empty());
    }

    /// Log-odds of about twice the lowest that ever alarms (0.85) alarm within 75 s and one look.
    #[test]
    fn everything_well_above_neutral_alarms_soon(neutral in 0.1f32..0.8, more in 1.75f32..5.0, cadence_s in 8i64..=60) {
        let thresholds = Thresholds::default().with(|it| it.smoke = neutral).expect("valid");
        let score = 1.0 / (1.0 + (-(logit(neutral) + more)).exp());
        let first = alarms(&thresholds, &steady(cadence_s, 5, |s| smoke(s, score))).first().copied();
        prop_assert!(first.is_some_and(|s| s <= 75 + cadence_s), "{first:?}");
    }

    #[test]
    fn what_is_remembered_stays_bounded(looks in any_looks()) {
        let mut confirmer = Confirmer::new(Thresholds::default().with(|it| it.evidence = 9.0).expect("valid"));
        for analysis in &looks {
            confirmer.observe(analysis);
            prop_assert!(confirmer.places.len() <= PLACES_MAX);
            prop_assert!(confirmer.places.iter().all(|place| place.hits.len() <= HITS_MAX));
        }
    }
}
