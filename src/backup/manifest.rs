//! The manifest of a set, and the sets of a folder.

use super::{MANIFEST, files};
use crate::error::{Error, Result};
use crate::lang::Words;
use crate::store::LogHead;
use crate::triage::retention::Retention;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The format version of sets.
pub(super) const FORMAT: u32 = 1;
const PREFIX: &str = "huoyan-";
pub(super) const UNFINISHED: &str = ".part";

/// `manifest.json`, written last.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BackupManifest {
    pub format: u32,
    /// The version of the program that made it.
    pub version: String,
    pub made_at: Timestamp,
    /// The head of the log; `None`: the database is a PostgreSQL server and is not in the set.
    pub log: Option<LogHead>,
    /// Which pictures should be there. Older sets without this entry get the defaults.
    #[serde(default)]
    pub retention: Retention,
    /// Number of the office's evidence pictures, which are stored beside the sets.
    pub pictures: u64,
    /// Files of the set by their relative path.
    pub files: BTreeMap<String, Fingerprint>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Fingerprint {
    pub sha256: String,
    pub bytes: u64,
}

impl From<(String, u64)> for Fingerprint {
    fn from((sha256, bytes): (String, u64)) -> Self {
        Self { sha256, bytes }
    }
}

/// A complete backup.
#[derive(Clone, Debug)]
pub struct Set {
    pub path: PathBuf,
    pub manifest: BackupManifest,
}

impl Set {
    /// Reads the set at a path.
    pub fn read(path: &Path) -> Result<Self> {
        let refused = |zh: String, en: String| {
            Error::invalid(Words::new(zh, en).after(&format!("{}:", path.display())))
        };
        if is_unfinished(path) {
            let en = "this backup was interrupted: choose an earlier one";
            return Err(refused("备份未完成，不能恢复；请选较早的一份".to_owned(), en.to_owned()));
        }
        let text = fs::read_to_string(path.join(MANIFEST)).map_err(|e| {
            refused(
                format!("不是备份（没有 {MANIFEST}）"),
                format!("not a backup: it has no {MANIFEST}"),
            )
            .because(e)
        })?;
        let manifest: BackupManifest = serde_json::from_str(&text).map_err(|e| {
            refused(
                format!("{MANIFEST} 无法读取，已损坏"),
                format!("{MANIFEST} cannot be read, it is damaged"),
            )
            .because(e)
        })?;
        if manifest.format != FORMAT {
            let version = &manifest.version;
            return Err(refused(
                format!("由另一版本（{version}）备份，请用该版本恢复"),
                format!("made by version {version}: restore it with that version"),
            ));
        }
        // A name must not point outside the folder that it is restored into.
        let inside = |name: &String| {
            Path::new(name).components().all(|it| matches!(it, Component::Normal(_)))
        };
        if let Some(name) = manifest.files.keys().find(|name| name.is_empty() || !inside(name)) {
            return Err(refused(
                format!("{MANIFEST} 里有无效的文件名：{name:?}"),
                format!("a file's name in {MANIFEST} is not valid: {name:?}"),
            ));
        }
        Ok(Self { path: path.to_owned(), manifest })
    }
}

pub(super) fn set_name(now: Timestamp) -> String {
    let local = now.to_zoned(crate::base::time::county_time());
    format!("{PREFIX}{}", local.strftime("%Y%m%d-%H%M%S"))
}

fn is_set_name(name: &str) -> bool {
    let time = name.strip_prefix(PREFIX).unwrap_or_default().as_bytes();
    time.len() == 15
        && time
            .iter()
            .enumerate()
            .all(|(at, c)| if at == 8 { *c == b'-' } else { c.is_ascii_digit() })
}

pub(super) fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(UNFINISHED).is_some_and(is_set_name)
}

/// Folders of a backup folder whose name is one of ours.
pub(super) fn folders(folder: &Path, wanted: impl Fn(&Path) -> bool) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(files::failed(folder))?,
    };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|it| it.path()).filter(|it| it.is_dir() && wanted(it)).collect();
    found.sort();
    Ok(found)
}

/// Complete backups of a folder, oldest first, without interrupted or damaged ones.
pub fn sets(folder: &Path) -> Result<Vec<Set>> {
    let named = |path: &Path| is_set_name(&path.file_name().unwrap_or_default().to_string_lossy());
    let mut sets: Vec<Set> =
        folders(folder, named)?.iter().filter_map(|path| Set::read(path).ok()).collect();
    sets.sort_by_key(|set| set.manifest.made_at);
    Ok(sets)
}

pub fn newest(folder: &Path) -> Result<Option<Set>> {
    Ok(sets(folder)?.pop())
}
