//! A model made ready, and its workers: one inference session an OS thread.

use super::heads::{self, Output};
use super::manifest::{Head, Input, Manifest};
use super::runtime::{self, Chosen};
use super::tensor::{self, Letterbox};
use crate::config::DetectConfig;
use crate::error::{Error, Kind, Result};
use crate::frame::Picture;
use crate::triage::confirm::Thresholds;
use crate::triage::detection::{Detection, ModelVersion, Scores};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::{TensorElementType, TensorRef};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

/// A checked model. Cheap to share; makes [`Worker`]s.
#[derive(Debug)]
pub struct Detector {
    environment: Environment,
    manifest: Arc<Manifest>,
    /// The very bytes whose sum was checked.
    network: Vec<u8>,
    device: Chosen,
}

impl Detector {
    /// Reads the folder, checks the sum, opens the network once and compares it with `model.toml`.
    pub fn load(folder: &Path, config: &DetectConfig) -> Result<Self> {
        let manifest = Manifest::load(folder)?;
        let path = folder.join(&manifest.file);
        let network = std::fs::read(&path)
            .map_err(|e| Error::unavailable(format!("the network {} cannot be read", path.display())).because(e))?;
        let sum = hex::encode(Sha256::digest(&network));
        if sum != manifest.sha256 {
            return Err(Error::invalid(format!(
                "{} is not the file that model.toml describes (SHA-256 {sum}, expected {}): install the model again; if you \
                 put this network there yourself, write its sum into model.toml",
                path.display(),
                manifest.sha256
            )));
        }
        let environment = runtime::environment(config)?;
        let (device, session) = runtime::choose(&environment, &network, config).map_err(|e| at(&path, e))?;
        let about = folder.join("model.toml");
        check(&session, &manifest).map_err(|e| at(&about, e))?;
        let manifest = Arc::new(manifest);
        Worker::new(session, &manifest).try_out().map_err(|e| at(&about, e))?;
        tracing::info!(
            model = manifest.version.name,
            version = manifest.version.version,
            device = if device.cuda { "cuda" } else { "cpu" },
            reason = device.reason,
            "model loaded"
        );
        Ok(Self { environment, manifest, network, device })
    }

    /// A worker for one OS thread.
    pub fn session(&self) -> Result<Worker> {
        let session = runtime::session(&self.environment, &self.network, self.device.cuda)
            .map_err(|e| Error::unavailable("ONNX Runtime opens no further session").because(e))?;
        Ok(Worker::new(session, &self.manifest))
    }

    pub fn model(&self) -> ModelVersion {
        self.manifest.version.clone()
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// `"cpu"` or `"cuda"`, and why.
    pub fn device(&self) -> (&'static str, &str) {
        (if self.device.cuda { "cuda" } else { "cpu" }, &self.device.reason)
    }

    /// The given thresholds at the model's default point; with its alarm levels, where it has no points.
    pub fn thresholds(&self, base: Thresholds) -> Thresholds {
        match &self.manifest.points {
            Some(points) => points.get(points.default).tune(base),
            None => Thresholds { smoke: self.manifest.alarm.smoke, fire: self.manifest.alarm.fire, ..base },
        }
    }
}

/// One inference session with its buffers. Stays on its thread.
#[derive(Debug)]
pub struct Worker {
    session: Session,
    manifest: Arc<Manifest>,
    tensor: Vec<f32>,
}

impl Worker {
    fn new(session: Session, manifest: &Arc<Manifest>) -> Self {
        Self { session, manifest: Arc::clone(manifest), tensor: vec![0.0; manifest.input.len()] }
    }

    /// One grey picture: what a network leaves open (sizes, shapes) must fit before anybody relies on it.
    fn try_out(&mut self) -> Result<()> {
        let Input { width, height, .. } = self.manifest.input;
        let grey = Picture::from_i420(width, height, vec![128; (width * height * 3 / 2) as usize])?;
        self.analyse(&grey, None).map(drop).map_err(|e| match e.kind {
            Kind::Internal => Error::invalid(format!(
                "the network does not run on what [input] describes, {:?}: export it with a fixed size (dynamic=False), \
                 write that width and height here; sides of the YOLO family are multiples of 32",
                self.manifest.input.shape()
            ))
            .because(e.chain()),
            _ => e,
        })
    }

    /// The picture at the size the network sees; what [`super::History`] keeps. Analysing it again costs nothing more.
    pub fn shrink(&self, picture: &Picture) -> Picture {
        Letterbox::new(picture.width(), picture.height(), &self.manifest.input).shrink(picture)
    }

    /// The picture in the shape that another one had before it was shrunk.
    pub fn shrink_like(&self, picture: &Picture, other: &Picture) -> Picture {
        Letterbox::new(other.width(), other.height(), &self.manifest.input).shrink(picture)
    }

    /// Width and height of what the network sees, pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.manifest.input.width, self.manifest.input.height)
    }

    /// Frame scores, and boxes from the screen level up. Without a past (or with one of another shape) the present
    /// stands in for it, as in training.
    pub fn analyse(&mut self, present: &Picture, past: Option<&Picture>) -> Result<(Scores, Vec<Detection>)> {
        let manifest = Arc::clone(&self.manifest);
        let input = &manifest.input;
        let at = Letterbox::new(present.width(), present.height(), input);
        let (first, second) = self.tensor.split_at_mut(input.len() / input.frames());
        tensor::write(&at.shrink(present), at, input, first);
        if input.past.is_some() {
            match past.filter(|past| Letterbox::new(past.width(), past.height(), input) == at) {
                Some(past) => tensor::write(&at.shrink(past), at, input, second),
                None => second.copy_from_slice(first),
            }
        }
        self.infer(|outputs| match &manifest.head {
            Head::Heatmap { heatmap, scores } => {
                let heat = outputs.get(heatmap)?;
                let read = heads::heatmap::read(heat, &manifest.classes, input, at, manifest.screen)?;
                match scores {
                    None => Ok(read),
                    Some(scores) => Ok((heads::heatmap::scores(outputs.get(scores)?, &manifest.classes)?, read.1)),
                }
            }
            Head::Yolo { boxes, layout, iou } => {
                heads::yolo::read(outputs.get(boxes)?, *layout, &manifest.classes, at, manifest.screen, *iou)
            }
        })
    }

    /// Runs the network on a tensor made elsewhere (goldens) and hands over one output.
    pub(super) fn run<T>(&mut self, tensor: &[f32], output: &str, read: impl FnOnce(Output) -> Result<T>) -> Result<T> {
        if tensor.len() != self.tensor.len() {
            return Err(Error::internal(format!("{} numbers for a tensor of {}", tensor.len(), self.tensor.len())));
        }
        self.tensor.copy_from_slice(tensor);
        self.infer(|outputs| read(outputs.get(output)?))
    }

    fn infer<T>(&mut self, read: impl FnOnce(&Outputs) -> Result<T>) -> Result<T> {
        let failed = |e: ort::Error| Error::internal("the network did not run").because(e.to_string());
        let input = &self.manifest.input;
        let tensor = TensorRef::from_array_view((input.shape(), self.tensor.as_slice())).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![input.name.as_str() => tensor]).map_err(failed)?;
        read(&Outputs(outputs))
    }
}

struct Outputs<'a>(ort::session::SessionOutputs<'a>);

impl Outputs<'_> {
    fn get(&self, name: &str) -> Result<Output<'_>> {
        let value = self.0.get(name).ok_or_else(|| Error::invalid(format!("the network gave no output {name:?}")))?;
        let (shape, values) = value.try_extract_tensor::<f32>().map_err(|e| {
            Error::invalid(format!("the network's output {name:?} is no float tensor")).because(e.to_string())
        })?;
        Ok(Output { shape, values })
    }
}

/// The same error, with the file it is about.
fn at(file: &Path, mut error: Error) -> Error {
    error.message = format!("{}: {}", file.display(), error.message);
    error
}

/// The names and the shape in `model.toml` are those of the network.
fn check(session: &Session, manifest: &Manifest) -> Result<()> {
    let input = &manifest.input;
    let names = |outlets: &[ort::value::Outlet]| {
        outlets.iter().map(|o| format!("{:?}", o.name())).collect::<Vec<_>>().join(", ")
    };
    let found = session.inputs().iter().find(|outlet| outlet.name() == input.name).ok_or_else(|| {
        let found = names(session.inputs());
        Error::invalid(format!("[input] name is {:?}, but the network has {found}: write that", input.name))
    })?;
    if found.dtype().tensor_type() != Some(TensorElementType::Float32) {
        let kind = found.dtype();
        return Err(Error::invalid(format!(
            "the network's input is {kind}, not 32-bit numbers: export it again without half, int8 or quantize"
        )));
    }
    let shape = found.dtype().tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default();
    let wanted = input.shape();
    let fits = |(have, want): (&i64, &usize)| *have < 0 || *have == *want as i64;
    if shape.len() != wanted.len() || !shape.iter().zip(&wanted).all(fits) {
        return Err(Error::invalid(format!(
            "[input] describes the shape {wanted:?}, but the network wants {shape:?}: correct width, height, frames and layout"
        )));
    }
    let outputs = match &manifest.head {
        Head::Heatmap { heatmap, scores } => vec![Some(heatmap), scores.as_ref()],
        Head::Yolo { boxes, .. } => vec![Some(boxes)],
    };
    for name in outputs.into_iter().flatten() {
        let Some(outlet) = session.outputs().iter().find(|outlet| outlet.name() == name) else {
            let found = names(session.outputs());
            return Err(Error::invalid(format!("[output] names {name:?}, but the network has {found}: write that")));
        };
        if let (Head::Yolo { layout, .. }, Some(shape)) = (&manifest.head, outlet.dtype().tensor_shape()) {
            heads::yolo::fits(shape, *layout, manifest.classes.len())?;
        }
    }
    Ok(())
}
