//! Other systems: who may send alarms, and each alarm as it came. Only hashes of keys are stored.

use super::{Store, failed, reading, time, us, writing};
use crate::error::{Code, Error, Kind, Result};
use crate::lang::Words;
use crate::triage::id::SightingId;
use jiff::{SignedDuration, Timestamp};
use sqlx::Connection as _;

/// Refusals are counted on while one comes within this time of the last.
pub const REFUSALS_FOR: SignedDuration = SignedDuration::from_hours(24);

/// Longest reason of a refusal, characters.
const WHY_MAX_CHARS: usize = 300;

/// Another system, and how it has been heard lately.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AlarmSystem {
    pub name: String,
    /// Longest time without a word that is usual for it.
    pub silent_after: Option<SignedDuration>,
    pub since: Timestamp,
    pub revoked_at: Option<Timestamp>,
    pub heard_at: Option<Timestamp>,
    pub alarm_at: Option<Timestamp>,
    pub refused: Option<Refused>,
}

/// What of a system was refused lately.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    pub count: u64,
    pub at: Timestamp,
    /// Why the last one was.
    pub why: Words,
}

/// One alarm on its way in.
#[derive(Clone, Copy, Debug)]
pub struct NewAlarm<'a> {
    pub system: &'a str,
    pub id: &'a str,
    /// The same for the same alarm sent again.
    pub meaning_sha256: &'a str,
    pub sighting: SightingId,
    pub media: &'a str,
    pub original: &'a [u8],
}

/// An alarm as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Original {
    pub system: String,
    pub media: String,
    pub bytes: Vec<u8>,
}

type Row = (
    String,
    Option<i64>,
    i64,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    i64,
    Option<i64>,
    Option<String>,
    Option<String>,
);

const COLUMNS: &str = "SELECT name, silent_after_s, since_us, revoked_at_us, heard_at_us, \
    alarm_at_us, refused, refused_at_us, refused_zh, refused_en FROM alarm_system";

impl Store {
    /// Lets a system send, or gives one whose key was revoked a new key.
    ///
    /// # Errors
    /// `Conflict` when it has a valid key.
    pub async fn add_alarm_system(
        &self,
        name: &str,
        key_hash: &str,
        silent_after: Option<SignedDuration>,
        now: Timestamp,
    ) -> Result<()> {
        let added = writing!(self, connection => sqlx::query(
            "INSERT INTO alarm_system (name, key_hash, silent_after_s, since_us) VALUES ($1, $2, \
            $3, $4) \
             ON CONFLICT (name) DO UPDATE SET key_hash = $2, silent_after_s = $3, since_us = $4, \
             revoked_at_us = NULL, refused = 0, refused_at_us = NULL, refused_zh = NULL, \
             refused_en = NULL \
             WHERE alarm_system.revoked_at_us IS NOT NULL",
        ).bind(name).bind(key_hash).bind(silent_after.map(|it| it.as_secs())).bind(us(now))
            .execute(connection).await.map(|done| done.rows_affected()).map_err(failed))?;
        if added == 0 {
            return Err(Error::new(
                Kind::Conflict,
                Words::new(
                    format!("外部系统 {name} 已有密钥：要换新的，先吊销（huoyan system revoke）"),
                    format!(
                        "the system {name} has a key: revoke it first to make a new one (huoyan \
                        system revoke)"
                    ),
                ),
            ));
        }
        Ok(())
    }

    /// From now on its key is refused. False: there was no valid one.
    pub async fn revoke_alarm_system(&self, name: &str, now: Timestamp) -> Result<bool> {
        let revoked = writing!(self, connection => sqlx::query(
            "UPDATE alarm_system SET revoked_at_us = $2 WHERE name = $1 AND revoked_at_us IS NULL",
        ).bind(name).bind(us(now)).execute(connection).await.map(|done| done.rows_affected())
            .map_err(failed))?;
        Ok(revoked > 0)
    }

    /// By name; revoked ones, too.
    pub async fn alarm_systems(&self) -> Result<Vec<AlarmSystem>> {
        let sql = question(" ORDER BY name");
        let rows: Vec<Row> = reading!(self, pool => sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_all(pool).await.map_err(failed)?);
        rows.into_iter().map(system).collect()
    }

    /// Whose key has this hash, revoked or not.
    pub async fn alarm_system_of(&self, key_hash: &str) -> Result<Option<AlarmSystem>> {
        let sql = question(" WHERE key_hash = $1");
        let row: Option<Row> = reading!(self, pool => sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(key_hash).fetch_optional(pool).await.map_err(failed)?);
        row.map(system).transpose()
    }

    /// Something of this system was answered that is no alarm.
    pub async fn alarm_system_heard(&self, name: &str, now: Timestamp) -> Result<()> {
        writing!(self, connection => sqlx::query(
            "UPDATE alarm_system SET heard_at_us = $2 WHERE name = $1",
        ).bind(name).bind(us(now)).execute(connection).await.map(drop).map_err(failed))
    }

    /// `count` requests of this system were refused, the last one for this reason.
    pub async fn alarm_refused(
        &self,
        name: &str,
        count: u64,
        why: &Words,
        now: Timestamp,
    ) -> Result<()> {
        let why = why.cut(WHY_MAX_CHARS);
        writing!(self, connection => sqlx::query(
            "UPDATE alarm_system SET refused_at_us = $3, refused_zh = $4, refused_en = $5, \
             refused = CASE WHEN refused_at_us > $6 THEN refused + $2 ELSE $2 END WHERE name = $1",
        ).bind(name).bind(i64::try_from(count).unwrap_or(i64::MAX)).bind(us(now)).bind(&why.zh)
            .bind(&why.en).bind(us(now - REFUSALS_FOR))
            .execute(connection).await.map(drop).map_err(failed))
    }

    /// Keeps an alarm as it came, and returns the original that is kept. The same alarm again changes
    /// nothing. What became no sighting (the program died in between) gives way to what comes under
    /// the same id.
    ///
    /// # Errors
    /// `Conflict` with `KeyReused` when this id came with another meaning before.
    pub async fn keep_alarm(&self, alarm: &NewAlarm<'_>, now: Timestamp) -> Result<Vec<u8>> {
        let kept = writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            sqlx::query(
                "INSERT INTO alarm (system, id, received_at_us, meaning_sha256, sighting, media, \
                original) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (system, id) DO UPDATE SET \
                received_at_us = $3, meaning_sha256 = $4, media = $6, original = $7 \
                WHERE alarm.meaning_sha256 <> $4 AND NOT EXISTS \
                (SELECT 1 FROM sighting WHERE sighting.id = alarm.sighting)",
            ).bind(alarm.system).bind(alarm.id).bind(us(now)).bind(alarm.meaning_sha256)
                .bind(alarm.sighting.to_string()).bind(alarm.media).bind(alarm.original)
                .execute(&mut *tx).await.map_err(failed)?;
            let (meaning, original): (String, Vec<u8>) = sqlx::query_as(
                "SELECT meaning_sha256, original FROM alarm WHERE system = $1 AND id = $2",
            ).bind(alarm.system).bind(alarm.id).fetch_one(&mut *tx).await.map_err(failed)?;
            let is_known = meaning == alarm.meaning_sha256;
            if is_known {
                sqlx::query("UPDATE alarm_system SET heard_at_us = $2, alarm_at_us = $2 WHERE name \
                    = $1")
                    .bind(alarm.system).bind(us(now)).execute(&mut *tx).await.map_err(failed)?;
            }
            tx.commit().await.map_err(failed)?;
            Ok(is_known.then_some(original))
        })?;
        if let Some(original) = kept {
            return Ok(original);
        }
        let words = Words::new(
            format!("编号为 {} 的告警已收到过，内容不同：不同的告警请用不同的编号", alarm.id),
            format!(
                "an alarm with the id {} came before and said something else: give each alarm an \
                id of its own",
                alarm.id
            ),
        );
        Err(Error::new(Kind::Conflict, words).coded(Code::KeyReused))
    }

    /// The sighting that an alarm became.
    pub async fn sighting_of_alarm(&self, system: &str, id: &str) -> Result<Option<SightingId>> {
        let row: Option<(String,)> = reading!(self, pool => sqlx::query_as(
            "SELECT sighting FROM alarm WHERE system = $1 AND id = $2",
        ).bind(system).bind(id).fetch_optional(pool).await.map_err(failed)?);
        row.map(|(sighting,)| super::id(&sighting)).transpose()
    }

    /// What another system sent; `None`: the sighting is no alarm of one, or its retention is over.
    pub async fn original_of(&self, sighting: SightingId) -> Result<Option<Original>> {
        let row: Option<(String, String, Vec<u8>)> = reading!(self, pool => sqlx::query_as(
            "SELECT system, media, original FROM alarm WHERE sighting = $1",
        ).bind(sighting.to_string()).fetch_optional(pool).await.map_err(failed)?);
        Ok(row.map(|(system, media, bytes)| Original { system, media, bytes }))
    }

    /// Removes what was received before. Until then the same alarm is known when it comes again.
    pub async fn prune_alarms(&self, before: Timestamp) -> Result<()> {
        writing!(self, connection => sqlx::query("DELETE FROM alarm WHERE received_at_us < $1")
            .bind(us(before)).execute(connection).await.map(drop).map_err(failed))
    }
}

/// The columns of a system, and the rest of the question.
fn question(rest: &str) -> String {
    format!("{COLUMNS}{rest}")
}

fn system(row: Row) -> Result<AlarmSystem> {
    let (name, silent_after_s, since, revoked, heard, alarm, count, refused, zh, en) = row;
    let refused = refused.map(time).transpose()?.map(|at| Refused {
        count: u64::try_from(count).unwrap_or_default(),
        at,
        why: Words::new(zh.unwrap_or_default(), en.unwrap_or_default()),
    });
    Ok(AlarmSystem {
        name,
        silent_after: silent_after_s.map(SignedDuration::from_secs),
        since: time(since)?,
        revoked_at: revoked.map(time).transpose()?,
        heard_at: heard.map(time).transpose()?,
        alarm_at: alarm.map(time).transpose()?,
        refused,
    })
}
