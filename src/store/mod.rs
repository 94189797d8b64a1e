//! THE DATABASE: the only home of SQL. Its functions are acts of the desk. SQLite and PostgreSQL
//! keep the same promises, which `tests/it/store_contract.rs` states once. No `now()`: callers pass
//! the time.

mod alarms;
mod analyses;
mod backup;
mod filed;
mod hotspots;
mod incidents;
mod log;
mod logins;
mod outbox;
mod pictures;
mod places;
mod proof;
mod record;
mod registers;
mod sightings;
mod strips;
mod thresholds;
mod unreadable;
mod webhooks;
mod writer;

pub use alarms::{AlarmSystem, NewAlarm, Original, REFUSALS_FOR, Refused};
pub use analyses::days::FOLDER as ANALYSES;
pub use backup::{LogHead, copy_sqlite};
pub use filed::Filed;
pub use hotspots::{HotspotCount, KnownHotspot};
pub use incidents::{Filter, Page};
pub use log::{Commit, Committed, LogEntry};
pub use logins::{Access, Ended, Login, OpenSession, Session};
pub use outbox::{Addressee, Fate, Message, NewMessage, Occasion, Status, Taken, Tried};
pub use pictures::Held;
pub use record::{
    Anchor, Difference, Inspected, Inspection, Kept, Looking, Named, OpenLines, Record, What,
};
pub use thresholds::PublishedThresholds;
pub use unreadable::Unreadable;

use crate::config::{Config, StoreConfig};
use crate::error::{Error, Kind, Result};
use crate::lang::Words;
use analyses::days::Days;
use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

static SQLITE_MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/sqlite");
static POSTGRES_MIGRATIONS: Migrator = sqlx::migrate!("src/store/migrations/postgres");

/// The database file in the data folder.
pub const SQLITE_FILE: &str = "huoyan.db";
/// Parallel SQLite readers: one per core of an office PC. The writer is one more, with a queue.
const SQLITE_READERS: u32 = 4;
/// PostgreSQL connections of one process; its default limit is 100 for all processes.
const POSTGRES_CONNECTIONS: u32 = 10;
/// Where counties share a server, a connection is given back when it was not used for this time. A
/// quiet county's tasks use all of theirs more often; one whose desk is stopped holds none.
const SHARED_IDLE: Duration = Duration::from_secs(60);
/// How long another process (a backup, `huoyan check`) may hold the file before it counts as an
/// error.
const BUSY: Duration = Duration::from_secs(10);
/// A process that hangs within a transaction loses it after this time: it holds the log's lock, and
/// nobody should notice for longer than 5 s.
const POSTGRES_IDLE: &str = "3s";
/// Longest wait for a connection. Shorter than a page's wait for its answer (15 s), so that the
/// page gets the reason.
const IN_LINE: Duration = Duration::from_secs(8);

/// Old rows removed in one transaction, so that the single writer is free again after milliseconds.
const REMOVED_AT_ONCE: i64 = 4_000;

/// A handle, cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    db: Db,
    pictures: PathBuf,
    shelf: pictures::Shelf,
    unreadable: unreadable::Known,
}

#[derive(Clone, Debug)]
enum Db {
    /// A pool of one is a fair queue for SQLite's single writer. Nobody ever gets "database is
    /// locked".
    Sqlite {
        readers: SqlitePool,
        writer: SqlitePool,
        analyses: Days,
    },
    Postgres(PgPool),
}

/// Runs the same code on either database. SQL is written once; where the dialects differ, the
/// difference is one line.
macro_rules! reading {
    ($store:expr, $pool:ident => $body:expr) => {
        match &$store.db {
            $crate::store::Db::Sqlite { readers: $pool, .. } => $body,
            $crate::store::Db::Postgres($pool) => $body,
        }
    };
}
/// The body is one act with its result, and borrows the connection. When it fails or is dropped
/// half way, the connection is closed: see [`writer::Held`].
macro_rules! writing {
    ($store:expr, $connection:ident => $body:expr) => {
        match &$store.db {
            $crate::store::Db::Sqlite { writer, .. } => {
                $crate::store::writer::held!(writer, $connection => $body)
            }
            $crate::store::Db::Postgres(pool) => {
                $crate::store::writer::held!(pool, $connection => $body)
            }
        }
    };
}
use {reading, writing};

/// What stands in the log's column `incident` for a change of the registers. No incident has such
/// an id.
const REGISTERS: &str = "registers";

/// The address of the configured database. `HUOYAN_STORE_URL` may hold a password, so it wins over
/// the file.
pub fn url(config: &Config) -> String {
    std::env::var("HUOYAN_STORE_URL").unwrap_or_else(|_| config.store.url.clone())
}

impl Store {
    /// The configured database, see [`Self::open`].
    pub async fn of(config: &Config) -> Result<Self> {
        Self::open_share(&url(config), &config.store).await
    }

    /// Opens and, when needed, creates or updates the database. `url`: `sqlite` (a file in
    /// `data_dir`) or `postgres://…`. Errors never show the address, which may hold a password.
    pub async fn open(url: &str, data_dir: &Path) -> Result<Self> {
        let share = StoreConfig { data: data_dir.to_owned(), ..StoreConfig::default() };
        Self::open_share(url, &share).await
    }

    async fn open_share(url: &str, share: &StoreConfig) -> Result<Self> {
        let data_dir = &share.data;
        let pictures = data_dir.join("pictures");
        std::fs::create_dir_all(&pictures).map_err(|e| {
            Error::unavailable(format!(
                "cannot create the folder {}: check its permissions",
                pictures.display()
            ))
            .because(e)
        })?;
        pictures::sweep(&pictures);
        let db = match url {
            "sqlite" => open_sqlite(data_dir).await?,
            _ if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                open_postgres(url, share).await?
            }
            _ => {
                return Err(Error::invalid(
                    "[store] url must be \"sqlite\" or begin with postgres://, for example \
                                           postgres://huoyan@db.county.local/huoyan",
                ));
            }
        };
        Ok(Self {
            db,
            pictures,
            shelf: pictures::Shelf::default(),
            unreadable: unreadable::Known::default(),
        })
    }

    /// Opens the configured database for reading only: nothing is created or updated. `None` when
    /// there is none yet.
    pub async fn read_only(config: &Config) -> Result<Option<Self>> {
        let (url, data_dir) = (url(config), &config.store.data);
        let db = match url.as_str() {
            "sqlite" => {
                let file = data_dir.join(SQLITE_FILE);
                if !file.exists() {
                    return Ok(None);
                }
                let options =
                    SqliteConnectOptions::new().filename(&file).read_only(true).busy_timeout(BUSY);
                let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(IN_LINE);
                let readers = pool.connect_with(options).await.map_err(|e| {
                    Error::unavailable(format!("cannot read the database {}", file.display()))
                        .because(e)
                })?;
                let writer = readers.clone();
                Db::Sqlite { readers, writer, analyses: Days::new(data_dir) }
            }
            _ => Db::Postgres(postgres(&url, &config.store, true).await?),
        };
        let is_there = match &db {
            Db::Sqlite { .. } => true,
            Db::Postgres(pool) => sqlx::query_scalar("SELECT to_regclass('event') IS NOT NULL")
                .fetch_one(pool)
                .await
                .map_err(failed)?,
        };
        Ok(is_there.then(|| Self {
            db,
            pictures: data_dir.join("pictures"),
            shelf: pictures::Shelf::default(),
            unreadable: unreadable::Known::default(),
        }))
    }

    /// Whether the database accepts writes: with a full disk it still answers every query.
    pub async fn ping(&self) -> Result<()> {
        writing!(self, connection => sqlx::query("UPDATE pulse SET beats = beats + 1 WHERE one = 1")
            .execute(connection).await.map(drop).map_err(failed))
    }

    /// Waits for running transactions, writes SQLite's journals back into their files, and closes.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { readers, writer, analyses } => {
                readers.close().await;
                writer.close().await;
                analyses.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

async fn open_sqlite(data: &Path) -> Result<Db> {
    let file = &data.join(SQLITE_FILE);
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // An accepted action survives a power cut: every commit reaches the disk before it is
        // answered.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(BUSY);
    let unopened =
        |e| Error::unavailable(format!("cannot open the database {}", file.display())).because(e);
    let writer = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(IN_LINE)
        .connect_with(options.clone())
        .await
        .map_err(unopened)?;
    migrate(&SQLITE_MIGRATIONS, &writer).await?;
    let readers = SqlitePoolOptions::new()
        .max_connections(SQLITE_READERS)
        .acquire_timeout(IN_LINE)
        .connect_with(options)
        .await
        .map_err(unopened)?;
    Ok(Db::Sqlite { readers, writer, analyses: Days::new(data) })
}

async fn open_postgres(url: &str, share: &StoreConfig) -> Result<Db> {
    let pool = postgres(url, share, false).await?;
    if let Some(schema) = &share.schema {
        make_schema(&pool, schema).await?;
    }
    migrate(&POSTGRES_MIGRATIONS, &pool).await?;
    Ok(Db::Postgres(pool))
}

async fn postgres(url: &str, share: &StoreConfig, is_read_only: bool) -> Result<PgPool> {
    let mut options = PgConnectOptions::from_str(url).map_err(|_| {
        Error::invalid(
            "[store] url is not a PostgreSQL address: postgres://user@host:5432/database",
        )
    })?;
    options = options.options([("idle_in_transaction_session_timeout", POSTGRES_IDLE)]);
    if let Some(schema) = &share.schema {
        // Whatever a statement names stands there and nowhere else.
        options = options.options([("search_path", format!("\"{schema}\""))]);
    }
    if is_read_only {
        options = options.options([("default_transaction_read_only", "on")]);
    }
    let mut pool = PgPoolOptions::new()
        .max_connections(share.connections.unwrap_or(POSTGRES_CONNECTIONS))
        .acquire_timeout(IN_LINE);
    if share.connections.is_some() {
        pool = pool.min_connections(0).idle_timeout(SHARED_IDLE);
    }
    pool.connect_with(options).await.map_err(|e| {
        Error::unavailable(
            "cannot connect to the PostgreSQL database: check that it runs and that this user \
                may log in",
        )
        .because(e)
    })
}

/// The name has been checked: it needs no more than its quotes.
async fn make_schema(pool: &PgPool, schema: &str) -> Result<()> {
    let is_there = async || {
        let found = sqlx::query_as("SELECT true FROM pg_namespace WHERE nspname = $1").bind(schema);
        found.fetch_optional(pool).await.map(|it: Option<(bool,)>| it.is_some()).map_err(failed)
    };
    if is_there().await? {
        return Ok(());
    }
    let create = format!("CREATE SCHEMA IF NOT EXISTS \"{schema}\"");
    match sqlx::query(AssertSqlSafe(create)).execute(pool).await {
        Ok(_) => Ok(()),
        // Another desk was faster.
        Err(_) if is_there().await? => Ok(()),
        Err(e) => Err(Error::unavailable(Words::new(
            format!(
                "无法在数据库里建立模式 \"{schema}\"：请授权（GRANT CREATE ON DATABASE 库 TO 用户）\
                或由管理员建立"
            ),
            format!(
                "cannot make the schema \"{schema}\" in the database: allow it (GRANT CREATE ON \
                DATABASE name TO user), or let the administrator make it"
            ),
        ))
        .because(e)),
    }
}

async fn migrate<'a, A>(migrations: &Migrator, pool: A) -> Result<()>
where
    A: sqlx::Acquire<'a>,
    <A::Connection as std::ops::Deref>::Target: sqlx::migrate::Migrate,
{
    migrations.run(pool).await.map_err(|e| {
        let words = match e {
            sqlx::migrate::MigrateError::VersionMissing(_) => Words::new(
                "数据库由更新的版本写成，本版本不改动它：请运行那个版本，或恢复升级前的备份",
                "a newer version has written the database, and this one does not change it: run \
                that version, or restore the backup made before the update",
            ),
            _ => Words::new(
                "数据库无法升级到本版本：请恢复升级前的备份，或运行写入它的版本",
                "cannot bring the database up to this version: restore the backup made before the \
                update, or run the version that wrote it",
            ),
        };
        Error::unavailable(words).because(e)
    })
}

/// What a database error means to a caller. A key that exists: another writer was faster. An error
/// that may go away: unavailable.
fn failed(error: sqlx::Error) -> Error {
    use sqlx::error::ErrorKind;
    let (kind, message) = match &error {
        sqlx::Error::Database(e) if e.kind() == ErrorKind::UniqueViolation => {
            (Kind::Conflict, "another writer was faster")
        }
        sqlx::Error::Database(e) if e.code().is_some_and(|code| may_heal(&code)) => (
            Kind::Unavailable,
            "the database cannot do this now: check the disk space and the database server",
        ),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => (Kind::Unavailable, "the database does not answer"),
        _ => (Kind::Internal, "the database refused the statement"),
    };
    Error::new(kind, message).because(error)
}

/// Codes of errors that are not the statement's fault and may go away.
fn may_heal(code: &str) -> bool {
    /// SQLite's primary codes: BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, FULL, CANTOPEN,
    /// PROTOCOL.
    const SQLITE: [u32; 9] = [5, 6, 7, 8, 9, 10, 13, 14, 15];
    /// PostgreSQL's classes and codes: connection, resources, operator intervention, system error;
    /// serialization failure, deadlock; read only.
    const POSTGRES: [&str; 7] = ["08", "53", "57", "58", "40001", "40P01", "25006"];
    match code.len() {
        5 => POSTGRES.iter().any(|it| code.starts_with(it)),
        // The low byte is the primary code; the bits above it give details.
        _ => code.parse::<u32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff))),
    }
}

/// Microseconds since 1970, as stored.
fn us(at: Timestamp) -> i64 {
    at.as_microsecond()
}

fn time(us: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(us)
        .map_err(|e| Error::internal("the database holds an impossible time").because(e))
}

fn to_json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|e| Error::internal("cannot write as JSON").because(e))
}

/// `what` names the row: "sighting 0192…".
fn from_json<T: serde::de::DeserializeOwned>(
    text: &str,
    what: impl std::fmt::Display,
) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|e| Error::internal(format!("cannot read {what} in the database")).because(e))
}

/// A unit variant as the word serde writes for it: `State::NeedsReview` → `needs_review`.
fn word<T: serde::Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Error::internal("not a word")),
    }
}

fn from_word<T: serde::de::DeserializeOwned>(word: String, what: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word))
        .map_err(|e| Error::internal(format!("the database holds an unknown {what}")).because(e))
}

/// Ids are written by us; anything else is damage.
fn id<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::internal(format!("the database holds a bad id: {text}")))
}
