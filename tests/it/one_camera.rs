//! One line of the camera register is edited while the program runs: that camera follows, and the
//! others notice nothing.

use crate::another_model::{folder, network, picture};
use crate::detect::{config, model};
use crate::program::{Browser, Office};
use huoyan::camera::{Clip, ClipCodec, Playback, encode_clip};
use huoyan::clock::Clock;
use huoyan::detect::{Detector, Worker};
use huoyan::drill::DrillBoard;
use huoyan::engine::{Analyst, Seen, Tuning};
use huoyan::frame::{Frame, Picture, StatusBoard};
use huoyan::triage::detection::Stream;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};

/// Short, so that the story takes a minute. An alarm needs evidence that is 8 s apart.
const CADENCE: Duration = Duration::from_secs(3);
/// A changed register is taken when it has been as it is for 10 s, on a busy machine.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(30);
/// Start of the program, two looks, and 8 s.
const ALARMS_WITHIN: Duration = Duration::from_secs(60);
/// In this time a smoke that counts as new would alarm again.
const NO_ALARM_FOR: Duration = Duration::from_secs(20);

/// A cable to the cameras' server that counts the connections made through it.
struct Cable {
    address: SocketAddr,
    made: Arc<AtomicUsize>,
    open: Arc<AtomicUsize>,
}

impl Cable {
    async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (made, open) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counts = (Arc::clone(&made), Arc::clone(&open));
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let (made, open) = (Arc::clone(&counts.0), Arc::clone(&counts.1));
                made.fetch_add(1, Ordering::Relaxed);
                open.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await.expect("the cameras' server");
                    let ((mut from_near, mut to_near), (mut from_far, mut to_far)) =
                        (near.split(), far.split());
                    tokio::select! {
                        _ = tokio::io::copy(&mut from_near, &mut to_far) => {}
                        _ = tokio::io::copy(&mut from_far, &mut to_near) => {}
                    }
                    open.fetch_sub(1, Ordering::Relaxed);
                    // The server's end stays open: what the server does when a caller goes is not
                    // tested here.
                    let _ = tokio::io::copy(&mut from_far, &mut tokio::io::sink()).await;
                });
            }
        });
        Self { address, made, open }
    }

    fn made(&self) -> usize {
        self.made.load(Ordering::Relaxed)
    }

    fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

/// A view without smoke and one with (a bright square), played as `/clear` and `/smoky`.
fn cameras(folder: &Path) -> Playback {
    let clip = |name: &str, brightness: u8| {
        let file = folder.join(format!("{name}.h264"));
        let pictures = vec![picture(320, 80, [brightness; 3]); 10];
        encode_clip(&file, 10, pictures, ClipCodec::H264, |_| ()).expect("a clip");
        Clip { path_on_server: format!("/{name}"), file, user_password: None }
    };
    Playback::start(([127, 0, 0, 1], 0).into(), vec![clip("clear", 20), clip("smoky", 240)])
        .expect("it plays")
}

/// Lines of the register: camera, name, cable, view.
fn write(office: &Office, lines: &[(&str, &str, &Cable, &str)]) {
    let line = |(id, name, cable, view): &(&str, &str, &Cable, &str)| {
        format!("{id},{name},110.1,28.0,90,rtsp://{}/{view}\n", cable.address)
    };
    let sheet = "编号,名称,经度,纬度,方位角,地址\n".to_owned()
        + &lines.iter().map(line).collect::<String>();
    let part = office.data.join("cameras.part");
    fs::write(&part, sheet).expect("a register");
    fs::rename(part, office.data.join("registers/cameras.csv")).expect("a register");
}

/// What the duty officer's board says of the camera.
async fn board(officer: &Browser, camera: &str) -> Value {
    let board = officer.get("/api/v1/board").await.unwrap_or_default();
    let cameras = board["cameras"].as_array().cloned().unwrap_or_default();
    cameras.into_iter().find(|it| it["id"] == camera).unwrap_or_default()
}

fn looked_at(camera: &Value) -> Option<Timestamp> {
    camera["last_frame_at"].as_str().and_then(|at| at.parse().ok())
}

#[track_caller]
fn within(
    limit: Duration,
    what: &'static str,
    is_true: impl AsyncFn() -> bool,
) -> impl Future<Output = Duration> {
    let begun = Instant::now();
    async move {
        while !is_true().await {
            assert!(begun.elapsed() < limit, "not within {limit:?}: {what}");
            Clock::System.sleep(Duration::from_millis(50)).await;
        }
        begun.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cell_is_edited_while_another_cameras_smoke_has_just_alarmed() {
    let clips = tempfile::tempdir().expect("a folder");
    let server = cameras(clips.path());
    let model = folder("v8", &network("bright-v8"), |text| text);
    let onnxruntime = config().onnxruntime;
    let office = Office::prepare(
        &format!(
            "[camera]\ncadence = \"3s\"\n[detect]\nmodel = {:?}\nonnxruntime = \
            {onnxruntime:?}\ntiles = 0\nworkers = 1\n\
             [thresholds]\nevidence = 0.5\n",
            model.path()
        ),
        1,
    );
    let [north, east, west, new] = [
        Cable::to(server.address()).await,
        Cable::to(server.address()).await,
        Cable::to(server.address()).await,
        Cable::to(server.address()).await,
    ];
    let first = ("north", "北山", &north, "smoky");
    let second = ("east", "东岭", &east, "clear");
    write(&office, &[first, second, ("west", "西坡", &west, "clear")]);
    let (_program, links) = office.first_start().await;
    let officer = office.log_in(&links["office"]).await;
    within(ALARMS_WITHIN, "the smoke alarms", async || {
        board(&officer, "north").await["alarms_today"] == 1
    })
    .await;
    assert_eq!([&north, &east, &west].map(Cable::made), [1, 1, 1]);

    // One cell: another address of the third camera. One more: another name of the second.
    write(
        &office,
        &[first, ("east", "东岭瞭望塔", &east, "clear"), ("west", "西坡", &new, "clear")],
    );
    within(FOLLOWED_WITHIN, "the new address is called", async || new.made() == 1).await;
    let called_at = Clock::System.now();
    let seen = async || looked_at(&board(&officer, "west").await).is_some_and(|at| at > called_at);
    within(2 * CADENCE, "it is looked at again within two cadences", seen).await;
    assert_eq!(board(&officer, "east").await["name"], "东岭瞭望塔");
    within(FOLLOWED_WITHIN, "the former connection ends", async || west.open() == 0).await;

    let before = board(&officer, "north").await;
    Clock::System.sleep(NO_ALARM_FOR).await;
    let after = board(&officer, "north").await;
    assert_eq!(after["alarms_today"], 1, "the same smoke is no second alarm");
    let met = |camera: &Value| camera["slots_met"].as_u64().unwrap_or(0);
    assert!(met(&after) >= met(&before) + 4, "it is looked at as before: {before} {after}");
    assert_eq!(
        [&north, &east, &west, &new].map(Cable::made),
        [1, 1, 1, 1],
        "and nobody else was called again"
    );

    // A line goes, and another comes in its place.
    write(&office, &[first, ("south", "南冲", &west, "clear"), ("west", "西坡", &new, "clear")]);
    within(FOLLOWED_WITHIN, "it is called", async || west.made() == 2).await;
    within(FOLLOWED_WITHIN, "the one that left is hung up", async || east.open() == 0).await;
    within(FOLLOWED_WITHIN, "it is looked at", async || {
        looked_at(&board(&officer, "south").await).is_some()
    })
    .await;

    // The last ones go, and the first comes.
    write(&office, &[]);
    let open = || [&north, &west, &new].map(Cable::open);
    within(FOLLOWED_WITHIN, "all are hung up", async || open() == [0, 0, 0]).await;
    let gone_at = Clock::System.now();
    write(&office, &[second]);
    let seen = async || looked_at(&board(&officer, "east").await).is_some_and(|at| at > gone_at);
    within(ALARMS_WITHIN, "the model is loaded again and the camera looked at", seen).await;
    assert_eq!([&north, &east, &west, &new].map(Cable::made), [1, 2, 2, 1]);
}

/// Two cameras of the same view, looked at every ten seconds.
struct Pair {
    analyst: Analyst,
    worker: Worker,
    now: Timestamp,
}

impl Pair {
    fn new(folder: &Path) -> Self {
        let detector = Detector::load(folder, &config()).expect("the model loads");
        let tuning = Tuning::new(detector.thresholds().clone());
        let analyst =
            Analyst::new(&detector, tuning, DrillBoard::default(), StatusBoard::default());
        let worker = detector.session().expect("a session opens");
        Self { analyst, worker, now: "2026-03-05T04:00:00Z".parse().expect("a time") }
    }

    fn look(&mut self, picture: &Arc<Picture>) -> [Seen; 2] {
        self.now += SignedDuration::from_secs(10);
        ["north", "south"].map(|camera| {
            let (pose, picture, stream) = ("default".into(), Arc::clone(picture), Stream::Screened);
            let frame =
                Frame { camera: camera.into(), pose, captured_at: self.now, picture, stream };
            self.analyst.look(&mut self.worker, &frame).expect("it runs").remove(0)
        })
    }

    /// How often each has alarmed in so many looks.
    fn alarms(&mut self, picture: &Arc<Picture>, looks: usize) -> [usize; 2] {
        let seen: Vec<[Seen; 2]> = (0..looks).map(|_| self.look(picture)).collect();
        [0, 1].map(|camera| seen.iter().map(|pair| pair[camera].confirmed.len()).sum())
    }

    fn aim_the_south_anew(&self) {
        self.analyst.forget(&"south".into(), &"default".into());
    }
}

#[test]
fn a_camera_that_is_aimed_anew_forgets_its_alarm_and_the_other_keeps_its_own() {
    let folder = folder("v8", &network("bright-v8"), |text| text);
    let (mut pair, smoky) = (Pair::new(folder.path()), Arc::new(picture(320, 80, [240; 3])));
    assert_eq!(pair.alarms(&smoky, 12), [1, 1]);
    assert_eq!(pair.alarms(&smoky, 12), [0, 0], "once is enough");
    pair.aim_the_south_anew();
    assert_eq!(pair.alarms(&smoky, 12), [0, 1], "what is there now is new, and only there");
}

#[test]
fn a_camera_that_is_aimed_anew_learns_its_view_and_the_other_keeps_its_past() {
    let folder = model("heatmap", |text| text);
    let hillside = Arc::new(Picture::from_rgb(64, 64, &[60; 64 * 64 * 3]).expect("sizes fit"));
    let mut pair = Pair::new(folder.path());
    (0..20).for_each(|_| drop(pair.look(&hillside)));
    let has_past = |seen: [Seen; 2]| seen.map(|it| it.analysis.has_past);
    assert_eq!(has_past(pair.look(&hillside)), [true, true]);
    pair.aim_the_south_anew();
    assert_eq!(has_past(pair.look(&hillside)), [true, false]);
    (0..2).for_each(|_| drop(pair.look(&hillside)));
    assert_eq!(has_past(pair.look(&hillside)), [true, true], "it has one of its own again");
}
