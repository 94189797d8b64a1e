//! Evidence as it arrives: stored before it is judged.

use super::{Store, failed, from_json, reading, to_json, us, writing};
use crate::error::Result;
use crate::triage::id::{PictureId, SightingId};
use crate::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use sqlx::Connection as _;
use std::collections::HashSet;

/// The count stops here: readers need no larger number.
const NOT_FILED_COUNTED: i64 = 1_000;

impl Store {
    /// Stores sightings, all or none. Known ones are not changed: a sighting may arrive twice (a
    /// resent message, a page's retry).
    pub async fn record_sightings(&self, sightings: &[Sighting], now: Timestamp) -> Result<()> {
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            for sighting in sightings {
                let (name, body) = (sighting.id.to_string(), to_json(sighting)?);
                sqlx::query(
                    "INSERT INTO sighting (id, observed_at_us, received_at_us, next_try_at_us, \
                    body) VALUES ($1, $2, $3, $3, $4) \
                     ON CONFLICT DO NOTHING",
                )
                .bind(&name).bind(us(sighting.observed_at)).bind(us(now)).bind(&body)
                .execute(&mut *tx).await.map_err(failed)?;
                if let Source::Satellite { hotspot_key, .. } = &sighting.source {
                    sqlx::query("UPDATE hotspot SET sighting = $1 WHERE key = $2 AND sighting IS \
                        NULL")
                        .bind(&name).bind(hotspot_key).execute(&mut *tx).await.map_err(failed)?;
                }
            }
            tx.commit().await.map_err(failed)
        })
    }

    /// Sightings that belong to no incident yet and are due for another try by `before`, the
    /// longest due first. The desk died before it filed them, or could not file them.
    pub async fn unfiled_sightings(&self, before: Timestamp, limit: u32) -> Result<Vec<Sighting>> {
        let rows: Vec<(String, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT id, body FROM sighting WHERE filed = 0 AND next_try_at_us <= $1 ORDER BY \
            next_try_at_us, id LIMIT $2",
        ).bind(us(before)).bind(i64::from(limit)).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.iter().map(|(name, body)| {
            let name = format!("sighting {name}");
            let row = from_json(body, &name);
            (name, row)
        })))
    }

    /// Pictures of all sightings that belong to no incident yet. `None`: one of the sightings
    /// cannot be read.
    pub(super) async fn unfiled_pictures(&self) -> Result<Option<HashSet<PictureId>>> {
        let rows: Vec<(String, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT id, body FROM sighting WHERE filed = 0",
        ).fetch_all(pool).await.map_err(failed)?);
        let sightings: Vec<Sighting> = self.readable(rows.iter().map(|(name, body)| {
            let name = format!("sighting {name}");
            let row = from_json(body, &name);
            (name, row)
        }));
        let are_read = sightings.len() == rows.len();
        Ok(are_read.then(|| sightings.into_iter().flat_map(|it| it.pictures).collect()))
    }

    /// Records a failed filing. The next try comes after `wait`, which gets the number of tries
    /// before.
    pub async fn sighting_not_filed(
        &self,
        sighting: SightingId,
        why: &str,
        now: Timestamp,
        wait: impl Fn(u32) -> SignedDuration,
    ) -> Result<()> {
        let name = sighting.to_string();
        writing!(self, connection => {
            let (tries,): (i64,) = sqlx::query_as("SELECT tries FROM sighting WHERE id = $1")
                .bind(&name).fetch_one(&mut *connection).await.map_err(failed)?;
            sqlx::query("UPDATE sighting SET tries = tries + 1, next_try_at_us = $1, why_not = $2 \
                WHERE id = $3")
                .bind(us(now + wait(tries as u32))).bind(why).bind(&name)
                .execute(&mut *connection).await.map(drop).map_err(failed)
        })
    }

    /// Sightings that were tried and belong to no incident yet: their number, and why the first
    /// failed.
    pub async fn not_filed(&self) -> Result<Option<(u32, String)>> {
        let rows: Vec<(String,)> = reading!(self, pool => sqlx::query_as(
            "SELECT COALESCE(why_not, '') FROM sighting WHERE filed = 0 AND tries > 0 ORDER BY \
            next_try_at_us, id LIMIT $1",
        ).bind(NOT_FILED_COUNTED).fetch_all(pool).await.map_err(failed)?);
        Ok(rows.first().map(|(why,)| (rows.len() as u32, why.clone())))
    }
}
