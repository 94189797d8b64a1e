//! The log from its beginning: does every row's hash follow from the row and the hash before it, and is each head that was told still
//! there?

use super::{Anchor, Record, Store, failed, reading};
use crate::error::Result;
use sha2::{Digest, Sha256};
use std::collections::VecDeque;

/// Rows read and hashed at once: some 2 MB, a few milliseconds.
const AT_ONCE: i64 = 1_000;

/// sha256(hash before ‖ the row as JSON, keys in this order, body exactly as stored), hexadecimal.
pub fn chained(before: &str, seq: i64, incident: &str, version: i64, body: &str) -> String {
    let row = format!(r#"{{"seq":{seq},"incident":"{incident}","version":{version},"recorded":{body}}}"#);
    hex::encode(Sha256::new().chain_update(before).chain_update(row).finalize())
}

/// What is before the first.
pub fn beginning() -> String {
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

/// How far the log was read.
pub struct Chain {
    seq: i64,
    /// Of the last row; `None` when it is not there.
    hash: Option<String>,
    /// Those still to come, by their place.
    anchors: VecDeque<Anchor>,
}

impl Chain {
    pub fn from_the_beginning(anchors: Vec<Anchor>) -> Self {
        Self { seq: 0, hash: Some(beginning()), anchors: anchors.into() }
    }

    /// The next rows up to `record.head`; yields how many, 0 at the end. Each row is held against the *stored* hash before it, so that one
    /// damaged row is one finding and not the end of the looking.
    pub async fn step(&mut self, store: &Store, record: &mut Record) -> Result<u64> {
        let end = record.head.events as i64;
        let rows: Vec<Row> = reading!(store, pool => sqlx::query_as(
            "SELECT seq, incident, version, body, hash FROM event WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3",
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
        } else if before.is_some_and(|it| chained(&it, row.seq, &row.incident, row.version, &row.body) != row.hash) {
            record.damaged.add(place);
        }
        // Those of rows that are not there are passed over: the gap says it.
        while let Some(anchor) = self.anchors.pop_front_if(|it| it.seq <= place) {
            if anchor.seq == place && !anchor.is_kept_by(&row.hash) {
                record.rewritten.add(anchor);
            }
        }
        (self.seq, self.hash) = (row.seq, Some(row.hash.clone()));
    }
}
