//! What `huoyan model check` reports about any model: its inputs and outputs, what it sees on
//! pictures that every installation can draw, and how many cameras a core can watch with it.

use crate::detect::{Detector, Head, Layout, Verifier, Worker, YoloLayout};
use crate::drill::{Plume, composite, scene};
use crate::error::Result;
use crate::frame::Picture;
use crate::lang::Lang;
use crate::triage::detection::{Class, Detection, Scores};
use jiff::SignedDuration;
use serde_json::json;
use std::path::Path;

/// The model's answer to one built-in picture.
pub(super) struct Seen {
    zh: &'static str,
    en: &'static str,
    scores: Scores,
    found: Vec<Detection>,
}

/// A plume of this age is thick enough to be seen from afar.
const SMOKE_S: f64 = 180.0;

/// Drawn ridges, bright fog, and the ridges with a rendered plume, compared with the clear ridges
/// before.
pub(super) fn built_in(worker: &mut Worker) -> Result<[Seen; 3]> {
    // An empty path has no photographs, so the same ridges are drawn on every machine.
    let ridges = scene::landscape(0, Path::new(""))?;
    let (width, height) = (ridges.width(), ridges.height());
    let fog = Picture::from_rgb(width, height, &[225, 228, 230].repeat((width * height) as usize))?;
    let plume = composite(&ridges, &Plume::on_terrain(&ridges, 0), SMOKE_S);
    let mut look = |zh, en, picture: &Picture| {
        let (scores, found) = worker.analyse(picture, Some(&ridges))?;
        Ok(Seen { zh, en, scores, found })
    };
    Ok([
        look("山脊", "ridges", &ridges)?,
        look("浓雾", "fog", &fog)?,
        look("山脊加渲染的烟", "ridges with rendered smoke", &plume)?,
    ])
}

/// Cameras that one core can watch at this cadence, without decoding.
fn cameras_per_core(cost_ms: Option<f64>, cadence: SignedDuration) -> Option<u32> {
    cost_ms
        .filter(|cost_ms| *cost_ms > 0.0)
        .map(|cost_ms| (cadence.as_secs_f64() * 1000.0 / cost_ms) as u32)
}

pub(super) fn into_json(
    json: &mut serde_json::Value,
    detector: &Detector,
    seen: &[Seen],
    cost_ms: Option<f64>,
    cadence: SignedDuration,
) {
    let (manifest, input) = (detector.manifest(), &detector.manifest().input);
    let seen: Vec<_> = seen
        .iter()
        .map(|it| json!({ "picture": it.en, "scores": it.scores, "detections": it.found }))
        .collect();
    json["head"] = json!(head(&manifest.head));
    json["classes"] = json!(manifest.classes);
    json["input"] = json!({ "name": input.name, "shape": input.shape(), "past_s": input.past.map(|p| p.as_secs()) });
    json["verifier"] = json!(manifest.verifier.as_ref().map(|it| {
        json!({ "version": it.version, "shape": it.shape(), "ages_s": ages_s(it), "threshold": it.threshold })
    }));
    json["cameras_per_core"] = json!(cameras_per_core(cost_ms, cadence));
    json["cadence_s"] = json!(cadence.as_secs_f64());
    json["seen"] = json!(seen);
}

pub(super) fn as_text(
    lang: Lang,
    detector: &Detector,
    seen: &[Seen],
    cost_ms: Option<f64>,
    cadence: SignedDuration,
) -> Vec<String> {
    let (manifest, input) = (detector.manifest(), &detector.manifest().input);
    let (shape, pixels) = (input.shape(), format!("{}x{}", input.width, input.height));
    let order = match input.layout {
        Layout::Ntchw => "ntchw",
        Layout::Nchw => "nchw",
    };
    let mut lines = vec![
        format!("{} {}", lang.pick("输出头", "head"), head(&manifest.head)),
        classes(&manifest.classes, lang),
        format!("{} {:?} {shape:?} {order}, {pixels}", lang.pick("输入", "input"), input.name),
    ];
    if let Some(past) = input.past {
        lines.push(match lang {
            Lang::Zh => format!("  另看{}秒前的一帧", past.as_secs()),
            Lang::En => format!("  and the frame of {} s before", past.as_secs()),
        });
    }
    lines.push(match (&manifest.verifier, lang) {
        (None, Lang::Zh) => "没有复核网络".to_owned(),
        (None, Lang::En) => "no second network".to_owned(),
        (Some(it), Lang::Zh) => {
            format!(
                "复核网络 {} {:?}，另看 {:?} 秒前，低于 {} 存疑",
                it.version,
                it.shape(),
                ages_s(it),
                it.threshold
            )
        }
        (Some(it), Lang::En) => format!(
            "second network {} {:?}, compares with {:?} s before, doubts below {}",
            it.version,
            it.shape(),
            ages_s(it),
            it.threshold
        ),
    });
    if let Some(cameras) = cameras_per_core(cost_ms, cadence) {
        let every = cadence.as_secs_f64();
        lines.push(match lang {
            Lang::Zh => format!("每核可看{cameras}台摄像机（每{every}秒一帧，不含解码）"),
            Lang::En => format!(
                "{cameras} cameras per core, each looked at every {every} s, without decoding"
            ),
        });
    }
    lines.push(
        lang.pick("内置图片上所见（供比较）：", "results on built-in pictures, for comparison:")
            .to_owned(),
    );
    lines.extend(seen.iter().map(|it| {
        let (scores, boxes) = (it.scores, it.found.len());
        let picture = lang.pick(it.zh, it.en);
        match lang {
            Lang::Zh => {
                format!("  {picture}：烟 {:.3}，火 {:.3}，{boxes} 个框", scores.smoke, scores.fire)
            }
            Lang::En => format!(
                "  {picture}: smoke {:.3}, fire {:.3}, {boxes} boxes",
                scores.smoke, scores.fire
            ),
        }
    }));
    lines
}

fn ages_s(verifier: &Verifier) -> Vec<i64> {
    verifier.ages.iter().map(SignedDuration::as_secs).collect()
}

fn head(head: &Head) -> &'static str {
    match head {
        Head::Heatmap { .. } => "heatmap",
        Head::Yolo { layout: YoloLayout::V5, .. } => "yolo v5",
        Head::Yolo { layout: YoloLayout::V8, .. } => "yolo v8",
    }
}

/// The classes in use, with their positions among all, from 1.
fn classes(all: &[Option<Class>], lang: Lang) -> String {
    let used = all.iter().enumerate().filter_map(|(channel, class)| {
        let name = match (*class)? {
            Class::Smoke => lang.pick("烟", "smoke"),
            Class::Fire => lang.pick("火", "fire"),
        };
        Some(format!("{name} {}", channel + 1))
    });
    let (used, all) = (used.collect::<Vec<_>>().join(lang.pick("、", ", ")), all.len());
    match lang {
        Lang::Zh => format!("类别 共{all}个，使用：{used}"),
        Lang::En => format!("classes {all}, used: {used}"),
    }
}
