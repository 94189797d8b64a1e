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

    /// It has been told up to `cursor`, by the one who has it until `mine`; who now has it until
    /// `until`, or gives it back (`None`). False: another one has it, and nothing is written.
    pub async fn webhook_told(
        &self,
        name: &str,
        cursor: u64,
        mine: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<bool> {
        let told = writing!(self, connection => sqlx::query(
            "UPDATE webhook SET cursor = $2, leased_until_us = $4 WHERE name = $1 AND \
            leased_until_us = $3 AND cursor <= $2",
        ).bind(name).bind(cursor as i64).bind(us(mine)).bind(until.map_or(0, us))
            .execute(connection).await.map(|done| done.rows_affected()).map_err(failed))?;
        Ok(told > 0)
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
