//! 值班台: load → decide (pure) → commit → announce. The only place that changes an incident.

mod file;
mod listen;
mod messages;
mod open;
mod refusal;
mod registry;
mod signing;
mod sort;
mod time;
mod wording;

use crate::bus::{Announcement, Bus};
use crate::clock::{Clock, Heartbeat};
use crate::county::{County, Registers};
use crate::error::{Error, Kind, Result};
use crate::lang::Words;
use crate::store::{Commit, Filed, Store};
use crate::triage::event::{Actor, Hint, Place, Recorded};
use crate::triage::geo::Fix;
use crate::triage::id::{IncidentId, PersonId};
use crate::triage::incident::{By, Incident, Input, Office};
use crate::triage::policy::{Policy, Role};
use crate::triage::sighting::Sighting;
use jiff::Timestamp;
use messages::Aside;
pub use open::{ENDED_FOR, OpenBook};
use refusal::refused;
pub use registry::{Import, Registry};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use uuid::{ContextV7, Uuid};

/// How often a decision that lost to a faster one is repeated. Losing five times in a row means an
/// error.
const ATTEMPTS: u32 = 5;
/// The first wait after somebody was faster; each next one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(10);
pub use sort::Sort;

pub struct Desk {
    store: Store,
    bus: Bus,
    registers: Registers,
    policy: Policy,
    /// The 【…】 before every text.
    signature: String,
    clock: Clock,
    book: Mutex<Option<Arc<OpenBook>>>,
    audited: parking_lot::Mutex<Audited>,
    /// Sightings are filed one at a time, so that the second of one fire sees the incident of the
    /// first.
    filing: Mutex<()>,
    woken: Arc<Notify>,
    /// Notified when messages may have been written.
    written: Arc<Notify>,
    ids: std::sync::Mutex<ContextV7>,
    /// Updated by every look that reached the store.
    heartbeat: Heartbeat,
}

#[derive(Default)]
struct Audited {
    /// The open incident that was last compared with its log.
    last: Option<IncidentId>,
    /// Codes of incidents that differed from their log.
    rebuilt: BTreeSet<String>,
}

/// The decision about one incident.
struct Decided {
    incident: Incident,
    events: Vec<Recorded>,
}

impl Desk {
    pub fn new(
        store: Store,
        bus: Bus,
        registers: Registers,
        policy: Policy,
        signature: impl Into<String>,
        clock: Clock,
    ) -> Self {
        Self {
            store,
            bus,
            registers,
            policy,
            signature: signature.into(),
            clock,
            book: Mutex::default(),
            audited: parking_lot::Mutex::default(),
            filing: Mutex::default(),
            woken: Arc::default(),
            written: Arc::default(),
            ids: std::sync::Mutex::new(ContextV7::new()),
            heartbeat: Heartbeat::default(),
        }
    }

    /// A UUIDv7 by the desk's clock. Ids within one millisecond increase, too, so sorting by id
    /// gives the order of opening.
    fn new_id(&self, now: Timestamp) -> Uuid {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(&self.ids, seconds, nanoseconds))
    }

    /// Notified when a message has failed: the bus does not announce that.
    pub fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.woken)
    }

    /// Notified at every commit, of this process and of others: messages are written with them.
    pub fn outbox(&self) -> Arc<Notify> {
        Arc::clone(&self.written)
    }

    /// A heartbeat that stops for longer than a few looks means that deadlines are not kept.
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.heartbeat
    }

    /// The open incidents as of the end of the log.
    pub async fn open_book(&self) -> Result<Arc<OpenBook>> {
        self.open_book_at(u64::MAX).await
    }

    /// The open incidents as of `cursor` or later. The store is read only if the book is older.
    pub async fn open_book_at(&self, cursor: u64) -> Result<Arc<OpenBook>> {
        let mut kept = self.book.lock().await;
        let next = match &*kept {
            Some(book) if book.cursor() >= cursor => return Ok(Arc::clone(book)),
            Some(book) => match book.continued(&self.store, self.clock.now()).await? {
                Some(next) => next,
                None => return Ok(Arc::clone(book)),
            },
            None => OpenBook::read(&self.store, self.clock.now()).await?,
        };
        let next = Arc::new(next);
        *kept = Some(Arc::clone(&next));
        Ok(next)
    }

    /// An incident in its present state. For an open one the log need not be read.
    ///
    /// # Errors
    /// As [`Store::incident`].
    pub async fn incident(&self, incident: IncidentId) -> Result<Filed> {
        match self.open_book().await?.find(incident) {
            Some(filed) => Ok(Filed::clone(filed)),
            None => self.store.incident(incident).await,
        }
    }

    /// The rules in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes in evidence: it joins the open incident it belongs to, or opens one. A repeated
    /// sighting counts once. After an error past the recording, `tick` files it later.
    pub async fn sighting(&self, sighting: Sighting) -> Result<IncidentId> {
        self.sightings(vec![sighting]).await
    }

    /// Takes in evidence that belongs together (the pixels of one pass at one place), and judges it
    /// together. `sightings` is not empty.
    pub async fn sightings(&self, sightings: Vec<Sighting>) -> Result<IncidentId> {
        self.store.record_sightings(&sightings, self.clock.now()).await?;
        self.file(&sightings).await
    }

    /// Takes in a person's step and returns the incident's new state. Repeating the same action
    /// changes nothing.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for somebody else's dispatch; `Invalid` when something is missing;
    /// `Conflict` when the incident's state does not allow it. In both languages.
    pub async fn act(&self, incident: IncidentId, input: Input, by: &By) -> Result<Filed> {
        if let Input::Dispatch { ranger, .. } = &input
            && self.registers.current().person(ranger).is_none()
        {
            return Err(Error::invalid(Words::new(
                format!("名册里没有 {ranger}"),
                format!("the register of people has nobody with the id {ranger}"),
            )));
        }
        for attempt in 0..ATTEMPTS {
            let Filed { code, opened_seq, incident } = self.incident(incident).await?;
            let decided = self.decide(incident, input.clone(), by)?;
            let incident = decided.incident.clone();
            let mut all = vec![decided];
            if let Input::Close { closure } = &input {
                for led in &incident.merged {
                    let led = self.incident(led.other).await?.incident;
                    if led.closed_at.is_none() {
                        all.push(self.decide(
                            led,
                            Input::Close { closure: closure.clone() },
                            &unnamed(by),
                        )?);
                    }
                }
            }
            match self.commit(all, None, Aside::default()).await {
                Err(e) if e.kind == Kind::Conflict => leave_room(attempt).await,
                done => return done.map(|()| Filed { code, opened_seq, incident }),
            }
        }
        Err(too_slow())
    }

    /// Lets triage decide, with the registers in force.
    fn decide(&self, incident: Incident, input: Input, by: &By) -> Result<Decided> {
        let (now, county) = (self.clock.now(), self.registers.current());
        self.with_office(&county, now, |office| {
            let (incident, events) = incident.handle(input, by, office, now).map_err(refused)?;
            Ok(Decided { incident, events })
        })
    }

    fn with_office<T>(
        &self,
        county: &County,
        now: Timestamp,
        ask: impl FnOnce(&Office<'_>) -> T,
    ) -> T {
        let place = |fix: &Fix, hints: &[Hint]| county.place(fix, hints, now);
        let holder = |role: Role, place: &Place, ranger: Option<&PersonId>| {
            county.recipients(&[role], place, ranger, now).first().map(|it| it.person.clone())
        };
        ask(&Office { policy: &self.policy, place: &place, holder: &holder })
    }

    /// Commits events and messages together, then announces. The announcement is a hint, so its
    /// failure loses nothing.
    async fn commit(
        &self,
        decided: Vec<Decided>,
        last_opened: Option<u64>,
        aside: Aside<'_>,
    ) -> Result<()> {
        let decided: Vec<Decided> =
            decided.into_iter().filter(|it| !it.events.is_empty()).collect();
        if decided.is_empty() {
            return Ok(());
        }
        let county = self.registers.current();
        let compose = |codes: &[String]| {
            let of = |(it, code): (&Decided, &String)| {
                messages::compose(code, &self.signature, &it.incident, &it.events, &county, &aside)
            };
            decided.iter().zip(codes).map(of).collect()
        };
        let commits: Vec<Commit<'_>> = decided
            .iter()
            .map(|it| Commit {
                incident: &it.incident,
                events: &it.events,
                last_opened: last_opened.filter(|_| it.incident.version == it.events.len() as u64),
            })
            .collect();
        let committed = self.store.commit_all(&commits, compose).await?;
        self.written.notify_one();
        for (it, done) in decided.iter().zip(&committed) {
            tracing::info!(incident.id = %it.incident.id, incident.code = %done.code, incident.state = ?it.incident.state,
                events = it.events.len(), "the desk decided");
            if let Err(e) = self
                .bus
                .announce(Announcement { cursor: done.cursor, incident: it.incident.id })
                .await
            {
                tracing::warn!(error = %e.chain(), "cannot send an announcement on the bus; \
                    readers will find the change by its cursor");
            }
        }
        Ok(())
    }
}

fn system() -> By {
    By { actor: Actor::System, action: None, happened_at: None }
}

/// The same person without the action's id, which stays with the incident it was meant for.
fn unnamed(by: &By) -> By {
    By { action: None, ..by.clone() }
}

/// Lets the faster one go on: deadlines that have passed while the program was down are dealt with
/// in a row, each in a commit of its own. Real time also where a simulation has its own.
async fn leave_room(attempt: u32) {
    Clock::System.sleep(FIRST_WAIT * 2u32.pow(attempt)).await;
}

fn too_slow() -> Error {
    Error::new(
        Kind::Conflict,
        Words::new(
            "别人正在处理这起火情，请刷新后再试",
            "somebody else is changing this incident: reload and try again",
        ),
    )
}
