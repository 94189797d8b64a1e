//! The proof of cameras: how long each was watched, and its self-tests. A few rows per camera and
//! day. The thirty days in use are 8,000 rows for 267 cameras and 32,000 tests, which the database
//! sums up.

use super::{REMOVED_AT_ONCE, Store, failed, from_word, reading, time, us, word, writing};
use crate::error::Result;
use crate::triage::id::CameraId;
use crate::triage::proof::{Light, Tested, Tests, Watched};
use jiff::Timestamp;
use sqlx::Connection as _;

const DAY_US: i64 = 24 * 3_600 * 1_000_000;

/// Sums for one camera at one scale in one light.
#[derive(sqlx::FromRow)]
struct Row {
    camera: String,
    scale: String,
    light: String,
    tests: i64,
    passed: i64,
    smallest_best: Option<f64>,
    smallest_worst: Option<f64>,
    last_at_us: i64,
}

impl Store {
    /// Adds to each camera's UTC day, in one transaction.
    pub async fn add_watched(&self, seconds: &[(CameraId, u64)], now: Timestamp) -> Result<()> {
        let day = us(now).div_euclid(DAY_US);
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            for (camera, seconds) in seconds {
                sqlx::query(
                    "INSERT INTO watched (camera, day, seconds) VALUES ($1, $2, $3) \
                     ON CONFLICT (camera, day) DO UPDATE SET seconds = watched.seconds + \
                     excluded.seconds",
                )
                .bind(camera.as_str()).bind(day).bind(i64::try_from(*seconds).unwrap_or(i64::MAX))
                .execute(&mut *tx).await.map_err(failed)?;
            }
            tx.commit().await.map_err(failed)
        })
    }

    /// Days that began at or after `since`.
    pub async fn watched(&self, since: Timestamp) -> Result<Vec<Watched>> {
        let rows: Vec<(String, i64, i64)> = reading!(self, pool => sqlx::query_as(
            "SELECT camera, day, seconds FROM watched WHERE day * 86400000000 >= $1",
        ).bind(us(since)).fetch_all(pool).await.map_err(failed)?);
        let of = |(camera, day, seconds): (String, i64, i64)| {
            Ok(Watched {
                camera: CameraId(camera),
                day: time(day * DAY_US)?,
                seconds: seconds.unsigned_abs(),
            })
        };
        rows.into_iter().map(of).collect()
    }

    /// A test that is stored already is not changed.
    pub async fn add_self_tests(&self, tests: &[Tested]) -> Result<()> {
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            for test in tests {
                sqlx::query(
                    "INSERT INTO self_test (camera, at_us, scale, light, smallest) VALUES ($1, $2, \
                    $3, $4, $5) ON CONFLICT DO NOTHING",
                )
                .bind(test.camera.as_str()).bind(us(test.at)).bind(word(&test.scale)?).bind(word(&Light::at(test.at))?)
                .bind(test.smallest.map(f64::from))
                .execute(&mut *tx).await.map_err(failed)?;
            }
            tx.commit().await.map_err(failed)
        })
    }

    /// For pictures taken at or after `since`, summed by camera, scale and light.
    pub async fn self_tests(&self, since: Timestamp) -> Result<Vec<Tests>> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT camera, scale, light, COUNT(*) AS tests, COUNT(smallest) AS passed, \
            MIN(smallest) AS smallest_best, \
             MAX(smallest) AS smallest_worst, MAX(at_us) AS last_at_us FROM self_test WHERE at_us \
             >= $1 \
             GROUP BY camera, scale, light ORDER BY camera, scale DESC, light",
        ).bind(us(since)).fetch_all(pool).await.map_err(failed)?);
        rows.into_iter().map(Row::into_tests).collect()
    }

    /// Removes some of the rows older than `before`. The caller pauses and repeats until it returns
    /// zero.
    pub async fn prune_proof(&self, before: Timestamp) -> Result<u64> {
        writing!(self, connection => {
            let days = sqlx::query("DELETE FROM watched WHERE day * 86400000000 < $1")
                .bind(us(before) - DAY_US).execute(&mut *connection).await.map_err(failed)?.rows_affected();
            let tests = sqlx::query(
                "DELETE FROM self_test WHERE (camera, at_us, scale) IN \
                 (SELECT camera, at_us, scale FROM self_test WHERE at_us < $1 LIMIT $2)",
            )
            .bind(us(before)).bind(REMOVED_AT_ONCE).execute(&mut *connection).await.map_err(failed)?.rows_affected();
            Ok(days + tests)
        })
    }
}

impl Row {
    fn into_tests(self) -> Result<Tests> {
        Ok(Tests {
            camera: CameraId(self.camera),
            scale: from_word(self.scale, "scale")?,
            light: from_word(self.light, "light")?,
            tests: self.tests.unsigned_abs(),
            passed: self.passed.unsigned_abs(),
            smallest_best: self.smallest_best.map(|it| it as f32),
            smallest_worst: self.smallest_worst.map(|it| it as f32),
            last_at: time(self.last_at_us)?,
        })
    }
}
