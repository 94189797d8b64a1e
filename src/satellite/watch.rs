//! The watched folder. A list is read once its file has stopped growing, and then kept under
//! `read/` or `refused/` with a note on what could not be used. The original moves only after its
//! hotspots are stored, so a power cut loses nothing.

use super::bytes;
use super::format::{Rejected, parse_mapped};
use crate::config::Mapping;
use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use crate::triage::hotspot::Hotspot;
use jiff::Timestamp;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Endings of files that a browser or a copying program is still writing.
const UNFINISHED: [&str; 4] = ["part", "tmp", "crdownload", "new"];
/// Lists read by one scan; the next scan reads the rest. This bounds the memory of one scan.
const FILES_MAX: usize = 16;

/// Remembers between two scans which files have stopped growing.
#[derive(Debug)]
pub struct FolderWatch {
    folder: PathBuf,
    pipelines: PathBuf,
    mappings: Vec<Mapping>,
    lang: Lang,
    seen: HashMap<PathBuf, (u64, Option<SystemTime>)>,
}

/// The result of one scan.
#[derive(Debug, Default)]
pub struct Scan {
    pub batches: Vec<Batch>,
    pub refused: Vec<Refused>,
}

/// One list that could be read. Store its hotspots, then call [`FolderWatch::keep`].
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    pub path: PathBuf,
    pub hotspots: Vec<Hotspot>,
    pub rejected: Vec<Rejected>,
}

/// One file that is no list; it has been moved to `refused/`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub name: String,
    pub reason: String,
}

impl FolderWatch {
    pub fn new(folder: &Path, pipelines: &Path, lang: Lang) -> Self {
        Self {
            folder: folder.to_owned(),
            pipelines: pipelines.to_owned(),
            mappings: Vec::new(),
            lang,
            seen: HashMap::new(),
        }
    }

    /// With forms of the office's own.
    #[must_use]
    pub fn reading(mut self, mappings: &[Mapping]) -> Self {
        self.mappings = mappings.to_vec();
        self
    }

    /// One scan. Blocking: for an OS thread. Error when the folder itself cannot be made or read. A
    /// single file that cannot be read is retried at the next scan, unless it is no hotspot list.
    pub fn scan(&mut self, now: Timestamp) -> Result<Scan> {
        let mut scan = Scan::default();
        for path in self.settled()?.into_iter().take(FILES_MAX) {
            let name = file_name(&path);
            let parsed = bytes::read_file(&path, &self.pipelines, self.lang)
                .and_then(|bytes| parse_mapped(&bytes, &name, now, &self.mappings, self.lang));
            match parsed {
                Ok(parsed) => {
                    scan.batches.push(Batch {
                        path,
                        hotspots: parsed.hotspots,
                        rejected: parsed.rejected,
                    });
                }
                Err(error) if error.kind == Kind::Invalid => {
                    self.set_aside(&path, "refused", Some(&error.message), now)?;
                    scan.refused.push(Refused { name, reason: error.message });
                }
                Err(error) => tracing::warn!(
                    file = name,
                    reason = error.chain(),
                    "hotspot file not readable yet"
                ),
            }
        }
        Ok(scan)
    }

    /// Files whose size and time have not changed since the last scan, by name.
    fn settled(&mut self) -> Result<Vec<PathBuf>> {
        let unreadable = |e: std::io::Error| {
            Error::unavailable(format!("cannot read the folder {}", self.folder.display()))
                .because(e)
        };
        fs::create_dir_all(&self.folder).map_err(unreadable)?;
        let mut present = HashMap::new();
        for entry in fs::read_dir(&self.folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            // Removed meanwhile, or unreadable: ignored.
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            if meta.is_file() && !is_unfinished(&path) {
                present.insert(path, (meta.len(), meta.modified().ok()));
            }
        }
        let mut settled: Vec<PathBuf> = present
            .iter()
            .filter(|(path, now)| self.seen.get(*path) == Some(*now))
            .map(|(path, _)| path.clone())
            .collect();
        settled.sort();
        self.seen = present;
        Ok(settled)
    }

    /// Moves a list whose hotspots are stored to `read/`, with a note on its rejected rows.
    pub fn keep(&mut self, batch: &Batch, now: Timestamp) -> Result<()> {
        let lines = batch.rejected.iter().map(|row| match self.lang {
            Lang::Zh => format!("第{}行：{}\n", row.line, row.reason),
            Lang::En => format!("line {}: {}\n", row.line, row.reason),
        });
        let note: String = lines.collect();
        self.set_aside(
            &batch.path,
            "read",
            Some(note.as_str()).filter(|note| !note.is_empty()),
            now,
        )
    }

    /// `read/20261121T060000Z-名.csv`, and the note, if any, with `.txt` appended.
    fn set_aside(
        &mut self,
        path: &Path,
        folder: &str,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<()> {
        let failed = |e: std::io::Error| {
            Error::unavailable(format!("cannot move {} to {folder}/", path.display())).because(e)
        };
        let target = free_name(&self.folder.join(folder), &file_name(path), now).map_err(failed)?;
        if let Some(note) = note {
            fs::write(beside(&target), note).map_err(failed)?;
        }
        fs::rename(path, &target).map_err(failed)?;
        self.seen.remove(path);
        Ok(())
    }
}

/// Keeps an answer that is no list under `refused/`, like a file that is none.
pub fn keep_refused(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    reason: &str,
    now: Timestamp,
) -> Result<()> {
    let folder = folder.join("refused");
    let failed = |e: std::io::Error| {
        Error::unavailable(format!("cannot write to {}", folder.display())).because(e)
    };
    let target = free_name(&folder, name, now).map_err(failed)?;
    fs::write(beside(&target), reason).map_err(failed)?;
    fs::write(target, bytes).map_err(failed)
}

/// A name in the folder, made if need be, that nothing has yet.
fn free_name(folder: &Path, name: &str, now: Timestamp) -> std::io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let stem = format!("{}-{name}", now.strftime("%Y%m%dT%H%M%SZ"));
    let free = |n: &u32| !folder.join(numbered(&stem, *n)).exists();
    Ok(folder.join(numbered(&stem, (1..).find(free).unwrap_or(1))))
}

/// Of the note on a file.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(".txt");
    name.into()
}

fn numbered(stem: &str, n: u32) -> String {
    if n == 1 { stem.to_owned() } else { format!("{n}-{stem}") }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn is_unfinished(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    file_name(path).starts_with('.')
        || UNFINISHED.iter().any(|unfinished| ending.eq_ignore_ascii_case(unfinished))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,bright_ti5,frp,daynight\n\
        28.5,110.4,330.1,0.4,0.4,2026-11-21,548,N20,VIIRS,n,2.0NRT,295.1,4.2,D\n";

    fn now() -> Timestamp {
        "2026-11-21T06:00:00Z".parse().expect("a time")
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .map(|e| file_name(&e.path()))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_list_is_read_when_it_has_stopped_growing_and_moves_when_its_hotspots_are_safe() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("hotspots");
        let mut watch = FolderWatch::new(&folder, Path::new("pipelines"), Lang::En);
        assert!(watch.scan(now()).expect("an empty folder").batches.is_empty());

        let file = folder.join("n20.csv");
        fs::write(&file, &LIST[..LIST.len() - 30]).expect("written");
        assert!(watch.scan(now()).expect("a look").batches.is_empty(), "just appeared");
        fs::write(&file, format!("{LIST}1,2,3\n")).expect("written");
        assert!(watch.scan(now()).expect("a look").batches.is_empty(), "still growing");

        let scan = watch.scan(now()).expect("a look");
        assert_eq!(
            (scan.batches.len(), scan.batches[0].hotspots.len(), scan.batches[0].rejected.len()),
            (1, 1, 1)
        );
        let again = watch.scan(now()).expect("a look");
        assert_eq!(again.batches, scan.batches, "not kept yet: a power cut here loses nothing");

        watch.keep(&scan.batches[0], now()).expect("moved");
        assert_eq!(names(&folder), ["read"]);
        assert_eq!(
            names(&folder.join("read")),
            ["20261121T060000Z-n20.csv", "20261121T060000Z-n20.csv.txt"]
        );
        let note =
            fs::read_to_string(folder.join("read/20261121T060000Z-n20.csv.txt")).expect("a note");
        assert_eq!(note, "line 3: \"satellite\" is missing\n");
    }

    #[test]
    fn what_is_no_list_is_set_aside_with_the_reason() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut watch = FolderWatch::new(dir.path(), Path::new("pipelines"), Lang::Zh);
        for round in 1..=2 {
            fs::write(dir.path().join("a.csv"), "<!DOCTYPE html><title>Maintenance</title>")
                .expect("written");
            fs::write(dir.path().join("b.csv.part"), LIST).expect("written");
            assert!(watch.scan(now()).expect("a look").refused.is_empty());
            let scan = watch.scan(now()).expect("a look");
            assert_eq!((scan.batches.len(), scan.refused.len()), (0, 1));
            assert!(scan.refused[0].reason.contains("网页"), "{:?}", scan.refused);
            assert_eq!(
                names(&dir.path().join("refused")).len(),
                2 * round,
                "the same name twice is kept twice"
            );
        }
        assert!(dir.path().join("b.csv.part").exists());
    }
}
