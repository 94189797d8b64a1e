//! The append-only, hash-chained log, and the one way to add to it.

use super::outbox::{self, NewMessage};
use super::places;
use super::record::{self, Line, chained};
use super::{Store, failed, from_json, id, reading, to_json, us, writing};
use crate::error::{Error, Kind, Result};
use crate::triage::event::{Event, Recorded};
use crate::triage::id::IncidentId;
use crate::triage::incident::Incident;
use crate::triage::sighting::Source;
use sqlx::Connection as _;

/// The decisions about one incident.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// The incident with `events` already folded in. Its version minus their number is the version
    /// it was decided on.
    pub incident: &'a Incident,
    pub events: &'a [Recorded],
    /// For a new incident: `last_opened` as read before its decision, so that two desks do not open
    /// two incidents for one fire. `None` for a known incident.
    pub last_opened: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// seq of the last event written.
    pub cursor: u64,
    /// The short number people say aloud.
    pub code: String,
}

/// One line of the log.
#[derive(Clone, PartialEq, Debug)]
pub struct LogEntry {
    pub cursor: u64,
    pub incident: IncidentId,
    /// Position in this incident's log, from 1.
    pub version: u64,
    /// `None` when it cannot be read: written by a newer version, or damaged.
    pub recorded: Option<Recorded>,
}

/// Updates the incident's own row from the version it was decided on. Returns its code.
macro_rules! keep_incident {
    ($tx:expr, $commit:expr, $first:expr) => {{
        let Commit { incident, events, last_opened } = *$commit;
        let before = incident.version - events.len() as u64;
        let name = incident.id.to_string();
        let line = Line::of(incident, $first)?;
        let known: Option<(i64, String)> = sqlx::query_as(
            "SELECT version, code FROM incident \
            WHERE id = $1",
        )
        .bind(&name)
        .fetch_optional(&mut **$tx)
        .await
        .map_err(failed)?;
        match known {
            Some((at, code)) if at as u64 == before => {
                sqlx::query(
                    "UPDATE incident SET version = $1, state = $2, closed_at_us = $3 WHERE \
                    id = $4",
                )
                .bind(line.version)
                .bind(&line.state)
                .bind(line.closed_at_us)
                .bind(&name)
                .execute(&mut **$tx)
                .await
                .map_err(failed)?;
                code
            }
            None if before == 0 => {
                let (newest,): (i64,) = sqlx::query_as(
                    "SELECT COALESCE(MAX(opened_seq), 0) FROM \
                    incident",
                )
                .fetch_one(&mut **$tx)
                .await
                .map_err(failed)?;
                if last_opened.is_some_and(|seen| seen != newest as u64) {
                    return Err(Error::new(
                        Kind::Conflict,
                        "another incident was opened meanwhile",
                    ));
                }
                record::insert!($tx, &name, incident.opened_at, &line)
            }
            _ => return Err(Error::new(Kind::Conflict, "the incident has changed meanwhile")),
        }
    }};
}

/// Writes the events, chained, and the rows that follow from them.
macro_rules! keep_events {
    ($tx:expr, $commit:expr, $name:expr, $seq:ident, $hash:ident) => {{
        let Commit { incident, events, .. } = *$commit;
        let before = incident.version - events.len() as u64;
        // Evidence split off another incident moves to this one. All other evidence belongs to one
        // incident for good.
        let evidence = match incident.split_from {
            Some(_) if before == 0 => {
                "INSERT INTO evidence (sighting, incident) VALUES ($1, $2) \
                                       ON CONFLICT (sighting) DO UPDATE SET incident = \
                                       excluded.incident"
            }
            _ => "INSERT INTO evidence (sighting, incident) VALUES ($1, $2)",
        };
        for (place, recorded) in (before + 1..).zip(events) {
            $seq += 1;
            let body = to_json(recorded)?;
            $hash = chained(&$hash, $seq, $name, place as i64, &body);
            sqlx::query(
                "INSERT INTO event (seq, incident, version, at_us, body, hash) VALUES ($1, $2, $3, \
                $4, $5, $6)",
            )
            .bind($seq)
            .bind($name)
            .bind(place as i64)
            .bind(us(recorded.at))
            .bind(body)
            .bind(&$hash)
            .execute(&mut **$tx)
            .await
            .map_err(failed)?;
            match &recorded.event {
                Event::Opened { sighting, .. }
                | Event::SightingAdded { sighting, .. }
                | Event::Reminded { sighting } => {
                    sqlx::query(evidence)
                        .bind(sighting.id.to_string())
                        .bind($name)
                        .execute(&mut **$tx)
                        .await
                        .map_err(failed)?;
                    sqlx::query("UPDATE sighting SET filed = 1 WHERE id = $1")
                        .bind(sighting.id.to_string())
                        .execute(&mut **$tx)
                        .await
                        .map_err(failed)?;
                    if let Source::Satellite { hotspot_key, .. } = &sighting.source {
                        sqlx::query("UPDATE hotspot SET incident = $1 WHERE key = $2")
                            .bind($name)
                            .bind(hotspot_key)
                            .execute(&mut **$tx)
                            .await
                            .map_err(failed)?;
                    }
                }
                Event::Undelivered { message, .. } => {
                    sqlx::query("UPDATE message SET noted = 1 WHERE id = $1")
                        .bind(message.to_string())
                        .execute(&mut **$tx)
                        .await
                        .map_err(failed)?;
                }
                Event::Closed { .. } => {
                    places::insert!(&mut **$tx, incident);
                }
                _ => {}
            }
        }
    }};
}

impl Store {
    /// All or nothing: the events, the incident's row, the evidence links, and the messages that
    /// `compose` makes from the code.
    ///
    /// # Errors
    /// `Conflict` when the incident is no longer at the version it was decided on, when one of its
    /// sightings belongs to another incident, when a message exists already, or when another
    /// incident was opened meanwhile. Reload and decide again.
    pub async fn commit(
        &self,
        commit: Commit<'_>,
        compose: impl FnOnce(&str) -> Vec<NewMessage> + Send,
    ) -> Result<Committed> {
        let compose =
            |codes: &[String]| vec![codes.first().map(|code| compose(code)).unwrap_or_default()];
        let mut committed = self.commit_all(&[commit], compose).await?;
        committed.pop().ok_or_else(|| Error::internal("nothing to commit"))
    }

    /// Commits decisions that belong together (a split, a merge), all or nothing. `compose` makes
    /// the messages of each one; it gets the codes of all.
    ///
    /// # Errors
    /// As `commit`.
    pub async fn commit_all(
        &self,
        commits: &[Commit<'_>],
        compose: impl FnOnce(&[String]) -> Vec<Vec<NewMessage>> + Send,
    ) -> Result<Vec<Committed>> {
        for Commit { incident, events, .. } in commits {
            if events.is_empty() || incident.version < events.len() as u64 {
                return Err(Error::internal("a decision has no events, or more than its incident"));
            }
        }
        let committed: Vec<Committed> = writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            // Takes the log's only lock, so that commits are serial and in the order of their
            // cursors.
            let (mut seq, mut hash): (i64, String) =
                sqlx::query_as("UPDATE log_head SET seq = seq WHERE one = 1 RETURNING seq, hash")
                    .fetch_one(&mut *tx).await.map_err(failed)?;
            let mut codes = Vec::with_capacity(commits.len());
            let mut first = seq + 1;
            for commit in commits {
                codes.push(keep_incident!(&mut tx, commit, first));
                first += commit.events.len() as i64;
            }
            for (commit, messages) in commits.iter().zip(compose(&codes)) {
                let name = commit.incident.id.to_string();
                let at_us = commit.events.last().map_or(0, |last| us(last.at));
                keep_events!(&mut tx, commit, &name, seq, hash);
                for (place, message) in (seq * 1_000..).zip(messages) {
                    outbox::insert!(&mut *tx, &message, &name, place, at_us);
                }
            }
            sqlx::query("UPDATE log_head SET seq = $1, hash = $2 WHERE one = 1")
                .bind(seq).bind(&hash).execute(&mut *tx).await.map_err(failed)?;
            tx.commit().await.map_err(failed)?;
            tracing::debug!(cursor = seq, incidents = codes.len(), "events committed");
            Ok(codes.into_iter().map(|code| Committed { cursor: seq as u64, code }).collect())
        })?;
        // An answered decision must be visible to everybody, so another connection is asked.
        let written = committed.last().map_or(0, |it| it.cursor);
        if self.cursor().await? < written {
            return Err(Error::unavailable(
                "the database confirmed a decision but does not show it: trying again",
            ));
        }
        Ok(committed)
    }

    /// Events of incidents after `cursor` in the order they were committed; 0 is the beginning.
    pub async fn events_after(&self, cursor: u64, limit: u32) -> Result<Vec<LogEntry>> {
        let rows: Vec<(i64, String, i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT seq, incident, version, body FROM event WHERE seq > $1 AND incident <> $3 \
            ORDER BY seq LIMIT $2"
        ).bind(cursor as i64).bind(i64::from(limit)).bind(super::REGISTERS).fetch_all(pool).await.map_err(failed)?);
        Ok(self.readable(rows.into_iter().map(|(seq, incident, version, body)| {
            let entry = id(&incident).map(|incident| LogEntry {
                cursor: seq as u64,
                incident,
                version: version as u64,
                recorded: from_json(&body, format_args!("event {seq}")).ok(),
            });
            (format!("event {seq}"), entry)
        })))
    }

    /// The log's last seq.
    pub async fn cursor(&self) -> Result<u64> {
        let (seq,): (i64,) = reading!(self, pool => sqlx::query_as("SELECT seq FROM log_head WHERE \
            one = 1")
            .fetch_one(pool).await.map_err(failed)?);
        Ok(seq as u64)
    }
}
