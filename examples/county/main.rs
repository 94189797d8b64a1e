//! `make county CAMERAS=267 STREAM=sub CADENCE=10s SECONDS=600`: runs a camera farm and the real
//! program on one machine, and measures the program from outside. One row for every combination of
//! cameras, stream and cadence. CPU is the program's alone; the farm's has a column of its own.

mod gauge;
mod office;
mod rig;
mod yardstick;

use clap::Parser;
use gauge::{Metrics, Usage};
use huoyan::config::DetectConfig;
use huoyan::error::{Error, Result};
use huoyan::frame::cpu_flags;
use huoyan::progress::Progress;
use office::{Alarms, Office};
use rig::Rig;
use serde::Serialize;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Measures the program with a whole county's cameras.
#[derive(Parser)]
struct Args {
    /// How many cameras; several give several rows
    #[arg(long, value_delimiter = ' ', default_value = "267")]
    cameras: Vec<usize>,
    /// sub, main, or sub,main for cameras that have both (the sub-stream is screened)
    #[arg(long, value_delimiter = ' ', default_value = "sub")]
    stream: Vec<String>,
    #[arg(long, value_delimiter = ' ', value_parser = seconds, default_value = "10s")]
    cadence: Vec<u32>,
    /// How long each row is measured, once all cameras have been seen
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Change gate before the model; without it, what the program does by itself
    #[arg(long, value_parser = ["on", "off"])]
    gate: Option<String>,
    /// Share of cameras that see a plume once in about fifteen minutes
    #[arg(long, default_value = "5%")]
    smoke: String,
    /// One line of JSON a row
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A graph to hold the cost of a look against: yardstick.py --graph FILE
    #[arg(long, value_name = "FILE")]
    yardstick: Option<PathBuf>,
    /// Show what the program logs
    #[arg(long)]
    log: bool,
}

/// The settings of one row.
#[derive(Clone, Debug)]
pub struct Row {
    pub cameras: usize,
    pub stream: String,
    pub cadence_s: u32,
    pub gate: Option<bool>,
    pub smoke: String,
    pub show_log: bool,
}

/// The results of one row. Cores: CPU seconds per second.
#[derive(Debug, Serialize)]
struct Found {
    cameras: usize,
    stream: String,
    cadence_s: u32,
    gop_s: u32,
    gate: Option<bool>,
    smoke: String,
    seconds: f64,
    cores: usize,
    /// The CPU's instruction sets: without AVX-512 a look costs four times as much.
    cpu_flags: Vec<&'static str>,
    /// 0..1
    slots_met: f64,
    slots: f64,
    cpu_cores: f64,
    /// Share of all cores of this machine.
    cpu_percent: f64,
    farm_cpu_cores: f64,
    rss_mb: f64,
    rss_start_mb: f64,
    rss_max_mb: f64,
    threads: u64,
    fds: usize,
    frames_per_s: f64,
    keyframes_per_s: f64,
    decoded_per_s: f64,
    inferred_per_s: f64,
    gate_closed_per_s: f64,
    /// CPU time of the networks per look, including tiles and second looks.
    network_ms: f64,
    /// The same divided by the yardstick's, which ran beside the program; None without one.
    network_ratio: Option<f64>,
    /// Quiet views that the full network audited, and those in which it saw what the screening
    /// network missed.
    audits: f64,
    misses_sampled: f64,
    age_p50_s: Option<f64>,
    age_p95_s: Option<f64>,
    alarms: usize,
    alarm_p50_s: Option<f64>,
    alarm_p95_s: Option<f64>,
}

/// As encoded in the farm's clips.
const GOP_S: u32 = 2;
/// A farm of 267 cameras connects within seconds. A camera without a look by then will not get one.
const SEEN_WITHIN: Duration = Duration::from_secs(180);
/// The promise: at least this share of slots is met.
const SLOTS_MET: f64 = 0.99;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let measured = tokio::select! {
        measured = measure_all(&args) => measured,
        _ = tokio::signal::ctrl_c() => Err(Error::unavailable("stopped")),
    };
    match measured {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("fewer than {:.0} % of all slots were met", SLOTS_MET * 100.0);
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("{}", error.chain());
            ExitCode::from(error.kind.exit_code())
        }
    }
}

/// True when every row kept the promise.
async fn measure_all(args: &Args) -> Result<bool> {
    let mut json = match &args.json {
        Some(file) => Some(std::fs::File::create(file).map_err(|e| {
            Error::unavailable(format!("cannot write {}", file.display())).because(e)
        })?),
        None => None,
    };
    let mut rows = Vec::new();
    for stream in &args.stream {
        for &cadence_s in &args.cadence {
            for &cameras in &args.cameras {
                let (gate, smoke) =
                    (args.gate.as_deref().map(|gate| gate == "on"), args.smoke.clone());
                rows.push(Row {
                    cameras,
                    stream: stream.clone(),
                    cadence_s,
                    gate,
                    smoke,
                    show_log: args.log,
                });
            }
        }
    }
    let (count, mut table) = (rows.len(), Vec::new());
    for (number, row) in (1..).zip(&rows) {
        let what =
            format!("[{number}/{count}] {} × {} × {}s", row.cameras, row.stream, row.cadence_s);
        let found = measure(row, &what, args).await?;
        if let Some(json) = &mut json {
            let line =
                serde_json::to_string(&found).map_err(|e| Error::internal("no JSON").because(e))?;
            writeln!(json, "{line}")
                .map_err(|e| Error::unavailable("a row cannot be written").because(e))?;
        }
        table.push(found);
    }
    print(&table);
    Ok(table.iter().all(|found| found.slots_met >= SLOTS_MET))
}

async fn measure(row: &Row, what: &str, args: &Args) -> Result<Found> {
    let length_s = args.seconds;
    eprintln!("{what}: farm and program start");
    let rig = tokio::task::block_in_place(|| Rig::start(row))?;
    let office = Office::open(&rig.office_link).await?;
    let mut changes = office.listen().await?;
    let mut alarms = Alarms::default();
    until_seen(row, what, &office).await?;

    let begun = Instant::now();
    let (first, farm_first) = (Usage::of(rig.program.id())?, Usage::of(rig.farm.id())?);
    let counted_first = office.metrics().await?;
    let mut progress = Progress::new(what, length_s, false);
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.tick().await;
    // Alarms from before belong to an earlier row.
    alarms.read(&rig.log);
    alarms = Alarms::default();
    let mut passed_s = 0;
    while passed_s < length_s {
        tokio::select! {
            _ = second.tick() => {
                passed_s += 1;
                progress.advance(1, &format!("{:.0} MB", Usage::of(rig.program.id())?.rss_mb));
                alarms.read(&rig.log);
            }
            change = changes.recv() => {
                let Some((incident, at)) = change else { return Err(Error::unavailable("the stream of changes ended")) };
                alarms.read(&rig.log);
                alarms.on_board(&office.cameras_of(&incident).await?, at);
            }
        }
    }
    let counted = office.metrics().await?.since(&counted_first);
    let (last, farm_last) = (Usage::of(rig.program.id())?, Usage::of(rig.farm.id())?);
    let seconds = begun.elapsed().as_secs_f64();
    progress.finish("");
    let library = std::env::var_os("ORT_DYLIB_PATH")
        .map_or_else(|| DetectConfig::default().onnxruntime, PathBuf::from);
    let cost = |graph: &PathBuf| tokio::task::block_in_place(|| yardstick::cost(graph, &library));
    let yardstick = args.yardstick.as_ref().map(cost).transpose()?;
    tokio::task::block_in_place(|| drop(rig));

    let slots = counted.get("huoyan_slots_total{result=\"met\"}")
        + counted.get("huoyan_slots_total{result=\"missed\"}");
    let per_s = |counted: &Metrics, name: &str| counted.get(name) / seconds;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpu_cores = (last.cpu_s - first.cpu_s) / seconds;
    let network_s = counted.get("huoyan_network_cpu_microseconds_total")
        / 1e6
        / counted.get("huoyan_looks_total").max(1.0);
    Ok(Found {
        cameras: row.cameras,
        stream: row.stream.clone(),
        cadence_s: row.cadence_s,
        gop_s: GOP_S,
        gate: row.gate,
        smoke: row.smoke.clone(),
        seconds,
        cores,
        cpu_flags: cpu_flags(),
        slots_met: if slots > 0.0 {
            counted.get("huoyan_slots_total{result=\"met\"}") / slots
        } else {
            0.0
        },
        slots,
        cpu_cores,
        cpu_percent: cpu_cores / cores as f64 * 100.0,
        farm_cpu_cores: (farm_last.cpu_s - farm_first.cpu_s) / seconds,
        rss_mb: last.rss_mb,
        rss_start_mb: first.rss_mb,
        rss_max_mb: last.rss_max_mb,
        threads: last.threads,
        fds: last.fds,
        frames_per_s: per_s(&counted, "huoyan_frame_age_seconds_count"),
        keyframes_per_s: per_s(&counted, "huoyan_keyframes_received_total"),
        decoded_per_s: per_s(&counted, "huoyan_frames_decoded_total"),
        inferred_per_s: per_s(&counted, "huoyan_frames_inferred_total"),
        gate_closed_per_s: per_s(&counted, "huoyan_gate_closed_total"),
        network_ms: network_s * 1000.0,
        network_ratio: yardstick.map(|it| network_s / it.as_secs_f64()),
        audits: counted.get("huoyan_screen_audits_total"),
        misses_sampled: counted.get("huoyan_screen_misses_sampled_total"),
        age_p50_s: counted.quantile("huoyan_frame_age_seconds", 0.5),
        age_p95_s: counted.quantile("huoyan_frame_age_seconds", 0.95),
        alarms: alarms.delays_s.len(),
        alarm_p50_s: alarms.quantile(0.5),
        alarm_p95_s: alarms.quantile(0.95),
    })
}

/// Waits until every camera has had a look, and one cadence more, so that the beats have settled.
async fn until_seen(row: &Row, what: &str, office: &Office) -> Result<()> {
    let begun = Instant::now();
    let mut second = tokio::time::interval(Duration::from_secs(1));
    let mut seen = 0;
    while seen < row.cameras {
        if begun.elapsed() > SEEN_WITHIN {
            return Err(Error::unavailable(format!(
                "{what}: after three minutes {seen} cameras have been seen"
            )));
        }
        second.tick().await;
        seen = office.seen().await?;
    }
    eprintln!("{what}: all cameras are seen after {:.0} s", begun.elapsed().as_secs_f64());
    let settled = tokio::time::Instant::now() + Duration::from_secs(u64::from(row.cadence_s));
    tokio::time::sleep_until(settled).await;
    Ok(())
}

fn print(table: &[Found]) {
    let heads = [
        "cameras",
        "cadence",
        "stream",
        "GOP",
        "gate",
        "CPU cores",
        "CPU %",
        "slots met %",
        "frames/s",
        "inferred/s",
        "network ms",
        "ratio",
        "RSS MB",
        "threads",
        "fds",
        "age p50 s",
        "age p95 s",
        "alarms",
        "alarm p95 s",
        "farm cores",
    ];
    let or_dash = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    let cells = |it: &Found| {
        vec![
            it.cameras.to_string(),
            format!("{} s", it.cadence_s),
            it.stream.replace("sub", "sub 640×360").replace("main", "main 1920×1080"),
            format!("{} s", it.gop_s),
            if it.gate == Some(true) { "on" } else { "off" }.to_owned(),
            format!("{:.2}", it.cpu_cores),
            format!("{:.0}", it.cpu_percent),
            format!("{:.2}", it.slots_met * 100.0),
            format!("{:.1}", it.frames_per_s),
            format!("{:.1}", it.inferred_per_s),
            format!("{:.1}", it.network_ms),
            or_dash(it.network_ratio),
            format!("{:.0} → {:.0}", it.rss_start_mb, it.rss_mb),
            it.threads.to_string(),
            it.fds.to_string(),
            or_dash(it.age_p50_s),
            or_dash(it.age_p95_s),
            it.alarms.to_string(),
            or_dash(it.alarm_p95_s),
            format!("{:.2}", it.farm_cpu_cores),
        ]
    };
    println!("processor: {}\n", cpu_flags().join(" "));
    let rule = "|---".repeat(heads.len());
    println!("| {} |\n{rule}|", heads.join(" | "));
    table.iter().for_each(|found| println!("| {} |", cells(found).join(" | ")));
}

/// `10s` or `10`.
fn seconds(text: &str) -> Result<u32, String> {
    let number = text.trim().trim_end_matches('s').parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "seconds, for example 10s".to_owned())
}
