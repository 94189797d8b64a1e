//! Changes of the registers: lines of the one log, chained like all others. Logins of cameras stand
//! beside it, so that the log holds no secret, and only the newest of each is kept.

use super::record::chained;
use super::{REGISTERS, Store, failed, from_json, reading, to_json, us, writing};
use crate::error::{Error, Kind, Result};
use crate::register::{Change, Register};
use serde_json::Value;
use sqlx::Connection as _;
use std::collections::{BTreeMap, HashMap};

/// register, key, column, as shown, cell
type Secret = (String, String, String, String, String);

impl Store {
    /// The changes after number `after`, oldest first.
    pub async fn register_changes(&self, after: u64) -> Result<Vec<Change>> {
        let rows: Vec<(i64, String)> = reading!(self, pool => sqlx::query_as(
            "SELECT version, body FROM event WHERE incident = $1 AND version > $2 ORDER BY version",
        ).bind(REGISTERS).bind(after as i64).fetch_all(pool).await.map_err(failed)?);
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let secrets: Vec<Secret> = reading!(self, pool => sqlx::query_as(
            "SELECT register, key, column_name, shown, cell FROM register_secret",
        ).fetch_all(pool).await.map_err(failed)?);
        let mut known: HashMap<(String, String), Vec<Secret>> = HashMap::new();
        for secret in secrets {
            known.entry((secret.0.clone(), secret.1.clone())).or_default().push(secret);
        }
        Ok(self.readable(rows.into_iter().map(|(version, body)| {
            let name = format!("change {version} of the registers");
            let change = from_json::<Change>(&body, &name).map(|mut change| {
                change.number = version as u64;
                for fact in &mut change.facts {
                    let own = known.get(&(fact.register.file_name().to_owned(), fact.key.clone()));
                    fact.secrets =
                        own.map(|own| shown_in(own, fact.entry.as_ref())).unwrap_or_default();
                }
                change
            });
            (name, change)
        })))
    }

    /// Adds a change to the log. Returns its cursor.
    ///
    /// # Errors
    /// `Conflict` when its number is taken: somebody else has changed the registers meanwhile. Read
    /// and decide again.
    pub async fn register(&self, change: &Change) -> Result<u64> {
        let body = to_json(change)?;
        writing!(self, connection => {
            let mut tx = connection.begin().await.map_err(failed)?;
            let (seq, hash): (i64, String) =
                sqlx::query_as("UPDATE log_head SET seq = seq + 1 WHERE one = 1 RETURNING seq, hash")
                    .fetch_one(&mut *tx).await.map_err(failed)?;
            let (last,): (i64,) = sqlx::query_as("SELECT COALESCE(MAX(version), 0) FROM event \
                WHERE incident = $1")
                .bind(REGISTERS).fetch_one(&mut *tx).await.map_err(failed)?;
            let version = change.number as i64;
            if last + 1 != version {
                return Err(Error::new(Kind::Conflict, "the registers have changed meanwhile"));
            }
            let hash = chained(&hash, seq, REGISTERS, version, &body);
            sqlx::query("INSERT INTO event (seq, incident, version, at_us, body, hash) VALUES ($1, \
                $2, $3, $4, $5, $6)")
                .bind(seq).bind(REGISTERS).bind(version).bind(us(change.at)).bind(&body).bind(&hash)
                .execute(&mut *tx).await.map_err(failed)?;
            sqlx::query("UPDATE log_head SET hash = $1 WHERE one = 1")
                .bind(&hash).execute(&mut *tx).await.map_err(failed)?;
            for fact in change.facts.iter().filter(|fact| fact.register == Register::Cameras) {
                let register = fact.register.file_name();
                sqlx::query("DELETE FROM register_secret WHERE register = $1 AND key = $2")
                    .bind(register).bind(&fact.key).execute(&mut *tx).await.map_err(failed)?;
                for (column, cell) in &fact.secrets {
                    sqlx::query("INSERT INTO register_secret (register, key, column_name, shown, \
                        cell) VALUES ($1, $2, $3, $4, $5)")
                        .bind(register).bind(&fact.key).bind(column).bind(shown(fact.entry.as_ref(), column)).bind(cell)
                        .execute(&mut *tx).await.map_err(failed)?;
                }
            }
            tx.commit().await.map_err(failed)?;
            tracing::debug!(cursor = seq, change = version, facts = change.facts.len(), "registers \
                changed");
            Ok(seq as u64)
        })
    }
}

/// The logins that this version of an entry shows as stars. An older address has lost its own.
fn shown_in(secrets: &[Secret], entry: Option<&Value>) -> BTreeMap<String, String> {
    let is_shown = |(_, _, column, text, _): &&Secret| shown(entry, column) == text;
    secrets
        .iter()
        .filter(is_shown)
        .map(|(_, _, column, _, cell)| (column.clone(), cell.clone()))
        .collect()
}

fn shown<'a>(entry: Option<&'a Value>, column: &str) -> &'a str {
    entry.and_then(|entry| entry.get(column)).and_then(Value::as_str).unwrap_or_default()
}
