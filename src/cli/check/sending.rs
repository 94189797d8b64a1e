//! Who is dispatched without a person's decision, and how often the model would then be wrong in
//! this county.

use super::Finding;
use crate::cli::Common;
use crate::clock::Clock;
use crate::county::Registers;
use crate::detect::Manifest;
use crate::lang::Lang;
use crate::triage::point::Estimate;
use crate::triage::policy::Review;
use std::collections::BTreeSet;

const PART: &str = "sending";

/// The office's choice for its cameras.
pub(super) fn sending(common: &Common) -> Vec<Finding> {
    let lang = common.lang;
    let review = common.config.policy.review.camera;
    if review == Review::Officer {
        return vec![Finding::works(
            PART,
            lang.pick(
                "摄像机警情先由值班员研判，无人研判会一直呼叫；卫星热点按策略派发",
                "camera alarms wait for an officer, who is called until somebody looks; satellite \
                alarms follow the policy",
            ),
        )];
    }
    let folder = common.config.store.data.join("registers");
    let cameras = Registers::load(&folder, Clock::System.now())
        .map(|registers| {
            registers
                .current()
                .cameras
                .iter()
                .map(|camera| camera.id.clone())
                .collect::<BTreeSet<_>>()
                .len()
        })
        .unwrap_or_default();
    let expected = Manifest::load(&common.config.detect.model)
        .ok()
        .and_then(|manifest| manifest.points)
        .map(|points| points.get(points.default).expected.false_alarms_per_camera_day);
    vec![Finding::limited(
        PART,
        words(lang, cameras, expected),
        lang.pick(
            "[policy.review] camera = \"officer\"：由值班员先看再派",
            "[policy.review] camera = \"officer\": a person looks before anybody is sent",
        ),
    )]
}

/// The interval, not the best estimate: the evaluation has few data.
fn words(lang: Lang, cameras: usize, expected: Option<Estimate>) -> String {
    let Some(Estimate { lower, upper, .. }) = expected else {
        return lang
            .pick(
                "摄像机警情会自动派发，而模型没有给出误报率",
                "camera alarms dispatch automatically, and the model gives no rate of false alarms",
            )
            .to_owned();
    };
    let (low, high) = (lower * cameras as f64, upper * cameras as f64);
    match lang {
        Lang::Zh => format!(
            "摄像机警情会自动派发：模型评估误报每台每天 {lower:.2}–{upper:.2} 次（95% 区间），\
            {cameras} 台每天 {low:.0}–{high:.0} 次"
        ),
        Lang::En => format!(
            "camera alarms dispatch automatically: by its evaluation the model gives {lower:.2} to \
            {upper:.2} false alarms a camera and day (95 % interval), with {cameras} cameras \
            {low:.0} to {high:.0} times a day"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_county_of_small_errors_is_many() {
        let expected = Some(Estimate { value: 0.4, lower: 0.0, upper: 3.35 });
        assert!(words(Lang::Zh, 267, expected).contains("267 台每天 0–894 次"));
        assert!(words(Lang::En, 267, expected).contains("0 to 894 times a day"));
        assert!(words(Lang::En, 267, None).contains("gives no rate of false alarms"));
    }
}
