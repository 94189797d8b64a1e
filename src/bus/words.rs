//! What edges say of themselves, and the thresholds that the centre tells them. The server keeps
//! the last word of each edge, so that a desk which starts now knows who has fallen silent.

use super::line::{Line, unavailable};
use crate::error::Result;
use async_nats::Subscriber;
use async_nats::jetstream::consumer::{DeliverPolicy, pull};
use async_nats::jetstream::stream;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use std::time::Duration;
use tokio_stream::StreamExt;

/// An edge that was silent for this time is forgotten.
const REMEMBERED_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// No word is larger: 1,000 cameras take half of it.
const WORD_MAX_BYTES: i32 = 900_000;

/// What one edge said.
pub struct Said<T> {
    pub edge: String,
    /// When the server heard it, if the server has kept it; `None`: now.
    pub at: Option<Timestamp>,
    pub word: T,
}

/// The words of edges as they come.
pub struct Heard<T> {
    messages: pull::Ordered,
    /// Kept words that are still to come.
    kept: u64,
    of: PhantomData<T>,
}

/// What the centre tells, as it comes.
pub struct Told<T> {
    messages: Subscriber,
    of: PhantomData<T>,
}

impl<T: DeserializeOwned> Told<T> {
    /// `None`: listen again.
    pub async fn next(&mut self) -> Option<T> {
        loop {
            let message = self.messages.next().await?;
            match serde_json::from_slice(&message.payload) {
                Ok(told) => return Some(told),
                Err(e) => tracing::warn!(error = %e, "cannot read what the centre tells: is it of \
                    another version?"),
            }
        }
    }
}

impl<T: DeserializeOwned> Heard<T> {
    /// The next word; the last word of every edge comes first.
    ///
    /// # Errors
    /// `Unavailable`: listen again.
    pub async fn next(&mut self) -> Result<Said<T>> {
        loop {
            let next = self.messages.next().await.ok_or_else(super::line::away)?;
            let message =
                next.map_err(|e| unavailable("cannot hear the edges at the NATS server", e))?;
            let edge = message.subject.rsplit('.').next().unwrap_or_default().to_owned();
            let kept_at = message.info().ok().and_then(|it| {
                let at = it.published;
                Timestamp::new(at.unix_timestamp(), at.nanosecond() as i32).ok()
            });
            // Both clocks may differ: a word that comes now is heard now.
            let at = kept_at.filter(|_| self.kept > 0);
            self.kept = self.kept.saturating_sub(1);
            match serde_json::from_slice(&message.payload) {
                Ok(word) => return Ok(Said { edge, at, word }),
                Err(e) => {
                    tracing::warn!(edge, error = %e, "cannot read the word of an edge: is it of \
                        another version?")
                }
            }
        }
    }
}

impl Line {
    /// An edge says how it is. Whoever listens hears it, and the server keeps the last one.
    pub async fn say<T: Serialize>(&self, edge: &str, word: &T) -> Result<()> {
        self.publish(&format!("word.{edge}"), word).await
    }

    pub async fn hear<T: DeserializeOwned>(&self) -> Result<Heard<T>> {
        let words = stream::Config {
            name: self.stream_name("words"),
            subjects: vec![self.subject("word.*")],
            max_messages_per_subject: 1,
            max_message_size: WORD_MAX_BYTES,
            max_age: REMEMBERED_FOR,
            storage: stream::StorageType::File,
            ..Default::default()
        };
        let words = self.jetstream.get_or_create_stream(words).await;
        let words =
            words.map_err(|e| unavailable("cannot open the edges' words on the NATS server", e))?;
        let order = pull::OrderedConfig {
            deliver_policy: DeliverPolicy::LastPerSubject,
            filter_subject: self.subject("word.*"),
            ..Default::default()
        };
        let cannot = "cannot hear the edges at the NATS server";
        let consumer = words.create_consumer(order).await.map_err(|e| unavailable(cannot, e))?;
        let kept = consumer.cached_info().num_pending;
        let messages = consumer.messages().await.map_err(|e| unavailable(cannot, e))?;
        Ok(Heard { messages, kept, of: PhantomData })
    }

    /// The centre tells its edges something. It is repeated, so nothing is stored.
    pub async fn tell<T: Serialize>(&self, word: &T) -> Result<()> {
        self.publish("tuning", word).await
    }

    /// What the centre tells its edges.
    pub async fn told<T: DeserializeOwned>(&self) -> Result<Told<T>> {
        Ok(Told { messages: self.subscribe("tuning").await?, of: PhantomData })
    }
}
