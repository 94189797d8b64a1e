//! Evidence pictures: plain files `pictures/<id>.jpg`, complete or absent. `triage::retention`
//! decides what happens to each, from the log that is read here as it grows.

use super::Store;
use crate::base::file;
use crate::error::{Error, Kind, Result};
use crate::triage::id::PictureId;
use crate::triage::retention::{Belongs, Keeping, Ledger, Retention};
use jiff::Timestamp;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::{Mutex, MutexGuard};

/// Events read at once to catch up with the log.
const EVENTS_AT_ONCE: u32 = 1_000;

/// What has been read of the log so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf(Arc<Mutex<Read>>);

#[derive(Debug, Default)]
struct Read {
    cursor: u64,
    ledger: Ledger,
    /// Events that this version cannot read. The pictures they name are unknown.
    unreadable: u64,
}

/// A picture on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Held {
    pub picture: PictureId,
    pub bytes: u64,
    pub keeping: Keeping,
    /// It belongs to a strip, and no event names it.
    pub is_of_strip: bool,
}

/// The state of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Presence {
    Proven,
    /// Its name does not hold a hash, so its content cannot be checked.
    Unproven,
    /// The bytes differ, or cannot be read.
    Changed,
    Absent,
}

impl Store {
    /// Stores a picture; it is on the disk when this returns. A repeat changes nothing.
    pub async fn keep_picture(&self, picture: PictureId, bytes: Vec<u8>) -> Result<()> {
        let file = self.picture_file(picture);
        on_a_thread(move || if file.exists() { Ok(()) } else { file::write_whole(&file, &bytes) })
            .await?
            .map_err(|e| {
                Error::unavailable(format!("cannot store picture {picture}: is the disk full?"))
                    .because(e)
            })
    }

    /// Whether it is there; its bytes are not looked at.
    pub async fn has_picture(&self, picture: PictureId) -> bool {
        tokio::fs::try_exists(self.picture_file(picture)).await.unwrap_or_default()
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

    /// Is it there, and does it match its name?
    pub(super) async fn presence(&self, picture: PictureId) -> Result<Presence> {
        match self.picture(picture).await {
            Ok(bytes) => {
                on_a_thread(move || match picture.is_of(&bytes) {
                    Some(true) => Presence::Proven,
                    Some(false) => Presence::Changed,
                    None if bytes.is_empty() => Presence::Changed,
                    None => Presence::Unproven,
                })
                .await
            }
            Err(e) if e.kind == Kind::NotFound => Ok(Presence::Absent),
            // The disk is damaged there, so nobody can look at it.
            Err(e) => {
                tracing::warn!(%picture, "a picture cannot be read: {}", e.chain());
                Ok(Presence::Changed)
            }
        }
    }

    /// Removes a picture. One that is gone already is no error.
    pub async fn remove_picture(&self, picture: PictureId) -> Result<()> {
        match tokio::fs::remove_file(self.picture_file(picture)).await {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                Err(Error::unavailable(format!("cannot remove picture {picture}")).because(e))
            }
            _ => Ok(()),
        }
    }

    /// Whose evidence a picture is. `None`: no incident names it.
    pub async fn picture_belongs(&self, picture: PictureId) -> Result<Option<Belongs>> {
        Ok(self.read_on().await?.ledger.belongs(picture))
    }

    /// What the retention rule says about a picture. `None`: no incident names it.
    pub async fn keeping(
        &self,
        picture: PictureId,
        policy: &Retention,
        now: Timestamp,
    ) -> Result<Option<Keeping>> {
        Ok(self.read_on().await?.ledger.keeping(picture, policy, now))
    }

    /// All pictures on the disk. Pictures of sightings that are not filed yet must be kept, because
    /// their incident will need them. While part of the log or such a sighting cannot be read, all
    /// pictures must be.
    pub async fn held_pictures(&self, policy: &Retention, now: Timestamp) -> Result<Vec<Held>> {
        let folder = self.pictures.clone();
        // Listed before the log is read, so that a picture written meanwhile is not in the list.
        let files = on_a_thread(move || listed(&folder)).await?;
        let files = files
            .map_err(|e| Error::unavailable("cannot read the folder of pictures").because(e))?;
        // Read before the log, too: what is filed meanwhile is then in the log.
        let unfiled = self.unfiled_pictures().await?;
        let strips = self.strip_owners().await?;
        let read = self.read_on().await?;
        let held = |(picture, bytes, kept_at): (PictureId, u64, Timestamp)| {
            let named = read.ledger.keeping(picture, policy, now);
            let of_strips = strips.get(&picture).into_iter().flatten();
            let of_strip = of_strips.map(|(of, at)| read.ledger.strip(*of, *at, policy, now)).max();
            let keeping = match &unfiled {
                Some(unfiled) if read.unreadable == 0 && !unfiled.contains(&picture) => {
                    named.or(of_strip).unwrap_or_else(|| policy.unclaimed(kept_at, now))
                }
                _ => Keeping::Owed,
            };
            Held { picture, bytes, keeping, is_of_strip: of_strip.is_some() }
        };
        Ok(files.into_iter().map(held).collect())
    }

    /// Catches up with the log.
    async fn read_on(&self) -> Result<MutexGuard<'_, Read>> {
        let mut read = self.shelf.0.lock().await;
        loop {
            let entries = self.events_after(read.cursor, EVENTS_AT_ONCE).await?;
            let Some(last) = entries.last() else { return Ok(read) };
            read.cursor = last.cursor;
            for entry in &entries {
                match &entry.recorded {
                    Some(recorded) => read.ledger.note(entry.incident, recorded),
                    None => read.unreadable += 1,
                }
            }
        }
    }

    fn picture_file(&self, picture: PictureId) -> PathBuf {
        self.pictures.join(format!("{picture}.jpg"))
    }
}

/// Complete pictures with length and modification time.
fn listed(folder: &Path) -> io::Result<Vec<(PictureId, u64, Timestamp)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let id =
            name.to_str().and_then(|it| it.strip_suffix(".jpg")).and_then(|it| it.parse().ok());
        // Removed meanwhile, or a foreign file: ignored.
        let (Some(id), Ok(about)) = (id, entry.metadata()) else { continue };
        if let Some(at) = about.modified().ok().and_then(|at| Timestamp::try_from(at).ok()) {
            found.push((id, about.len(), at));
        }
    }
    Ok(found)
}

/// Removes incomplete files left by a crash.
pub(super) fn sweep(folder: &Path) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for part in entries
        .map(|it| it.path())
        .filter(|it| it.extension().is_some_and(|it| it == file::UNFINISHED))
    {
        if let Err(e) = fs::remove_file(&part) {
            tracing::warn!("{} cannot be removed: {e}", part.display());
        }
    }
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|e| Error::internal("the picture thread died").because(e))
}
