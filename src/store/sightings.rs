//! Evidence as it arrives: written down before anybody thinks about it.

use super::{Store, failed, from_json, reading, to_json, us, writing};
use crate::error::Result;
use crate::triage::sighting::{Sighting, Source};
use jiff::Timestamp;
use sqlx::Connection as _;

impl Store {
    /// Writes sightings down, all or none. Those known already stay as they are: the same sighting may come twice (a resent
    /// message, a page's retry).
    pub async fn record_sightings(&self, sightings: &[Sighting], now: Timestamp) -> Result<()> {
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            for sighting in sightings {
                let (name, body) = (sighting.id.to_string(), to_json(sighting)?);
                sqlx::query(
                    "INSERT INTO sighting (id, observed_at_us, received_at_us, body) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
                )
                .bind(&name).bind(us(sighting.observed_at)).bind(us(now)).bind(&body)
                .execute(&mut *tx).await.map_err(failed)?;
                if let Source::Satellite { hotspot_key, .. } = &sighting.source {
                    sqlx::query("UPDATE hotspot SET sighting = $1 WHERE key = $2 AND sighting IS NULL")
                        .bind(&name).bind(hotspot_key).execute(&mut *tx).await.map_err(failed)?;
                }
            }
            tx.commit().await.map_err(failed)
        })
    }

    /// Sightings received before `before` that are evidence of no incident yet, oldest first: the desk died between
    /// hearing of them and filing them.
    pub async fn unfiled_sightings(&self, before: Timestamp, limit: u32) -> Result<Vec<Sighting>> {
        let rows: Vec<(String, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT id, body FROM sighting WHERE filed = 0 AND received_at_us <= $1 ORDER BY received_at_us, id LIMIT $2",
        ).bind(us(before)).bind(i64::from(limit)).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.iter().map(|(name, body)| {
            let name = format!("sighting {name}");
            let row = from_json(body, &name);
            (name, row)
        })))
    }
}
