//! One partition of the table `analysis` a day, `analysis_2026_04_05`.

use super::{Row, begin, by_day, detections, end, tiles};
use crate::error::Result;
use crate::store::{failed, us};
use crate::triage::detection::{Analysis, Stream};
use crate::triage::id::CameraId;
use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgPool;

const PREFIX: &str = "analysis_";
const FORM: &str = "%Y_%m_%d";
/// PostgreSQL's code (check_violation) for a row whose day has no partition yet.
const NO_PARTITION: &str = "23514";

const READ: &str = "
SELECT pose, captured_at_us, smoke::float8 AS smoke, fire::float8 AS fire, detections, model_name, model_version, is_main,
    tiles, has_past
FROM analysis WHERE camera = $1 AND captured_at_us >= $2 AND captured_at_us < $3 ORDER BY captured_at_us DESC LIMIT $4";

pub(super) async fn record(pool: &PgPool, batch: &[Analysis]) -> Result<()> {
    let boxes = batch.iter().map(detections).collect::<Result<Vec<_>>>()?;
    match insert(pool, batch, &boxes).await {
        Err(sqlx::Error::Database(e)) if e.code().is_some_and(|code| code == NO_PARTITION) => {
            for day in by_day(batch).into_keys() {
                let (name, from, to) = (name(day), us(begin(day)?), us(end(day)?));
                let create = format!(
                    "CREATE TABLE IF NOT EXISTS {name} PARTITION OF analysis FOR VALUES FROM \
                    ({from}) TO ({to})"
                );
                sqlx::query(AssertSqlSafe(create)).execute(pool).await.map_err(failed)?;
            }
            insert(pool, batch, &boxes).await.map_err(failed)
        }
        done => done.map_err(failed),
    }
}

/// In one transaction.
async fn insert(pool: &PgPool, batch: &[Analysis], boxes: &[Option<String>]) -> sqlx::Result<()> {
    let mut tx = pool.begin().await?;
    for (frame, boxes) in batch.iter().zip(boxes) {
        sqlx::query(
            "INSERT INTO analysis (camera, pose, captured_at_us, smoke, fire, detections, \
            model_name, model_version, is_main, tiles, \
             has_past) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
        )
        .bind(frame.camera.as_str()).bind(frame.pose.as_str()).bind(us(frame.captured_at))
        .bind(frame.scores.smoke).bind(frame.scores.fire).bind(boxes)
        .bind(&frame.model.name).bind(&frame.model.version).bind(frame.stream == Stream::Main)
        .bind(tiles(frame)).bind(frame.has_past)
        .execute(&mut *tx).await?;
    }
    tx.commit().await
}

/// Newest first.
pub(super) async fn read(
    pool: &PgPool,
    camera: &CameraId,
    since: Timestamp,
    until: Timestamp,
    limit: u32,
) -> Result<Vec<Row>> {
    let read = sqlx::query_as(READ)
        .bind(camera.as_str())
        .bind(us(since))
        .bind(us(until))
        .bind(i64::from(limit));
    read.fetch_all(pool).await.map_err(failed)
}

pub(super) async fn prune(pool: &PgPool, before: Timestamp) -> Result<usize> {
    let names: Vec<(String,)> = sqlx::query_as(
        "SELECT relname::text FROM pg_class JOIN pg_inherits ON pg_inherits.inhrelid = \
        pg_class.oid \
         WHERE pg_inherits.inhparent = 'analysis'::regclass",
    )
    .fetch_all(pool)
    .await
    .map_err(failed)?;
    let days = names.iter().filter_map(|(it,)| Date::strptime(FORM, it.strip_prefix(PREFIX)?).ok());
    let mut removed = 0;
    for day in days {
        if end(day)? <= before {
            sqlx::query(AssertSqlSafe(format!("DROP TABLE IF EXISTS {}", name(day))))
                .execute(pool)
                .await
                .map_err(failed)?;
            removed += 1;
        }
    }
    Ok(removed)
}

fn name(day: Date) -> String {
    format!("{PREFIX}{}", day.strftime(FORM))
}
