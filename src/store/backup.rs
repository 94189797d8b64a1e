//! A copy of the database while others write, and the head of its log.

use super::{BUSY, SQLITE_FILE};
use crate::error::{Error, Result};
use crate::lang::Words;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions as _, Connection as _};
use std::path::Path;

/// The head of a log: its last number, and the hash that covers everything before it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogHead {
    pub events: u64,
    pub hash: String,
}

const HEAD: &str = "SELECT seq, hash FROM log_head WHERE one = 1";

/// Copies the SQLite database of a data folder into a new file, as of one instant, without deleted
/// content. It reads through its own connection, so the program that owns the database keeps
/// writing. The copy is not migrated to this version.
pub async fn copy_sqlite(data: &Path, into: &Path) -> Result<LogHead> {
    let file = data.join(SQLITE_FILE);
    if !file.is_file() {
        let shown = file.display();
        return Err(Error::invalid(Words::new(
            format!("{shown} 不存在，没有可备份的数据库；用 --data 指明数据目录"),
            format!("there is no database {shown}: name the data folder with --data"),
        )));
    }
    let cannot =
        |e| Error::unavailable(format!("cannot copy the database {}", file.display())).because(e);
    let target =
        into.to_str().ok_or_else(|| Error::invalid("the backup folder's name is not UTF-8"))?;
    let mut source = SqliteConnectOptions::new()
        .filename(&file)
        .busy_timeout(BUSY)
        .connect()
        .await
        .map_err(cannot)?;
    sqlx::query("VACUUM INTO $1").bind(target).execute(&mut source).await.map_err(cannot)?;
    source.close().await.map_err(cannot)?;
    // Immutable: reading creates no journal beside the file.
    let copy = SqliteConnectOptions::new().filename(into).read_only(true).immutable(true);
    let mut copy: SqliteConnection = copy.connect().await.map_err(cannot)?;
    let (seq, hash): (i64, String) =
        sqlx::query_as(HEAD).fetch_one(&mut copy).await.map_err(cannot)?;
    copy.close().await.map_err(cannot)?;
    Ok(LogHead { events: seq as u64, hash })
}
