//! `huoyan replay` and `huoyan model check` over folders made here, with a network whose answers are known.

use crate::detect::{config, model};
use huoyan::cli::replay::{Args, replay};
use huoyan::cli::{Common, Outcome};
use huoyan::config::Config;
use huoyan::frame::Picture;
use huoyan::lang::Lang;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn common(model: &Path, json: bool) -> Common {
    let detect = huoyan::config::DetectConfig { model: model.to_owned(), ..config() };
    Common { config: Config { detect, ..Config::default() }, lang: Lang::En, json, quiet: true }
}

fn args(sources: &[&Path]) -> Args {
    let duration = |text: &str| text.parse().expect("a duration");
    let sources = sources.iter().map(PathBuf::from).collect();
    Args { sources, interval: duration("60s"), every: duration("10s"), start: None }
}

/// A picture a minute: grey, and from the sixth on with something bright in one cell.
fn write_event(folder: &Path, names: impl Fn(usize) -> String) {
    for i in 0..10 {
        let bright = |p: u32| i >= 6 && (32..48).contains(&(p % 64)) && (16..32).contains(&(p / 64));
        let rgb: Vec<u8> = (0..64 * 64).flat_map(|p| [if bright(p) { 230 } else { 60 }; 3]).collect();
        let jpeg = Picture::from_rgb(64, 64, &rgb).and_then(|p| p.to_jpeg(95)).expect("a picture");
        std::fs::write(folder.join(names(i)), jpeg).expect("written");
    }
}

fn lines(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn a_folder_is_a_camera_and_a_bad_picture_stops_nothing() {
    let (network, folder) = (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    write_event(folder.path(), |i| format!("{}_-01800.jpg", 1_563_297_060 + 60 * i));
    std::fs::write(folder.path().join("1563297090_half.jpg"), b"\xff\xd8\xff and no more").expect("written");
    let mut out = Vec::new();
    let outcome = replay(&args(&[folder.path()]), &common(network.path(), true), &mut out).expect("it runs");
    assert_eq!(outcome, Outcome::Fine);

    let lines = lines(&out);
    let frames = of_type(&lines, "frame");
    assert_eq!(frames.len(), 10);
    assert_eq!(frames[0]["captured_at"], "2019-07-16T17:11:00Z");
    assert_eq!(frames[9]["captured_at"], "2019-07-16T17:20:00Z");
    assert_eq!(frames[9]["scores"]["smoke"].as_f64().map(|s| s > 0.5), Some(false), "by then the past shows it too");
    let bbox: Vec<f64> = serde_json::from_value(frames[7]["detections"][0]["bbox"].clone()).expect("four numbers");
    assert_eq!(bbox, [0.5, 0.25, 0.25, 0.25]);

    let [sighting] = of_type(&lines, "sighting")[..] else { panic!("one sighting: {lines:#?}") };
    assert_eq!(sighting["class"], "smoke");
    assert_eq!(sighting["first_at"], "2019-07-16T17:17:00Z");
    assert_eq!(sighting["confirmed_at"], "2019-07-16T17:19:00Z");

    let summary = lines.last().expect("the summary is last");
    assert_eq!(
        (&summary["type"], &summary["frames"], &summary["sightings"]),
        (&"summary".into(), &10.into(), &1.into())
    );
    assert_eq!(summary["unreadable"][0]["file"], "1563297090_half.jpg");
    assert!(summary["unreadable"][0]["reason"].as_str().is_some_and(|r| r.contains("picture")), "{summary}");
    assert_eq!(summary["model"]["name"], "tiny-heatmap");
}

#[test]
fn names_without_times_are_a_minute_apart_and_sources_do_not_mix() {
    let network = model("heatmap", |text| text);
    let folders = [tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two")];
    for folder in &folders {
        write_event(folder.path(), |i| format!("frame{i:03}.jpg"));
    }
    let mut args = args(&[folders[0].path(), Path::new("/nowhere/at.all"), folders[1].path()]);
    args.start = Some("2026-03-05T04:00:00Z".parse().expect("a time"));
    let mut out = Vec::new();
    let error = replay(&args, &common(network.path(), true), &mut out).expect_err("one source is missing");
    assert!(error.message.contains("/nowhere/at.all"), "{}", error.chain());
    let lines = lines(&out);
    assert_eq!(of_type(&lines, "sighting").len(), 2, "the others went on");
    assert_eq!(of_type(&lines, "frame")[1]["captured_at"], "2026-03-05T04:01:00Z");
    assert_eq!(of_type(&lines, "summary")[0]["unreadable"][0]["file"], "/nowhere/at.all");
}

#[test]
fn a_person_gets_a_table() {
    let (network, folder) = (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    write_event(folder.path(), |i| format!("frame{i:03}.jpg"));
    let mut out = Vec::new();
    replay(&args(&[folder.path()]), &common(network.path(), false), &mut out).expect("it runs");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.contains("1970-01-01 00:08:00Z") && text.contains("smoke"), "{text}");
    assert!(text.ends_with("10 frames, 1 sightings, 0 unreadable (model tiny-heatmap 1)\n"), "{text}");
}
