//! What the desk remembers of places: where incidents were closed, and as what. Written with the
//! closing, and read without folding any log.

use super::{Store, failed, from_json, id, reading, us, writing};
use crate::error::{Kind, Result};
use crate::triage::id::IncidentId;
use crate::triage::memory::Closed;
use jiff::Timestamp;

/// Writes a closing inside a commit's transaction, on either database.
macro_rules! insert {
    ($connection:expr, $incident:expr) => {{
        if let Some(closed) = $crate::triage::memory::Closed::of($incident) {
            sqlx::query(
                "INSERT INTO closed_place (incident, closed_at_us, body) VALUES ($1, $2, $3) ON \
                CONFLICT DO NOTHING",
            )
            .bind($incident.id.to_string())
            .bind($crate::store::us(closed.closed_at))
            .bind($crate::store::to_json(&closed)?)
            .execute($connection)
            .await
            .map_err($crate::store::failed)?;
        }
    }};
}
pub(super) use insert;

impl Store {
    /// Closed at or after `since`, oldest first.
    pub async fn closed_places(&self, since: Timestamp) -> Result<Vec<Closed>> {
        let rows: Vec<(String, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT incident.code, closed_place.body FROM closed_place JOIN incident ON \
            incident.id = closed_place.incident \
             WHERE closed_place.closed_at_us >= $1 ORDER BY closed_place.closed_at_us, incident.id",
        ).bind(us(since)).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.into_iter().map(|(code, body)| {
            let name = format!("the closing of {code}");
            let row = from_json(&body, &name).map(|closed| Closed { code, ..closed });
            (name, row)
        })))
    }

    /// Adds the closings of databases older than this table. Returns how many were missing.
    pub async fn remember_closings(&self, since: Timestamp) -> Result<usize> {
        let missing: Vec<(String,)> = reading!(self, pool => sqlx::query_as(
            "SELECT id FROM incident WHERE closed_at_us >= $1 \
             AND NOT EXISTS (SELECT 1 FROM closed_place WHERE closed_place.incident = incident.id)",
        ).bind(us(since)).fetch_all(pool).await.map_err(failed)?);
        for (name,) in &missing {
            // An incident that cannot be read is skipped here and reported elsewhere.
            let incident = match self.incident(id::<IncidentId>(name)?).await {
                Err(e) if e.kind == Kind::Internal => continue,
                filed => filed?.incident,
            };
            writing!(self, connection => {
                insert!(connection, &incident);
                Ok(())
            })?;
        }
        Ok(missing.len())
    }
}
