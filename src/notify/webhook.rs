//! Tells another system of every step of every incident: in order, each until it is taken, signed.
//! The log is the outbox, so nothing is lost between a decision and its telling. A step may be told
//! twice (an answer that was lost): its number is the key.

use super::client;
use crate::clock::Clock;
use crate::error::{Error, Kind, Result};
use crate::lang::Words;
use crate::store::{Filed, LogEntry, Store};
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use sha2::Sha256;
use std::time::Duration;

/// A receiver that takes longer has not taken it.
const WITHIN: Duration = Duration::from_secs(20);
/// Longer than one telling takes, with the database's own waits.
const LEASE: SignedDuration = SignedDuration::from_secs(60);
/// Events read from the log at once.
const PAGE: u32 = 50;

/// One receiver.
pub struct Webhook {
    name: String,
    url: String,
    secret: String,
    client: Client,
}

/// How a round ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Round {
    /// All is told; how many now.
    Done(usize),
    /// Another process tells this receiver.
    Elsewhere,
    /// It did not take one; that and all after it wait.
    Refused(String),
}

impl Webhook {
    pub fn new(
        name: impl Into<String>,
        url: impl Into<String>,
        secret: impl Into<String>,
    ) -> Result<Self> {
        let client = client::new(WITHIN)?;
        Ok(Self { name: name.into(), url: url.into(), secret: secret.into(), client })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells what is new, in the order of the log, until nothing is left or something is not taken.
    /// `say`: what is said of an event; `None`: nothing, and the next one follows.
    pub async fn round(
        &self,
        store: &Store,
        clock: &Clock,
        say: impl Fn(&LogEntry, &Filed) -> Option<Vec<u8>>,
    ) -> Result<Round> {
        let mut told = 0;
        // Asked first: a look at an unchanged log writes nothing.
        while store.webhook_waiting(&self.name).await? > 0 {
            let now = clock.now();
            let mut mine = now + LEASE;
            let Some(cursor) = store.lease_webhook(&self.name, now, mine).await? else {
                return Ok(Round::Elsewhere);
            };
            let entries = store.events_after(cursor, PAGE).await?;
            let mut reached = cursor;
            let mut stopped = None;
            for entry in &entries {
                let body = match body_of(store, entry, &say).await {
                    Ok(body) => body,
                    Err(e) => {
                        stopped = Some(Err(e));
                        break;
                    }
                };
                if let Some(body) = body {
                    if let Err(why) = self.post(entry.cursor, body, clock.now()).await {
                        stopped = Some(Ok(Round::Refused(why)));
                        break;
                    }
                    told += 1;
                    // Written at once: after a crash at most one is told twice.
                    let next = clock.now() + LEASE;
                    if !store.webhook_told(&self.name, entry.cursor, mine, Some(next)).await? {
                        return Ok(Round::Elsewhere);
                    }
                    mine = next;
                }
                reached = entry.cursor;
            }
            if !store.webhook_told(&self.name, reached, mine, None).await? {
                return Ok(Round::Elsewhere);
            }
            if let Some(end) = stopped {
                return end;
            }
            if entries.is_empty() {
                break;
            }
        }
        Ok(Round::Done(told))
    }

    /// `id` is the event's number in the log.
    async fn post(&self, id: u64, body: Vec<u8>, now: Timestamp) -> Result<(), String> {
        let at = now.as_second();
        let signature = sign(&self.secret, at, &body).map_err(|e| e.chain())?;
        let request = self
            .client
            .post(&self.url)
            .header(CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", id.to_string())
            .header("Huoyan-Timestamp", at.to_string())
            .header("Huoyan-Signature", format!("v1={signature}"))
            .body(body);
        let response = request.send().await.map_err(client::words)?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(format!("HTTP {}", status.as_u16())) }
    }
}

/// `None`: nothing is said of it. An incident that cannot be read is said on the board, and holds
/// nobody else up; what can be read later waits.
async fn body_of(
    store: &Store,
    entry: &LogEntry,
    say: impl Fn(&LogEntry, &Filed) -> Option<Vec<u8>>,
) -> Result<Option<Vec<u8>>> {
    if entry.recorded.is_none() {
        return Err(Error::new(
            Kind::Unavailable,
            Words::new(
                format!("事件 {} 由更新的版本写入，请更新本程序", entry.cursor),
                format!("event {} was written by a newer version: update this one", entry.cursor),
            ),
        ));
    }
    match store.incident(entry.incident).await {
        Ok(filed) => Ok(say(entry, &filed)),
        Err(e) => {
            let is_unreadable = e.kind == Kind::Internal
                && store.unreadable().iter().any(|it| it.incident == entry.incident);
            if e.kind != Kind::NotFound && !is_unreadable {
                return Err(e);
            }
            tracing::warn!(event = entry.cursor, "not told: {}", e.chain());
            Ok(None)
        }
    }
}

/// HMAC-SHA256 over `<timestamp>.<body>`, hexadecimal.
pub fn sign(secret: &str, at: i64, body: &[u8]) -> Result<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|e| Error::internal("a secret is no key").because(e))?;
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    Ok(hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed with `printf '1795240780.{}' | openssl dgst -sha256 -hmac the-receivers-secret`.
    #[test]
    fn a_receiver_can_check_the_signature_with_any_tool() {
        let signature = sign("the-receivers-secret", 1_795_240_780, b"{}").expect("signed");
        assert_eq!(signature, "868d7a84a97edb6a8c21ee2fdf3d5bd23d1c8ff2f982188c218fe5f9eeaa5a73");
    }
}
