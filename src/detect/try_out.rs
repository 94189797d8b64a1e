//! Tries a network before it is used: opens it, compares it with `model.toml` and runs it.

use super::heads;
use super::manifest::{Head, Manifest};
use super::open::{at, names};
use super::runtime;
use super::worker::Worker;
use crate::error::{Error, Result};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorElementType;
use std::path::Path;
use std::sync::Arc;

/// Opens a network, compares it with its description and tries it. Returns the batch size that
/// works.
pub(super) fn try_out(
    environment: &Environment,
    network: &[u8],
    manifest: &Arc<Manifest>,
    cuda: bool,
    batch: usize,
) -> Result<usize> {
    let session = runtime::session(environment, network, cuda)
        .map_err(|e| at(Path::new(&manifest.file), e))?;
    check(&session, manifest)?;
    let mut worker = Worker::new(session, manifest, batch);
    worker.try_out()?;
    Ok(worker.batch())
}

/// Checks that the names and the shape in `model.toml` match the network.
fn check(session: &Session, manifest: &Manifest) -> Result<()> {
    let input = &manifest.input;
    let found =
        session.inputs().iter().find(|outlet| outlet.name() == input.name).ok_or_else(|| {
            let found = names(session.inputs());
            Error::invalid(format!(
                "[input] name is {:?}, but the network has {found}: write that",
                input.name
            ))
        })?;
    if found.dtype().tensor_type() != Some(TensorElementType::Float32) {
        let kind = found.dtype();
        return Err(Error::invalid(format!(
            "the network's input is {kind}, not 32-bit numbers: export it again without half, int8 \
            or quantize"
        )));
    }
    let shape = found.dtype().tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default();
    let wanted = input.shape();
    let fits = |(have, want): (&i64, &usize)| *have < 0 || *have == *want as i64;
    if shape.len() != wanted.len() || !shape.iter().zip(&wanted).all(fits) {
        return Err(Error::invalid(format!(
            "[input] describes the shape {wanted:?}, but the network wants {shape:?}: correct \
            width, height, frames and layout"
        )));
    }
    if input.rect_stride.is_some() && shape.iter().rev().take(2).any(|side| *side >= 0) {
        return Err(Error::invalid(format!(
            "[input] has a rect_stride, but height and width of the network are fixed ({shape:?}): \
            leave rect_stride out, or export with dynamic sides"
        )));
    }
    let outputs = match &manifest.head {
        Head::Heatmap { heatmap, scores } => vec![Some(heatmap), scores.as_ref()],
        Head::Yolo { boxes, .. } => vec![Some(boxes)],
    };
    for name in outputs.into_iter().flatten() {
        let Some(outlet) = session.outputs().iter().find(|outlet| outlet.name() == name) else {
            let found = names(session.outputs());
            return Err(Error::invalid(format!(
                "[output] names {name:?}, but the network has {found}: write that"
            )));
        };
        if let (Head::Yolo { layout, .. }, Some(shape)) =
            (&manifest.head, outlet.dtype().tensor_shape())
        {
            heads::yolo::fits(shape, *layout, manifest.classes.len())?;
        }
    }
    Ok(())
}
