//! Models in the real ONNX Runtime: networks so small that their answer is known beforehand
//! (tests/data/onnx), and the released ones by their goldens.

use huoyan::config::{Batch, DetectConfig, Device, Tiles};
use huoyan::detect::{Detector, Goldens, Look, Worker};
use huoyan::drill::{Plume, composite, scene};
use huoyan::error::Kind;
use huoyan::frame::Picture;
use huoyan::lang::Lang;
use huoyan::triage::confirm::Thresholds;
use huoyan::triage::detection::{Class, Detection, Scores};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Without tiles: stories about tiles set their number.
pub fn config() -> DetectConfig {
    let onnxruntime = repository().join(".huoyan/lib/libonnxruntime.so");
    DetectConfig { onnxruntime, tiles: Tiles::Of(0), ..DetectConfig::default() }
}

/// A model folder around one of the tiny networks. `text` may damage `model.toml`.
pub fn model(name: &str, text: impl FnOnce(String) -> String) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let network = std::fs::read(repository().join(format!("tests/data/onnx/{name}.onnx")))
        .expect("committed");
    let (head, frames, output) = match name {
        "heatmap" | "crowd" => {
            ("heatmap", "frames = 2\npast_s = [180]\nlayout = \"ntchw\"", "heatmap = \"output\"")
        }
        "yolo-v5" => {
            ("yolo", "frames = 1\nlayout = \"nchw\"", "boxes = \"output\"\nlayout = \"v5\"")
        }
        _ => ("yolo", "frames = 1\nlayout = \"nchw\"", "boxes = \"output\"\nlayout = \"v8\""),
    };
    let classes = if head == "yolo" { "[\"fire\", \"smoke\"]" } else { "[\"smoke\", \"fire\"]" };
    let sum = hex::encode(Sha256::digest(&network));
    let manifest = format!(
        "name = \"tiny-{name}\"\nversion = \"1\"\nfile = \"model.onnx\"\nsha256 = \"{sum}\"\nhead \
        = \"{head}\"\n\
         classes = {classes}\n[input]\nname = \"frames\"\nwidth = 64\nheight = 64\nchannels = \
         3\n{frames}\n\
         mean = [0.0, 0.0, 0.0]\nstd = [1.0, 1.0, 1.0]\nletterbox = true\n[output]\n{output}\n\
         [thresholds.screen]\nsmoke = 0.3\nfire = 0.3\n[thresholds.alarm]\nsmoke = 0.5\nfire = \
         0.6\n"
    );
    std::fs::write(folder.path().join("model.onnx"), network).expect("written");
    std::fs::write(folder.path().join("model.toml"), text(manifest)).expect("written");
    folder
}

/// Gives the tiny models three operating points: `quiet` ignores smoke under 0.7, `eager` needs two
/// looks at 0.6.
pub fn with_points(text: String) -> String {
    let point = |name: &str, smoke: f32, evidence: f32, recall: f32| {
        format!(
            "[points.{name}]\nsmoke = {smoke}\nfire = 0.6\nsmoke_tile = {smoke}\nfire_tile = \
            0.6\nevidence = {evidence}\n[points.{name}.expected]\n\
             false_alarms_per_camera_day = [0.25, 0.0, 1.1]\nevent_recall = [{recall}, 0.5, \
             1.0]\nminutes_to_alarm = [2.0, 0.0, 4.5]\n"
        )
    };
    let points = [
        point("quiet", 0.7, 4.5, 0.8),
        point("balanced", 0.5, 1.4, 0.9),
        point("eager", 0.4, 1.2, 0.95),
    ]
    .concat();
    format!("default_point = \"balanced\"\n{text}{points}")
}

fn worker(name: &str) -> Worker {
    let folder = model(name, |text| text);
    let detector = Detector::load(folder.path(), &config()).expect("the model loads");
    detector.session().expect("a session opens")
}

/// A picture of one colour with one cell (column, row of 4 × 4) of another.
fn picture(ground: [u8; 3], cell: (usize, usize), colour: [u8; 3]) -> Picture {
    let rgb: Vec<u8> = (0..64 * 64)
        .flat_map(|i| if (i % 64 / 16, i / 64 / 16) == cell { colour } else { ground })
        .collect();
    Picture::from_rgb(64, 64, &rgb).expect("sizes fit")
}

fn near(found: f32, expected: f32) -> bool {
    (found - expected).abs() < 0.03
}

fn only(found: &[Detection]) -> (Class, f32, [f32; 4]) {
    let [one] = found else { panic!("one box expected: {found:?}") };
    (one.class, one.confidence, one.bbox.into())
}

#[test]
fn what_was_not_there_before_is_smoke() {
    let mut worker = worker("heatmap");
    let before = picture([60, 60, 60], (9, 9), [0; 3]);
    let now = picture([60, 60, 60], (2, 1), [230, 230, 230]);
    let (scores, found) = worker.analyse(&now, Some(&before)).expect("it runs");
    let (class, confidence, bbox) = only(&found);
    assert_eq!((class, bbox), (Class::Smoke, [0.5, 0.25, 0.25, 0.25]));
    assert!(near(confidence, 170.0 / 255.0) && near(scores.smoke, confidence), "{scores:?}");

    let (scores, found) = worker.analyse(&now, Some(&now)).expect("it runs");
    assert_eq!((scores.smoke, found.len()), (0.0, 0), "it stood there before");
    let (scores, _) = worker.analyse(&now, None).expect("it runs");
    assert_eq!(scores.smoke, 0.0, "without a past the present stands in");
    let wide = Picture::from_rgb(64, 32, &[60; 64 * 32 * 3]).expect("sizes fit");
    let (scores, _) = worker.analyse(&now, Some(&wide)).expect("it runs");
    assert_eq!(scores.smoke, 0.0, "a past of another shape is no past");
}

#[test]
fn a_large_wide_picture_gives_fractions_of_itself() {
    let mut worker = worker("heatmap");
    // At 4:1 it covers half of two rows of cells, and bars fill the other halves. Its last quarter
    // is red.
    let rgb: Vec<u8> = (0..512 * 128)
        .flat_map(|i| if i % 512 < 384 { [80, 80, 80] } else { [250, 40, 40] })
        .collect();
    let wide = Picture::from_rgb(512, 128, &rgb).expect("sizes fit");
    let small = worker.shrink(&wide);
    assert_eq!((small.width(), small.height()), (64, 16));
    for picture in [&wide, &small] {
        let (_, found) = worker.analyse(picture, None).expect("it runs");
        let (class, confidence, bbox) = only(&found);
        assert_eq!(class, Class::Fire);
        assert_eq!((bbox[0], bbox[2]), (0.75, 0.25));
        assert!(near(confidence, 210.0 / 255.0 / 2.0), "{confidence}");
    }
}

#[test]
fn yolo_exports_of_both_families_are_read() {
    // The row of the answer is the cell; red is fire, blue is smoke, green is objectness in version
    // 5.
    for (name, colour, expected) in [
        ("yolo-v8", [20, 20, 230], (Class::Smoke, 230.0 / 255.0)),
        ("yolo-v8", [200, 20, 20], (Class::Fire, 200.0 / 255.0)),
        ("yolo-v5", [20, 200, 230], (Class::Smoke, 230.0 / 255.0 * 200.0 / 255.0)),
    ] {
        let (scores, found) =
            worker(name).analyse(&picture([20, 20, 20], (3, 2), colour), None).expect("it runs");
        let (class, confidence, bbox) = only(&found);
        assert_eq!((class, bbox), (expected.0, [0.75, 0.5, 0.25, 0.25]), "{name}");
        let score = if class == Class::Smoke { scores.smoke } else { scores.fire };
        assert!(near(confidence, expected.1) && score == confidence, "{name}: {confidence}");
    }
}

#[test]
fn workers_on_threads_of_their_own_agree() {
    let folder = model("heatmap", |text| text);
    let detector = Detector::load(folder.path(), &config()).expect("the model loads");
    let answers: Vec<Scores> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut worker = detector.session().expect("a session opens");
                    worker
                        .analyse(&picture([10, 10, 10], (0, 0), [250, 10, 10]), None)
                        .expect("it runs")
                        .0
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect()
    });
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].fire > 0.8);
}

/// Four pictures with one bright cell each, and a grey past: (present, past).
fn four() -> [(Picture, Picture); 4] {
    std::array::from_fn(|i| {
        let present = picture([60, 60, 60], (i, 3 - i), [120 + 30 * i as u8; 3]);
        (present, picture([60, 60, 60], (9, 9), [0; 3]))
    })
}

#[test]
fn looks_of_a_batch_keep_their_order_and_the_rest_is_a_batch_of_its_own() {
    let folder = model("crowd", |text| text);
    let pictures = four();
    let looks: Vec<Look> = pictures.iter().map(|(present, past)| (present, Some(past))).collect();
    for (batch, together) in
        [(Batch::Auto, [1; 4]), (Batch::Of(3), [3, 3, 3, 1]), (Batch::Of(8), [4; 4])]
    {
        let config = DetectConfig { batch, device: Device::Cpu, ..config() };
        let detector = Detector::load(folder.path(), &config).expect("the model loads");
        let answers =
            detector.session().expect("a session opens").analyse_many(&looks).expect("it runs");
        for (i, (scores, found)) in answers.iter().enumerate() {
            assert!(
                near(scores.smoke, (60 + 30 * i) as f32 / 255.0),
                "{batch:?}, look {i}: {scores:?}"
            );
            let smoke =
                found.iter().find(|d| d.class == Class::Smoke).filter(|_| scores.smoke > 0.3);
            let place = smoke.map(|d| <[f32; 4]>::from(d.bbox)[..2].to_vec());
            let expected = (scores.smoke > 0.3).then(|| vec![i as f32 / 4.0, (3 - i) as f32 / 4.0]);
            assert_eq!(place, expected, "{batch:?}, look {i}");
            assert!(
                near(scores.fire, together[i] as f32 / 10.0),
                "{batch:?}, look {i} was with {}",
                scores.fire * 10.0
            );
        }
        assert_eq!(answers.len(), 4);
    }
    let mut worker = Detector::load(folder.path(), &config())
        .and_then(|d| d.session())
        .expect("a session opens");
    assert!(worker.analyse_many(&[]).expect("nothing to do").is_empty());
}

#[test]
fn a_network_made_for_one_look_gets_one() {
    // The first network fixes the batch size in its input. The second claims to take any size, but
    // has it as a constant.
    for name in ["heatmap", "yolo-v8-dynamic"] {
        let folder = model(name, |text| text);
        let config = DetectConfig { batch: Batch::Of(4), ..config() };
        let detector = Detector::load(folder.path(), &config).expect("it loads");
        assert_eq!(detector.batch(), 1, "{name}");
        let pictures = four();
        let looks: Vec<Look> =
            pictures.iter().map(|(present, past)| (present, Some(past))).collect();
        let mut worker = detector.session().expect("a session opens");
        let together = worker.analyse_many(&looks).expect("one after the other");
        let alone =
            looks.iter().map(|(present, past)| worker.analyse(present, *past).expect("it runs"));
        assert_eq!(together, alone.collect::<Vec<_>>(), "{name}");
    }
}

/// The shipped network answers a look in a batch as it does alone. Measured on the CPU: to the last
/// bit. 1e-4 leaves room for a runtime that sums in another order.
#[test]
fn the_shipped_model_answers_four_looks_at_once_as_it_does_four_times_one() {
    let folder = repository().join(DetectConfig::default().model);
    let detector = Detector::load(&folder, &DetectConfig { batch: Batch::Of(4), ..config() })
        .expect("it loads");
    assert_eq!(detector.batch(), 4);
    let mut worker = detector.session().expect("a session opens");
    let ridges = scene::landscape(0, Path::new("")).expect("ridges");
    let smoky = |age_s| composite(&ridges, &Plume::on_terrain(&ridges, 0), age_s);
    let (early, late) = (smoky(60.0), smoky(180.0));
    let small = worker.shrink(&late);
    let looks =
        [(&ridges, None), (&early, Some(&ridges)), (&late, Some(&ridges)), (&small, Some(&early))];
    let together = worker.analyse_many(&looks).expect("it runs");
    assert!(together[2].0.smoke > together[0].0.smoke + 0.1, "the looks differ: {together:?}");
    for (i, ((present, past), (scores, found))) in looks.iter().zip(&together).enumerate() {
        let (alone, found_alone) = worker.analyse(present, *past).expect("it runs");
        let gap = (scores.smoke - alone.smoke).abs().max((scores.fire - alone.fire).abs());
        assert!(gap <= 1e-4, "look {i}: {scores:?}, alone {alone:?}");
        assert_eq!(found.len(), found_alone.len(), "look {i}");
    }
}

/// 640 × 384 instead of 640 × 480: a fifth less to compute, with the same cells. Looks of different
/// shapes may be batched.
#[test]
fn the_shipped_model_sees_a_wide_picture_without_its_bars_as_it_did_with_them() {
    let shipped = repository().join(DetectConfig::default().model);
    let whole = tempfile::tempdir().expect("a temporary folder");
    let manifest = std::fs::read_to_string(shipped.join("model.toml")).expect("committed");
    assert!(manifest.contains("\nrect_stride = 16 "), "the shipped network's sides are open");
    std::fs::write(whole.path().join("model.toml"), manifest.replace("\nrect_stride", "\n# "))
        .expect("written");
    std::fs::copy(shipped.join("model.onnx"), whole.path().join("model.onnx")).expect("copied");
    let open = |folder: &Path| {
        let config = DetectConfig { batch: Batch::Of(4), ..config() };
        Detector::load(folder, &config)
            .and_then(|detector| detector.session())
            .expect("a session opens")
    };
    let wide = scene::landscape(0, Path::new("")).expect("ridges");
    let smoky = composite(&wide, &Plume::on_terrain(&wide, 0), 180.0);
    let square = smoky.resized(640, 480);
    assert_eq!(wide.width() * 9, wide.height() * 16, "the usual shape of a camera's picture");
    let looks = [(&wide, None), (&square, None), (&smoky, Some(&wide)), (&smoky, None)];
    let answers =
        [&shipped, whole.path()].map(|folder| open(folder).analyse_many(&looks).expect("it runs"));
    assert!(answers[0][2].0.smoke > answers[0][0].0.smoke + 0.3, "the looks differ: {answers:?}");
    for (look, (bare, barred)) in answers[0].iter().zip(&answers[1]).enumerate() {
        assert!(
            (bare.0.smoke - barred.0.smoke).abs() < 0.05,
            "look {look}: {bare:?}, with bars {barred:?}"
        );
        let boxes =
            |found: &[Detection]| found.iter().map(|d| (d.class, d.bbox)).collect::<Vec<_>>();
        assert_eq!(
            boxes(&bare.1),
            boxes(&barred.1),
            "look {look}: the cells lie on the picture as they did"
        );
    }
    assert_eq!(answers[0][1], answers[1][1], "a picture that fills the canvas has no bars");
}

#[test]
fn the_model_advises_the_thresholds() {
    let folder = model("heatmap", |text| text);
    let detector = Detector::load(folder.path(), &config()).expect("the model loads");
    let advice = Thresholds::default().with_levels(0.5, 0.6);
    assert_eq!(*detector.thresholds(), advice, "what keeps its alarm levels alarms");
    assert_eq!(detector.model().name, "tiny-heatmap");
}

#[test]
fn a_model_that_cannot_work_is_refused_with_the_cure() {
    for (what, spoil, complaint) in [
        ("another file", ("sha256 = \"", "sha256 = \"f"), "64 lower-case"),
        (
            "another input",
            ("name = \"frames\"", "name = \"images\""),
            "\"images\", but the network has \"frames\"",
        ),
        ("another size", ("width = 64", "width = 128"), "the network wants [1, 2, 3, 64, 64]"),
        (
            "closed sides",
            ("height = 64", "height = 64\nrect_stride = 16"),
            "leave rect_stride out, or export with dynamic",
        ),
        (
            "another output",
            ("heatmap = \"output\"", "heatmap = \"heat\""),
            "\"heat\", but the network has \"output\"",
        ),
    ] {
        let folder = model("heatmap", |text| text.replacen(spoil.0, spoil.1, 1));
        let error = Detector::load(folder.path(), &config()).expect_err(what);
        assert!(error.message.contains(complaint), "{what}: {}", error.chain());
        assert!(error.message.contains("model.toml"), "{what}: {}", error.chain());
    }
    let folder = model("yolo-v8-dynamic", |text| {
        text.replace("height = 64", "height = 64\nrect_stride = 16")
    });
    let error =
        Detector::load(folder.path(), &config()).expect_err("its sides are open in name only");
    assert!(error.chain().contains("leave rect_stride out"), "{}", error.chain());
    let folder = model("heatmap", |text| text);
    std::fs::write(folder.path().join("model.onnx"), "something else").expect("written");
    let error = Detector::load(folder.path(), &config()).expect_err("the sum differs");
    assert!(
        error.message.contains("SHA-256") && error.message.contains("install"),
        "{}",
        error.chain()
    );
    std::fs::remove_file(folder.path().join("model.onnx")).expect("removed");
    let error = Detector::load(folder.path(), &config()).expect_err("there is none");
    assert!(error.message.contains("model.onnx"), "{}", error.chain());
}

#[test]
fn devices_are_chosen_with_a_reason() {
    let folder = model("heatmap", |text| text);
    let load = |device| Detector::load(folder.path(), &DetectConfig { device, ..config() });
    assert_eq!(load(Device::Cpu).expect("the processor is always there").device().name(), "cpu");
    let auto = load(Device::Auto).expect("auto always finds something");
    let (zh, en) = (auto.device().why(Lang::Zh), auto.device().why(Lang::En));
    assert!(!zh.is_empty() && zh != en);
    if auto.device().name() == "cpu" {
        let error = load(Device::Cuda).expect_err("what auto could not use, nobody can");
        assert_eq!(error.kind, Kind::Unavailable);
        assert!(error.message.contains(&zh) && error.message.contains(&en), "{}", error.chain());
        let office = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
        command
            .args(["run", "--device", "cuda", "--listen", "127.0.0.1:0", "--data"])
            .arg(office.path());
        command.env("ORT_DYLIB_PATH", config().onnxruntime).current_dir(repository());
        let ended = command.output().expect("the program starts");
        let words = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(3), "{words}");
        // The program speaks one language, that of its terminal.
        assert!(words.contains(&zh) != words.contains(&en), "{words}");
    }
}

/// Every released model answers on this machine as it did where it was made.
#[test]
fn released_models_keep_their_goldens() {
    let mut checked = 0;
    for folder in released() {
        let detector = Detector::load(&folder, &config()).expect("a released model loads");
        let Some(goldens) = Goldens::load(&folder).expect("goldens are readable") else { continue };
        let mut worker = detector.session().expect("a session opens");
        let mismatches = goldens.check(&mut worker).expect("the network runs");
        assert!(mismatches.is_empty(), "{}: {mismatches:#?}", folder.display());
        checked += goldens.len();
    }
    assert!(checked > 0, "models/ holds at least one model with goldens");
}

fn released() -> Vec<PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(path).map(|d| d.flatten().map(|e| e.path()).collect()).unwrap_or_default()
    };
    let models = folders(&repository().join("models")).into_iter().flat_map(|name| folders(&name));
    models.filter(|folder| folder.join("model.toml").is_file()).collect()
}
