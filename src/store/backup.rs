//! A copy of the database while others write, and where a log ends.

use super::{BUSY, Chain, SQLITE_FILE, Store, failed, reading};
use crate::error::{Error, Result};
use crate::triage::id::PictureId;
use crate::triage::retention::Retention;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;

/// Where a log ends: its last number, and the hash that stands for everything before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Head {
    pub events: u64,
    pub hash: String,
}

/// What a log says of itself when it is read from its beginning.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Audit {
    pub chain: Chain,
    pub head: Head,
    /// Pictures that should be there by the rule of retention, and are not.
    pub missing: Vec<PictureId>,
    /// Events that this version cannot read.
    pub unreadable: u64,
}

const HEAD: &str = "SELECT seq, hash FROM log_head WHERE one = 1";

/// Copies the SQLite database of a data folder into a new file, as of one instant, without what was deleted. It reads through a
/// connection of its own, so the program that owns the database goes on writing meanwhile; nothing is brought up to this version.
pub async fn copy_sqlite(data: &Path, into: &Path) -> Result<Head> {
    let file = data.join(SQLITE_FILE);
    if !file.is_file() {
        return Err(Error::invalid(format!(
            "{} 不存在，没有可备份的数据库；用 --data 指明数据目录 / there is no database {}: name the data folder with --data",
            file.display(),
            file.display()
        )));
    }
    let cannot = |e| Error::unavailable(format!("cannot copy the database {}", file.display())).because(e);
    let target = into.to_str().ok_or_else(|| Error::invalid("the backup folder's name is not UTF-8"))?;
    let mut source = SqliteConnectOptions::new().filename(&file).busy_timeout(BUSY).connect().await.map_err(cannot)?;
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut source).await.map_err(cannot)?;
    source.close().await.map_err(cannot)?;
    // Immutable: looking leaves no journal beside it.
    let copy = SqliteConnectOptions::new().filename(into).read_only(true).immutable(true);
    let mut copy: SqliteConnection = copy.connect().await.map_err(cannot)?;
    let (seq, hash): (i64, String) = sqlx::query_as(HEAD).fetch_one(&mut copy).await.map_err(cannot)?;
    copy.close().await.map_err(cannot)?;
    Ok(Head { events: seq as u64, hash })
}

impl Store {
    /// Reads the whole log: is its chain whole, and is every picture there that should be at that time?
    pub async fn audit(&self, policy: &Retention, now: Timestamp) -> Result<Audit> {
        let (seq, hash): (i64, String) =
            reading!(self, pool => sqlx::query_as(HEAD).fetch_one(pool).await.map_err(failed)?);
        let head = Head { events: seq as u64, hash };
        let (missing, unreadable) = self.missing_pictures(policy, now).await?;
        Ok(Audit { chain: self.verify_chain().await?, head, missing, unreadable })
    }
}
