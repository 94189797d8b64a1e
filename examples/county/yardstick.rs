//! Runs a reference graph on this machine, for a measure that does not depend on the machine: the
//! network CPU time of a look divided by that of YOLOv8n's graph at 640×384
//! (`models/smoke-fire/train/yardstick.py --graph FILE` makes it).

use huoyan::detect::NO_TELEMETRY;
use huoyan::error::{Error, Result};
use ort::session::Session;
use ort::value::TensorRef;
use std::path::Path;
use std::time::Duration;

/// Rounds measured, after some for warm-up. The median counts.
const ROUNDS: usize = 30;
const WARM_UP: usize = 3;
const SHAPE: [usize; 4] = [1, 3, 384, 640];

/// CPU time of one run on one thread.
pub fn cost(graph: &Path, library: &Path) -> Result<Duration> {
    let failed = |e: String| {
        Error::unavailable(format!("the yardstick {} does not run", graph.display())).because(e)
    };
    if std::env::var_os(NO_TELEMETRY).is_none_or(|it| it != "1") {
        return Err(Error::unavailable(format!(
            "set {NO_TELEMETRY}=1, or ONNX Runtime reports to its maker"
        )));
    }
    let environment =
        ort::init_from(library).map_err(|e| failed(e.to_string()))?.with_telemetry(false).build();
    let environment = environment.map_err(|e| failed(e.to_string()))?;
    let mut builder = Session::builder(&environment).map_err(|e| failed(e.to_string()))?;
    builder = builder.with_intra_threads(1).map_err(|e| failed(e.to_string()))?;
    let mut session = builder.commit_from_file(graph).map_err(|e| failed(e.to_string()))?;
    let numbers: Vec<f32> =
        (0..SHAPE.iter().product::<usize>()).map(|i| (i % 251) as f32 / 251.0).collect();
    let mut spent = Vec::new();
    for round in 0..ROUNDS + WARM_UP {
        let before = cpu_time();
        let tensor = TensorRef::from_array_view((SHAPE, numbers.as_slice()))
            .map_err(|e| failed(e.to_string()))?;
        session.run(ort::inputs![tensor]).map_err(|e| failed(e.to_string()))?;
        if round >= WARM_UP {
            spent.push(cpu_time().saturating_sub(before));
        }
    }
    spent.sort();
    Ok(spent[spent.len() / 2])
}

fn cpu_time() -> Duration {
    Duration::try_from(rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime))
        .unwrap_or_default()
}
