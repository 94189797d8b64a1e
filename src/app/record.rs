//! Checks the whole record when the program starts and once a day, in small steps, and the rows of
//! open incidents every minute. Once a day the head of the log leaves the machine, as a text to the
//! leader on duty.

use super::App;
use crate::base::time::county_time;
use crate::clock::Clock;
use crate::config::{Config, TellAt};
use crate::county::County;
use crate::desk::Desk;
use crate::error::Result;
use crate::lang::Lang;
use crate::notify::Notifier;
use crate::store::{Anchor, Difference, Inspected, Inspection, Kept, OpenLines, Record, Store};
use crate::triage::policy::Role;
use crate::triage::retention::Retention;
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Its name on the board.
const PART: &str = "record";
/// Interval between checks of the whole record: damage is known long before the last sound backup
/// is removed (14 days).
const WHOLE_EVERY: SignedDuration = SignedDuration::from_hours(24);
/// Wait after a check that failed (the database did not answer).
const AGAIN: SignedDuration = SignedDuration::from_mins(10);
/// Interval between checks of the rows of open incidents. A row that hides a fire, or blocks every
/// action on it, is corrected long before the shortest limit of 131, ten minutes.
const OPEN_EVERY: Duration = Duration::from_secs(60);
/// Rest after each step, as a multiple of its duration: a check takes at most a fifth of one core.
const REST: u32 = 4;
/// Shortest and longest rest between two steps, in which others get the database.
const REST_MIN: Duration = Duration::from_millis(1);
const REST_MAX: Duration = Duration::from_secs(2);
/// Corrected rows of open incidents kept on the board: enough to see what happens, in one readable
/// line.
const MENDED_MAX: usize = 5;
/// How long the day's text is tried. After that it is out of date, and the next day's covers more.
const TELL_FOR: SignedDuration = SignedDuration::from_hours(1);
/// Interval between its tries: seven tries leave the leader's number 13 of the 20 spare texts a
/// day.
const TELL_EVERY: SignedDuration = SignedDuration::from_mins(10);
/// The name of the day's text on the board.
const TEXT_PART: &str = "anchor";

pub async fn run(app: App, notifier: Arc<Notifier>) {
    let mut keeper = RecordKeeper::new(
        app.desk.clone(),
        app.store.clone(),
        app.config.retention.clone(),
        app.clock.clone(),
    );
    let mut teller = Teller::default();
    loop {
        tokio::select! {
            () = keeper.round() => {}
            () = app.stopped() => return,
        }
        let en = keeper.words(Lang::En);
        app.parts.set(PART, en.is_empty(), keeper.words(Lang::Zh), en);
        match teller
            .tell(&app.store, &notifier, &app.registers.current(), &app.config, app.clock.now())
            .await
        {
            Ok(Day::Open) => {}
            Ok(Day::Done) => drop(app.parts.set(TEXT_PART, true, "", "")),
            Ok(Day::Untold(why)) => {
                // A county may choose to have no gateway at all. The part `channels` reports that.
                let chosen =
                    why == Untold::NoGateway && !super::channels::has_gateway(&app.config.notify);
                let en = why.words(Lang::En);
                if app.parts.set(TEXT_PART, chosen, why.words(Lang::Zh), en) && !chosen {
                    tracing::warn!(part = TEXT_PART, "{en}");
                }
            }
            Err(e) => tracing::warn!(
                "the head of the log was not sent to the leader on duty: {}",
                e.chain()
            ),
        }
        if super::sleep_or_stop(&app, OPEN_EVERY).await {
            return;
        }
    }
}

/// What is known about the record, and when the next check is due.
pub struct RecordKeeper {
    desk: Arc<Desk>,
    store: Store,
    retention: Retention,
    clock: Clock,
    due: Timestamp,
    last: Option<Record>,
    open: Option<OpenLines>,
    /// Kept until the next start, because a corrected row looks sound.
    found: VecDeque<Difference>,
}

impl RecordKeeper {
    pub fn new(desk: Arc<Desk>, store: Store, retention: Retention, clock: Clock) -> Self {
        Self {
            due: clock.now(),
            desk,
            store,
            retention,
            clock,
            last: None,
            open: None,
            found: VecDeque::new(),
        }
    }

    /// Checks the whole record when that is due, and the rows of open incidents. A failure is tried
    /// again.
    pub async fn round(&mut self) {
        let now = self.clock.now();
        if now >= self.due {
            let looked = self.whole().await;
            self.due = now + if looked.is_ok() { WHOLE_EVERY } else { AGAIN };
            if let Err(e) = looked {
                tracing::warn!("the record could not be checked: {}", e.chain());
            }
        }
        self.open().await;
    }

    /// What is wrong with the record; empty when nothing was found.
    pub fn words(&self, lang: Lang) -> String {
        let mut words = self.last.as_ref().map(|it| it.faults(lang)).unwrap_or_default();
        for it in self.found.iter().map(|it| it.words(lang)) {
            if !words.contains(&it) {
                words.push(it);
            }
        }
        words.join(lang.pick("；", "; "))
    }

    async fn whole(&mut self) -> Result<()> {
        let look = Inspection {
            now: self.clock.now(),
            mend: true,
            paper: &[],
            retention: &self.retention,
        };
        let mut looking = self.store.look(&look).await?;
        let (mut began, mut looked_at, mut are_rows_over) = (Instant::now(), Instant::now(), false);
        while let Some(step) = looking.step().await? {
            self.clock.sleep((began.elapsed() * REST).clamp(REST_MIN, REST_MAX)).await;
            if step == Inspected::Picture && !are_rows_over {
                self.rows_are_over(looking.record()).await?;
                are_rows_over = true;
            }
            // Checking the pictures of several years takes half an hour.
            if looked_at.elapsed() >= OPEN_EVERY {
                self.open().await;
                looked_at = Instant::now();
            }
            began = Instant::now();
        }
        let record = looking.record().clone();
        if !are_rows_over {
            self.rows_are_over(&record).await?;
        }
        for fault in record.faults(Lang::En) {
            tracing::error!(part = PART, "{fault}");
        }
        if let Some(missing) = record.missing(Lang::En) {
            tracing::warn!(part = PART, "{missing}");
        }
        tracing::info!(part = PART, events = record.head.events, "looked through");
        self.note(record.differences.first.iter().filter(|it| it.mended).cloned().collect());
        self.last = Some(record);
        Ok(())
    }

    /// From here on the rows of open incidents are known, and hidden ones have reappeared.
    async fn rows_are_over(&mut self, record: &Record) -> Result<()> {
        self.open = Some(record.open.clone());
        if record.differences.is_none() { Ok(()) } else { self.desk.recall().await }
    }

    async fn open(&mut self) {
        let Some(open) = &mut self.open else { return };
        match self.store.mend_open(open).await {
            Ok(found) if found.is_empty() => {}
            Ok(found) => {
                self.note(found);
                if let Err(e) = self.desk.recall().await {
                    tracing::warn!("a corrected incident is not reloaded yet: {}", e.chain());
                }
            }
            Err(e) => {
                tracing::warn!("the rows of open incidents could not be checked: {}", e.chain())
            }
        }
    }

    fn note(&mut self, found: Vec<Difference>) {
        for it in found {
            if !self.found.contains(&it) {
                tracing::error!(part = PART, "{}", it.words(Lang::En));
                self.found.push_back(it);
            }
        }
        let too_many = self.found.len().saturating_sub(MENDED_MAX);
        self.found.drain(..too_many);
    }
}

/// Tells the leader on duty the head of the log.
#[derive(Default)]
pub struct Teller {
    tried_at: Option<Timestamp>,
}

/// The state of the day's text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Day {
    /// Not due, or still being tried: the board keeps the previous day's state.
    Open,
    /// Sent, or nobody wants it.
    Done,
    Untold(Untold),
}

/// Why nobody has the day's text, so that somebody may write it down by hand.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untold {
    NoGateway,
    /// No leader on duty, or none with a number.
    NoLeader,
    /// No gateway accepted it for an hour.
    NotTaken,
}

impl Untold {
    fn words(self, lang: Lang) -> &'static str {
        match self {
            Self::NoGateway => lang.pick(
                "今天的存证短信没有发出：没有短信网关。请抄下日报末尾的存证",
                "today's proof was not sent as a text: there is no SMS gateway. Write down the \
                proof at the end of the daily report",
            ),
            Self::NoLeader => lang.pick(
                "今天的存证短信没有发出：没有带班领导，或没有其号码。请看值班表和人员表",
                "today's proof was not sent as a text: no leader is on duty, or there is no \
                number. Check the rota and the register of people",
            ),
            Self::NotTaken => lang.pick(
                "今天的存证短信没有发出：网关一小时未收。请看网关，并抄下日报末尾的存证",
                "today's proof was not sent as a text: the gateway has not accepted it for an \
                hour. Check the gateway, and write down the proof at the end of the daily report",
            ),
        }
    }
}

impl Teller {
    /// Once a day, from the configured time on: records the head of the log, and tells the leader
    /// on duty. A gateway that does not accept it is tried every ten minutes for an hour. After
    /// that, or without a gateway or a leader with a number, nobody else is told instead.
    pub async fn tell(
        &mut self,
        store: &Store,
        notifier: &Notifier,
        county: &County,
        config: &Config,
        now: Timestamp,
    ) -> Result<Day> {
        let local = now.to_zoned(county_time());
        let (from, tells) = match config.record.tell_at {
            TellAt::At(time) => (time, true),
            TellAt::Off => (Time::midnight(), false),
        };
        if local.time() < from {
            return Ok(Day::Open);
        }
        let Some(Kept { anchor, at, told_at }) = store.keep_anchor(local.date(), now).await? else {
            return Ok(Day::Open);
        };
        if !tells || told_at.is_some() {
            return Ok(Day::Done);
        }
        if config.notify.sms_url.is_none() {
            return Ok(Day::Untold(Untold::NoGateway));
        }
        let leader = county.duty(Role::CountyLeader, None, now);
        let Some(phone) = leader.and_then(|it| it.phone.as_deref()) else {
            return Ok(Day::Untold(Untold::NoLeader));
        };
        if now.duration_since(at) >= TELL_FOR {
            return Ok(Day::Untold(Untold::NotTaken));
        }
        if self.tried_at.is_some_and(|tried_at| now.duration_since(tried_at) < TELL_EVERY) {
            return Ok(Day::Open);
        }
        self.tried_at = Some(now);
        let words = words(&config.notify.signature, &anchor, at);
        if !notifier.tell(phone, &words, &format!("anchor {}", local.date())).await {
            return Ok(Day::Open);
        }
        store.anchor_told(local.date(), now).await?;
        tracing::info!(%anchor, "the head of the log was sent to the leader on duty");
        Ok(Day::Done)
    }
}

/// In the county's language, like every text.
fn words(signature: &str, anchor: &Anchor, at: Timestamp) -> String {
    let at = at.to_zoned(county_time());
    format!(
        "【{signature}】{}火情记录存证：{anchor}。请保留本短信，无需回复。",
        at.strftime("%-m月%-d日%H:%M")
    )
}
