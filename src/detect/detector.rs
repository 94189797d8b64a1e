//! A loaded model. It opens the workers, one per OS thread.

use super::device::{self, Chosen};
use super::manifest::{Manifest, Screener, Verifier};
use super::open::{at, read_network};
use super::runtime;
use super::try_out::try_out;
use super::verifier::{self, VerifierSession};
use super::worker::Worker;
use crate::config::{Batch, DetectConfig};
use crate::error::{Error, Result};
use crate::lang::Lang;
use crate::triage::confirm::Thresholds;
use crate::triage::detection::ModelVersion;
use ort::environment::Environment;
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
            let network =
                verifier::load(folder, &verifier, &environment).map_err(|e| at(&about, e))?;
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
            runtime::session(&self.environment, network, self.device.cuda).map_err(|e| {
                Error::unavailable("ONNX Runtime cannot open another session").because(e.chain())
            })
        };
        let mut worker = Worker::new(session(&self.network)?, &self.manifest, self.batch);
        if let Some((manifest, network)) = &self.screener {
            worker.set_screener(Worker::new(session(network)?, manifest, 1));
        }
        let open = |(about, network): &(Arc<Verifier>, Vec<u8>)| {
            VerifierSession::open(network, about, &self.environment)
        };
        worker.set_verifier(self.verifier.as_ref().map(open).transpose()?);
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

    /// The thresholds that the model recommends.
    pub fn thresholds(&self) -> &Thresholds {
        &self.manifest.advice
    }
}
