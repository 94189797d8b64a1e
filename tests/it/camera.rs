//! Real GStreamer: rendered clips, files and folders, real receivers and decoders.

use crate::camera_support::{
    Office, PASSWORD, clip, hillside, login, loopback, one_second, quick, render, source,
};
use huoyan::camera::{self, ClipCodec, Decoder, Playback, Receivers};
use huoyan::clock::Clock;
use huoyan::config::CameraConfig;
use huoyan::error::Kind;
use huoyan::frame::{Health, Picture, StatusBoard};
use huoyan::lang::Lang;
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

fn black() -> Picture {
    let mut i420 = vec![16; 320 * 180];
    i420.resize(320 * 180 * 3 / 2, 128);
    Picture::from_i420(320, 180, i420).expect("sizes fit")
}

/// The pipeline around the card's decoder, with the CPU's decoder in its place: no test machine has
/// such a card.
#[test]
fn the_pipelines_for_graphics_cards_hand_on_decoded_pictures_of_both_codecs() {
    let folder = tempfile::tempdir().expect("a folder");
    let h264 = render(folder.path(), "a.mp4", ClipCodec::H264, one_second(320, 180));
    let h265 = render(folder.path(), "b.h265", ClipCodec::H265, one_second(640, 360));
    let server =
        Playback::start(loopback(), vec![clip("/a", &h264, true), clip("/b", &h265, true)])
            .expect("plays");
    let url = |i| server.url(i).expect("a url");
    for (name, maker) in [("rtsp-nvidia", "nv"), ("rtsp-vaapi", "va")] {
        let mut text =
            std::fs::read_to_string(format!("{}/pipelines/{name}.gst", env!("CARGO_MANIFEST_DIR")))
                .expect("there");
        for codec in ["h264", "h265"] {
            let decoder = format!(" {maker}{codec}dec ");
            assert_eq!(text.matches(&decoder).count(), 1, "{name}");
            text = text.replace(&decoder, &format!(" avdec_{codec} "));
        }
        std::fs::write(folder.path().join("card.gst"), text).expect("written");
        let card = |i, id| login(id, &url(i), PASSWORD).with_pipeline("card");
        let config = CameraConfig { pipelines: folder.path().to_owned(), ..quick() };
        let begun_at = Clock::System.now();
        let mut office = Office::open(vec![card(0, "a"), card(1, "b")], &config);
        let mut sizes = std::collections::BTreeMap::new();
        office.until(name, |office, frame| {
            if let Some(frame) = frame {
                sizes.insert(
                    frame.camera.to_string(),
                    (frame.picture.width(), frame.picture.height()),
                );
            }
            sizes.len() == 2 && ["a", "b"].iter().all(|camera| office.of(camera).keyframes >= 2)
        });
        assert_eq!(sizes, [("a".to_owned(), (320, 180)), ("b".to_owned(), (640, 360))].into());
        let most = 2 + Clock::System.now().duration_since(begun_at).as_secs().unsigned_abs() / 2;
        assert!(office.of("a").keyframes <= most, "one in two seconds, not ten a second");
    }
}

#[test]
fn the_decoded_picture_is_the_filmed_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let filmed = hillside(320, 180, 0);
    let file = render(folder.path(), "a.mp4", ClipCodec::H264, vec![filmed.clone(); 10]);
    let mut frames =
        camera::frames(&file, SignedDuration::ZERO, Timestamp::UNIX_EPOCH).expect("opens");
    let (_, seen) = frames.next().expect("one picture").expect("that decodes");
    let difference: u64 =
        filmed.luma().iter().zip(seen.luma()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(difference / (320 * 180) < 12, "mean difference {}", difference / (320 * 180));
}

#[test]
fn files_and_folders_are_cameras_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join("a \"b\" ! filesink location='x'");
    std::fs::create_dir(&odd).expect("a folder with an odd name");
    let video = render(&odd, "v {url}.mkv", ClipCodec::H264, one_second(320, 180));
    let pictures = folder.path().join("pictures");
    std::fs::create_dir(&pictures).expect("a folder");
    std::fs::write(pictures.join("1.jpg"), hillside(200, 100, 0).to_jpeg(80).expect("jpeg"))
        .expect("writes");
    std::fs::write(pictures.join("2.jpg"), b"\xff\xd8 torn off").expect("writes");
    let png = image::RgbImage::from_fn(101, 51, |x, y| image::Rgb([x as u8, y as u8, 90]));
    png.save(pictures.join("3.png")).expect("writes");
    std::fs::write(pictures.join("readme.txt"), "no picture").expect("writes");
    let sources = vec![
        source("video", &format!("file://{}", video.display().to_string().replace(' ', "%20"))),
        source("folder", &pictures.display().to_string()),
    ];
    let mut office = Office::open(sources, &quick());
    let (mut sizes, mut was_torn) = (std::collections::BTreeSet::new(), false);
    office.until("both sizes, the torn picture, and three rounds of the film", |office, frame| {
        sizes.extend(frame.map(|f| (f.camera.to_string(), f.picture.width(), f.picture.height())));
        was_torn |= office.of("folder").health == Health::Undecodable;
        sizes.len() == 3 && was_torn && office.of("video").keyframes >= 3
    });
    let expected = [("folder", 100, 50), ("folder", 200, 100), ("video", 320, 180)]
        .map(|(id, w, h)| (id.to_owned(), w, h));
    assert_eq!(sizes, expected.into());
}

#[test]
fn a_covered_lens_is_black_and_a_stuck_camera_frozen() {
    let folder = tempfile::tempdir().expect("a folder");
    let dark = render(folder.path(), "dark.h264", ClipCodec::H264, vec![black(); 5]);
    let stuck =
        render(folder.path(), "stuck.h264", ClipCodec::H264, vec![hillside(320, 180, 0); 5]);
    let server =
        Playback::start(loopback(), vec![clip("/d", &dark, false), clip("/s", &stuck, false)])
            .expect("plays");
    let url = |i| server.url(i).expect("a url");
    let mut office =
        Office::open(vec![source("dark", &url(0)), source("stuck", &url(1))], &quick());
    office.until("the stuck camera is fine at first", |office, _| {
        office.of("stuck").health == Health::Ok
    });
    let detail = office.until_health("dark", Health::Black);
    assert!(detail.starts_with("camera-dark: "), "{detail}");
    office.until_health("stuck", Health::Frozen);
}

#[test]
fn what_cannot_work_says_why_and_leaves_the_others_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let video = render(folder.path(), "v.mp4", ClipCodec::H264, one_second(320, 180));
    let video = video.display().to_string();
    let pipelines = [
        ("broken", "filesrc location={path} !! appsink name=frames"),
        ("lost", "magicdec ! appsink name=frames"),
    ];
    for (name, text) in pipelines {
        std::fs::write(folder.path().join(format!("{name}.gst")), text).expect("writes");
    }
    let empty = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.mp4");
    std::fs::write(&text, "not a film at all, only text ".repeat(100)).expect("writes");
    let sources = vec![
        source("scheme", "htp://admin:s3cret@host/x"),
        source("nofile", "/no/such/film.mp4"),
        source("empty", &empty.path().display().to_string()),
        source("unknown", &video).with_pipeline("magic"),
        source("broken", &video).with_pipeline("broken"),
        source("lost", &video).with_pipeline("lost"),
        source("text", &text.display().to_string()),
        source("closed", "rtsp://127.0.0.1:1/x"),
        source("good", &video),
    ];
    let config = CameraConfig { pipelines: folder.path().to_owned(), ..quick() };
    let mut office = Office::open(sources, &config);
    office.until_health("good", Health::Ok);
    for (camera, health, word) in [
        ("scheme", Health::Misconfigured, "htp://host/x"),
        ("nofile", Health::Misconfigured, "/no/such/film.mp4"),
        ("empty", Health::Misconfigured, "no jpg or png"),
        ("unknown", Health::Misconfigured, "available: broken, file, "),
        ("broken", Health::Misconfigured, "broken.gst"),
        ("lost", Health::Misconfigured, "magicdec"),
        ("text", Health::Undecodable, "this file holds no H.264"),
        ("closed", Health::Offline, "nothing serves at its port"),
    ] {
        let detail = office.until_health(camera, health);
        assert!(
            detail.starts_with(&format!("camera-{camera}: ")) && detail.contains(word),
            "{detail}"
        );
    }
}

#[test]
fn a_silent_camera_is_late_then_offline_and_rare_keyframes_are_told_from_silence() {
    let folder = tempfile::tempdir().expect("a folder");
    let video = render(folder.path(), "v.mp4", ClipCodec::H264, one_second(320, 180));
    let picture = "video/x-raw,format=I420,width=320,height=180";
    let texts = [
        // Half a second of video, then a source that never sends anything.
        (
            "silent",
            format!(
                "concat name=film ! appsink name=frames videotestsrc is-live=true num-buffers=5 ! \
                {picture},framerate=10/1 ! film. appsrc is-live=true ! film."
            ),
        ),
        (
            "rare",
            format!(
                "videotestsrc is-live=true ! {picture},framerate=10/1 ! x264enc key-int-max=1000 \
                tune=zerolatency ! h264parse ! appsink name=keyframes"
            ),
        ),
    ];
    for (name, text) in &texts {
        std::fs::write(folder.path().join(format!("{name}.gst")), text).expect("writes");
    }
    let config = CameraConfig {
        pipelines: folder.path().to_owned(),
        late_after: SignedDuration::from_secs(1),
        offline_after: SignedDuration::from_secs(2),
        ..quick()
    };
    let video = video.display().to_string();
    let sources = texts.map(|(name, _)| source(name, &video).with_pipeline(name)).to_vec();
    let mut office = Office::open(sources, &config);
    office.until_health("silent", Health::Ok);
    assert!(office.until_health("silent", Health::Late).contains("nothing has come for "));
    assert!(office.until_health("rare", Health::Late).contains("I-frame interval"));
    office.until_health("silent", Health::Offline);
    office.until_health("silent", Health::Ok);
    assert_eq!(office.of("rare").health, Health::Late, "never offline: its video flows");
}

#[test]
fn keyframes_that_come_more_rarely_than_the_cadence_are_told_with_their_interval() {
    let folder = tempfile::tempdir().expect("a folder");
    let video = render(folder.path(), "v.mp4", ClipCodec::H264, one_second(320, 180));
    let text = "videotestsrc is-live=true pattern=ball ! \
        video/x-raw,format=I420,width=320,height=180,framerate=10/1 ! x264enc key-int-max=30 \
        bframes=0 rc-lookahead=0 threads=1 option-string=scenecut=0:sync-lookahead=0 ! h264parse \
        config-interval=-1 ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink \
        name=keyframes";
    std::fs::write(folder.path().join("gop.gst"), text).expect("writes");
    let config = CameraConfig {
        cadence: SignedDuration::from_secs(1),
        pipelines: folder.path().to_owned(),
        ..quick()
    };
    let sources = vec![source("gop", &video.display().to_string()).with_pipeline("gop")];
    let mut office = Office::open(sources, &config);
    let detail = office.until_health("gop", Health::Late);
    assert!(detail.contains("GOP is 3") && detail.contains("set it to 1 s or less"), "{detail}");
}

#[test]
fn behind_a_stalled_worker_the_newest_keyframe_wins() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = render(folder.path(), "a.mp4", ClipCodec::H264, one_second(320, 180)[..2].to_vec());
    let server = Playback::start(loopback(), vec![clip("/a", &file, false)]).expect("plays");
    let mut office = Office::open(vec![source("a", &server.url(0).expect("a url"))], &quick());
    office.until("a first frame", |_, frame| frame.is_some());
    let before = office.of("a");
    Clock::System.sleep_blocking(Duration::from_secs(2));
    let resumed_at = Clock::System.now();
    let (_, keyframe) = office.receivers.take(Duration::from_secs(1)).expect("a keyframe");
    let age = resumed_at.duration_since(keyframe.captured_at);
    assert!(age < SignedDuration::from_millis(600), "not one from before the stall: {age:?}");
    let came = office.of("a").keyframes - before.keyframes;
    assert!(came >= 6, "two seconds of a keyframe every 0.2 s, {came} came, one is left");
}

#[test]
fn several_workers_share_the_cameras_and_stop_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = render(folder.path(), "a.mp4", ClipCodec::H264, one_second(320, 180)[..2].to_vec());
    let names = ["a", "b", "c", "d"];
    let status = StatusBoard::default();
    let sources = names.map(|id| source(id, &file.display().to_string())).to_vec();
    let receivers = Receivers::start(sources, &quick(), Clock::System, status.clone(), Lang::Zh)
        .expect("starts");
    let seen = Mutex::new(std::collections::BTreeMap::<String, u32>::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut decoder = Decoder::new().expect("a decoder");
                while !receivers.is_stopped() {
                    let frame = receivers.next_frame(&mut decoder, Duration::from_secs(1));
                    let mut seen = seen.lock().expect("no panic");
                    if let Some(frame) = frame {
                        *seen.entry(frame.camera.to_string()).or_default() += 1;
                    }
                    if seen.len() == names.len() && seen.values().all(|n| *n >= 3) {
                        receivers.stop();
                    }
                }
            });
        }
    });
    let seen = seen.into_inner().expect("no panic");
    let (least, most) = (seen.values().min().copied(), seen.values().max().copied());
    assert!(most <= least.map(|n| n + 4), "nobody is favoured: {seen:?}");
}

#[test]
fn a_recording_gives_pictures_at_the_asked_interval_whatever_its_keyframes() {
    let folder = tempfile::tempdir().expect("a folder");
    let five_seconds = (0..50).map(|step| hillside(320, 180, step)).collect();
    let file = render(folder.path(), "a.mp4", ClipCodec::H264, five_seconds);
    let start: Timestamp = "2026-04-01T06:00:00Z".parse().expect("a time");
    for (every_ms, expected_ms) in [
        (0, vec![0, 2000, 4000]),
        (2000, vec![0, 2000, 4000]),
        (4000, vec![0, 4000]),
        (1000, vec![0, 1000, 2000, 3000, 4000]),
        (500, (0..10).map(|n| n * 500).collect()),
    ] {
        let frames =
            camera::frames(&file, SignedDuration::from_millis(every_ms), start).expect("opens");
        let times: Vec<i64> = frames
            .map(|frame| {
                let (at, picture) = frame.expect("every picture decodes");
                assert_eq!((picture.width(), picture.height()), (320, 180));
                at.duration_since(start).as_millis() as i64
            })
            .collect();
        assert_eq!(times, expected_ms, "every {every_ms} ms");
    }
}

#[test]
fn a_recorded_folder_goes_on_after_a_bad_picture_and_a_bad_recording_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, step) in [("b.JPG", 1), ("a.jpeg", 0), ("d.jpg", 3)] {
        std::fs::write(
            folder.path().join(name),
            hillside(160, 90, step).to_jpeg(80).expect("jpeg"),
        )
        .expect("writes");
    }
    std::fs::write(folder.path().join("c.jpg"), b"<html>").expect("writes");
    let start: Timestamp = "2026-04-01T06:00:00Z".parse().expect("a time");
    let frames = camera::frames(folder.path(), SignedDuration::from_mins(1), start).expect("opens");
    let seen: Vec<_> = frames
        .map(|f| f.map(|(at, _)| at.duration_since(start).as_mins()).map_err(|e| e.message))
        .collect();
    assert_eq!((&seen[0], &seen[1], &seen[3]), (&Ok(0), &Ok(1), &Ok(3)));
    assert!(seen[2].as_ref().is_err_and(|e| e.contains("c.jpg")), "{seen:?}");

    let text = folder.path().join("text.mp4");
    std::fs::write(&text, "only text ".repeat(500)).expect("writes");
    let empty = tempfile::tempdir().expect("a folder");
    for path in [folder.path().join("nothing.mp4"), empty.path().to_owned(), text] {
        let outcome = camera::frames(&path, SignedDuration::from_secs(1), start)
            .map(|mut frames| frames.next());
        let error = match outcome {
            Err(error) => error,
            Ok(Some(Err(error))) => error,
            Ok(other) => panic!("{}: {other:?}", path.display()),
        };
        assert_eq!(error.kind, Kind::Invalid, "{}", error.chain());
    }
}

#[test]
fn one_decoder_takes_any_codec_and_size_and_survives_rubbish() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut keyframes = Vec::new();
    for (name, codec, width, height) in [
        ("a.mp4", ClipCodec::H264, 320, 180),
        ("b.mp4", ClipCodec::H265, 640, 360),
        ("c.mp4", ClipCodec::H264, 1280, 720),
    ] {
        let file = render(folder.path(), name, codec, one_second(width, height));
        let mut office = Office::open(vec![source("a", &file.display().to_string())], &quick());
        let mut taken = None;
        office.until("a keyframe", |_, frame| frame.is_some());
        while taken.is_none() {
            taken = office.receivers.take(Duration::from_secs(5));
        }
        keyframes.push((taken.expect("a keyframe").1, width, height));
    }
    let mut decoder = Decoder::new().expect("a decoder");
    for (keyframe, width, height) in keyframes.iter().cycle().take(9) {
        let picture = decoder.decode(keyframe).expect("decodes");
        assert_eq!((picture.width(), picture.height()), (*width, *height));
        let mut torn = keyframe.clone();
        torn.bytes = keyframe.bytes[..40].into();
        assert!(decoder.decode(&torn).is_err(), "forty bytes are no picture");
    }
}

#[test]
fn every_pipeline_file_is_taken_by_gstreamer() {
    camera::init().expect("GStreamer");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut checked = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().and_then(|n| n.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|e| e == "gst") && !name.starts_with("hotspots-") {
            // Not every machine has the elements of graphics cards; src/camera/receive/open.rs
            // holds the message for that.
            let of_a_card = ["rtsp-nvidia", "rtsp-vaapi"].contains(&name.as_str());
            match camera::check_pipeline(path.parent().expect("a folder"), &name) {
                Err(e) if !of_a_card || !e.message.contains("lacks the GStreamer element") => {
                    panic!("{}", e.chain())
                }
                _ => {}
            }
            checked += 1;
        }
    }
    assert!(checked >= 8, "{checked}");
}
