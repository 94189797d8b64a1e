//! ONNX Runtime itself: one library, one environment a process, and which device does the work.

use crate::config::{DetectConfig, Device};
use crate::error::{Error, Result};
use ort::environment::Environment;
use ort::ep::CUDA;
use ort::session::Session;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The runtime allows one environment a process, for ever.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// What runs the network, and why that.
#[derive(Clone, Debug)]
pub struct Chosen {
    pub cuda: bool,
    pub reason: String,
}

/// `ort` panics where the library is missing, therefore we look first.
pub fn environment(config: &DetectConfig) -> Result<Environment> {
    let mut environment = ENVIRONMENT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(environment) = &*environment {
        return Ok(environment.clone());
    }
    let library = library(config);
    let path = library.canonicalize().ok().filter(|path| path.is_file()).ok_or_else(|| {
        Error::unavailable(format!(
            "the ONNX Runtime library is missing: {}; `make` puts it there, or name it in [detect] onnxruntime or \
             ORT_DYLIB_PATH",
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

/// One session: one thread of its own, no spinning, because the worker threads are the parallelism.
pub fn session(environment: &Environment, network: &[u8], cuda: bool) -> std::result::Result<Session, String> {
    fn words<R>(e: ort::Error<R>) -> String {
        e.to_string()
    }
    let mut builder = Session::builder(environment).map_err(words)?.with_intra_threads(1).map_err(words)?;
    builder = builder.with_inter_threads(1).map_err(words)?.with_intra_op_spinning(false).map_err(words)?;
    if cuda {
        builder = builder.with_execution_providers([CUDA::default().build().error_on_failure()]).map_err(words)?;
    }
    builder.commit_from_memory(network).map_err(words)
}

/// `auto` takes the graphics card when its provider is there and opens the network, and says why when it does not.
pub fn choose(environment: &Environment, network: &[u8], config: &DetectConfig) -> Result<(Chosen, Session)> {
    let on_cpu = |reason: String| {
        let session = session(environment, network, false)
            .map_err(|e| Error::invalid(format!("ONNX Runtime cannot open the network: {}", cure(&e))).because(e))?;
        Ok((Chosen { cuda: false, reason }, session))
    };
    let on_cuda = || {
        let provider = library(config).with_file_name("libonnxruntime_providers_cuda.so");
        if !provider.is_file() {
            return Err(format!("no CUDA provider beside the runtime: {}", provider.display()));
        }
        session(environment, network, true)
    };
    match config.device {
        Device::Cpu => on_cpu("device = \"cpu\" is configured".to_owned()),
        Device::Cuda => {
            let session = on_cuda().map_err(|e| {
                Error::unavailable("device = \"cuda\" cannot be used; install the CUDA build, or say \"auto\"")
                    .because(e)
            })?;
            Ok((Chosen { cuda: true, reason: "device = \"cuda\" is configured".to_owned() }, session))
        }
        Device::Auto => match on_cuda() {
            Ok(session) => {
                Ok((Chosen { cuda: true, reason: "the CUDA provider opened the network".to_owned() }, session))
            }
            Err(reason) => on_cpu(reason),
        },
    }
}

/// What to do about a network that the runtime does not open, from the runtime's words.
fn cure(words: &str) -> &'static str {
    let speaks_of = |part: &str| words.contains(part);
    if speaks_of("opset") || speaks_of("IR version") {
        "it was exported for a newer runtime; export it again with opset=17, or install a newer ONNX Runtime"
    } else if speaks_of("rotobuf") || speaks_of("PROTOBUF") {
        "it is no ONNX file, or only a part of one; copy it again and compare sha256sum with where it came from"
    } else {
        "it needs what this runtime does not have; export it again with opset=17 and without operators of its own"
    }
}

fn library(config: &DetectConfig) -> PathBuf {
    match std::env::var_os("ORT_DYLIB_PATH") {
        Some(path) if !path.is_empty() => PathBuf::from(path),
        _ => Path::new(&config.onnxruntime).to_path_buf(),
    }
}
