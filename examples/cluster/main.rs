//! `make cluster SECONDS=400`: a county on several machines, played on one. A real NATS server,
//! PostgreSQL, two desks and two edges with cameras that see smoke. The network is cut, each part is
//! killed in turn, and then every alarm that an edge had on its disk is looked for in the log.

#[allow(dead_code, reason = "what starts the programs serves the tests, too")]
#[path = "../../tests/it/cluster/mod.rs"]
mod cluster;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/program.rs"]
mod program;
mod verdict;

use clap::Parser;
use cluster::{Nats, comes_true, waits};
use fixture::TestStore;
use huoyan::camera::{Clip, ClipCodec, Playback, encode_clip};
use huoyan::clock::Clock;
use huoyan::drill::scene;
use huoyan::error::{Error, Result};
use program::{Office, Program, centre};
use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Plays a county on several machines, breaks it, and counts.
#[derive(Parser)]
struct Args {
    /// How long faults come; preparing and the end take some minutes more
    #[arg(long, default_value_t = 400)]
    seconds: u64,
    /// Cameras of each of the two edges
    #[arg(long, default_value_t = 4)]
    cameras: usize,
}

/// A view in which the shipped model finds the plume, as in the demo county. A client sees it from
/// its start: every restart of an edge gives new alarms within a minute.
const PLUME: scene::Clip =
    scene::Clip { seed: 5, frames_per_s: 5, length_s: 120.0, smoke_after_s: Some(20.0) };
const DESK: &str = "[policy]\nflood_per_minute = 1000\n";
const EDGE: &str = "[camera]\ncadence = \"5s\"\n[detect]\nworkers = 1\n";
/// Length of a fault: new alarms come while it lasts.
const LASTS: Duration = Duration::from_secs(60);
/// Time between two faults.
const RESTS: Duration = Duration::from_secs(20);
/// Within this time after the last fault everything must have arrived.
const ARRIVES_WITHIN: Duration = Duration::from_secs(90);

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Runtime::new().expect("threads");
    match runtime.block_on(run(&args)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{}", error.chain());
            ExitCode::from(error.kind.exit_code())
        }
    }
}

/// An office and its program; `None` while it is dead.
struct Machine {
    name: &'static str,
    office: Office,
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
}

/// True when nothing was lost or came twice.
async fn run(args: &Args) -> Result<bool> {
    let missing = || {
        Error::unavailable(
            "scripts/setup test, and run it through scripts/with-services: make cluster",
        )
    };
    let db = TestStore::postgres().await.ok_or_else(missing)?;
    let mut nats = Nats::start().ok_or_else(missing)?;
    let folder =
        tempfile::tempdir().map_err(|e| Error::unavailable("no folder for the logs").because(e))?;
    let cameras = play(2 * args.cameras)?;
    let machine = |name, office: Office| {
        let log = folder.path().join(name).display().to_string();
        let env = [("LOG_TO", log.as_str()), ("RUST_LOG", "huoyan=info"), ("NO_COLOR", "1")];
        let office = office.with_env(env.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Machine { name, office, program: None }
    };
    let grids = 2 * args.cameras;
    let mut desks =
        ["desk-1", "desk-2"].map(|name| machine(name, cluster::desk(&nats, &db.url, DESK, grids)));
    let mut edges =
        ["edge-1", "edge-2"].map(|name| machine(name, cluster::edge(&nats, name, EDGE)));
    for (place, edge) in edges.iter().enumerate() {
        register(&edge.office, &cameras, place * args.cameras..(place + 1) * args.cameras)?;
    }
    for desk in &mut desks {
        register(&desk.office, &cameras, 0..grids)?;
        desk.start().await;
    }
    for edge in &mut edges {
        edge.start().await;
    }
    eprintln!("two desks and two edges with {} cameras each are up", args.cameras);
    let begun = Instant::now();
    for fault in 0.. {
        if begun.elapsed() >= Duration::from_secs(args.seconds) {
            break;
        }
        suffer(fault, &mut nats, &mut desks, &mut edges, begun).await;
    }
    let is_empty = || {
        edges.iter().all(|it| waits(&it.office, "sightings") + waits(&it.office, "pictures") == 0)
    };
    comes_true(ARRIVES_WITHIN, async || is_empty()).await;
    // A desk may be filing the last one.
    Clock::System.sleep(RESTS).await;
    let edges =
        edges.map(|it| (it.name, folder.path().join(it.name), waits(&it.office, "sightings")));
    let verdict = verdict::look(&db.store, &edges, &desks.map(|it| (it.name, it.office))).await?;
    print!("{verdict}");
    Ok(verdict.is_well())
}

/// One fault, while an edge that has just been killed and started again sees new smoke.
async fn suffer(
    fault: usize,
    nats: &mut Nats,
    desks: &mut [Machine; 2],
    edges: &mut [Machine; 2],
    begun: Instant,
) {
    let tell = |what: &str| eprintln!("{:4} s  {what}", begun.elapsed().as_secs());
    let edge = &mut edges[fault % 2];
    tell(&format!("{} is killed and started again", edge.name));
    edge.kill9();
    edge.start().await;
    match fault % 3 {
        0 => {
            tell("the network is cut");
            nats.is_cut();
            Clock::System.sleep(LASTS).await;
            nats.comes_back();
            tell("the network is back");
        }
        of => {
            let desk = &mut desks[of - 1];
            tell(&format!("{} is killed", desk.name));
            desk.kill9();
            Clock::System.sleep(LASTS).await;
            desk.start().await;
            tell(&format!("{} is started again", desk.name));
        }
    }
    Clock::System.sleep(RESTS).await;
}

/// Renders the plume once, and plays it as so many cameras.
fn play(count: usize) -> Result<Playback> {
    let folder = Path::new(".huoyan/cluster");
    let file = folder.join("plume.h264");
    if !file.is_file() {
        fs::create_dir_all(folder)
            .map_err(|e| Error::unavailable("cannot make .huoyan/cluster").because(e))?;
        let frames = scene::clip(PLUME, Path::new(scene::PHOTOGRAPHS))?;
        let part = folder.join("part.h264");
        encode_clip(&part, PLUME.frames_per_s, frames, ClipCodec::H264, |_| ())?;
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
