//! How far each receiver of events has been told. The log is their outbox: nothing is copied, and
//! what is not yet told is what lies behind the cursor.

use super::{Store, failed, reading, us, writing};
use crate::error::Result;
use jiff::Timestamp;

impl Store {
    /// Begins with the end of the log: a new receiver is told what happens from now on.
    pub async fn add_webhook(&self, name: &str) -> Result<()> {
        writing!(self, connection => sqlx::query(
            "INSERT INTO webhook (name, cursor) SELECT $1, seq FROM log_head WHERE one = 1 ON \
            CONFLICT DO NOTHING",
        ).bind(name).execute(connection).await.map(drop).map_err(failed))
    }

    /// How far this receiver has been told. Until `until`, or until [`Self::webhook_told`], no other
    /// process gets it. `None`: another one tells it now.
    pub async fn lease_webhook(
        &self,
        name: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<u64>> {
        let row: Option<(i64,)> = writing!(self, connection => sqlx::query_as(
            "UPDATE webhook SET leased_until_us = $3 WHERE name = $1 AND leased_until_us <= $2 \
            RETURNING cursor",
        ).bind(name).bind(us(now)).bind(us(until)).fetch_optional(connection).await.map_err(failed))?;
        Ok(row.map(|(cursor,)| cursor as u64))
    }

    /// It has been told up to `cursor`, and is free for others.
    pub async fn webhook_told(&self, name: &str, cursor: u64) -> Result<()> {
        writing!(self, connection => sqlx::query(
            "UPDATE webhook SET cursor = $2, leased_until_us = 0 WHERE name = $1",
        ).bind(name).bind(cursor as i64).execute(connection).await.map(drop).map_err(failed))
    }

    /// How many events of incidents it has not been told.
    pub async fn webhook_waiting(&self, name: &str) -> Result<u64> {
        let (count,): (i64,) = reading!(self, pool => sqlx::query_as(
            "SELECT COUNT(*) FROM event, webhook WHERE webhook.name = $1 AND event.seq > \
            webhook.cursor AND event.incident <> $2",
        ).bind(name).bind(super::REGISTERS).fetch_one(pool).await.map_err(failed)?);
        Ok(count as u64)
    }
}
