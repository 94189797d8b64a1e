//! One inference session per OS thread: looks in, scores and boxes out.

use super::heads::{self, Output};
use super::manifest::{Head, Input, Manifest};
use super::tensor::{self, Letterbox};
use super::verifier::VerifierSession;
use crate::error::{Error, Kind, Result};
use crate::frame::Picture;
use crate::triage::detection::{Detection, Scores};
use ort::session::Session;
use ort::value::TensorRef;
use std::sync::Arc;

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
        Self {
            session,
            manifest: Arc::clone(manifest),
            batch,
            tensor: Vec::new(),
            screener: None,
            verifier: None,
        }
    }

    /// Runs the network on grey pictures: sizes and shapes that it leaves open must work before it
    /// is used. If a batch fails, the batch size becomes 1.
    pub(super) fn try_out(&mut self) -> Result<()> {
        let Input { width, height, rect_stride, .. } = self.manifest.input;
        let grey = |height: u32| {
            Picture::from_i420(width, height, vec![128; (width * height * 3 / 2) as usize])
        };
        let low = rect_stride.map(|_| grey(height / 4 * 2)).transpose()?;
        let grey = grey(height)?;
        for picture in [Some(&grey), low.as_ref()].into_iter().flatten() {
            self.analyse(picture, None).map(drop).map_err(|e| match e.kind {
                Kind::Internal => Error::invalid(format!(
                    "the network does not run on the input that [input] describes, {:?}: export it \
                    with a fixed size (dynamic=False), write that width and height here and leave \
                    rect_stride out; sides of the YOLO family are multiples of 32",
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

    pub(super) fn set_screener(&mut self, screener: Self) {
        self.screener = Some(Box::new(screener));
    }

    pub(super) fn set_verifier(&mut self, verifier: Option<VerifierSession>) {
        self.verifier = verifier;
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

    /// Reduces a shrunk picture by the network's `past_scale`, for [`super::Pasts`]. The network
    /// sees no less detail.
    pub fn shrink_past(&self, small: &Picture) -> Picture {
        let scale = self.manifest.input.past_scale;
        small.resized(small.width() / scale, small.height() / scale)
    }

    /// Frame scores, and the boxes at or above the screen level. Without a past, or with one of
    /// another shape, the present takes its place, as in training.
    pub fn analyse(
        &mut self,
        present: &Picture,
        past: Option<&Picture>,
    ) -> Result<(Scores, Vec<Detection>)> {
        let mut answers = self.analyse_many(&[(present, past)])?;
        answers.pop().ok_or_else(|| Error::internal("the network gave no result for a look"))
    }

    /// The same for any number of looks, in their order, up to [`Worker::batch`] at once. Each
    /// answer is the one the look would get alone: bit for bit on the processor, within rounding
    /// (1e-4) where the runtime chooses its kernels by batch size.
    pub fn analyse_many(&mut self, looks: &[Look]) -> Result<Vec<(Scores, Vec<Detection>)>> {
        let mut answers = Vec::with_capacity(looks.len());
        let manifest = Arc::clone(&self.manifest);
        let at =
            |picture: &Picture| Letterbox::new(picture.width(), picture.height(), &manifest.input);
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
                match past.filter(|past| Letterbox::new(past.width(), past.height(), input) == *at)
                {
                    Some(past) => {
                        tensor::write(&past.fitted(at.width, at.height), *at, input, second)
                    }
                    None => second.copy_from_slice(first),
                }
            }
        }
    }

    /// Runs the network on a tensor made elsewhere (goldens) and passes one output to `read`.
    pub(super) fn run<T>(
        &mut self,
        tensor: &[f32],
        output: &str,
        read: impl FnOnce(Output) -> Result<T>,
    ) -> Result<T> {
        let shape = self.manifest.input.shape();
        if tensor.len() != shape.iter().product::<usize>() {
            return Err(Error::internal(format!(
                "{} numbers for a tensor of the shape {shape:?}",
                tensor.len()
            )));
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
        let failed =
            |e: ort::Error| Error::internal("the network did not run").because(e.to_string());
        let input = &self.manifest.input;
        let mut shape = input.shape_of(width, height);
        shape[0] = looks;
        let tensor = TensorRef::from_array_view((shape, self.tensor.as_slice())).map_err(failed)?;
        let all = self.session.run(ort::inputs![input.name.as_str() => tensor]).map_err(failed)?;
        read(&Outputs { all, looks })
    }
}

/// Whether the first axis of the network's input, the batch size, is dynamic.
fn takes_any_number(session: &Session, manifest: &Manifest) -> bool {
    let input = session.inputs().iter().find(|outlet| outlet.name() == manifest.input.name);
    input
        .and_then(|outlet| outlet.dtype().tensor_shape()?.first().copied())
        .is_some_and(|looks| looks < 0)
}

/// Reads one look's part of the outputs according to the model's head.
fn read(
    manifest: &Manifest,
    at: Letterbox,
    look: usize,
    outputs: &Outputs,
) -> Result<(Scores, Vec<Detection>)> {
    let Manifest { head, classes, screen, .. } = manifest;
    match head {
        Head::Heatmap { heatmap, scores } => {
            let read = outputs
                .get(look, heatmap, |heat| heads::heatmap::read(heat, classes, at, *screen))?;
            match scores {
                None => Ok(read),
                Some(scores) => Ok((
                    outputs.get(look, scores, |it| heads::heatmap::scores(it, classes))?,
                    read.1,
                )),
            }
        }
        Head::Yolo { boxes, layout, iou } => outputs.get(look, boxes, |boxes| {
            heads::yolo::read(boxes, *layout, classes, at, *screen, *iou)
        }),
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
        let value = all
            .get(name)
            .ok_or_else(|| Error::invalid(format!("the network gave no output {name:?}")))?;
        let (shape, values) = value.try_extract_tensor::<f32>().map_err(|e| {
            Error::invalid(format!("the network's output {name:?} is not a float tensor"))
                .because(e.to_string())
        })?;
        if *looks == 1 {
            return read(Output { shape, values });
        }
        if shape.first() != Some(&(*looks as i64)) {
            return Err(Error::invalid(format!(
                "for {looks} looks the network returns {name:?} of shape {shape:?}: export it with \
                a dynamic batch, or set [detect] batch = 1"
            )));
        }
        let each = values.len() / looks;
        let mut shape = shape.to_vec();
        shape[0] = 1;
        read(Output { shape: &shape, values: &values[look * each..][..each] })
    }
}
