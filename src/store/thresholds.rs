//! Published thresholds: all versions are kept, the highest is in force.

use super::{Store, failed, from_json, reading, time, to_json, us, writing};
use crate::error::{Error, Kind, Result};
use crate::triage::confirm::Thresholds;
use crate::triage::id::PersonId;
use jiff::Timestamp;

#[derive(Clone, PartialEq, Debug)]
pub struct PublishedThresholds {
    pub thresholds: Thresholds,
    pub by: PersonId,
    pub at: Timestamp,
    pub reason: String,
}

impl Store {
    /// Those in force; `None` when none was ever published and the configuration's hold.
    pub async fn thresholds(&self) -> Result<Option<Thresholds>> {
        Ok(self.threshold_history().await?.pop().map(|published| published.thresholds))
    }

    /// Publishes the next version. `edited` carries the version it was made from.
    ///
    /// # Errors
    /// `Conflict` when somebody published meanwhile.
    pub async fn publish_thresholds(
        &self,
        edited: &Thresholds,
        by: &PersonId,
        reason: &str,
        now: Timestamp,
    ) -> Result<Thresholds> {
        let next = Thresholds { version: edited.version + 1, ..edited.clone() };
        let body = to_json(&next)?;
        let written = writing!(self, connection => sqlx::query(
            "INSERT INTO thresholds (version, body, by_person, at_us, reason) SELECT $1, $2, $3, $4, $5 \
             WHERE NOT EXISTS (SELECT 1 FROM thresholds WHERE version >= $1)",
        )
        .bind(i64::from(next.version)).bind(body).bind(by.as_str()).bind(us(now)).bind(reason)
        .execute(connection).await.map(|done| done.rows_affected()).map_err(failed))?;
        if written == 1 {
            Ok(next)
        } else {
            Err(Error::new(Kind::Conflict, "newer thresholds were published meanwhile"))
        }
    }

    /// Oldest first.
    pub async fn threshold_history(&self) -> Result<Vec<PublishedThresholds>> {
        let rows: Vec<(i64, String, String, i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT version, body, by_person, at_us, reason FROM thresholds ORDER BY version",
        ).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.into_iter().map(|(version, body, by, at_us, reason)| {
            let name = format!("thresholds {version}");
            let row = from_json(&body, &name).and_then(|thresholds| {
                Ok(PublishedThresholds { thresholds, by: PersonId(by), at: time(at_us)?, reason })
            });
            (name, row)
        })))
    }
}
