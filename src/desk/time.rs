//! Acts on deadlines and on unfinished work. The desk looks when the next deadline is due, when
//! anything was committed, and every 15 s.

use super::messages::Aside;
use super::open::OpenBook;
use super::{Audited, Desk, system};
use crate::error::{Kind, Result};
use crate::store::{Filed, Message};
use crate::triage::id::{DispatchId, IncidentId};
use crate::triage::incident::{Deadline, Failed, Incident, Input};
use jiff::{SignedDuration, Timestamp};
use parking_lot::MutexGuard;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

/// Longest interval between looks at the clock, so that a clock that was set or suspended costs
/// seconds, not hours.
const LOOKS_EVERY: Duration = Duration::from_secs(15);
/// The wait after a database error.
const TRIES_AGAIN: Duration = Duration::from_secs(1);
/// A sighting recorded for longer than this and not filed was left behind by a desk that died or
/// met an error.
const LEFT_BEHIND: SignedDuration = SignedDuration::from_secs(5);
/// Back-off of a sighting that could not be filed for a reason of its own. The last wait is
/// repeated.
const TRIED_AGAIN: [SignedDuration; 4] = [
    SignedDuration::from_secs(15),
    SignedDuration::from_mins(2),
    SignedDuration::from_mins(15),
    SignedDuration::from_hours(1),
];
/// Left-behind sightings, and failed messages, handled per look.
const TAKEN_UP: u32 = 100;

impl Desk {
    /// Fires every deadline that is due, each once. Also handles messages that reached nobody and
    /// sightings left behind. Returns the number of events made. What fails for one incident is
    /// logged and tried again at the next look.
    pub async fn tick(&self) -> Result<usize> {
        let now = self.clock.now();
        self.take_up_sightings(now).await?;
        let mut fired = 0;
        for message in self.store.failed_messages(TAKEN_UP).await? {
            fired += counted(&message.incident, self.message_failed(&message).await);
        }
        let due = self.open_book().await?.due(now);
        for (filed, _) in &due {
            let incident = &filed.incident;
            // In a flood the first incident's call covers all that are due with it.
            let is_alike = |(it, what): &&(Arc<Filed>, Deadline)| {
                incident.flood.is_some()
                    && it.incident.flood == incident.flood
                    && matches!(what, Deadline::Ring(_))
            };
            let alike: Vec<&Filed> = due.iter().filter(is_alike).map(|(it, _)| &**it).collect();
            let first =
                alike.first().map(|it| it.incident.id).filter(|first| *first != incident.id);
            let codes = alike.iter().map(|it| it.code.clone()).collect();
            let name = incident.id;
            fired += counted(&name, self.fire(incident.clone(), first, codes).await);
        }
        Ok(fired)
    }

    /// Sightings that cannot be filed are retried with back-off, and block no others. The board
    /// reports them.
    async fn take_up_sightings(&self, now: Timestamp) -> Result<()> {
        for sighting in self.store.unfiled_sightings(now - LEFT_BEHIND, TAKEN_UP).await? {
            let Err(e) = self.file(std::slice::from_ref(&sighting)).await else { continue };
            tracing::error!(sighting.id = %sighting.id, error = %e.chain(), "a sighting could not \
                be filed; trying again soon");
            if e.kind == Kind::Unavailable {
                // The database failed, not the sighting: the others would fail alike.
                break;
            }
            self.store.sighting_not_filed(sighting.id, &e.chain(), now, wait_after).await?;
        }
        Ok(())
    }

    /// Keeps the deadlines until `shutdown`. It looks when the next is due, when anything was
    /// committed, and every 15 s.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut changes = self.bus.announcements();
        let mut audits = tokio::time::interval(LOOKS_EVERY);
        loop {
            let pause = match self.look().await {
                Ok(pause) => {
                    self.heartbeat.beat();
                    pause
                }
                Err(e) => {
                    tracing::error!(error = %e.chain(), "the desk cannot use its database; trying \
                        again soon");
                    TRIES_AGAIN
                }
            };
            tokio::select! {
                () = &mut shutdown => return,
                () = self.clock.sleep(pause) => {}
                () = self.woken.notified() => {}
                _ = audits.tick() => {
                    if let Err(e) = self.audit().await {
                        tracing::warn!(error = %e.chain(), "an incident could not be compared with \
                            its log");
                    }
                }
                // Lag is harmless: after any announcement the store is read.
                _ = changes.recv() => {
                    while changes.try_recv().is_ok() {}
                    self.written.notify_one();
                }
            }
        }
    }

    /// The next instant at which time alone changes something.
    pub async fn next_due(&self) -> Result<Option<Timestamp>> {
        Ok(self.open_book().await?.next_due())
    }

    /// Compares the next open incident with its log, so that the desk's memory never becomes a
    /// second truth. One that differs is reported and rebuilt.
    pub async fn audit(&self) -> Result<()> {
        let book = self.open_book().await?;
        if self.store.cursor().await? < book.cursor() {
            tracing::error!(
                "the log ends before the row that the desk has read (another database, an older \
                backup?): reading it again"
            );
            *self.book.lock().await =
                Some(Arc::new(OpenBook::read(&self.store, self.clock.now()).await?));
            return Ok(());
        }
        let Some(next) = book.after(self.audited().last) else { return Ok(()) };
        self.audited().last = Some(next);
        let log = match self.store.incident(next).await {
            Ok(log) if book.disagrees(&log) => log,
            Ok(_) => return Ok(()),
            // The log was damaged later, and the store reports it. The desk goes on with what it
            // knows: somebody is on the way.
            Err(e) if e.kind == Kind::Internal => return Ok(()),
            Err(e) => return Err(e),
        };
        tracing::error!(
            incident.code = log.code,
            "the desk's copy of an incident differs from its log: rebuilding it"
        );
        self.audited().rebuilt.insert(log.code);
        let mut kept = self.book.lock().await;
        if let Some(book) = &*kept {
            let mut rebuilt = OpenBook::clone(book);
            rebuilt.read_one(next, &self.store).await?;
            *kept = Some(Arc::new(rebuilt));
        }
        Ok(())
    }

    /// Adds open incidents that it does not know: wrong rows had hidden them at the start, and were
    /// corrected since.
    pub async fn recall(&self) -> Result<()> {
        self.open_book().await?;
        let mut kept = self.book.lock().await;
        if let Some(book) = &*kept {
            *kept = Some(Arc::new(book.recalled(&self.store).await?));
            self.woken.notify_one();
        }
        Ok(())
    }

    /// Codes of incidents that differed from their log, since the start.
    pub fn rebuilt(&self) -> Vec<String> {
        self.audited().rebuilt.iter().cloned().collect()
    }

    fn audited(&self) -> MutexGuard<'_, Audited> {
        self.audited.lock()
    }

    async fn look(&self) -> Result<Duration> {
        self.tick().await?;
        let Some(due) = self.next_due().await? else { return Ok(LOOKS_EVERY) };
        // Work that is still due could not be done: its incident cannot be read, or another desk
        // was faster.
        let wait = Duration::try_from(due.duration_since(self.clock.now()))
            .ok()
            .filter(|wait| !wait.is_zero());
        Ok(wait.unwrap_or(TRIES_AGAIN).clamp(Duration::from_millis(10), LOOKS_EVERY))
    }

    async fn fire(
        &self,
        incident: Incident,
        with: Option<IncidentId>,
        codes: Vec<String>,
    ) -> Result<usize> {
        let tick = Input::Tick { dispatch: DispatchId(self.new_id(self.clock.now())), with };
        let decided = self.decide(incident, tick, &system())?;
        let fired = decided.events.len();
        self.commit(vec![decided], None, Aside { codes, ..Aside::default() }).await?;
        Ok(fired)
    }

    async fn message_failed(&self, message: &Message) -> Result<usize> {
        let incident = self.incident(message.incident).await?.incident;
        let failed = Failed {
            message: message.id,
            role: message.to.role,
            person: message.to.person.clone(),
            channel: message.channel,
            why: message.error.clone().unwrap_or_default(),
            no_channel: message.attempts == 0 && message.to.phone.is_some(),
            no_number: message.to.phone.is_none(),
        };
        let decided = self.decide(incident, Input::MessageFailed(failed), &system())?;
        let noted = decided.events.len();
        if noted == 0 {
            self.store.set_aside(message.id).await?;
        } else {
            self.commit(vec![decided], None, Aside { failed: Some(message), ..Aside::default() })
                .await?;
        }
        Ok(noted)
    }
}

/// The back-off of a sighting after `tries` tries before.
pub(super) fn wait_after(tries: u32) -> SignedDuration {
    TRIED_AGAIN[TRIED_AGAIN.len().min(tries as usize + 1) - 1]
}

/// The number of events made for one incident; a failure is logged. Losing to another desk is no
/// failure: what is still due is found at the next look.
fn counted(incident: &IncidentId, done: Result<usize>) -> usize {
    match done {
        Ok(events) => events,
        Err(e) if e.kind == Kind::Conflict => 0,
        Err(e) => {
            tracing::error!(incident.id = %incident, error = %e.chain(), "due work on an incident \
                failed; trying again soon");
            0
        }
    }
}
