//! Follows models/another-model.md: networks with the output shapes of the public families, the
//! page's own model.toml, the real command. Bright means smoke, red fire, dark a person
//! (tests/data/onnx/make.py).

use crate::detect::{config, model};
use huoyan::detect::Detector;
use huoyan::frame::Picture;
use huoyan::triage::detection::Class;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn network(name: &str) -> Vec<u8> {
    std::fs::read(repository().join(format!("tests/data/onnx/{name}.onnx"))).expect("committed")
}

/// The page's example with the size and checksum of our network. `text` may damage it.
pub fn folder(layout: &str, network: &[u8], text: impl FnOnce(String) -> String) -> TempDir {
    let page =
        std::fs::read_to_string(repository().join("models/another-model.md")).expect("the page");
    let (_, rest) = page.split_once("```toml\n").expect("an example");
    let (example, _) = rest.split_once("```").expect("its end");
    let mut manifest = example.to_owned();
    for (from, to) in [
        ("width = 640", "width = 96".to_owned()),
        ("height = 480", "height = 64".to_owned()),
        ("layout = \"v8\"", format!("layout = \"{layout}\"")),
        (&"0".repeat(64), hex::encode(Sha256::digest(network))),
    ] {
        assert!(manifest.contains(from), "the page has lost {from}");
        manifest = manifest.replacen(from, &to, 1);
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("best.onnx"), network).expect("written");
    std::fs::write(folder.path().join("model.toml"), text(manifest)).expect("written");
    folder
}

/// A dark picture, four times as large as the canvas and wider, with a square of 80 pixels.
pub fn picture(left: usize, top: usize, colour: [u8; 3]) -> Picture {
    let inside =
        |x: usize, y: usize| (left..left + 80).contains(&x) && (top..top + 80).contains(&y);
    let rgb: Vec<u8> = (0..480 * 240)
        .flat_map(|i| if inside(i % 480, i / 480) { colour } else { [20, 20, 20] })
        .collect();
    Picture::from_rgb(480, 240, &rgb).expect("sizes fit")
}

#[test]
fn the_box_lies_on_the_bright_square_and_is_one() {
    // 480 × 240 becomes 96 × 48 below a bar of 8 rows. The square of 80 is a window of 16 there.
    for (layout, objectness) in [("v8", 1.0), ("v5", 0.9)] {
        let folder = folder(layout, &network(&format!("bright-{layout}")), |text| text);
        let detector = Detector::load(folder.path(), &config()).expect("it loads");
        let mut worker = detector.session().expect("a session opens");
        for (colour, class, strength) in [
            ([240, 240, 240], Class::Smoke, 2.0 * 240.0 / 255.0 - 1.0),
            ([230, 20, 20], Class::Fire, 210.0 / 255.0),
        ] {
            let (scores, found) = worker.analyse(&picture(320, 80, colour), None).expect("it runs");
            // A window 4 pixels off overlaps too much to count separately; one 8 off is too weak
            // for smoke.
            let of_class: Vec<_> = found.iter().filter(|d| d.class == class).collect();
            let best = of_class.first().unwrap_or_else(|| panic!("{layout} {class:?}: {found:?}"));
            let [x, y, w, h]: [f32; 4] = best.bbox.into();
            let near = |found: f32, pixels: f32, of: f32| (found * of - pixels).abs() < 0.5;
            assert!(
                near(x, 320.0, 480.0)
                    && near(y, 80.0, 240.0)
                    && near(w, 80.0, 480.0)
                    && near(h, 80.0, 240.0),
                "{layout} {class:?}: {:?}",
                best.bbox
            );
            assert!(
                (best.confidence - strength * objectness).abs() < 0.03,
                "{layout} {class:?}: {}",
                best.confidence
            );
            let overlap =
                of_class.iter().skip(1).map(|d| d.bbox.iou(&best.bbox)).fold(0.0, f32::max);
            assert!(overlap <= 0.45, "{layout} {class:?}: suppressed boxes are gone");
            let other = if class == Class::Smoke { scores.fire } else { scores.smoke };
            assert!(other < 0.05, "{layout} {class:?}: {scores:?}");
        }
        let (scores, found) = worker.analyse(&picture(0, 0, [20, 20, 20]), None).expect("it runs");
        assert!(
            found.is_empty() && scores.smoke < 0.05,
            "all dark is a person to this network, and nothing to us"
        );
    }
}

fn check(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command.env_clear().env("LC_ALL", "en_US.UTF-8").env("ORT_DYLIB_PATH", config().onnxruntime);
    command.args(["--quiet", "model", "check"]).arg(folder).args(more).current_dir(repository());
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_command_says_what_it_is_and_what_it_costs() {
    let folder = folder("v8", &network("bright-v8"), |text| text);
    let told = check(folder.path(), &[]);
    let words = text(&told.stdout);
    assert!(told.status.success(), "{words}{}", text(&told.stderr));
    for part in [
        "model county-yolo 1",
        "head yolo v8",
        "classes 3, used: fire 2, smoke 3",
        "input \"images\" [1, 3, 64, 96] nchw",
        "no goldens.json",
        "ms of CPU per frame",
        "cameras per core, each looked at every 10 s",
        "fog: smoke 0.7",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }

    let told = check(folder.path(), &["--json"]);
    let json: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(json["classes"], serde_json::json!([null, "fire", "smoke"]));
    assert_eq!(
        (&json["head"], &json["input"]["shape"]),
        (&"yolo v8".into(), &serde_json::json!([1, 3, 64, 96]))
    );
    let (cost_ms, cameras) = (json["cpu_ms_per_frame"].as_f64(), json["cameras_per_core"].as_u64());
    assert_eq!(cost_ms.map(|ms| (10_000.0 / ms) as u64), cameras);
    assert!(
        cameras.is_some_and(|n| n > 0) && json["seen"][1]["detections"][0]["class"] == "smoke",
        "{json}"
    );
}

#[test]
fn goldens_are_written_once_and_compared_ever_after() {
    let (bright, other) = (network("bright-v8"), network("bright-v5"));
    let folder = folder("v8", &bright, |text| text);
    let told = check(folder.path(), &["--write-goldens"]);
    assert!(
        told.status.success() && text(&told.stdout).contains("all 4 goldens agree"),
        "{}",
        text(&told.stderr)
    );
    let again = check(folder.path(), &["--write-goldens"]);
    assert!(
        again.status.code() == Some(2) && text(&again.stderr).contains("is not overwritten"),
        "{}",
        text(&again.stderr)
    );

    // Another network under the same name is noticed by its objectness of 0.9.
    let manifest = std::fs::read_to_string(folder.path().join("model.toml")).expect("there");
    let sum = |network: &[u8]| hex::encode(Sha256::digest(network));
    let manifest =
        manifest.replace(&sum(&bright), &sum(&other)).replace("layout = \"v8\"", "layout = \"v5\"");
    std::fs::write(folder.path().join("model.toml"), manifest).expect("written");
    std::fs::write(folder.path().join("best.onnx"), other).expect("written");
    let told = check(folder.path(), &[]);
    assert_eq!(told.status.code(), Some(1), "findings");
    assert!(text(&told.stdout).contains("scene, smoke, max"), "{}", text(&told.stdout));
}

#[test]
fn every_plausible_mistake_is_named_with_its_cure() {
    let v8 = network("bright-v8");
    // The operator set is the last byte of the file: version 13 becomes 99.
    let newer: Vec<u8> = v8.iter().copied().take(v8.len() - 1).chain([99]).collect();
    let half: Vec<u8> = v8.iter().copied().take(v8.len() / 2).collect();
    let page = b"<!DOCTYPE html><title>404</title>".to_vec();
    for (what, network, from, to, cures) in [
        (
            "wrong sum",
            &v8,
            "sha256 = \"",
            "sha256 = \"0123",
            vec!["64 lower-case hex digits that `sha256sum` prints"],
        ),
        (
            "another input",
            &v8,
            "\"images\"",
            "\"input\"",
            vec!["\"input\"", "the network has \"images\": write that"],
        ),
        (
            "another output",
            &v8,
            "\"output0\"",
            "\"out\"",
            vec!["\"out\"", "the network has \"output0\": write that"],
        ),
        (
            "v8 taken for v5",
            &v8,
            "\"v8\"",
            "\"v5\"",
            vec!["[1, 7, 273], which is layout = \"v8\" with 3 classes"],
        ),
        (
            "a class too few",
            &v8,
            "\"person\", ",
            "",
            vec!["with 3 classes", "names layout = \"v8\" and 2 classes"],
        ),
        (
            "another size",
            &v8,
            "width = 96",
            "width = 640",
            vec!["[1, 3, 64, 640], but the network wants [1, 3, 64, 96]"],
        ),
        (
            "a newer operator set",
            &newer,
            "",
            "",
            vec!["best.onnx", "exported for a newer runtime", "opset=17"],
        ),
        ("half a file", &half, "", "", vec!["best.onnx", "or it is incomplete", "copy it again"]),
        (
            "a page instead of a file",
            &page,
            "",
            "",
            vec!["best.onnx", "not an ONNX file", "copy it again"],
        ),
    ] {
        let folder = folder("v8", network, |text| text.replacen(from, to, 1));
        let told = check(folder.path(), &[]);
        let words = text(&told.stderr);
        assert_eq!(told.status.code(), Some(2), "{what}: {words}");
        for cure in cures.iter().chain(&["error"]) {
            assert!(words.contains(cure), "{what}: {words}");
        }
    }
    let folder = folder("v8", &v8, |text| text);
    std::fs::write(folder.path().join("best.onnx"), network("bright-v5")).expect("written");
    let words = text(&check(folder.path(), &[]).stderr);
    assert!(
        words.contains("not the file that model.toml describes") && words.contains("write its sum"),
        "{words}"
    );
}

#[test]
fn an_input_without_a_size_works_at_the_size_that_works() {
    let told = check(model("yolo-v8-dynamic", |text| text).path(), &[]);
    assert!(told.status.success(), "{}", text(&told.stderr));
    let larger = model("yolo-v8-dynamic", |text| text.replace("width = 64", "width = 128"));
    let words = text(&check(larger.path(), &[]).stderr);
    for part in ["model.toml", "[1, 3, 64, 128]", "dynamic=False", "multiples of 32"] {
        assert!(words.contains(part), "{part}: {words}");
    }
}

/// `huoyan replay` accepts the folder like any other.
#[test]
fn a_replay_sees_with_it() {
    let folder = folder("v8", &network("bright-v8"), |text| text);
    let recording = tempfile::tempdir().expect("a folder");
    for i in 0..5 {
        let jpeg = picture(320, 80, [240, 240, 240]).to_jpeg(95).expect("a picture");
        std::fs::write(recording.path().join(format!("frame{i}.jpg")), jpeg).expect("written");
    }
    let settings = recording.path().join("trial.toml");
    let quoted = |path: PathBuf| format!("{:?}", path.display().to_string());
    std::fs::write(&settings, format!("[detect]\nmodel = {}\n", quoted(folder.path().to_owned())))
        .expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command.env_clear().env("ORT_DYLIB_PATH", config().onnxruntime).current_dir(repository());
    command
        .arg("--config")
        .arg(&settings)
        .args(["--quiet", "--json", "replay"])
        .arg(recording.path());
    let told = command.output().expect("the program starts");
    let lines: Vec<Value> = text(&told.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON line"))
        .collect();
    let sightings =
        lines.iter().filter(|line| line["type"] == "sighting" && line["class"] == "smoke").count();
    assert_eq!(sightings, 1, "{}{}", text(&told.stdout), text(&told.stderr));
}
