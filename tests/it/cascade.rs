//! Sub-stream, suspicion, main stream: real clips over real RTSP, the released model, and a clock
//! that the story advances.

use huoyan::camera::{CameraSource, Clip, ClipCodec, Decoder, Playback, Receivers, encode_clip};
use huoyan::clock::Clock;
use huoyan::config::CameraConfig;
use huoyan::detect::{Detector, Worker};
use huoyan::drill::{DrillBoard, Plume, composite, scene};
use huoyan::engine::{Alarm, Analyst, Seen, Tuning};
use huoyan::frame::{CameraStatus, Frame, Health, Picture, StatusBoard};
use huoyan::lang::Lang;
use huoyan::triage::detection::Stream;
use jiff::{SignedDuration, Timestamp};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const CADENCE: SignedDuration = SignedDuration::from_secs(10);
const SUB: (u32, u32) = (640, 360);
const MAIN: (u32, u32) = (1920, 1080);
/// Longest wait for a picture in this test, on the real clock.
const PATIENCE: Duration = Duration::from_secs(30);

/// A hillside in the main stream's size, with or without a plume that has stood for two minutes.
fn hillside(smoky: bool) -> Picture {
    let ground =
        scene::landscape(2, Path::new("/nowhere")).expect("drawn ridges").resized(MAIN.0, MAIN.1);
    if smoky { composite(&ground, &Plume::on_terrain(&ground, 7), 120.0) } else { ground }
}

/// One camera whose hillside was clear until now and smokes from now on.
struct Camera {
    receivers: Receivers,
    status: StatusBoard,
    clock: Clock,
    decoder: Decoder,
    analyst: Analyst,
    worker: Worker,
    _playback: Playback,
    _folder: tempfile::TempDir,
}

/// Its main stream in the register.
enum Main {
    None,
    Played,
    Unreachable,
}

impl Camera {
    fn new(main: &Main) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let smoky = hillside(true);
        let clip = |name: &str, (width, height): (u32, u32)| {
            let file = folder.path().join(name);
            let pictures = vec![smoky.resized(width, height); 2];
            encode_clip(&file, 10, pictures, ClipCodec::H264, |_| {}).expect("the clip is encoded");
            Clip { path_on_server: format!("/{name}"), file, user_password: None }
        };
        let clips = vec![clip("sub.h264", SUB), clip("main.h264", MAIN)];
        let playback =
            Playback::start(SocketAddr::from(([127, 0, 0, 1], 0)), clips).expect("plays");
        let source = |url: &str| CameraSource::new("north".into(), "default".into(), "北山", url);
        let url = |clip| playback.url(clip).expect("a url");
        let sub = source(&url(0));
        let sources = vec![match main {
            Main::None => sub,
            Main::Played => sub.with_main(source(&url(1))),
            Main::Unreachable => sub.with_main(source("rtsp://127.0.0.1:1/main")),
        }];

        let detect = crate::detect::config();
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join(detect.model.clone());
        let detector = Detector::load(&model, &detect).expect("the model loads");
        // A low limit: a few looks at the clip's plume are enough.
        let tuning =
            Tuning::new(detector.thresholds().with(|it| it.evidence = 1.0).expect("valid"));
        let status = StatusBoard::default();
        let analyst = Analyst::new(&detector, tuning, DrillBoard::default(), status.clone());
        let mut worker = detector.session().expect("a session opens");

        let start: Timestamp = "2026-03-05T04:00:00Z".parse().expect("a time");
        let clear = Arc::new(hillside(false).resized(SUB.0, SUB.1));
        for minute in -5..0 {
            let (captured_at, picture) =
                (start + SignedDuration::from_mins(minute), Arc::clone(&clear));
            let (camera, pose, stream) = ("north".into(), "default".into(), Stream::Screened);
            let seen = analyst
                .look(&mut worker, &Frame { camera, pose, captured_at, picture, stream })
                .expect("runs");
            assert!(seen[0].analysis.detections.is_empty(), "nothing smokes yet: {seen:?}");
        }
        // The story's clock jumps; the clip's does not.
        let hour = SignedDuration::from_hours(1);
        let config = CameraConfig {
            cadence: CADENCE,
            late_after: hour,
            offline_after: hour,
            frozen_after: hour,
            ..CameraConfig::default()
        };
        let clock = Clock::simulated(start);
        let receivers = Receivers::start(sources, &config, clock.clone(), status.clone(), Lang::En)
            .expect("starts");
        let decoder = Decoder::new().expect("decoders");
        Self {
            receivers,
            status,
            clock,
            decoder,
            analyst,
            worker,
            _playback: playback,
            _folder: folder,
        }
    }

    fn status(&self) -> CameraStatus {
        self.status.get(&"north".into()).expect("known from the start")
    }

    #[track_caller]
    fn until(&self, what: &str, is_true: impl Fn(&CameraStatus) -> bool) {
        let give_up_at = Clock::System.now() + SignedDuration::try_from(PATIENCE).expect("short");
        while !is_true(&self.status()) {
            assert!(Clock::System.now() < give_up_at, "not in time: {what}; {:?}", self.status());
            Clock::System.sleep_blocking(Duration::from_millis(20));
        }
    }

    /// The next turn, as a watching thread takes it.
    #[track_caller]
    fn look(&mut self) -> Seen {
        let frame = self.receivers.next_frame(&mut self.decoder, PATIENCE).expect("a picture");
        let mut seen = self.analyst.look(&mut self.worker, &frame).expect("it runs");
        assert_eq!(seen.len(), 1);
        let seen = seen.remove(0);
        // A look takes time, so the pictures of two streams have different times.
        self.clock.advance(SignedDuration::from_secs(1));
        if !seen.analysis.detections.is_empty() {
            self.receivers.boost(&frame.camera);
        }
        seen
    }

    /// Takes turns until it alarms.
    #[track_caller]
    fn until_confirmed(&mut self) -> Seen {
        let look = |camera: &mut Self| {
            camera.next_turn();
            Some(camera.look()).filter(|seen| !seen.confirmed.is_empty())
        };
        (0..12).find_map(|_| look(self)).expect("an alarm within a minute")
    }

    /// Half a cadence later, when the sub-stream has sent another picture.
    fn next_turn(&self) {
        self.clock.advance(CADENCE / 2);
        let keyframes = self.status().keyframes;
        self.until("a keyframe of the sub-stream", |status| status.keyframes > keyframes + 1);
    }
}

fn size(picture: &Picture) -> (u32, u32) {
    (picture.width(), picture.height())
}

#[test]
fn a_plume_on_the_sub_stream_is_confirmed_with_the_main_streams_picture() {
    let mut camera = Camera::new(&Main::Played);
    let first = camera.look();
    assert_eq!((first.analysis.stream, size(&first.picture)), (Stream::Screened, SUB));
    assert!(
        !first.analysis.detections.is_empty(),
        "the released model suspects it: {:?}",
        first.analysis.scores
    );
    camera.until("a picture of the main stream", |status| status.main_fetched == 1);
    camera.next_turn();
    let second = camera.look();
    assert_eq!((second.analysis.stream, size(&second.picture)), (Stream::Main, MAIN));
    let alarm = camera.until_confirmed();
    let [Alarm { confirmed, picture: evidence, .. }] = &alarm.confirmed[..] else {
        panic!("one place: {:?}", alarm.analysis)
    };
    assert_eq!(size(evidence), MAIN);
    let foot = Plume::on_terrain(&hillside(false), 7).foot;
    let (x, y) = (f64::from(confirmed.bbox.centre_x()), f64::from(confirmed.bbox.centre_y()));
    assert!(
        (x - foot.0).abs() < 0.1 && (0.0..0.4).contains(&(foot.1 - y)),
        "at {x} {y}, above its foot {foot:?}"
    );
    assert_eq!((camera.status().health, camera.status().main_detail), (Health::Ok, None));
}

#[test]
fn without_its_main_stream_the_alarm_comes_all_the_same_and_the_status_says_why() {
    let mut camera = Camera::new(&Main::Unreachable);
    camera.look();
    camera.until("why it is not there", |status| status.main_detail.is_some());
    camera.next_turn();
    let second = camera.look();
    assert_eq!(second.analysis.stream, Stream::Screened);
    let alarm = camera.until_confirmed();
    let [Alarm { picture: evidence, .. }] = &alarm.confirmed[..] else {
        panic!("one place: {:?}", alarm.analysis)
    };
    assert_eq!(size(evidence), SUB);
    let status = camera.status();
    let detail = status.main_detail.expect("still");
    assert!(
        detail.starts_with("北山 main stream: ") && detail.contains("use the sub-stream"),
        "{detail}"
    );
    assert_eq!(
        (status.health, status.detail, status.main_fetched),
        (Health::Ok, None, 0),
        "the camera itself is well"
    );
}

#[test]
fn a_camera_with_one_stream_is_looked_at_as_ever() {
    let mut camera = Camera::new(&Main::None);
    camera.look();
    let alarm = camera.until_confirmed();
    assert_eq!((alarm.analysis.stream, alarm.confirmed.len()), (Stream::Screened, 1));
    assert_eq!(size(&alarm.confirmed[0].picture), SUB);
    assert_eq!((camera.status().main_detail, camera.status().main_fetched), (None, 0));
}
