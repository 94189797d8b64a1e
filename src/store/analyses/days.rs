//! One SQLite file a day, `analyses/2026-04-05.db`.

use super::{Row, begin, by_day, day, detections, end, tiles};
use crate::error::{Error, Result};
use crate::store::{BUSY, failed, us};
use crate::triage::detection::{Analysis, Stream};
use crate::triage::id::CameraId;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The folder's name inside the data folder.
pub const FOLDER: &str = "analyses";

/// A file holds each name once, and a frame as a few small numbers. `benches/analyses.rs` measures
/// the bytes per row. One transaction: a disk that fills meanwhile leaves all tables or none.
const SCHEMA: &str = "
BEGIN;
CREATE TABLE IF NOT EXISTS view ( -- who looked
    id     INTEGER PRIMARY KEY,
    camera TEXT NOT NULL,    -- triage::id::CameraId
    pose   TEXT NOT NULL,    -- triage::id::PoseId
    UNIQUE (camera, pose)
) STRICT;
CREATE TABLE IF NOT EXISTS model ( -- which weights said so
    id      INTEGER PRIMARY KEY,
    name    TEXT NOT NULL,
    version TEXT NOT NULL,
    UNIQUE (name, version)
) STRICT;
CREATE TABLE IF NOT EXISTS analysis ( -- what the model said about every frame of the day
    view       INTEGER NOT NULL,
    since_us   INTEGER NOT NULL, -- when the frame was taken, since the day began
    smoke      INTEGER NOT NULL, -- frame score, 1/10,000
    fire       INTEGER NOT NULL, -- frame score, 1/10,000
    detections TEXT,             -- [triage::detection::Detection]; null = none
    model      INTEGER NOT NULL,
    is_main    INTEGER NOT NULL, -- 1 = of the stream fetched on suspicion
    tiles      BLOB,             -- triage::detection::Tile, four bytes each; null = none
    has_past   INTEGER NOT NULL DEFAULT 1, -- 1 = the model had an earlier picture to compare with
    PRIMARY KEY (view, since_us)
) STRICT, WITHOUT ROWID;
COMMIT;";

/// Columns added by later versions: name, declaration, and the value read from older files.
const ADDED: [(&str, &str, &str); 2] =
    [("tiles", "BLOB", "NULL"), ("has_past", "INTEGER NOT NULL DEFAULT 1", "1")];

/// $1 start of the day, $2 camera, $3 since and $4 until, counted from the start of the day, $5
/// limit.
fn read_query(lacks: &[&str]) -> String {
    let [tiles, has_past] =
        ADDED.map(|(name, _, old)| if lacks.contains(&name) { old } else { name });
    format!(
        "SELECT view.pose, analysis.since_us + $1 AS captured_at_us, analysis.smoke / 10000.0 AS \
        smoke,
            analysis.fire / 10000.0 AS fire, analysis.detections, model.name AS model_name, model.version AS model_version,
            analysis.is_main <> 0 AS is_main, {tiles} AS tiles, {has_past} <> 0 AS has_past
        FROM view JOIN analysis ON analysis.view = view.id JOIN model ON model.id = analysis.model
        WHERE view.camera = $2 AND analysis.since_us >= $3 AND analysis.since_us < $4
        ORDER BY analysis.since_us DESC LIMIT $5"
    )
}

#[derive(Clone, Debug)]
pub(crate) struct Days {
    folder: PathBuf,
    /// The file being written. After a failure it is closed, and the next batch reopens it.
    writer: Arc<Mutex<Option<(Date, SqliteConnection)>>>,
}

impl Days {
    pub(crate) fn new(data: &Path) -> Self {
        Self { folder: data.join(FOLDER), writer: Arc::default() }
    }

    pub(crate) async fn record(&self, batch: &[Analysis]) -> Result<()> {
        let mut writer = self.writer.lock().await;
        for (day, frames) in by_day(batch) {
            let mut connection = match writer.take() {
                Some((open, connection)) if open == day => connection,
                other => {
                    if let Some((_, done)) = other {
                        done.close().await.map_err(failed)?;
                    }
                    self.create(day).await?
                }
            };
            write(&mut connection, begin(day)?, &frames).await?;
            *writer = Some((day, connection));
        }
        Ok(())
    }

    async fn create(&self, day: Date) -> Result<SqliteConnection> {
        fs::create_dir_all(&self.folder).map_err(cannot(&self.folder))?;
        // A power cut may lose the newest seconds: nobody acts on them.
        let options =
            options(&self.file(day)).create_if_missing(true).journal_mode(SqliteJournalMode::Wal);
        let mut connection =
            options.synchronous(SqliteSynchronous::Normal).connect().await.map_err(failed)?;
        sqlx::raw_sql(SCHEMA).execute(&mut connection).await.map_err(failed)?;
        // An earlier version may have created the day's file.
        let lacks = lacks(&mut connection).await.map_err(failed)?;
        for (name, declaration, _) in ADDED.into_iter().filter(|(name, ..)| lacks.contains(name)) {
            let add = format!("ALTER TABLE analysis ADD COLUMN {name} {declaration}");
            sqlx::query(AssertSqlSafe(add)).execute(&mut connection).await.map_err(failed)?;
        }
        Ok(connection)
    }

    /// Newest first. A day that cannot be read is left out, and the log says why.
    pub(super) async fn read(
        &self,
        camera: &CameraId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Row>> {
        let mut rows: Vec<Row> = Vec::new();
        for (day, file) in
            self.files()?.into_iter().rev().filter(|(it, _)| *it >= day(since) && *it <= day(until))
        {
            let (begin, left) = (us(begin(day)?), i64::from(limit) - rows.len() as i64);
            let read = async {
                let mut connection = options(&file).connect().await?;
                let query = AssertSqlSafe(read_query(&lacks(&mut connection).await?));
                let read =
                    sqlx::query_as(query).bind(begin).bind(camera.as_str()).bind(us(since) - begin);
                let read = read.bind(us(until) - begin).bind(left).fetch_all(&mut connection).await;
                connection.close().await?;
                read
            };
            match read.await {
                Ok(read) => rows.extend(read),
                Err(e) => tracing::warn!("analyses of {day} cannot be read and are skipped: {e}"),
            }
            if rows.len() >= limit as usize {
                break;
            }
        }
        Ok(rows)
    }

    pub(crate) async fn prune(&self, before: Timestamp) -> Result<usize> {
        let mut removed = 0;
        for (day, file) in self.files()? {
            if end(day)? <= before {
                self.remove(day, &file).await?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    pub(crate) async fn shed(&self, today: Date) -> Result<bool> {
        match self.files()?.first() {
            Some((day, file)) if *day < today => self.remove(*day, file).await.map(|()| true),
            _ => Ok(false),
        }
    }

    /// A reader that has the file open can read it to the end.
    async fn remove(&self, day: Date, file: &Path) -> Result<()> {
        let mut writer = self.writer.lock().await;
        if let Some((_, connection)) = writer.take_if(|(open, _)| *open == day) {
            connection.close().await.map_err(failed)?;
        }
        // The database file goes last: after a crash its name is still there, and the next round
        // removes the rest.
        for ending in ["db-wal", "db-shm", "db"] {
            let path = file.with_extension(ending);
            match tokio::fs::remove_file(&path).await {
                Err(e) if e.kind() != ErrorKind::NotFound => return Err(cannot(&path)(e)),
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&self, day: Date) -> PathBuf {
        self.folder.join(format!("{day}.db"))
    }

    /// The days that have a file, oldest first.
    fn files(&self) -> Result<Vec<(Date, PathBuf)>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(cannot(&self.folder))?,
        };
        let named =
            |name: std::ffi::OsString| name.to_str()?.strip_suffix(".db")?.parse::<Date>().ok();
        let mut days: Vec<Date> =
            entries.flatten().filter_map(|it| named(it.file_name())).collect();
        days.sort();
        Ok(days.into_iter().map(|day| (day, self.file(day))).collect())
    }

    /// Writes the journal back into its file.
    pub(crate) async fn close(&self) {
        if let Some((day, connection)) = self.writer.lock().await.take()
            && let Err(e) = connection.close().await
        {
            tracing::warn!("the file of the analyses of {day} did not close: {e}");
        }
    }
}

/// The columns that a file of an earlier version lacks.
async fn lacks(connection: &mut SqliteConnection) -> sqlx::Result<Vec<&'static str>> {
    let has: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info('analysis')")
        .fetch_all(connection)
        .await?;
    Ok(ADDED
        .iter()
        .map(|(name, ..)| *name)
        .filter(|name| !has.iter().any(|it| it == name))
        .collect())
}

fn options(file: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(file).busy_timeout(BUSY)
}

fn cannot(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |e| Error::unavailable(format!("cannot use {path}: is the disk full?")).because(e)
}

/// One transaction per batch.
async fn write(
    connection: &mut SqliteConnection,
    begin: Timestamp,
    frames: &[&Analysis],
) -> Result<()> {
    let mut tx = connection.begin().await.map_err(failed)?;
    for frame in frames {
        let (camera, pose) = (frame.camera.as_str(), frame.pose.as_str());
        let (name, version) = (&frame.model.name, &frame.model.version);
        sqlx::query("INSERT INTO view (camera, pose) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(camera)
            .bind(pose)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        sqlx::query("INSERT INTO model (name, version) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(name)
            .bind(version)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        sqlx::query(
            "INSERT INTO analysis (view, since_us, smoke, fire, detections, model, is_main, tiles, \
            has_past) VALUES (
             (SELECT id FROM view WHERE camera = $1 AND pose = $2), $3, $4, $5, $6,
             (SELECT id FROM model WHERE name = $7 AND version = $8), $9, $10, $11) ON CONFLICT DO NOTHING",
        )
        .bind(camera)
        .bind(pose)
        .bind(us(frame.captured_at) - us(begin))
        .bind(parts(frame.scores.smoke))
        .bind(parts(frame.scores.fire))
        .bind(detections(frame)?)
        .bind(name)
        .bind(version)
        .bind(frame.stream == Stream::Main)
        .bind(tiles(frame))
        .bind(frame.has_past)
        .execute(&mut *tx)
        .await
        .map_err(failed)?;
    }
    tx.commit().await.map_err(failed)
}

/// A score 0..1 in units of 1/10,000, which take two bytes: no screen shows more digits.
fn parts(score: f32) -> i64 {
    (f64::from(score) * 10_000.0).round() as i64
}
