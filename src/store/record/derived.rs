//! Rows derived from the log, compared with it: the incident's row, its evidence, its messages, its
//! hotspots, and where it was closed. The log is the truth; an incident's row is corrected from it.

use super::chain::{beginning, chained};
use super::line::{self, Line};
use crate::error::{Error, Result};
use crate::store::{Store, failed, from_json, reading, time, us, writing};
use crate::triage::event::{Event, Recorded};
use crate::triage::id::MessageId;
use crate::triage::incident::{Incident, State};
use crate::triage::memory::Closed;
use crate::triage::sighting::{Sighting, Source};
use jiff::Timestamp;
use sqlx::Connection as _;
use std::collections::{BTreeMap, BTreeSet};

/// How often an incident that is being acted on is read again. The next check finds what remains.
const ATTEMPTS: usize = 3;

/// A row that contradicts the log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// The incident's number; its id if the row is gone.
    pub code: String,
    pub what: What,
    /// Corrected from the log.
    pub mended: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// Differing columns of the incident's row.
    Row {
        columns: Vec<&'static str>,
    },
    /// The incident has no row.
    NoRow,
    /// A row that the log does not know.
    Stray,
    /// A sighting that belongs to this incident but is filed elsewhere or nowhere, or the reverse.
    Evidence {
        sighting: String,
    },
    Hotspot {
        key: String,
    },
    ClosedPlace,
    /// Marked 'sent', but no gateway was ever asked, or none since the log recorded it as
    /// undelivered.
    Sent {
        to: String,
        at: Timestamp,
    },
    /// A message that no event of this incident made.
    UnknownMessage {
        to: String,
        at: Timestamp,
    },
    /// The log records it as undelivered, and it is missing.
    LostMessage {
        at: Timestamp,
    },
}

/// An incident as its log describes it.
pub(super) struct Logged {
    pub name: String,
    pub incident: Incident,
    pub line: Line,
    /// Each event's hash follows from the event and the previous hash.
    is_sound: bool,
    pub log: Vec<Recorded>,
}

/// The result of reading an incident's log.
pub(super) enum Read {
    Whole(Box<Logged>),
    /// Positions in the log of events that cannot be read.
    Unreadable(Vec<u64>),
}

#[derive(sqlx::FromRow)]
struct EventRow {
    seq: i64,
    version: i64,
    body: String,
    hash: String,
    before: Option<String>,
}

#[derive(sqlx::FromRow)]
struct MessageRow {
    id: String,
    name: String,
    status: String,
    attempts: i64,
    created_at_us: i64,
    sent_at_us: Option<i64>,
    tried_at_us: Option<i64>,
}

impl Store {
    /// Reads an incident's log. `name` is its id as written in the log.
    pub(super) async fn logged(&self, name: &str) -> Result<Read> {
        let rows: Vec<EventRow> = reading!(self, pool => sqlx::query_as(
            "SELECT event.seq, event.version, event.body, event.hash, earlier.hash AS before FROM \
            event \
             LEFT JOIN event AS earlier ON earlier.seq = event.seq - 1 WHERE event.incident = $1 \
             ORDER BY event.version",
        ).bind(name).fetch_all(pool).await.map_err(failed)?);
        let (mut log, mut unreadable) = (Vec::with_capacity(rows.len()), Vec::new());
        let mut is_sound = true;
        for (row, version) in rows.iter().zip(1..) {
            let before = row.before.clone().or_else(|| (row.seq == 1).then(beginning));
            let follows = before.is_some_and(|before| {
                chained(&before, row.seq, name, row.version, &row.body) == row.hash
            });
            is_sound &= follows && row.version == version;
            match from_json(&row.body, "an event") {
                Ok(recorded) => log.push(recorded),
                Err(_) => unreadable.push(row.seq as u64),
            }
        }
        let opened_seq = rows.first().map_or(0, |row| row.seq);
        if !unreadable.is_empty() {
            return Ok(Read::Unreadable(unreadable));
        }
        let Some(incident) = Incident::from_log(&log) else {
            return Ok(Read::Unreadable(vec![opened_seq as u64]));
        };
        let line = Line::of(&incident, opened_seq)?;
        Ok(Read::Whole(Box::new(Logged { name: name.to_owned(), incident, line, is_sound, log })))
    }

    /// Compares an incident's rows with its log. With `mend` its own row is corrected if the log is
    /// sound. An incident that changes meanwhile is read again.
    pub(super) async fn compared(&self, name: &str, mend: bool) -> Result<(Read, Vec<Difference>)> {
        for _ in 0..ATTEMPTS {
            let Read::Whole(logged) = self.logged(name).await? else { break };
            let (code, mut whats) = self.differences(&logged).await?;
            if !whats.is_empty() && self.versions(name).await? != logged.line.version {
                continue;
            }
            let is_row = |what: &What| matches!(what, What::Row { .. } | What::NoRow);
            let mended =
                mend && logged.is_sound && whats.iter().any(is_row) && self.mended(&logged).await?;
            let of =
                |what| Difference { code: code.clone(), mended: mended && is_row(&what), what };
            let differences = whats.drain(..).map(of).collect();
            return Ok((Read::Whole(logged), differences));
        }
        Ok((self.logged(name).await?, Vec::new()))
    }

    async fn versions(&self, name: &str) -> Result<i64> {
        let (versions,): (i64,) = reading!(self, pool => sqlx::query_as(
            "SELECT COALESCE(MAX(version), 0) FROM event WHERE incident = $1",
        ).bind(name).fetch_one(pool).await.map_err(failed)?);
        Ok(versions)
    }

    async fn differences(&self, logged: &Logged) -> Result<(String, Vec<What>)> {
        let code: Option<(String,)> = reading!(self, pool => sqlx::query_as("SELECT code FROM \
            incident WHERE id = $1")
            .bind(&logged.name).fetch_optional(pool).await.map_err(failed)?);
        let row: Option<Line> = reading!(self, pool => sqlx::query_as(
            "SELECT version, state, drill, opened_seq, opened_at_us, closed_at_us FROM incident \
            WHERE id = $1",
        ).bind(&logged.name).fetch_optional(pool).await.map_err(failed)?);
        let mut whats = Vec::new();
        match row {
            None => whats.push(What::NoRow),
            Some(row) => {
                let columns = row.differing(&logged.line);
                if !columns.is_empty() {
                    whats.push(What::Row { columns });
                }
            }
        }
        self.evidence_differs(logged, &mut whats).await?;
        self.messages_differ(logged, &mut whats).await?;
        self.closed_place_differs(logged, &mut whats).await?;
        Ok((code.map_or_else(|| logged.name.clone(), |(code,)| code), whats))
    }

    async fn evidence_differs(&self, logged: &Logged, whats: &mut Vec<What>) -> Result<()> {
        let filed = filed(&logged.log);
        let rows: Vec<(String,)> = reading!(self, pool => sqlx::query_as("SELECT sighting FROM \
            evidence WHERE incident = $1")
            .bind(&logged.name).fetch_all(pool).await.map_err(failed)?);
        let (rows, logs): (BTreeSet<String>, BTreeSet<String>) =
            (rows.into_iter().map(|(it,)| it).collect(), filed.keys().cloned().collect());
        whats.extend(
            rows.symmetric_difference(&logs).map(|it| What::Evidence { sighting: it.clone() }),
        );

        let keys: BTreeMap<&str, &str> = filed
            .iter()
            .filter_map(|(id, sighting)| match &sighting.source {
                Source::Satellite { hotspot_key, .. } => Some((hotspot_key.as_str(), id.as_str())),
                _ => None,
            })
            .collect();
        let rows: Vec<(String,)> = reading!(self, pool => sqlx::query_as("SELECT key FROM hotspot \
            WHERE incident = $1")
            .bind(&logged.name).fetch_all(pool).await.map_err(failed)?);
        let rows: BTreeSet<String> = rows.into_iter().map(|(key,)| key).collect();
        let strange = rows.iter().filter(|key| !keys.contains_key(key.as_str()));
        whats.extend(strange.map(|key| What::Hotspot { key: key.clone() }));
        for (key, sighting) in keys.into_iter().filter(|(key, _)| !rows.contains(*key)) {
            // A pixel with two sightings belongs to the one named in its row.
            let (elsewhere,): (i64,) = reading!(self, pool => sqlx::query_as(
                "SELECT COUNT(*) FROM hotspot WHERE key = $1 AND (incident IS NULL OR sighting = \
                $2)",
            ).bind(key).bind(sighting).fetch_one(pool).await.map_err(failed)?);
            if elsewhere > 0 {
                whats.push(What::Hotspot { key: key.to_owned() });
            }
        }
        Ok(())
    }

    async fn messages_differ(&self, logged: &Logged, whats: &mut Vec<What>) -> Result<()> {
        let rows: Vec<MessageRow> = reading!(self, pool => sqlx::query_as(
            "SELECT id, name, status, attempts, created_at_us, sent_at_us, tried_at_us FROM \
            message WHERE incident = $1 ORDER BY place",
        ).bind(&logged.name).fetch_all(pool).await.map_err(failed)?);
        let moments: BTreeSet<i64> = logged.log.iter().map(|it| us(it.at)).collect();
        let mut undelivered: BTreeMap<String, Timestamp> = logged
            .log
            .iter()
            .filter_map(|it| match &it.event {
                Event::Undelivered { message, .. } => Some((MessageId::to_string(message), it.at)),
                _ => None,
            })
            .collect();
        for row in rows {
            // An undelivered message is retried, and may be accepted later.
            let failed_at = undelivered.remove(&row.id).map(us);
            let is_later = |sent_at| failed_at.is_none_or(|failed_at| sent_at > failed_at);
            let is_taken = row.attempts > 0
                && row.tried_at_us.is_some()
                && row.sent_at_us.is_some_and(is_later);
            let at = time(row.created_at_us)?;
            if row.status == "sent" && !is_taken {
                whats.push(What::Sent { to: row.name.clone(), at });
            }
            // A message carries the time of the last event committed with it.
            if !moments.contains(&row.created_at_us) {
                whats.push(What::UnknownMessage { to: row.name, at });
            }
        }
        whats.extend(undelivered.into_values().map(|at| What::LostMessage { at }));
        Ok(())
    }

    /// A missing row is no finding: the desk adds missing ones when it starts.
    async fn closed_place_differs(&self, logged: &Logged, whats: &mut Vec<What>) -> Result<()> {
        let row: Option<(i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT closed_at_us, body FROM closed_place WHERE incident = $1",
        ).bind(&logged.name).fetch_optional(pool).await.map_err(failed)?);
        let Some((closed_at_us, body)) = row else { return Ok(()) };
        let of_log = Closed::of(&logged.incident);
        let agrees = of_log.is_some_and(|log| {
            // Late evidence may move the remembered place. When and as what it was closed does not
            // change.
            let same = |row: Closed| {
                (row.closed_at, row.category, row.forest_fire, row.drill)
                    == (log.closed_at, log.category, log.forest_fire, log.drill)
            };
            closed_at_us == us(log.closed_at) && from_json(&body, "a closing").is_ok_and(same)
        });
        if !agrees {
            whats.push(What::ClosedPlace);
        }
        Ok(())
    }

    /// Writes the incident's row from its log, unless it changed meanwhile. An incident without a
    /// row gets a new number of its day.
    async fn mended(&self, logged: &Logged) -> Result<bool> {
        let (name, line) = (&logged.name, &logged.line);
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            sqlx::query("UPDATE log_head SET seq = seq WHERE one = 1").execute(&mut *tx).await.map_err(failed)?;
            let (versions,): (i64,) = sqlx::query_as("SELECT COALESCE(MAX(version), 0) FROM event \
                WHERE incident = $1")
                .bind(name).fetch_one(&mut *tx).await.map_err(failed)?;
            if versions != line.version {
                return Ok(false);
            }
            let row: Option<(String,)> = sqlx::query_as(
                "UPDATE incident SET version = $1, state = $2, drill = $3, opened_seq = $4, \
                opened_at_us = $5, \
                 closed_at_us = $6 WHERE id = $7 RETURNING code",
            )
            .bind(line.version).bind(&line.state).bind(line.drill).bind(line.opened_seq).bind(line.opened_at_us)
            .bind(line.closed_at_us).bind(name)
            .fetch_optional(&mut *tx).await.map_err(failed)?;
            let code = match row {
                Some((code,)) => code,
                None => line::insert!(&mut tx, name, logged.incident.opened_at, line),
            };
            tx.commit().await.map_err(failed)?;
            tracing::error!(incident.code = code, "the row of an incident differed from its log \
                and was corrected");
            Ok::<bool, Error>(true)
        })
    }

    /// Incident rows that the log does not know.
    pub(super) async fn strays(&self) -> Result<Vec<Difference>> {
        let rows: Vec<(String,)> = reading!(self, pool => sqlx::query_as(
            "SELECT code FROM incident WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.incident \
            = incident.id) ORDER BY code",
        ).fetch_all(pool).await.map_err(failed)?);
        Ok(rows
            .into_iter()
            .map(|(code,)| Difference { code, what: What::Stray, mended: false })
            .collect())
    }
}

/// The sightings filed under this incident, by id. Those that were split off belong to the other
/// one.
fn filed(log: &[Recorded]) -> BTreeMap<String, &Sighting> {
    let mut filed = BTreeMap::new();
    for recorded in log {
        match &recorded.event {
            Event::Opened { sighting, .. }
            | Event::SightingAdded { sighting, .. }
            | Event::Reminded { sighting } => {
                filed.insert(sighting.id.to_string(), sighting);
            }
            Event::SplitOff { sightings, .. } => {
                sightings.iter().for_each(|id| _ = filed.remove(&id.to_string()))
            }
            _ => {}
        }
    }
    filed
}

impl Logged {
    pub(super) fn is_open(&self) -> bool {
        self.incident.state != State::Closed
    }
}
