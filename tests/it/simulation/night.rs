//! One night: what happens when, and a desk that loads, decides and commits, or crashes between.

use super::{Chance, invariants};
use crate::triage::event::{Actor, Closure, Event, Means, Place, Recorded};
use crate::triage::fuse;
use crate::triage::geo::LatLon;
use crate::triage::id::{ActionId, DispatchId, IncidentId, PersonId, PictureId};
use crate::triage::incident::{By, Incident, Input, NewIncident, State};
use crate::triage::policy::{Policy, Review, Stage, ZeroPoint};
use crate::triage::score;
use crate::triage::sighting::{Label, Sighting, Source};
use crate::triage_kit::{camera, person, place_m, satellite, start, uuid, verification};
use jiff::{SignedDuration, Timestamp};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

const MINUTE_MS: i64 = 60_000;
const NIGHT_MS: i64 = 12 * 60 * MINUTE_MS;

#[derive(Clone, Debug)]
enum Happening {
    /// A source delivers, at least once.
    Seen(Sighting),
    /// A person's act reaches the server.
    Asked(IncidentId, Input, By),
    /// The desk's alarm clock for one incident; only the last one set counts.
    Wake(IncidentId, u64),
    ClockSteps(i64),
    DeskReturns,
}

pub struct Night {
    chance: Chance,
    policy: Policy,
    /// True time since the start of the night; the server's clock may stand elsewhere.
    true_ms: i64,
    clock_off_ms: i64,
    queue: BinaryHeap<Reverse<(i64, u64)>>,
    happenings: BTreeMap<u64, Happening>,
    alarms: BTreeMap<IncidentId, u64>,
    down_until_ms: i64,
    ids: u128,
    pub stored: Vec<Incident>,
    pub crashes: u32,
    pub conflicts: u32,
    pub steps: u32,
    pub refusals: u32,
}

impl Night {
    /// Lives through the night of that seed; panics where a promise is broken.
    pub fn live(seed: u64) -> Self {
        let mut chance = Chance::new(seed);
        let policy = some_policy(&mut chance);
        let mut night = Self {
            chance,
            policy,
            true_ms: 0,
            clock_off_ms: 0,
            queue: BinaryHeap::new(),
            happenings: BTreeMap::new(),
            alarms: BTreeMap::new(),
            down_until_ms: 0,
            ids: 0,
            stored: Vec::new(),
            crashes: 0,
            conflicts: 0,
            steps: 0,
            refusals: 0,
        };
        night.burn();
        while let Some(Reverse((at_ms, number))) = night.queue.pop() {
            night.true_ms = at_ms;
            let happening = night.happenings.remove(&number).expect("every number in the queue has its happening");
            night.live_through(happening);
        }
        invariants::at_dawn(&night.stored, night.now(), night.steps > 0);
        night
    }

    fn now(&self) -> Timestamp {
        start() + SignedDuration::from_millis(self.true_ms + self.clock_off_ms)
    }

    fn after(&mut self, ms: i64, happening: Happening) {
        self.ids += 1;
        let number = self.ids as u64;
        self.queue.push(Reverse((self.true_ms + ms.max(0), number)));
        self.happenings.insert(number, happening);
    }

    fn minutes(&mut self, from: f64, to: f64) -> i64 {
        (self.chance.between(from, to) * MINUTE_MS as f64) as i64
    }

    fn id(&mut self) -> uuid::Uuid {
        self.ids += 1;
        // Far apart, as real ids are.
        uuid(self.ids << 64)
    }

    /// The evening's programme: fires seen by several eyes, false alarms, drills, clock steps.
    fn burn(&mut self) {
        let towers: Vec<LatLon> = (0..8)
            .map(|_| place_m(self.chance.between(-9000.0, 9000.0), self.chance.between(-9000.0, 9000.0)))
            .collect();
        for _ in 0..4 + self.chance.below(10) {
            let fire = place_m(self.chance.between(-8000.0, 8000.0), self.chance.between(-8000.0, 8000.0));
            let lit_ms = self.minutes(0.0, 600.0);
            let drill = self.chance.happens(0.1);
            for eye in 0..1 + self.chance.below(5) {
                let seen_ms = lit_ms + self.minutes(0.0, 90.0);
                let sighting = self.sighting(fire, &towers, seen_ms, eye);
                let delay_ms =
                    self.minutes(0.0, if matches!(sighting.source, Source::Satellite { .. }) { 40.0 } else { 0.2 });
                self.deliver(seen_ms + delay_ms, Sighting { drill, ..sighting });
            }
        }
        for _ in 0..self.chance.below(8) {
            let seen_ms = self.minutes(0.0, 600.0);
            let nowhere = place_m(self.chance.between(-8000.0, 8000.0), self.chance.between(-8000.0, 8000.0));
            let false_alarm = self.sighting(nowhere, &towers, seen_ms, 0);
            self.deliver(seen_ms, false_alarm);
        }
        if self.chance.happens(0.4) {
            for _ in 0..1 + self.chance.below(6) {
                let (when_ms, by_ms) = (self.chance.between(0.0, NIGHT_MS as f64), self.minutes(-20.0, 20.0));
                self.after(when_ms as i64, Happening::ClockSteps(by_ms));
            }
        }
    }

    fn deliver(&mut self, at_ms: i64, sighting: Sighting) {
        if self.chance.happens(0.15) {
            let again_ms = at_ms + self.minutes(0.0, 60.0);
            self.after(again_ms, Happening::Seen(sighting.clone()));
        }
        self.after(at_ms, Happening::Seen(sighting));
    }

    fn sighting(&mut self, fire: LatLon, towers: &[LatLon], seen_ms: i64, eye: usize) -> Sighting {
        let (id, at) = (self.id().as_u128(), start() + SignedDuration::from_millis(seen_ms));
        let off = fire.destination(self.chance.between(0.0, 360.0), self.chance.between(0.0, 300.0));
        let confidence = self.chance.unit() as f32;
        let mut sighting = match self.chance.below(6) {
            0 => satellite(id, at, off),
            1 if eye > 0 => person(id, at, off, self.chance.between(50.0, 800.0)),
            _ => {
                let number = self.chance.below(towers.len());
                let noise_deg = self.chance.between(-1.5, 1.5);
                let azimuth_deg = (towers[number].azimuth_deg(fire) + noise_deg).rem_euclid(360.0);
                camera(id, at, &format!("tower-{number}"), towers[number], azimuth_deg, confidence)
            }
        };
        if self.chance.happens(0.1) {
            sighting.labels.push(Label::KnownHeatSource { name: "砖厂".to_owned() });
        }
        sighting
    }

    fn live_through(&mut self, happening: Happening) {
        if self.true_ms < self.down_until_ms && !matches!(happening, Happening::DeskReturns | Happening::ClockSteps(_))
        {
            // Phones and feeds try again; alarm clocks are set anew when the desk is back.
            if !matches!(happening, Happening::Wake(..)) {
                let again_ms = self.down_until_ms - self.true_ms + self.minutes(0.0, 0.5);
                self.after(again_ms, happening);
            }
            return;
        }
        match happening {
            Happening::Seen(sighting) => self.see(sighting),
            Happening::Asked(id, input, by) => self.ask(id, input, by),
            Happening::Wake(id, alarm) => {
                if self.alarms.get(&id) == Some(&alarm) {
                    self.tick(id);
                }
            }
            Happening::ClockSteps(by_ms) => {
                self.steps += 1;
                self.clock_off_ms += by_ms;
                // Long sleeps look again every 15 s.
                for id in self.ids_of_all() {
                    self.set_alarm(id, 15_000);
                }
            }
            Happening::DeskReturns => self.ids_of_all().into_iter().for_each(|id| self.tick(id)),
        }
    }

    fn ids_of_all(&self) -> Vec<IncidentId> {
        self.stored.iter().map(|it| it.id).collect()
    }

    fn load(&self, id: IncidentId) -> &Incident {
        self.stored.iter().find(|it| it.id == id).expect("incidents are never lost")
    }

    fn see(&mut self, sighting: Sighting) {
        let open: Vec<Incident> = self.stored.iter().filter(|it| it.state != State::Closed).cloned().collect();
        // The store knows each sighting once, closed incidents included.
        if self.stored.iter().any(|it| it.sightings.iter().any(|known| known.id == sighting.id)) {
            return;
        }
        let system = By { actor: Actor::System, action: None, happened_at: None };
        match fuse::choose(&sighting, &open, &self.policy) {
            Some(id) => {
                let incident = self.load(id);
                let all: Vec<Sighting> = incident.sightings.iter().chain([&sighting]).cloned().collect();
                let priority = score::priority(&all, &incident.place.labels);
                self.ask(id, Input::AddSighting { sighting, priority }, system);
            }
            None => {
                let place = self.place();
                let priority = score::priority(std::slice::from_ref(&sighting), &place.labels);
                let (id, dispatch) = (IncidentId(self.id()), DispatchId(self.id()));
                let new = NewIncident { id, dispatch, sighting: sighting.clone(), place, priority };
                let events = Incident::open(new, &self.policy, self.now());
                if self.crashes_now(Happening::Seen(sighting)) {
                    return;
                }
                self.stored.push(Incident::from_log(&events).expect("a log that begins with Opened"));
                self.committed(id, &events);
            }
        }
    }

    fn place(&mut self) -> Place {
        let rangers = self.chance.below(4);
        Place {
            name: "后山".to_owned(),
            grid: self.chance.happens(0.9).then(|| "G1".into()),
            village: None,
            township: None,
            suggested: (0..rangers).map(|_| self.ranger()).collect(),
            unique: self.chance.happens(0.7),
            labels: if self.chance.happens(0.05) { vec![Label::OutsideCounty] } else { vec![] },
        }
    }

    fn ranger(&mut self) -> PersonId {
        PersonId(format!("ranger-{}", self.chance.below(12)))
    }

    /// Load, decide, commit on the version loaded. A crash between loses the events, never the request.
    fn ask(&mut self, id: IncidentId, input: Input, by: By) {
        loop {
            let loaded = self.load(id).clone();
            let now = self.now();
            let Ok(events) = loaded.handle(input.clone(), &by, &self.policy, now) else {
                self.refusals += 1;
                return self.set_alarm(id, 0);
            };
            assert_eq!(&loaded, self.load(id), "deciding changes nothing");
            if self.crashes_now(Happening::Asked(id, input.clone(), by.clone())) {
                return;
            }
            if self.chance.happens(0.03) {
                self.other_desk_is_faster(id);
            }
            if self.load(id).version != loaded.version {
                self.conflicts += 1;
                continue;
            }
            self.commit(id, &events);
            if by.action.is_some() && events.iter().any(|it| it.action == by.action) {
                let again = self.load(id).handle(input, &by, &self.policy, now);
                assert_eq!(again, Ok(vec![]), "a repeated action yields no event");
            }
            return;
        }
    }

    fn other_desk_is_faster(&mut self, id: IncidentId) {
        let by = By { actor: Actor::Officer { person: "other".into() }, action: None, happened_at: None };
        let note = Input::Note { words: "接班".to_owned() };
        if let Ok(events) = self.load(id).handle(note, &by, &self.policy, self.now()) {
            self.commit(id, &events);
        }
    }

    fn tick(&mut self, id: IncidentId) {
        let input = Input::Tick { dispatch: DispatchId(self.id()) };
        let by = By { actor: Actor::System, action: None, happened_at: None };
        let now = self.now();
        let events = self.load(id).handle(input.clone(), &by, &self.policy, now).expect("time is never refused");
        if !events.is_empty() && self.crashes_now(Happening::Wake(id, 0)) {
            return;
        }
        self.commit(id, &events);
        assert_eq!(
            self.load(id).handle(input, &by, &self.policy, now),
            Ok(vec![]),
            "a second tick finds nothing to do"
        );
    }

    fn crashes_now(&mut self, lost: Happening) -> bool {
        if !self.chance.happens(0.02) {
            return false;
        }
        self.crashes += 1;
        let down_ms = self.minutes(0.05, 1.0);
        self.down_until_ms = self.true_ms + down_ms;
        self.after(down_ms, Happening::DeskReturns);
        self.after(down_ms + 1, lost);
        true
    }

    fn commit(&mut self, id: IncidentId, events: &[Recorded]) {
        let incident = self.stored.iter_mut().find(|it| it.id == id).expect("incidents are never lost");
        events.iter().for_each(|it| incident.apply(it));
        self.committed(id, events);
    }

    fn committed(&mut self, id: IncidentId, events: &[Recorded]) {
        let now = self.now();
        invariants::after_commit(self.load(id), events, now);
        for recorded in events {
            self.react(id, &recorded.event);
        }
        if let Some((due, _)) = self.load(id).next_deadline() {
            let slack_ms = self.chance.below(2000) as i64;
            self.set_alarm(id, due.duration_since(now).as_millis() as i64 + slack_ms);
        }
    }

    fn set_alarm(&mut self, id: IncidentId, after_ms: i64) {
        self.alarms.insert(id, self.ids as u64);
        self.after(after_ms, Happening::Wake(id, self.alarms[&id]));
    }

    /// What people do about it.
    fn react(&mut self, id: IncidentId, event: &Event) {
        match event {
            Event::Opened { .. } | Event::Declined { .. } if self.chance.happens(0.5) => self.officer_looks(id),
            Event::Dispatched(it) => self.ranger_acts(id, it.ranger.clone()),
            Event::DeadlineMissed { stage: Stage::Acknowledged, .. } if self.chance.happens(0.4) => {
                let (dispatch, ranger) = (DispatchId(self.id()), self.ranger());
                self.office(id, 1.0, 5.0, Input::Dispatch { dispatch, ranger });
            }
            Event::Reported { verification, .. } if !verification.is_interim() => self.officer_reviews(id),
            Event::SentBack { .. } => {
                let ranger = self.load(id).dispatch.as_ref().map(|it| it.ranger.clone()).expect("somebody reported");
                let late_ms = self.minutes(5.0, 30.0);
                self.phone(id, &ranger, late_ms, late_ms, Input::Report { verification: verification(3) });
            }
            _ => {}
        }
    }

    fn officer_looks(&mut self, id: IncidentId) {
        let input = match self.chance.below(5) {
            0 => Input::Close { closure: Closure { category: 7, false_alarm: None, words: String::new() } },
            1 => Input::Note { words: "看过".to_owned() },
            _ => Input::Dispatch { dispatch: DispatchId(self.id()), ranger: self.ranger() },
        };
        self.office(id, 0.2, 20.0, input);
        if self.chance.happens(0.2) {
            let means = Means::Proxy { reason: "电话".to_owned() };
            self.office(id, 5.0, 40.0, Input::Acknowledge { means });
        }
    }

    fn officer_reviews(&mut self, id: IncidentId) {
        if self.chance.happens(0.25) {
            self.office(id, 2.0, 40.0, Input::SendBack { reason: "缺照片".to_owned() });
        } else if self.chance.happens(0.7) {
            let closure = Closure { category: 3, false_alarm: None, words: String::new() };
            self.office(id, 2.0, 40.0, Input::Close { closure });
        }
    }

    fn office(&mut self, id: IncidentId, from: f64, to: f64, input: Input) {
        let late_ms = self.minutes(from, to);
        let by = By {
            actor: Actor::Officer { person: "officer".into() },
            action: Some(ActionId(self.id())),
            happened_at: None,
        };
        self.send(id, late_ms, input, by);
    }

    /// In time, late, from beyond the network all at once and in any order, never, or 不能前往.
    fn ranger_acts(&mut self, id: IncidentId, ranger: PersonId) {
        let acknowledge = Input::Acknowledge { means: Means::Phone };
        let arrive = Input::Arrive { means: Means::Phone, position: None };
        let photo = Input::AddPhoto { picture: PictureId(self.id()) };
        let interim = if self.chance.happens(0.2) { 10 } else { 9 };
        let steps = [
            (acknowledge.clone(), 0.3, 9.0),
            (arrive, 9.0, 31.0),
            (Input::Report { verification: verification(interim) }, 30.0, 45.0),
            (photo, 31.0, 90.0),
            (Input::Report { verification: verification(3) }, 40.0, 61.0),
        ];
        let behaviour = self.chance.unit();
        let slowness = if behaviour < 0.5 { 1.0 } else { 2.2 };
        let back_online = (0.7..0.85).contains(&behaviour).then(|| self.minutes(20.0, 200.0));
        if behaviour < 0.85 {
            for (input, from, to) in steps {
                let done_ms = self.minutes(from * slowness, to * slowness);
                let heard_ms =
                    back_online.map_or(done_ms, |online_ms| online_ms.max(done_ms) + self.chance.below(9000) as i64);
                self.phone(id, &ranger, done_ms, heard_ms, input);
            }
        } else if behaviour < 0.95 {
            let declined_ms = self.minutes(0.5, 15.0);
            self.phone(id, &ranger, declined_ms, declined_ms, Input::Decline { reason: "不在辖区".to_owned() });
        }
        if self.chance.happens(0.05) {
            let (other, late_ms) = (self.ranger(), self.minutes(0.0, 30.0));
            self.phone(id, &other, late_ms, late_ms, acknowledge);
        }
    }

    fn phone(&mut self, id: IncidentId, ranger: &PersonId, done_ms: i64, heard_ms: i64, input: Input) {
        let by = By {
            actor: Actor::Ranger { person: ranger.clone() },
            action: Some(ActionId(self.id())),
            happened_at: Some(start() + SignedDuration::from_millis(self.true_ms + done_ms)),
        };
        self.send(id, heard_ms, input, by);
    }

    /// The answer gets lost now and then, so the same act comes again.
    fn send(&mut self, id: IncidentId, late_ms: i64, input: Input, by: By) {
        if self.chance.happens(0.2) {
            let again_ms = late_ms + self.minutes(0.0, 20.0);
            self.after(again_ms, Happening::Asked(id, input.clone(), by.clone()));
        }
        self.after(late_ms, Happening::Asked(id, input, by));
    }
}

fn some_policy(chance: &mut Chance) -> Policy {
    let mut policy = Policy::default();
    if chance.happens(0.3) {
        policy.zero_point = ZeroPoint::FirstSeen;
    }
    let reviews = [Review::Auto, Review::Officer, Review::OfficerThenAuto { after: SignedDuration::from_mins(2) }];
    if chance.happens(0.5) {
        policy.review.camera = reviews[chance.below(3)];
        policy.review.satellite = reviews[chance.below(3)];
        policy.review.person = reviews[chance.below(3)];
    }
    if chance.happens(0.2) {
        // An office may write its ladder in any order, with two rungs at one minute.
        policy.ladder.reverse();
        policy.ladder.push(policy.ladder[0].clone());
    }
    policy
}
