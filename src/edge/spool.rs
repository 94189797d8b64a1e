//! The spool: one file a piece in `sightings/` and `pictures/`, named by its number and its id.

#[cfg(test)]
mod tests;

use crate::base::file;
use crate::error::{Error, Result};
use crate::triage::id::{PictureId, SightingId};
use parking_lot::{Mutex, MutexGuard};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// A piece on its way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// With its text.
    Sighting(SightingId, Vec<u8>),
    /// With its JPEG.
    Picture(PictureId, Vec<u8>),
}

/// The piece that is next, and where it waits.
#[derive(Debug)]
pub struct Waiting {
    pub piece: Piece,
    /// None: in memory, because the disk took nothing.
    file: Option<PathBuf>,
}

/// What waits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Waits {
    pub sightings: usize,
    pub pictures: usize,
    pub bytes: u64,
    /// Pictures given up for lack of room, since the start.
    pub shed: u64,
    /// Of the sightings, those in memory alone: the disk takes nothing, and a stop loses them.
    #[serde(default)]
    pub unsaved: usize,
    /// Files that cannot be read now, or ever.
    #[serde(default)]
    pub unreadable: usize,
}

/// Shared by those who fill and the one who empties it. Its functions block for the disk: call
/// them where that is allowed.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
    max_bytes: u64,
    state: Arc<Mutex<State>>,
    fresh: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    /// The number of the next piece.
    next: u64,
    sightings: Queue,
    pictures: Queue,
    shed: u64,
    unsaved: VecDeque<(SightingId, Vec<u8>)>,
}

#[derive(Debug)]
struct Queue {
    /// Name and length of each file, the oldest first.
    files: VecDeque<(PathBuf, u64)>,
    bytes: u64,
    /// Files that could not be read at the last look, and those that were left out for good.
    unread: usize,
    left_out: usize,
}

impl Queue {
    fn push(&mut self, file: PathBuf, bytes: u64) {
        self.files.push_back((file, bytes));
        self.bytes += bytes;
    }

    /// Removes the oldest piece from the list. Its file stays.
    fn pop(&mut self) -> Option<PathBuf> {
        let (file, bytes) = self.files.pop_front()?;
        self.bytes -= bytes;
        Some(file)
    }

    fn take_out(&mut self, file: &Path) {
        if let Some(at) = self.files.iter().position(|(it, _)| it == file)
            && let Some((_, bytes)) = self.files.remove(at)
        {
            self.bytes -= bytes;
        }
    }

    /// The oldest that can be read. One that cannot be read now keeps its place and hides no other;
    /// one that never can be is left to a person.
    fn first<I: FromStr>(
        &mut self,
        ending: &str,
        of: impl Fn(I, Vec<u8>) -> Piece,
    ) -> Option<Waiting> {
        self.unread = 0;
        let mut at = 0;
        while let Some((file, _)) = self.files.get(at).cloned() {
            match piece(&file, ending, &of) {
                Ok(piece) => return Some(Waiting { piece, file: Some(file) }),
                Err(e) if e.kind() == io::ErrorKind::InvalidData => {
                    tracing::error!("{} cannot be sent and stays there: {e}", file.display());
                    self.take_out(&file);
                    self.left_out += 1;
                }
                Err(e) => {
                    tracing::debug!("{} cannot be read now: {e}", file.display());
                    self.unread += 1;
                    at += 1;
                }
            }
        }
        None
    }

    fn unreadable(&self) -> usize {
        self.unread + self.left_out
    }
}

const SIGHTINGS: &str = "sightings";
const PICTURES: &str = "pictures";
/// Sightings that may wait in memory while the disk takes nothing: hours of a bad day. The next ones
/// wait in their lane.
const UNSAVED_MAX: usize = 1_000;

impl Spool {
    /// Opens the folder, makes it where it is not there yet, and finds what waits. What a crash
    /// left half written is removed: nobody was told that it is kept.
    ///
    /// # Errors
    /// `Unavailable` when the folder cannot be read or written.
    pub fn open(folder: &Path, max_bytes: u64) -> Result<Self> {
        let cannot = |e| {
            Error::unavailable(format!(
                "cannot use the folder {}: check its permissions",
                folder.display()
            ))
            .because(e)
        };
        let sightings = listed(&folder.join(SIGHTINGS), "json").map_err(cannot)?;
        let pictures = listed(&folder.join(PICTURES), "jpg").map_err(cannot)?;
        let newest =
            [&sightings, &pictures].map(|it| it.files.back().and_then(|(file, _)| number(file)));
        let next = newest.into_iter().flatten().max().map_or(0, |newest| newest + 1);
        let unsaved = VecDeque::new();
        let state = State { next, sightings, pictures, shed: 0, unsaved };
        let (state, fresh) = (Arc::new(Mutex::new(state)), Arc::default());
        Ok(Self { folder: folder.to_owned(), max_bytes, state, fresh })
    }

    /// Keeps a sighting: it is on the disk when this returns. Pictures give way to it. Where the
    /// disk takes nothing at all, it waits in memory: a full disk must not hold an alarm back while
    /// the line is up. [`Waits::unsaved`] says so.
    ///
    /// # Errors
    /// `Unavailable` when the budget is full of sightings, or memory is: try again.
    pub fn keep_sighting(&self, id: SightingId, text: &[u8]) -> Result<()> {
        let state = &mut *self.state();
        self.make_room(state, text.len() as u64);
        if state.bytes() + text.len() as u64 > self.max_bytes {
            return Err(Error::unavailable(
                "the spool is full of sightings: [edge] spool_max_gib is reached, and the centre \
                is still not reachable",
            ));
        }
        match self.save(state, id, text) {
            Err(e) if state.unsaved.len() >= UNSAVED_MAX => return Err(full(e)),
            Err(e) => {
                tracing::error!(sighting = %id, "an alarm is in memory only: {e}");
                state.unsaved.push_back((id, text.to_vec()));
            }
            Ok(()) => {}
        }
        self.fresh.notify_waiters();
        Ok(())
    }

    /// Writes a sighting. While the disk is full, the oldest pictures give way.
    fn save(&self, state: &mut State, id: SightingId, text: &[u8]) -> io::Result<()> {
        let at = self.folder.join(SIGHTINGS).join(format!("{:016}-{id}.json", state.next));
        while let Err(e) = file::write_whole(&at, text) {
            if !matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
                return Err(e);
            }
            let Some(oldest) = state.pictures.pop() else { return Err(e) };
            remove(&oldest);
            state.shed += 1;
        }
        state.next += 1;
        state.sightings.push(at, text.len() as u64);
        Ok(())
    }

    /// Keeps a picture if there is room; the oldest pictures give way to it.
    ///
    /// # Errors
    /// `Unavailable` when the disk is full: try again.
    pub fn keep_picture(&self, id: PictureId, jpeg: &[u8]) -> Result<()> {
        let state = &mut *self.state();
        self.make_room(state, jpeg.len() as u64);
        if state.bytes() + jpeg.len() as u64 > self.max_bytes {
            state.shed += 1;
            return Ok(());
        }
        let at = self.folder.join(PICTURES).join(format!("{:016}-{id}.jpg", state.next));
        file::write_whole(&at, jpeg).map_err(full)?;
        state.next += 1;
        state.pictures.push(at, jpeg.len() as u64);
        self.fresh.notify_waiters();
        Ok(())
    }

    /// The oldest sighting: first those on the disk, then those in memory.
    pub fn next_sighting(&self) -> Option<Waiting> {
        let state = &mut *self.state();
        // The disk may take again what it refused.
        while let Some((id, text)) = state.unsaved.pop_front() {
            if let Err(e) = self.save(state, id, &text) {
                tracing::debug!("still in memory only: {e}");
                state.unsaved.push_front((id, text));
                break;
            }
        }
        let saved = state.sightings.first("json", Piece::Sighting);
        saved.or_else(|| {
            let (id, text) = state.unsaved.front()?.clone();
            Some(Waiting { piece: Piece::Sighting(id, text), file: None })
        })
    }

    /// The oldest picture, if no sighting waits that can be sent.
    pub fn next_picture(&self) -> Option<Waiting> {
        let state = &mut *self.state();
        if state.is_free() { state.pictures.first("jpg", Piece::Picture) } else { None }
    }

    /// The server has it: it need not be kept any longer.
    pub fn done(&self, sent: &Waiting) {
        let state = &mut *self.state();
        match (&sent.file, &sent.piece) {
            (None, _) => _ = state.unsaved.pop_front(),
            (Some(file), Piece::Sighting(..)) => state.sightings.take_out(file),
            // It may have been shed while it was sent.
            (Some(file), Piece::Picture(..)) => state.pictures.take_out(file),
        }
        if let Some(file) = &sent.file {
            remove(file);
        }
        // The way is free for the pictures that waited behind it.
        if state.is_free() {
            self.fresh.notify_waiters();
        }
    }

    pub fn waits(&self) -> Waits {
        let state = self.state();
        Waits {
            sightings: state.sightings.files.len() + state.unsaved.len(),
            pictures: state.pictures.files.len(),
            bytes: state.bytes(),
            shed: state.shed,
            unsaved: state.unsaved.len(),
            unreadable: state.sightings.unreadable() + state.pictures.unreadable(),
        }
    }

    /// Resolves when something is kept from now on. Ask for it before looking what waits.
    pub fn fresh(&self) -> Notified<'_> {
        self.fresh.notified()
    }

    fn make_room(&self, state: &mut State, bytes: u64) {
        while state.bytes() + bytes > self.max_bytes
            && let Some(oldest) = state.pictures.pop()
        {
            remove(&oldest);
            state.shed += 1;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

impl State {
    /// No sighting waits but those that cannot be read.
    fn is_free(&self) -> bool {
        self.sightings.files.len() <= self.sightings.unread && self.unsaved.is_empty()
    }

    fn bytes(&self) -> u64 {
        self.sightings.bytes + self.pictures.bytes
    }
}

fn full(e: io::Error) -> Error {
    Error::unavailable("cannot write to the spool: is the disk full?").because(e)
}

fn remove(file: &Path) {
    match fs::remove_file(file) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(
                "{} was sent and cannot be removed; it will be sent again: {e}",
                file.display()
            );
        }
        _ => {}
    }
}

fn piece<I: FromStr>(
    file: &Path,
    ending: &str,
    of: impl Fn(I, Vec<u8>) -> Piece,
) -> io::Result<Piece> {
    let name = file
        .file_name()
        .and_then(|it| it.to_str())
        .and_then(|it| it.strip_suffix(&format!(".{ending}")));
    let id = name.and_then(|it| it.split_once('-')).and_then(|(_, id)| id.parse().ok());
    let id = id.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "its name has no id"))?;
    Ok(of(id, fs::read(file)?))
}

/// The number of a piece, from its file's name.
fn number(file: &Path) -> Option<u64> {
    file.file_name()?.to_str()?.split_once('-')?.0.parse().ok()
}

fn listed(folder: &Path, ending: &str) -> io::Result<Queue> {
    fs::create_dir_all(folder)?;
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, bytes) = (entry.path(), entry.metadata()?.len());
        match path.extension() {
            Some(it) if it == ending && number(&path).is_some() => files.push((path, bytes)),
            Some(it) if it == file::UNFINISHED => remove(&path),
            _ => {}
        }
    }
    // Numbers have a fixed width, so names sort by them.
    files.sort();
    let bytes = files.iter().map(|(_, bytes)| bytes).sum();
    Ok(Queue { files: files.into(), bytes, unread: 0, left_out: 0 })
}
