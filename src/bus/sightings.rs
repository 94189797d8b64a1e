//! Sightings on their way from edges to a desk: a JetStream work queue, stored by the server. At
//! least once, and confirmed only when a desk has filed them.

use super::line::{ANSWERS_WITHIN, Line, away, unavailable};
use crate::error::{Error, Result};
use crate::triage::id::SightingId;
use crate::triage::sighting::Sighting;
use async_nats::jetstream::{self, AckKind, consumer, message::PublishMessage, stream};
use std::time::Duration;
use tokio_stream::StreamExt;

/// The server drops a repeated sighting within this time. After that the desk's store recognises
/// it.
const DUPLICATES_KNOWN_FOR: Duration = Duration::from_secs(60 * 60);
/// A desk that has not confirmed a sighting within this time counts as dead, and another desk gets
/// it: nobody should notice for longer than 5 s. Filing takes milliseconds. If a slow database makes
/// two desks file the same sighting, the store recognises it.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(3);
/// The server says so often that a desk's request waits there. A server that was restarted has
/// forgotten the request: after two of these the queue is opened again.
const STILL_WAITS: Duration = Duration::from_secs(2);
/// A sighting that could not be filed comes again after this time.
const COMES_AGAIN: Duration = Duration::from_secs(5);
/// Sightings the server keeps while no desk runs: weeks of a bad season. A full queue refuses new
/// ones and never drops old ones; then they wait on the edges' disks.
const KEPT: i64 = 100_000;
/// Messages kept aside. Beyond this they stay in the queue and come again.
const ASIDE_MAX: i64 = 10_000;
/// The header that says why a message was kept aside.
const REASON: &str = "Huoyan-Reason";
/// Longest reason, characters.
const REASON_MAX: usize = 500;

/// What is kept aside because no desk could take it in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Aside {
    pub messages: u64,
    /// Why the newest could not be taken in.
    pub why: String,
    /// The stream where a person finds them.
    pub stream: String,
}

impl Line {
    /// Returns when the server has stored it. Sending the same sighting again is harmless.
    ///
    /// # Errors
    /// `Unavailable`: it must be sent again.
    pub async fn send_sighting(&self, edge: &str, id: SightingId, body: Vec<u8>) -> Result<()> {
        if !self.is_connected() {
            return Err(away());
        }
        let message = PublishMessage::build().payload(body.into()).message_id(id.to_string());
        let lost =
            |e| unavailable("the NATS server did not confirm a sighting: it must be sent again", e);
        let subject = self.subject(&format!("sighting.{edge}"));
        let sent =
            tokio::time::timeout(ANSWERS_WITHIN, self.jetstream.send_publish(subject, message))
                .await;
        sent.map_err(|_| away())?.map_err(lost)?.await.map(drop).map_err(lost)
    }

    /// Opens the queue, and makes it where it is not there yet. Several desks share its sightings.
    pub async fn sightings(&self) -> Result<Sightings> {
        let no_queue = "cannot open the queue on the NATS server: start it with JetStream \
            (nats-server -js)";
        self.aside_stream().await?;
        let queue = stream::Config {
            name: self.stream_name("sightings"),
            subjects: vec![self.subject("sighting.*")],
            retention: stream::RetentionPolicy::WorkQueue,
            discard: stream::DiscardPolicy::New,
            max_messages: KEPT,
            duplicate_window: DUPLICATES_KNOWN_FOR,
            storage: stream::StorageType::File,
            ..Default::default()
        };
        let queue = self
            .jetstream
            .get_or_create_stream(queue)
            .await
            .map_err(|e| unavailable(no_queue, e))?;
        let desk = consumer::pull::Config {
            durable_name: Some("desk".to_owned()),
            ack_policy: consumer::AckPolicy::Explicit,
            ack_wait: CONFIRMED_WITHIN,
            // One at a time per desk: another desk has to wait for whatever a dead one holds.
            max_batch: 1,
            ..Default::default()
        };
        // It is brought up where an earlier version has made it.
        let consumer = queue.create_consumer(desk).await.map_err(|e| {
            unavailable("cannot create the consumer of sightings on the NATS server", e)
        })?;
        let one_by_one = consumer.stream().max_messages_per_batch(1).heartbeat(STILL_WAITS);
        let messages = one_by_one.messages().await;
        let messages =
            messages.map_err(|e| unavailable("cannot read sightings from the NATS server", e))?;
        Ok(Sightings { messages, line: self.clone() })
    }

    async fn aside_stream(&self) -> Result<stream::Stream> {
        let aside = stream::Config {
            name: self.stream_name("aside"),
            subjects: vec![self.subject("aside")],
            discard: stream::DiscardPolicy::New,
            max_messages: ASIDE_MAX,
            storage: stream::StorageType::File,
            ..Default::default()
        };
        let opened = self.jetstream.get_or_create_stream(aside).await;
        opened.map_err(|e| {
            unavailable("cannot open the stream of messages kept aside on the NATS server", e)
        })
    }

    /// What is kept aside; `None`: nothing.
    pub async fn aside(&self) -> Result<Option<Aside>> {
        let stream = self.aside_stream().await?;
        let info = stream
            .get_info()
            .await
            .map_err(|e| unavailable("the NATS server does not answer", e))?;
        if info.state.messages == 0 {
            return Ok(None);
        }
        let newest = stream.get_raw_message(info.state.last_sequence).await;
        let reason =
            newest.ok().and_then(|it| it.headers.get(REASON).map(|why| why.as_str().to_owned()));
        let (messages, stream) = (info.state.messages, self.stream_name("aside"));
        Ok(Some(Aside { messages, why: reason.unwrap_or_default(), stream }))
    }
}

pub struct Sightings {
    messages: consumer::pull::Stream,
    line: Line,
}

impl Sightings {
    /// `None` when no more can come: open the queue again. What is no sighting is kept aside here.
    pub async fn next(&mut self) -> Option<Delivery> {
        loop {
            let message = match self.messages.next().await? {
                Ok(message) => message,
                Err(e) => {
                    tracing::warn!(error = %e, "cannot read sightings from the bus; opening the \
                        queue again");
                    return None;
                }
            };
            match serde_json::from_slice(&message.payload) {
                Ok(sighting) => {
                    return Some(Delivery { sighting, message, line: self.line.clone() });
                }
                Err(e) => set_aside(&self.line, &message, &format!("not a sighting: {e}")).await,
            }
        }
    }
}

/// A sighting that is delivered again until it is filed or kept aside.
pub struct Delivery {
    pub sighting: Sighting,
    message: jetstream::Message,
    line: Line,
}

impl Delivery {
    /// The desk has filed it. If this confirmation is lost, the sighting is delivered again and
    /// recognised.
    pub async fn done(self) {
        if let Err(e) = self.message.double_ack().await {
            tracing::warn!(sighting.id = %self.sighting.id, error = %e, "cannot confirm to the bus \
                that a sighting was filed; it will be delivered again");
        }
    }

    /// It could not be filed now, and comes again, here or at another desk.
    pub async fn again(self) {
        give_back(&self.message).await;
    }

    /// It will never be filed: it is kept aside, with the reason, for a person to look at.
    pub async fn aside(self, why: &str) {
        set_aside(&self.line, &self.message, why).await;
    }
}

/// Moves a message out of the queue into the stream that keeps it. Until that stream has it, the
/// queue does.
async fn set_aside(line: &Line, message: &jetstream::Message, why: &str) {
    // A header is one line of plain text.
    let reason: String = format!("{} {why}", message.subject);
    let reason: String = reason
        .chars()
        .map(|it| if it.is_ascii_graphic() { it } else { ' ' })
        .take(REASON_MAX)
        .collect();
    let place = message.info().map(|it| it.stream_sequence).unwrap_or_default();
    let kept = PublishMessage::build()
        .payload(message.payload.clone())
        .header(REASON, reason.as_str())
        .message_id(format!("aside-{place}"));
    let kept = match line.jetstream.send_publish(line.subject("aside"), kept).await {
        Ok(receipt) => receipt.await.map(drop),
        Err(e) => Err(e),
    };
    match kept {
        Ok(()) => {
            tracing::error!(
                reason,
                "a message from an edge could not be taken in and is kept aside"
            );
            if let Err(e) = message.double_ack().await {
                tracing::warn!(error = %e, "cannot confirm to the bus that a message was kept \
                    aside; it will be delivered again");
            }
        }
        Err(e) => {
            tracing::error!(reason, error = %e, "a message from an edge could be neither taken in \
                nor kept aside; it comes again");
            give_back(message).await;
        }
    }
}

async fn give_back(message: &jetstream::Message) {
    if let Err(e) = message.ack_with(AckKind::Nak(Some(COMES_AGAIN))).await {
        tracing::warn!(error = %e, "cannot give a sighting back to the bus; it comes again when \
            its time is over");
    }
}

/// The text of a sighting, as it travels.
///
/// # Errors
/// `Internal`, which would be a bug.
pub fn written(sighting: &Sighting) -> Result<Vec<u8>> {
    serde_json::to_vec(sighting).map_err(|e| Error::internal("cannot write as JSON").because(e))
}
