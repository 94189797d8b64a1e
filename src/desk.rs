//! 值班台: load → decide (pure) → commit → announce. The only place that changes an incident.

mod file;
mod messages;
mod open;
mod refusal;
mod sort;
mod wording;

use crate::bus::{Announcement, Bus};
use crate::clock::{Clock, Heartbeat};
use crate::county::{County, Registers};
use crate::error::{Error, Kind, Result};
use crate::store::{Commit, Filed, Message, Store};
use crate::triage::event::{Actor, Hint, Place, Recorded};
use crate::triage::geo::Fix;
use crate::triage::id::{DispatchId, IncidentId, PersonId};
use crate::triage::incident::{By, Deadline, Failed, Incident, Input, Office};
use crate::triage::policy::{Policy, Role};
use crate::triage::sighting::Sighting;
use jiff::{SignedDuration, Timestamp};
use messages::Aside;
use open::OpenBook;
use refusal::refused;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Notify};
use uuid::{ContextV7, Uuid};

/// How often a decision that lost to a faster one is made anew; losing five times in a row means something is wrong.
const ATTEMPTS: usize = 5;
/// How often the desk looks at the clock at least, so that a stepped or suspended clock costs seconds, not hours.
const LOOKS_EVERY: Duration = Duration::from_secs(15);
/// And after an error of the database so soon again.
const TRIES_AGAIN: Duration = Duration::from_secs(1);
/// After this time a sighting that is recorded but not filed was left behind by a desk that died or met an error.
const LEFT_BEHIND: SignedDuration = SignedDuration::from_secs(5);
/// Left-behind sightings, and failed messages, taken up at one look.
const TAKEN_UP: u32 = 100;

pub use sort::Sort;

pub struct Desk {
    store: Store,
    bus: Bus,
    registers: Registers,
    policy: Policy,
    /// 【…】 before every text.
    signature: String,
    clock: Clock,
    /// Sightings are filed one after the other: the second of one fire sees the incident of the first.
    open: Mutex<OpenBook>,
    woken: Arc<Notify>,
    ids: std::sync::Mutex<ContextV7>,
    /// Beats with every look that reached the store.
    heartbeat: Heartbeat,
}

/// What was decided about one incident.
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
        let (open, woken) = (Mutex::default(), Arc::default());
        let ids = std::sync::Mutex::new(ContextV7::new());
        Self {
            store,
            bus,
            registers,
            policy,
            signature: signature.into(),
            clock,
            open,
            woken,
            ids,
            heartbeat: Heartbeat::default(),
        }
    }

    /// UUIDv7 of the desk's clock. Ids of one millisecond rise too, so that what is sorted by id is in the order of its opening.
    fn new_id(&self, now: Timestamp) -> Uuid {
        let seconds = u64::try_from(now.as_second()).unwrap_or_default();
        let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
        Uuid::new_v7(uuid::Timestamp::from_unix(&self.ids, seconds, nanoseconds))
    }

    /// Rung when a message has failed: nobody announces that on the bus.
    pub fn bell(&self) -> Arc<Notify> {
        Arc::clone(&self.woken)
    }

    /// Silent for longer than some looks: deadlines are not kept.
    pub fn heartbeat(&self) -> &Heartbeat {
        &self.heartbeat
    }

    /// The rules in force.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Takes evidence in: it joins the open incident it belongs to, or opens one. The same sighting twice is one.
    /// On an error after it was written down, `tick` files it later.
    pub async fn sighting(&self, sighting: Sighting) -> Result<IncidentId> {
        self.sightings(vec![sighting]).await
    }

    /// Takes evidence in that belongs together (the pixels of one pass at one place): judged at once, by all of it. `sightings` is not empty.
    pub async fn sightings(&self, sightings: Vec<Sighting>) -> Result<IncidentId> {
        self.store.record_sightings(&sightings, self.clock.now()).await?;
        self.file(&sightings).await
    }

    /// Takes a person's step in and answers with the incident as it is then. A repeat of the same action changes nothing.
    ///
    /// # Errors
    /// `NotFound`; `Forbidden` for somebody else's dispatch; `Invalid` when something is missing; `Conflict` when the
    /// incident's state does not allow it. In both languages.
    pub async fn act(&self, incident: IncidentId, input: Input, by: &By) -> Result<Filed> {
        if let Input::Dispatch { ranger, .. } = &input
            && self.registers.current().person(ranger).is_none()
        {
            return Err(Error::invalid(format!(
                "名册里没有 {ranger} / nobody called {ranger} is in the register of people"
            )));
        }
        for _ in 0..ATTEMPTS {
            let Filed { code, opened_seq, incident } = self.store.incident(incident).await?;
            let decided = self.decide(incident, input.clone(), by)?;
            let incident = decided.incident.clone();
            let mut all = vec![decided];
            if let Input::Close { closure } = &input {
                for led in &incident.merged {
                    let led = self.store.incident(led.other).await?.incident;
                    if led.closed_at.is_none() {
                        all.push(self.decide(led, Input::Close { closure: closure.clone() }, &unnamed(by))?);
                    }
                }
            }
            match self.commit(all, None, Aside::default()).await {
                Err(e) if e.kind == Kind::Conflict => {}
                done => return done.map(|()| Filed { code, opened_seq, incident }),
            }
        }
        Err(too_slow())
    }

    /// Fires everything that time alone has brought about by now, each once; takes up messages that reached nobody and
    /// sightings left behind. Returns the number of events made. What fails for one incident is logged and tried again at
    /// the next look.
    pub async fn tick(&self) -> Result<usize> {
        let now = self.clock.now();
        for sighting in self.store.unfiled_sightings(now - LEFT_BEHIND, TAKEN_UP).await? {
            if let Err(e) = self.file(std::slice::from_ref(&sighting)).await {
                tracing::error!(sighting.id = %sighting.id, error = %e.chain(), "a sighting could not be filed; tried again soon");
            }
        }
        let mut fired = 0;
        for message in self.store.failed_messages(TAKEN_UP).await? {
            fired += counted(&message.incident, self.message_failed(&message).await);
        }
        let due = self.store.due_incidents(now).await?;
        let rings = |it: &&Filed| matches!(it.incident.next_deadline(), Some((_, Deadline::Ring(_))));
        for Filed { incident, .. } in &due {
            // Of a flood the first rings for all that are due with it.
            let alike: Vec<&Filed> = due
                .iter()
                .filter(|it| incident.flood.is_some() && it.incident.flood == incident.flood)
                .filter(rings)
                .collect();
            let first = alike.first().map(|it| it.incident.id).filter(|first| *first != incident.id);
            let codes = alike.iter().map(|it| it.code.clone()).collect();
            let name = incident.id;
            fired += counted(&name, self.fire(incident.clone(), first, codes).await);
        }
        Ok(fired)
    }

    /// Keeps the deadlines until `shutdown`: looks when the next is due, when anything was committed, and every 15 s.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut changes = self.bus.announcements();
        loop {
            let pause = match self.look().await {
                Ok(pause) => {
                    self.heartbeat.beat();
                    pause
                }
                Err(e) => {
                    tracing::error!(error = %e.chain(), "the desk cannot reach its store; tried again soon");
                    TRIES_AGAIN
                }
            };
            tokio::select! {
                () = &mut shutdown => return,
                () = self.clock.sleep(pause) => {}
                () = self.woken.notified() => {}
                // Lagging is fine: whatever was announced, the store is asked.
                _ = changes.recv() => while changes.try_recv().is_ok() {},
            }
        }
    }

    /// Takes in what the bus brings from edges until `shutdown`; a sighting is confirmed to the bus only once filed.
    pub async fn listen(&self, shutdown: impl Future<Output = ()>) -> Result<()> {
        let mut shutdown = pin!(shutdown);
        let mut sightings = self.bus.sightings().await?;
        loop {
            let delivery = tokio::select! {
                () = &mut shutdown => return Ok(()),
                next = sightings.next() => match next {
                    Some(delivery) => delivery,
                    None => return Ok(()),
                },
            };
            while let Err(e) = self.sighting(delivery.sighting.clone()).await {
                tracing::error!(sighting.id = %delivery.sighting.id, error = %e.chain(), "a sighting could not be taken in");
                if !e.kind.is_retryable() {
                    break;
                }
                self.clock.sleep(TRIES_AGAIN).await;
            }
            delivery.done().await;
        }
    }

    async fn look(&self) -> Result<Duration> {
        self.tick().await?;
        let Some(due) = self.store.next_due().await? else { return Ok(LOOKS_EVERY) };
        // What is still due could not be done: its incident cannot be read, or somebody was faster.
        let wait = Duration::try_from(due.duration_since(self.clock.now())).ok().filter(|wait| !wait.is_zero());
        Ok(wait.unwrap_or(TRIES_AGAIN).clamp(Duration::from_millis(10), LOOKS_EVERY))
    }

    async fn fire(&self, incident: Incident, with: Option<IncidentId>, codes: Vec<String>) -> Result<usize> {
        let tick = Input::Tick { dispatch: DispatchId(self.new_id(self.clock.now())), with };
        let decided = self.decide(incident, tick, &system())?;
        let fired = decided.events.len();
        self.commit(vec![decided], None, Aside { codes, ..Aside::default() }).await?;
        Ok(fired)
    }

    async fn message_failed(&self, message: &Message) -> Result<usize> {
        let incident = self.store.incident(message.incident).await?.incident;
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
            self.commit(vec![decided], None, Aside { failed: Some(message), ..Aside::default() }).await?;
        }
        Ok(noted)
    }

    /// The core decides, on the registers as they are now.
    fn decide(&self, incident: Incident, input: Input, by: &By) -> Result<Decided> {
        let (now, county) = (self.clock.now(), self.registers.current());
        self.with_office(&county, now, |office| {
            let events = incident.handle(input, by, office, now).map_err(refused)?;
            Ok(Decided { incident: after(incident, &events), events })
        })
    }

    fn with_office<T>(&self, county: &County, now: Timestamp, ask: impl FnOnce(&Office<'_>) -> T) -> T {
        let place = |fix: &Fix, hints: &[Hint]| county.place(fix, hints, now);
        let holder = |role: Role, place: &Place, ranger: Option<&PersonId>| {
            county.recipients(&[role], place, ranger, now).first().map(|it| it.person.clone())
        };
        ask(&Office { policy: &self.policy, place: &place, holder: &holder })
    }

    /// Events and messages together, then the announcement: a hint, so its failure loses nothing.
    async fn commit(&self, decided: Vec<Decided>, last_opened: Option<u64>, aside: Aside<'_>) -> Result<()> {
        let decided: Vec<Decided> = decided.into_iter().filter(|it| !it.events.is_empty()).collect();
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
        for (it, done) in decided.iter().zip(&committed) {
            tracing::info!(incident.id = %it.incident.id, incident.code = %done.code, incident.state = ?it.incident.state,
                events = it.events.len(), "the desk decided");
            if let Err(e) = self.bus.announce(Announcement { cursor: done.cursor, incident: it.incident.id }).await {
                tracing::warn!(error = %e.chain(), "the bus did not take an announcement; readers find it by cursor");
            }
        }
        Ok(())
    }
}

/// Events made for one incident; what failed is logged. Somebody who was faster is no failure: what is still due is found
/// at the next look.
fn counted(incident: &IncidentId, done: Result<usize>) -> usize {
    match done {
        Ok(events) => events,
        Err(e) if e.kind == Kind::Conflict => 0,
        Err(e) => {
            tracing::error!(incident.id = %incident, error = %e.chain(), "what is due could not be done; tried again soon");
            0
        }
    }
}

fn after(mut incident: Incident, events: &[Recorded]) -> Incident {
    for recorded in events {
        incident.apply(recorded);
    }
    incident
}

fn system() -> By {
    By { actor: Actor::System, action: None, happened_at: None }
}

/// The same person, but the action's id stays with the incident it was meant for.
fn unnamed(by: &By) -> By {
    By { action: None, ..by.clone() }
}

fn too_slow() -> Error {
    Error::new(
        Kind::Conflict,
        "别人正在处理这起火情，请刷新后再试 / others are changing this incident: reload and try again",
    )
}
