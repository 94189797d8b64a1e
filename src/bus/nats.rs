//! Several processes: announcements as plain NATS messages, sightings through a JetStream work
//! queue stored by the server.

use super::{ANNOUNCEMENTS, Announcement, Delivery};
use crate::error::{Error, Result};
use crate::triage::id::SightingId;
use crate::triage::sighting::Sighting;
use async_nats::Client;
use async_nats::jetstream::{self, consumer, message::PublishMessage, stream};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast;
use tokio::task::AbortHandle;
use tokio_stream::StreamExt;

/// The server drops a repeated sighting within this time. After that the desk's store recognises
/// it.
const DUPLICATES_KNOWN_FOR: Duration = Duration::from_secs(60 * 60);
/// A desk that has not confirmed a sighting within this time counts as dead, and another desk gets
/// it.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(30);
/// Sightings the server keeps while no desk runs: weeks of a bad season. A full queue refuses new
/// ones and never drops old ones.
const KEPT: i64 = 100_000;

#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    jetstream: jetstream::Context,
    prefix: String,
    changed: broadcast::Sender<Announcement>,
    _forwarding: Arc<StopOnDrop>,
}

#[derive(Debug)]
struct StopOnDrop(AbortHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Bus {
    pub async fn connect(url: &str, prefix: &str) -> Result<Self> {
        let client = async_nats::connect(url).await.map_err(|e| {
            unavailable("cannot connect to the NATS server: check that it runs and accepts this login", e)
        })?;
        let mut heard = client
            .subscribe(format!("{prefix}.changed"))
            .await
            .map_err(|e| unavailable("cannot subscribe to announcements on the NATS server", e))?;
        // The answer to the ping proves that the subscription is active: no announcement from now
        // on is missed.
        client.flush().await.map_err(|e| unavailable("the NATS server does not answer", e))?;
        let changed = broadcast::channel(ANNOUNCEMENTS).0;
        let forward = changed.clone();
        let forwarding = tokio::spawn(async move {
            while let Some(message) = heard.next().await {
                match serde_json::from_slice(&message.payload) {
                    // An error only means that there is no subscriber now.
                    Ok(announcement) => drop(forward.send(announcement)),
                    Err(e) => tracing::warn!(error = %e, "cannot read an announcement from the bus"),
                }
            }
        });
        let _forwarding = Arc::new(StopOnDrop(forwarding.abort_handle()));
        let bus =
            Self { jetstream: jetstream::new(client.clone()), client, prefix: prefix.to_owned(), changed, _forwarding };
        bus.queue().await?;
        Ok(bus)
    }

    pub async fn announce(&self, announcement: Announcement) -> Result<()> {
        let words =
            serde_json::to_vec(&announcement).map_err(|e| Error::internal("cannot write as JSON").because(e))?;
        let sent = self.client.publish(format!("{}.changed", self.prefix), words.into()).await;
        sent.map_err(|e| unavailable("cannot send an announcement to the NATS server", e))
    }

    pub fn announcements(&self) -> broadcast::Receiver<Announcement> {
        self.changed.subscribe()
    }

    pub async fn send_sighting(&self, sighting: &Sighting) -> Result<()> {
        let body = serde_json::to_vec(sighting).map_err(|e| Error::internal("cannot write as JSON").because(e))?;
        let message = PublishMessage::build().payload(body.into()).message_id(sighting.id.to_string());
        let lost = |e| unavailable("the NATS server did not confirm a sighting: it must be sent again", e);
        let receipt = self.jetstream.send_publish(format!("{}.sighting", self.prefix), message).await.map_err(lost)?;
        receipt.await.map(drop).map_err(lost)
    }

    pub async fn sightings(&self) -> Result<Sightings> {
        let desk = consumer::pull::Config {
            durable_name: Some("desk".to_owned()),
            ack_policy: consumer::AckPolicy::Explicit,
            ack_wait: CONFIRMED_WITHIN,
            // One at a time per desk: another desk has to wait for whatever a dead one holds.
            max_batch: 1,
            ..Default::default()
        };
        let consumer = self
            .queue()
            .await?
            .get_or_create_consumer("desk", desk)
            .await
            .map_err(|e| unavailable("cannot create the consumer of sightings on the NATS server", e))?;
        let messages = consumer.stream().max_messages_per_batch(1).messages().await;
        Ok(Sightings(messages.map_err(|e| unavailable("cannot read sightings from the NATS server", e))?))
    }

    async fn queue(&self) -> Result<stream::Stream> {
        let config = stream::Config {
            name: format!("{}-sightings", self.prefix),
            subjects: vec![format!("{}.sighting", self.prefix)],
            retention: stream::RetentionPolicy::WorkQueue,
            discard: stream::DiscardPolicy::New,
            max_messages: KEPT,
            duplicate_window: DUPLICATES_KNOWN_FOR,
            storage: stream::StorageType::File,
            ..Default::default()
        };
        self.jetstream.get_or_create_stream(config).await.map_err(|e| {
            unavailable("cannot open the queue on the NATS server: start it with JetStream (nats-server -js)", e)
        })
    }
}

pub struct Sightings(consumer::pull::Stream);

impl Sightings {
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            let message = match self.0.next().await? {
                Ok(message) => message,
                Err(e) => {
                    tracing::warn!(error = %e, "cannot read a sighting from the bus; trying again");
                    continue;
                }
            };
            match serde_json::from_slice(&message.payload) {
                Ok(sighting) => return Some(Delivery { sighting, receipt: Some(Receipt(message)) }),
                Err(e) => {
                    // It will never become readable. Its text stays in the log.
                    let body = String::from_utf8_lossy(&message.payload);
                    tracing::error!(error = %e, %body, "a message on the bus is not a sighting and is discarded");
                    if let Err(e) = message.ack_with(jetstream::AckKind::Term).await {
                        tracing::warn!(error = %e, "cannot tell the bus to discard a message; it will be delivered again");
                    }
                }
            }
        }
    }
}

/// Confirms one message.
pub struct Receipt(jetstream::Message);

impl Receipt {
    pub async fn confirm(self, sighting: SightingId) {
        if let Err(e) = self.0.double_ack().await {
            tracing::warn!(sighting.id = %sighting, error = %e, "cannot confirm to the bus that a sighting was filed; it will be delivered again");
        }
    }
}

fn unavailable(message: &str, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::unavailable(message).because(cause)
}
