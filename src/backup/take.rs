//! Makes a set beside the others, and removes the oldest.

use super::manifest::{self, BackupManifest, FORMAT, Fingerprint, Set, UNFINISHED};
use super::{CONFIG, CopyStep, MANIFEST, PICTURES, REGISTERS, VIEWS, files};
use crate::base::file;
use crate::error::{Error, Kind, Result};
use crate::lang::Words;
use crate::store::{self, LogHead, SQLITE_FILE};
use crate::triage::retention::Retention;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

/// What is backed up.
#[derive(Clone, Debug)]
pub struct BackupSource {
    pub data: PathBuf,
    /// The database is a file in the data folder, not a PostgreSQL server.
    pub has_sqlite: bool,
    /// The configuration in force, if it comes from a file.
    pub config: Option<PathBuf>,
    /// Decides which pictures should be there.
    pub retention: Retention,
}

/// The result of a backup.
#[derive(Clone, Debug)]
pub struct Taken {
    pub set: Set,
    /// Pictures that no earlier backup had copied.
    pub new_pictures: u64,
}

/// Makes one backup in `folder`. It counts as a backup only once its folder has its final name.
///
/// # Errors
/// `Conflict` while another backup is being written there; `Unavailable` when the folder has not
/// been prepared for backups ([`init`]).
pub fn take(
    office: &BackupSource,
    folder: &Path,
    now: Timestamp,
    mut tell: impl FnMut(CopyStep),
) -> Result<Taken> {
    let _lock = prepare(office, folder)?;
    let path = folder.join(manifest::set_name(now));
    if path.exists() {
        let words = Words::new("已存在", "already exists").after(&format!("{}:", path.display()));
        return Err(Error::new(Kind::Conflict, words));
    }
    let part = path.with_extension(&UNFINISHED[1..]);
    let made = write(office, folder, &part, now, &mut tell).and_then(|taken| {
        fs::rename(&part, &path).map_err(files::failed(&path))?;
        files::sync_folder(folder)?;
        Ok(taken)
    });
    match made {
        Ok((manifest, new_pictures)) => Ok(Taken { set: Set { path, manifest }, new_pictures }),
        Err(e) => {
            // Frees space for the next try. What cannot be removed is removed by the next backup.
            let _ = fs::remove_dir_all(&part);
            Err(e)
        }
    }
}

/// Locks the folder for as long as the returned file lives, and removes interrupted backups.
fn prepare(office: &BackupSource, folder: &Path) -> Result<File> {
    let same = |a: &Path, b: &Path| {
        fs::canonicalize(a).ok().zip(fs::canonicalize(b).ok()).is_some_and(|(a, b)| a == b)
    };
    if same(folder, &office.data) {
        return Err(Error::invalid(Words::new(
            "备份目录不能就是数据目录；请选另一块磁盘",
            "the backup folder must not be the data folder: choose another disk",
        )));
    }
    let lock = locked(folder)?;
    files::private_folder(&folder.join(PICTURES))?;
    for unfinished in manifest::folders(folder, manifest::is_unfinished)? {
        fs::remove_dir_all(&unfinished).map_err(files::failed(&unfinished))?;
    }
    Ok(lock)
}

/// The file that marks a folder for backups.
const LOCK: &str = "lock";

/// Prepares a folder for backups. Only a person does this, never the program itself: where a disk
/// is not mounted, its folder lies on the system's own disk, and backups there would be lost
/// together with the data.
pub fn init(folder: &Path) -> Result<()> {
    files::private_folder(folder)?;
    let file = folder.join(LOCK);
    File::options().create(true).append(true).open(&file).map_err(files::failed(&file))?;
    files::sync_folder(folder)
}

/// Whether backups may be written there.
pub fn is_ready(folder: &Path) -> bool {
    folder.join(LOCK).is_file()
}

/// Nobody else writes or removes backups there while it lives.
fn locked(folder: &Path) -> Result<File> {
    let file = folder.join(LOCK);
    let lock = match File::options().append(true).open(&file) {
        Err(e) if !is_ready(folder) => {
            let words = Words::new(
                "不是备份目录：备份磁盘挂上了吗？首次使用请执行 huoyan backup --init 目录",
                "is not a backup folder: is its disk mounted? Before its first use run huoyan \
                backup --init FOLDER",
            );
            return Err(Error::unavailable(words.after(&folder.display().to_string())).because(e));
        }
        lock => lock.map_err(files::failed(&file))?,
    };
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(fs::TryLockError::WouldBlock) => {
            let words = Words::new(
                "另一备份正在进行，请稍后再试",
                "another backup is being written there: try again later",
            );
            Err(Error::new(Kind::Conflict, words.after(&format!("{}:", folder.display()))))
        }
        Err(fs::TryLockError::Error(e)) => Err(files::failed(&file)(e)),
    }
}

fn write(
    office: &BackupSource,
    folder: &Path,
    part: &Path,
    now: Timestamp,
    tell: &mut impl FnMut(CopyStep),
) -> Result<(BackupManifest, u64)> {
    files::private_folder(part)?;
    let mut fingerprints = BTreeMap::new();
    let log = if office.has_sqlite {
        tell(CopyStep::Database);
        Some(database(office, part, &mut fingerprints)?)
    } else {
        None
    };
    // Listed after the database was copied, so that the pictures of its events are there.
    let (source, shared) = (office.data.join(PICTURES), folder.join(PICTURES));
    let pictures = files::pictures(&source)?;
    let mut own: Vec<PathBuf> = Vec::new();
    for kept in [REGISTERS, VIEWS] {
        let below = files::below(&office.data.join(kept))?.into_iter();
        let below = below.filter(|name| name.extension() != Some(file::UNFINISHED.as_ref()));
        own.extend(below.map(|name| Path::new(kept).join(name)));
    }
    tell(CopyStep::Files { total: (pictures.len() + own.len()) as u64 });
    for inside in own {
        let to = part.join(&inside);
        files::private_folder(to.parent().unwrap_or(part))?;
        let fingerprint = files::copy(&office.data.join(&inside), &to)?.into();
        fingerprints.insert(inside.to_string_lossy().into_owned(), fingerprint);
        tell(CopyStep::File);
    }
    if let Some(config) = &office.config {
        fingerprints.insert(CONFIG.to_owned(), files::copy(config, &part.join(CONFIG))?.into());
    }
    let mut new_pictures = 0;
    for (name, length) in &pictures {
        new_pictures += u64::from(files::copy_picture(name, *length, &source, &shared)?);
        tell(CopyStep::File);
    }
    files::sync_folder(&shared)?;
    let manifest = BackupManifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: now,
        log,
        retention: office.retention.clone(),
        pictures: pictures.len() as u64,
        files: fingerprints,
    };
    let json = serde_json::to_vec_pretty(&manifest)
        .map_err(|e| Error::internal("the manifest cannot be written as JSON").because(e))?;
    let file = part.join(MANIFEST);
    fs::write(&file, json).map_err(files::failed(&file))?;
    files::settle(&file)?;
    files::sync_folder(part)?;
    Ok((manifest, new_pictures))
}

fn database(
    office: &BackupSource,
    part: &Path,
    fingerprints: &mut BTreeMap<String, Fingerprint>,
) -> Result<LogHead> {
    let file = part.join(SQLITE_FILE);
    let head = Handle::current().block_on(store::copy_sqlite(&office.data, &file))?;
    fingerprints.insert(SQLITE_FILE.to_owned(), files::settle(&file)?.into());
    Ok(head)
}

/// Keeps the newest sets and removes the others; pictures stay. Returns how many were removed.
///
/// # Errors
/// `Conflict` while a backup is being written there.
pub fn drop_old(folder: &Path, keep: usize) -> Result<usize> {
    let _lock = locked(folder)?;
    let sets = manifest::sets(folder)?;
    let old = &sets[..sets.len().saturating_sub(keep)];
    for set in old {
        // First renamed like an interrupted one: a half-removed set is no backup.
        let leaving = set.path.with_extension(&UNFINISHED[1..]);
        fs::rename(&set.path, &leaving).map_err(files::failed(&set.path))?;
        fs::remove_dir_all(&leaving).map_err(files::failed(&leaving))?;
    }
    Ok(old.len())
}
