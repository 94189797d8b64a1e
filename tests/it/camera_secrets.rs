//! No secret of a camera leaves the program. A register holds one of every shape. It is imported,
//! the real program runs with it, and all its output is searched: every answer that officer, ops
//! and ranger may read, the pages, the metrics, the log.

use crate::http_support::at;
use axum::Router;
use axum::http::{StatusCode, header};
use huoyan::address::Address;
use huoyan::clock::Clock;
use huoyan::county::Registers;
use reqwest::{Client, Method, redirect};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use uuid::Uuid;

/// Part of every secret, and of nothing else.
const MARK: &str = "geheim";

/// `HOST`: a server that refuses every login.
const PLANTED: [&str; 20] = [
    "http://admin:geheim01@HOST/snap.jpg",
    "http://admin:geheim02#a@s/s:%41w@HOST/snap.jpg",
    "http://admin:p%23geheim03%40s@HOST/snap.jpg",
    "rtsp://admin:geheim04/x@HOST/s",
    "rtsp://HOST/user=admin_password=geheim05_channel=1_stream=0.sdp?real_stream",
    "http://HOST/cgi-bin/snapshot.cgi?loginuse=admin&loginpas=geheim06",
    "http://HOST/octet?user=admin&PWD=geheim07",
    "http://HOST/octet?usr=admin&psw=geheim08",
    "http://HOST/octet?usr_pwd=geheim09&channel=1",
    "http://HOST/octet?token=a/geheim10==",
    "http://HOST/octet#access_token=geheim11",
    "http://HOST/octet?p%77d=geheim12",
    "http://HOST/octet?src=rtsp%3A%2F%2Fadmin%3Ageheim13%4010.0.0.2%2Fs",
    "http://HOST/frame.jpeg?src=rtsp://admin:geheim14@10.0.0.2/s",
    "http://HOST/token/geheim15/live.jpg",
    "http://geheim16:@HOST/snap.jpg",
    "admin:geheim17@HOST/s",
    "rtsp://admin:12/geheim18@cam/s",
    "rtsp://admin:geheim19",
    "rtsp://HOST/s?pwd=geheim20\\",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_answer_page_metric_or_log_line_holds_a_secret_of_a_camera() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, host) = (folder.path().join("data"), refuses_everybody().await);
    let planted: Vec<String> =
        PLANTED.iter().map(|address| address.replace("HOST", &host)).collect();
    let said = import(&planted, folder.path(), &data);
    assert!(
        said.contains("\"line\":22") && said.contains("\"line\":23"),
        "the two bad rows are told of: {said}"
    );
    assert!(!said.contains(MARK), "{said}");
    let originals: Vec<String> = fs::read_dir(data.join("registers/originals"))
        .expect("a folder")
        .map(|it| fs::read_to_string(it.expect("a file").path()).expect("text"))
        .collect();
    assert!(
        originals.len() == 1 && originals[0].contains("c91,塔91,110.4,28.4,42,"),
        "{originals:?}"
    );
    assert!(!originals[0].contains(MARK), "{}", originals[0]);
    let registered = Registers::load(&data.join("registers"), Clock::System.now());
    let registered = registered.expect("registers").current();
    assert!(!format!("{registered:?}").contains(MARK), "{registered:?}");
    for (index, address) in planted.iter().enumerate() {
        let camera = registered
            .camera(&format!("c{index:02}").as_str().into())
            .expect("it is in the register");
        assert_eq!(camera.url.expose().written, address, "to the letter");
        assert_eq!(
            camera.main_url.as_ref(),
            Some(&Address::parse(address).with(Some("viewer".to_owned()), None))
        );
    }

    // Links are made for people in the register.
    let people = "编号,姓名,电话,岗位,网格\no1,吴敏,13900000008,县值班员,\nr1,张三,13900000009,护林\
        员A角,g1\n";
    fs::write(data.join("registers/people.csv"), people).expect("written");
    let log = folder.path().join("log.txt");
    let (_program, links) = Program::start(folder.path(), &data, &log).await;
    let mut sessions = BTreeMap::new();
    for face in ["office", "ops", "ranger"] {
        sessions.insert(
            face,
            Session::log_in(
                links[face].as_str().unwrap_or_else(|| panic!("no link to {face}: {links}")),
            )
            .await,
        );
    }
    let office = &sessions["office"];
    let call = json!({ "at": at(28.5, 110.4), "radius_m": 500.0, "who": "村民", "words": "有烟" });
    let incident = office.send(Method::POST, "/api/v1/incidents", Some(call)).await;
    let incident: Value =
        serde_json::from_str(&incident).unwrap_or_else(|_| panic!("an incident, not {incident}"));
    let incident = incident["id"].as_str().expect("an id").to_owned();

    office.until_every_camera_has_said_what_is_wrong(planted.len()).await;
    let document: Value =
        serde_json::from_str(&office.get("/openapi.json").await).expect("the document");
    let documented = document["paths"].as_object().expect("paths").iter();
    let mut paths: Vec<String> = documented
        .filter(|(_, how)| how["get"].is_object())
        .map(|(path, _)| path.clone())
        .collect();
    assert!(paths.len() > 10, "{paths:?}");
    paths.extend(
        ["/", "/office", "/wall", "/ranger", "/ops", "/registers", "/openapi.json"]
            .map(str::to_owned),
    );
    for (face, session) in &sessions {
        for path in &paths {
            for id in [incident.as_str(), "c00", "c16"] {
                let path = path.replace("{id}", id).replace("{register}", "cameras");
                let answer = session.get(&path).await;
                assert!(!answer.contains(MARK), "{face} reads {path}: {answer}");
            }
        }
    }
    let log = fs::read_to_string(log).expect("the log");
    assert!(log.contains("c00") || log.contains("塔00"), "the log was captured: {log}");
    let leaks: Vec<&str> = log.lines().filter(|line| line.contains(MARK)).collect();
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// The imported register, with two rows that cannot be used: an address in the wrong column, and a
/// mistyped one.
fn import(planted: &[String], folder: &Path, data: &Path) -> String {
    let mut sheet = "编号,名称,经度,纬度,方位角,地址,主码流,用户\n".to_owned();
    for (index, address) in planted.iter().enumerate() {
        let lat = 28.4 + 0.01 * index as f64;
        sheet +=
            &format!("c{index:02},塔{index:02},110.4,{lat:.2},42,{address},{address},viewer\n");
    }
    sheet += &format!("c90,塔90,{},28.4,42,rtsp://h/s,,\n", planted[1]);
    sheet += "c91,塔91,110.4,28.4,42,rtsp：//admin:geheim90@10.0.0.1/s,,\n";
    let file = folder.join("摄像机.csv");
    fs::write(&file, sheet).expect("written");
    let mut command = huoyan();
    command.args(["--json", "import", "cameras"]).arg(&file).arg("--data").arg(data);
    let output = command.output().expect("huoyan import runs");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn huoyan() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_huoyan"));
    command
        .env("HUOYAN_CAMERA_PASSWORD", "geheim00")
        .env_remove("HUOYAN_STORE_URL")
        .stdin(Stdio::null());
    command
}

async fn refuses_everybody() -> String {
    let refuse = || async {
        (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"camera\"")])
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(refuse)).await });
    address.to_string()
}

/// The service; ends with the test.
struct Program(Child);

impl Program {
    /// Also returns its login links, one per page.
    async fn start(folder: &Path, data: &Path, log: &Path) -> (Self, Value) {
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .expect("a port")
            .port();
        let config = folder.join("huoyan.toml");
        fs::write(&config, "[camera]\nreconnect_min = \"200ms\"\n").expect("the configuration");
        let mut command = huoyan();
        command.arg("run").arg("--config").arg(config).arg("--data").arg(data);
        command
            .args(["--listen", &format!("127.0.0.1:{port}"), "--json", "--links"])
            .env("RUST_LOG", "debug");
        command.stdout(Stdio::piped()).stderr(File::create(log).expect("a log"));
        let mut program = Self(command.spawn().expect("huoyan starts"));
        let mut stdout = BufReader::new(program.0.stdout.take().expect("piped"));
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line)
        });
        let line = tokio::time::timeout(Duration::from_secs(60), line)
            .await
            .expect("links within a minute");
        let line = line.expect("read").expect("a line");
        (program, serde_json::from_str(&line).unwrap_or_else(|_| panic!("login links, not {line}")))
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Session {
    client: Client,
    base: String,
    cookie: String,
}

impl Session {
    async fn log_in(link: &str) -> Self {
        // An error means that another test of this process has done so.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .timeout(Duration::from_secs(10))
            .redirect(redirect::Policy::none())
            .no_proxy();
        let client = client.build().expect("a client");
        let (base, _) = link.split_once("/login/").expect("a login link");
        let answer = loop {
            // The links are printed a moment before the port is open.
            match client.post(link).send().await {
                Ok(answer) => break answer,
                Err(error) if error.is_connect() => {
                    Clock::System.sleep(Duration::from_millis(50)).await
                }
                Err(error) => panic!("{error}"),
            }
        };
        let cookie = answer.headers().get("Set-Cookie").expect("a session").to_str().expect("text");
        Self {
            client,
            base: base.to_owned(),
            cookie: cookie.split(';').next().expect("a pair").to_owned(),
        }
    }

    async fn get(&self, path: &str) -> String {
        self.send(Method::GET, path, None).await
    }

    /// Head and body; of an endless answer, what comes within a second.
    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> String {
        let request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .header("Cookie", &self.cookie);
        let request = match body {
            Some(body) => request.header("Idempotency-Key", Uuid::now_v7().to_string()).json(&body),
            None => request,
        };
        let mut answer = request.send().await.expect("answers");
        let head = if answer.status().is_success() {
            String::new()
        } else {
            format!("{:?}", answer.headers())
        };
        let mut bytes = Vec::new();
        let second = Duration::from_secs(1);
        while let Ok(Ok(Some(chunk))) = tokio::time::timeout(second, answer.chunk()).await {
            bytes.extend_from_slice(&chunk);
        }
        head + &String::from_utf8_lossy(&bytes)
    }

    async fn until_every_camera_has_said_what_is_wrong(&self, cameras: usize) {
        let mut board = Value::Null;
        for _ in 0..300 {
            board = serde_json::from_str(&self.get("/api/v1/board").await).expect("the board");
            let all = board["cameras"].as_array().expect("cameras");
            // Without a model no camera would be polled, and nothing could leak.
            let is_asked = all
                .iter()
                .any(|camera| camera["id"] == "c00" && camera["health"] == "bad_password");
            if is_asked
                && all.len() == cameras
                && all.iter().all(|camera| camera["detail"].is_string())
            {
                assert!(
                    all.iter()
                        .all(|camera| camera["url"].as_str().is_some_and(|url| !url.is_empty())),
                    "{board}"
                );
                return;
            }
            Clock::System.sleep(Duration::from_millis(200)).await;
        }
        panic!("not within a minute: {}", board["cameras"]);
    }
}
