//! The log from its beginning. Does every row's hash follow from the row and the previous hash, and
//! does the log still hold each head recorded outside this machine?

use super::{Anchor, Record, Store, failed, reading};
use crate::error::Result;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// Rows read and hashed at once: some 2 MB, a few milliseconds.
const AT_ONCE: i64 = 1_000;

/// sha256(hash before ‖ the row as JSON, keys in this order, body exactly as stored), hexadecimal.
pub(crate) fn chained(before: &str, seq: i64, incident: &str, version: i64, body: &str) -> String {
    let row =
        format!(r#"{{"seq":{seq},"incident":"{incident}","version":{version},"recorded":{body}}}"#);
    hex::encode(Sha256::new().chain_update(before).chain_update(row).finalize())
}

/// The hash before the first row.
pub(super) fn beginning() -> String {
    "0".repeat(64)
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    incident: String,
    version: i64,
    body: String,
    hash: String,
}

/// How far the log has been read.
pub(super) struct Chain {
    seq: i64,
    /// The last row's hash; `None` when that row is missing.
    hash: Option<String>,
    /// Anchors still ahead, by position.
    anchors: VecDeque<Anchor>,
}

impl Chain {
    pub(super) fn from_the_beginning(anchors: Vec<Anchor>) -> Self {
        Self { seq: 0, hash: Some(beginning()), anchors: anchors.into() }
    }

    /// Checks the next rows up to `record.head`. Returns how many; 0 at the end. Each row is
    /// compared with the *stored* previous hash, so one damaged row is one finding, and the check
    /// goes on.
    pub(super) async fn step(&mut self, store: &Store, record: &mut Record) -> Result<u64> {
        let end = record.head.events as i64;
        let rows: Vec<Row> = reading!(store, pool => sqlx::query_as(
            "SELECT seq, incident, version, body, hash FROM event WHERE seq > $1 AND seq <= $2 \
            ORDER BY seq LIMIT $3",
        ).bind(self.seq).bind(end).bind(AT_ONCE).fetch_all(pool).await.map_err(failed)?);
        for row in &rows {
            self.take(row, record);
        }
        if rows.is_empty() && self.seq < end {
            record.absent.add((self.seq as u64 + 1, end as u64));
        } else if rows.is_empty() {
            record.head_differs = self.hash.as_ref().is_some_and(|hash| *hash != record.head.hash);
        }
        Ok(rows.len() as u64)
    }

    fn take(&mut self, row: &Row, record: &mut Record) {
        let (place, before) = (row.seq as u64, self.hash.take());
        if row.seq != self.seq + 1 {
            record.absent.add((self.seq as u64 + 1, place - 1));
        } else if before.is_some_and(|it| {
            chained(&it, row.seq, &row.incident, row.version, &row.body) != row.hash
        }) {
            record.damaged.add(place);
        }
        // Anchors of missing rows are skipped: the gap is reported anyway.
        while let Some(anchor) = self.anchors.pop_front_if(|it| it.seq <= place) {
            if anchor.seq == place && !anchor.is_kept_by(&row.hash) {
                record.rewritten.add(anchor);
            }
        }
        (self.seq, self.hash) = (row.seq, Some(row.hash.clone()));
    }
}
