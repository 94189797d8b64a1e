//! RTSP cameras, through our own source and through rtspsrc, against real servers: what an office
//! sees of them.

use crate::camera_support::{
    Office, PASSWORD, clip, log, login, loopback, one_second, quick, render, source,
};
use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app::AppSink;
use gstreamer_rtsp_server as rtsp;
use gstreamer_rtsp_server::prelude::*;
use huoyan::camera::{self, ClipCodec, Playback};
use huoyan::clock::Clock;
use huoyan::config::CameraConfig;
use huoyan::frame::Health;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The pipeline texts for any RTSP camera. Offices must not notice a difference.
const PIPELINES: [&str; 2] = ["rtsp", "rtspsrc"];

/// A live camera, given by a launch text whose payloaders are named pay0, pay1.
struct Live {
    url: String,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    fn film(launch: &str) -> Self {
        camera::init().expect("GStreamer");
        let context = glib::MainContext::new();
        let main_loop = glib::MainLoop::new(Some(&context), false);
        let server = rtsp::RTSPServer::new();
        server.set_address("127.0.0.1");
        server.set_service("0");
        let factory = rtsp::RTSPMediaFactory::new();
        factory.set_launch(launch);
        server.mount_points().expect("mount points").add_factory("/live", factory);
        server.attach(Some(&context)).expect("a free port");
        let url = format!("rtsp://127.0.0.1:{}/live", server.bound_port());
        let running = main_loop.clone();
        let thread = std::thread::spawn(move || {
            running.run();
            server.client_filter(Some(&mut |_, _| rtsp::RTSPFilterResult::Remove));
        });
        Self { url, main_loop, thread: Some(thread) }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        let main_loop = self.main_loop.clone();
        let quit = glib::source::idle_source_new(None, glib::Priority::DEFAULT, move || {
            main_loop.quit();
            glib::ControlFlow::Break
        });
        quit.attach(Some(&self.main_loop.context()));
        self.thread.take().map(JoinHandle::join);
    }
}

/// 10 pictures a second and a keyframe every `gop` of them.
fn h264(gop: u32) -> String {
    format!(
        "videotestsrc is-live=true ! video/x-raw,format=I420,width=320,height=180,framerate=10/1 \
         ! x264enc key-int-max={gop} tune=zerolatency ! rtph264pay name=pay0 pt=96 \
         config-interval=-1"
    )
}

#[test]
fn h264_and_h265_cameras_behind_a_password_are_seen_through_several_loops_of_their_clip() {
    let folder = tempfile::tempdir().expect("a folder");
    let h264 = render(folder.path(), "a.mp4", ClipCodec::H264, one_second(320, 180));
    let h265 = render(folder.path(), "b.h265", ClipCodec::H265, one_second(640, 360));
    let clips = vec![clip("/a", &h264, true), clip("/b", &h265, true)];
    let server = Playback::start(loopback(), clips).expect("plays");
    let url = |i| server.url(i).expect("a url");
    let escaped = PASSWORD.replace('@', "%40").replace('/', "%2F");
    let with_login = url(1).replace("rtsp://", &format!("rtsp://admin:{escaped}@"));
    let mut sources = Vec::new();
    for name in PIPELINES {
        let (a, b) = (format!("{name}-h264"), format!("{name}-h265"));
        sources.push(login(&a, &url(0), PASSWORD).with_pipeline(name));
        sources.push(source(&b, &with_login).with_pipeline(name));
    }
    // Chosen by codec, and by the former names of these texts.
    for (id, url, pipeline) in [("one", url(0), "rtspsrc-h264"), ("former", url(1), "rtsp-h265")] {
        sources.push(login(id, &url, PASSWORD).with_pipeline(pipeline));
    }
    let cameras: Vec<String> = sources.iter().map(|source| source.id.to_string()).collect();
    // Each loop sends the same single keyframe: after two seconds that would rightly be called
    // frozen.
    let patient = CameraConfig { frozen_after: SignedDuration::from_mins(5), ..quick() };
    let mut office = Office::open(sources, &patient);
    let mut sizes = BTreeMap::new();
    office.until("four keyframes of each", |office, frame| {
        if let Some(frame) = frame {
            sizes.insert(frame.camera.to_string(), (frame.picture.width(), frame.picture.height()));
        }
        cameras.iter().all(|camera| office.of(camera).keyframes >= 4)
    });
    for camera in &cameras {
        let expected =
            if camera.ends_with("h265") || camera == "former" { (640, 360) } else { (320, 180) };
        assert_eq!(sizes.get(camera), Some(&expected), "{camera}");
        assert_eq!(office.of(camera).health, Health::Ok, "{camera}");
        assert!(office.of(camera).last_picture.is_some(), "{camera}");
    }
}

#[test]
fn a_wrong_password_and_a_wrong_path_are_told_apart_and_the_password_never_shows() {
    let log = log();
    let folder = tempfile::tempdir().expect("a folder");
    let file = render(folder.path(), "a.mp4", ClipCodec::H264, one_second(320, 180));
    let server = Playback::start(loopback(), vec![clip("/a", &file, true)]).expect("plays");
    let url = server.url(0).expect("a url");
    let wrong = "wr0ng-pine";
    let path = url.replace("/a", "/b?password=s3cret-query");
    let mut said = Vec::new();
    for name in PIPELINES {
        let sources = vec![
            login("wrong", &url, wrong).with_pipeline(name),
            source("none", &url).with_pipeline(name),
            login("path", &path, PASSWORD).with_pipeline(name),
        ];
        assert!(!format!("{sources:?}").contains(wrong));
        let mut office = Office::open(sources, &quick());
        for (camera, health, begin) in [
            ("wrong", Health::BadPassword, "camera-wrong: the camera refuses"),
            ("none", Health::BadPassword, "camera-none: the camera asks for"),
            ("path", Health::Misconfigured, "camera-path: the camera has no such stream"),
        ] {
            let detail = office.until_health(camera, health);
            assert!(detail.starts_with(begin), "{name}: {detail}");
            said.push(detail);
        }
    }
    let log = String::from_utf8_lossy(&log.lock().expect("the log")).into_owned();
    assert!(log.contains("camera-wrong"), "the log was captured: {log}");
    for secret in [wrong, PASSWORD, "s3cret-query"] {
        assert!(
            !log.contains(secret) && said.iter().all(|s| !s.contains(secret)),
            "{secret} leaked"
        );
    }
}

#[test]
fn a_dead_server_is_offline_and_back_when_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = render(folder.path(), "a.mp4", ClipCodec::H264, one_second(320, 180));
    let server = Playback::start(loopback(), vec![clip("/a", &file, false)]).expect("plays");
    let address = server.address();
    let url = server.url(0).expect("a url");
    let mut office = Office::open(
        PIPELINES.map(|name| source(name, &url).with_pipeline(name)).to_vec(),
        &quick(),
    );
    for camera in PIPELINES {
        office.until_health(camera, Health::Ok);
    }
    drop(server);
    for camera in PIPELINES {
        let detail = office.until_health(camera, Health::Offline);
        assert!(detail.starts_with(&format!("camera-{camera}: ")), "{detail}");
    }
    let _server =
        Playback::start(address, vec![clip("/a", &file, false)]).expect("the port is free again");
    for camera in PIPELINES {
        office.until_health(camera, Health::Ok);
    }
}

#[test]
fn sound_is_left_alone() {
    let live = Live::film(&format!(
        "( {} audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay1 pt=8 )",
        h264(10)
    ));
    let mut office = Office::open(
        PIPELINES.map(|name| source(name, &live.url).with_pipeline(name)).to_vec(),
        &quick(),
    );
    for camera in PIPELINES {
        office.until(camera, |office, _| {
            office.of(camera).keyframes >= 3 && office.of(camera).health == Health::Ok
        });
    }
}

#[test]
fn another_codec_is_named_with_the_cure() {
    let live = Live::film("( videotestsrc is-live=true ! jpegenc ! rtpjpegpay name=pay0 pt=26 )");
    let mut office = Office::open(vec![source("a", &live.url)], &quick());
    let detail = office.until_health("a", Health::Undecodable);
    assert_eq!(
        detail,
        "camera-a: unsupported video codec (JPEG); set the camera to H.264 or H.265"
    );
}

#[test]
fn encrypted_rtsp_is_told_to_take_the_other_pipeline() {
    let mut office = Office::open(vec![source("a", "rtsps://127.0.0.1:1/x")], &quick());
    let detail = office.until_health("a", Health::Misconfigured);
    assert!(detail.contains("enter the pipeline rtspsrc"), "{detail}");
}

#[test]
fn rare_keyframes_are_told_from_silence() {
    let live = Live::film(&format!("( {} )", h264(1000)));
    let config = CameraConfig {
        late_after: SignedDuration::from_secs(1),
        offline_after: SignedDuration::from_secs(2),
        ..quick()
    };
    let mut office = Office::open(
        PIPELINES.map(|name| source(name, &live.url).with_pipeline(name)).to_vec(),
        &config,
    );
    for camera in PIPELINES {
        office.until(camera, |office, _| office.of(camera).keyframes >= 1);
        assert!(office.until_health(camera, Health::Late).contains("I-frame interval"));
    }
    let before = PIPELINES.map(|camera| office.of(camera).keyframes);
    let until = Instant::now() + Duration::from_secs(4);
    office.until("four seconds without a keyframe", |_, _| Instant::now() > until);
    assert_eq!(
        PIPELINES.map(|camera| office.of(camera).health),
        [Health::Late; 2],
        "never offline: their video flows"
    );
    assert_eq!(
        PIPELINES.map(|camera| office.of(camera).keyframes),
        before,
        "and they were not called again"
    );
}

#[test]
fn a_camera_that_takes_the_call_and_says_nothing_is_offline() {
    let mute = std::net::TcpListener::bind(loopback()).expect("a free port");
    let url = format!("rtsp://{}/x", mute.local_addr().expect("an address"));
    let text = "huoyanrtspsrc name=source location={url} answer-timeout-ms=500 ! appsink \
        name=keyframes";
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("impatient.gst"), text).expect("writes");
    let config = CameraConfig { pipelines: folder.path().to_owned(), ..quick() };
    let mut office = Office::open(vec![source("a", &url).with_pipeline("impatient")], &config);
    let detail = office.until_health("a", Health::Offline);
    assert!(detail.contains("no answer to DESCRIBE within 0.5 s"), "{detail}");
}

/// The element alone, without the rest of the program.
#[test]
fn only_whole_keyframes_come_out_and_the_rest_is_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, codec, media, first_nal) in [
        ("a.mp4", ClipCodec::H264, "video/x-h264", 0x67),
        ("b.mp4", ClipCodec::H265, "video/x-h265", 0x40),
    ] {
        let file = render(folder.path(), name, codec, one_second(320, 180));
        let server = Playback::start(loopback(), vec![clip("/a", &file, false)]).expect("plays");
        let text = format!(
            "huoyanrtspsrc name=source location={} user-id=u user-pw=p ! appsink name=sink \
            sync=false",
            server.url(0).expect("a url")
        );
        let pipeline = gst::parse::launch(&text)
            .expect("parses")
            .downcast::<gst::Pipeline>()
            .expect("a pipeline");
        let element = pipeline.by_name("source").expect("the source");
        let sink = pipeline
            .by_name("sink")
            .and_then(|sink| sink.downcast::<AppSink>().ok())
            .expect("the sink");
        pipeline.set_state(gst::State::Playing).expect("plays");
        for _ in 0..3 {
            let sample = sink
                .try_pull_sample(gst::ClockTime::from_seconds(10))
                .expect("a keyframe within 10 s");
            let caps = sample.caps().expect("caps").structure(0).expect("a structure").to_owned();
            assert_eq!(caps.name(), media);
            assert_eq!(caps.get::<&str>("stream-format"), Ok("byte-stream"));
            assert_eq!((caps.get::<i32>("width"), caps.get::<i32>("height")), (Ok(320), Ok(180)));
            let buffer = sample.buffer().expect("a buffer");
            assert!(!buffer.flags().contains(gst::BufferFlags::DELTA_UNIT));
            let bytes = buffer.map_readable().expect("bytes");
            assert_eq!(bytes[..5], [0, 0, 0, 1, first_nal], "parameter sets stand in front");
        }
        let units: u64 = element.property("units");
        assert!(
            (21..=40).contains(&units),
            "two whole seconds of ten pictures, and the third keyframe: {units}"
        );
        let password = element.find_property("user-pw").expect("the property");
        assert!(
            !password.flags().contains(glib::ParamFlags::READABLE),
            "nobody reads the password back"
        );
        pipeline.set_state(gst::State::Null).expect("stops");
    }
}

/// In a process of its own, so that no threads of other tests are counted; the server's threads
/// stay here.
#[test]
fn fifty_cameras_bring_no_thread_and_stop_at_once() {
    const URL: &str = "HUOYAN_TEST_CAMERA";
    const NAME: &str = "rtsp::fifty_cameras_bring_no_thread_and_stop_at_once";
    if let Ok(url) = std::env::var(URL) {
        return watch_fifty(&url);
    }
    let folder = tempfile::tempdir().expect("a folder");
    let file = render(folder.path(), "a.mp4", ClipCodec::H264, one_second(320, 180));
    let server = Playback::start(loopback(), vec![clip("/a", &file, false)]).expect("plays");
    let myself = std::env::current_exe().expect("the test program");
    let mut watcher = std::process::Command::new(myself);
    let output = watcher
        .args(["--exact", NAME])
        .env(URL, server.url(0).expect("a url"))
        .output()
        .expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn watch_fifty(url: &str) {
    let count =
        |what: &str| std::fs::read_dir(format!("/proc/self/{what}")).expect("procfs").count();
    let mut seen = Vec::new();
    for cameras in [5, 50] {
        let sources = (0..cameras).map(|i| source(&format!("c{i}"), url)).collect();
        let mut office =
            Office::open(sources, &CameraConfig { frozen_after: SignedDuration::MAX, ..quick() });
        office.until("a keyframe of each", |office, _| {
            (0..cameras).all(|i| office.of(&format!("c{i}")).keyframes > 0)
        });
        seen.push((count("task"), count("fd")));
        let before = Clock::System.now();
        office.receivers.stop();
        let took = Clock::System.now().duration_since(before);
        assert!(took < SignedDuration::from_secs(2), "{cameras} cameras stopped in {took:?}");
    }
    let [(few_threads, few_files), (many_threads, many_files)] = seen[..] else {
        panic!("{seen:?}")
    };
    // GStreamer's own pool, which starts pipelines, may vary by a thread or two.
    assert!(
        many_threads <= few_threads + 2,
        "{few_threads} threads with 5 cameras, {many_threads} with 50"
    );
    assert!(
        many_files - few_files <= 45 * 3,
        "{few_files} files with 5 cameras, {many_files} with 50"
    );
}
