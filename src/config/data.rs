//! What is stored, where, how much of it, and how it is proved: `[store]`, `[disk]`, `[backup]`,
//! `[record]`.

use jiff::SignedDuration;
use jiff::civil::{Time, time};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// One folder with database, registers and evidence pictures.
    pub data: PathBuf,
    /// `sqlite` (in the data folder) or `postgres://…`; the password comes from HUOYAN_STORE_URL or
    /// a file, never from here.
    pub url: String,
    /// The schema of a PostgreSQL database; made at the first start. None: what the login finds
    /// first, usually `public`.
    pub schema: Option<String>,
    /// PostgreSQL connections at most, where counties share a server. None: a county alone.
    #[serde(skip)]
    pub connections: Option<u32>,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self {
            data: PathBuf::from("huoyan-data"),
            url: "sqlite".to_owned(),
            schema: None,
            connections: None,
        }
    }
}

/// Free space on the data folder's disk, GiB.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiskConfig {
    /// Below this the board warns: 10, which leaves weeks to find another disk.
    pub warn_gib: f64,
    /// Below this, space is freed for evidence and the log: 2, about a month of a busy county's
    /// pictures.
    pub reserve_gib: f64,
    /// Limit for analyses; the oldest days are removed. None: only their retention applies.
    pub analyses_max_gib: Option<f64>,
    /// Limit for pictures, as far as those of no incident and of false alarms can be removed. None:
    /// as above.
    pub pictures_max_gib: Option<f64>,
}

impl Default for DiskConfig {
    fn default() -> Self {
        Self { warn_gib: 10.0, reserve_gib: 2.0, analyses_max_gib: None, pictures_max_gib: None }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BackupConfig {
    /// Folder of backups, best on another disk. None: the program makes none by itself.
    pub folder: Option<PathBuf>,
    /// Interval between two backups: a day, so that a lost disk costs at most a day's record.
    pub every: SignedDuration,
    /// Number of newest sets kept: a fortnight, longer than damage stays unnoticed. Pictures are
    /// kept once for all sets.
    pub keep: usize,
}

impl Default for BackupConfig {
    fn default() -> Self {
        Self { folder: None, every: SignedDuration::from_hours(24), keep: 14 }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordConfig {
    /// From this time on, county time, the leader on duty gets one text a day with the head of the
    /// log: 08:00, when the leader changes.
    pub tell_at: TellAt,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(
    rename_all = "snake_case",
    expecting = "tell_at must be \"off\" or a time such as \"08:00\""
)]
pub enum TellAt {
    Off,
    #[serde(untagged)]
    At(Time),
}

impl Default for RecordConfig {
    fn default() -> Self {
        Self { tell_at: TellAt::At(time(8, 0, 0, 0)) }
    }
}
