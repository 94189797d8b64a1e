//! A county on several machines, played on one: a NATS server of its own, PostgreSQL, desks and
//! edges as real processes. The tests and `make cluster` use it.

pub mod centre;
pub mod proxy;

use crate::fixture::{camera_sighting, id, place};
use crate::program::{self, Office, Program};
use huoyan::clock::Clock;
use huoyan::triage::geo::Locus;
use huoyan::triage::id::PictureId;
use huoyan::triage::sighting::Sighting;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A NATS server that can be killed and started again, with all it has stored.
pub struct Nats {
    folder: tempfile::TempDir,
    config: Option<PathBuf>,
    port: u16,
    env: Vec<(&'static str, String)>,
    /// `None` while it is dead.
    pub running: Option<Child>,
}

impl Nats {
    /// `None` where nats-server is not installed.
    pub fn start() -> Option<Self> {
        Self::with(None, Vec::new())
    }

    /// The same, with a configuration file and its variables.
    pub fn with(config: Option<PathBuf>, env: Vec<(&'static str, String)>) -> Option<Self> {
        let is_there = Command::new("nats-server").arg("--version").stdout(Stdio::null()).status();
        is_there.ok().filter(std::process::ExitStatus::success)?;
        let folder = tempfile::tempdir().expect("a folder");
        let mut nats = Self { folder, config, port: free_port(), env, running: None };
        nats.comes_back();
        Some(nats)
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The network is gone: nobody can reach anybody.
    pub fn is_cut(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill().expect("SIGKILL");
            running.wait().expect("dead");
        }
    }

    pub fn comes_back(&mut self) {
        let mut command = Command::new("nats-server");
        command
            .args(["-a", "127.0.0.1", "-p", &self.port.to_string(), "-js", "-sd"])
            .arg(self.folder.path());
        // Without a number the server promises three quarters of the free disk, and several at once
        // promise too little: 2 GiB a county.
        let room = self.folder.path().join("room.conf");
        fs::write(&room, "jetstream { max_file_store: 600GB }\n").expect("written");
        command.arg("-c").arg(self.config.as_ref().unwrap_or(&room));
        command
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        self.running = Some(command.spawn().expect("nats-server starts"));
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.is_cut();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port()
}

/// The `[bus]` section that everybody shares; `url` is the server's.
pub fn bus(url: &str) -> String {
    format!("[bus]\nurl = \"{url}\"\ncounty = \"yuanling\"\n")
}

/// A desk's folder and address.
pub fn desk(nats: &Nats, store_url: &str, policy: &str, grids: usize) -> Office {
    let office = Office::prepare(&format!("{}{policy}", bus(&nats.url())), grids);
    office.in_role("desk").with_env([("HUOYAN_STORE_URL".to_owned(), store_url.to_owned())])
}

/// An edge's folder and address; `more` belongs to `[edge]`, or begins sections of its own.
pub fn edge(nats: &Nats, name: &str, more: &str) -> Office {
    edge_by(&nats.url(), name, more)
}

/// The same over a line of its own to the server.
pub fn edge_by(url: &str, name: &str, more: &str) -> Office {
    Office::prepare(&format!("{}[edge]\nname = \"{name}\"\n{more}", bus(url)), 0).in_role("detect")
}

/// A fire in the middle of a grid, seen just now, with a picture of its own: bytes after the end of
/// a JPEG are no part of what it shows.
pub fn fire(grid: usize, east_deg: f64, jpeg: &[u8]) -> (Sighting, PictureId, Vec<u8>) {
    let (lat, lon) = program::centre(grid);
    let jpeg = [jpeg, id().as_bytes()].concat();
    let picture = PictureId::of(id(), &jpeg);
    let locus = Locus::Disc { centre: place(lat, lon + east_deg), radius_m: 300.0 };
    let sighting = Sighting {
        observed_at: Clock::System.now(),
        locus,
        pictures: vec![picture],
        ..camera_sighting()
    };
    (sighting, picture, jpeg)
}

/// What waits on an edge's disk, by the number of files.
pub fn waits(edge: &Office, what: &str) -> usize {
    std::fs::read_dir(edge.data.join("spool").join(what)).map_or(0, Iterator::count)
}

/// Starts it and waits until it answers.
pub async fn up(office: &Office) -> Program {
    let program = office.start();
    office.is_up().await;
    program
}

/// Asks until the answer is yes. False: it was not within the time.
pub async fn comes_true(within: Duration, mut asked: impl AsyncFnMut() -> bool) -> bool {
    let asking = async {
        while !asked().await {
            Clock::System.sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(within, asking).await.is_ok()
}

/// The number of evidence pictures that a desk has.
pub fn pictures(desk: &Office) -> usize {
    let listed = std::fs::read_dir(desk.data.join("pictures"));
    listed.map_or(0, |it| it.flatten().filter(|it| is_jpeg(&it.path())).count())
}

fn is_jpeg(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "jpg")
}
