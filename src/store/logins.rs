//! Login links and sessions. Only hashes are stored, so whoever reads the database cannot log in.

use super::{Store, failed, from_word, reading, time, us, word, writing};
use crate::error::{Error, Kind, Result};
use crate::triage::id::PersonId;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a person may see and do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    Ranger,
    Officer,
    Ops,
}

/// The person behind a link or a session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Login {
    pub person: PersonId,
    pub access: Access,
}

/// A session that was looked up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    pub login: Login,
    /// The session was extended, so the browser must get a new cookie.
    pub prolonged: bool,
}

/// A browser that is logged in.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct OpenSession {
    pub person: PersonId,
    pub access: Access,
    pub since: Timestamp,
    /// Rounded to the hour.
    pub used_at: Timestamp,
    pub expires_at: Timestamp,
}

/// What a revocation ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    pub sessions: u64,
    /// Links that were not used yet.
    pub links: u64,
}

/// A use is recorded at most once per interval, so that reading pages does not write to the disk.
const USE_NOTED_EVERY: SignedDuration = SignedDuration::from_hours(1);

impl Store {
    /// `token_hash`: sha256 of the token, hexadecimal.
    pub async fn create_login(
        &self,
        token_hash: &str,
        login: &Login,
        expires_at: Timestamp,
    ) -> Result<()> {
        writing!(self, connection => sqlx::query("INSERT INTO login (token_hash, person, access, \
            expires_at_us) VALUES ($1, $2, $3, $4)")
            .bind(token_hash).bind(login.person.as_str()).bind(word(&login.access)?).bind(us(expires_at))
            .execute(connection).await.map(drop).map_err(failed))
    }

    /// Uses a link up.
    ///
    /// # Errors
    /// `Unauthenticated` when it is unknown, used or expired.
    pub async fn use_login(&self, token_hash: &str, now: Timestamp) -> Result<Login> {
        // Checked by a reader first: a guess must not queue for the single writer.
        let known: Option<(String,)> = reading!(self, pool => sqlx::query_as("SELECT person FROM \
            login WHERE token_hash = $1")
            .bind(token_hash).fetch_optional(pool).await.map_err(failed)?);
        let spent =
            || Error::new(Kind::Unauthenticated, "this login link has been used or has expired");
        known.ok_or_else(spent)?;
        let row: Option<(String, String)> = writing!(self, connection => sqlx::query_as(
            "UPDATE login SET used_at_us = $1 WHERE token_hash = $2 AND used_at_us IS NULL AND \
            expires_at_us > $1 \
             RETURNING person, access",
        ).bind(us(now)).bind(token_hash).fetch_optional(connection).await.map_err(failed))?;
        match row {
            Some((person, access)) => {
                Ok(Login { person: PersonId(person), access: from_word(access, "access")? })
            }
            None => Err(spent()),
        }
    }

    /// `hash`: sha256 of the cookie, hexadecimal. It lives `life` from its last use.
    pub async fn create_session(
        &self,
        hash: &str,
        login: &Login,
        now: Timestamp,
        life: SignedDuration,
    ) -> Result<()> {
        writing!(self, connection => sqlx::query("INSERT INTO session (hash, person, access, \
            since_us, used_at_us, expires_at_us) VALUES ($1, $2, $3, $4, $4, $5)")
            .bind(hash).bind(login.person.as_str()).bind(word(&login.access)?).bind(us(now)).bind(us(now + life))
            .execute(connection).await.map(drop).map_err(failed))
    }

    /// The person behind a cookie. Using the session extends its life.
    ///
    /// # Errors
    /// `Unauthenticated` when it is unknown or expired.
    pub async fn session(
        &self,
        hash: &str,
        now: Timestamp,
        life: SignedDuration,
    ) -> Result<Session> {
        let (login, used_at_us) = self.session_row(hash, now).await?;
        let mut prolonged = used_at_us <= us(now - USE_NOTED_EVERY);
        if prolonged {
            let noted = writing!(self, connection => {
                sqlx::query("UPDATE session SET used_at_us = $1, expires_at_us = $2 WHERE hash = $3")
                    .bind(us(now)).bind(us(now + life)).bind(hash).execute(connection).await.map(drop).map_err(failed)
            });
            // With a full disk the board must still be readable. The next use is recorded instead.
            if let Err(e) = noted {
                tracing::warn!("the use of a session was not recorded: {}", e.chain());
                prolonged = false;
            }
        }
        Ok(Session { login, prolonged })
    }

    /// The same without extending the session, for callers that cannot send the browser a new
    /// cookie.
    pub async fn session_as_it_is(&self, hash: &str, now: Timestamp) -> Result<Login> {
        Ok(self.session_row(hash, now).await?.0)
    }

    async fn session_row(&self, hash: &str, now: Timestamp) -> Result<(Login, i64)> {
        let row: Option<(String, String, i64)> = reading!(self, pool => sqlx::query_as(
            "SELECT person, access, used_at_us FROM session WHERE hash = $1 AND expires_at_us > $2",
        ).bind(hash).bind(us(now)).fetch_optional(pool).await.map_err(failed)?);
        let Some((person, access, used_at_us)) = row else {
            return Err(Error::new(Kind::Unauthenticated, "not logged in"));
        };
        Ok((Login { person: PersonId(person), access: from_word(access, "access")? }, used_at_us))
    }

    /// All open sessions, by person, the newest login first.
    pub async fn sessions(&self, now: Timestamp) -> Result<Vec<OpenSession>> {
        let rows: Vec<(String, String, String, i64, i64, i64)> = reading!(self, pool => sqlx::query_as(
            "SELECT hash, person, access, since_us, used_at_us, expires_at_us FROM session WHERE \
            expires_at_us > $1 \
             ORDER BY person, since_us DESC",
        ).bind(us(now)).fetch_all(pool).await.map_err(failed)?);
        let open = |person: String, access: String, [since, used, expires]: [i64; 3]| {
            Ok(OpenSession {
                person: PersonId(person),
                access: from_word(access, "access")?,
                since: time(since)?,
                used_at: time(used)?,
                expires_at: time(expires)?,
            })
        };
        // The hash of a cookie admits nobody; its first characters identify the browser.
        let named = |(hash, person, access, since, used, expires): (
            String,
            String,
            String,
            i64,
            i64,
            i64,
        )| {
            let name = format!("session {} of {person}", hash.get(..8).unwrap_or(&hash));
            (name, open(person, access, [since, used, expires]))
        };
        Ok(self.readable(rows.into_iter().map(named)))
    }

    pub async fn end_session(&self, hash: &str) -> Result<()> {
        writing!(self, connection => sqlx::query("DELETE FROM session WHERE hash = $1").bind(hash)
            .execute(connection).await.map(drop).map_err(failed))
    }

    /// Logs a person out everywhere and voids his or her links: a lost phone, a disabled account.
    pub async fn end_sessions_of(&self, person: &PersonId) -> Result<Ended> {
        writing!(self, connection => {
            let sessions = sqlx::query("DELETE FROM session WHERE person = $1").bind(person.as_str())
                .execute(&mut *connection).await.map_err(failed)?.rows_affected();
            let links = sqlx::query("DELETE FROM login WHERE person = $1 AND used_at_us IS NULL").bind(person.as_str())
                .execute(&mut *connection).await.map_err(failed)?.rows_affected();
            Ok(Ended { sessions, links })
        })
    }

    /// Removes used or expired links and sessions.
    pub async fn prune_logins(&self, now: Timestamp) -> Result<()> {
        writing!(self, connection => {
            sqlx::query("DELETE FROM session WHERE expires_at_us <= $1").bind(us(now)).execute(&mut *connection).await.map_err(failed)?;
            sqlx::query("DELETE FROM login WHERE expires_at_us <= $1").bind(us(now)).execute(&mut *connection).await.map_err(failed)?;
            Ok(())
        })
    }
}
