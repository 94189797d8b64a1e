//! Reads incidents, always rebuilt from their log, never from a summary. One whose log cannot be
//! read is set apart and named; others are not affected.

use super::filed::Filed;
use super::unreadable::Unreadable;
use super::{Store, failed, from_json, id, reading, us};
use crate::error::{Error, Kind, Result};
use crate::triage::event::Recorded;
use crate::triage::id::{IncidentId, SightingId};
use crate::triage::incident::Incident;
use jiff::Timestamp;
use std::fmt::Display;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Filter {
    Open,
    Closed,
    All,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Page {
    /// Newest first.
    pub items: Vec<Filed>,
    /// Pass it for the next page; `None` at the end.
    pub next: Option<u64>,
}

/// One event with its incident's number. The rows of one incident are consecutive.
type Row = (String, String, i64, String);

/// Selects incidents and reads their logs, oldest incident first.
macro_rules! filed {
    ($store:expr, $where:literal $(, $bind:expr)*) => {
        reading!($store, pool => {
            let rows: Vec<Row> = sqlx::query_as(concat!(
                "SELECT incident.id, incident.code, incident.opened_seq, event.body FROM incident \
                 JOIN event ON event.incident = incident.id WHERE ", $where,
                " ORDER BY incident.opened_seq, event.version"
            )) $(.bind($bind))* .fetch_all(pool).await.map_err(failed)?;
            Result::Ok(rebuild($store, &rows))
        })
    };
}

impl Store {
    /// # Errors
    /// `NotFound` when there is no such incident.
    /// `Internal` when its log cannot be read.
    pub async fn incident(&self, incident: IncidentId) -> Result<Filed> {
        let found = filed!(self, "incident.id = $1", incident.to_string())?.pop();
        found.ok_or_else(|| {
            match self.unreadable().into_iter().find(|it| it.incident == incident) {
                Some(it) => {
                    Error::internal(format!("incident {} cannot be read: {}", it.code, it.why))
                }
                None => Error::new(Kind::NotFound, format!("no incident {incident}")),
            }
        })
    }

    /// Oldest first.
    pub async fn open_incidents(&self) -> Result<Vec<Filed>> {
        filed!(self, "incident.state <> 'closed'")
    }

    /// Opened at or after `since` and before `until`, oldest first. Reports count these.
    pub async fn incidents_opened(&self, since: Timestamp, until: Timestamp) -> Result<Vec<Filed>> {
        filed!(
            self,
            "incident.opened_at_us >= $1 AND incident.opened_at_us < $2",
            us(since),
            us(until)
        )
    }

    /// Closed at or after `since`, in the order of opening.
    pub async fn incidents_closed_since(&self, since: Timestamp) -> Result<Vec<Filed>> {
        filed!(self, "incident.closed_at_us >= $1", us(since))
    }

    /// A page of at most `limit` incidents older than `before` (`next` of the page before), newest
    /// first.
    pub async fn incidents(&self, filter: Filter, before: Option<u64>, limit: u32) -> Result<Page> {
        let (open, closed) = (filter != Filter::Closed, filter != Filter::Open);
        let mut items = filed!(
            self,
            "incident.opened_seq IN (SELECT opened_seq FROM incident WHERE opened_seq < $1 \
             AND (($2 AND state <> 'closed') OR ($3 AND state = 'closed')) ORDER BY opened_seq \
             DESC LIMIT $4)",
            before.map_or(i64::MAX, |seq| seq as i64),
            open,
            closed,
            i64::from(limit) + 1
        )?;
        items.reverse();
        let more = items.len() > limit as usize;
        items.truncate(limit as usize);
        Ok(Page { next: items.last().filter(|_| more).map(|filed| filed.opened_seq), items })
    }

    /// `opened_seq` of the newest incident, 0 when there is none. Read it before `open_incidents`
    /// and give it to `commit`.
    pub async fn last_opened(&self) -> Result<u64> {
        let (newest,): (i64,) = reading!(self, pool => sqlx::query_as("SELECT \
            COALESCE(MAX(opened_seq), 0) FROM incident")
            .fetch_one(pool).await.map_err(failed)?);
        Ok(newest as u64)
    }

    /// The incident that this sighting is evidence of, if any.
    pub async fn incident_of(&self, sighting: SightingId) -> Result<Option<IncidentId>> {
        let row: Option<(String,)> = reading!(self, pool => sqlx::query_as("SELECT incident FROM \
            evidence WHERE sighting = $1")
            .bind(sighting.to_string()).fetch_optional(pool).await.map_err(failed)?);
        row.map(|(incident,)| id(&incident)).transpose()
    }
}

fn rebuild(store: &Store, rows: &[Row]) -> Vec<Filed> {
    // An incident whose id cannot be read is only a row.
    let named = rows
        .chunk_by(|a, b| a.2 == b.2)
        .map(|rows| (format!("incident {}", rows[0].1), id(&rows[0].0).map(|id| (id, rows))));
    let filed = store.readable(named).into_iter().map(|(incident, rows)| {
        let (name, code, opened_seq, _) = &rows[0];
        let log: Result<Vec<Recorded>> = rows.iter().map(|(.., body)| event(body, name)).collect();
        let folded = log.and_then(|log| {
            Incident::from_log(&log)
                .ok_or_else(|| Error::internal("its log does not begin with its opening"))
        });
        match folded {
            Ok(incident) => {
                Ok(Filed { code: code.clone(), opened_seq: *opened_seq as u64, incident })
            }
            Err(e) => Err(Unreadable { incident, code: code.clone(), why: e.chain() }),
        }
    });
    store.readable_incidents(filed)
}

fn event(body: &str, incident: impl Display) -> Result<Recorded> {
    from_json(body, format_args!("an event of incident {incident}"))
}
