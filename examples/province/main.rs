//! `make province COUNTIES=122 SECONDS=300`: the edges of a province, played, at their rate: what
//! they see and what they say of themselves goes through a real JetStream and PostgreSQL into
//! `huoyan desk`, which houses all counties. In each county an officer's page is open. Prints
//! rates, times, what each process costs, and what was lost or came twice.

mod centre;
#[allow(dead_code, reason = "what starts the programs serves the tests, too")]
#[path = "../../tests/it/cluster/mod.rs"]
mod cluster;
mod costs;
mod edges;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/fixture.rs"]
mod fixture;
#[allow(dead_code, reason = "the tests use the rest")]
#[path = "../../tests/it/program.rs"]
mod program;
#[allow(dead_code, reason = "a county's cluster is broken, a province is measured")]
#[path = "../cluster/screen.rs"]
mod screen;
#[path = "../cluster/tally.rs"]
mod tally;

use centre::Centre;
use clap::Parser;
use costs::{Costs, Used};
use edges::Edges;
use huoyan::clock::Clock;
use huoyan::error::{Error, Result};
use huoyan::triage::id::SightingId;
use screen::Screen;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use tally::{Log, Spread, seconds};

/// Of Hunan: 122 counties, 30,000 cameras, and 3,000 alerts in a bad hour.
const COUNTIES: u64 = 122;
const ALERTS_AN_HOUR: f64 = 3_000.0;

/// Plays the edges of a province and measures its centre.
#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 122)]
    counties: usize,
    /// How long alerts come; preparing takes longer with many counties
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// Processes of `huoyan desk`; each houses every county
    #[arg(long, default_value_t = 1)]
    desks: usize,
    /// So many times a province's rate of alerts
    #[arg(long, default_value_t = 1.0)]
    times: f64,
    /// One county alone has a desk of its own, unless this is set
    #[arg(long)]
    centre: bool,
    /// The figures as one line of JSON, appended
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keeps the logs of the desks in this folder
    #[arg(long, value_name = "FOLDER")]
    logs: Option<PathBuf>,
}

/// After the start: connections and caches are there.
const WARMS_UP: Duration = Duration::from_secs(15);
/// Within this time after the last alert everything must have arrived.
const ARRIVES_WITHIN: Duration = Duration::from_secs(30);

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

/// True when nothing was lost or came twice.
async fn run(args: &Args) -> Result<bool> {
    let begun = Instant::now();
    let is_centre = args.centre || args.counties > 1;
    let centre = Centre::start(args.counties, args.desks, is_centre).await?;
    let starting_s = begun.elapsed().as_secs_f64();
    eprintln!("{} counties are up after {starting_s:.0} s", args.counties);
    let mut pages = Vec::new();
    for county in &centre.counties {
        pages.push(Screen::page(&centre.officer(county).await?));
    }
    let share = args.counties as f64 / COUNTIES as f64;
    let an_hour = ALERTS_AN_HOUR * share * args.times;
    let mut edges = Edges::start(&centre).await?;
    Clock::System.sleep(WARMS_UP).await;
    let before = Costs::of(&centre)?;
    eprintln!("{an_hour:.0} alerts an hour for {} s", args.seconds);
    let (begun, words) = (Instant::now(), edges.words());
    edges
        .alert(Duration::from_secs_f64(3_600.0 / an_hour), Duration::from_secs(args.seconds))
        .await;
    let lasted_s = begun.elapsed().as_secs_f64();
    let used = Costs::of(&centre)?.since(&before, lasted_s);
    let words = edges.words() - words;
    let sent = edges.arrive(ARRIVES_WITHIN).await;
    // A desk may be filing the last one, and a page reading it.
    Clock::System.sleep(Duration::from_secs(3)).await;
    let mut figures = Figures {
        counties: args.counties,
        desks: args.desks,
        an_hour,
        lasted_s,
        starting_s,
        words_s: words as f64 / lasted_s,
        words_kb_s: words as f64 * edges.word_kb() / lasted_s,
        cameras: args.counties * edges::EDGES * edges::CAMERAS,
        used,
        ..Figures::default()
    };
    let (mut to_the_log, mut to_the_page) = (Vec::new(), Vec::new());
    for ((county, sent), page) in centre.counties.iter().zip(&sent).zip(pages) {
        let store = centre.store(county).await?;
        let log = Log::read(&store).await?;
        store.close().await;
        let seen = page.close().await;
        figures.sent += sent.len();
        for (id, at) in sent {
            let Some([filed, again @ ..]) = log.sightings.get(id).map(Vec::as_slice) else {
                figures.lost.push(*id);
                continue;
            };
            if !again.is_empty() {
                figures.doubled.push(*id);
            }
            to_the_log.push(seconds(*at, filed.at));
            let shown = seen.versions.get(&filed.incident).into_iter().flatten();
            let shown = shown.filter(|(version, _)| *version >= filed.version);
            match shown.map(|(_, at)| *at).min() {
                Some(shown) => to_the_page.push(seconds(*at, shown)),
                None => figures.never_shown += 1,
            }
        }
        figures.pictures_lacking += centre.lacks(county, &log.pictures);
    }
    figures.to_the_log = Spread::new(to_the_log);
    figures.to_the_page = Spread::new(to_the_page);
    print!("{}", figures.print());
    if let Some(folder) = &args.logs {
        centre.keep_logs(folder)?;
    }
    if let Some(file) = &args.json {
        use std::io::Write as _;
        let cannot = |e| Error::unavailable(format!("cannot write {}", file.display())).because(e);
        let mut file =
            std::fs::File::options().create(true).append(true).open(file).map_err(cannot)?;
        writeln!(file, "{}", figures.json()).map_err(cannot)?;
    }
    Ok(figures.is_well())
}

#[derive(Default)]
struct Figures {
    counties: usize,
    desks: usize,
    cameras: usize,
    an_hour: f64,
    lasted_s: f64,
    starting_s: f64,
    words_s: f64,
    words_kb_s: f64,
    sent: usize,
    lost: Vec<SightingId>,
    doubled: Vec<SightingId>,
    never_shown: usize,
    pictures_lacking: usize,
    to_the_log: Spread,
    to_the_page: Spread,
    used: Vec<Used>,
}

impl Figures {
    fn is_well(&self) -> bool {
        self.sent > 0 && self.lost.len() + self.doubled.len() + self.never_shown == 0
    }

    fn print(&self) -> String {
        let Self { counties, desks, cameras, an_hour, lasted_s, starting_s, .. } = self;
        let mut text = format!(
            "{counties} counties, {cameras} cameras, {desks} desk process(es), up after \
             {starting_s:.0} s\n{an_hour:.0} alerts an hour for {lasted_s:.0} s: {} sent, {} lost, \
             {} twice, {} not on the page, {} pictures lacking\n{:.1} words of edges a second, \
             {:.0} kB/s\n\n{:36}{:>5} {:>8} {:>8} {:>8}\n{:36}{}\n{:36}{}\n\n{:16} {:>9} {:>8} \
             {:>10}\n",
            self.sent,
            self.lost.len(),
            self.doubled.len(),
            self.never_shown,
            self.pictures_lacking,
            self.words_s,
            self.words_kb_s,
            "from the edge, seconds",
            "",
            "p50",
            "p95",
            "longest",
            "to the incident's log",
            self.to_the_log,
            "to the officer's page",
            self.to_the_page,
            "process",
            "CPU, %",
            "memory",
            "connected"
        );
        for it in &self.used {
            text += &format!(
                "{:16} {:>9.1} {:>5.0} MB {:>10}\n",
                it.name, it.cpu_percent, it.memory_mb, it.sockets
            );
        }
        text
    }

    fn json(&self) -> Value {
        let spread = |it: &Spread| json!({ "count": it.count, "p50_s": it.median_s, "p95_s": it.p95_s, "max_s": it.longest_s });
        let used = self.used.iter().map(|it| {
            let value = json!({ "cpu_percent": it.cpu_percent, "memory_mb": it.memory_mb, "sockets": it.sockets });
            (it.name.clone(), value)
        });
        json!({
            "at": Clock::System.now(),
            "counties": self.counties, "desks": self.desks, "cameras": self.cameras,
            "alerts_an_hour": self.an_hour, "lasted_s": self.lasted_s, "starting_s": self.starting_s,
            "words_s": self.words_s, "words_kb_s": self.words_kb_s, "sent": self.sent,
            "lost": self.lost.len(), "doubled": self.doubled.len(), "not_on_the_page": self.never_shown,
            "pictures_lacking": self.pictures_lacking, "to_the_log": spread(&self.to_the_log),
            "to_the_page": spread(&self.to_the_page),
            "used": used.collect::<serde_json::Map<_, _>>(),
        })
    }
}
