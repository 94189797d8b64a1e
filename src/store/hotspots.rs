//! Satellite pixels. Each is stored once, whatever its processing version.

use super::{REMOVED_AT_ONCE, Store, failed, from_json, id, reading, time, to_json, us, writing};
use crate::error::Result;
use crate::triage::hotspot::Hotspot;
use crate::triage::id::IncidentId;
use jiff::Timestamp;
use sqlx::Connection as _;
use std::collections::HashSet;

/// A pixel, and the incident it belongs to, if any.
#[derive(Clone, PartialEq, Debug)]
pub struct KnownHotspot {
    pub hotspot: Hotspot,
    pub incident: Option<IncidentId>,
}

/// The number of hotspots of a time range.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HotspotCount {
    pub known: u64,
    /// Those that are evidence of an incident.
    pub filed: u64,
    /// When the newest was received.
    pub received_at: Option<Timestamp>,
}

impl Store {
    /// Stores pixels and returns, in the given order, those without a sighting. A pixel with a
    /// sighting is never returned again, in any processing version. One that was stored just before
    /// a crash is, so reading its file again loses nothing.
    pub async fn add_hotspots(&self, hotspots: &[Hotspot], now: Timestamp) -> Result<Vec<Hotspot>> {
        let mut unsighted: Vec<Hotspot> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            for hotspot in hotspots {
                let (sighting,): (Option<String>,) = sqlx::query_as(
                    "INSERT INTO hotspot (key, acquired_at_us, received_at_us, version, body) \
                    VALUES ($1, $2, $3, $4, $5) \
                     ON CONFLICT (key) DO UPDATE SET version = excluded.version, body = \
                     excluded.body RETURNING sighting",
                )
                .bind(&hotspot.key).bind(us(hotspot.acquired_at)).bind(us(now)).bind(&hotspot.version).bind(to_json(hotspot)?)
                .fetch_one(&mut *tx).await.map_err(failed)?;
                if sighting.is_none() && seen.insert(&hotspot.key) {
                    unsighted.push(hotspot.clone());
                }
            }
            tx.commit().await.map_err(failed)
        })?;
        Ok(unsighted)
    }

    /// Removes some of the pixels acquired before `before`, oldest first. The caller pauses and
    /// repeats until it returns zero.
    pub async fn prune_hotspots(&self, before: Timestamp) -> Result<u64> {
        writing!(self, connection => sqlx::query(
            "DELETE FROM hotspot WHERE key IN (SELECT key FROM hotspot WHERE acquired_at_us < $1 \
            ORDER BY acquired_at_us LIMIT $2)",
        ).bind(us(before)).bind(REMOVED_AT_ONCE).execute(connection).await.map(|done| done.rows_affected()).map_err(failed))
    }

    /// Acquired at or after `since`, newest first.
    pub async fn hotspots_since(&self, since: Timestamp, limit: u32) -> Result<Vec<KnownHotspot>> {
        let rows: Vec<(String, String, Option<String>)> = reading!(self, pool => sqlx::query_as(
            "SELECT key, body, incident FROM hotspot WHERE acquired_at_us >= $1 ORDER BY \
            acquired_at_us DESC, key DESC LIMIT $2",
        ).bind(us(since)).bind(i64::from(limit)).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.into_iter().map(known)))
    }

    /// At most `limit` pixels, newest first; `before`: time and key of the last one of the page
    /// before.
    pub async fn hotspots_before(
        &self,
        before: Option<&(Timestamp, String)>,
        limit: u32,
    ) -> Result<Vec<KnownHotspot>> {
        let (at, key) = before.map_or((i64::MAX, ""), |(at, key)| (us(*at), key.as_str()));
        let rows: Vec<(String, String, Option<String>)> = reading!(self, pool => sqlx::query_as(
            "SELECT key, body, incident FROM hotspot WHERE acquired_at_us < $1 OR (acquired_at_us \
            = $1 AND key < $2) ORDER BY acquired_at_us DESC, key DESC LIMIT $3",
        ).bind(at).bind(key).bind(i64::from(limit)).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.into_iter().map(known)))
    }

    /// Counts pixels acquired at or after `since`. The result changes whenever a map of them would
    /// change.
    pub async fn hotspots_count(&self, since: Timestamp) -> Result<HotspotCount> {
        let (known, filed, newest): (i64, i64, Option<i64>) = reading!(self, pool => sqlx::query_as(
            "SELECT COUNT(*), COUNT(incident), MAX(received_at_us) FROM hotspot WHERE \
            acquired_at_us >= $1",
        ).bind(us(since)).fetch_one(pool).await.map_err(failed)?);
        Ok(HotspotCount {
            known: known as u64,
            filed: filed as u64,
            received_at: newest.map(time).transpose()?,
        })
    }
}

/// A row with its name.
fn known(
    (key, body, incident): (String, String, Option<String>),
) -> (String, Result<KnownHotspot>) {
    let name = format!("hotspot {key}");
    let read = || {
        let incident = incident.map(|incident| id(&incident)).transpose()?;
        Ok(KnownHotspot { hotspot: from_json(&body, &name)?, incident })
    };
    let row = read();
    (name, row)
}
