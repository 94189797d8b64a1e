//! What a look costs on this machine, and how many cameras the machine therefore holds. Measured
//! with the loaded model, at the start and by `huoyan check`.

use crate::config::Config;
use crate::detect::{Detector, Worker};
use crate::drill::scene;
use crate::error::Result;
use crate::frame::{Capacity, Eye, Picture};
use crate::lang::Lang;
use std::path::Path;
use std::time::{Duration, Instant};

/// Looks measured after one for warm-up: as many as fit into a second, 10 at most, so that a start
/// stays quick.
const LOOKS_MAX: u32 = 10;
const MEASURED_FOR: Duration = Duration::from_secs(1);

/// The model as shown by the pages and `check`. A look at a picture of sub-stream size is measured
/// for it.
pub fn eye(detector: &Detector, config: &Config) -> Eye {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let capacity = match view_ms(detector) {
        Ok(ms) => ms.map(|ms| {
            Capacity::of(ms, detector.tiles(), config.detect.workers, cores, config.camera.cadence)
        }),
        Err(e) => {
            tracing::warn!("the cost of a look could not be measured: {}", e.chain());
            None
        }
    };
    Eye { model: detector.model(), licence: detector.manifest().licence.clone(), capacity }
}

/// Milliseconds per view without smoke: the screening network if there is one, plus the full
/// network in its share of calls.
fn view_ms(detector: &Detector) -> Result<Option<f64>> {
    // Without photographs ridges are drawn; a look costs the same.
    let (picture, on_card) =
        (scene::landscape(0, Path::new(scene::PHOTOGRAPHS))?, detector.device().cuda);
    let mut worker = detector.session()?;
    let full = look_ms(&mut worker, &picture, on_card)?;
    let (Some(screener), Some(network)) = (detector.screener(), worker.screener()) else {
        return Ok(full);
    };
    let screening = look_ms(network, &picture, false)?;
    let calls = f64::from((screener.calls + (1.0 - screener.calls) * screener.audit).min(1.0));
    Ok(screening.zip(full).map(|(screening, full)| screening + calls * full))
}

/// Milliseconds of one whole look with a past: resizing, tensor, network, head. CPU time of this
/// thread, which excludes all other load (Linux only; elsewhere `None`). `on_card`: wall-clock
/// time, with as many looks at once as the card takes.
pub fn look_ms(worker: &mut Worker, picture: &Picture, on_card: bool) -> Result<Option<f64>> {
    let past = worker.shrink(picture);
    let looks = vec![(picture, Some(&past)); if on_card { worker.batch() } else { 1 }];
    worker.analyse_many(&looks)?;
    let (begun, before, mut done) = (Instant::now(), thread_cpu_ms(), 0);
    while done < LOOKS_MAX && begun.elapsed() < MEASURED_FOR {
        worker.analyse_many(&looks)?;
        done += 1;
    }
    let cpu_ms = || Some(thread_cpu_ms()? - before?);
    let took_ms = if on_card { Some(begun.elapsed().as_secs_f64() * 1000.0) } else { cpu_ms() };
    Ok(took_ms.map(|ms| ms / f64::from(done) / looks.len() as f64))
}

/// The first number of the file: nanoseconds on a CPU.
fn thread_cpu_ms() -> Option<f64> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    Some(told.split_whitespace().next()?.parse::<f64>().ok()? / 1e6)
}

/// For a person: what a look costs on which CPU, how many cameras that allows, and how far the
/// cadence stretches with more.
pub fn words(capacity: &Capacity, cameras: usize, lang: Lang) -> String {
    let Capacity { cpu_flags, look_ms, workers, cadence_s, holds, holds_with_tiles } = capacity;
    let flags = match cpu_flags.as_slice() {
        [] => lang.pick("未知", "unknown").to_owned(),
        flags => flags.join(" "),
    };
    let holding = match lang {
        Lang::Zh => format!(
            "处理器指令集 {flags}；模型每看一次约{look_ms:.0}毫秒；{workers}个推理线程，\
            每{cadence_s}秒看一次，本机可看{holds}台（每台都兼看分块则为{holds_with_tiles}台）"
        ),
        Lang::En => format!(
            "the processor has {flags}; a look by the model takes about {look_ms:.0} ms; with \
            {workers} workers this machine holds {holds} cameras at {cadence_s} s \
            ({holds_with_tiles} if each is looked at in tiles too)"
        ),
    };
    match (capacity.stretched_s(cameras), lang) {
        (None, _) => holding,
        (Some(s), Lang::Zh) => format!("{holding}；已登记{cameras}台，实际约每{s:.0}秒才看一次"),
        (Some(s), Lang::En) => {
            format!("{holding}; {cameras} are registered: they would be looked at every {s:.0} s")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn an_office_reads_what_stretches_when_it_has_more_cameras_than_the_machine_holds() {
        let capacity = Capacity::of(92.0, 1, 2, 2, SignedDuration::from_secs(10));
        assert_eq!(capacity.holds, 142);
        let enough = words(&capacity, 100, Lang::En);
        assert!(
            enough.contains("holds 142 cameras at 10 s (78 if each is looked at in tiles too)")
                && !enough.contains("registered"),
            "{enough}"
        );
        let many = words(&capacity, 267, Lang::En);
        assert!(many.contains("267 are registered: they would be looked at every 19 s"), "{many}");
        assert!(words(&capacity, 267, Lang::Zh).contains("已登记267台，实际约每19秒才看一次"));
    }
}
