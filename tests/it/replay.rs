//! `huoyan replay` and `huoyan model check` over folders made here, with a network of known
//! answers.

use crate::detect::{config, model, with_points};
use huoyan::cli::replay::{Args, replay};
use huoyan::cli::{Common, Outcome};
use huoyan::config::Config;
use huoyan::frame::Picture;
use huoyan::lang::Lang;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

pub fn common(model: &Path, json: bool) -> Common {
    let detect = huoyan::config::DetectConfig { model: model.to_owned(), ..config() };
    Common {
        config: Config { detect, ..Config::default() },
        device: None,
        lang: Lang::En,
        json,
        quiet: true,
    }
}

pub fn args(sources: &[&Path]) -> Args {
    let duration = |text: &str| text.parse().expect("a duration");
    let sources = sources.iter().map(PathBuf::from).collect();
    Args {
        sources,
        interval: duration("60s"),
        cadence: None,
        drill: None,
        start: None,
        point: None,
        model: None,
        screen_size: None,
        cascade: false,
        gate: false,
        count_false: false,
        at_most: None,
        demo_night: None,
        sheet: None,
    }
}

/// A picture a minute: grey, and from the sixth on with something bright in one cell.
pub fn write_event(folder: &Path, names: impl Fn(usize) -> String) {
    write_pictures(folder, 10, 6, names);
}

fn write_pictures(
    folder: &Path,
    count: usize,
    bright_from: usize,
    names: impl Fn(usize) -> String,
) {
    for i in 0..count {
        let bright = |p: u32| {
            i >= bright_from && (32..48).contains(&(p % 64)) && (16..32).contains(&(p / 64))
        };
        let rgb: Vec<u8> =
            (0..64 * 64).flat_map(|p| [if bright(p) { 230 } else { 60 }; 3]).collect();
        let jpeg = Picture::from_rgb(64, 64, &rgb).and_then(|p| p.to_jpeg(95)).expect("a picture");
        std::fs::write(folder.join(names(i)), jpeg).expect("written");
    }
}

pub fn lines(out: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(out).expect("UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect()
}

pub fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

#[test]
fn behind_a_gate_a_still_hill_is_looked_at_once_in_six_pictures_and_smoke_is_found_in_the_same_minute()
 {
    let (network, folder) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    write_pictures(folder.path(), 20, 13, |i| format!("{}_-01800.jpg", 1_563_297_060 + 60 * i));
    let said = |gate: bool| {
        let mut out = Vec::new();
        let args = Args { gate, ..args(&[folder.path()]) };
        replay(&args, &common(network.path(), true), &mut out).expect("it runs");
        lines(&out)
    };
    let (open, gated) = (said(false), said(true));
    let closed: Vec<_> =
        of_type(&gated, "gated").iter().map(|line| line["index"].as_u64()).collect();
    assert_eq!(
        closed,
        [6, 7, 8, 9, 10, 12].map(Some),
        "minutes to know what is usual, one in six, and what is new"
    );
    assert_eq!(of_type(&gated, "frame").len(), 14);
    let (sightings, summary) = (of_type(&gated, "sighting"), of_type(&gated, "summary")[0]);
    assert_eq!(sightings, of_type(&open, "sighting"));
    assert_eq!(sightings.len(), 1);
    assert_eq!((summary["frames"].as_u64(), summary["gated"].as_u64()), (Some(20), Some(6)));
}

/// One self-contained page: pictures before, at and after each confirmation.
#[test]
fn a_sheet_shows_each_sighting_with_what_came_before_and_after_it() {
    let (network, folder) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    let pictures = folder.path().join("a<b");
    std::fs::create_dir(&pictures).expect("a folder");
    write_event(&pictures, |i| format!("{}_-01800.jpg", 1_563_297_060 + 60 * i));
    let page = folder.path().join("out.html");
    let args = Args { sheet: Some(page.clone()), ..args(&[&pictures]) };
    replay(&args, &common(network.path(), true), &mut Vec::new()).expect("it runs");
    let html = std::fs::read_to_string(&page).expect("written");
    assert!(
        html.contains("1 sightings") && html.contains("a&lt;b") && !html.contains("a<b"),
        "{html}"
    );
    let figures: Vec<&str> = html.split("<figure").skip(1).collect();
    let evidence =
        figures.iter().position(|it| it.contains("evidence")).expect("the confirmed one");
    assert!(
        evidence > 0 && evidence + 1 < figures.len(),
        "{} pictures, the confirmed is {evidence}",
        figures.len()
    );
    assert!(
        !figures[0].contains("<i ") && figures[evidence].contains("<i "),
        "boxed from where it was seen on"
    );
    assert!(
        figures.iter().all(|it| it.contains("data:image/jpeg;base64,/9j/"))
            && html.contains("<polyline")
    );
    assert!(!html.contains("http"), "it needs nothing else");
}

#[test]
fn a_folder_is_a_camera_and_a_bad_picture_stops_nothing() {
    let (network, folder) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    write_event(folder.path(), |i| format!("{}_-01800.jpg", 1_563_297_060 + 60 * i));
    std::fs::write(folder.path().join("1563297090_half.jpg"), b"\xff\xd8\xff and no more")
        .expect("written");
    let mut out = Vec::new();
    let outcome =
        replay(&args(&[folder.path()]), &common(network.path(), true), &mut out).expect("it runs");
    assert_eq!(outcome, Outcome::Fine);

    let lines = lines(&out);
    let frames = of_type(&lines, "frame");
    assert_eq!(frames.len(), 10);
    assert_eq!(frames[0]["captured_at"], "2019-07-16T17:11:00Z");
    assert_eq!(frames[9]["captured_at"], "2019-07-16T17:20:00Z");
    let has_past = [0, 1, 9].map(|i| frames[i]["has_past"].as_bool());
    assert_eq!(
        has_past,
        [Some(false), Some(true), Some(true)],
        "the first picture has nothing to compare with"
    );
    assert_eq!(
        frames[9]["scores"]["smoke"].as_f64().map(|s| s > 0.5),
        Some(false),
        "by then the past shows it too"
    );
    let bbox: Vec<f64> =
        serde_json::from_value(frames[7]["detections"][0]["bbox"].clone()).expect("four numbers");
    assert_eq!(bbox, [0.5, 0.25, 0.25, 0.25]);

    let [sighting] = of_type(&lines, "sighting")[..] else { panic!("one sighting: {lines:#?}") };
    assert_eq!(sighting["class"], "smoke");
    assert_eq!(sighting["first_at"], "2019-07-16T17:17:00Z");
    assert_eq!(sighting["confirmed_at"], "2019-07-16T17:18:00Z");
    assert!(sighting["evidence"].as_f64().is_some_and(|evidence| evidence >= 3.4), "{sighting}");

    let summary = lines.last().expect("the summary is last");
    assert_eq!(
        (&summary["type"], &summary["frames"], &summary["sightings"]),
        (&"summary".into(), &10.into(), &1.into())
    );
    assert_eq!(summary["unreadable"][0]["file"], "1563297090_half.jpg");
    assert!(
        summary["unreadable"][0]["reason"].as_str().is_some_and(|r| r.contains("picture")),
        "{summary}"
    );
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
    let error =
        replay(&args, &common(network.path(), true), &mut out).expect_err("one source is missing");
    assert!(error.message.contains("/nowhere/at.all"), "{}", error.chain());
    let lines = lines(&out);
    assert_eq!(of_type(&lines, "sighting").len(), 2, "the others went on");
    assert_eq!(of_type(&lines, "frame")[1]["captured_at"], "2026-03-05T04:01:00Z");
    assert_eq!(of_type(&lines, "summary")[0]["unreadable"][0]["file"], "/nowhere/at.all");
}

#[test]
fn a_recording_is_screened_small_and_looked_at_in_full_size_after_a_suspicion() {
    let (network, folder) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    write_event(folder.path(), |i| format!("frame{i:03}.jpg"));
    for (screen_size, cascade, main) in [
        (None, false, vec![]),
        (Some((32, 32)), false, vec![]),
        (Some((32, 32)), true, vec![7, 8, 9]),
    ] {
        let args = Args { screen_size, cascade, ..args(&[folder.path()]) };
        let mut out = Vec::new();
        replay(&args, &common(network.path(), true), &mut out).expect("it runs");
        let lines = lines(&out);
        let frames = of_type(&lines, "frame");
        let in_full: Vec<usize> =
            (0..frames.len()).filter(|&i| frames[i]["stream"] == "main").collect();
        assert_eq!((frames.len(), in_full), (10, main), "{screen_size:?} {cascade}");
        assert_eq!(of_type(&lines, "sighting").len(), 1, "{screen_size:?} {cascade}");
    }
}

/// An office names recordings without smoke before it lets a model wake anybody. Every confirmation
/// there is a false alarm. The possible rate per day is printed beside the counted number.
#[test]
fn recordings_without_smoke_are_a_gate_on_clean_time() {
    let network = model("heatmap", |text| text);
    let [quiet, loud] = [tempfile::tempdir().expect("one"), tempfile::tempdir().expect("two")];
    write_pictures(quiet.path(), 61, 61, |i| format!("frame{i:03}.jpg"));
    write_event(loud.path(), |i| format!("frame{i:03}.jpg"));
    let said = |sources: &[&Path], at_most: f64| {
        let args = Args { count_false: true, at_most: Some(at_most), ..args(sources) };
        let mut out = Vec::new();
        let outcome = replay(&args, &common(network.path(), true), &mut out).expect("it runs");
        let rates: Vec<Value> =
            of_type(&lines(&out), "false_alarms").into_iter().cloned().collect();
        (outcome, rates)
    };
    let (outcome, rates) = said(&[quiet.path()], 100.0);
    let all = rates.last().expect("all together");
    assert_eq!(
        (outcome, &all["source"], all["false_alarms"].as_u64()),
        (Outcome::Fine, &Value::Null, Some(0))
    );
    assert!(all["hours"].as_f64().is_some_and(|hours| (hours - 1.0).abs() < 1e-6), "{all}");
    // An hour without an alarm still allows 3.69 an hour, 88.5 a day.
    assert!(all["upper"].as_f64().is_some_and(|upper| (upper - 88.53).abs() < 0.01), "{all}");
    assert_eq!(
        said(&[quiet.path()], 80.0).0,
        Outcome::Findings,
        "an hour proves no less than 88 a day"
    );

    let (outcome, rates) = said(&[quiet.path(), loud.path()], 100.0);
    let alarms: Vec<Option<u64>> = rates.iter().map(|rate| rate["false_alarms"].as_u64()).collect();
    assert_eq!((outcome, alarms), (Outcome::Findings, vec![Some(0), Some(1), Some(1)]));

    let args = Args { count_false: true, ..args(&[quiet.path()]) };
    let mut out = Vec::new();
    replay(&args, &common(network.path(), false), &mut out).expect("it runs");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(
        text.contains(
            "1.00 clean hours (a look every 60 s), 0 false alarms, 0.00 a camera-day \
            (0.00–88.53)"
        ),
        "{text}"
    );
}

/// The smallest data without smoke that every installation has, with the shipped model.
#[test]
fn the_demo_county_has_a_quiet_night() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke-fire/0.2.0");
    let night = "60s".parse().expect("a duration");
    let args = Args {
        count_false: true,
        demo_night: Some(night),
        cadence: "20s".parse().ok(),
        ..args(&[])
    };
    let mut out = Vec::new();
    let outcome = replay(&args, &common(&shipped, true), &mut out).expect("it runs");
    let rates: Vec<Value> = of_type(&lines(&out), "false_alarms").into_iter().cloned().collect();
    assert_eq!(
        (outcome, rates.len(), &rates[12]["source"]),
        (Outcome::Fine, 14, &"demo-night-13".into())
    );
    assert!(
        rates[13]["hours"].as_f64().is_some_and(|hours| (hours - 13.0 / 60.0).abs() < 1e-6),
        "{}",
        rates[13]
    );
}

#[test]
fn a_person_gets_a_table() {
    let (network, folder) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    write_event(folder.path(), |i| format!("frame{i:03}.jpg"));
    let mut out = Vec::new();
    replay(&args(&[folder.path()]), &common(network.path(), false), &mut out).expect("it runs");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(text.contains("1970-01-01 00:07:00Z") && text.contains("smoke"), "{text}");
    assert!(
        text.ends_with(
            "10 frames, 1 sightings, 0 unreadable (model tiny-heatmap 1; smoke 0.1034, fire \
            0.1474, in tiles 0.1034 and 0.1474, evidence 3.4)\n"
        ),
        "{text}"
    );
}

#[test]
fn a_recording_is_run_at_each_point_of_a_model() {
    let (plain, pointed) = (model("heatmap", |text| text), model("heatmap", with_points));
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_event(folder.path(), |i| format!("frame{i:03}.jpg"));
    for (asked, confirmed_at, point) in [
        (None, Some("1970-01-01T00:08:00Z"), "balanced"),
        (Some("quiet"), None, "quiet"),
        (Some("balanced"), Some("1970-01-01T00:08:00Z"), "balanced"),
        (Some("eager"), Some("1970-01-01T00:07:00Z"), "eager"),
    ] {
        let mut args = args(&[folder.path()]);
        args.point = asked.map(|name| name.parse().expect("a point"));
        args.model = Some(pointed.path().to_owned());
        let mut out = Vec::new();
        replay(&args, &common(plain.path(), true), &mut out).expect("it runs");
        let lines = lines(&out);
        let sightings: Vec<&str> = of_type(&lines, "sighting")
            .iter()
            .filter_map(|it| it["confirmed_at"].as_str())
            .collect();
        assert_eq!(sightings, Vec::from_iter(confirmed_at), "{asked:?}");
        let summary = lines.last().expect("the summary is last");
        assert_eq!(summary["point"], point);
        let limits = [("quiet", "4.5"), ("balanced", "1.4"), ("eager", "1.2")];
        let limit = limits.into_iter().find_map(|(name, limit)| (name == point).then_some(limit));
        assert_eq!(Some(summary["thresholds"]["evidence"].to_string().as_str()), limit);
    }
}

#[test]
fn an_office_s_own_numbers_are_no_point_and_a_model_without_points_says_so() {
    let (plain, pointed) = (model("heatmap", |text| text), model("heatmap", with_points));
    let folder = tempfile::tempdir().expect("a temporary folder");
    write_event(folder.path(), |i| format!("frame{i:03}.jpg"));
    let mut args = args(&[folder.path()]);
    let mut own = common(pointed.path(), true);
    own.config.thresholds = own.config.thresholds.with(|it| it.smoke = 0.65).expect("valid");
    let mut out = Vec::new();
    replay(&args, &own, &mut out).expect("it runs");
    let lines = lines(&out);
    let summary = lines.last().expect("the summary is last");
    assert_eq!(
        (&summary["point"], summary["thresholds"]["evidence"].to_string()),
        (&Value::Null, "3.4".to_owned())
    );

    args.point = "quiet".parse().ok();
    own.json = false;
    let mut out = Vec::new();
    replay(&args, &own, &mut out).expect("it runs");
    let text = String::from_utf8(out).expect("UTF-8");
    assert!(
        text.contains("quiet: smoke 0.7, fire 0.6, in tiles 0.7 and 0.6, evidence 4.5"),
        "{text}"
    );

    for (lang, words) in
        [(Lang::En, "has no operating points: leave out --point"), (Lang::Zh, "没有工作点")]
    {
        let common = Common { lang, ..common(plain.path(), true) };
        let error = replay(&args, &common, &mut Vec::new()).expect_err("it has none");
        assert!(error.message.contains(words), "{}", error.chain());
    }
}

#[test]
fn a_picture_is_a_folder_of_one_and_half_a_picture_is_an_error() {
    let (network, folder) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    // Red appears only in the lower part of the file, and the file has more bytes than GStreamer
    // reads at once.
    let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8 / 2;
    let rgb: Vec<u8> = (0..256 * 256)
        .flat_map(|i| if i / 256 < 128 { [noise(i); 3] } else { [250, 40, 40] })
        .collect();
    let jpeg = Picture::from_rgb(256, 256, &rgb).and_then(|p| p.to_jpeg(95)).expect("a picture");
    assert!(jpeg.len() > 3 * 4096, "{}", jpeg.len());
    let file = folder.path().join("one.jpg");
    std::fs::write(&file, &jpeg).expect("written");
    let said = |source: &Path| {
        let mut out = Vec::new();
        replay(&args(&[source]), &common(network.path(), true), &mut out).expect("it runs");
        lines(&out)
    };
    let (alone, in_folder) = (said(&file), said(folder.path()));
    for key in ["file", "index", "scores", "detections"] {
        assert_eq!(alone[0][key], in_folder[0][key], "{key}");
    }
    assert!(
        alone[0]["scores"]["fire"].as_f64().is_some_and(|fire| fire > 0.7),
        "to its lower edge: {}",
        alone[0]
    );

    std::fs::write(&file, &jpeg[..4096]).expect("written");
    for source in [file.as_path(), folder.path()] {
        let lines = said(source);
        let [summary] = &lines[..] else { panic!("no frame of half a picture: {lines:#?}") };
        assert_eq!(summary["frames"], 0);
        let reason = summary["unreadable"][0]["reason"].as_str().expect("a sentence");
        assert!(reason.contains("cut off"), "{reason}");
    }
}

#[test]
fn a_recording_is_looked_at_at_any_cadence_and_with_a_drill_s_smoke_in_it() {
    let (network, folder) =
        (model("heatmap", |text| text), tempfile::tempdir().expect("a temporary folder"));
    write_pictures(folder.path(), 20, 20, |i| format!("frame{i:03}.jpg"));
    let duration = |text: &str| text.parse().expect("a duration");
    let said = |cadence: Option<&str>, drill: Option<&str>| {
        let args = Args {
            cadence: cadence.map(duration),
            drill: drill.map(duration),
            ..args(&[folder.path()])
        };
        let mut out = Vec::new();
        replay(&args, &common(network.path(), true), &mut out).expect("it runs");
        lines(&out)
    };
    let seconds = |lines: &[Value]| -> Vec<String> {
        of_type(lines, "frame")
            .iter()
            .map(|it| it["captured_at"].as_str().expect("a time")[14..19].to_owned())
            .collect()
    };
    assert_eq!(seconds(&said(Some("5min"), None)), ["00:00", "05:00", "10:00", "15:00"]);
    let drilled = said(None, Some("10min"));
    let with_smoke: Vec<_> =
        of_type(&drilled, "frame").into_iter().filter(|it| it["drill"] == true).collect();
    assert_eq!(with_smoke[0]["captured_at"], "1970-01-01T00:10:00Z");
    assert!(
        of_type(&drilled, "frame").len() - with_smoke.len() == 20,
        "the real look is there, too"
    );
}

/// Runs the whole program: the output of `huoyan model check` for these folders.
fn checked(folder: &Path, lang: &str, json: bool) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_huoyan"))
        .args(["model", "check", "--quiet"])
        .args(json.then_some("--json"))
        .arg(folder)
        .env("LC_ALL", lang)
        .env("ORT_DYLIB_PATH", config().onnxruntime)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn model_check_tells_the_points_and_what_to_expect_of_them() {
    let (plain, pointed) = (model("heatmap", |text| text), model("heatmap", with_points));
    let text = checked(pointed.path(), "en_GB.UTF-8", false);
    assert!(text.contains("default balanced") && text.contains("not from this county"), "{text}");
    let eager = "eager: smoke 0.4, fire 0.6, in tiles 0.4 and 0.6, evidence 1.2; 0.25 (0.00–1.10) \
        false alarms per camera and day, event recall 0.95 (0.50–1.00), 2.0 (0.0–4.5) minutes to \
        alarm";
    assert!(text.contains(eager), "{text}");
    let text = checked(pointed.path(), "zh_CN.UTF-8", false);
    assert!(
        text.contains(
            "安静 quiet: 烟 0.7，火 0.6，分块 0.7、0.6，证据 4.5；每台摄像机每天误报 \
            0.25 (0.00–1.10)"
        ),
        "{text}"
    );

    let json: Value = serde_json::from_str(&checked(pointed.path(), "C", true)).expect("JSON");
    assert_eq!(
        (&json["points"]["default"], &json["points"]["quiet"]["evidence"]),
        (&"balanced".into(), &4.5.into())
    );
    let recall = &json["points"]["balanced"]["expected"]["event_recall"];
    assert_eq!(recall, &serde_json::json!({"value": 0.9, "lower": 0.5, "upper": 1.0}));
    let json: Value = serde_json::from_str(&checked(plain.path(), "C", true)).expect("JSON");
    assert_eq!(json["points"], Value::Null);
    assert!(checked(plain.path(), "en_GB.UTF-8", false).contains("no operating points"));
}

/// A drill's smoke is meant to alarm. It must not count as a false alarm in what an office measures
/// before it trusts a camera.
#[test]
fn clean_time_is_not_counted_with_a_drill_in_it() {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_huoyan"));
    let refused = command
        .args(["replay", "--count-false", "--drill", "1m", "hill"])
        .output()
        .expect("it runs");
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("--count-false") && said.contains("--drill"), "{said}");
}
