//! A session of the `[verifier]` network: asked once per confirmed place, on the processor.

use super::manifest::Verifier;
use super::open::{at, names, read_network};
use super::{runtime, tube};
use crate::error::{Error, Result};
use crate::frame::Picture;
use crate::triage::detection::BoundingBox;
use ort::environment::Environment;
use ort::session::Session;
use ort::value::{TensorElementType, TensorRef};
use std::path::Path;
use std::sync::Arc;

/// One session. It stays on its thread.
#[derive(Debug)]
pub struct VerifierSession {
    session: Session,
    about: Arc<Verifier>,
}

/// Reads the file, compares the network with its description and tries it on grey crops.
pub(super) fn load(
    folder: &Path,
    about: &Arc<Verifier>,
    environment: &Environment,
) -> Result<Vec<u8>> {
    let network = read_network(&folder.join(&about.file), &about.sha256)?;
    let mut session = VerifierSession::open(&network, about, environment)?;
    session.check()?;
    let grey = vec![0.0; about.shape().iter().product()];
    session.answer(&grey).map_err(|e| {
        let shape = about.shape();
        Error::invalid(format!(
            "[verifier] {} does not return one probability for grey crops of the shape {shape:?}: \
            export it again, or correct side, ages_s and output",
            about.file
        ))
        .because(e.chain())
    })?;
    Ok(network)
}

impl VerifierSession {
    pub fn open(network: &[u8], about: &Arc<Verifier>, environment: &Environment) -> Result<Self> {
        let session = runtime::session(environment, network, false)
            .map_err(|e| at(Path::new(&about.file), e))?;
        Ok(Self { session, about: Arc::clone(about) })
    }

    pub fn about(&self) -> &Verifier {
        &self.about
    }

    /// The probability of smoke, 0..=1. `now`: the whole picture; `before`: one picture for each
    /// age, of any size.
    ///
    /// # Errors
    /// The network does not run, or its answer is no probability.
    pub fn ask(
        &mut self,
        now: &Picture,
        before: &[Arc<Picture>],
        bbox: &BoundingBox,
    ) -> Result<f32> {
        let tensor = tube::tensor(&self.about, now, before, bbox);
        self.answer(&tensor)
    }

    fn answer(&mut self, tensor: &[f32]) -> Result<f32> {
        let failed = |e: ort::Error| {
            Error::internal("the network of [verifier] did not run").because(e.to_string())
        };
        let Verifier { input, output, .. } = &*self.about;
        let tensor = TensorRef::from_array_view((self.about.shape(), tensor)).map_err(failed)?;
        let outputs = self.session.run(ort::inputs![input.as_str() => tensor]).map_err(failed)?;
        let value = outputs
            .get(output)
            .ok_or_else(|| Error::invalid(format!("[verifier] gave no output {output:?}")))?;
        let (_, values) = value.try_extract_tensor::<f32>().map_err(failed)?;
        match *values {
            [smoke] if (0.0..=1.0).contains(&smoke) => Ok(smoke),
            _ => Err(Error::internal(format!(
                "[verifier] output {output:?} is not a probability: {values:?}"
            ))),
        }
    }

    /// Checks that the names and the shape in `model.toml` match the network.
    fn check(&self) -> Result<()> {
        let Verifier { file, input, output, .. } = &*self.about;
        let found = self.session.inputs().iter().find(|outlet| outlet.name() == input).ok_or_else(
            || {
                let found = names(self.session.inputs());
                Error::invalid(format!(
                    "[verifier] input is {input:?}, but {file} has {found}: write \
                that"
                ))
            },
        )?;
        if self.session.outputs().iter().all(|outlet| outlet.name() != output) {
            let found = names(self.session.outputs());
            return Err(Error::invalid(format!(
                "[verifier] output is {output:?}, but {file} has {found}: write that"
            )));
        }
        let shape = found.dtype().tensor_shape().map(|shape| shape.to_vec()).unwrap_or_default();
        let wanted = self.about.shape();
        let fits = |(have, want): (&i64, &usize)| *have < 0 || *have == *want as i64;
        let is_float = found.dtype().tensor_type() == Some(TensorElementType::Float32);
        if !is_float || shape.len() != wanted.len() || !shape.iter().zip(&wanted).all(fits) {
            return Err(Error::invalid(format!(
                "[verifier] describes 32-bit numbers of the shape {wanted:?}, but {file} wants {}: \
                correct side and ages_s, or export it again",
                found.dtype()
            )));
        }
        Ok(())
    }
}
