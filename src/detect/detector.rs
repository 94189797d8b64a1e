//! A loaded model, and its workers: one inference session per OS thread.

use super::device::{self, Chosen};
use super::heads::{self, Output};
use super::manifest::{Head, Input, Levels, Manifest, Screener, Verifier};
use super::open::{at, read_network, takes_any_number, try_out};
use super::runtime;
use super::tensor::{self, Letterbox};
use super::verifier::{self, VerifierSession};
use crate::config::{Batch, DetectConfig};
use crate::error::{Error, Kind, Result};
use crate::frame::Picture;
use crate::lang::Lang;
use crate::triage::confirm::Thresholds;
use crate::triage::detection::{Detection, ModelVersion, Scores};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;
use std::path::Path;
use std::sync::Arc;

/// Batch size on a graphics card: enough to keep it busy with a small network. On the processor a
/// larger batch than one saves no time (models/smoke-fire/train/EXPERIMENTS.md, line 13) and costs
/// memory.
const ON_CARD: usize = 8;

/// A loaded and checked model. Cheap to share; makes [`Worker`]s.
#[derive(Debug)]
pub struct Detector {
    environment: Environment,
    manifest: Arc<Manifest>,
    /// The bytes whose checksum was compared; the file is not read again.
    network: Vec<u8>,
    /// The screening network, with a manifest of its own. `None`: the model has none, or it would
    /// save nothing.
    screener: Option<(Arc<Manifest>, Vec<u8>)>,
    verifier: Option<(Arc<Verifier>, Vec<u8>)>,
    device: Chosen,
    batch: usize,
    tiles: usize,
}

impl Detector {
    /// Reads the folder, compares the checksum, opens the network once and compares it with
    /// `model.toml`.
    pub fn load(folder: &Path, config: &DetectConfig) -> Result<Self> {
        let manifest = Manifest::load(folder)?;
        let path = folder.join(&manifest.file);
        let network = read_network(&path, &manifest.sha256)?;
        let environment = runtime::environment(config)?;
        let about = folder.join("model.toml");
        let manifest = Arc::new(manifest);
        let open = |cuda: bool| {
            let batch = match config.batch {
                Batch::Auto if cuda => ON_CARD,
                Batch::Auto => 1,
                Batch::Of(looks) => looks,
            };
            try_out(&environment, &network, &manifest, cuda, batch).map_err(|e| at(&about, e))
        };
        let (device, batch) = device::choose(config.device, &runtime::provider(config), open)?;
        // With a batch larger than one (the default on a card) the full network runs on every look.
        let screener = manifest.of_screener().filter(|_| batch == 1).map(|alone| -> Result<_> {
            let alone = Arc::new(alone);
            let network = read_network(&folder.join(&alone.file), &alone.sha256)?;
            try_out(&environment, &network, &alone, device.cuda, 1).map_err(|e| at(&about, e))?;
            Ok((alone, network))
        });
        let screener = screener.transpose()?;
        let verifier = manifest.verifier.clone().map(Arc::new).map(|verifier| {
            let network = verifier::load(folder, &verifier, &environment).map_err(|e| at(&about, e))?;
            Ok::<_, Error>((verifier, network))
        });
        let verifier = verifier.transpose()?;
        tracing::info!(
            model = manifest.version.name,
            version = manifest.version.version,
            device = device.name(),
            batch,
            reason = device.why(Lang::En),
            "model loaded"
        );
        let tiles = config.tiles.at_most(device.cuda);
        Ok(Self { environment, manifest, network, screener, verifier, device, batch, tiles })
    }

    /// Opens a worker, for one OS thread.
    pub fn session(&self) -> Result<Worker> {
        let session = |network: &[u8]| {
            runtime::session(&self.environment, network, self.device.cuda)
                .map_err(|e| Error::unavailable("ONNX Runtime cannot open another session").because(e.chain()))
        };
        let mut worker = Worker::new(session(&self.network)?, &self.manifest, self.batch);
        if let Some((manifest, network)) = &self.screener {
            worker.screener = Some(Box::new(Worker::new(session(network)?, manifest, 1)));
        }
        let open =
            |(about, network): &(Arc<Verifier>, Vec<u8>)| VerifierSession::open(network, about, &self.environment);
        worker.verifier = self.verifier.as_ref().map(open).transpose()?;
        Ok(worker)
    }

    /// The screening network and the levels at which it calls the full one; `None` where the full
    /// network runs on everything.
    pub fn screener(&self) -> Option<&Screener> {
        self.manifest.screener.as_ref().filter(|_| self.screener.is_some())
    }

    pub fn model(&self) -> ModelVersion {
        self.manifest.version.clone()
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    pub fn device(&self) -> &Chosen {
        &self.device
    }

    /// Maximum batch size, in looks.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Maximum number of tiles analysed per look, beside the whole view.
    pub fn tiles(&self) -> usize {
        self.tiles
    }

    /// The given thresholds, tuned to the model's default operating point. If the model has no
    /// points, they are set so that a place alarms if it stays at the model's alarm levels.
    pub fn thresholds(&self, base: Thresholds) -> Thresholds {
        match &self.manifest.points {
            Some(points) => points.get(points.default).tune(base),
            None => {
                let Levels { smoke, fire } = self.manifest.alarm;
                base.with_levels(smoke, fire)
            }
        }
    }
}

/// One inference session with its buffers. It stays on its thread.
#[derive(Debug)]
pub struct Worker {
    session: Session,
    manifest: Arc<Manifest>,
    /// Maximum batch size, in looks.
    batch: usize,
    /// Input of up to `batch` looks: 7.4 MB each at 640×480 with a past, 5.9 MB at 640×384.
    tensor: Vec<f32>,
    screener: Option<Box<Self>>,
    verifier: Option<VerifierSession>,
}

/// The present frame, and an earlier one of the same pose.
pub type Look<'a> = (&'a Picture, Option<&'a Picture>);

impl Worker {
    pub(super) fn new(session: Session, manifest: &Arc<Manifest>, batch: usize) -> Self {
        let batch = if takes_any_number(&session, manifest) { batch } else { 1 };
        Self { session, manifest: Arc::clone(manifest), batch, tensor: Vec::new(), screener: None, verifier: None }
    }

    /// Runs the network on grey pictures: sizes and shapes that it leaves open must work before it
    /// is used. If a batch fails, the batch size becomes 1.
    pub(super) fn try_out(&mut self) -> Result<()> {
        let Input { width, height, rect_stride, .. } = self.manifest.input;
        let grey = |height: u32| Picture::from_i420(width, height, vec![128; (width * height * 3 / 2) as usize]);
        let low = rect_stride.map(|_| grey(height / 4 * 2)).transpose()?;
        let grey = grey(height)?;
        for picture in [Some(&grey), low.as_ref()].into_iter().flatten() {
            self.analyse(picture, None).map(drop).map_err(|e| match e.kind {
                Kind::Internal => Error::invalid(format!(
                    "the network does not run on the input that [input] describes, {:?}: export it with a fixed size (dynamic=False), \
                     write that width and height here and leave rect_stride out; sides of the YOLO family are multiples of 32",
                    self.manifest.input.shape()
                ))
                .because(e.chain()),
                _ => e,
            })?;
        }
        if self.batch > 1
            && let Err(e) = self.analyse_many(&vec![(&grey, None); self.batch])
        {
            tracing::warn!(
                batch = self.batch,
                "the network cannot run on several looks at once; running one at a time: {}",
                e.chain()
            );
            self.batch = 1;
        }
        Ok(())
    }

    /// The screening network. It takes the same looks.
    pub fn screener(&mut self) -> Option<&mut Self> {
        self.screener.as_deref_mut()
    }

    /// The network that gives a second opinion; `None`: the model has none.
    pub fn verifier(&mut self) -> Option<&mut VerifierSession> {
        self.verifier.as_mut()
    }

    pub(super) fn manifest(&self) -> Arc<Manifest> {
        Arc::clone(&self.manifest)
    }

    /// Maximum batch size, in looks; 1 if the network was exported for a single look.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The picture resized to its place on the network's canvas. Analysing the result needs no
    /// further resizing.
    pub fn shrink(&self, picture: &Picture) -> Picture {
        Letterbox::new(picture.width(), picture.height(), &self.manifest.input).shrink(picture)
    }

    /// The picture resized as one with the size of `other` would be.
    pub fn shrink_like(&self, picture: &Picture, other: &Picture) -> Picture {
        Letterbox::new(other.width(), other.height(), &self.manifest.input).shrink(picture)
    }

    /// Width and height of the network's input, pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.manifest.input.width, self.manifest.input.height)
    }

    /// Reduces a shrunk picture by the network's `past_scale`, for [`super::History`]. The network
    /// sees no less detail.
    pub fn shrink_past(&self, small: &Picture) -> Picture {
        let scale = self.manifest.input.past_scale;
        small.resized(small.width() / scale, small.height() / scale)
    }

    /// Frame scores, and the boxes at or above the screen level. Without a past, or with one of
    /// another shape, the present takes its place, as in training.
    pub fn analyse(&mut self, present: &Picture, past: Option<&Picture>) -> Result<(Scores, Vec<Detection>)> {
        let mut answers = self.analyse_many(&[(present, past)])?;
        answers.pop().ok_or_else(|| Error::internal("the network gave no result for a look"))
    }

    /// The same for any number of looks, in their order, up to [`Worker::batch`] at once. Each
    /// answer is the one the look would get alone: bit for bit on the processor, within rounding
    /// (1e-4) where the runtime chooses its kernels by batch size.
    pub fn analyse_many(&mut self, looks: &[Look]) -> Result<Vec<(Scores, Vec<Detection>)>> {
        let mut answers = Vec::with_capacity(looks.len());
        let manifest = Arc::clone(&self.manifest);
        let at = |picture: &Picture| Letterbox::new(picture.width(), picture.height(), &manifest.input);
        let of_one_shape = looks.chunk_by(|a, b| at(a.0).canvas == at(b.0).canvas);
        let most = self.batch;
        for looks in of_one_shape.flat_map(|looks| looks.chunks(most)) {
            let boxes: Vec<Letterbox> = looks.iter().map(|(present, _)| at(present)).collect();
            let canvas = boxes[0].canvas;
            self.write(looks, &boxes);
            self.infer(looks.len(), canvas, |outputs| {
                for (look, at) in boxes.iter().enumerate() {
                    answers.push(read(&manifest, *at, look, outputs)?);
                }
                Ok(())
            })?;
        }
        Ok(answers)
    }

    /// Fills the tensor with looks that share one shape.
    fn write(&mut self, looks: &[Look], boxes: &[Letterbox]) {
        let input = &self.manifest.input;
        let numbers = boxes[0].numbers();
        self.tensor.resize(looks.len() * input.frames() * numbers, 0.0);
        for ((tensor, (present, past)), at) in
            self.tensor.chunks_exact_mut(input.frames() * numbers).zip(looks).zip(boxes)
        {
            let (first, second) = tensor.split_at_mut(numbers);
            tensor::write(&at.shrink(present), *at, input, first);
            if input.past.is_some() {
                match past.filter(|past| Letterbox::new(past.width(), past.height(), input) == *at) {
                    Some(past) => tensor::write(&past.fitted(at.width, at.height), *at, input, second),
                    None => second.copy_from_slice(first),
                }
            }
        }
    }

    /// Runs the network on a tensor made elsewhere (goldens) and passes one output to `read`.
    pub(super) fn run<T>(&mut self, tensor: &[f32], output: &str, read: impl FnOnce(Output) -> Result<T>) -> Result<T> {
        let shape = self.manifest.input.shape();
        if tensor.len() != shape.iter().product::<usize>() {
            return Err(Error::internal(format!("{} numbers for a tensor of the shape {shape:?}", tensor.len())));
        }
        self.tensor.clear();
        self.tensor.extend_from_slice(tensor);
        let canvas = self.size();
        self.infer(1, canvas, |outputs| outputs.get(0, output, read))
    }

    fn infer<T>(
        &mut self,
        looks: usize,
        (width, height): (u32, u32),
        read: impl FnOnce(&Outputs) -> Result<T>,
    ) -> Result<T> {
        let failed = |e: ort::Error| Error::internal("the network did not run").because(e.to_string());
        let input = &self.manifest.input;
        let mut shape = input.shape_of(width, height);
        shape[0] = looks;
        let tensor = TensorRef::from_array_view((shape, self.tensor.as_slice())).map_err(failed)?;
        let all = self.session.run(ort::inputs![input.name.as_str() => tensor]).map_err(failed)?;
        read(&Outputs { all, looks })
    }
}

/// Reads one look's part of the outputs according to the model's head.
fn read(manifest: &Manifest, at: Letterbox, look: usize, outputs: &Outputs) -> Result<(Scores, Vec<Detection>)> {
    let Manifest { head, classes, screen, .. } = manifest;
    match head {
        Head::Heatmap { heatmap, scores } => {
            let read = outputs.get(look, heatmap, |heat| heads::heatmap::read(heat, classes, at, *screen))?;
            match scores {
                None => Ok(read),
                Some(scores) => Ok((outputs.get(look, scores, |it| heads::heatmap::scores(it, classes))?, read.1)),
            }
        }
        Head::Yolo { boxes, layout, iou } => {
            outputs.get(look, boxes, |boxes| heads::yolo::read(boxes, *layout, classes, at, *screen, *iou))
        }
    }
}

/// The network's outputs for a batch of `looks` looks.
struct Outputs<'a> {
    all: ort::session::SessionOutputs<'a>,
    looks: usize,
}

impl Outputs<'_> {
    /// Passes one look's part of an output to `read`, as if the batch had been that look alone: its
    /// shape begins with 1.
    fn get<T>(&self, look: usize, name: &str, read: impl FnOnce(Output) -> Result<T>) -> Result<T> {
        let Self { all, looks } = self;
        let value = all.get(name).ok_or_else(|| Error::invalid(format!("the network gave no output {name:?}")))?;
        let (shape, values) = value.try_extract_tensor::<f32>().map_err(|e| {
            Error::invalid(format!("the network's output {name:?} is not a float tensor")).because(e.to_string())
        })?;
        if *looks == 1 {
            return read(Output { shape, values });
        }
        if shape.first() != Some(&(*looks as i64)) {
            return Err(Error::invalid(format!(
                "for {looks} looks the network returns {name:?} of shape {shape:?}: export it with a dynamic batch, or set \
                 [detect] batch = 1"
            )));
        }
        let each = values.len() / looks;
        let mut shape = shape.to_vec();
        shape[0] = 1;
        read(Output { shape: &shape, values: &values[look * each..][..each] })
    }
}
