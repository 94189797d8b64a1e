//! The simulation: days of an invented county, from seeds. The real desk, store, outbox and
//! notifier run under a simulated clock; masts, satellites, people and gateways are simulated.
//! `HUOYAN_SEED=42 make simulate` repeats one day. The integration tests and `examples/simulate`
//! share this folder.

mod acts;
mod chance;
mod county;
mod day;
mod evidence;
mod figures;
mod fires;
mod gateway;
mod ground;
mod invariants;
mod masts;
mod measure;
mod passes;
mod people;
mod places;
mod story;
#[cfg(test)]
mod tests;
mod told;
mod world;

pub use day::{Lived, live};
pub use figures::{Figures, LINES};
pub use measure::of_day;
pub use story::story;

use huoyan::error::{Error, Result};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::Instant;

/// Memory instead of a disk, where available: a day makes some thousand commits.
const MEMORY: &str = "/dev/shm";

/// Simulates one day on its own store.
///
/// # Errors
/// When no store or socket is available.
pub fn one(seed: u64) -> Result<(Figures, Lived)> {
    let begun = Instant::now();
    let dir = tempfile::Builder::new()
        .prefix("huoyan-day")
        .tempdir_in(if Path::new(MEMORY).is_dir() {
            Path::new(MEMORY).to_owned()
        } else {
            std::env::temp_dir()
        })
        .map_err(|e| Error::unavailable("no folder for a day's data").because(e))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| Error::internal("no runtime").because(e))?;
    let lived = runtime.block_on(live(seed, dir.path()))?;
    let mut figures = of_day(&lived);
    figures.seconds = begun.elapsed().as_secs_f64();
    Ok((figures, lived))
}

/// Simulates the days of these seeds, one per core at a time; `progress` is called after each day.
///
/// # Errors
/// The first day that failed.
pub fn many(seeds: std::ops::Range<u64>, mut progress: impl FnMut(&Figures)) -> Result<Figures> {
    let cores = std::thread::available_parallelism().map_or(1, |it| it.get());
    let next = AtomicU64::new(seeds.start);
    let mut all = Figures::default();
    std::thread::scope(|scope| {
        // One finished day per core may wait to be counted.
        let (done, days) = mpsc::sync_channel(cores);
        for _ in 0..cores {
            let (done, next, end) = (done.clone(), &next, seeds.end);
            scope.spawn(move || {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end || done.send(one(seed).map(|(figures, _)| figures)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        for day in days {
            let day = day?;
            progress(&day);
            all.merge(day);
        }
        Ok(all)
    })
}
