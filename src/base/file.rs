//! Files that are complete or absent, whatever happens: a crash, a full disk, a power cut.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// End of the name of a file that is being written. One that a crash left behind may be removed.
pub const UNFINISHED: &str = "part";

/// Writes a file: beside it under another name, flushed, renamed, and its folder flushed, without
/// which a power cut may take back the name. When it fails, the old file stays, and nothing lies
/// beside it.
///
/// Everything that must not be lost or half there is written this way: registers, evidence
/// pictures, what a backup holds, lists that were fetched.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fill(path, |file| file.write_all(bytes))
}

/// The same for content that is produced while it is written.
pub fn fill<T>(path: &Path, write: impl FnOnce(&mut File) -> io::Result<T>) -> io::Result<T> {
    let beside = beside(path);
    let written = put(&beside, path, write);
    if written.is_err() {
        // The first error is the one to report. What cannot be removed either is named as
        // unfinished.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn put<T>(
    beside: &Path,
    path: &Path,
    write: impl FnOnce(&mut File) -> io::Result<T>,
) -> io::Result<T> {
    let mut file = File::create(beside)?;
    let written = write(&mut file)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    // A name without a folder lies in the working folder.
    let folder = path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."));
    sync_folder(folder)?;
    Ok(written)
}

/// Flushes a folder, so that the names in it survive a power cut.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Numbered, so that two writers of one file do not write into each other's.
fn beside(path: &Path) -> PathBuf {
    static WRITTEN: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(path.file_name().unwrap_or_default());
    name.push(format!(".{}.{UNFINISHED}", WRITTEN.fetch_add(1, Ordering::Relaxed)));
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_to_its_end_leaves_the_old_one_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("people.csv");
        write_whole(&file, b"old").expect("written");
        let full = |file: &mut File| {
            file.write_all(b"half")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        let refused: io::Result<()> = fill(&file, full);
        assert_eq!(refused.expect_err("no room").kind(), io::ErrorKind::StorageFull);
        assert_eq!(fs::read(&file).expect("still there"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn many_writers_of_one_file_leave_one_of_their_texts_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("grids.geojson");
        let texts: Vec<Vec<u8>> = (b'a'..=b'h').map(|letter| vec![letter; 100_000]).collect();
        std::thread::scope(|threads| {
            for text in &texts {
                threads.spawn(|| write_whole(&file, text).expect("written"));
            }
        });
        assert!(texts.contains(&fs::read(&file).expect("there")));
    }
}
