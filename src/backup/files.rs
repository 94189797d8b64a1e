//! Atomic copies, and their hashes.

use crate::base::file;
use crate::error::{Error, Result};
use crate::lang::Words;
use sha2::{Digest, Sha256};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// The error for an operation on this file or folder that failed.
pub(super) fn failed(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let words =
        Words::new("无法读写", "cannot be read or written").after(&format!("{}:", path.display()));
    move |e| Error::unavailable(words).because(e)
}

/// A folder that only its owner can read: backups hold phone numbers and the addresses of cameras.
pub(super) fn private_folder(path: &Path) -> Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed(path))
}

/// Regular files below a folder, as sorted relative paths. Empty when the folder does not exist.
pub(super) fn below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(inner) = folders.pop() {
        let at = folder.join(&inner);
        let entries = match fs::read_dir(&at) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(failed(&at))?,
        };
        for entry in entries {
            let entry = entry.map_err(failed(&at))?;
            let kind = entry.file_type().map_err(failed(&at))?;
            let name = inner.join(entry.file_name());
            if kind.is_dir() {
                folders.push(name);
            } else if entry.path().is_file() {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Copies a file: complete and on the disk, or not there. Returns sha256 and length of what was
/// written.
pub(super) fn copy(from: &Path, to: &Path) -> Result<(String, u64)> {
    file::fill(to, |target| fingerprint(from, |bytes| target.write_all(bytes))).map_err(failed(to))
}

/// Flushes a file to the disk. Returns its sha256 and length.
pub(super) fn settle(path: &Path) -> Result<(String, u64)> {
    File::open(path).and_then(|file| file.sync_all()).map_err(failed(path))?;
    fingerprint(path, |_| Ok(())).map_err(failed(path))
}

/// Its errors name the file.
fn fingerprint(
    path: &Path,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(String, u64)> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", path.display()));
    let mut source = File::open(path).map_err(named)?;
    let (mut hash, mut length, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 16]);
    loop {
        match source.read(&mut buffer).map_err(named)? {
            0 => return Ok((hex::encode(hash.finalize()), length)),
            read => {
                hash.update(&buffer[..read]);
                length += read as u64;
                each(&buffer[..read])?;
            }
        }
    }
}

/// Flushes a folder, so that the names in it survive a power cut.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    file::sync_folder(path).map_err(failed(path))
}

/// Evidence pictures of a folder, by name and length, without incomplete files.
pub(super) fn pictures(folder: &Path) -> Result<Vec<(String, u64)>> {
    let mut found = Vec::new();
    for path in below(folder)? {
        if path.extension().is_some_and(|it| it == "jpg") && path.components().count() == 1 {
            let length = match fs::metadata(folder.join(&path)) {
                // Removed meanwhile, because its retention ended.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                about => about.map_err(failed(folder))?.len(),
            };
            found.push((path.to_string_lossy().into_owned(), length));
        }
    }
    Ok(found)
}

/// Copies a picture unless it is there with the same length: a picture never changes. True when it
/// was copied. False also when its retention has ended meanwhile.
pub(super) fn copy_picture(name: &str, length: u64, from: &Path, to: &Path) -> Result<bool> {
    let target = to.join(name);
    if fs::metadata(&target).is_ok_and(|it| it.len() == length) {
        return Ok(false);
    }
    let source = from.join(name);
    match copy(&source, &target) {
        Err(_)
            if fs::symlink_metadata(&source)
                .is_err_and(|e| e.kind() == io::ErrorKind::NotFound) =>
        {
            Ok(false)
        }
        copied => copied.map(|_| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_whose_time_ends_before_it_is_copied_leaves_nothing_behind_and_stops_no_backup() {
        let (from, to) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        assert!(!copy_picture("gone.jpg", 3, from.path(), to.path()).expect("no fault"));
        assert_eq!(below(to.path()).expect("a list"), Vec::<PathBuf>::new());
        fs::write(from.path().join("here.jpg"), "abc").expect("a picture");
        assert!(copy_picture("here.jpg", 3, from.path(), to.path()).expect("copied"));
        assert!(
            copy_picture("here.jpg", 3, from.path(), Path::new("/nowhere")).is_err(),
            "no such folder is a fault"
        );
    }
}
