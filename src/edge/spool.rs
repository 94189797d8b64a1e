//! The spool: one file a piece in `sightings/` and `pictures/`, named by its number and its id.

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
    file: PathBuf,
}

/// What waits.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, Serialize, Deserialize)]
pub struct Waits {
    pub sightings: usize,
    pub pictures: usize,
    pub bytes: u64,
    /// Pictures given up for lack of room, since the start.
    pub shed: u64,
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
}

#[derive(Debug)]
struct Queue {
    /// Name and length of each file, the oldest first.
    files: VecDeque<(PathBuf, u64)>,
    bytes: u64,
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
}

const SIGHTINGS: &str = "sightings";
const PICTURES: &str = "pictures";

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
        let state = State { next, sightings, pictures, shed: 0 };
        let (state, fresh) = (Arc::new(Mutex::new(state)), Arc::default());
        Ok(Self { folder: folder.to_owned(), max_bytes, state, fresh })
    }

    /// Keeps a sighting: it is on the disk when this returns. Pictures give way to it.
    ///
    /// # Errors
    /// `Unavailable` when the disk or the budget is full of sightings: try again.
    pub fn keep_sighting(&self, id: SightingId, text: &[u8]) -> Result<()> {
        let state = &mut *self.state();
        self.make_room(state, text.len() as u64);
        if state.bytes() + text.len() as u64 > self.max_bytes {
            return Err(Error::unavailable(
                "the spool is full of sightings: [edge] spool_max_gib is reached, and the centre \
                is still not reachable",
            ));
        }
        let at = self.folder.join(SIGHTINGS).join(format!("{:016}-{id}.json", state.next));
        file::write_whole(&at, text).map_err(full)?;
        state.next += 1;
        state.sightings.push(at, text.len() as u64);
        self.fresh.notify_one();
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
        self.fresh.notify_one();
        Ok(())
    }

    /// The oldest sighting; when none waits, the oldest picture. `None`: nothing waits.
    pub fn next(&self) -> Option<Waiting> {
        let mut state = self.state();
        while let Some((file, _)) = state.sightings.files.front().cloned() {
            match piece(&file, "json", Piece::Sighting) {
                Ok(piece) => return Some(Waiting { piece, file }),
                Err(e) => leave_out(&mut state.sightings, &e),
            }
        }
        while let Some((file, _)) = state.pictures.files.front().cloned() {
            match piece(&file, "jpg", Piece::Picture) {
                Ok(piece) => return Some(Waiting { piece, file }),
                Err(e) => leave_out(&mut state.pictures, &e),
            }
        }
        None
    }

    /// The server has it: it need not be kept any longer.
    pub fn done(&self, sent: &Waiting) {
        let state = &mut *self.state();
        let queue = match sent.piece {
            Piece::Sighting(..) => &mut state.sightings,
            Piece::Picture(..) => &mut state.pictures,
        };
        // A picture may have been shed while it was sent.
        if queue.files.front().is_some_and(|(file, _)| *file == sent.file) {
            queue.pop();
        }
        remove(&sent.file);
    }

    pub fn waits(&self) -> Waits {
        let state = self.state();
        Waits {
            sightings: state.sightings.files.len(),
            pictures: state.pictures.files.len(),
            bytes: state.bytes(),
            shed: state.shed,
        }
    }

    /// Resolves when something was kept since the last call.
    pub async fn fresh(&self) {
        self.fresh.notified().await;
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
    fn bytes(&self) -> u64 {
        self.sightings.bytes + self.pictures.bytes
    }
}

/// A file that cannot be read stays on the disk for a person, and hides no other.
fn leave_out(queue: &mut Queue, why: &io::Error) {
    if let Some(file) = queue.pop() {
        tracing::error!("{} cannot be sent and stays there: {why}", file.display());
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
    of: impl FnOnce(I, Vec<u8>) -> Piece,
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
    Ok(Queue { files: files.into(), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn sighting(n: u128) -> SightingId {
        SightingId(Uuid::from_u128(n))
    }

    fn sent(spool: &Spool) -> Piece {
        let waiting = spool.next().expect("something waits");
        spool.done(&waiting);
        waiting.piece
    }

    #[test]
    fn what_waits_leaves_in_order_sightings_first_also_after_a_crash() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), 1 << 20).expect("opens");
        let picture = PictureId::of(Uuid::from_u128(1), b"smoke");
        spool.keep_sighting(sighting(9), b"first").expect("kept");
        spool.keep_picture(picture, b"smoke").expect("kept");
        spool.keep_sighting(sighting(3), b"second").expect("kept");
        // Killed while it wrote: nobody was told that this one is kept.
        fs::write(folder.path().join("sightings/0000000000000007-x.part"), b"{")
            .expect("a half file");
        drop(spool);
        let spool = Spool::open(folder.path(), 1 << 20).expect("opens again");
        assert_eq!(spool.waits(), Waits { sightings: 2, pictures: 1, bytes: 16, shed: 0 });
        spool.keep_sighting(sighting(1), b"third").expect("kept");
        let order = [(9, &b"first"[..]), (3, b"second"), (1, b"third")];
        for (id, text) in order {
            assert_eq!(sent(&spool), Piece::Sighting(sighting(id), text.to_vec()));
        }
        assert_eq!(sent(&spool), Piece::Picture(picture, b"smoke".to_vec()));
        assert!(spool.next().is_none());
        assert_eq!(spool.waits(), Waits::default());
        let left = |part: &str| fs::read_dir(folder.path().join(part)).expect("a folder").count();
        assert_eq!((left(SIGHTINGS), left(PICTURES)), (0, 0));
    }

    #[test]
    fn a_full_spool_sheds_its_oldest_pictures_and_no_sighting() {
        let folder = tempfile::tempdir().expect("a folder");
        let spool = Spool::open(folder.path(), 1_000).expect("opens");
        let picture = |n: u128| PictureId::of(Uuid::from_u128(n), &[n as u8; 300]);
        for n in 1..=4 {
            spool.keep_picture(picture(n), &[n as u8; 300]).expect("kept, or another shed");
        }
        assert_eq!(spool.waits(), Waits { sightings: 0, pictures: 3, bytes: 900, shed: 1 });
        spool.keep_sighting(sighting(1), &[b' '; 400]).expect("two pictures give way");
        assert_eq!(spool.waits(), Waits { sightings: 1, pictures: 2, bytes: 1_000, shed: 2 });
        spool.keep_sighting(sighting(2), &[b' '; 600]).expect("the rest gives way");
        assert_eq!(spool.waits(), Waits { sightings: 2, pictures: 0, bytes: 1_000, shed: 4 });
        spool.keep_picture(picture(5), &[5; 300]).expect("shed at once");
        assert_eq!(spool.waits().shed, 5);
        let refused =
            spool.keep_sighting(sighting(3), b"one more").expect_err("the budget is reached");
        assert!(
            refused.kind.is_retryable() && refused.message.contains("spool_max_gib"),
            "{refused}"
        );
        assert_eq!(sent(&spool), Piece::Sighting(sighting(1), vec![b' '; 400]));
        spool.keep_sighting(sighting(3), b"one more").expect("there is room again");
    }

    #[test]
    fn a_file_that_cannot_be_read_hides_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join(SIGHTINGS)).expect("a folder");
        fs::write(folder.path().join("sightings/0000000000000001-what.json"), b"{}")
            .expect("a foreign file");
        let spool = Spool::open(folder.path(), 1_000).expect("opens");
        spool.keep_sighting(sighting(2), b"fire").expect("kept");
        assert_eq!(sent(&spool), Piece::Sighting(sighting(2), b"fire".to_vec()));
        assert!(
            folder.path().join("sightings/0000000000000001-what.json").exists(),
            "a person can look at it"
        );
    }
}
