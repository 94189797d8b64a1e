//! The outbox: texts on their way to people's phones. A sender borrows messages for a while; if it dies they come free.

use super::{Store, failed, from_word, id, reading, time, us, word, writing};
use crate::error::Result;
use crate::triage::id::{DispatchId, IncidentId, MessageId, PersonId};
use crate::triage::policy::{Channel, Role};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The time a sender has to hand a message over: longer than its HTTP timeout, short against a rung of the ladder.
pub(super) const LEASE: SignedDuration = SignedDuration::from_secs(60);

/// A text to be sent, made together with the event that causes it.
#[derive(Clone, PartialEq, Debug)]
pub struct NewMessage {
    pub id: MessageId,
    pub dispatch: Option<DispatchId>,
    pub occasion: Occasion,
    pub to: Addressee,
    pub channel: Channel,
    pub words: String,
    pub drill: bool,
    /// Set when it cannot be sent at all (nobody on the rota): the row is born failed, so that the board shows it.
    pub error: Option<String>,
}

/// Who was meant, as known at that moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Addressee {
    pub role: Role,
    /// `None`: nobody stands in this role today.
    pub person: Option<PersonId>,
    pub name: String,
    pub phone: Option<String>,
}

/// Why a message exists. With incident, dispatch, person and channel it is unique.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Occasion {
    Dispatched,
    /// A rung of the ladder, by index.
    Rung(u8),
    /// Somebody has to act; with the event's place in the incident's log, as it may happen again.
    Rang(u64),
    /// 位置更正; place in the log as above.
    Relocated(u64),
    /// 邻格热点: it may be in this ranger's grid; place in the log as above.
    Neighbour(u64),
    /// Goes on from a message that reached nobody; place in the log as above.
    Instead(u64),
    /// Another neighbour who was asked goes; place in the log as above.
    NotNeeded(u64),
    /// Sent back for completion; place in the log as above.
    SentBack(u64),
    /// Another ranger goes instead.
    Relieved,
    /// Closed while the ranger is still on the way.
    Closed,
}

impl fmt::Display for Occasion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dispatched => f.write_str("dispatched"),
            Self::Rung(index) => write!(f, "rung {index}"),
            Self::Rang(version) => write!(f, "rang {version}"),
            Self::Relocated(version) => write!(f, "relocated {version}"),
            Self::Neighbour(version) => write!(f, "neighbour {version}"),
            Self::Instead(version) => write!(f, "instead {version}"),
            Self::NotNeeded(version) => write!(f, "not_needed {version}"),
            Self::SentBack(version) => write!(f, "sent_back {version}"),
            Self::Relieved => f.write_str("relieved"),
            Self::Closed => f.write_str("closed"),
        }
    }
}

#[derive(Clone, PartialEq, Debug)]
pub struct Message {
    pub id: MessageId,
    pub incident: IncidentId,
    pub to: Addressee,
    pub channel: Channel,
    pub words: String,
    pub drill: bool,
    pub status: Status,
    /// Times it was handed to a gateway.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    /// The last failure.
    pub error: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    Sent,
    /// Given up: a person must phone.
    Failed,
}

/// How a channel's gateway has done lately.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// When it last took a text.
    pub last: Option<Timestamp>,
    /// Texts that it was handed since and has not taken, those still tried included; counted up to [`Taken::COUNTED`].
    pub failed_since: u32,
}

impl Taken {
    pub const COUNTED: u32 = 99;
}

/// Writes one message inside a commit's transaction, on either database.
macro_rules! insert {
    ($connection:expr, $message:expr, $incident:expr, $place:expr, $at_us:expr) => {{
        let message: &$crate::store::NewMessage = $message;
        let status = if message.error.is_some() { "failed" } else { "queued" };
        sqlx::query(
            "INSERT INTO message (id, place, incident, dispatch, occasion, role, person, name, phone, channel, words, drill, \
             status, attempts, created_at_us, next_try_at_us, lease_until_us, error) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, 0, $14, $14, 0, $15)",
        )
        .bind(message.id.to_string())
        .bind($place)
        .bind($incident)
        .bind(message.dispatch.map(|id| id.to_string()).unwrap_or_default())
        .bind(message.occasion.to_string())
        .bind($crate::store::word(&message.to.role)?)
        .bind(message.to.person.as_ref().map(|person| person.as_str()))
        .bind(&message.to.name)
        .bind(&message.to.phone)
        .bind($crate::store::word(&message.channel)?)
        .bind(&message.words)
        .bind(message.drill)
        .bind(status)
        .bind($at_us)
        .bind(&message.error)
        .execute($connection)
        .await
        .map_err($crate::store::failed)?;
    }};
}
pub(super) use insert;

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    place: i64,
    incident: String,
    role: String,
    person: Option<String>,
    name: String,
    phone: Option<String>,
    channel: String,
    words: String,
    drill: bool,
    status: String,
    attempts: i64,
    created_at_us: i64,
    sent_at_us: Option<i64>,
    error: Option<String>,
}

impl Store {
    /// Borrows at most `limit` messages that are due, oldest first. Two senders never borrow the same one; what is not
    /// reported back within a minute comes free again, so a message may go out twice but never not at all.
    pub async fn take_messages(&self, now: Timestamp, limit: u32) -> Result<Vec<Message>> {
        // The lease is asked for twice: PostgreSQL looks at the outer condition again after waiting for another sender.
        let mut rows: Vec<Row> = writing!(self, connection => sqlx::query_as(
            "UPDATE message SET lease_until_us = $1 WHERE status = 'queued' AND lease_until_us <= $2 AND id IN \
             (SELECT id FROM message WHERE status = 'queued' AND next_try_at_us <= $2 AND lease_until_us <= $2 \
              ORDER BY next_try_at_us, place LIMIT $3) RETURNING *",
        ).bind(us(now + LEASE)).bind(us(now)).bind(i64::from(limit)).fetch_all(connection).await.map_err(failed))?;
        rows.sort_by_key(|row| row.place);
        Ok(self.messages(rows))
    }

    /// When the next message wants to be sent, leases included; `None` when all is done.
    pub async fn next_message_due(&self) -> Result<Option<Timestamp>> {
        let due: Option<(i64,)> = reading!(self, pool => sqlx::query_as(
            "SELECT CASE WHEN next_try_at_us > lease_until_us THEN next_try_at_us ELSE lease_until_us END AS due \
             FROM message WHERE status = 'queued' ORDER BY due LIMIT 1",
        ).fetch_optional(pool).await.map_err(failed)?);
        due.map(|(due,)| time(due)).transpose()
    }

    /// A gateway has taken it.
    pub async fn message_sent(&self, message: MessageId, now: Timestamp) -> Result<()> {
        writing!(self, connection => sqlx::query(
            "UPDATE message SET status = 'sent', attempts = attempts + 1, sent_at_us = $1, error = NULL WHERE id = $2",
        ).bind(us(now)).bind(message.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// A gateway has not taken it: tried again at `next_try`, or given up when there is none.
    pub async fn message_failed(&self, message: MessageId, error: &str, next_try: Option<Timestamp>) -> Result<()> {
        let status = if next_try.is_some() { "queued" } else { "failed" };
        writing!(self, connection => sqlx::query(
            "UPDATE message SET status = $1, attempts = attempts + 1, error = $2, lease_until_us = 0, \
             next_try_at_us = COALESCE($3, next_try_at_us) WHERE id = $4",
        ).bind(status).bind(error).bind(next_try.map(us)).bind(message.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// It was not handed to a gateway, and its attempts do not count this: it waits until `until` (a vendor's limit), or
    /// without one never goes (no gateway): a person must phone.
    pub async fn message_untried(&self, message: MessageId, why: &str, until: Option<Timestamp>) -> Result<()> {
        let status = if until.is_some() { "queued" } else { "failed" };
        writing!(self, connection => sqlx::query(
            "UPDATE message SET status = $1, error = $2, lease_until_us = 0, next_try_at_us = COALESCE($3, next_try_at_us) \
             WHERE id = $4",
        ).bind(status).bind(why).bind(until.map(us)).bind(message.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// Messages that failed for good and of which no log knows yet, oldest first.
    pub async fn failed_messages(&self, limit: u32) -> Result<Vec<Message>> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT * FROM message WHERE status = 'failed' AND noted = 0 ORDER BY place LIMIT $1",
        ).bind(i64::from(limit)).fetch_all(pool).await.map_err(failed)?);
        Ok(self.messages(rows))
    }

    /// Nobody waits for this failed message any more: its incident is closed.
    pub async fn set_aside(&self, message: MessageId) -> Result<()> {
        writing!(self, connection => sqlx::query("UPDATE message SET noted = 1 WHERE id = $1")
            .bind(message.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// All messages about an incident, oldest first.
    pub async fn messages_of(&self, incident: IncidentId) -> Result<Vec<Message>> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT * FROM message WHERE incident = $1 ORDER BY place",
        ).bind(incident.to_string()).fetch_all(pool).await.map_err(failed)?);
        Ok(self.messages(rows))
    }

    /// Whether the gateway of this channel takes what it is handed. Never tried is no failure: that is nobody's gateway.
    pub async fn taken_by(&self, channel: Channel) -> Result<Taken> {
        let channel = word(&channel)?;
        let (last,): (Option<i64>,) = reading!(self, pool => sqlx::query_as(
            "SELECT MAX(sent_at_us) FROM message WHERE channel = $1",
        ).bind(&channel).fetch_one(pool).await.map_err(failed)?);
        // A text's next try stays at its last one once it is given up.
        let (failed_since,): (i64,) = reading!(self, pool => sqlx::query_as(
            "SELECT COUNT(*) FROM (SELECT 1 AS one FROM message WHERE status IN ('queued', 'failed') AND next_try_at_us > $1 \
             AND channel = $2 AND attempts > 0 LIMIT $3) AS tried",
        ).bind(last.unwrap_or_default()).bind(&channel).bind(i64::from(Taken::COUNTED)).fetch_one(pool).await.map_err(failed)?);
        Ok(Taken { last: last.map(time).transpose()?, failed_since: failed_since as u32 })
    }

    /// When messages of this channel were last handed over, newest first, since `since`: what a vendor has counted when a
    /// restarted sender begins. `(phone, at)`.
    pub async fn sent_since(&self, channel: Channel, since: Timestamp) -> Result<Vec<(Option<String>, Timestamp)>> {
        let rows: Vec<(Option<String>, i64)> = reading!(self, pool => sqlx::query_as(
            "SELECT phone, sent_at_us FROM message WHERE channel = $1 AND sent_at_us >= $2 ORDER BY sent_at_us DESC",
        ).bind(word(&channel)?).bind(us(since)).fetch_all(pool).await.map_err(failed)?);
        rows.into_iter().map(|(phone, at)| Ok((phone, time(at)?))).collect()
    }

    fn messages(&self, rows: Vec<Row>) -> Vec<Message> {
        self.readable(rows.into_iter().map(|row| (format!("message {}", row.id), Message::try_from(row))))
    }
}

impl TryFrom<Row> for Message {
    type Error = crate::error::Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            id: id(&row.id)?,
            incident: id(&row.incident)?,
            to: Addressee {
                role: from_word(row.role, "role")?,
                person: row.person.map(PersonId),
                name: row.name,
                phone: row.phone,
            },
            channel: from_word(row.channel, "channel")?,
            words: row.words,
            drill: row.drill,
            status: from_word(row.status, "status")?,
            attempts: row.attempts as u32,
            created_at: time(row.created_at_us)?,
            sent_at: row.sent_at_us.map(time).transpose()?,
            error: row.error,
        })
    }
}
