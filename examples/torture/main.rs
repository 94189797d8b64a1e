//! `make torture SECONDS=600`: everything around the real program fails in turn, and every promise
//! is checked. One line per fault, a table at the end; exit code 1 when a promise was broken.
//! `HUOYAN_SEED=42 make torture` draws the same faults again.

#[allow(dead_code, reason = "what starts the program serves the tests, too")]
#[path = "../../tests/it/program.rs"]
mod program;
#[path = "../../tests/it/torture/mod.rs"]
mod torture;
#[allow(dead_code, reason = "the cluster's wires may hang, too")]
#[path = "../../tests/it/wire.rs"]
mod wire;

use clap::Parser;
use huoyan::error::{Error, Result};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Lets everything around the program fail, and looks at every promise.
#[derive(Parser)]
struct Args {
    /// Length of the run in seconds; the end takes up to two minutes more
    #[arg(long, default_value_t = 600)]
    seconds: u64,
    /// Which faults come when
    #[arg(long, env = "HUOYAN_SEED")]
    seed: Option<u64>,
    /// postgres://user@host:port/database with the right to make a schema; SQLite without
    #[arg(long, env = "HUOYAN_TEST_POSTGRES")]
    postgres: Option<String>,
    /// The figures as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Within this time after each recovery an action and a deadline must succeed.
const LIVES_WITHIN: Duration = Duration::from_secs(5);

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

/// True when every promise was kept.
fn run(args: &Args) -> Result<bool> {
    let seed = args.seed.unwrap_or_else(|| uuid::Uuid::now_v7().as_u128() as u64);
    eprintln!("HUOYAN_SEED={seed}");
    let plan = torture::Plan {
        seconds: args.seconds,
        seed,
        lives_within: LIVES_WITHIN,
        postgres: args.postgres.clone(),
    };
    let runtime =
        tokio::runtime::Runtime::new().map_err(|e| Error::unavailable("no threads").because(e))?;
    let figures = runtime.block_on(torture::run(&plan, |line| eprintln!("{line}")));
    print!("{}", figures.print());
    if let Some(file) = &args.json {
        std::fs::write(file, format!("{:#}\n", figures.json())).map_err(|e| {
            Error::unavailable(format!("cannot write {}", file.display())).because(e)
        })?;
    }
    Ok(figures.breaches.is_empty())
}
