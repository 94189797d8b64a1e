//! PEOPLE'S PHONES: takes texts from the outbox and hands them to gateways, within the vendors'
//! limits. A text is retried until it is accepted or no longer needed. The board shows what did not
//! go out, because a person must then phone.

mod batches;
mod channel;
mod client;
mod limits;
mod webhook;

pub use channel::{Key, Keys};
pub use client::post_json;
pub use webhook::{Round, Webhook, sign};

use crate::base::time::COUNTY;
use crate::clock::{Clock, Heartbeat};
use crate::config::NotifyConfig;
use crate::error::{Error, Kind, Result};
use crate::store::{Fate, Message, Status, Store};
use crate::triage::policy::Channel;
use batches::Line;
use channel::{Gateways, Outcome, Sender};
use jiff::{SignedDuration, Timestamp};
use limits::{Limiter, Number};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::task::{Id, JoinError, JoinSet};

const CHANNELS: [Channel; 3] = [Channel::Voice, Channel::Sms, Channel::Wecom];
/// Batches under way on one channel. A gateway that takes 30 s for each still handles 32 a minute:
/// more people than one fire calls.
const SEATS: usize = 16;
/// The share of them for drills, and for texts that the board shows as failed: half, so that a fire
/// never waits for them.
const SPARE_SEATS: usize = SEATS / 2;
/// How often the outbox is polled while something in it is due or nobody says what is written. A
/// text waits no longer than this for its gateway.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// The same while nothing is due and the desk says what it writes: what another process wrote and
/// did not live to send waits so long.
const LOOKS_QUIETLY_EVERY: Duration = Duration::from_secs(15);
/// Pause before a look at what was just written: a flood commits many at once.
const SETTLES: Duration = Duration::from_millis(100);
/// A batch is leased for the longest hand-over plus this. The database may need it to record the
/// result (8 s for a connection, 10 s for a lock). So no other sender takes the batch while its
/// gateway is still answering.
const LEASE_BEYOND: SignedDuration = SignedDuration::from_secs(20);
/// Wait after a gateway's first refusal. Each further wait is three times as long, up to the
/// longest.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// The first words of a message about a vendor's limit.
const LIMIT: &str = "供应商限额";
/// A text that a vendor's limit would hold longer is given up, so that it goes another way at once:
/// a call an hour later helps nobody. Limits per minute are waited for.
const HELD_MAX: SignedDuration = SignedDuration::from_mins(2);
/// After this number of attempts the board shows a text as not delivered, and somebody else is
/// told: after 8 minutes of waiting, or 12 with a gateway that never answers. It is still retried
/// while anybody waits for it.
const ATTEMPTS: u32 = 6;

/// Sends the messages that the desk wrote.
pub struct Notifier {
    store: Store,
    gateways: Gateways,
    clock: Clock,
    lease: SignedDuration,
    /// What the vendors have counted so far. Locked during one look at the outbox.
    limiter: Mutex<Limiter>,
    /// Notified when a message is given up: somebody else must be told at once.
    bell: Arc<Notify>,
    /// Notified when anything may have been written into the outbox. `None`: it is polled.
    written: Option<Arc<Notify>>,
    /// Updated by every look that reached the store.
    heartbeat: Heartbeat,
}

type Handed = (Vec<Message>, Outcome);

/// Batches that gateways are handling: at most [`SEATS`] a channel, [`SPARE_SEATS`] of them spare,
/// and one a number. When dropped, they are abandoned, and become free with their lease.
#[derive(Default)]
struct UnderWay {
    sends: JoinSet<Handed>,
    numbers: HashMap<Id, (Number, bool)>,
}

impl UnderWay {
    fn has_room(&self, number: &Number, spare: bool) -> bool {
        let seats = || self.numbers.values().filter(|(it, _)| it.0 == number.0);
        seats().count() < SEATS
            && (!spare || seats().filter(|(_, spare)| *spare).count() < SPARE_SEATS)
            && seats().all(|(it, _)| it != number)
    }

    /// The next result; `None` when nothing is under way.
    async fn next(&mut self) -> Option<Result<Handed>> {
        let ended = self.sends.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        self.numbers.remove(&id);
        Some(
            ended
                .map(|(_, handed)| handed)
                .map_err(|e| Error::internal("a sender died").because(e)),
        )
    }
}

impl Notifier {
    /// Reads from the store what the vendors have counted within the last day, so that a restart
    /// does not exceed their limits.
    pub async fn new(
        store: Store,
        config: &NotifyConfig,
        keys: Keys,
        clock: Clock,
        bell: Arc<Notify>,
    ) -> Result<Self> {
        let gateways = Gateways::new(config, keys)?;
        let mut limiter = Limiter::default();
        let since = clock.now() - channel::LONGEST;
        for channel in CHANNELS {
            for tried in store.tried_since(channel, since).await? {
                limiter.count(
                    &limits::number(channel, tried.phone.as_deref()),
                    tried.drill,
                    tried.at,
                );
            }
        }
        let (limiter, lease) = (Mutex::new(limiter), config.answer_within + LEASE_BEYOND);
        let (written, heartbeat) = (None, Heartbeat::default());
        Ok(Self { store, gateways, clock, lease, limiter, bell, written, heartbeat })
    }

    /// Looks at the outbox when this says that something was written: a quiet county then costs its
    /// database nothing.
    #[must_use]
    pub fn told_by(mut self, written: Arc<Notify>) -> Self {
        self.written = Some(written);
        self
    }

    /// A heartbeat that stops for longer than a few looks means that nobody is told.
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    /// Hands over everything that is due now, and waits for the results. Returns the number of
    /// messages sent.
    pub async fn deliver(&self) -> Result<usize> {
        let mut limiter = self.limiter.lock().await;
        let (mut under_way, mut sent) = (UnderWay::default(), 0);
        loop {
            let moved = self.hand_out(&mut limiter, &mut under_way).await?;
            match under_way.next().await {
                Some(handed) => sent += self.settle(handed?).await?,
                None if moved == 0 => return Ok(sent),
                None => {}
            }
        }
    }

    /// Delivers until `shutdown`, and then waits for the batches under way.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut under_way = UnderWay::default();
        loop {
            let looked = self.hand_out(&mut *self.limiter.lock().await, &mut under_way).await;
            match looked {
                Ok(_) => self.heartbeat.beat(),
                Err(e) => tracing::error!(error = %e.chain(), "cannot process the outbox; trying \
                    again soon"),
            }
            tokio::select! {
                // The stop is checked first: an answer that arrives with it must not start another
                // batch.
                biased;
                () = &mut shutdown => break,
                Some(handed) = under_way.next() => self.settled(handed).await,
                () = self.something_to_do() => {}
            }
        }
        while let Some(handed) = under_way.next().await {
            self.settled(handed).await;
        }
    }

    async fn something_to_do(&self) {
        let Some(written) = &self.written else { return self.clock.sleep(LOOKS_EVERY).await };
        let due = match self.store.next_message_due().await {
            Ok(Some(due)) => Duration::try_from(due.duration_since(self.clock.now()))
                .unwrap_or_default()
                .clamp(LOOKS_EVERY, LOOKS_QUIETLY_EVERY),
            Ok(None) => LOOKS_QUIETLY_EVERY,
            Err(_) => LOOKS_EVERY,
        };
        tokio::select! {
            () = self.clock.sleep(due) => {}
            () = written.notified() => self.clock.sleep(SETTLES).await,
        }
    }

    /// A result that cannot be stored leaves the batch to its lease. It goes out again under the
    /// same key.
    async fn settled(&self, handed: Result<Handed>) {
        let done = match handed {
            Ok(handed) => self.settle(handed).await.map(drop),
            Err(e) => Err(e),
        };
        if let Err(e) = done {
            tracing::error!(error = %e.chain(), "cannot store the result of a delivery; the text \
                will be sent again under the same key");
        }
    }

    /// Hands out what is due and has a seat, without waiting for the gateways. Returns the number
    /// of messages that changed state.
    async fn hand_out(&self, limiter: &mut Limiter, under_way: &mut UnderWay) -> Result<usize> {
        let mut moved = 0;
        for channel in CHANNELS {
            for line in batches::lines(self.store.due_messages(channel, self.clock.now()).await?) {
                moved += self.hand_over(line, limiter, under_way).await?;
            }
        }
        Ok(moved)
    }

    /// Hands over one text that belongs to no incident, within the share of the vendor's limits
    /// that drills have. True when the gateway has accepted it. Without a gateway, or at a limit,
    /// nothing is handed over. `key`: the idempotency key of this text.
    pub async fn tell(&self, phone: &str, words: &str, key: &str) -> bool {
        let Some(sender) = self.gateways.of(Channel::Sms) else { return false };
        let number = limits::number(Channel::Sms, Some(phone));
        {
            let (mut limiter, now) = (self.limiter.lock().await, self.clock.now());
            if limiter.free_at(&number, true, now) > now {
                return false;
            }
            limiter.count(&number, true, now);
        }
        match sender.post(&[phone], words, key).await {
            Outcome::Taken => true,
            Outcome::OverLimit { .. } => false,
            Outcome::Failed(why) => {
                tracing::warn!(key, "a gateway did not accept a text: {why}");
                false
            }
        }
    }

    async fn hand_over(
        &self,
        line: Line,
        limiter: &mut Limiter,
        under_way: &mut UnderWay,
    ) -> Result<usize> {
        let Some(sender) = self.gateways.of(line.number.0) else {
            self.by_hand(&line.messages).await?;
            return Ok(line.messages.len());
        };
        let batch = line.first();
        let spare = line.drill || batch[0].status == Status::Failed;
        if !under_way.has_room(&line.number, spare) {
            return Ok(0);
        }
        if !self.is_awaited(&batch).await? {
            self.store.message_over(batch[0].id).await?;
            return Ok(batch.len());
        }
        let now = self.clock.now();
        let free_at = limiter.free_at(&line.number, spare, now);
        if free_at > now {
            self.hold(&line.messages, free_at).await?;
            return Ok(line.messages.len());
        }
        let batch = self.store.borrow(&batch, now, now + self.lease).await?;
        if batch.is_empty() {
            return Ok(0);
        }
        limiter.count(&line.number, spare, now);
        let (sender, moved) = (sender.clone(), batch.len());
        let send = under_way.sends.spawn(async move {
            let outcome = send(&sender, &batch).await;
            (batch, outcome)
        });
        under_way.numbers.insert(send.id(), (line.number, spare));
        Ok(moved)
    }

    /// Always true within the first attempts; later, while anybody waits for one of the messages. A
    /// message whose incident cannot be read is sent.
    async fn is_awaited(&self, batch: &[&Message]) -> Result<bool> {
        for message in batch {
            if message.status == Status::Queued {
                return Ok(true);
            }
            let filed = match self.store.incident(message.incident).await {
                Ok(filed) => filed,
                Err(e) if e.kind == Kind::Internal => return Ok(true),
                Err(e) => return Err(e),
            };
            let all = self.store.messages_of(message.incident).await?;
            if batches::is_awaited(message, &filed.incident, &all) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the number of messages sent.
    async fn settle(&self, (batch, outcome): Handed) -> Result<usize> {
        let (now, attempts) = (self.clock.now(), batch[0].attempts + 1);
        let (wait, is_long, why) = match outcome {
            Outcome::Taken => {
                self.store.message_sent(batch[0].id, now).await?;
                return Ok(batch.len());
            }
            Outcome::OverLimit { wait } => {
                (wait, wait > HELD_MAX, limit_words(now + wait, wait > HELD_MAX))
            }
            Outcome::Failed(why) => (back_off(attempts), false, why),
        };
        // A message that the board shows as failed stays so until it is accepted, whatever made it
        // fail.
        let was_given_up = batch[0].status == Status::Failed;
        let given_up = was_given_up || is_long || attempts >= ATTEMPTS;
        let fate = match given_up {
            true => Fate::Failed(Some(now + wait.max(LONGEST_WAIT))),
            false => Fate::Queued(now + wait),
        };
        for message in &batch {
            tracing::warn!(message.id = %message.id, incident.id = %message.incident, attempts, error = %why, given_up,
                "a gateway did not accept a text");
        }
        self.store.message_failed(batch[0].id, &why, fate).await?;
        if given_up && !was_given_up {
            self.bell.notify_one();
        }
        Ok(0)
    }

    async fn by_hand(&self, messages: &[Message]) -> Result<()> {
        let why = channel::by_hand(messages[0].channel);
        for message in messages {
            self.store.message_untried(message.id, why, None).await?;
        }
        self.bell.notify_one();
        Ok(())
    }

    /// Applies a vendor's limit: a short one is waited for, a long one sends the text another way.
    /// A message that the board shows as failed keeps its cause.
    async fn hold(&self, messages: &[Message], until: Timestamp) -> Result<()> {
        let now = self.clock.now();
        let mut held = HashSet::new();
        // A batch counts once.
        for message in messages.iter().filter(|it| held.insert(it.batch.unwrap_or(it.id))) {
            // A message that was never handed over must not be held again and again, so its wait
            // counts from its creation.
            let since = if message.attempts == 0 { message.created_at } else { now };
            let is_long = until.duration_since(since) > HELD_MAX;
            let limit = limit_words(until, is_long);
            let said = message
                .error
                .as_deref()
                .filter(|it| message.attempts > 0 && !it.starts_with(LIMIT));
            if message.status == Status::Failed {
                self.store.message_untried(message.id, said.unwrap_or(LIMIT), Some(until)).await?;
            } else if is_long {
                // A message that a gateway refused may be accepted later. One that was never handed
                // over goes another way for good.
                let fate = Fate::Failed(Some(until).filter(|_| message.attempts > 0));
                self.store.message_failed(message.id, said.unwrap_or(&limit), fate).await?;
                self.bell.notify_one();
            } else {
                self.store.message_untried(message.id, &limit, Some(until)).await?;
            }
        }
        Ok(())
    }
}

/// Hands over the texts to one number (or group) as one, under the key that the batch keeps.
/// `batch` is not empty.
async fn send(sender: &Sender, batch: &[Message]) -> Outcome {
    let phones: BTreeSet<&str> =
        batch.iter().filter_map(|message| message.to.phone.as_deref()).collect();
    let phones: Vec<&str> = phones.into_iter().collect();
    let key = batch[0].batch.unwrap_or(batch[0].id);
    sender.post(&phones, &batches::text(batch.iter()), &key.to_string()).await
}

/// What the board says about a text held by a vendor's limit.
fn limit_words(until: Timestamp, is_long: bool) -> String {
    let clock = COUNTY.to_datetime(until).strftime("%H:%M:%S");
    match is_long {
        true => {
            format!("{LIMIT}，{clock} 前打不通 / vendor's limit: cannot be sent before {clock}")
        }
        false => {
            format!(
                "{LIMIT}，等到 {clock}，急事请人工电话 / vendor's limit: waits until {clock}; \
                phone if it is urgent"
            )
        }
    }
}

/// Wait after the first, second … attempt: 5 s, 15 s, 45 s, 135 s, 300 s.
fn back_off(attempts: u32) -> SignedDuration {
    FIRST_WAIT
        .checked_mul(3_i32.saturating_pow(attempts - 1))
        .unwrap_or(LONGEST_WAIT)
        .min(LONGEST_WAIT)
}
