use super::*;

pub(crate) const HEATMAP: &str = r#"
name = "smoke-fire"
version = "0.1.0"
file = "model.onnx"
sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
head = "heatmap"
classes = ["smoke", "fire"]
opset = 13
onnx_ir = 7

[input]
name = "frames"
width = 640
height = 480
channels = 3
frames = 2
past_s = [180]
layout = "ntchw"
mean = [0.498039, 0.498039, 0.498039]
std = [0.501961, 0.501961, 0.501961]
letterbox = true

[output]
heatmap = "heatmap"

[thresholds.screen]
smoke = 0.3
fire = 0.4

[thresholds.alarm]
smoke = 0.5
fire = 0.6
"#;

pub(crate) fn yolo(layout: &str, classes: &str) -> String {
    HEATMAP
        .replace(
            "\"heatmap\"\nclasses = [\"smoke\", \"fire\"]",
            &format!("\"yolo\"\nclasses = {classes}"),
        )
        .replace("heatmap = \"heatmap\"", &format!("boxes = \"output0\"\nlayout = \"{layout}\""))
        .replace("frames = 2\npast_s = [180]\nlayout = \"ntchw\"", "frames = 1\nlayout = \"nchw\"")
}

#[test]
fn a_heatmap_model_is_understood() {
    let model = Manifest::parse(HEATMAP).expect("valid");
    assert_eq!(model.input.past, Some(SignedDuration::from_secs(180)));
    assert_eq!(model.input.shape(), [1, 2, 3, 480, 640]);
    assert_eq!(model.head, Head::Heatmap { heatmap: "heatmap".into(), scores: None });
    assert_eq!(model.classes, [Some(Class::Smoke), Some(Class::Fire)]);
    assert_eq!(
        (model.screen.fire, model.advice),
        (0.4, Thresholds::default().with_levels(0.5, 0.6))
    );
}

/// An office must know what it may do with the weights; an incomplete statement is refused.
#[test]
fn a_licence_is_stated_whole_or_not_at_all() {
    assert_eq!(Manifest::parse(HEATMAP).expect("valid").licence, None);
    let stated = |lines: &str| {
        Manifest::parse(&HEATMAP.replacen("\n[input]", &format!("{lines}\n[input]"), 1))
    };
    let whole = "licence = \"CC0\"\nlicence_note_zh = \"公有领域\"\nlicence_note_en = \"public \
        domain\"\n";
    let licence = stated(whole).expect("valid").licence.expect("stated");
    assert_eq!((licence.name.as_str(), licence.note_zh.as_str()), ("CC0", "公有领域"));
    for wrong in
        ["licence = \"CC0\"\n", "licence_note_en = \"public domain\"\n", &whole.replace("CC0", " ")]
    {
        assert!(stated(wrong).is_err_and(|e| e.message.contains("all three")), "{wrong:?}");
    }
}

#[test]
fn a_public_detector_with_a_class_too_many_is_understood() {
    let model = Manifest::parse(&yolo("v8", "[\"Fire\", \"other\", \"smoke\"]")).expect("valid");
    assert_eq!(model.input.shape(), [1, 3, 480, 640]);
    assert_eq!(
        model.head,
        Head::Yolo { boxes: "output0".into(), layout: YoloLayout::V8, iou: IOU_DEFAULT }
    );
    assert_eq!(model.classes, [Some(Class::Fire), None, Some(Class::Smoke)]);
}

#[test]
fn every_mistake_is_named() {
    for (from, to, complaint) in [
        ("opset = 13", "opsett = 13", "opsett"),
        ("file = \"model.onnx\"", "file = \"../model.onnx\"", "same folder"),
        ("0123456789abcdef0123", "0123456789ABCDEF0123", "sha256sum"),
        ("[\"smoke\", \"fire\"]", "[\"cat\"]", "smoke"),
        ("channels = 3", "channels = 1", "channels"),
        ("width = 640", "width = 641", "even"),
        ("height = 480", "height = 100000", "4096"),
        ("past_s = [180]", "past_s = [180, 360]", "past_s"),
        ("past_s = [180]", "past_s = [0]", "past_s"),
        ("past_s = [180]", "past_s = [180]\npast_scale = 0", "past_scale"),
        ("past_s = [180]", "past_s = [180]\nrect_stride = 0", "rect_stride"),
        ("past_s = [180]", "past_s = [180]\nrect_stride = 36", "rect_stride"),
        ("frames = 2", "frames = 1", "past_s"),
        ("std = [0.501961, 0.501961, 0.501961]", "std = [0.5, 0.0, 0.5]", "std"),
        ("heatmap = \"heatmap\"", "boxes = \"output0\"", "heatmap"),
        ("smoke = 0.3", "smoke = 0.7", "screen <= alarm"),
        ("fire = 0.6", "fire = 1.6", "<= 1"),
        ("letterbox = true", "letterbox = false", "letterbox"),
    ] {
        let text = HEATMAP.replacen(from, to, 1);
        assert_ne!(text, HEATMAP, "{from}");
        let error = Manifest::parse(&text).expect_err(to);
        assert!(error.message.contains(complaint), "{to}: {}", error.message);
    }
}

#[test]
fn a_missing_folder_says_what_to_do() {
    let error = Manifest::load(Path::new("/nowhere")).expect_err("there is none");
    assert!(
        error.message.contains("/nowhere/model.toml") && error.message.contains("[detect] model")
    );
}

#[test]
fn a_screening_network_takes_what_the_full_one_takes_or_a_smaller_picture() {
    assert_eq!(Manifest::parse(HEATMAP).expect("valid").screener, None);
    let sum = "f".repeat(64);
    let screen = format!(
        "[screen]\nfile = \"screen.onnx\"\nsha256 = \"{sum}\"\nsmoke = 0.2\nfire = \
            0.3\naudit = 0.02\n"
    );
    let parse = |more: &str| Manifest::parse(&format!("{HEATMAP}\n{screen}{more}"));
    let model = parse("").expect("valid");
    let alone = model.of_screener().expect("there is one");
    assert_eq!(
        (alone.file.as_str(), &alone.sha256, &alone.input),
        ("screen.onnx", &sum, &model.input)
    );
    assert_eq!(alone.screener, None);
    let small =
        parse("width = 320\nheight = 240\n").expect("valid").of_screener().expect("there is one");
    assert_eq!(
        (small.input.width, small.input.height, small.input.past),
        (320, 240, model.input.past)
    );
    for (from, to, complaint) in [
        ("screen.onnx", "../screen.onnx", "same folder"),
        ("smoke = 0.2", "smoke = 0.0", "[screen]"),
        ("audit = 0.02", "audit = 2", "audit"),
        ("audit = 0.02", "audit = 0.02\ncalls = 1.5", "calls"),
        ("audit = 0.02", "audit = 0.02\nwidth = 7", "even"),
        ("audit = 0.02", "audit = 0.02\nchannels = 3", "channels"),
    ] {
        let text = format!("{HEATMAP}\n{}", screen.replacen(from, to, 1));
        let error = Manifest::parse(&text).expect_err(to);
        assert!(error.message.contains(complaint), "{to}: {}", error.message);
    }
}
