//! The county on several machines, and what happens to it.

use crate::cluster::proxy::Proxy;
use crate::cluster::{self, Nats};
use crate::fixture::TestStore;
use crate::program::{Browser, Office, Program, centre};
use crate::wire::Wire;
use huoyan::camera::{Clip, ClipCodec, Encoding, Playback, encode_clip};
use huoyan::clock::Clock;
use huoyan::drill::scene;
use huoyan::error::{Error, Result};
use jiff::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A view in which the shipped model finds the plume, as in the demo county. A client sees it from
/// its start: every restart of an edge gives new alarms within a minute.
const PLUME: scene::Clip =
    scene::Clip { seed: 5, frames_per_s: 5, length_s: 120.0, smoke_after_s: Some(20.0) };
const ENCODING: Encoding = Encoding { codec: ClipCodec::H264, kbit_per_s: 2048 };
const DESK: &str = "[policy]\nflood_per_minute = 1000\n";
/// The thresholds find the plume soon: what is measured is the way of an alarm, not the eye.
const EDGE: &str = "[camera]\ncadence = \"5s\"\n[detect]\nworkers = 1\n[thresholds]\nsmoke = 0.8\n\
    fire = 0.88\nsmoke_tile = 0.97\nfire_tile = 0.92\nevidence = 1.0\n";

/// An office and its program; `None` while it is dead.
pub struct Machine {
    pub name: &'static str,
    pub office: Office,
    pub log: PathBuf,
    program: Option<Program>,
}

impl Machine {
    async fn start(&mut self) {
        self.program = Some(cluster::up(&self.office).await);
    }

    /// Dropping it is SIGKILL.
    fn kill9(&mut self) {
        self.program = None;
    }

    fn pause(&self, stops: bool) {
        match &self.program {
            Some(program) if stops => program.freeze(),
            Some(program) => program.thaw(),
            None => {}
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// SIGKILL; started again when the fault is over.
    Desk(usize),
    /// SIGSTOP: it holds what it has and answers nobody.
    DeskHangs(usize),
    /// A desk's line to the database carries nothing.
    DatabaseHangs(usize),
    /// Nobody reaches the database.
    Database,
    /// SIGKILL of the NATS server.
    Nats,
    /// The edges' line to the NATS server carries nothing.
    EdgesLine,
    /// SIGKILL, and started again at once.
    Edge(usize),
}

/// Each part in turn.
pub const FAULTS: [Fault; 9] = [
    Fault::Desk(0),
    Fault::Nats,
    Fault::Edge(0),
    Fault::Database,
    Fault::Desk(1),
    Fault::EdgesLine,
    Fault::DeskHangs(0),
    Fault::Edge(1),
    Fault::DatabaseHangs(1),
];

impl Fault {
    pub fn words(self) -> String {
        match self {
            Self::Desk(n) => format!("desk-{} is killed", n + 1),
            Self::DeskHangs(n) => format!("desk-{} hangs", n + 1),
            Self::DatabaseHangs(n) => format!("desk-{}'s line to the database hangs", n + 1),
            Self::Database => "nobody reaches the database".to_owned(),
            Self::Nats => "the NATS server is killed".to_owned(),
            Self::EdgesLine => "the edges' line hangs".to_owned(),
            Self::Edge(n) => format!("edge-{} is killed", n + 1),
        }
    }

    /// One of two desks is gone: the other must do.
    pub fn is_of_one_desk(self) -> bool {
        matches!(self, Self::Desk(_) | Self::DeskHangs(_) | Self::DatabaseHangs(_))
    }
}

/// What happened, and when.
pub struct Suffered {
    pub fault: Fault,
    pub begun: Timestamp,
    pub ended: Timestamp,
}

pub struct Rig {
    pub db: TestStore,
    pub desks: [Machine; 2],
    pub edges: [Machine; 2],
    _proxy: Proxy,
    /// An officer at the proxy.
    pub officer: Browser,
    /// The server's address by the edges' line.
    pub edges_nats: String,
    nats: Nats,
    edges_line: Wire,
    databases: [Wire; 2],
    _cameras: Playback,
    _folder: tempfile::TempDir,
}

impl Rig {
    /// `grids`: those of the county; each camera has one of the first.
    pub async fn start(cameras: usize, grids: usize) -> Result<Self> {
        let missing = || Error::unavailable("run it as make cluster does: scripts/setup test");
        let db = TestStore::postgres().await.ok_or_else(missing)?;
        let nats = Nats::start().ok_or_else(missing)?;
        let edges_line = Wire::to(nats.address()).await;
        let edges_nats = format!("nats://{}", edges_line.at);
        let folder = tempfile::tempdir().map_err(|e| Error::unavailable("no folder").because(e))?;
        let machine = |name, office: Office| {
            let log = folder.path().join(name);
            let log_to = log.display().to_string();
            let env = [("LOG_TO", log_to.as_str()), ("RUST_LOG", "huoyan=info"), ("NO_COLOR", "1")];
            let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
            Machine { name, office: office.with_env(env), log, program: None }
        };
        let (one, first) = Wire::to_database(&db.url).await;
        let (other, second) = Wire::to_database(&db.url).await;
        let desk = |name, url: &str| machine(name, cluster::desk(&nats, url, DESK, grids));
        let mut desks = [desk("desk-1", &first), desk("desk-2", &second)];
        let mut edges = ["edge-1", "edge-2"]
            .map(|name| machine(name, cluster::edge_by(&edges_nats, name, EDGE)));
        let playback = play(2 * cameras)?;
        for (place, edge) in edges.iter().enumerate() {
            register(&edge.office, &playback, place * cameras..(place + 1) * cameras)?;
        }
        for desk in &desks {
            register(&desk.office, &playback, 0..2 * cameras)?;
        }
        let proxy = Proxy::start(desks.each_ref().map(|it| &it.office)).ok_or_else(missing)?;
        let (program, links) = desks[0].office.first_start().await;
        desks[0].program = Some(program);
        desks[1].start().await;
        for edge in &mut edges {
            edge.start().await;
        }
        let officer = desks[0].office.log_in(&links["office"]).await.by(&proxy.url);
        let (databases, _cameras, _folder, _proxy) = ([one, other], playback, folder, proxy);
        #[rustfmt::skip]
        let rig = Self {
            db, desks, edges, _proxy, officer, edges_nats, nats, edges_line, databases, _cameras, _folder,
        };
        Ok(rig)
    }

    /// Lets the fault last, and everything come back.
    pub async fn suffers(&mut self, fault: Fault, lasts: Duration) -> Suffered {
        let begun = Clock::System.now();
        self.begins(fault).await;
        if !matches!(fault, Fault::Edge(_)) {
            Clock::System.sleep(lasts).await;
        }
        let ended = Clock::System.now();
        self.ends(fault).await;
        Suffered { fault, begun, ended }
    }

    async fn begins(&mut self, fault: Fault) {
        match fault {
            Fault::Desk(n) => self.desks[n].kill9(),
            Fault::DeskHangs(n) => self.desks[n].pause(true),
            Fault::DatabaseHangs(n) => self.databases[n].hangs(),
            Fault::Database => self.databases.iter().for_each(Wire::cut),
            Fault::Nats => self.nats.is_cut(),
            Fault::EdgesLine => self.edges_line.hangs(),
            Fault::Edge(n) => {
                self.edges[n].kill9();
                self.edges[n].start().await;
            }
        }
    }

    async fn ends(&mut self, fault: Fault) {
        match fault {
            Fault::Desk(n) => self.desks[n].start().await,
            Fault::DeskHangs(n) => self.desks[n].pause(false),
            Fault::DatabaseHangs(n) => self.databases[n].mend(),
            Fault::Database => self.databases.iter().for_each(Wire::mend),
            Fault::Nats => self.nats.comes_back(),
            Fault::EdgesLine => self.edges_line.mend(),
            Fault::Edge(_) => {}
        }
    }
}

/// Renders the plume once, and plays it as so many cameras.
fn play(count: usize) -> Result<Playback> {
    let folder = Path::new(".huoyan/cluster");
    let file = folder.join("plume-2048.h264");
    if !file.is_file() {
        fs::create_dir_all(folder)
            .map_err(|e| Error::unavailable("cannot make .huoyan/cluster").because(e))?;
        let frames = scene::clip(PLUME, Path::new(scene::PHOTOGRAPHS))?;
        let part = folder.join("part.h264");
        encode_clip(&part, PLUME.frames_per_s, frames, ENCODING, |_| ())?;
        fs::rename(&part, &file)
            .map_err(|e| Error::unavailable("cannot keep the clip").because(e))?;
    }
    let clip = |n| Clip {
        path_on_server: format!("/camera-{n}"),
        file: file.clone(),
        user_password: None,
    };
    Playback::start(([127, 0, 0, 1], 0).into(), (0..count).map(clip).collect())
}

/// Each camera stands in a grid of its own and sees no farther: every plume is a fire of its own.
fn register(office: &Office, cameras: &Playback, which: std::ops::Range<usize>) -> Result<()> {
    let mut sheet = "编号,名称,经度,纬度,高度,方位角,视场角,俯仰角,视距,地址\n".to_owned();
    for n in which {
        let ((lat, lon), url) = (centre(n), cameras.url(n).unwrap_or_default());
        sheet += &format!("cam{n:02},{n}号塔,{lon:.5},{lat:.5},30,90,60,-3,3000,{url}\n");
    }
    let file = office.data.join("registers/cameras.csv");
    fs::write(&file, sheet)
        .map_err(|e| Error::unavailable(format!("cannot write {}", file.display())).because(e))
}
