//! The loaded model's operating points, as the ops page reads and publishes them.

use crate::http_support::World;
use huoyan::store::Access;
use huoyan::triage::point::{Estimate, Expected, OperatingPoint, PointName, Points};
use serde_json::{Value, json};

fn point(smoke: f32, evidence: f32, false_alarms: f64) -> OperatingPoint {
    let figure = |value: f64, lower: f64, upper: f64| Estimate { value, lower, upper };
    let expected = Expected {
        false_alarms_per_camera_day: figure(false_alarms, 0.0, 9.0),
        event_recall: figure(0.86, 0.7, 1.0),
        minutes_to_alarm: figure(2.0, 0.0, 4.0),
    };
    OperatingPoint { smoke, fire: 0.99, smoke_tile: smoke, fire_tile: 0.98, evidence, expected }
}

#[tokio::test]
async fn the_models_points_are_told_and_one_is_published_to_the_last_digit() {
    let world = World::new().await;
    let (ops, ranger) =
        (world.browser("o1", Access::Ops).await, world.browser("r1", Access::Ranger).await);
    let path = "/api/v1/ops/thresholds";
    assert_eq!(ops.get(path).await.ok()["points"], Value::Null, "no model, no points");

    let points = Points {
        default: PointName::Balanced,
        quiet: point(0.913, 4.5, 0.25),
        balanced: point(0.781, 3.4, 1.0),
        eager: point(0.641, 2.2, 4.0),
    };
    *world.state.points.write() = Some(points.clone());
    let view = ops.get(path).await.ok();
    assert_eq!(view["points"]["default"], "balanced");
    assert_eq!(view["camera_sends_after_s"], Value::Null, "an officer looks first");
    let figures = json!({
        "false_alarms_per_camera_day": {"value": 0.25, "lower": 0.0, "upper": 9.0},
        "event_recall": {"value": 0.86, "lower": 0.7, "upper": 1.0},
        "minutes_to_alarm": {"value": 2.0, "lower": 0.0, "upper": 4.0},
    });
    let quiet = &view["points"]["quiet"];
    assert_eq!(quiet["expected"], figures);
    assert_eq!((&quiet["smoke_tile"], &quiet["evidence"]), (&json!(0.913), &json!(4.5)));
    assert_eq!(ranger.get(path).await.refused(), (403, "forbidden".to_owned()));

    let mut thresholds = view["current"].clone();
    for key in ["smoke", "fire", "smoke_tile", "fire_tile", "evidence"] {
        thresholds[key] = quiet[key].clone();
    }
    let published =
        ops.post(path, json!({"thresholds": thresholds, "reason": "晨雾多"})).await.ok();
    assert_eq!(
        (&published["current"]["version"], &published["points"]),
        (&json!(2), &view["points"])
    );
    let in_force = world.state.thresholds.get();
    assert_eq!(points.name_of(&in_force), Some(PointName::Quiet));

    let mut partial = published["current"].clone();
    partial.as_object_mut().expect("thresholds").remove("cooldown");
    let refused = ops.post(path, json!({"thresholds": partial, "reason": "忘了冷却时间"})).await;
    assert_eq!(
        refused.refused(),
        (400, "invalid".to_owned()),
        "what is left out must not be set back silently"
    );
    assert!(refused.text().contains("cooldown"), "{}", refused.text());
}
