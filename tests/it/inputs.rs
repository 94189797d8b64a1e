//! Cameras polled over HTTP, and folders into which pictures are uploaded: a real server, real
//! files, real receivers.

use crate::camera_support::{Office, hillside, log, login, loopback, quick, source};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path as Of, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use huoyan::config::CameraConfig;
use huoyan::frame::Health;
use jiff::SignedDuration;
use md5::{Digest, Md5};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};
use tokio::runtime::Runtime;
use tokio_stream::StreamExt;

const PASSWORD: &str = "s3cret@/pine";
const NONCE: &str = "dcd98b7102dd2f0e8b11d0f600bfb0c093";

/// A few different pictures, made once: the encoder is not what is measured here.
fn jpeg(step: u32) -> Vec<u8> {
    static PICTURES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let make = || (0..16).map(|step| hillside(200, 100, step).to_jpeg(80).expect("jpeg")).collect();
    PICTURES.get_or_init(make)[step as usize % 16].clone()
}

/// Cameras of many kinds behind one address. Counts the requests of each path.
struct Cameras {
    address: SocketAddr,
    asked: Asked,
    _runtime: Runtime,
}

type Asked = Arc<Mutex<BTreeMap<String, u32>>>;

impl Cameras {
    fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let asked = Asked::default();
        let app = Router::new()
            .route(
                "/jpeg/{id}",
                get(|uri: Uri, State(asked): State<Asked>| async move { picture(&uri, &asked) }),
            )
            .route("/digest/{id}", get(digest))
            .route("/basic", get(basic))
            .route(
                "/page",
                get(|| async {
                    (
                        [(CONTENT_TYPE, "text/html; charset=utf-8")],
                        "<html>登\
                录</html>",
                    )
                }),
            )
            .route("/busy", get(|| async { StatusCode::SERVICE_UNAVAILABLE }))
            .route("/says-busy", get(|| async { "Device Busy" }))
            .route("/empty", get(|| async { ([(CONTENT_TYPE, "image/jpeg")], "") }))
            .route("/failing", get(|| async { StatusCode::INTERNAL_SERVER_ERROR }))
            .route("/torn", get(torn))
            .route("/torn-part", get(torn_part))
            .route("/go-on/{to}", get(go_on))
            .route("/huge", get(|| async { endless(ENDLESS_JPEG.to_vec(), "image/jpeg") }))
            .route("/hang", get(hang))
            .route("/mjpeg", get(mjpeg))
            .route(
                "/huge-mjpeg",
                get(|| async {
                    let head = [b"--b\r\n\r\n", ENDLESS_JPEG].concat();
                    endless(head, "multipart/x-mixed-replace")
                }),
            )
            .with_state(Arc::clone(&asked));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(loopback())).expect("a port");
        let address = listener.local_addr().expect("an address");
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, asked, _runtime: runtime }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn asked(&self, path: &str) -> u32 {
        self.asked.lock().expect("counts").get(path).copied().unwrap_or_default()
    }
}

fn count(uri: &Uri, asked: &Asked) -> u32 {
    let mut asked = asked.lock().expect("counts");
    let times = asked.entry(uri.path().to_owned()).or_default();
    *times += 1;
    *times
}

fn picture(uri: &Uri, asked: &Asked) -> Response {
    ([(CONTENT_TYPE, "image/jpeg")], jpeg(count(uri, asked))).into_response()
}

/// RFC 7616 with MD5 and `qop=auth`, as most cameras request it, beside a weaker Basic.
async fn digest(
    Of(id): Of<String>,
    uri: Uri,
    headers: HeaderMap,
    State(asked): State<Asked>,
) -> Response {
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let field = |name: &str| {
        let rest = sent.split(&format!("{name}=")).nth(1)?;
        Some(rest.split(',').next().unwrap_or_default().trim().trim_matches('"').to_owned())
    };
    let answer = |password: &str| {
        let hash = |text: String| hex::encode(Md5::digest(text.as_bytes()));
        let (who, what) = (
            hash(format!("admin:camera:{password}")),
            hash(format!("GET:{}", uri.path_and_query()?)),
        );
        Some(hash(format!("{who}:{NONCE}:{}:{}:auth:{what}", field("nc")?, field("cnonce")?)))
    };
    if sent.starts_with("Digest ")
        && field("response").is_some()
        && field("response") == answer(PASSWORD)
    {
        return picture(&uri, &asked);
    }
    for (what, is_so) in [("refused", true), ("tried", !sent.is_empty())] {
        *asked.lock().expect("counts").entry(format!("{what} {id}")).or_default() +=
            u32::from(is_so);
    }
    let challenge = format!("Digest realm=\"camera\", nonce=\"{NONCE}\", qop=\"auth\"");
    let mut response = StatusCode::UNAUTHORIZED.into_response();
    for challenge in ["Basic realm=\"camera\"", &challenge] {
        response.headers_mut().append(WWW_AUTHENTICATE, challenge.parse().expect("a header"));
    }
    response
}

async fn basic(uri: Uri, headers: HeaderMap, State(asked): State<Asked>) -> Response {
    // admin:s3cret@/pine
    let right = "Basic YWRtaW46czNjcmV0QC9waW5l";
    if headers.get(AUTHORIZATION).is_some_and(|value| value == right) {
        return picture(&uri, &asked);
    }
    (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Basic realm=\"camera\"")]).into_response()
}

/// Never ends, and never gives its length.
fn endless(head: Vec<u8>, kind: &'static str) -> Response {
    let chunks = std::iter::once(Bytes::from(head))
        .chain(std::iter::repeat(Bytes::from(vec![7; 64 * 1024])));
    let body = Body::from_stream(tokio_stream::iter(chunks.map(Ok::<_, std::io::Error>)));
    ([(CONTENT_TYPE, kind)], body).into_response()
}

/// The beginning of a JPEG whose coded data never end.
const ENDLESS_JPEG: &[u8] = b"\xff\xd8\xff\xda\x00\x02";

/// Half a picture, of which nothing says that it is half.
async fn torn() -> Response {
    let whole = jpeg(1);
    let half = Bytes::copy_from_slice(&whole[..whole.len() / 2]);
    let body = Body::from_stream(tokio_stream::iter([Ok::<_, std::io::Error>(half)]));
    ([(CONTENT_TYPE, "image/jpeg")], body).into_response()
}

/// The same as a part whose length is that of the half.
async fn torn_part() -> Response {
    let (whole, kind) = (jpeg(1), "multipart/x-mixed-replace; boundary=b");
    let half = &whole[..whole.len() / 2];
    let head = format!("--b\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n", half.len());
    ([(CONTENT_TYPE, kind)], [head.as_bytes(), half, b"\r\n--b--\r\n"].concat()).into_response()
}

/// Sends on: to a picture, to itself, or to another host, which asks for a login.
async fn go_on(Of(to): Of<String>, headers: HeaderMap) -> Response {
    let host = headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    let to = match &*to {
        "picture" => "/digest/sent-on?x=1".to_owned(),
        "away" => {
            format!("http://{}/digest/away?token=s3cret", host.replace("127.0.0.1", "localhost"))
        }
        _ => "/go-on/circles".to_owned(),
    };
    (StatusCode::FOUND, [(LOCATION, to)]).into_response()
}

/// Half a picture, then nothing more.
async fn hang() -> Response {
    let half = tokio_stream::iter([Ok::<_, std::io::Error>(Bytes::from(b"\xff\xd8half".to_vec()))]);
    ([(CONTENT_TYPE, "image/jpeg")], Body::from_stream(half.chain(tokio_stream::pending())))
        .into_response()
}

/// 25 pictures a second as long as anybody listens. Counts those sent.
async fn mjpeg(uri: Uri, State(asked): State<Asked>) -> Response {
    let mut ticks = tokio::time::interval(Duration::from_millis(40));
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let pictures = tokio_stream::wrappers::IntervalStream::new(ticks).map(move |_| {
        let picture = jpeg(count(&uri, &asked));
        let head = format!(
            "--cam\r\nContent-Type: image/jpeg\r\nContent-Length: {}\r\n\r\n",
            picture.len()
        );
        Ok::<_, std::io::Error>(Bytes::from([head.as_bytes(), &picture, b"\r\n"].concat()))
    });
    ([(CONTENT_TYPE, "multipart/x-mixed-replace; boundary=--cam")], Body::from_stream(pictures))
        .into_response()
}

#[test]
fn snapshots_behind_every_kind_of_login_are_fetched_once_a_cadence() {
    let cameras = Cameras::start();
    let sources = vec![
        source("open", &cameras.url("/jpeg/open?channel=1")),
        login("digest", &cameras.url("/digest/a?x=1"), PASSWORD),
        source(
            "basic",
            &cameras.url("/basic").replace("http://", "http://admin:s3cret%40%2Fpine@"),
        ),
        source(
            "raw",
            &cameras.url("/digest/raw").replace("http://", &format!("http://admin:{PASSWORD}@")),
        ),
        source(
            "encoded",
            &cameras.url("/digest/encoded").replace("http://", "http://admin:s3cret%40%2Fpine@"),
        ),
    ];
    let mut office = Office::open(sources, &quick());
    let begun = std::time::Instant::now();
    office.until("ten pictures of each", |office, _| {
        ["open", "digest", "basic", "raw", "encoded"]
            .iter()
            .all(|camera| office.of(camera).keyframes >= 10)
    });
    for (camera, path) in [
        ("open", "/jpeg/open"),
        ("digest", "/digest/a"),
        ("basic", "/basic"),
        ("raw", "/digest/raw"),
        ("encoded", "/digest/encoded"),
    ] {
        let status = office.of(camera);
        assert_eq!((status.health, status.detail), (Health::Ok, None), "{camera}");
        assert!(status.last_picture.is_some_and(|picture| picture.width() == 200), "{camera}");
        let slots = begun.elapsed().as_millis() / 200 + 2;
        assert!(
            u128::from(cameras.asked(path)) <= slots,
            "{camera}: {} in {slots} cadences",
            cameras.asked(path)
        );
    }
    assert_eq!(
        cameras.asked("refused a"),
        1,
        "the camera's question is remembered from picture to picture"
    );
    assert_eq!(cameras.asked("refused raw"), 1, "what stands in the address is right as it is");
    // Requests: without a login, with it as written, without one on a new connection; then decoded,
    // and that reading ever after.
    assert_eq!(cameras.asked("refused encoded"), 3);
}

#[test]
fn of_an_mjpeg_stream_one_picture_a_cadence_is_taken_and_the_rest_is_never_sent() {
    let cameras = Cameras::start();
    let mut office = Office::open(
        vec![source("a", &cameras.url("/mjpeg"))],
        &CameraConfig { cadence: SignedDuration::from_secs(1), ..quick() },
    );
    office.until("four pictures", |office, _| office.of("a").keyframes >= 4);
    assert_eq!(office.of("a").health, Health::Ok);
    // A kept stream would have sent 25 a second for three seconds.
    assert!(cameras.asked("/mjpeg") < 30, "{} pictures were sent for 4", cameras.asked("/mjpeg"));
}

#[test]
fn what_is_wrong_with_a_web_camera_is_said_with_its_cure_and_without_its_secrets() {
    let log = log();
    let cameras = Cameras::start();
    let nobody =
        std::net::TcpListener::bind(loopback()).and_then(|l| l.local_addr()).expect("a free port");
    let cases = [
        ("wrong", cameras.url("/digest/wrong"), Health::BadPassword, "refuses user or password"),
        (
            "both",
            cameras.url("/digest/both").replace("http://", "http://admin:wr0ng-pine%21@"),
            Health::BadPassword,
            "10 min",
        ),
        ("none", cameras.url("/digest/none"), Health::BadPassword, "asks for user and password"),
        ("path", cameras.url("/nothing?password=s3cret-query"), Health::Misconfigured, "404"),
        (
            "page",
            cameras.url("/page?pwd=s3cret-query"),
            Health::Misconfigured,
            "not a JPEG or PNG picture (text/html)",
        ),
        (
            "busy",
            cameras.url("/busy?token=s3cret-query"),
            Health::Offline,
            "busy and serves no more viewers; close others",
        ),
        ("says-busy", cameras.url("/says-busy"), Health::Offline, "serves no more viewers"),
        ("failing", cameras.url("/failing"), Health::Offline, "the camera's own error (500)"),
        ("empty", cameras.url("/empty"), Health::Offline, "answers without a picture"),
        ("torn", cameras.url("/torn"), Health::Undecodable, "only a part of the picture"),
        ("torn-part", cameras.url("/torn-part"), Health::Undecodable, "only a part of the picture"),
        (
            "circles",
            cameras.url("/go-on/circles"),
            Health::Misconfigured,
            "sends on again and again",
        ),
        ("huge", cameras.url("/huge"), Health::Misconfigured, "larger than 10 MB"),
        ("huge-mjpeg", cameras.url("/huge-mjpeg"), Health::Misconfigured, "larger than 10 MB"),
        ("hang", cameras.url("/hang"), Health::Offline, "no complete picture within 10 s"),
        (
            "nobody",
            format!("http://{nobody}/a.jpg?token=s3cret-query"),
            Health::Offline,
            "cannot be reached",
        ),
        ("tls", self_signed(), Health::Misconfigured, "certificate cannot be verified"),
    ];
    let mut sources: Vec<_> = cases.iter().map(|(id, url, ..)| source(id, url)).collect();
    sources[0] = login("wrong", &cases[0].1, "wr0ng-pine");
    let mut office = Office::open(sources, &quick());
    for (id, _, health, words) in cases {
        let said = office.until_health(id, health);
        assert!(
            said.starts_with(&format!("camera-{id}: ")) && said.contains(words),
            "{id}: {said}"
        );
        for secret in ["wr0ng-pine", "s3cret-query"] {
            assert!(!said.contains(secret), "{said}");
        }
        if id == "wrong" {
            // Once without a login, then with the password; then not for a while, so that the
            // account is not locked.
            assert_eq!(cameras.asked("refused wrong"), 2);
        }
    }
    // Each reading of the login once, each after a challenge by the camera. Then the same wait as
    // for any wrong password.
    assert_eq!(cameras.asked("refused both"), 4);
    drop(office);
    let log = String::from_utf8_lossy(&log.lock().expect("the log")).into_owned();
    assert!(log.contains("camera-wrong"), "the log was captured");
    for secret in ["wr0ng-pine", "s3cret-query"] {
        assert!(!log.contains(secret), "{secret} leaked into the log");
    }
}

#[test]
fn a_web_camera_that_sends_on_is_followed_and_its_login_goes_to_no_other_host() {
    let cameras = Cameras::start();
    let of = |id: &str| login(id, &cameras.url(&format!("/go-on/{id}")), PASSWORD);
    let mut office = Office::open(vec![of("picture"), of("away")], &quick());
    office.until_health("picture", Health::Ok);
    let said = office.until_health("away", Health::Misconfigured);
    let to = format!("localhost:{}/digest/away?token=***", cameras.address.port());
    assert!(said.contains(&to) && said.contains("with its own login"), "{said}");
    assert!(cameras.asked("refused away") > 0 && cameras.asked("tried away") == 0);
}

#[test]
fn an_rtsp_camera_that_sends_mjpeg_is_seen_through_its_own_text() {
    use gstreamer::glib;
    use gstreamer_rtsp_server::prelude::*;
    huoyan::camera::init().expect("GStreamer");
    let context = glib::MainContext::new();
    let main_loop = glib::MainLoop::new(Some(&context), false);
    let server = gstreamer_rtsp_server::RTSPServer::new();
    server.set_address("127.0.0.1");
    server.set_service("0");
    let factory = gstreamer_rtsp_server::RTSPMediaFactory::new();
    let film = "videotestsrc is-live=true pattern=ball ! \
        video/x-raw,format=I420,width=320,height=176,framerate=25/1";
    factory.set_launch(&format!("( {film} ! jpegenc ! rtpjpegpay name=pay0 )"));
    server.mount_points().expect("mount points").add_factory("/a", factory);
    let _listening = server.attach(Some(&context)).expect("a port");
    let running = main_loop.clone();
    let thread = std::thread::spawn(move || running.run());
    let url = format!("rtsp://127.0.0.1:{}/a", server.bound_port());
    let mut office = Office::open(vec![source("a", &url).with_pipeline("rtsp-jpeg")], &quick());
    office.until("three pictures", |office, frame| {
        frame.is_some_and(|frame| frame.picture.width() == 320) && office.of("a").keyframes >= 3
    });
    assert_eq!(office.of("a").health, Health::Ok);
    drop(office);
    main_loop.quit();
    thread.join().expect("ends");
}

/// Answers with a certificate that no authority has signed.
fn self_signed() -> String {
    let file = |name: &str| {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/tls").join(name))
            .expect("a test file")
    };
    let chain = vec![file("self-signed.cert.der").into()];
    let key = file("self-signed.key.der").try_into().expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    let (config, listener) =
        (Arc::new(config), std::net::TcpListener::bind(loopback()).expect("a port"));
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut session =
                rustls::ServerConnection::new(Arc::clone(&config)).expect("a session");
            // The client closes the connection when it has seen the certificate.
            let _ = session.complete_io(&mut stream);
        }
    });
    format!("https://{address}/a.jpg")
}

#[test]
fn a_county_of_snapshot_cameras_costs_a_handful_of_threads() {
    let cameras = Cameras::start();
    let ids: Vec<String> = (0..267).map(|i| format!("c{i}")).collect();
    let sources = ids.iter().map(|id| source(id, &cameras.url(&format!("/jpeg/{id}")))).collect();
    let mut office =
        Office::open(sources, &CameraConfig { cadence: SignedDuration::from_secs(2), ..quick() });
    let mut most = 0;
    office.until("a picture of each", |office, _| {
        most = most.max(threads_called("camera-net"));
        ids.iter().all(|id| office.of(id).keyframes >= 1)
    });
    // Two threads that read, and at most eight that look up names and folders.
    assert!((1..=10).contains(&most), "{most} threads for 267 cameras");
}

fn threads_called(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a list of threads").flatten();
    tasks
        .filter(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|comm| comm.trim() == name)
        })
        .count()
}

/// Writes like an FTP server: in pieces, over time.
fn upload(path: &Path, bytes: &[u8]) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).expect("a file");
    for piece in bytes.chunks(bytes.len() / 4 + 1) {
        file.write_all(piece).expect("writes");
        file.flush().expect("writes");
        std::thread::park_timeout(Duration::from_millis(150));
    }
}

fn old(path: &Path, seconds: u64) {
    let file = std::fs::File::options().write(true).open(path).expect("the file");
    let now = SystemTime::from(huoyan::clock::Clock::System.now());
    file.set_modified(now - Duration::from_secs(seconds)).expect("sets the time");
}

#[test]
fn a_folder_that_grows_is_followed_picture_by_picture() {
    let folder = tempfile::tempdir().expect("a folder");
    let (flat, days, silent) =
        (folder.path().join("flat"), folder.path().join("days"), folder.path().join("silent"));
    for folder in [&flat, &days, &silent] {
        std::fs::create_dir(folder).expect("a folder");
    }
    for i in 0..50 {
        let name = flat.join(format!("old{i}.jpg"));
        std::fs::write(&name, jpeg(i)).expect("writes");
        old(&name, 3600);
    }
    std::fs::write(flat.join("half.jpg"), &jpeg(3)[..500]).expect("writes");
    std::fs::write(flat.join(".in.hidden.jpg"), jpeg(3)).expect("writes");
    std::fs::write(flat.join("a.jpg.part"), jpeg(3)).expect("writes");
    let address = |path: &Path| format!("drop:{}", path.display());
    let sources = vec![
        source("flat", &address(&flat)),
        source("days", &format!("drop://{}", days.display())),
        source("silent", &address(&silent)),
        source("missing", &address(&folder.path().join("no"))),
    ];
    let config = CameraConfig {
        late_after: SignedDuration::from_secs(2),
        offline_after: SignedDuration::from_secs(7),
        ..quick()
    };
    let mut office = Office::open(sources, &config);
    let said = office.until_health("missing", Health::Misconfigured);
    assert!(said.contains("cannot open"), "{said}");
    let said = office.until_health("silent", Health::Late);
    assert!(said.contains("no picture has come into the folder"), "{said}");
    assert_eq!(office.of("flat").last_frame_at, None, "an hour old is no view of the present");

    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for i in 0..5u32 {
                upload(&flat.join(format!("new{i}.jpg")), &jpeg(10 + i));
                let hour = days.join(format!("2026/11/22/{}", 9 + i / 2));
                std::fs::create_dir_all(&hour).expect("a folder");
                upload(&hour.join(format!("p{i}.jpg")), &jpeg(20 + i));
            }
        });
        let mut seen: BTreeMap<String, Vec<jiff::Timestamp>> = BTreeMap::new();
        office.until("the last pictures of both", |_, frame| {
            if let Some(frame) = frame {
                seen.entry(frame.camera.to_string()).or_default().push(frame.captured_at);
            }
            writer.is_finished()
                && ["flat", "days"]
                    .iter()
                    .all(|camera| seen.get(*camera).is_some_and(|s| s.len() >= 3))
        });
        for (camera, times) in seen {
            assert!(
                times.is_sorted_by(|a, b| a < b),
                "{camera}: each once, none older than the one before: {times:?}"
            );
        }
    });
    for camera in ["flat", "days"] {
        assert_ne!(office.of(camera).health, Health::Undecodable, "{camera}: only whole pictures");
    }
    let files = std::fs::read_dir(&flat).expect("the folder").count();
    assert_eq!(files, 50 + 3 + 5, "nothing is deleted");
    let said = office.until_health("flat", Health::Offline);
    assert!(said.contains("no new picture in the folder"), "{said}");
}

#[test]
fn an_upload_that_is_no_picture_is_named_with_the_setting_to_change() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut office =
        Office::open(vec![source("a", &format!("drop:{}", folder.path().display()))], &quick());
    std::fs::write(folder.path().join("clip.jpg"), [0u8; 4_000]).expect("writes");
    let said = office.until_health("a", Health::Misconfigured);
    assert!(
        said.contains("clip.jpg is not a JPEG or PNG picture") && said.contains("upload settings"),
        "{said}"
    );
}

#[test]
fn an_upload_is_dated_by_its_name_and_one_with_a_wrong_clock_is_not_taken_for_the_present() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut office =
        Office::open(vec![source("a", &format!("drop:{}", folder.path().display()))], &quick());
    let named = |minutes: i64| {
        let at = huoyan::clock::Clock::System.now() - SignedDuration::from_mins(minutes);
        let local = at.to_zoned(huoyan::clock::county_time());
        (at, local.strftime("10.0.0.64_01_%Y%m%d%H%M%S123_TIMING.jpg").to_string())
    };
    let (at, name) = named(5);
    std::fs::write(folder.path().join(name), jpeg(1)).expect("writes");
    office.until("the picture", |_, frame| {
        frame.is_some_and(|frame| frame.captured_at.as_second() == at.as_second())
    });
    let (_, name) = named(8 * 60);
    std::fs::write(folder.path().join(name), jpeg(2)).expect("writes");
    let said = office.until_health("a", Health::Misconfigured);
    assert!(said.contains("was taken 480 min before it arrived"), "{said}");
    // The same name, overwritten again and again.
    for step in 3..5 {
        std::fs::write(folder.path().join("latest.jpg"), jpeg(step)).expect("writes");
        let before = office.of("a").keyframes;
        office.until("the file that was written again", |office, _| {
            office.of("a").keyframes > before
        });
    }
    std::fs::write(folder.path().join("half.jpg"), &jpeg(9)[..600]).expect("writes");
    let said = office.until_health("a", Health::Undecodable);
    assert!(said.contains("half.jpg holds a part of a picture only"), "{said}");
}
