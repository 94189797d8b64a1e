//! Turns a set back into a data folder, and checks it.

use super::manifest::{self, Set};
use super::{CopyStep, MANIFEST, PICTURES, files};
use crate::error::{Error, Result};
use crate::lang::{Lang, Words};
use crate::store::{Inspection, LogHead, SQLITE_FILE, Store};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::fs;
use std::path::{Path, PathBuf};
use tokio::runtime::Handle;

/// A picture whose retention ended during the backup may have been removed before it was copied.
const DURING: SignedDuration = SignedDuration::from_hours(24);

/// What was restored, and what is damaged or missing.
#[derive(Clone, Debug, Serialize)]
pub struct Restored {
    pub backup: PathBuf,
    pub data: PathBuf,
    pub made_at: Timestamp,
    /// Events in the restored log.
    pub events: u64,
    pub pictures: u64,
    /// Empty when everything is sound.
    pub findings: Vec<String>,
}

/// Restores `backup` (a set, or a backup folder, of which the newest set is used) into `data`,
/// which must be empty or absent. Damaged parts are restored as far as possible and reported: in an
/// emergency half of the registers is better than none.
pub fn restore(
    backup: &Path,
    data: &Path,
    lang: Lang,
    mut tell: impl FnMut(CopyStep),
) -> Result<Restored> {
    let set = choose(backup)?;
    must_be_empty(data)?;
    files::private_folder(data)?;
    let mut findings = Vec::new();
    let shared = set.path.parent().unwrap_or(Path::new(".")).join(PICTURES);
    let pictures = files::pictures(&shared)?;
    tell(CopyStep::Files { total: (set.manifest.files.len() + pictures.len()) as u64 });
    for (name, fingerprint) in &set.manifest.files {
        let (from, to) = (set.path.join(name), data.join(name));
        tell(CopyStep::File);
        if !from.is_file() {
            let words = lang.pick("备份中缺少此文件", "is missing from the backup");
            findings.push(format!("{name}: {words}"));
            continue;
        }
        files::private_folder(to.parent().unwrap_or(data))?;
        let (sha256, bytes) = files::copy(&from, &to)?;
        if (sha256.as_str(), bytes) != (fingerprint.sha256.as_str(), fingerprint.bytes) {
            let words = lang
                .pick("文件已损坏，与备份时不同", "is damaged: it differs from what was backed up");
            findings.push(format!("{name}: {words}"));
        }
    }
    let into = data.join(PICTURES);
    files::private_folder(&into)?;
    for (name, length) in &pictures {
        files::copy_picture(name, *length, &shared, &into)?;
        tell(CopyStep::File);
    }
    files::sync_folder(&into)?;
    tell(CopyStep::Database);
    let events = log(&set, data, lang, &mut findings);
    let pictures = pictures.len() as u64;
    Ok(Restored {
        backup: set.path,
        data: data.to_owned(),
        made_at: set.manifest.made_at,
        events,
        pictures,
        findings,
    })
}

fn choose(backup: &Path) -> Result<Set> {
    if backup.join(MANIFEST).exists() || manifest::is_unfinished(backup) {
        return Set::read(backup);
    }
    manifest::newest(backup)?.ok_or_else(|| {
        let words = Words::new(
            "没有完整的备份；请指明 huoyan-… 目录，或存放它们的目录",
            "there is no complete backup here: name a folder huoyan-… or the folder that holds them",
        );
        Error::invalid(words.after(&format!("{}:", backup.display())))
    })
}

fn must_be_empty(data: &Path) -> Result<()> {
    let shown = data.display();
    let is_empty = match fs::read_dir(data) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => true,
        entries => entries.map_err(files::failed(data))?.next().is_none(),
    };
    if is_empty {
        return Ok(());
    }
    Err(Error::invalid(Words::new(
        format!("{shown} 不是空目录，不会覆盖；请用 --data 指定新目录"),
        format!("{shown} is not empty and will not be overwritten: name a new folder with --data"),
    )))
}

/// Opens the restored database and reads its log. Returns the number of its events.
fn log(set: &Set, data: &Path, lang: Lang, findings: &mut Vec<String>) -> u64 {
    let Some(expected) = &set.manifest.log else {
        let words = lang.pick(
            "此备份不含 PostgreSQL 数据库；请用 pg_restore 恢复当时的 pg_dump",
            "the PostgreSQL database is not in this backup: restore the pg_dump of that time with \
            pg_restore",
        );
        findings.push(words.to_owned());
        return 0;
    };
    // Opening a missing file would create an empty database.
    if !data.join(SQLITE_FILE).is_file() {
        return 0;
    }
    let (retention, made_at) = (&set.manifest.retention, set.manifest.made_at);
    let looked = Handle::current().block_on(async {
        let store = Store::open("sqlite", data).await?;
        let look = Inspection { now: made_at + DURING, mend: false, paper: &[], retention };
        let looked = match store.look(&look).await {
            Ok(looking) => looking.to_the_end().await,
            Err(e) => Err(e),
        };
        store.close().await;
        looked
    });
    let record = match looked {
        Ok(record) => record,
        Err(e) => {
            findings.push(format!(
                "{}: {}",
                lang.pick("数据库无法读取", "the database cannot be read"),
                e.chain()
            ));
            return 0;
        }
    };
    findings.extend(record.faults(lang));
    findings.extend(record.missing(lang));
    let LogHead { events, .. } = record.head;
    if record.head != *expected {
        let was = expected.events;
        findings.push(match lang {
            Lang::Zh => format!("事件记录与备份时不同：现有{events}条，备份时{was}条"),
            Lang::En => {
                format!(
                    "the log differs from the one that was backed up: it has {events} events \
                    now and had {was}"
                )
            }
        });
    }
    events
}
