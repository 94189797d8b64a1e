//! `cargo run --release --example huoyan-farm -- --cameras 267 --stream sub --port
//! 9554`: a county's cameras on one machine, from `rtsp://127.0.0.1:9554/cam/1/sub` on. `examples/farm`
//! explains how.

#[path = "../farm/mod.rs"]
mod farm;

use clap::Parser;
use farm::clips::{Stream, VIEWS_MAX};
use farm::{Farm, Plan, register};
use huoyan::camera::ClipCodec;
use huoyan::error::Result;
use huoyan::progress::Progress;
use parking_lot::Mutex;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Plays a county's cameras over RTSP, for load tests.
#[derive(Parser)]
struct Args {
    /// How many cameras
    #[arg(long, default_value_t = 267)]
    cameras: usize,
    /// Streams each camera has: sub (640x360, 512 kbit/s), main (1920x1080, 4 Mbit/s), or both; the register names the first
    #[arg(long = "stream", value_name = "sub|main", value_delimiter = ',', value_parser = stream, default_value = "sub")]
    streams: Vec<Stream>,
    #[arg(long, default_value = "h264", value_parser = codec)]
    codec: ClipCodec,
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 9554)]
    port: u16,
    /// Share of cameras that now and then see a growing plume, for example 5%
    #[arg(long, default_value = "0%", value_parser = percent)]
    smoke: f64,
    /// Seconds from the start to the first plume
    #[arg(long, default_value_t = 200.0)]
    smoke_after: f64,
    /// Seconds from a camera's plume to its next; the cameras' plumes are spread evenly over it. A place that has alarmed is
    /// quiet for ten minutes
    #[arg(long, default_value_t = 870.0)]
    smoke_every: f64,
    /// Distinct backgrounds
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=VIEWS_MAX as i64))]
    views: u16,
    /// Where the clips are kept between runs
    #[arg(long, default_value = ".huoyan/farm")]
    clips: PathBuf,
    /// Write a camera register that `huoyan import` takes
    #[arg(long, value_name = "FILE.csv")]
    register: Option<PathBuf>,
    /// One line of JSON for programs
    #[arg(long)]
    json: bool,
}

/// 58 s.
const LOOP_GOPS: usize = 29;

fn main() -> ExitCode {
    match serve(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.chain());
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &Args) -> Result<()> {
    let smoky = (args.cameras as f64 * args.smoke).round() as usize;
    let plan = Plan {
        cameras: args.cameras,
        streams: args.streams.clone(),
        codec: args.codec,
        views: usize::from(args.views),
        loop_gops: LOOP_GOPS,
        smoky,
        smoke_after: Duration::from_secs_f64(args.smoke_after.max(0.0)),
        smoke_every: Duration::from_secs_f64(args.smoke_every.max(0.0)),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, args.port)),
        clips: args.clips.clone(),
    };
    let bar: Mutex<Option<Progress>> = Mutex::new(None);
    let farm = Farm::start(plan, |_, all| {
        let mut bar = bar.lock();
        bar.get_or_insert_with(|| Progress::new("[1/1] rendering the farm's clips", all, false))
            .advance(1, "");
    })?;
    if let Some(bar) = bar.into_inner() {
        bar.finish("");
    }
    if let Some(file) = &args.register {
        register::write(&farm, file)?;
    }
    tell(args, &farm, smoky);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|e| huoyan::error::Error::unavailable("no runtime").because(e))?;
    // An error means that nobody can ask it to stop; then it stops now.
    let _ = runtime.block_on(tokio::signal::ctrl_c());
    Ok(())
}

fn tell(args: &Args, farm: &Farm, smoky: usize) {
    let streams: Vec<&str> = args.streams.iter().map(|stream| stream.name()).collect();
    if args.json {
        let clips: serde_json::Map<String, serde_json::Value> = farm
            .sizes
            .iter()
            .map(|(name, sizes)| (name.clone(), serde_json::json!(sizes)))
            .collect();
        let line = serde_json::json!({
            "address": farm.address.to_string(), "cameras": args.cameras, "streams": streams, "smoky": smoky, "clips": clips,
        });
        println!("{line}");
        return;
    }
    for (name, sizes) in &farm.sizes {
        let farm::reel::Sizes { kbit_per_s, keyframe_kb_mean, keyframe_kb_max, packets_per_s } =
            sizes;
        eprintln!(
            "{name}: {kbit_per_s:.0} kbit/s, keyframes {keyframe_kb_mean:.0} kB (at most {keyframe_kb_max:.0}), {packets_per_s:.0} packets/s"
        );
    }
    println!(
        "{} cameras ({smoky} smoky), rtsp://{}/cam/1/{} and on; stop with Ctrl-C",
        args.cameras,
        farm.address,
        streams.join(" and ")
    );
}

fn stream(text: &str) -> Result<Stream, String> {
    Stream::parse(text).ok_or_else(|| "sub or main".to_owned())
}

fn codec(text: &str) -> Result<ClipCodec, String> {
    match text {
        "h264" => Ok(ClipCodec::H264),
        "h265" => Ok(ClipCodec::H265),
        _ => Err("h264 or h265".to_owned()),
    }
}

/// `5%` or `0.05`, as a share.
fn percent(text: &str) -> Result<f64, String> {
    let (number, of) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
    let share = number.trim().parse::<f64>().ok().map(|number| number / of);
    share
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "a share like 5% is needed".to_owned())
}
