//! The load rig of `make county`: the program's own receivers see its cameras, and the slots are
//! counted.

#[path = "../../examples/farm/mod.rs"]
mod farm;

use farm::clips::Stream;
use farm::{Farm, Plan, register};
use huoyan::camera::{CameraSource, ClipCodec, Decoder, Receivers};
use huoyan::clock::Clock;
use huoyan::config::CameraConfig;
use huoyan::county::{self, Registers};
use huoyan::frame::{Health, StatusBoard};
use huoyan::lang::Lang;
use huoyan::register::Register;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

const CAMERAS: usize = 8;

/// Two backgrounds and loops of two seconds, rendered in a moment.
fn small_farm(folder: &Path) -> Farm {
    let plan = Plan {
        cameras: CAMERAS,
        streams: vec![Stream::Sub],
        codec: ClipCodec::H264,
        views: 2,
        loop_gops: 1,
        smoky: 0,
        smoke_after: Duration::ZERO,
        smoke_every: Duration::ZERO,
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        clips: folder.join("clips"),
    };
    Farm::start(plan, |_, _| {}).expect("a farm")
}

fn status(farm: &Farm, request: &str) -> u16 {
    let mut socket = TcpStream::connect(farm.address).expect("it listens");
    socket
        .write_all(format!("{request} RTSP/1.0\r\nCSeq: 7\r\n\r\n").as_bytes())
        .expect("it takes a request");
    let lines = BufReader::new(socket).lines().map(|line| line.expect("text"));
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(head.contains(&"CSeq: 7".to_owned()), "{request}: {head:?}");
    head[0]
        .strip_prefix("RTSP/1.0 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .expect("a status")
}

#[test]
fn every_camera_of_a_small_farm_is_seen_and_its_slots_are_counted() {
    let folder = tempfile::tempdir().expect("a folder");
    let farm = small_farm(folder.path());
    for (name, sizes) in &farm.sizes {
        assert!((300.0..800.0).contains(&sizes.kbit_per_s), "{name}: {sizes:?}");
        assert!((5.0..80.0).contains(&sizes.keyframe_kb_mean), "{name}: {sizes:?}");
    }
    assert_eq!(status(&farm, "DESCRIBE rtsp://farm/cam/8/sub"), 200);
    assert_eq!(status(&farm, "DESCRIBE rtsp://farm/cam/9/sub"), 404);
    assert_eq!(status(&farm, "DESCRIBE rtsp://farm/cam/8/main"), 404);
    assert_eq!(status(&farm, "SETUP rtsp://farm/cam/8/sub/track1"), 461);

    let file = folder.path().join("cameras.csv");
    register::write(&farm, &file).expect("a register");
    let bytes = std::fs::read(&file).expect("a file");
    let sheet = county::parse_sheet(Register::Cameras, &bytes, Lang::En).expect("a register");
    assert_eq!((sheet.entries.len(), sheet.rejected), (CAMERAS, vec![]));
    let county = Registers::load(folder.path(), Clock::System.now()).expect("registers").current();
    let sources: Vec<CameraSource> = county
        .cameras
        .iter()
        .map(|it| {
            CameraSource::new(it.id.clone(), it.pose.clone(), it.name.clone(), it.url.clone())
        })
        .collect();

    let config = CameraConfig { cadence: SignedDuration::from_secs(2), ..CameraConfig::default() };
    let status = StatusBoard::default();
    let receivers = Receivers::start(sources, &config, Clock::System, status.clone(), Lang::En)
        .expect("they start");
    let (mut decoder, begun) = (Decoder::new().expect("a decoder"), Instant::now());
    let mut pictures = BTreeMap::new();
    let all = || status.all();
    while all().values().any(|it| it.slots_met < 2) {
        assert!(
            begun.elapsed() < Duration::from_secs(40),
            "{:?}",
            all().values().collect::<Vec<_>>()
        );
        let Some(frame) = receivers.next_frame(&mut decoder, Duration::from_millis(100)) else {
            continue;
        };
        receivers.looked(&frame);
        pictures.insert(frame.camera.to_string(), frame.picture);
    }
    assert_eq!(pictures.len(), CAMERAS);
    assert!(pictures.values().all(|it| (it.width(), it.height()) == Stream::Sub.size()));
    let healthy = all().values().filter(|it| it.health == Health::Ok).count();
    assert_eq!(healthy, CAMERAS, "{:?}", all().values().map(|it| &it.detail).collect::<Vec<_>>());
    let [one, two] = ["farm0001", "farm0002"].map(|camera| pictures[camera].luma());
    let apart: u64 = one.iter().zip(two).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    assert!(apart as usize > 5 * one.len(), "neighbours show different places");
}
