//! Finds new pictures in a folder: which subfolders are being written to, which files have arrived,
//! and whether they are complete.

use crate::base::time::county_time;
use crate::camera::fault::Fault;
use crate::camera::fault::delivery::Delivery;
use crate::camera::image_file::{MAX_BYTES, is_picture, is_whole};
use crate::camera::receive::first_picture::FirstPicture;
use crate::camera::receive::times::time_in_name;
use jiff::{SignedDuration, Timestamp};
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};

/// Cameras file by date, channel and hour. `2026-11-22/001/jpg/10/22/30.jpg` is the deepest layout
/// known.
const DEPTH_MAX: usize = 6;
/// More files in one folder make every poll slow. A picture every 10 s reaches this number in six
/// days; cameras and FTP servers file by day.
const FILES_MAX: usize = 50_000;
/// A file that does not end as a picture does and has not grown for this time is judged as it is:
/// what stands behind a whole picture in it does not matter, half a picture is told.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_secs(5);
/// File systems count time in steps. A folder written just before it was read may change again
/// within the same step.
const STEP: SignedDuration = SignedDuration::from_secs(2);
/// A camera's clock may be ahead by this much. A picture dated further in the future gets its
/// arrival time.
const AHEAD_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Remembers what has been seen.
pub(super) struct Follower {
    root: PathBuf,
    folders: HashMap<PathBuf, Folder>,
    /// Files that were incomplete at the last poll.
    growing: HashMap<PathBuf, Growing>,
    taken: Option<File>,
    hasher: RandomState,
}

#[derive(Default)]
struct Folder {
    changed_at: Option<Timestamp>,
    listed_at: Option<Timestamp>,
    into: Vec<PathBuf>,
    /// Hashed names: eight bytes each, whatever their length.
    seen: HashSet<u64>,
}

struct Growing {
    len: u64,
    since: Timestamp,
}

/// A picture file as the folder shows it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct File {
    changed_at: Timestamp,
    path: PathBuf,
    len: u64,
}

/// The result of one poll. `newest` is None when nothing new has arrived.
#[derive(Debug, Default)]
pub(super) struct Poll {
    pub newest: Option<Newest>,
    pub bytes: Option<Vec<u8>>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Newest {
    pub file: String,
    /// From the file name, in the county's time zone; otherwise the time of arrival.
    pub taken_at: Timestamp,
    pub arrived_at: Timestamp,
}

impl Follower {
    pub(super) fn new(root: PathBuf) -> Self {
        let (folders, growing) = (HashMap::new(), HashMap::new());
        Self { root, folders, growing, taken: None, hasher: RandomState::new() }
    }

    /// The newest complete picture that has not been handed out yet. Blocks on the disk.
    pub(super) fn look(&mut self, now: Timestamp) -> Result<Poll, Fault> {
        let mut files = self.arrived(now)?;
        files.sort();
        let mut fault = None;
        while let Some(file) = files.pop() {
            // Equal does not mean older: network shares count time in whole seconds.
            match &self.taken {
                Some(taken) if file.changed_at < taken.changed_at => break,
                Some(taken) if file == *taken => continue,
                _ => {}
            }
            if file.len > MAX_BYTES as u64 {
                fault = Some(Delivery::TooLarge { mb: MAX_BYTES / 1_000_000 });
                continue;
            }
            let mut bytes = match std::fs::read(&file.path) {
                Ok(bytes) => bytes,
                // Deleted or renamed meanwhile.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(cannot_open(&file.path, &e)),
            };
            if !is_whole(&bytes) {
                if !self.has_settled(&file, now) {
                    continue;
                }
                let file = || name_of(&file.path);
                match FirstPicture::new(MAX_BYTES).push(&bytes) {
                    Ok(Some(picture)) => bytes = picture,
                    // It is still waited for: a slow line may bring the rest.
                    _ if is_picture(&bytes) => {
                        fault = Some(Delivery::TornFile { file: file() });
                        continue;
                    }
                    _ => fault = Some(Delivery::NotAPictureFile { file: file() }),
                }
            }
            self.growing.remove(&file.path);
            if !is_picture(&bytes) {
                continue;
            }
            // Older files will not be handed out any more.
            for older in &files {
                self.growing.remove(&older.path);
            }
            let newest = newest(&file, now);
            self.taken = Some(file);
            return Ok(Poll { newest: Some(newest), bytes: Some(bytes) });
        }
        fault.map_or_else(|| Ok(Poll::default()), |fault| Err(fault.into()))
    }

    /// Files not seen before, files that were incomplete, and the one handed out last if it was
    /// rewritten.
    fn arrived(&mut self, now: Timestamp) -> Result<Vec<File>, Fault> {
        let mut paths: Vec<PathBuf> = self.growing.keys().cloned().collect();
        paths.extend(self.taken.as_ref().map(|taken| taken.path.clone()));
        let mut followed = HashSet::new();
        let mut level = vec![self.root.clone()];
        for depth in 0..=DEPTH_MAX {
            let mut next = Vec::new();
            for path in level {
                let mut folder = self.folders.remove(&path).unwrap_or_default();
                match folder.list(&path, &self.hasher, now) {
                    Ok(new) => paths.extend(new),
                    Err(Fault::NoSuchFile { .. }) if depth > 0 => continue,
                    Err(fault) => return Err(fault),
                }
                next.extend(folder.into.iter().cloned());
                followed.insert(path.clone());
                self.folders.insert(path, folder);
            }
            level = next;
        }
        self.folders.retain(|path, _| followed.contains(path));
        let files: Vec<File> = paths.into_iter().filter_map(file_of).collect();
        self.growing.retain(|path, _| files.iter().any(|file| file.path == *path));
        Ok(files)
    }

    /// An incomplete file waits for its rest. True when it has not grown for `SETTLED_AFTER`.
    fn has_settled(&mut self, file: &File, now: Timestamp) -> bool {
        let growing =
            self.growing.entry(file.path.clone()).or_insert(Growing { len: file.len, since: now });
        if growing.len != file.len {
            *growing = Growing { len: file.len, since: now };
        }
        file.len > 0 && now.duration_since(growing.since) >= SETTLED_AFTER
    }
}

impl Folder {
    /// Picture files that were not there before. Also finds the subfolders to follow. Cheap when
    /// nothing has changed.
    fn list(
        &mut self,
        path: &Path,
        hasher: &RandomState,
        now: Timestamp,
    ) -> Result<Vec<PathBuf>, Fault> {
        let cannot = |e: io::Error| cannot_open(path, &e);
        let changed_at = changed_at(&path.metadata().map_err(cannot)?);
        let is_settled = |at: &Timestamp| {
            self.listed_at.is_some_and(|listed| listed.duration_since(*at) >= STEP)
        };
        if self.changed_at == Some(changed_at) && is_settled(&changed_at) {
            return Ok(Vec::new());
        }
        let (mut new, mut seen, mut folders) = (Vec::new(), HashSet::new(), Vec::new());
        for entry in std::fs::read_dir(path).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            } else if is_finished_name(&entry.file_name()) {
                let hash = hasher.hash_one(entry.file_name());
                if seen.insert(hash) && !self.seen.contains(&hash) {
                    new.push(entry.path());
                }
            }
            if seen.len() > FILES_MAX {
                return Err(
                    Delivery::TooManyFiles { folder: path.to_owned(), max: FILES_MAX }.into()
                );
            }
        }
        *self = Self {
            changed_at: Some(changed_at),
            listed_at: Some(now),
            into: to_follow(folders),
            seen,
        };
        Ok(new)
    }
}

/// At most two subfolders a level: the last by name, for folders named by date, and the one written
/// to last, for all other names.
fn to_follow(mut folders: Vec<PathBuf>) -> Vec<PathBuf> {
    folders.retain(|path| {
        !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
    });
    let last_by_name = folders.iter().max_by_key(|path| by_number(path)).cloned();
    let changed = |path: &&PathBuf| path.metadata().ok().map(|metadata| changed_at(&metadata));
    let last_changed = folders.iter().max_by_key(changed).cloned();
    let mut into: Vec<PathBuf> = last_by_name.into_iter().chain(last_changed).collect();
    into.dedup();
    into
}

/// Natural order, `9` before `10`: runs of digits compare as numbers.
fn by_number(path: &Path) -> Vec<(String, usize, String)> {
    let name = name_of(path);
    let mut parts = Vec::new();
    let mut rest = name.as_str();
    while !rest.is_empty() {
        let (words, from) =
            rest.split_at(rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len()));
        let (digits, after) =
            from.split_at(from.find(|c: char| !c.is_ascii_digit()).unwrap_or(from.len()));
        let digits = digits.trim_start_matches('0');
        parts.push((words.to_owned(), digits.len(), digits.to_owned()));
        rest = after;
    }
    parts
}

/// False for the temporary names of unfinished uploads: `.in.a.jpg`, `a.jpg.part`, `a.jpg.tmp`,
/// `a.jpg~`.
fn is_finished_name(name: &OsStr) -> bool {
    let extension =
        Path::new(name).extension().and_then(OsStr::to_str).map(str::to_ascii_lowercase);
    let is_picture = matches!(extension.as_deref(), Some("jpg" | "jpeg" | "png"));
    is_picture && !name.as_encoded_bytes().starts_with(b".")
}

fn file_of(path: PathBuf) -> Option<File> {
    let metadata = path.metadata().ok()?;
    Some(File { changed_at: changed_at(&metadata), len: metadata.len(), path })
}

fn newest(file: &File, now: Timestamp) -> Newest {
    // The clock of the machine that holds the folder may be ahead.
    let arrived_at = file.changed_at.min(now);
    let stem = file.path.file_stem().unwrap_or_default().to_string_lossy();
    let named =
        time_in_name(&stem, &county_time()).filter(|at| at.duration_since(arrived_at) <= AHEAD_MAX);
    Newest { file: name_of(&file.path), taken_at: named.unwrap_or(arrived_at).min(now), arrived_at }
}

fn changed_at(metadata: &std::fs::Metadata) -> Timestamp {
    metadata
        .modified()
        .ok()
        .and_then(|at| Timestamp::try_from(at).ok())
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn cannot_open(path: &Path, e: &io::Error) -> Fault {
    Fault::NoSuchFile { path: path.to_owned(), why: e.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const WHOLE: &[u8] = b"\xff\xd8 a picture \xff\xd9";

    fn now() -> Timestamp {
        crate::clock::Clock::System.now()
    }

    fn seen(follower: &mut Follower) -> Option<String> {
        let look = follower.look(now()).expect("the folder can be read");
        assert_eq!(look.newest.is_some(), look.bytes.is_some());
        look.newest.map(|newest| newest.file)
    }

    #[test]
    fn the_folder_of_the_present_is_found_among_those_of_other_days() {
        let root = tempfile::tempdir().expect("a folder");
        let mut follower = Follower::new(root.path().to_owned());
        for (file, is_seen) in [
            ("2026/9/30/a.jpg", true),
            ("2026/10/1/b.jpg", true),
            ("2026/10/1/001/jpg/10/c.jpg", true),
            ("2026/10/1/001/jpg/10/too/deep/d.jpg", false),
            (".hidden/e.jpg", false),
            ("f.txt", false),
            ("g.png.part", false),
            ("h.JPEG", true),
        ] {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            fs::write(&path, WHOLE).expect("writes");
            let name = is_seen.then(|| name_of(&path));
            assert_eq!(seen(&mut follower), name, "{file}");
            assert_eq!(seen(&mut follower), None, "{file} is handed out once");
        }
        // Deleting an old day writes into an old folder, which must not hide the present one.
        fs::remove_file(root.path().join("2026/9/30/a.jpg")).expect("cleared away");
        fs::write(root.path().join("2026/10/1/001/jpg/10/i.jpg"), WHOLE).expect("writes");
        assert_eq!(seen(&mut follower).as_deref(), Some("i.jpg"));
    }

    #[test]
    fn half_a_picture_waits_for_its_other_half_and_lets_others_pass() {
        let root = tempfile::tempdir().expect("a folder");
        let (half, whole) = (root.path().join("b.jpg"), root.path().join("a.jpg"));
        let mut follower = Follower::new(root.path().to_owned());
        fs::write(&whole, WHOLE).expect("writes");
        fs::write(&half, &WHOLE[..5]).expect("writes");
        assert_eq!(seen(&mut follower).as_deref(), Some("a.jpg"));
        assert_eq!(seen(&mut follower), None);
        fs::write(&half, WHOLE).expect("writes");
        assert_eq!(seen(&mut follower).as_deref(), Some("b.jpg"));
        let late = root.path().join("c.jpg");
        fs::write(&late, &WHOLE[..5]).expect("writes");
        assert_eq!(seen(&mut follower), None);
        let torn = follower.look(now() + SETTLED_AFTER).expect_err("it does not grow any more");
        assert_eq!(torn, Delivery::TornFile { file: "c.jpg".to_owned() }.into());
        fs::write(&late, WHOLE).expect("writes");
        assert_eq!(seen(&mut follower).as_deref(), Some("c.jpg"), "the rest has come after all");
    }

    #[test]
    fn a_folder_or_a_file_too_large_is_refused() {
        let root = tempfile::tempdir().expect("a folder");
        let file = fs::File::create(root.path().join("huge.jpg")).expect("a file");
        file.set_len(MAX_BYTES as u64 + 1).expect("sparse");
        let mut follower = Follower::new(root.path().to_owned());
        assert!(matches!(
            follower.look(now()),
            Err(Fault::Delivery(Delivery::TooLarge { mb: 10 }))
        ));
        for i in 0..FILES_MAX {
            fs::File::create(root.path().join(format!("{i}.jpg"))).expect("a file");
        }
        assert!(matches!(
            follower.look(now()),
            Err(Fault::Delivery(Delivery::TooManyFiles { max: FILES_MAX, .. }))
        ));
    }

    #[test]
    fn numbers_in_names_count_as_numbers() {
        for (earlier, later) in
            [("9", "10"), ("2026-9-30", "2026-10-1"), ("20261121", "20261122"), ("day09", "day10")]
        {
            assert!(
                by_number(Path::new(earlier)) < by_number(Path::new(later)),
                "{earlier} {later}"
            );
        }
    }
}
