//! What the model said about every frame, for the ops page: scores over time and what-if.

use super::{Store, failed, from_json, reading, time, to_json, us, writing};
use crate::error::Result;
use crate::triage::detection::{Analysis, ModelVersion, Scores, Stream};
use crate::triage::id::{CameraId, PoseId};
use jiff::{SignedDuration, Timestamp};
use sqlx::Connection as _;

/// Long enough to try thresholds on a whole 清明 season's fortnight twice: twelve cameras at one frame in 10 s make about
/// 3 million rows (0.4 GB), 267 cameras 69 million (8 to 10 GB).
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Rows deleted in one act, so that the single writer is free again after milliseconds.
const PRUNED_AT_ONCE: i64 = 4_000;

type Row = (String, i64, f64, f64, String, String, String, String);

impl Store {
    /// A frame already known stays as it was.
    pub async fn record_analyses(&self, batch: &[Analysis]) -> Result<()> {
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            for analysis in batch {
                sqlx::query(
                    "INSERT INTO analysis (camera, pose, captured_at_us, smoke, fire, detections, model_name, model_version, stream) \
                     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
                )
                .bind(analysis.camera.as_str()).bind(analysis.pose.as_str()).bind(us(analysis.captured_at))
                .bind(f64::from(analysis.scores.smoke)).bind(f64::from(analysis.scores.fire))
                .bind(to_json(&analysis.detections)?).bind(&analysis.model.name).bind(&analysis.model.version)
                .bind(stream_word(analysis.stream))
                .execute(&mut *tx).await.map_err(failed)?;
            }
            tx.commit().await.map_err(failed)
        })
    }

    /// Frames of one camera captured at or after `since` and before `until`: the newest `limit` of them, oldest first.
    pub async fn analyses(
        &self,
        camera: &CameraId,
        since: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Analysis>> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT pose, captured_at_us, smoke, fire, detections, model_name, model_version, stream FROM analysis \
             WHERE camera = $1 AND captured_at_us >= $2 AND captured_at_us < $3 ORDER BY captured_at_us DESC LIMIT $4",
        ).bind(camera.as_str()).bind(us(since)).bind(us(until)).bind(i64::from(limit)).fetch_all(pool).await.map_err(failed)?);
        let named = |row: Row| (format!("analysis of {camera} at {}", row.1), analysis(camera, row));
        Ok(self.readable(rows.into_iter().rev().map(named)))
    }

    /// The oldest ones first, a bounded number of them.
    pub(super) async fn prune_analyses(&self, now: Timestamp) -> Result<u64> {
        writing!(self, connection => sqlx::query(
            "DELETE FROM analysis WHERE (camera, captured_at_us, pose) IN (SELECT camera, captured_at_us, pose FROM analysis \
             WHERE captured_at_us < $1 ORDER BY captured_at_us LIMIT $2)",
        ).bind(us(now - KEPT)).bind(PRUNED_AT_ONCE)
            .execute(connection).await.map(|done| done.rows_affected()).map_err(failed))
    }
}

fn analysis(
    camera: &CameraId,
    (pose, captured_at_us, smoke, fire, detections, name, version, stream): Row,
) -> Result<Analysis> {
    Ok(Analysis {
        camera: camera.clone(),
        pose: PoseId(pose),
        captured_at: time(captured_at_us)?,
        scores: Scores { smoke: smoke as f32, fire: fire as f32 },
        detections: from_json(&detections, format_args!("an analysis of camera {camera}"))?,
        model: ModelVersion { name, version },
        stream: if stream == stream_word(Stream::Main) { Stream::Main } else { Stream::Screened },
    })
}

fn stream_word(stream: Stream) -> &'static str {
    match stream {
        Stream::Screened => "screened",
        Stream::Main => "main",
    }
}
