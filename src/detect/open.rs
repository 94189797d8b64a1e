//! Makes a network ready: checks the file's checksum, opens it, compares it with `model.toml` and
//! tries it.

use super::detector::Worker;
use super::heads;
use super::manifest::{Head, Manifest};
use super::runtime;
use crate::error::{Error, Result};
use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorElementType;
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::Arc;

/// Reads the file and compares its checksum with the one in `model.toml`.
pub fn read_network(path: &Path, sha256: &str) -> Result<Vec<u8>> {
    let network = std::fs::read(path)
        .map_err(|e| Error::unavailable(format!("the network {} cannot be read", path.display())).because(e))?;
    let sum = hex::encode(Sha256::digest(&network));
    if sum != sha256 {
        return Err(Error::invalid(format!(
            "{} is not the file that model.toml describes (SHA-256 {sum}, expected {sha256}): install the model again; if you \
             put this network there yourself, write its sum into model.toml",
            path.display()
        )));
    }
    Ok(network)
}

/// Opens a network, compares it with its description and tries it. Returns the batch size that
/// works.
pub fn try_out(
    environment: &Environment,
    network: &[u8],
    manifest: &Arc<Manifest>,
    cuda: bool,
    batch: usize,
) -> Result<usize> {
    let session = runtime::session(environment, network, cuda).map_err(|e| at(Path::new(&manifest.file), e))?;
    check(&session, manifest)?;
    let mut worker = Worker::new(session, manifest, batch);
    worker.try_out()?;
    Ok(worker.batch())
}

/// Prefixes the error's message with the file it concerns.
pub fn at(file: &Path, mut error: Error) -> Error {
    error.message = format!("{}: {}", file.display(), error.message);
    error
}

/// Whether the first axis of the network's input, the batch size, is dynamic.
pub fn takes_any_number(session: &Session, manifest: &Manifest) -> bool {
    let input = session.inputs().iter().find(|outlet| outlet.name() == manifest.input.name);
    input.and_then(|outlet| outlet.dtype().tensor_shape()?.first().copied()).is_some_and(|looks| looks < 0)
}

/// The names of a network's inputs or outputs, for an error message.
pub fn names(outlets: &[ort::value::Outlet]) -> String {
    outlets.iter().map(|o| format!("{:?}", o.name())).collect::<Vec<_>>().join(", ")
}

/// Checks that the names and the shape in `model.toml` match the network.
fn check(session: &Session, manifest: &Manifest) -> Result<()> {
    let input = &manifest.input;
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
    if input.rect_stride.is_some() && shape.iter().rev().take(2).any(|side| *side >= 0) {
        return Err(Error::invalid(format!(
            "[input] has a rect_stride, but height and width of the network are fixed ({shape:?}): leave rect_stride out, or \
             export with dynamic sides"
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
