//! Evidence pictures: plain files `pictures/<id>.jpg`, whole or not there.

use super::Store;
use crate::error::{Error, Kind, Result};
use crate::triage::id::PictureId;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

impl Store {
    /// Keeps a picture; on the disk when this returns. The same picture again changes nothing.
    pub async fn keep_picture(&self, picture: PictureId, bytes: Vec<u8>) -> Result<()> {
        let file = self.picture_file(picture);
        on_a_thread(move || if file.exists() { Ok(()) } else { write_whole(&file, &bytes) })
            .await?
            .map_err(|e| Error::unavailable(format!("cannot keep picture {picture}: is the disk full?")).because(e))
    }

    /// # Errors
    /// `NotFound` when it was never kept.
    pub async fn picture(&self, picture: PictureId) -> Result<Vec<u8>> {
        let file = self.picture_file(picture);
        on_a_thread(move || fs::read(file)).await?.map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Error::new(Kind::NotFound, format!("no picture {picture}")),
            _ => Error::unavailable(format!("cannot read picture {picture}")).because(e),
        })
    }

    fn picture_file(&self, picture: PictureId) -> PathBuf {
        self.pictures.join(format!("{picture}.jpg"))
    }
}

/// Written beside, flushed, renamed: a crash leaves the whole file or none, and the name itself survives a power cut. What could not be
/// written whole gives its room back.
fn write_whole(file: &Path, bytes: &[u8]) -> io::Result<()> {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let beside = file.with_extension(format!("{}.part", WRITTEN.fetch_add(1, Ordering::Relaxed)));
    let written = File::create(&beside).and_then(|mut part| {
        part.write_all(bytes)?;
        part.sync_all()
    });
    if let Err(e) = written.and_then(|()| fs::rename(&beside, file)) {
        // The first error says what is wrong; what cannot be removed is swept away at the next start.
        let _ = fs::remove_file(&beside);
        return Err(e);
    }
    match file.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Removes what a crash left half written.
pub(super) fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for part in entries.map(|it| it.path()).filter(|it| it.extension().is_some_and(|it| it == "part")) {
        if let Err(e) = fs::remove_file(&part) {
            tracing::warn!("{} cannot be removed: {e}", part.display());
        }
    }
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| Error::internal("the picture thread died").because(e))
}
