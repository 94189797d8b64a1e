//! Anchors: heads of the log recorded outside this machine. Whoever rewrites the log with all its
//! hashes cannot change the paper.

use super::{LogHead, Store, failed, reading, time, us, writing};
use crate::error::{Error, Result};
use crate::lang::Words;
use jiff::Timestamp;
use jiff::civil::Date;
use std::fmt;
use std::str::FromStr;

/// Characters of a hash that people read and keep: 64 bits, which cannot be matched by trial.
const SHORT: usize = 16;
/// The fewest characters that are accepted.
const SHORTEST: usize = 8;

/// "1234 3f9a0c21d7e4b850": the log's event 1234 had this hash. The first characters are enough.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anchor {
    pub seq: u64,
    pub hash: String,
    /// The county's day on which the program recorded it; `None`: somebody typed it from paper.
    pub day: Option<String>,
}

impl Anchor {
    pub fn of(head: &LogHead) -> Self {
        Self { seq: head.events, hash: head.hash.clone(), day: None }
    }

    /// Whether the event's hash begins with the recorded one.
    pub(super) fn is_kept_by(&self, hash: &str) -> bool {
        hash.starts_with(&self.hash)
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.seq, self.hash.get(..SHORT).unwrap_or(&self.hash))
    }
}

impl FromStr for Anchor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let read = || {
            let (seq, hash) = text.trim().split_once(char::is_whitespace)?;
            let (seq, hash) = (seq.parse().ok()?, hash.trim().to_ascii_lowercase());
            let is_hash = (SHORTEST..=64).contains(&hash.len())
                && hash.bytes().all(|c| c.is_ascii_hexdigit());
            (is_hash && seq > 0).then_some(Self { seq, hash, day: None })
        };
        read().ok_or_else(|| {
            Error::invalid(Words::new(
                format!("{text}：应为序号和校验码，例如 1234 3f9a0c21d7e4b850"),
                format!(
                    "{text}: a row number and a hash are needed, for example 1234 \
                    3f9a0c21d7e4b850"
                ),
            ))
        })
    }
}

/// A day's anchor, and whether it was sent out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    pub anchor: Anchor,
    pub at: Timestamp,
    pub told_at: Option<Timestamp>,
}

impl Store {
    /// The present head of the log.
    pub async fn head(&self) -> Result<LogHead> {
        let (seq, hash): (i64, String) = reading!(self, pool => sqlx::query_as("SELECT seq, hash \
            FROM log_head WHERE one = 1")
            .fetch_one(pool).await.map_err(failed)?);
        Ok(LogHead { events: seq as u64, hash })
    }

    /// Records the head of the log once a day, and returns the day's anchor; `None` before the
    /// first event.
    pub async fn keep_anchor(&self, day: Date, now: Timestamp) -> Result<Option<Kept>> {
        let (head, day) = (self.head().await?, day.to_string());
        if head.events == 0 {
            return Ok(None);
        }
        writing!(self, connection => sqlx::query(
            "INSERT INTO anchor (day, seq, hash, at_us) VALUES ($1, $2, $3, $4) ON CONFLICT DO \
            NOTHING",
        ).bind(&day).bind(head.events as i64).bind(&head.hash).bind(us(now)).execute(connection).await.map(drop).map_err(failed))?;
        let (seq, hash, at, told): (i64, String, i64, Option<i64>) = reading!(self, pool => sqlx::query_as(
            "SELECT seq, hash, at_us, told_at_us FROM anchor WHERE day = $1",
        ).bind(&day).fetch_one(pool).await.map_err(failed)?);
        let anchor = Anchor { seq: seq as u64, hash, day: Some(day) };
        Ok(Some(Kept { anchor, at: time(at)?, told_at: told.map(time).transpose()? }))
    }

    /// A gateway accepted the text with the day's anchor.
    pub async fn anchor_told(&self, day: Date, now: Timestamp) -> Result<()> {
        writing!(self, connection => sqlx::query("UPDATE anchor SET told_at_us = $1 WHERE day = $2")
            .bind(us(now)).bind(day.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// In the order of the log.
    pub(super) async fn anchors(&self) -> Result<Vec<Anchor>> {
        let rows: Vec<(String, i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT day, seq, hash FROM anchor ORDER BY seq, day",
        ).fetch_all(pool).await.map_err(failed)?);
        Ok(rows
            .into_iter()
            .map(|(day, seq, hash)| Anchor { seq: seq as u64, hash, day: Some(day) })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_anchor_is_read_as_it_is_written() {
        let hash = "3f9a0c21d7e4b850".repeat(4);
        let anchor = Anchor::of(&LogHead { events: 1234, hash: hash.clone() });
        assert_eq!(anchor.to_string(), "1234 3f9a0c21d7e4b850");
        let read: Anchor = " 1234  3F9A0C21D7E4B850 ".parse().expect("as on paper");
        assert!(
            read.is_kept_by(&hash)
                && !read.is_kept_by(&hash.replace("3f9a0c21d7e4b850", "3f9a0c21d7e4b851"))
        );
        for bad in [
            "",
            "1234",
            "0 3f9a0c21d7e4b850",
            "1234 3f9a0c2",
            "x 3f9a0c21d7e4b850",
            "1 3f9a0c21d7e4b85z",
            "-1 3f9a0c21d7e4b850",
        ] {
            assert!(bad.parse::<Anchor>().is_err(), "{bad}");
        }
    }
}
