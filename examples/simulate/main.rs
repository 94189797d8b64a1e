//! `make simulate DAYS=1000`: days of an invented county with the real desk, store, outbox and
//! notifier, and the figures over all of them. `HUOYAN_SEED=42 make simulate` repeats one day and
//! tells its story.

#[path = "../../tests/it/simulation/mod.rs"]
mod simulation;

use clap::Parser;
use huoyan::error::{Error, Result};
use huoyan::progress::Progress;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Lives days of a made-up county and prints what became of them.
#[derive(Parser)]
struct Args {
    /// How many days
    #[arg(long, default_value_t = 20)]
    days: u64,
    /// The first day's seed; the others follow
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// One day alone, with its story
    #[arg(long, env = "HUOYAN_SEED")]
    seed: Option<u64>,
    /// The figures as JSON into a file, or - for the standard output in place of the print
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("{}", error.chain());
            ExitCode::from(error.kind.exit_code())
        }
    }
}

/// True when every figure meets its aim.
fn run(args: &Args) -> Result<bool> {
    let figures = match args.seed {
        Some(seed) => {
            let (figures, day) = simulation::one(seed)?;
            eprintln!("{}", simulation::story(&day));
            figures
        }
        None => {
            let mut progress = Progress::new("simulate", args.days, false);
            let mut broken = 0;
            let figures = simulation::many(args.from..args.from + args.days, |day| {
                broken += day.breaks.len();
                progress.advance(
                    1,
                    &if broken > 0 { format!("{broken} broken") } else { String::new() },
                );
            })?;
            progress.finish("days");
            figures
        }
    };
    let to_stdout = args.json.as_deref() == Some(Path::new("-"));
    if to_stdout {
        println!("{:#}", figures.json());
    } else {
        print!("{}", figures.print());
    }
    if let Some(file) = args.json.as_ref().filter(|_| !to_stdout) {
        std::fs::write(file, format!("{:#}\n", figures.json())).map_err(|e| {
            Error::unavailable(format!("cannot write {}", file.display())).because(e)
        })?;
    }
    Ok(figures.breaks.is_empty()
        && simulation::LINES.iter().all(|line| figures.met(line) != Some(false)))
}
