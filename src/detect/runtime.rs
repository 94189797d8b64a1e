//! ONNX Runtime: one library, one environment per process, sessions on processor or graphics card.

use crate::config::DetectConfig;
use crate::error::{Error, Result};
use ort::environment::Environment;
use ort::ep::cuda::ConvAlgorithmSearch;
use ort::ep::{ArenaExtendStrategy, CUDA};
use ort::session::Session;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};

/// Must be 1 before the library starts; then it stores nothing on the machine and sends nothing.
/// Without it, versions from 1.29 on send the program's path and properties of the machine to
/// Microsoft at start, before any API call can forbid it (onnxruntime/docs/Privacy.md).
pub const NO_TELEMETRY: &str = "ORT_DISABLE_TELEMETRY";

/// The runtime allows one environment per process, for the life of the process.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// `ort` panics if the library is missing, so its path is checked first.
pub(super) fn environment(config: &DetectConfig) -> Result<Environment> {
    let mut environment = ENVIRONMENT.lock();
    if let Some(environment) = &*environment {
        return Ok(environment.clone());
    }
    if std::env::var_os(NO_TELEMETRY).is_none_or(|it| it != "1") {
        let why = "ONNX Runtime would send telemetry to its vendor";
        return Err(Error::unavailable(format!(
            "{why}: set {NO_TELEMETRY}=1 where this program is started"
        )));
    }
    let library = library(config);
    let path = library.canonicalize().ok().filter(|path| path.is_file()).ok_or_else(|| {
        Error::unavailable(format!(
            "the ONNX Runtime library is missing: {}; `make` installs it, or set its path in \
            [detect] onnxruntime or ORT_DYLIB_PATH",
            library.display()
        ))
    })?;
    let unusable = |e: String| {
        Error::unavailable(format!(
            "the ONNX Runtime library {} cannot be used; 1.23 or later is needed",
            path.display()
        ))
        .because(e)
    };
    let built = ort::init_from(&path)
        .map_err(|e| unusable(e.to_string()))?
        .with_telemetry(false)
        .build()
        .map_err(|e| unusable(e.to_string()))?;
    *environment = Some(built.clone());
    Ok(built)
}

/// Opens a session with a single thread and without spinning: the worker threads are the
/// parallelism.
pub(super) fn session(environment: &Environment, network: &[u8], cuda: bool) -> Result<Session> {
    open(environment, network, cuda).map_err(|e| match cuda {
        true => Error::unavailable("the graphics card cannot open the network").because(e),
        false => {
            Error::invalid(format!("ONNX Runtime cannot open the network: {}", cure(&e))).because(e)
        }
    })
}

fn open(
    environment: &Environment,
    network: &[u8],
    cuda: bool,
) -> std::result::Result<Session, String> {
    fn words<R>(e: ort::Error<R>) -> String {
        e.to_string()
    }
    let mut builder =
        Session::builder(environment).map_err(words)?.with_intra_threads(1).map_err(words)?;
    builder = builder
        .with_inter_threads(1)
        .map_err(words)?
        .with_intra_op_spinning(false)
        .map_err(words)?;
    if cuda {
        builder = builder.with_execution_providers([card()]).map_err(words)?;
    }
    builder.commit_from_memory(network).map_err(words)
}

/// Batch sizes vary, and the default search would measure every kernel again for each. TF32, with
/// its 19-bit numbers, would change scores by more than the goldens allow. Memory is allocated as
/// needed instead of in powers of two.
fn card() -> ort::ep::ExecutionProviderDispatch {
    CUDA::default()
        .with_conv_algorithm_search(ConvAlgorithmSearch::Heuristic)
        .with_tf32(false)
        .with_arena_extend_strategy(ArenaExtendStrategy::SameAsRequested)
        .build()
        .error_on_failure()
}

/// Where the runtime looks for its CUDA provider: in its own folder.
pub(super) fn provider(config: &DetectConfig) -> PathBuf {
    let library = library(config);
    library.canonicalize().unwrap_or(library).with_file_name("libonnxruntime_providers_cuda.so")
}

/// The remedy for a network that the runtime cannot open, from the runtime's error text.
fn cure(words: &str) -> &'static str {
    let speaks_of = |part: &str| words.contains(part);
    if speaks_of("opset") || speaks_of("IR version") {
        "it was exported for a newer runtime; export it again with opset=17, or install a newer \
        ONNX Runtime"
    } else if speaks_of("rotobuf") || speaks_of("PROTOBUF") {
        "it is not an ONNX file, or it is incomplete; copy it again and compare its sha256sum with \
        that of the source"
    } else {
        "it needs operators that this runtime does not have; export it again with opset=17 and \
        without custom operators"
    }
}

fn library(config: &DetectConfig) -> PathBuf {
    match std::env::var_os("ORT_DYLIB_PATH") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => Path::new(&config.onnxruntime).to_path_buf(),
    }
}
