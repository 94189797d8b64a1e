//! 值班台: load → decide (pure) → commit → announce. The only place that changes an incident.

mod messages;

use crate::bus::{Announcement, Bus};
use crate::clock::Clock;
use crate::county::{County, Registers};
use crate::error::{Error, Kind, Result};
use crate::store::{Commit, Committed, Filed, Store};
use crate::triage::event::{Actor, Recorded};
use crate::triage::id::{DispatchId, IncidentId};
use crate::triage::incident::{By, Incident, Input, NewIncident, Refusal};
use crate::triage::policy::Policy;
use crate::triage::sighting::{Label, Sighting, Source};
use crate::triage::{fuse, locate, score};
use jiff::{SignedDuration, Timestamp};
use std::pin::pin;
use std::time::Duration;
use tokio::sync::Mutex;
use uuid::Uuid;

/// A decision that lost to a faster one is made anew so often; losing five times in a row means something is wrong.
const ATTEMPTS: usize = 5;
/// The desk looks at the clock at least so often, so that a stepped or suspended clock costs seconds, not hours.
const LOOKS_EVERY: Duration = Duration::from_secs(15);
/// And after an error of the database so soon again.
const TRIES_AGAIN: Duration = Duration::from_secs(1);
/// A sighting written down but not filed for so long was left behind by a desk that died, or met an error.
const LEFT_BEHIND: SignedDuration = SignedDuration::from_secs(5);
/// Left-behind sightings taken up at one look.
const TAKEN_UP: u32 = 100;

pub struct Desk {
    store: Store,
    bus: Bus,
    registers: Registers,
    policy: Policy,
    /// 【…】 before every text.
    signature: String,
    clock: Clock,
    /// Sightings are filed one after the other: the second of one fire sees the incident of the first.
    filing: Mutex<()>,
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
        Self { store, bus, registers, policy, signature: signature.into(), clock, filing: Mutex::new(()) }
    }

    /// Takes evidence in: it joins the open incident it belongs to, or opens one. The same sighting twice is one.
    /// On an error after it was written down, `tick` files it later.
    pub async fn sighting(&self, sighting: Sighting) -> Result<IncidentId> {
        self.store.record_sighting(&sighting, self.clock.now()).await?;
        self.file(&sighting).await
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
            let events = incident.handle(input.clone(), by, &self.policy, self.clock.now()).map_err(refused)?;
            let incident = after(incident, &events);
            match self.commit(&incident, &events, None).await {
                Err(e) if e.kind == Kind::Conflict => {}
                done => return done.map(|_| Filed { code, opened_seq, incident }),
            }
        }
        Err(too_slow())
    }

    /// Fires everything that time alone has brought about by now, each once, and files sightings left behind. Returns the
    /// number of events made. What fails for one incident is logged and tried again at the next look.
    pub async fn tick(&self) -> Result<usize> {
        let now = self.clock.now();
        for sighting in self.store.unfiled_sightings(now - LEFT_BEHIND, TAKEN_UP).await? {
            if let Err(e) = self.file(&sighting).await {
                tracing::error!(sighting.id = %sighting.id, error = %e.chain(), "a sighting could not be filed; tried again soon");
            }
        }
        let mut fired = 0;
        for Filed { incident, .. } in self.store.due_incidents(now).await? {
            let name = incident.id;
            match self.fire(incident, now).await {
                Ok(events) => fired += events,
                // Somebody was faster; if it was not about this deadline, it is still due at the next look.
                Err(e) if e.kind == Kind::Conflict => {}
                Err(e) => {
                    tracing::error!(incident.id = %name, error = %e.chain(), "a deadline could not be fired; tried again soon");
                }
            }
        }
        Ok(fired)
    }

    /// Keeps the deadlines until `shutdown`: looks when the next is due, when anything was committed, and every 15 s.
    pub async fn run(&self, shutdown: impl Future<Output = ()>) {
        let mut shutdown = pin!(shutdown);
        let mut changes = self.bus.announcements();
        loop {
            let pause = match self.look().await {
                Ok(pause) => pause,
                Err(e) => {
                    tracing::error!(error = %e.chain(), "the desk cannot reach its store; tried again soon");
                    TRIES_AGAIN
                }
            };
            tokio::select! {
                () = &mut shutdown => return,
                () = self.clock.sleep(pause) => {}
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
        let wait = Duration::try_from(due.duration_since(self.clock.now())).unwrap_or(Duration::ZERO);
        Ok(wait.clamp(Duration::from_millis(10), LOOKS_EVERY))
    }

    async fn file(&self, sighting: &Sighting) -> Result<IncidentId> {
        let _in_line = self.filing.lock().await;
        for _ in 0..ATTEMPTS {
            match self.file_once(sighting).await {
                Err(e) if e.kind == Kind::Conflict => {}
                done => return done,
            }
        }
        Err(too_slow())
    }

    async fn file_once(&self, sighting: &Sighting) -> Result<IncidentId> {
        if let Some(known) = self.store.incident_of(sighting.id).await? {
            return Ok(known);
        }
        // In this order: what is opened after this line makes the commit fail.
        let last_opened = self.store.last_opened().await?;
        let open: Vec<Incident> = self.store.open_incidents().await?.into_iter().map(|filed| filed.incident).collect();
        let (now, county) = (self.clock.now(), self.registers.current());
        let sighting = labelled(sighting, &county);
        let chosen = fuse::choose(&sighting, &open, &self.policy);
        let Some(incident) = open.into_iter().find(|incident| Some(incident.id) == chosen) else {
            return self.open(sighting, &county, last_opened, now).await;
        };
        let mut sightings = incident.sightings.clone();
        sightings.push(sighting.clone());
        let priority = score::priority(&sightings, &incident.place.labels);
        let events = incident
            .handle(Input::AddSighting { sighting, priority }, &system(), &self.policy, now)
            .map_err(refused)?;
        let incident = after(incident, &events);
        self.commit(&incident, &events, None).await?;
        Ok(incident.id)
    }

    async fn open(&self, sighting: Sighting, county: &County, last_opened: u64, now: Timestamp) -> Result<IncidentId> {
        let sightings = std::slice::from_ref(&sighting);
        let place = county.place(&locate::fix(sightings), now);
        let priority = score::priority(sightings, &place.labels);
        let new =
            NewIncident { id: IncidentId(new_id(now)), dispatch: DispatchId(new_id(now)), sighting, place, priority };
        let events = Incident::open(new, &self.policy, now);
        let incident = Incident::from_log(&events)
            .ok_or_else(|| Error::internal("a new incident's log does not begin with its opening"))?;
        self.commit(&incident, &events, Some(last_opened)).await?;
        Ok(incident.id)
    }

    async fn fire(&self, incident: Incident, now: Timestamp) -> Result<usize> {
        let tick = Input::Tick { dispatch: DispatchId(new_id(now)) };
        let events = incident.handle(tick, &system(), &self.policy, now).map_err(refused)?;
        self.commit(&after(incident, &events), &events, None).await?;
        Ok(events.len())
    }

    /// Events and messages together, then the announcement: a hint, so its failure loses nothing.
    async fn commit(&self, incident: &Incident, events: &[Recorded], last_opened: Option<u64>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let county = self.registers.current();
        let compose = |code: &str| messages::compose(code, &self.signature, incident, events, &county);
        let Committed { cursor, code } = self.store.commit(Commit { incident, events, last_opened }, compose).await?;
        tracing::info!(incident.id = %incident.id, incident.code = %code, incident.state = ?incident.state,
            events = events.len(), "the desk decided");
        if let Err(e) = self.bus.announce(Announcement { cursor, incident: incident.id }).await {
            tracing::warn!(error = %e.chain(), "the bus did not take an announcement; readers find it by cursor");
        }
        Ok(())
    }
}

/// The sighting with what the registers say of its place and time.
fn labelled(sighting: &Sighting, county: &County) -> Sighting {
    let pixels = match &sighting.source {
        Source::Satellite { pixels, .. } => *pixels,
        _ => 1,
    };
    let mut labels: Vec<Label> = sighting.labels.clone();
    for label in county.labels(&sighting.locus, sighting.observed_at, pixels) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    Sighting { labels, ..sighting.clone() }
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

/// UUIDv7 of the desk's clock, so that a simulated day has its own ids in its own order.
fn new_id(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanoseconds))
}

fn refused(refusal: Refusal) -> Error {
    let (kind, words) = match refusal {
        Refusal::Closed => (Kind::Conflict, "这起火情已销号，不能再改 / this incident is closed and stays so"),
        Refusal::NotDispatched => (Kind::Conflict, "还没有派发护林员 / no ranger has been sent yet"),
        Refusal::NotYours => (Kind::Forbidden, "这起火情没有派给您 / this incident was not sent to you"),
        Refusal::Incomplete => (Kind::Invalid, "请写明原因或附照片 / a reason or a photo is missing"),
        Refusal::NotReported => (Kind::Conflict, "还没有核查反馈 / nothing has been reported yet"),
    };
    Error::new(kind, words)
}

fn too_slow() -> Error {
    Error::new(
        Kind::Conflict,
        "别人正在处理这起火情，请刷新后再试 / others are changing this incident: reload and try again",
    )
}
