//! What the model said about every frame, for the ops page: scores over time, and what-if. Kept
//! apart from the record: one file (SQLite) or partition (PostgreSQL) per day, so that a whole day
//! is dropped at once. The file has its own writer, so that it and the record do not wait for each
//! other.

pub(super) mod days;
mod partitions;

use super::writer::held;
use super::{Db, REMOVED_AT_ONCE, Store, failed, from_json, time};
use crate::error::Result;
use crate::triage::detection::{Analysis, ModelVersion, Scores, Stream, Tile};
use crate::triage::id::{CameraId, PoseId};
use jiff::civil::Date;
use jiff::{Timestamp, tz::TimeZone};

/// One camera's row, as both databases return it.
#[derive(sqlx::FromRow)]
struct Row {
    pose: String,
    captured_at_us: i64,
    smoke: f64,
    fire: f64,
    /// JSON; null for the nearly all frames without a detection.
    detections: Option<String>,
    model_name: String,
    model_version: String,
    is_main: bool,
    /// Four bytes per tile; null: none.
    tiles: Option<Vec<u8>>,
    has_past: bool,
}

impl Store {
    /// A frame that is stored already is not changed.
    pub async fn record_analyses(&self, batch: &[Analysis]) -> Result<()> {
        match &self.db {
            Db::Sqlite { analyses, .. } => analyses.record(batch).await,
            Db::Postgres(pool) => partitions::record(pool, batch).await,
        }
    }

    /// Frames of one camera captured at or after `since` and before `until`: the newest `limit` of
    /// them, oldest first. Scores are exact to 1/10,000.
    pub async fn analyses(
        &self,
        camera: &CameraId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Analysis>> {
        let rows = match &self.db {
            Db::Sqlite { analyses, .. } => analyses.read(camera, since, until, limit).await?,
            Db::Postgres(pool) => partitions::read(pool, camera, since, until, limit).await?,
        };
        let named = |row: Row| {
            (
                format!("analysis of {camera} at {}", row.captured_at_us),
                row.into_analysis(camera.clone()),
            )
        };
        Ok(self.readable(rows.into_iter().rev().map(named)))
    }

    /// Removes the days that ended at or before `before`. Returns their number.
    pub async fn prune_analyses(&self, before: Timestamp) -> Result<usize> {
        match &self.db {
            Db::Sqlite { analyses, .. } => analyses.prune(before).await,
            Db::Postgres(pool) => partitions::prune(pool, before).await,
        }
    }

    /// Removes the oldest day before today's, to free space on the data folder's disk. False: there
    /// is none. PostgreSQL has a disk of its own.
    pub async fn shed_analyses(&self, now: Timestamp) -> Result<bool> {
        match &self.db {
            Db::Sqlite { analyses, .. } => analyses.shed(day(now)).await,
            Db::Postgres(_) => Ok(false),
        }
    }

    /// Removes some of the rows that versions before 0.2 wrote into SQLite's record itself. The
    /// caller pauses and repeats until it returns zero.
    pub async fn prune_analyses_in_record(&self) -> Result<u64> {
        let Db::Sqlite { writer, .. } = &self.db else { return Ok(0) };
        held!(writer, connection => sqlx::query(
            "DELETE FROM analysis WHERE (camera, captured_at_us, pose) IN (SELECT camera, \
            captured_at_us, pose FROM analysis LIMIT $1)",
        ).bind(REMOVED_AT_ONCE).execute(connection).await.map(|done| done.rows_affected()).map_err(failed))
    }
}

impl Row {
    fn into_analysis(self, camera: CameraId) -> Result<Analysis> {
        let detections = match &self.detections {
            Some(json) => from_json(json, format_args!("an analysis of camera {camera}"))?,
            None => Vec::new(),
        };
        Ok(Analysis {
            camera,
            pose: PoseId(self.pose),
            captured_at: time(self.captured_at_us)?,
            scores: Scores { smoke: self.smoke as f32, fire: self.fire as f32 },
            detections,
            model: ModelVersion { name: self.model_name, version: self.model_version },
            stream: if self.is_main { Stream::Main } else { Stream::Screened },
            tiles: self
                .tiles
                .unwrap_or_default()
                .as_chunks::<4>()
                .0
                .iter()
                .map(|it| Tile::from(*it))
                .collect(),
            has_past: self.has_past,
        })
    }
}

/// Detections in their stored form.
fn detections(analysis: &Analysis) -> Result<Option<String>> {
    (!analysis.detections.is_empty()).then(|| super::to_json(&analysis.detections)).transpose()
}

/// Tiles in their stored form.
fn tiles(analysis: &Analysis) -> Option<Vec<u8>> {
    let bytes = analysis.tiles.iter().flat_map(|it| <[u8; 4]>::from(*it)).collect();
    (!analysis.tiles.is_empty()).then_some(bytes)
}

/// Days are UTC days, whatever the county's time zone, so that each has one start and one end.
fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The first instant of a day.
fn begin(day: Date) -> Result<Timestamp> {
    let midnight = day
        .to_zoned(TimeZone::UTC)
        .map_err(|e| crate::error::Error::internal("an impossible day").because(e))?;
    Ok(midnight.timestamp())
}

/// The first instant after the day.
fn end(day: Date) -> Result<Timestamp> {
    begin(
        day.tomorrow()
            .map_err(|e| crate::error::Error::internal("an impossible day").because(e))?,
    )
}

/// Splits a batch by day: around midnight it holds frames of two.
fn by_day(batch: &[Analysis]) -> std::collections::BTreeMap<Date, Vec<&Analysis>> {
    let mut days = std::collections::BTreeMap::<Date, Vec<&Analysis>>::new();
    for analysis in batch {
        days.entry(day(analysis.captured_at)).or_default().push(analysis);
    }
    days
}
