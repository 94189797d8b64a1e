//! PEOPLE'S PHONES: takes texts from the outbox and hands them to gateways, within the vendors' limits, again until taken
//! or overtaken. Whatever does not go out says so on the board, because then a person must phone.

mod batches;
mod client;
mod gateway;
mod limits;

pub use client::post_json;
pub use gateway::{Key, Keys};

use crate::clock::{Clock, Heartbeat};
use crate::config::NotifyConfig;
use crate::error::{Error, Kind, Result};
use crate::store::{Fate, Message, Status, Store};
use crate::triage::policy::Channel;
use batches::Line;
use gateway::{Gateways, Outcome};
use jiff::{SignedDuration, Timestamp};
use limits::{Limiter, Number};
use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use tokio::task::{Id, JoinError, JoinSet};

const CHANNELS: [Channel; 3] = [Channel::Voice, Channel::Sms, Channel::Wecom];
/// Batches under way on one channel. A gateway that needs 30 s for each still takes 32 a minute: more people than one fire calls.
const SEATS: usize = 16;
/// And those of them that drills, and texts which the board shows as failed, may have: half, so that a fire never waits for them.
const SPARE_SEATS: usize = SEATS / 2;
/// How often the outbox is looked into; a text waits no longer than that for its gateway.
const LOOKS_EVERY: Duration = Duration::from_secs(1);
/// A batch is borrowed for the longest hand-over and this, which is what the database may need to write its end down
/// (8 s for a connection, 10 s for a lock). So nobody else takes it up while its gateway still thinks.
const LEASE_BEYOND: SignedDuration = SignedDuration::from_secs(20);
/// First wait after a gateway did not take a text; each further one is three times as long, up to the longest.
const FIRST_WAIT: SignedDuration = SignedDuration::from_secs(5);
const LONGEST_WAIT: SignedDuration = SignedDuration::from_mins(5);
/// How words about a vendor's limit begin.
const LIMIT: &str = "供应商限额";
/// A text that a vendor's limit holds up for longer is given up, so that it goes another way at once: a phone that rings an
/// hour later helps nobody. The limits a minute are waited for.
const HELD_MAX: SignedDuration = SignedDuration::from_mins(2);
/// Then the board shows a text as not delivered and somebody else is told: after 8 minutes of waiting, 12 with a gateway that
/// never answers. It is tried on all the same while anybody waits for it.
const ATTEMPTS: u32 = 6;

/// Sends what the desk wrote.
pub struct Notifier {
    store: Store,
    gateways: Gateways,
    clock: Clock,
    lease: SignedDuration,
    /// What the vendors have counted so far; held for one look at the outbox.
    limiter: Mutex<Limiter>,
    /// Rung when a message is given up: somebody else has to be told at once.
    bell: Arc<Notify>,
    /// Beats with every look that reached the store.
    heartbeat: Heartbeat,
}

type Handed = (Vec<Message>, Outcome);

/// Batches that gateways have in hand, at most [`SEATS`] a channel, [`SPARE_SEATS`] of them spare, and one a number. Dropped, they are
/// left, and come free with their lease.
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

    /// The next answer; `None` when nothing is under way.
    async fn next(&mut self) -> Option<Result<Handed>> {
        let ended = self.sends.join_next_with_id().await?;
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        self.numbers.remove(&id);
        Some(ended.map(|(_, handed)| handed).map_err(|e| Error::internal("a sender died").because(e)))
    }
}

impl Notifier {
    /// Reads from the store what the vendors have counted within the last day, so that a restart does not overrun them.
    pub async fn new(store: Store, config: &NotifyConfig, keys: Keys, clock: Clock, bell: Arc<Notify>) -> Result<Self> {
        let gateways = Gateways::new(config, keys)?;
        let mut limiter = Limiter::default();
        let since = clock.now() - limits::LONGEST;
        for channel in CHANNELS {
            for tried in store.tried_since(channel, since).await? {
                limiter.count(&limits::number(channel, tried.phone.as_deref()), tried.drill, tried.at);
            }
        }
        let (limiter, lease) = (Mutex::new(limiter), config.answer_within + LEASE_BEYOND);
        Ok(Self { store, gateways, clock, lease, limiter, bell, heartbeat: Heartbeat::default() })
    }

    /// Silent for longer than some looks: nobody is told.
    pub fn heartbeat(&self) -> Heartbeat {
        self.heartbeat.clone()
    }

    /// Hands over everything that is due now, and waits for what becomes of it. Returns the number of messages sent.
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

    /// Delivers until `shutdown`; what gateways have in hand then is waited for.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut under_way = UnderWay::default();
        loop {
            let looked = self.hand_out(&mut *self.limiter.lock().await, &mut under_way).await;
            match looked {
                Ok(_) => self.heartbeat.beat(),
                Err(e) => tracing::error!(error = %e.chain(), "the outbox cannot be worked off; tried again soon"),
            }
            tokio::select! {
                // An answer that comes with the stop hands nothing more out.
                biased;
                () = &mut shutdown => break,
                Some(handed) = under_way.next() => self.settled(handed).await,
                () = self.clock.sleep(LOOKS_EVERY) => {}
            }
        }
        while let Some(handed) = under_way.next().await {
            self.settled(handed).await;
        }
    }

    /// What cannot be written down comes free with its lease, and goes out again under the same key.
    async fn settled(&self, handed: Result<Handed>) {
        let done = match handed {
            Ok(handed) => self.settle(handed).await.map(drop),
            Err(e) => Err(e),
        };
        if let Err(e) = done {
            tracing::error!(error = %e.chain(), "what became of a text is not known; it goes out again as it was");
        }
    }

    /// Gives gateways what is due and has a seat; waits for none of them. Returns the number of messages that moved.
    async fn hand_out(&self, limiter: &mut Limiter, under_way: &mut UnderWay) -> Result<usize> {
        let mut moved = 0;
        for channel in CHANNELS {
            for line in batches::lines(self.store.due_messages(channel, self.clock.now()).await?) {
                moved += self.hand_over(line, limiter, under_way).await?;
            }
        }
        Ok(moved)
    }

    /// Hands over one text that belongs to no incident, within the share of the vendor's limits that drills have. True when the gateway
    /// has taken it; without one, or where a limit forbids it now, nothing is handed over. `key`: the same text has the same.
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
                tracing::warn!(key, "a gateway did not take a text: {why}");
                false
            }
        }
    }

    async fn hand_over(&self, line: Line, limiter: &mut Limiter, under_way: &mut UnderWay) -> Result<usize> {
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
            let outcome = sender.send(&batch).await;
            (batch, outcome)
        });
        under_way.numbers.insert(send.id(), (line.number, spare));
        Ok(moved)
    }

    /// Within the first tries always; later while anybody waits for one of them. What cannot be read is sent.
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
            Outcome::OverLimit { wait } => (wait, wait > HELD_MAX, limit_words(now + wait, wait > HELD_MAX)),
            Outcome::Failed(why) => (back_off(attempts), false, why),
        };
        // What the board shows as failed stays so until it is taken, however it came there.
        let was_given_up = batch[0].status == Status::Failed;
        let given_up = was_given_up || is_long || attempts >= ATTEMPTS;
        let fate = match given_up {
            true => Fate::Failed(Some(now + wait.max(LONGEST_WAIT))),
            false => Fate::Queued(now + wait),
        };
        for message in &batch {
            tracing::warn!(message.id = %message.id, incident.id = %message.incident, attempts, error = %why, given_up,
                "a gateway did not take a text");
        }
        self.store.message_failed(batch[0].id, &why, fate).await?;
        if given_up && !was_given_up {
            self.bell.notify_one();
        }
        Ok(0)
    }

    async fn by_hand(&self, messages: &[Message]) -> Result<()> {
        let why = match messages[0].channel {
            Channel::Sms => "没有短信网关，请人工电话 / no SMS gateway: phone by hand",
            Channel::Voice => "没有语音网关，请人工电话 / no voice gateway: phone by hand",
            Channel::Wecom => "没有企业微信机器人，请人工电话 / no WeCom robot: phone by hand",
        };
        for message in messages {
            self.store.message_untried(message.id, why, None).await?;
        }
        self.bell.notify_one();
        Ok(())
    }

    /// A vendor's limit: a while is waited, longer is another way's turn. What the board shows as failed keeps its cause.
    async fn hold(&self, messages: &[Message], until: Timestamp) -> Result<()> {
        let now = self.clock.now();
        let mut held = HashSet::new();
        // A batch is one.
        for message in messages.iter().filter(|it| held.insert(it.batch.unwrap_or(it.id))) {
            // What was never handed over may not be held again and again either.
            let since = if message.attempts == 0 { message.created_at } else { now };
            let is_long = until.duration_since(since) > HELD_MAX;
            let limit = limit_words(until, is_long);
            let said = message.error.as_deref().filter(|it| message.attempts > 0 && !it.starts_with(LIMIT));
            if message.status == Status::Failed {
                self.store.message_untried(message.id, said.unwrap_or(LIMIT), Some(until)).await?;
            } else if is_long {
                // What a gateway did not take may be taken then; what it was never asked for goes another way for good.
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

/// What the board says of a text that a vendor's limit holds.
fn limit_words(until: Timestamp, is_long: bool) -> String {
    let clock = jiff::tz::offset(8).to_datetime(until).strftime("%H:%M:%S");
    match is_long {
        true => format!("{LIMIT}，{clock} 前打不通 / vendor's limit: not before {clock}"),
        false => {
            format!(
                "{LIMIT}，等到 {clock}，急事请人工电话 / vendor's limit, waits until {clock}: phone by hand if urgent"
            )
        }
    }
}

/// Wait after the first, second … attempt: 5 s, 15 s, 45 s, 135 s, 300 s.
fn back_off(attempts: u32) -> SignedDuration {
    FIRST_WAIT.checked_mul(3_i32.saturating_pow(attempts - 1)).unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
}
