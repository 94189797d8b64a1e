//! The outbox: texts on their way to people's phones. A sender leases messages. When it dies, the
//! lease expires, and the messages go out again in the same batch.

use super::{Store, failed, from_word, id, reading, time, us, word, writing};
use crate::error::Result;
use crate::triage::id::{DispatchId, IncidentId, MessageId, PersonId};
use crate::triage::policy::{Channel, Role};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::Connection as _;
use std::fmt;
use utoipa::ToSchema;

/// Messages to one number that a sender reads at once: more than fit into one batch.
const PER_NUMBER: u32 = 16;
/// Messages read in all: twice as many as may wait for numbers with a batch under way, so that
/// another number is always among them.
const DUE_MAX: u32 = 512;

/// A text to be sent, written together with the event that causes it.
#[derive(Clone, PartialEq, Debug)]
pub struct NewMessage {
    pub id: MessageId,
    pub dispatch: Option<DispatchId>,
    pub occasion: Occasion,
    pub to: Addressee,
    pub channel: Channel,
    pub words: String,
    pub drill: bool,
    /// Set when the text cannot be sent at all (nobody on the rota). The row starts as failed, so
    /// that the board shows it.
    pub error: Option<String>,
}

/// The intended recipient, as known at that moment.
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
    /// A rung of the escalation ladder, by index.
    Rung(u8),
    /// Somebody has to act. The number is the event's position in the incident's log, because it
    /// may happen again.
    Rang(u64),
    /// 位置更正; position in the log as above.
    Relocated(u64),
    /// 邻格热点: it may be in this ranger's grid; position in the log as above.
    Neighbour(u64),
    /// Replaces a message that reached nobody; position in the log as above.
    Instead(u64),
    /// Another neighbour who was asked goes; position in the log as above.
    NotNeeded(u64),
    /// Sent back for completion; position in the log as above.
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
    /// The batch it goes out with, for good: the id of the batch's first message. `None`: it never
    /// went out.
    pub batch: Option<MessageId>,
    /// How often it was handed to a gateway.
    pub attempts: u32,
    pub created_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    /// The last failure.
    pub error: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Queued,
    Sent,
    /// 未送达: a person must phone. It may still be retried.
    Failed,
}

/// What happens to a message that a gateway did not accept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// Retried at that time; nobody is told yet.
    Queued(Timestamp),
    /// Shown on the board and sent another way. Retried at that time, if any.
    Failed(Option<Timestamp>),
}

/// One request to a vendor for a text or call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tried {
    pub phone: Option<String>,
    pub drill: bool,
    pub at: Timestamp,
}

/// A channel's recent results.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Taken {
    /// When its gateway last accepted a text.
    pub last: Option<Timestamp>,
    /// How long that took.
    pub needed: SignedDuration,
    /// Texts handed over since and not accepted, including those still being retried; counted up to
    /// [`Taken::COUNTED`].
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
            "INSERT INTO message (id, place, incident, dispatch, occasion, role, person, name, \
            phone, channel, words, drill, \
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
    batch: Option<String>,
    attempts: i64,
    created_at_us: i64,
    sent_at_us: Option<i64>,
    error: Option<String>,
}

impl Store {
    /// What a sender may take up now on a channel, most urgent first. Fires come before drills, and
    /// messages not yet shown as failed before those that are. Then the first message to the ranger
    /// who is sent, then other messages to rangers, then the rest. At most 16 to one number
    /// (WeCom's robot counts as one) and 512 in all.
    pub async fn due_messages(&self, channel: Channel, now: Timestamp) -> Result<Vec<Message>> {
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(
            "SELECT * FROM (SELECT due.*, ROW_NUMBER() OVER (PARTITION BY number ORDER BY drill, \
            again, urgency, place) AS in_line \
              FROM (SELECT message.*, CASE WHEN channel = 'wecom' THEN '' ELSE COALESCE(phone, '') \
              END AS number, \
                    CASE WHEN occasion = 'dispatched' THEN 0 WHEN role = 'ranger' THEN 1 ELSE 2 \
                    END AS urgency \
                    FROM message WHERE (status = 'queued' OR again = 1) AND channel = $1 AND \
                    next_try_at_us <= $2 \
                    AND lease_until_us <= $2) AS due) AS lines \
             WHERE in_line <= $3 ORDER BY drill, again, urgency, place LIMIT $4",
        ).bind(word(&channel)?).bind(us(now)).bind(i64::from(PER_NUMBER)).bind(i64::from(DUE_MAX))
            .fetch_all(pool).await.map_err(failed)?);
        Ok(self.messages(rows))
    }

    /// Leases messages until `until`, to be handed over as one batch. The first time fixes the
    /// batch for good; later any of its messages stands for all. Two senders never lease the same
    /// message. What is not reported back by then becomes free again. So a message may be handed
    /// over twice, in the same batch, but is never lost. Returned in the order of writing; empty
    /// when another sender was faster.
    pub async fn borrow(
        &self,
        together: &[&Message],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Message>> {
        let Some(first) = together.first() else { return Ok(Vec::new()) };
        let batch = first.batch.unwrap_or(first.id).to_string();
        let fresh: Vec<String> =
            together.iter().filter(|it| it.batch.is_none()).map(|it| it.id.to_string()).collect();
        let mut rows: Vec<Row> = writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            for message in &fresh {
                sqlx::query("UPDATE message SET batch = $1 WHERE id = $2 AND batch IS NULL AND \
                    (status = 'queued' OR again = 1)")
                    .bind(&batch).bind(message).execute(&mut *tx).await.map_err(failed)?;
            }
            let rows: Vec<Row> = sqlx::query_as(
                "UPDATE message SET lease_until_us = $1, tried_at_us = $2 \
                 WHERE batch = $3 AND (status = 'queued' OR again = 1) AND lease_until_us <= $2 \
                 RETURNING *",
            ).bind(us(until)).bind(us(now)).bind(&batch).fetch_all(&mut *tx).await.map_err(failed)?;
            if rows.len() < fresh.len() {
                tx.rollback().await.map_err(failed)?;
                return Ok(Vec::new());
            }
            tx.commit().await.map_err(failed)?;
            Ok(rows)
        })?;
        rows.sort_by_key(|row| row.place);
        Ok(self.messages(rows))
    }

    /// When the next message is due, leases included; `None` when all are done.
    pub async fn next_message_due(&self) -> Result<Option<Timestamp>> {
        let due: Option<(i64,)> = reading!(self, pool => sqlx::query_as(
            "SELECT CASE WHEN next_try_at_us > lease_until_us THEN next_try_at_us ELSE \
            lease_until_us END AS due \
             FROM message WHERE status = 'queued' OR again = 1 ORDER BY due LIMIT 1",
        ).fetch_optional(pool).await.map_err(failed)?);
        due.map(|(due,)| time(due)).transpose()
    }

    /// A gateway has accepted the message and its whole batch.
    pub async fn message_sent(&self, message: MessageId, now: Timestamp) -> Result<()> {
        writing!(self, connection => sqlx::query(
            "UPDATE message SET status = 'sent', again = 0, attempts = attempts + 1, sent_at_us = \
            $1, error = NULL \
             WHERE id = $2 OR batch = (SELECT batch FROM message WHERE id = $2)",
        ).bind(us(now)).bind(message.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// A gateway has accepted neither the message nor its batch.
    pub async fn message_failed(&self, message: MessageId, error: &str, fate: Fate) -> Result<()> {
        let (status, next_try) = match fate {
            Fate::Queued(next_try) => ("queued", Some(next_try)),
            Fate::Failed(next_try) => ("failed", next_try),
        };
        let again = i64::from(status == "failed" && next_try.is_some());
        writing!(self, connection => sqlx::query(
            "UPDATE message SET status = $1, again = $2, attempts = attempts + 1, error = $3, \
            lease_until_us = 0, \
             next_try_at_us = COALESCE($4, next_try_at_us) WHERE id = $5 OR batch = (SELECT batch \
             FROM message WHERE id = $5)",
        ).bind(status).bind(again).bind(error).bind(next_try.map(us)).bind(message.to_string())
            .execute(connection).await.map(drop).map_err(failed))
    }

    /// The message and its batch were not handed to a gateway, and this does not count as an
    /// attempt. They wait until `until` (a vendor's limit). None: they are never sent (no gateway),
    /// and a person must phone.
    pub async fn message_untried(
        &self,
        message: MessageId,
        why: &str,
        until: Option<Timestamp>,
    ) -> Result<()> {
        let is_over = i64::from(until.is_none());
        writing!(self, connection => sqlx::query(
            "UPDATE message SET status = CASE WHEN $1 = 1 THEN 'failed' ELSE status END, \
             again = CASE WHEN $1 = 1 THEN 0 ELSE again END, error = $2, lease_until_us = 0, \
             next_try_at_us = COALESCE($3, next_try_at_us) WHERE id = $4 OR batch = (SELECT batch \
             FROM message WHERE id = $4)",
        ).bind(is_over).bind(why).bind(until.map(us)).bind(message.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// Nobody waits for a failed message and its batch any more. Its state stays, and it is not
    /// retried.
    pub async fn message_over(&self, message: MessageId) -> Result<()> {
        writing!(self, connection => sqlx::query(
            "UPDATE message SET again = 0 WHERE id = $1 OR batch = (SELECT batch FROM message \
            WHERE id = $1)",
        ).bind(message.to_string()).execute(connection).await.map(drop).map_err(failed))
    }

    /// Failed messages that no incident log has recorded yet, oldest first.
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

    /// Whether the gateway of this channel accepts messages. A gateway never tried does not count
    /// as failed.
    pub async fn taken_by(&self, channel: Channel) -> Result<Taken> {
        let channel = word(&channel)?;
        let last: Option<(i64, Option<i64>)> = reading!(self, pool => sqlx::query_as(
            "SELECT sent_at_us, tried_at_us FROM message WHERE channel = $1 AND sent_at_us IS NOT \
            NULL \
             ORDER BY sent_at_us DESC LIMIT 1",
        ).bind(&channel).fetch_optional(pool).await.map_err(failed)?);
        let (sent_at_us, tried_at_us) = last.unwrap_or_default();
        let (failed_since,): (i64,) = reading!(self, pool => sqlx::query_as(
            "SELECT COUNT(*) FROM (SELECT 1 AS one FROM message WHERE channel = $1 AND tried_at_us \
            > $2 \
             AND status <> 'sent' AND attempts > 0 LIMIT $3) AS tried",
        ).bind(&channel).bind(sent_at_us).bind(i64::from(Taken::COUNTED)).fetch_one(pool).await.map_err(failed)?);
        Ok(Taken {
            last: last.map(|(at, _)| time(at)).transpose()?,
            needed: SignedDuration::from_micros(sent_at_us - tried_at_us.unwrap_or(sent_at_us)),
            failed_since: failed_since as u32,
        })
    }

    /// When this channel's vendor was asked since `since`, oldest first: a restarted sender counts
    /// from this. A batch appears once, with its last try. Its earlier tries are not stored, so the
    /// vendor may have counted more.
    pub async fn tried_since(&self, channel: Channel, since: Timestamp) -> Result<Vec<Tried>> {
        let rows: Vec<(Option<String>, bool, i64)> = reading!(self, pool => sqlx::query_as(
            "SELECT MIN(phone), drill, MAX(tried_at_us) AS at_us FROM message WHERE channel = $1 \
            AND tried_at_us >= $2 \
             GROUP BY batch, drill ORDER BY at_us",
        ).bind(word(&channel)?).bind(us(since)).fetch_all(pool).await.map_err(failed)?);
        rows.into_iter()
            .map(|(phone, drill, at)| Ok(Tried { phone, drill, at: time(at)? }))
            .collect()
    }

    fn messages(&self, rows: Vec<Row>) -> Vec<Message> {
        self.readable(
            rows.into_iter().map(|row| (format!("message {}", row.id), Message::try_from(row))),
        )
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
            batch: row.batch.as_deref().map(id).transpose()?,
            attempts: row.attempts as u32,
            created_at: time(row.created_at_us)?,
            sent_at: row.sent_at_us.map(time).transpose()?,
            error: row.error,
        })
    }
}
