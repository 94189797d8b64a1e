//! `make cluster SECONDS=108`: a county on several machines, played on one. A real NATS server,
//! PostgreSQL, a proxy, two desks, two edges with cameras that see smoke and a third that sends
//! sightings at a steady rate. An officer's page is open all the time. Lines are cut, each part is
//! killed in turn, and then every alarm that an edge had on its disk is looked for in the log and
//! on the page.

#[allow(dead_code, reason = "what starts the programs serves the tests, too")]
#[path = "../../tests/it/cluster/mod.rs"]
mod cluster;
mod feed;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/program.rs"]
mod program;
mod rig;
mod screen;
mod tally;
mod verdict;
#[path = "../../tests/it/wire.rs"]
mod wire;

use clap::Parser;
use cluster::{comes_true, waits};
use feed::Feed;
use huoyan::clock::Clock;
use huoyan::error::{Error, Result};
use rig::{FAULTS, Rig};
use screen::Screen;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tally::Log;

/// Plays a county on several machines, breaks it, and counts.
#[derive(Parser)]
struct Args {
    /// How long faults come; preparing and the end take half a minute more
    #[arg(long, default_value_t = 108)]
    seconds: u64,
    /// Cameras of each of the two edges
    #[arg(long, default_value_t = 4)]
    cameras: usize,
    /// Keeps the logs of all programs in this folder
    #[arg(long, value_name = "FOLDER")]
    logs: Option<std::path::PathBuf>,
}

/// Length of a fault, and the time until the next.
const LASTS: Duration = Duration::from_secs(6);
const RESTS: Duration = Duration::from_secs(6);
/// Before the first fault.
const WARMS_UP: Duration = Duration::from_secs(5);
/// Within this time after the last fault everything must have arrived.
const ARRIVES_WITHIN: Duration = Duration::from_secs(60);

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

/// True when nothing was lost, came twice or came late.
async fn run(args: &Args) -> Result<bool> {
    let faults =
        FAULTS.iter().cycle().take(args.seconds.div_ceil((LASTS + RESTS).as_secs()) as usize);
    let fed = 4 * args.seconds as usize + 240;
    let mut rig = Rig::start(args.cameras, 2 * args.cameras + fed).await?;
    let folder = tempfile::tempdir().map_err(|e| Error::unavailable("no folder").because(e))?;
    let grids = 2 * args.cameras..2 * args.cameras + fed;
    let mut feed = Feed::start(folder.path(), &rig.edges_nats, grids).await?;
    let screen = Screen::open(&rig.officer);
    eprintln!("two desks, two edges with {} cameras each and a played one are up", args.cameras);
    Clock::System.sleep(WARMS_UP).await;
    let begun = Instant::now();
    let mut suffered = Vec::new();
    for fault in faults {
        eprintln!("{:4} s  {}", begun.elapsed().as_secs(), fault.words());
        suffered.push(rig.suffers(*fault, LASTS).await);
        Clock::System.sleep(RESTS).await;
    }
    feed.stop().await;
    let is_empty = || {
        let wait =
            |it: &rig::Machine| waits(&it.office, "sightings") + waits(&it.office, "pictures");
        rig.edges.iter().map(wait).sum::<usize>() + feed.waits().0 + feed.waits().1 == 0
    };
    comes_true(ARRIVES_WITHIN, async || is_empty()).await;
    // A desk may be filing the last one, and the page reading it.
    Clock::System.sleep(RESTS).await;
    let waits = feed.waits().0;
    let kept = std::mem::take(&mut *feed.kept.lock());
    feed.ends().await;
    let log = Log::read(&rig.db.store).await?;
    let seen = screen.close().await;
    let verdict = verdict::look(&rig, (kept, waits), &suffered, &log, &seen)?;
    print!("{verdict}");
    if let Some(folder) = &args.logs {
        rig.desks
            .iter()
            .chain(&rig.edges)
            .try_for_each(|it| {
                let kept = folder.join(it.name).with_extension("log");
                std::fs::create_dir_all(folder)
                    .and_then(|()| std::fs::copy(&it.log, kept))
                    .map(drop)
            })
            .map_err(|e| Error::unavailable("cannot keep the logs").because(e))?;
    }
    Ok(verdict.is_well())
}
