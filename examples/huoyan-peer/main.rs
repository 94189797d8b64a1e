//! `cargo run --release --example huoyan-peer -- receive|decodebin --url
//! 'rtsp://127.0.0.1:9554/cam/{}/sub' --cameras 16`: the alternatives that `make peers` compares
//! with the program (benches/peers/README.md). Once a second it prints to stdout how many frames it
//! has looked at.
//!
//! - `receive`: the program's own receivers, scheduler and decoders, without a model.
//! - `decodebin`: GStreamer as it is usually written, one decoder per camera, followed by the
//!   program's own model.

mod decodebin;

use clap::{Parser, ValueEnum};
use huoyan::camera::{CameraSource, Decoder, Receivers};
use huoyan::clock::Clock;
use huoyan::config::{CameraConfig, DetectConfig};
use huoyan::error::{Error, Result};
use huoyan::frame::StatusBoard;
use huoyan::lang::Lang;
use jiff::SignedDuration;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

#[derive(Parser)]
struct Args {
    way: Way,
    /// Address of a camera; {} is its number, from 1
    #[arg(long)]
    url: String,
    #[arg(long)]
    cameras: usize,
    /// Seconds from one look at a camera to the next
    #[arg(long, default_value_t = 10)]
    cadence: u32,
    /// Leave the model out
    #[arg(long)]
    no_inference: bool,
    #[arg(long, default_value = "models/smoke-fire/0.2.0")]
    model: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum Way {
    Receive,
    Decodebin,
}

/// Frames looked at.
static LOOKED_AT: AtomicU64 = AtomicU64::new(0);

impl Args {
    fn urls(&self) -> Vec<String> {
        (1..=self.cameras).map(|number| self.url.replace("{}", &number.to_string())).collect()
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    std::thread::spawn(|| {
        loop {
            println!("{{\"analysed\": {}}}", LOOKED_AT.load(Ordering::Relaxed));
            Clock::System.sleep_blocking(Duration::from_secs(1));
        }
    });
    let ended = match args.way {
        Way::Receive => receive(&args),
        Way::Decodebin => decodebin::run(&args),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", error.chain());
            ExitCode::FAILURE
        }
    }
}

/// Runs until the process is ended.
fn receive(args: &Args) -> Result<()> {
    let config = CameraConfig {
        cadence: SignedDuration::from_secs(args.cadence.into()),
        ..CameraConfig::default()
    };
    let sources = args.urls().into_iter().enumerate();
    let sources = sources.map(|(i, url)| {
        CameraSource::new(
            format!("c{i}").as_str().into(),
            "default".into(),
            format!("c{i}"),
            url.as_str(),
        )
    });
    let receivers = Receivers::start(
        sources.collect(),
        &config,
        Clock::System,
        StatusBoard::default(),
        Lang::En,
    )?;
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..DetectConfig::default().workers)
            .map(|_| scope.spawn(|| decode(&receivers, &config)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker.join().unwrap_or_else(|_| Err(Error::internal("a worker panicked")))
        })
    })
}

fn decode(receivers: &Receivers, config: &CameraConfig) -> Result<()> {
    let mut decoder = Decoder::with_pipelines(&config.pipelines)?;
    while !receivers.is_stopped() {
        let frames = receivers.next_frames(&mut decoder, 1, Duration::from_millis(500));
        LOOKED_AT.fetch_add(frames.len() as u64, Ordering::Relaxed);
    }
    Ok(())
}
