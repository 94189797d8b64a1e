//! The watched folder. A list is read once its file has stopped growing, and then kept under
//! `read/` or `refused/` with a note on what could not be used. The original moves only after its
//! hotspots are stored, so a power cut loses nothing. While a list is read its name stands in the
//! folder: what has ended the program twice is refused, and not read again.

use super::bytes;
use super::format::{Parsed, Rejected, parse_mapped};
use crate::config::Mapping;
use crate::error::{Error, Kind, Result};
use crate::lang::Lang;
use crate::triage::hotspot::Hotspot;
use jiff::Timestamp;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Endings of files that a browser or a copying program is still writing.
const UNFINISHED: [&str; 4] = ["part", "tmp", "crdownload", "new"];
/// Lists read by one scan; the next scan reads the rest. This bounds the memory of one scan.
const FILES_MAX: usize = 16;
/// When a list was set aside, UTC, at the beginning of its name.
const STAMP: &str = "%Y%m%dT%H%M%SZ";
/// Holds the name of the list that is being read; and of one during which the program has ended.
const READING: &str = ".reading";
const READING_AGAIN: &str = ".reading-again";

/// Remembers between two scans which files have stopped growing.
#[derive(Debug)]
pub struct FolderWatch {
    folder: PathBuf,
    pipelines: PathBuf,
    mappings: Vec<Mapping>,
    lang: Lang,
    seen: HashMap<PathBuf, (u64, Option<SystemTime>)>,
    /// How often each has been read without having been moved since: those that cannot be read do
    /// not keep the others waiting.
    tried: HashMap<PathBuf, u64>,
    /// Whether it is known what the program was reading when it ended; and what that was.
    has_begun: bool,
    suspect: Option<PathBuf>,
    /// Has ended the program twice, and is not read again: it is to be moved to `refused/`.
    condemned: Option<PathBuf>,
}

/// The result of one scan.
#[derive(Debug, Default)]
pub struct Scan {
    pub batches: Vec<Batch>,
    pub refused: Vec<Refused>,
    /// Files that cannot be read or moved; they stay, and are tried again.
    pub stuck: Vec<Refused>,
}

/// One list that could be read. Store its hotspots, then call [`FolderWatch::keep`].
#[derive(Clone, PartialEq, Debug)]
pub struct Batch {
    pub path: PathBuf,
    pub hotspots: Vec<Hotspot>,
    pub rejected: Vec<Rejected>,
    /// A sentence for each sheet of a workbook that is no list.
    pub unread: Vec<String>,
}

/// One file of which nothing is known, and why.
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
            tried: HashMap::new(),
            has_begun: false,
            suspect: None,
            condemned: None,
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
        let settled = self.settled()?;
        if !self.has_begun {
            self.look_back();
            self.has_begun = true;
        }
        self.refuse_condemned(now, &mut scan);
        let condemned = self.condemned.clone();
        let may_be_read = |path: &PathBuf| Some(path) != condemned.as_ref();
        for path in settled.into_iter().filter(may_be_read).take(FILES_MAX) {
            let name = file_name(&path);
            match self.read(&path, &name, now) {
                Ok(Parsed { hotspots, rejected, unread, .. }) => {
                    scan.batches.push(Batch { path, hotspots, rejected, unread });
                }
                Err(error) if error.kind == Kind::Invalid => {
                    let reason = error.message;
                    match self.set_aside(&path, "refused", Some(&reason), now) {
                        Ok(()) => scan.refused.push(Refused { name, reason }),
                        Err(e) => scan.stuck.push(Refused { name, reason: e.chain() }),
                    }
                }
                Err(error) => scan.stuck.push(Refused { name, reason: error.chain() }),
            }
        }
        Ok(scan)
    }

    /// Whatever a file does to its reader, it is one file with words.
    fn read(&mut self, path: &Path, name: &str, now: Timestamp) -> Result<Parsed> {
        *self.tried.entry(path.to_owned()).or_default() += 1;
        let is_suspect = self.suspect.as_deref() == Some(path);
        let marker = self.folder.join(if is_suspect { READING_AGAIN } else { READING });
        // On a full disk the list is read without it: it may be a fire.
        _ = fs::write(&marker, path.file_name().unwrap_or_default().as_bytes());
        let read = || {
            bytes::read_file(path, &self.pipelines, self.lang)
                .and_then(|bytes| parse_mapped(&bytes, name, now, &self.mappings, self.lang))
        };
        let parsed = catch_unwind(AssertUnwindSafe(read));
        _ = fs::remove_file(&marker);
        let parsed = parsed.unwrap_or_else(|_| {
            let words = self.lang.pick(
                "读取时程序出错，文件可能已损坏；请用 Excel 或 WPS 打开，另存为 CSV 后重新放入",
                "the program failed while it read this file, which may be damaged: open it in a \
                spreadsheet program, save it as CSV and put that in",
            );
            Err(Error::invalid(format!("{name}: {words}")))
        });
        // The next list of this name is another one.
        if is_suspect && parsed.as_ref().err().is_none_or(|e| e.kind == Kind::Invalid) {
            self.suspect = None;
        }
        parsed
    }

    /// What was being read when the program ended may have ended it, or a power cut did: it is read
    /// once more, after all others. What ends the program again is refused.
    fn look_back(&mut self) {
        self.condemned = self.named(READING_AGAIN);
        self.suspect = self.named(READING);
        self.tried.extend(self.suspect.clone().map(|path| (path, 1)));
        _ = fs::remove_file(self.folder.join(READING));
        if self.condemned.is_none() {
            _ = fs::remove_file(self.folder.join(READING_AGAIN));
        }
    }

    /// Until it can be moved its name stays in the folder, for the next start of the program. The
    /// other lists do not wait for it.
    fn refuse_condemned(&mut self, now: Timestamp, scan: &mut Scan) {
        let Some(path) = self.condemned.take() else { return };
        let name = file_name(&path);
        let reason = self.lang.pick(
            "程序两次在读取此文件时中断，不再读取；请用 Excel 或 WPS 打开，另存为 CSV 后重新放入",
            "the program has ended twice while it read this file, and does not read it again: \
            open it in a spreadsheet program, save it as CSV and put that in",
        );
        match self.set_aside(&path, "refused", Some(reason), now) {
            Ok(()) => scan.refused.push(Refused { name, reason: reason.to_owned() }),
            Err(e) if path.is_file() => {
                scan.stuck.push(Refused { name, reason: e.chain() });
                self.condemned = Some(path);
                return;
            }
            // Somebody has taken it away.
            Err(_) => {}
        }
        _ = fs::remove_file(self.folder.join(READING_AGAIN));
    }

    /// The list whose name stands in a marker, if both are there.
    fn named(&self, marker: &str) -> Option<PathBuf> {
        let name = fs::read(self.folder.join(marker)).ok()?;
        let path = self.folder.join(Path::new(OsStr::from_bytes(&name)).file_name()?);
        Some(path).filter(|path| path.is_file() && !is_unfinished(path))
    }

    /// Files whose size and time have not changed since the last scan; those first that were tried
    /// least, by name.
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
        self.tried.retain(|path, _| present.contains_key(path));
        settled.sort_by_cached_key(|path| (self.tried.get(path).copied(), path.clone()));
        self.seen = present;
        Ok(settled)
    }

    /// Moves a list whose hotspots are stored to `read/`, with a note on what was not taken.
    pub fn keep(&mut self, batch: &Batch, now: Timestamp) -> Result<()> {
        let lines = batch.rejected.iter().map(|row| match self.lang {
            Lang::Zh => format!("第{}行：{}\n", row.line, row.reason),
            Lang::En => format!("line {}: {}\n", row.line, row.reason),
        });
        let unread = batch.unread.iter().map(|sentence| format!("{sentence}\n"));
        let note: String = lines.chain(unread).collect();
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
        if let Err(e) = fs::rename(path, &target) {
            // It is tried again, and has one note then.
            _ = fs::remove_file(beside(&target));
            return Err(failed(e));
        }
        self.seen.remove(path);
        self.tried.remove(path);
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
    let stem = format!("{}-{name}", now.strftime(STAMP));
    let free = |n: &u32| !folder.join(numbered(&stem, *n)).exists();
    Ok(folder.join(numbered(&stem, (1..).find(free).unwrap_or(1))))
}

/// When the list was set aside that got this name by it.
pub fn kept_at(name: &str) -> Option<Timestamp> {
    let is_number = |n: &&str| !n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit());
    let stem = name.split_once('-').filter(|(n, _)| is_number(n)).map_or(name, |(_, stem)| stem);
    let stamp = stem.split_once('-')?.0;
    let time = jiff::civil::DateTime::strptime(STAMP, stamp).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
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

    /// Sixteen lists that cannot be got rid of, and a good one behind them.
    #[test]
    fn lists_that_stay_keep_no_other_waiting() {
        let dir = tempfile::tempdir().expect("a folder");
        let mut watch = FolderWatch::new(dir.path(), Path::new("pipelines"), Lang::En);
        for n in 0..FILES_MAX {
            fs::write(dir.path().join(format!("a{n:02}.csv")), LIST).expect("written");
        }
        fs::write(dir.path().join("z.csv"), LIST).expect("written");
        watch.scan(now()).expect("a first look");
        // Nobody stores what was read: all of them stay.
        let first = watch.scan(now()).expect("a look");
        assert_eq!(first.batches.len(), FILES_MAX);
        let second = watch.scan(now()).expect("a look");
        let file = file_name(&second.batches[0].path);
        assert_eq!(file, "z.csv", "its turn comes before that of those that were tried");
    }

    #[test]
    fn what_ends_the_program_is_read_once_more_and_never_again() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        let start = || FolderWatch::new(dir.path(), Path::new("pipelines"), Lang::En);
        fs::write(at("a.csv"), LIST).expect("written");
        fs::write(at("b.csv"), LIST).expect("written");
        fs::write(at(READING), "a.csv").expect("as it was when it died");
        let mut watch = start();
        watch.scan(now()).expect("a first look");
        let read: Vec<_> = watch.scan(now()).expect("a look").batches;
        let read: Vec<_> = read.iter().map(|batch| file_name(&batch.path)).collect();
        assert_eq!(read, ["b.csv", "a.csv"], "it may have been a power cut; the others come first");
        assert_eq!((at(READING).exists(), at(READING_AGAIN).exists()), (false, false));

        fs::write(at(READING_AGAIN), "a.csv").expect("it has died of it again");
        let mut watch = start();
        let first = watch.scan(now()).expect("a look");
        assert!(first.refused.len() == 1 && first.refused[0].reason.contains("twice"));
        assert_eq!(watch.scan(now()).expect("a look").batches.len(), 1, "the other list is read");
        assert_eq!(names(&at("refused")).len(), 2, "it is kept, with its note");
        assert!(!at(READING_AGAIN).exists());
    }

    #[test]
    fn what_ends_the_program_and_cannot_be_moved_is_left_alone_and_the_others_are_read() {
        let dir = tempfile::tempdir().expect("a folder");
        let at = |name: &str| dir.path().join(name);
        let start = || FolderWatch::new(dir.path(), Path::new("pipelines"), Lang::En);
        fs::write(at("a.csv"), LIST).expect("written");
        fs::write(at("b.csv"), LIST).expect("written");
        fs::write(at(READING_AGAIN), "a.csv").expect("it has died of it twice");
        fs::write(at("refused"), "").expect("a file where the folder should be");
        // The second time it is a new start of the program.
        for mut watch in [start(), start()] {
            watch.scan(now()).expect("a first look");
            let scan = watch.scan(now()).expect("a look");
            let read: Vec<_> = scan.batches.iter().map(|batch| file_name(&batch.path)).collect();
            assert_eq!(read, ["b.csv"]);
            assert!(scan.stuck.iter().any(|it| it.name == "a.csv"), "{:?}", scan.stuck);
        }
        fs::remove_file(at("refused")).expect("mended");
        let mut watch = start();
        assert_eq!(watch.scan(now()).expect("a look").refused.len(), 1);
        assert!(!at(READING_AGAIN).exists() && !at("a.csv").exists());
    }

    #[test]
    fn a_list_that_was_read_after_all_makes_no_suspect_of_the_next_one_of_its_name() {
        let dir = tempfile::tempdir().expect("a folder");
        fs::write(dir.path().join("a.csv"), LIST).expect("written");
        fs::write(dir.path().join(READING), "a.csv").expect("as after a power cut");
        let mut watch = FolderWatch::new(dir.path(), Path::new("pipelines"), Lang::En);
        watch.scan(now()).expect("a first look");
        assert!(watch.suspect.is_some());
        assert_eq!(watch.scan(now()).expect("a look").batches.len(), 1);
        assert_eq!(watch.suspect, None);
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
