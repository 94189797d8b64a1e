//! PEOPLE'S PHONES: takes texts from the outbox and hands them to gateways, within the vendors' limits, again until taken
//! or given up. Whatever cannot go out says so on the board, because then a person must phone.

mod client;
mod gateway;
mod limits;

pub use client::post_json;
pub use gateway::{Key, Keys};

use crate::clock::{Clock, Heartbeat};
use crate::config::NotifyConfig;
use crate::error::{Error, Result};
use crate::store::{Message, Store};
use crate::triage::policy::Channel;
use gateway::{Gateways, Outcome, Sender};
use jiff::{SignedDuration, Timestamp};
use limits::Limiter;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::task::JoinSet;

/// Messages borrowed at once; all are handed over side by side, so that one slow gateway holds up nobody's lease.
const AT_ONCE: u32 = 32;
/// How often the outbox is looked into; a text waits no longer than that for its gateway.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// First wait after a gateway did not take a text; each further one is three times as long, up to the longest.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// How words about a vendor's limit begin.
const LIMIT: &str = "供应商限额";
/// A text that a vendor's limit holds up for longer is given up, too, so that it goes another way at once: a phone that rings an
/// hour later helps nobody. The limits a minute are waited for.
const HELD_MAX: SignedDuration = SignedDuration::from_mins(2);
/// Then a text is given up: after some 13 minutes the ladder has told others already.
const ATTEMPTS: u32 = 6;

/// Sends what the desk wrote.
pub struct Notifier {
    store: Store,
    gateways: Gateways,
    clock: Clock,
    /// One round at a time; what the vendors have counted so far.
    limiter: Mutex<Limiter>,
    /// Rung when a message is given up: somebody else has to be told at once.
    bell: Arc<Notify>,
    /// Beats with every round that reached the store.
    heartbeat: Heartbeat,
}

impl Notifier {
    /// Reads from the store what the vendors have counted within the last day, so that a restart does not overrun them.
    pub async fn new(store: Store, config: &NotifyConfig, keys: Keys, clock: Clock, bell: Arc<Notify>) -> Result<Self> {
        let gateways = Gateways::new(config, keys)?;
        let mut limiter = Limiter::default();
        let since = clock.now() - limits::LONGEST;
        for channel in [Channel::Sms, Channel::Voice, Channel::Wecom] {
            let mut sent = store.sent_since(channel, since).await?;
            sent.reverse();
            // Texts that went out together share their time, and nothing else does: one call, one post.
            sent.dedup_by_key(|(_, at)| *at);
            for (phone, at) in sent {
                limiter.count(channel, phone.as_deref(), at);
            }
        }
        Ok(Self { store, gateways, clock, limiter: Mutex::new(limiter), bell, heartbeat: Heartbeat::default() })
    }

    /// Silent for longer than some rounds: nobody is told.
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    /// Hands over everything that is due now. Returns the number of messages sent.
    pub async fn deliver(&self) -> Result<usize> {
        let mut limiter = self.limiter.lock().await;
        let mut sent = 0;
        loop {
            let messages = self.store.take_messages(self.clock.now(), AT_ONCE).await?;
            if messages.is_empty() {
                return Ok(sent);
            }
            sent += self.hand_over(messages, &mut limiter).await?;
            self.heartbeat.beat();
        }
    }

    /// Delivers until `shutdown`; a round that has begun is ended first.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        loop {
            match self.deliver().await {
                Ok(_) => self.heartbeat.beat(),
                Err(e) => tracing::error!(error = %e.chain(), "the outbox cannot be worked off; tried again soon"),
            }
            tokio::select! {
                () = &mut shutdown => return,
                () = self.clock.sleep(LOOKS_EVERY) => {}
            }
        }
    }

    async fn hand_over(&self, messages: Vec<Message>, limiter: &mut Limiter) -> Result<usize> {
        let mut under_way = JoinSet::new();
        for batch in batches(messages) {
            let channel = batch[0].channel;
            let Some(sender) = self.gateways.of(channel) else {
                self.by_hand(&batch).await?;
                continue;
            };
            let (now, number) = (self.clock.now(), batch[0].to.phone.clone());
            let free_at = limiter.free_at(channel, number.as_deref(), now);
            if free_at > now {
                self.wait(&batch, free_at).await?;
                continue;
            }
            limiter.count(channel, number.as_deref(), now);
            let sender: Sender = sender.clone();
            under_way.spawn(async move {
                let outcome = sender.send(&batch).await;
                (batch, outcome)
            });
        }
        let mut sent = 0;
        while let Some(joined) = under_way.join_next().await {
            let (batch, outcome) = joined.map_err(|e| Error::internal("a sender died").because(e))?;
            sent += self.settle(&batch, outcome, limiter).await?;
        }
        Ok(sent)
    }

    async fn settle(&self, batch: &[Message], outcome: Outcome, limiter: &mut Limiter) -> Result<usize> {
        let now = self.clock.now();
        match outcome {
            Outcome::Taken => {
                let sent_at = limiter.moment(now);
                for message in batch {
                    self.store.message_sent(message.id, sent_at).await?;
                }
                return Ok(batch.len());
            }
            Outcome::OverLimit { wait } => self.wait(batch, now + wait).await?,
            Outcome::Failed(why) => {
                for message in batch {
                    let next_try = (message.attempts + 1 < ATTEMPTS).then(|| now + back_off(message.attempts));
                    tracing::warn!(message.id = %message.id, incident.id = %message.incident, attempts = message.attempts + 1,
                        error = %why, given_up = next_try.is_none(), "a gateway did not take a text");
                    self.store.message_failed(message.id, &why, next_try).await?;
                    if next_try.is_none() {
                        self.bell.notify_one();
                    }
                }
            }
        }
        Ok(0)
    }

    async fn by_hand(&self, batch: &[Message]) -> Result<()> {
        let why = match batch[0].channel {
            Channel::Sms => "没有短信网关，请人工电话 / no SMS gateway: phone by hand",
            Channel::Voice => "没有语音网关，请人工电话 / no voice gateway: phone by hand",
            Channel::Wecom => "没有企业微信机器人，请人工电话 / no WeCom robot: phone by hand",
        };
        for message in batch {
            self.store.message_untried(message.id, why, None).await?;
        }
        self.bell.notify_one();
        Ok(())
    }

    async fn wait(&self, batch: &[Message], until: Timestamp) -> Result<()> {
        let clock = jiff::tz::offset(8).to_datetime(until).strftime("%H:%M:%S").to_string();
        if until.duration_since(self.clock.now()) > HELD_MAX {
            let limit = format!("{LIMIT}，{clock} 前打不通 / vendor's limit: not before {clock}");
            for message in batch {
                // What a gateway said before is the cause; the limit only ends the trying.
                let said = message.error.as_ref().filter(|it| message.attempts > 0 && !it.starts_with(LIMIT));
                let why = said.unwrap_or(&limit);
                self.store.message_failed(message.id, why, None).await?;
            }
            self.bell.notify_one();
            return Ok(());
        }
        let why = format!(
            "{LIMIT}，等到 {clock}，急事请人工电话 / vendor's limit, waits until {clock}: phone by hand if urgent"
        );
        for message in batch {
            self.store.message_untried(message.id, &why, Some(until)).await?;
        }
        Ok(())
    }
}

/// 5 s, 15 s, 45 s, 135 s, 300 s.
fn back_off(attempts: u32) -> SignedDuration {
    FIRST_WAIT.checked_mul(3_i32.saturating_pow(attempts)).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}

/// Texts to the same number on the same channel go out as one, as far as they fit: vendors count calls, not words, and
/// a person who is rung for two fires is rung once. A text longer than a whole batch goes alone.
fn batches(messages: Vec<Message>) -> Vec<Vec<Message>> {
    let mut by_number: BTreeMap<(Channel, Option<String>), Vec<Message>> = BTreeMap::new();
    for message in messages {
        // One robot serves the whole group.
        let number = message.to.phone.clone().filter(|_| message.channel != Channel::Wecom);
        by_number.entry((message.channel, number)).or_default().push(message);
    }
    let mut batches = Vec::new();
    for ((channel, _), messages) in by_number {
        let mut batch: Vec<Message> = Vec::new();
        let mut bytes = 0;
        for message in messages {
            let more = message.words.len() + "\n".len();
            if !batch.is_empty() && bytes + more > gateway::bytes_max(channel) {
                batches.push(std::mem::take(&mut batch));
                bytes = 0;
            }
            bytes += more;
            batch.push(message);
        }
        batches.push(batch);
    }
    batches
}
