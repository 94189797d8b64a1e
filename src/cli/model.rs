//! `huoyan model check`: does this machine compute the same as the one that made the model, and
//! what does a frame cost.

mod facts;

use super::{Common, Outcome, licence_words, point_words};
use crate::app::capacity::look_ms;
use crate::detect::{Detector, Goldens, Mismatch};
use crate::drill::scene;
use crate::error::Result;
use crate::frame::cpu_flags;
use crate::lang::Lang;
use crate::progress::Progress;
use crate::triage::point::{Estimate, OperatingPoint, PointName, Points};
use serde_json::json;
use std::path::{Path, PathBuf};

#[derive(clap::Args, Debug)]
pub(super) struct Args {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(clap::Subcommand, Debug)]
pub(super) enum Action {
    /// Checks checksum, input and output and goldens; shows results on built-in pictures, the cost
    /// of a frame and the operating points
    Check {
        /// The model's folder; default: the configured one
        dir: Option<PathBuf>,
        /// Store this machine's results as goldens.json, if there is none yet
        #[arg(long)]
        write_goldens: bool,
    },
}

pub(super) fn run(args: Args, common: &Common) -> Result<Outcome> {
    let Action::Check { dir, write_goldens } = args.action;
    let folder = dir.as_deref().unwrap_or(&common.config.detect.model);
    let mut progress = Progress::new("model check", 4, common.quiet);
    let detector = Detector::load(folder, &common.config.detect)?;
    let mut worker = detector.session()?;
    progress.advance(1, common.lang.pick("标准答案", "goldens"));
    if write_goldens {
        Goldens::record(&mut worker)?.save(folder)?;
    }
    let goldens = Goldens::load(folder)?;
    let mismatches = match &goldens {
        Some(goldens) => goldens.check(&mut worker)?,
        None => Vec::new(),
    };
    progress.advance(1, common.lang.pick("内置图片", "built-in pictures"));
    let seen = facts::built_in(&mut worker)?;
    progress.advance(1, common.lang.pick("测速", "cost"));
    let large = scene::landscape(0, Path::new(""))?.resized(1920, 1080);
    let cost_ms = look_ms(&mut worker, &large, false)?;
    progress.finish("");
    let cadence = common.config.camera.cadence;
    let cases = goldens.as_ref().map(Goldens::len);
    if common.json {
        let mut json = as_json(folder, &detector, cases, &mismatches, cost_ms);
        facts::into_json(&mut json, &detector, &seen, cost_ms, cadence);
        println!("{json}");
    } else {
        let lines = as_text(common.lang, &detector, cases, &mismatches, cost_ms);
        let more = facts::as_text(common.lang, &detector, &seen, cost_ms, cadence);
        lines.iter().chain(&more).for_each(|line| println!("{line}"));
    }
    Ok(if mismatches.is_empty() { Outcome::Fine } else { Outcome::Findings })
}

fn as_json(
    folder: &Path,
    detector: &Detector,
    cases: Option<usize>,
    mismatches: &[Mismatch],
    cost_ms: Option<f64>,
) -> serde_json::Value {
    let device = detector.device();
    let wrong: Vec<_> = mismatches
        .iter()
        .map(|m| json!({ "what": m.what, "expected": m.expected, "found": m.found }))
        .collect();
    json!({
        "folder": folder, "model": detector.model(), "device": device.name(), "reason": device.why(Lang::En), "batch": detector.batch(),
        "goldens": cases, "mismatches": wrong, "cpu_flags": cpu_flags(), "cpu_ms_per_frame": cost_ms, "licence": detector.manifest().licence, "points": detector.manifest().points,
    })
}

fn as_text(
    lang: Lang,
    detector: &Detector,
    cases: Option<usize>,
    mismatches: &[Mismatch],
    cost_ms: Option<f64>,
) -> Vec<String> {
    let model = detector.model();
    let device = detector.device();
    let mut lines = vec![
        format!("{} {} {}", lang.pick("模型", "model"), model.name, model.version),
        format!("{} {}: {}", lang.pick("设备", "device"), device.name(), device.why(lang)),
        match lang {
            Lang::Zh => format!("每次推理{}帧", detector.batch()),
            Lang::En => format!("{} frames at once", detector.batch()),
        },
    ];
    lines.push(match (cases, mismatches.len(), lang) {
        (None, _, Lang::Zh) => "没有 goldens.json，无法核对结果".to_owned(),
        (None, _, Lang::En) => "no goldens.json, so the results cannot be checked".to_owned(),
        (Some(n), 0, Lang::Zh) => format!("{n} 个标准答案全部一致"),
        (Some(n), 0, Lang::En) => format!("all {n} goldens agree"),
        (Some(n), wrong, Lang::Zh) => {
            format!("{n} 个标准答案中有 {wrong} 个数不一致，请重新安装模型和运行库")
        }
        (Some(n), wrong, Lang::En) => {
            format!("{wrong} numbers of {n} goldens differ: reinstall model and runtime")
        }
    });
    lines.push(licence_words(detector.manifest().licence.as_ref(), lang));
    lines.extend(mismatches.iter().map(|m| format!("  {}: {} ≠ {}", m.what, m.expected, m.found)));
    if let Some(cost_ms) = cost_ms {
        let flags = cpu_flags().join(" ");
        lines.push(match lang {
            Lang::Zh => format!("每帧（1080p）{cost_ms:.0} 毫秒 CPU（指令集 {flags}）"),
            Lang::En => {
                format!("{cost_ms:.0} ms of CPU per frame (1080p; the processor has {flags})")
            }
        });
    }
    lines.extend(points_text(lang, detector.manifest().points.as_ref()));
    lines
}

/// Expected figures are printed with the ends of their 95 % intervals.
fn points_text(lang: Lang, points: Option<&Points>) -> Vec<String> {
    let Some(points) = points else {
        return vec![
            lang.pick("这个模型没有工作点", "this model has no operating points").to_owned(),
        ];
    };
    let default = point_words(lang, points.default);
    let mut lines = vec![match lang {
        Lang::Zh => {
            format!("工作点，默认 {default}；以下为模型评估所得（括号内为95%区间），不是本县的数据")
        }
        Lang::En => format!(
            "operating points, default {default}; the figures come from the model's evaluation (95 \
            % intervals), not from this county"
        ),
    }];
    for name in PointName::ALL {
        let OperatingPoint { smoke, fire, smoke_tile, fire_tile, evidence, expected } =
            points.get(name);
        let figure = |Estimate { value, lower, upper }: Estimate, digits: usize| {
            format!("{value:.digits$} ({lower:.digits$}–{upper:.digits$})")
        };
        let alarms = figure(expected.false_alarms_per_camera_day, 2);
        let recall = figure(expected.event_recall, 2);
        let minutes = figure(expected.minutes_to_alarm, 1);
        let words = point_words(lang, name);
        lines.push(match lang {
            Lang::Zh => format!(
                "  {words}: 烟 {smoke}，火 {fire}，分块 {smoke_tile}、{fire_tile}，证据 \
                {evidence}；每台摄像机每天误报 {alarms}，火情检出率 {recall}，首个标注框到报警 \
                {minutes} 分钟"
            ),
            Lang::En => format!(
                "  {words}: smoke {smoke}, fire {fire}, in tiles {smoke_tile} and {fire_tile}, \
                evidence {evidence}; {alarms} false alarms per camera and day, event recall \
                {recall}, {minutes} minutes to alarm"
            ),
        });
    }
    lines
}
