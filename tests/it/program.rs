//! The real program in its own process, on a small county in its own folder, and the browsers of
//! its people.

use huoyan::clock::Clock;
use huoyan::triage::id::{ActionId, IncidentId};
use reqwest::{Client, RequestBuilder, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Grids of a small county, each with a ranger, a second ranger and a village chief.
pub const GRIDS: usize = 8;

/// An office's folder and address, which survive its program.
pub struct Office {
    folder: tempfile::TempDir,
    pub data: PathBuf,
    config: PathBuf,
    port: u16,
    /// `run`, `desk` or `detect`.
    role: &'static str,
    env: Vec<(String, String)>,
}

impl Office {
    /// With this configuration and number of grids. It does not start anything.
    pub fn prepare(config_text: &str, grids: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (data, config) = (folder.path().join("data"), folder.path().join("huoyan.toml"));
        fs::write(&config, config_text).expect("the configuration");
        write_registers(&data.join("registers"), grids, 0.0);
        fs::create_dir_all(data.join("hotspots")).expect("the watched folder");
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|it| it.local_addr())
            .expect("a free port")
            .port();
        Self { folder, data, config, port, role: "run", env: Vec::new() }
    }

    /// Adds environment variables for its program.
    pub fn with_env(mut self, env: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(env);
        self
    }

    /// Its program is a part of a cluster: `desk` or `detect`.
    pub fn in_role(mut self, role: &'static str) -> Self {
        self.role = role;
        self
    }

    /// The folder of its configuration.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn spawn(&self, stdout: Stdio) -> Program {
        // A write on a full disk should fail with an error. By default the signal of the simulated
        // limit kills the process. LOG_TO, one of `with_env`, is a file for the log.
        let mut command = Command::new("sh");
        command
            .args([
                "-c",
                "trap '' XFSZ; [ -z \"$LOG_TO\" ] || exec 2>>\"$LOG_TO\"; exec \"$0\" \
                \"$@\"",
            ])
            .arg(binary())
            .arg(self.role)
            .arg("--config")
            .arg(&self.config)
            .arg("--data")
            .arg(&self.data);
        command.args(["--listen", &format!("127.0.0.1:{}", self.port), "--json"]);
        if self.role != "detect" {
            command.arg("--links");
        }
        command
            .env("RUST_LOG", "error")
            .env_remove("HUOYAN_STORE_URL")
            .env_remove("HUOYAN_NATS_USER")
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(stdout);
        Program(command.spawn().expect("huoyan starts"))
    }

    pub fn start(&self) -> Program {
        self.spawn(Stdio::null())
    }

    /// Starts it, and reads the login links.
    pub async fn first_start(&self) -> (Program, HashMap<String, String>) {
        let (program, line) = self.start_and_read().await;
        self.is_up().await;
        (program, serde_json::from_value(line).expect("links by page"))
    }

    /// Starts it, and reads the first line of its standard output.
    pub async fn start_and_read(&self) -> (Program, Value) {
        let mut program = self.spawn(Stdio::piped());
        let mut stdout = BufReader::new(program.0.stdout.take().expect("piped"));
        let line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).map(|_| line)
        });
        let line =
            tokio::time::timeout(Duration::from_secs(30), line).await.expect("links within 30 s");
        let links = serde_json::from_str(&line.expect("read").expect("a line"))
            .expect("login links as JSON");
        (program, links)
    }

    pub async fn is_up(&self) {
        let client = client();
        let up = async {
            while !client
                .get(self.url("/healthz"))
                .send()
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                Clock::System.sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), up).await.expect("up within 30 s");
    }

    pub async fn log_in(&self, link: &str) -> Browser {
        let host = link.split("/login/").next().and_then(|it| it.split("//").last());
        let host = host.filter(|it| !it.is_empty()).map_or(self.address(), str::to_owned);
        Browser::log_in(&self.url(""), &host, link).await
    }

    /// A list with one pixel at the centre of a grid. It appears in the folder complete.
    pub fn satellite_passes(&self, grid: usize) {
        let now = Clock::System.now();
        let (lat, lon) = centre(grid);
        let list = format!(
            "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,bright_ti5,frp,daynight\n{lat:.5},{lon:.5},331.5,0.40,0.40,{},{},N20,VIIRS,nominal,2.0NRT,290.1,4.1,D\n",
            now.strftime("%Y-%m-%d"),
            now.strftime("%H%M"),
        );
        let part = self.data.join(format!("pass-{grid}.part"));
        fs::write(&part, list).expect("a list");
        fs::rename(part, self.data.join(format!("hotspots/pass-{grid}.csv")))
            .expect("into the folder");
    }
}

/// One running program; dies with the test.
pub struct Program(pub Child);

impl Program {
    pub fn kill9(&mut self) {
        self.0.kill().expect("SIGKILL");
        self.0.wait().expect("dead");
    }

    /// It hangs: its connections stay open, and nobody answers.
    pub fn freeze(&self) {
        kill_process(self.pid(), Signal::STOP).expect("our own child");
    }

    pub fn thaw(&self) {
        kill_process(self.pid(), Signal::CONT).expect("our own child");
    }

    pub fn pid(&self) -> Pid {
        let pid = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        pid.expect("a process id")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may be dead already, as intended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A person who is logged in.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    base: String,
    /// What the browser's address says.
    host: String,
    cookie: String,
}

impl Browser {
    /// At `base`, for the office with this host name.
    pub async fn log_in(base: &str, host: &str, link: &str) -> Self {
        let path = &link[link.find("/login/").expect("a login link")..];
        let asked = client().post(format!("{base}{path}")).header("Host", host);
        let answer = asked.send().await.expect("answers");
        let cookie = answer.headers().get("Set-Cookie").expect("a session").to_str().expect("text");
        let cookie = cookie.split(';').next().expect("a pair").to_owned();
        Self { client: client(), base: base.to_owned(), host: host.to_owned(), cookie }
    }

    /// The same person, with the same session, at another desk.
    pub fn at(&self, office: &Office) -> Self {
        self.by(&office.url(""))
    }

    /// The same through a proxy, `http://127.0.0.1:8443`.
    pub fn by(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    pub fn request(&self, path: &str) -> RequestBuilder {
        let asked = self.client.get(format!("{}{path}", self.base));
        asked.header("Host", &self.host).header("Cookie", &self.cookie)
    }

    /// The same person, with the same session, at another name of the same server.
    pub fn at_host(&self, host: &str) -> Self {
        Self { host: host.to_owned(), ..self.clone() }
    }

    /// What a page answers, whatever it is.
    pub async fn asks(&self, path: &str) -> Option<StatusCode> {
        self.request(path).send().await.ok().map(|it| it.status())
    }

    pub async fn get(&self, path: &str) -> Option<Value> {
        let answer = self.request(path).send().await.ok()?;
        if answer.status().is_success() { answer.json().await.ok() } else { None }
    }

    /// `None` when there was no answer, or an incomplete one: then it is unknown whether the step
    /// was accepted.
    pub async fn post(&self, path: &str, key: ActionId, body: &Value) -> Option<StatusCode> {
        let request =
            self.client.post(format!("{}{path}", self.base)).header("Cookie", &self.cookie);
        let request = request.header("Host", &self.host);
        let answer =
            request.header("Idempotency-Key", key.to_string()).json(body).send().await.ok()?;
        Some(answer.status())
    }

    /// Sends a file, and reads what is said of it.
    pub async fn send(&self, path: &str, file: Vec<u8>) -> (StatusCode, String) {
        let asked = self.client.post(format!("{}{path}", self.base)).header("Host", &self.host);
        let asked = asked.header("Cookie", &self.cookie).header("Accept-Language", "en");
        let asked = asked.header("Idempotency-Key", uuid::Uuid::now_v7().to_string());
        let answer = asked.body(file).send().await.expect("it answers");
        (answer.status(), answer.text().await.expect("words"))
    }

    pub async fn some_open_incident(&self, dice: &mut Dice) -> Option<IncidentId> {
        let page = self.get("/api/v1/incidents?state=open").await?;
        let items = page["items"].as_array().filter(|items| !items.is_empty())?;
        items[dice.below(items.len() as u64) as usize]["id"].as_str()?.parse().ok()
    }

    /// The log of every incident, by id.
    pub async fn logs(&self) -> HashMap<String, Value> {
        let page = self.get("/api/v1/incidents?state=all&limit=100").await.expect("a list");
        let mut logs = HashMap::new();
        for item in page["items"].as_array().expect("items") {
            let incident = item["id"].as_str().expect("an id").to_owned();
            let path = format!("/api/v1/incidents/{incident}");
            let mut log = self.get(&path).await.expect("an incident")["log"]
                .as_array()
                .expect("a log")
                .clone();
            while let Some(first) = log[0]["version"].as_u64().filter(|first| *first > 1) {
                let older = self.get(&format!("{path}/log?before={first}")).await.expect("a page");
                log.splice(0..0, older["items"].as_array().expect("items").iter().cloned());
            }
            logs.insert(incident, Value::Array(log));
        }
        logs
    }
}

pub fn client() -> Client {
    // An error means that another test of this process has done so.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .timeout(Duration::from_secs(5))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy();
    client.build().expect("a client")
}

/// Centre of a grid. Grids are 0.1° apart, farther than any pixel is wide. Eight in a row, from
/// south to north.
pub fn centre(grid: usize) -> (f64, f64) {
    (28.45 + 0.1 * (grid / GRIDS) as f64, 110.05 + 0.1 * (grid % GRIDS) as f64)
}

/// `east_deg`: the whole county lies so far to the east of [`centre`].
pub fn write_registers(folder: &Path, count: usize, east_deg: f64) {
    let mut people = "编号,姓名,电话,岗位,网格,村,乡镇\n".to_owned();
    let mut grids = Vec::new();
    for grid in 0..count {
        let (lat, lon) = centre(grid);
        let lon = lon + east_deg;
        let (south, north, west, east) = (lat - 0.049, lat + 0.049, lon - 0.049, lon + 0.049);
        let ring =
            json!([[west, south], [east, south], [east, north], [west, north], [west, south]]);
        grids.push(json!({
            "type": "Feature",
            "geometry": { "type": "Polygon", "coordinates": [ring] },
            "properties": { "code": format!("g{grid}"), "name": "1号网格", "village": format!("村{grid}"), "township": "官庄镇" },
        }));
        people += &format!("a{grid},张{grid},1380000{grid:04},护林员A角,g{grid},村{grid},官庄镇\n");
        people += &format!("b{grid},李{grid},1390000{grid:04},护林员B角,g{grid},村{grid},官庄镇\n");
        people += &format!("c{grid},王{grid},1370000{grid:04},村级林长,,村{grid},官庄镇\n");
    }
    people += "t1,赵乡,13600000001,乡镇值班员,,,官庄镇\n";
    people += "o1,孙县,13600000002,县值班员,,,\nl1,周领导,13600000003,带班领导,,,\n";
    fs::create_dir_all(folder).expect("the registers' folder");
    let collection = json!({ "type": "FeatureCollection", "features": grids });
    fs::write(folder.join("grids.geojson"), collection.to_string()).expect("grids");
    fs::write(folder.join("people.csv"), people).expect("people");
}

/// Pseudo-random numbers from a seed (xorshift64).
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}

/// The program that Cargo has built beside this one.
pub fn binary() -> PathBuf {
    option_env!("CARGO_BIN_EXE_huoyan").map_or_else(
        || std::env::current_exe().expect("a path").parent().expect("a folder").join("../huoyan"),
        PathBuf::from,
    )
}

/// Sets the wall clock that the program sees. Elapsed time goes on underneath.
pub struct Hands(PathBuf);

impl Hands {
    /// Uses a file in this folder.
    pub fn new(folder: &Path) -> Self {
        let hands = Self(folder.join("clock"));
        hands.set(0);
        hands
    }

    /// The environment that makes a program use it.
    pub fn env(&self) -> Vec<(String, String)> {
        let library = Path::new("/usr/lib")
            .join(format!("{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH));
        assert!(library.is_file(), "{} is not installed: scripts/setup test", library.display());
        [
            ("LD_PRELOAD", library.as_path()),
            ("FAKETIME_TIMESTAMP_FILE", &self.0),
            ("FAKETIME_NO_CACHE", Path::new("1")),
            ("FAKETIME_DONT_FAKE_MONOTONIC", Path::new("1")),
        ]
        .map(|(name, value)| (name.to_owned(), value.display().to_string()))
        .into()
    }

    /// Hours ahead of the true time.
    pub fn set(&self, hours: i64) {
        let part = self.0.with_extension("part");
        std::fs::write(&part, format!("{:+}", hours * 3600)).expect("the hands");
        std::fs::rename(part, &self.0).expect("the hands");
    }
}
