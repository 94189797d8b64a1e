//! One day: repeats the next event of the world, of the desk's deadlines or of the outbox, until
//! midnight.

use super::chance::Chance;
use super::fires::after;
use super::gateway::{Asked, Gateway};
use super::people;
use super::world::World;
use huoyan::bus::Bus;
use huoyan::clock::Clock;
use huoyan::config::SatelliteConfig;
use huoyan::county::Registers;
use huoyan::desk::Desk;
use huoyan::error::{Error, Result};
use huoyan::lang::Lang;
use huoyan::notify::Notifier;
use huoyan::store::{Filed, Inspection, LogEntry, Message, Store};
use huoyan::triage::cluster;
use huoyan::triage::event::Event;
use huoyan::triage::id::{DispatchId, IncidentId, PersonId};
use huoyan::triage::policy::{Channel, Policy};
use huoyan::triage::retention::Retention;
use huoyan::triage::sighting::Sighting;
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The results of a day, for the figures.
pub struct Lived {
    pub world: World,
    /// In the order of opening.
    pub incidents: Vec<Filed>,
    pub messages: Vec<Message>,
    pub asked: Vec<Asked>,
    /// When an officer looked at an incident.
    pub looks: Vec<(IncidentId, Timestamp)>,
    /// When evidence was handed to the desk.
    pub crashes: u32,
    pub overrun: u32,
    /// Broken rules, as sentences.
    pub breaks: Vec<String>,
}

/// The events of the world.
pub(super) enum Happening {
    Arrives(Vec<Sighting>),
    /// A text or call about an incident reaches a person. `urged`: through one of his superiors.
    Hears {
        person: PersonId,
        incident: IncidentId,
        urged: bool,
    },
    Acts(super::acts::Act),
    /// An officer opens the card.
    Looks {
        officer: PersonId,
        incident: IncidentId,
        rung: bool,
    },
    Crashes,
    Returns,
    /// The desk's own look at the clock (every 15 s in the program), wherever something may wait
    /// for it.
    DeskLooks,
}

pub(super) struct Day {
    pub(super) world: World,
    pub(super) clock: Clock,
    dir: PathBuf,
    pub(super) store: Store,
    /// `None` while the desk is down.
    pub(super) desk: Option<Desk>,
    notifier: Notifier,
    gateway: Gateway,
    queue: BinaryHeap<Reverse<(Timestamp, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    pub(super) ids: u64,
    back_at: Timestamp,
    cursor: u64,
    pub(super) incidents: Vec<Filed>,
    index: BTreeMap<IncidentId, usize>,
    codes: BTreeMap<String, IncidentId>,
    pub(super) looks: Vec<(IncidentId, Timestamp)>,
    pub(super) planned: BTreeSet<DispatchId>,
    pub(super) stood_down: BTreeMap<(IncidentId, PersonId), Timestamp>,
    pub(super) breaks: Vec<String>,
    crashes: u32,
}

/// After more steps than this without progress of the clock, something is due and is never done.
const STUCK: u32 = 500;

/// Simulates the day of that seed with its data under `dir`, which must be empty.
///
/// # Errors
/// When the store or the gateway's socket fails. Faults of the desk go to `Lived::breaks`.
pub async fn live(seed: u64, dir: &Path) -> Result<Lived> {
    let world = World::new(seed);
    let clock = Clock::simulated(world.start);
    let store = Store::open("sqlite", dir).await?;
    let gateway = Gateway::start(seed, &clock)
        .await
        .map_err(|e| Error::unavailable("no socket").because(e))?;
    let notifier = Notifier::new(
        store.clone(),
        &gateway.config(),
        gateway.keys(),
        clock.clone(),
        Arc::default(),
    )
    .await?;
    let back_at = world.start;
    let mut day = Day {
        world,
        clock,
        dir: dir.to_owned(),
        store,
        desk: None,
        notifier,
        gateway,
        queue: BinaryHeap::new(),
        happenings: BTreeMap::new(),
        ids: 0,
        back_at,
        cursor: 0,
        incidents: Vec::new(),
        index: BTreeMap::new(),
        codes: BTreeMap::new(),
        looks: Vec::new(),
        planned: BTreeSet::new(),
        stood_down: BTreeMap::new(),
        breaks: Vec::new(),
        crashes: 0,
    };
    day.desk = Some(day.new_desk());
    for arrival in std::mem::take(&mut day.world.evidence.arrivals) {
        day.at(arrival.at, Happening::Arrives(arrival.sightings));
    }
    let mut chance = Chance::of(seed, "crashes");
    for _ in 0..chance.count(0, 3) {
        day.at(after(day.world.start, chance.between(60.0, 1_400.0)), Happening::Crashes);
    }
    day.pass().await?;
    day.settle().await
}

impl Day {
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn at(&mut self, at: Timestamp, happening: Happening) {
        self.ids += 1;
        self.queue.push(Reverse((at, self.ids)));
        self.happenings.insert(self.ids, happening);
    }

    pub(super) fn in_minutes(&mut self, minutes: f64, happening: Happening) {
        let at = after(self.now(), minutes);
        self.at(at, happening);
    }

    pub(super) fn filed(&self, incident: IncidentId) -> Option<&Filed> {
        self.index.get(&incident).map(|at| &self.incidents[*at])
    }

    fn new_desk(&self) -> Desk {
        let registers = Registers::fixed(self.world.registers.county.clone());
        Desk::new(
            self.store.clone(),
            Bus::local(),
            registers,
            Policy::default(),
            "森防",
            self.clock.clone(),
        )
    }

    async fn pass(&mut self) -> Result<()> {
        let (mut stood, mut still) = (self.world.start, 0);
        loop {
            let happens = self.queue.peek().map(|Reverse((at, _))| *at);
            let up = self.desk.is_some();
            let due = if let Some(desk) = &self.desk { desk.next_due().await? } else { None };
            let text = if up { self.store.next_message_due().await? } else { None };
            let Some(next) = [happens, due, text].into_iter().flatten().min() else {
                return Ok(());
            };
            if next >= self.world.end {
                return Ok(());
            }
            self.clock.advance(next.duration_since(self.now()).max(SignedDuration::ZERO));
            still = if self.now() == stood { still + 1 } else { 0 };
            stood = self.now();
            if still > STUCK {
                self.breaks.push(format!("{stood}: something is due and never done"));
                self.clock.advance(SignedDuration::from_mins(1));
            }
            let arrived = |at: Option<Timestamp>| at.is_some_and(|at| at <= stood);
            if arrived(happens)
                && let Some(Reverse((_, number))) = self.queue.pop()
                && let Some(happening) = self.happenings.remove(&number)
            {
                self.happens(happening).await?;
            }
            if arrived(due) {
                self.tick().await;
            }
            if arrived(text) && self.desk.is_some() {
                self.notifier.deliver().await?;
                // In the program a message that is given up notifies the desk.
                self.tick().await;
            }
            self.look_around().await?;
        }
    }

    async fn happens(&mut self, happening: Happening) -> Result<()> {
        match happening {
            Happening::Crashes => return self.crash().await,
            Happening::Returns => return self.come_back().await,
            Happening::Hears { person, incident, urged } => self.hears(&person, incident, urged),
            Happening::DeskLooks => self.tick().await,
            // The desk is down. Feeds, phones and pages try again; half of the evidence had already
            // been recorded.
            other if self.desk.is_none() => {
                if let Happening::Arrives(sightings) = &other
                    && self.ids.is_multiple_of(2)
                {
                    self.store.record_sightings(sightings, self.now()).await?;
                }
                let again_at = after(self.back_at, 0.1);
                self.at(again_at, other);
            }
            Happening::Arrives(sightings) => self.file(sightings).await,
            Happening::Acts(act) => self.act(act).await,
            Happening::Looks { officer, incident, rung } => {
                self.look(officer, incident, rung).await
            }
        }
        Ok(())
    }

    /// One sighting of a camera or caller, or all pixels of one list: those near the county, one
    /// cluster at a time.
    async fn file(&mut self, sightings: Vec<Sighting>) {
        let Some(desk) = &self.desk else { return };
        let margin_m = SatelliteConfig::default().margin_m;
        let county = &self.world.registers.county;
        let near = sightings.into_iter().filter(|it| county.near(&it.locus, margin_m)).collect();
        for together in cluster::group(near) {
            if let Err(e) = desk.sightings(together).await {
                self.breaks.push(format!(
                    "{}: a sighting was refused: {}",
                    self.clock.now(),
                    e.chain()
                ));
            }
        }
    }

    async fn tick(&mut self) {
        let Some(desk) = &self.desk else { return };
        if let Err(e) = desk.tick().await {
            self.breaks.push(format!("{}: the desk cannot look: {}", self.clock.now(), e.chain()));
        }
    }

    /// The desk dies, half of the time while texts are being handed over.
    async fn crash(&mut self) -> Result<()> {
        self.crashes += 1;
        self.desk = None;
        let mut chance = Chance::of(self.world.seed, &format!("crash {}", self.crashes));
        if chance.happens(0.5) {
            for channel in [Channel::Sms, Channel::Voice, Channel::Wecom] {
                let due = self.store.due_messages(channel, self.now()).await?;
                if let Some(first) = due.first() {
                    self.store.borrow(&[first], self.now(), after(self.now(), 1.0)).await?;
                }
            }
        }
        self.back_at = after(self.now(), chance.between(0.2, 2.5));
        self.at(self.back_at, Happening::Returns);
        Ok(())
    }

    async fn come_back(&mut self) -> Result<()> {
        self.store.close().await;
        self.store = Store::open("sqlite", &self.dir).await?;
        let (config, keys) = (self.gateway.config(), self.gateway.keys());
        self.notifier =
            Notifier::new(self.store.clone(), &config, keys, self.clock.clone(), Arc::default())
                .await?;
        self.desk = Some(self.new_desk());
        self.tick().await;
        // What was left behind is handled after 5 s, at one of the looks that come every 15 s.
        for minutes in [0.25, 0.5] {
            self.in_minutes(minutes, Happening::DeskLooks);
        }
        Ok(())
    }

    /// Handles what is new in the log and at the gateways.
    async fn look_around(&mut self) -> Result<()> {
        for entry in self.store.events_after(self.cursor, 10_000).await? {
            self.cursor = entry.cursor;
            self.note(entry).await?;
        }
        for asked in self.gateway.news().into_iter().filter(|it| it.taken) {
            self.reaches(&asked);
        }
        Ok(())
    }

    async fn note(&mut self, entry: LogEntry) -> Result<()> {
        let recorded = entry.recorded.ok_or_else(|| Error::internal("an event cannot be read"))?;
        if let Some(at) = self.index.get(&entry.incident) {
            self.incidents[*at].incident.apply(&recorded);
        } else {
            let mut filed = self.store.incident(entry.incident).await?;
            filed.incident =
                huoyan::triage::incident::Incident::from_log(std::slice::from_ref(&recorded))
                    .ok_or_else(|| Error::internal("a log does not begin with its opening"))?;
            self.index.insert(entry.incident, self.incidents.len());
            self.codes.insert(filed.code.clone(), entry.incident);
            self.incidents.push(filed);
        }
        self.board_shows(entry.incident, &recorded.event);
        Ok(())
    }

    /// The officer at the board sees new cards, and reports that wait for him.
    fn board_shows(&mut self, incident: IncidentId, event: &Event) {
        let by_himself = match event {
            Event::Opened { .. } | Event::Reminded { .. } => true,
            Event::Reported { verification, .. } => !verification.is_interim(),
            _ => false,
        };
        let Some(filed) = self.filed(incident) else { return };
        let subject = format!("{} {}", filed.code, filed.incident.version);
        if by_himself && let Some(minutes) = people::looks_by_himself(self.world.seed, &subject) {
            let officer = self.officer();
            self.in_minutes(minutes, Happening::Looks { officer, incident, rung: false });
        }
    }

    /// A text holds the incident's number; several texts may have gone out as one.
    fn reaches(&mut self, asked: &Asked) {
        let Some(person) = self.world.registers.with_phone(&asked.to).cloned() else { return };
        let (seed, start) = (self.world.seed, self.world.start);
        let Some(at) = super::gateway::heard_at(seed, start, person.as_str(), asked) else {
            return;
        };
        let named = self
            .codes
            .iter()
            .filter(|(code, _)| says(&asked.text, code))
            .map(|(_, incident)| *incident);
        for incident in named.collect::<Vec<_>>() {
            self.at(at, Happening::Hears { person: person.clone(), incident, urged: false });
        }
    }

    async fn settle(mut self) -> Result<Lived> {
        if self.desk.is_none() {
            self.come_back().await?;
            self.look_around().await?;
        }
        if let Some(desk) = &self.desk {
            let mut open = self.store.open_incidents().await?;
            open.sort_by_key(|it| it.incident.id);
            if !desk.open_book().await?.open().map(|it| &**it).eq(&open) {
                self.breaks.push("what the desk remembers is not what the log says".to_owned());
            }
        }
        let look = Inspection {
            now: self.clock.now(),
            mend: false,
            paper: &[],
            retention: &Retention::default(),
        };
        let record = self.store.look(&look).await?.to_the_end().await?;
        self.breaks.extend(record.faults(Lang::En));
        let mut messages = Vec::new();
        for filed in &self.incidents {
            messages.extend(self.store.messages_of(filed.incident.id).await?);
            if self.store.incident(filed.incident.id).await?.incident != filed.incident {
                self.breaks.push(format!("{}: the store and the log disagree", filed.code));
            }
        }
        self.store.close().await;
        Ok(Lived {
            incidents: self.incidents,
            messages,
            asked: self.gateway.all(),
            overrun: self.gateway.overrun(),
            looks: self.looks,
            crashes: self.crashes,
            breaks: self.breaks,
            world: self.world,
        })
    }
}

/// "0405-1" is not contained in "0405-12".
fn says(text: &str, code: &str) -> bool {
    text.match_indices(code)
        .any(|(at, _)| !text[at + code.len()..].starts_with(|c: char| c.is_ascii_digit()))
}
