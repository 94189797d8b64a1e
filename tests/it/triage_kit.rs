//! An invented county for stories: one place, two rangers, one officer, and a desk that wakes at
//! every deadline. The library's own tests include this file, too.
#![allow(dead_code, reason = "two crates include this file and each uses a part")]

use crate::triage::detection::{Class, ModelVersion};
use crate::triage::event::{
    Actor, Candidate, Event, Hint, Means, Place, Position, Recorded, Verification,
};
use crate::triage::geo::{Fix, LatLon, Locus, RangeBasis, Ray};
use crate::triage::id::{ActionId, DispatchId, IncidentId, PersonId, SightingId};
use crate::triage::incident::{By, Incident, Input, NewIncident, Office, Placing, Refusal};
use crate::triage::policy::{Channel, Policy, Review, Role};
use crate::triage::sighting::{Sighting, Source};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

/// 14:00 in Hunan.
pub(crate) fn start() -> Timestamp {
    "2026-11-21T06:00:00Z".parse().expect("a valid time")
}

pub(crate) fn minutes(n: f64) -> SignedDuration {
    SignedDuration::from_millis((n * 60_000.0) as i64)
}

pub(crate) fn at(minute: f64) -> Timestamp {
    start() + minutes(minute)
}

pub(crate) fn uuid(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

/// A place in the hills: metres east and north of the county's centre.
pub(crate) fn place_m(east_m: f64, north_m: f64) -> LatLon {
    let middle = LatLon::new(28.45, 110.4).expect("a place on earth");
    middle.destination(90.0, east_m).destination(0.0, north_m)
}

pub(crate) fn sighting(
    id: u128,
    observed_at: Timestamp,
    source: Source,
    locus: Locus,
    confidence: f32,
) -> Sighting {
    Sighting {
        id: SightingId(uuid(id)),
        source,
        observed_at,
        locus,
        confidence,
        pictures: Vec::new(),
        drill: false,
        labels: Vec::new(),
    }
}

/// A VIIRS pixel.
pub(crate) fn satellite(id: u128, observed_at: Timestamp, centre: LatLon) -> Sighting {
    let source = Source::Satellite {
        hotspot_key: format!("N20 {id}"),
        satellite: "N20".to_owned(),
        instrument: "VIIRS".to_owned(),
        frp_mw: Some(4.2),
        pixels: 1,
    };
    sighting(id, observed_at, source, Locus::Pixel { centre, scan_m: 375.0, track_m: 375.0 }, 0.6)
}

/// A camera's bearing of ±2°, with a range of 200 m to 10 km.
pub(crate) fn camera(
    id: u128,
    observed_at: Timestamp,
    name: &str,
    apex: LatLon,
    azimuth_deg: f64,
    confidence: f32,
) -> Sighting {
    let source = Source::Camera {
        camera: name.into(),
        pose: "default".into(),
        class: Class::Smoke,
        bbox: [0.4, 0.4, 0.1, 0.1].into(),
        model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.1.0".to_owned() },
        thresholds_version: 1,
        opinion: None,
    };
    let locus = Locus::Sector(Ray {
        apex,
        azimuth_deg,
        half_width_deg: 2.0,
        near_m: 200.0,
        far_m: 10_000.0,
        range: RangeBasis::Unknown,
        profile: None,
    });
    sighting(id, observed_at, source, locus, confidence)
}

pub(crate) fn person(id: u128, observed_at: Timestamp, centre: LatLon, radius_m: f64) -> Sighting {
    let source = Source::Person { who: "12119".to_owned(), words: "山后冒烟".to_owned() };
    sighting(id, observed_at, source, Locus::Disc { centre, radius_m }, 0.8)
}

/// An office that lets cameras dispatch after two minutes without a look.
pub(crate) fn after_a_look() -> Policy {
    let mut policy = Policy::default();
    policy.review.camera = Review::OfficerThenAuto { after: minutes(2.0) };
    policy
}

/// 大坪村: A角 wang is responsible, then li.
pub(crate) fn village() -> Place {
    Place {
        name: "大坪村后山".to_owned(),
        grid: Some("G17".into()),
        village: Some("大坪村".to_owned()),
        township: Some("官庄镇".to_owned()),
        suggested: vec!["wang".into(), "li".into()],
        unique: true,
        labels: Vec::new(),
        ..Place::default()
    }
}

pub(crate) fn verification(category: u8) -> Verification {
    Verification {
        category,
        flames: None,
        area_mu: None,
        extinguished: Some(true),
        words: "烧荒，已扑灭".to_owned(),
        photos: Vec::new(),
        no_photo_reason: None,
        position: None,
    }
}

pub(crate) fn by(actor: Actor) -> By {
    By { actor, action: None, happened_at: None }
}

pub(crate) fn ranger(name: &str) -> By {
    by(Actor::Ranger { person: name.into() })
}

pub(crate) fn officer() -> By {
    by(Actor::Officer { person: "zhao".into() })
}

pub(crate) fn phone_ack() -> Input {
    Input::Acknowledge { means: Means::Phone }
}

/// A position 20 m from the centre of the hills, measured just now.
pub(crate) fn phone_arrive(now: Timestamp) -> Input {
    Input::Arrive { means: Means::Phone, position: Some(standing(place_m(20.0, 0.0), now)) }
}

pub(crate) fn standing(at: LatLon, measured_at: Timestamp) -> Position {
    Position { at, accuracy_m: 12.0, measured_at: Some(measured_at) }
}

/// West of the centre is G16 with chen, east of it G17 with wang; li is B角 of both. The weights
/// are those of a disc.
pub(crate) fn two_grids(fix: &Fix) -> Place {
    let east_m = crate::triage::overlap::flat(place_m(0.0, 0.0), fix.centre)[0];
    let east = (0.5 + east_m / (2.0 * fix.radius_m.max(1.0))).clamp(0.0, 1.0);
    let candidate = |grid: &str, ranger: &str, weight: f64| Candidate {
        grid: grid.into(),
        name: format!("官庄镇{grid}"),
        weight,
        share: weight,
        ranger: Some(ranger.into()),
        backup: Some("li".into()),
    };
    let mut candidates = vec![candidate("G17", "wang", east), candidate("G16", "chen", 1.0 - east)];
    candidates.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    candidates.retain(|it| it.weight > 0.0);
    let suggested = candidates
        .iter()
        .filter_map(|it| it.ranger.clone())
        .chain([PersonId::from("li")])
        .collect();
    Place {
        name: candidates[0].name.clone(),
        grid: Some(candidates[0].grid.clone()),
        unique: candidates.len() == 1,
        suggested,
        candidates,
        ..village()
    }
}

/// Who stands in each role of the made-up county.
pub(crate) fn holder(role: Role, _: &Place, ranger: Option<&PersonId>) -> Option<PersonId> {
    Some(match role {
        Role::Ranger => ranger?.clone(),
        Role::BackupRanger => "li".into(),
        Role::VillageChief => "chief".into(),
        Role::TownshipDuty => "town".into(),
        Role::CountyDuty => "zhao".into(),
        Role::CountyLeader => "qian".into(),
        Role::NextDuty => "sun".into(),
    })
}

pub(crate) fn report(category: u8) -> Input {
    Input::Report { verification: verification(category) }
}

/// Random numbers from a seed (SplitMix64), so that a failing test can be repeated.
pub(crate) struct Chance(pub u64);

impl Chance {
    /// 0..1
    pub(crate) fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(crate) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// A normal error of one sigma (Box–Muller).
    pub(crate) fn normal(&mut self) -> f64 {
        let (radius, turn) = ((-2.0 * (1.0 - self.share()).ln()).sqrt(), self.share());
        radius * (std::f64::consts::TAU * turn).cos()
    }
}

/// The same bearing with a measured range.
pub(crate) fn ranged(mut sighting: Sighting, nearest_m: f64, farthest_m: f64) -> Sighting {
    if let Locus::Sector(Ray { near_m, far_m, range, .. }) = &mut sighting.locus {
        (*near_m, *far_m, *range) = (nearest_m, farthest_m, RangeBasis::Terrain);
    }
    sighting
}

/// One incident under a clock that the story advances.
pub(crate) struct Story {
    pub incident: Incident,
    pub policy: Policy,
    pub now: Timestamp,
    pub place: Box<dyn Fn(&Fix) -> Place>,
    ids: u128,
}

impl Story {
    /// The place is `place`, wherever the fix lies.
    pub(crate) fn opened(sighting: Sighting, place: Place, policy: Policy) -> Self {
        Self::seen(vec![sighting], Box::new(move |_| place.clone()), policy)
    }

    pub(crate) fn seen(
        sightings: Vec<Sighting>,
        place: Box<dyn Fn(&Fix) -> Place>,
        policy: Policy,
    ) -> Self {
        let now = sightings.iter().map(|it| it.observed_at).max().expect("evidence");
        let (id, dispatch) = (IncidentId(uuid(7 << 64)), DispatchId(uuid(1000)));
        let new =
            NewIncident { id, dispatch, sightings, links: vec![], split_from: None, flood: None };
        Self::begun(new, place, policy, now)
    }

    pub(crate) fn begun(
        new: NewIncident,
        place: Box<dyn Fn(&Fix) -> Place>,
        policy: Policy,
        now: Timestamp,
    ) -> Self {
        let asked = |fix: &Fix, _: &[Hint]| place(fix);
        let events =
            Incident::open(new, &Office { policy: &policy, place: &asked, holder: &holder }, now);
        let incident = Incident::from_log(&events).expect("a log that begins with Opened");
        Self { incident, policy, now, place, ids: 1001 }
    }

    /// A satellite saw it, so the ranger wang was dispatched at minute 0.
    pub(crate) fn dispatched() -> Self {
        Self::opened(satellite(1, start(), place_m(0.0, 0.0)), village(), Policy::default())
    }

    /// A satellite saw it, 100 m east of the border of two grids.
    pub(crate) fn between_grids() -> Self {
        Self::seen(
            vec![satellite(1, start(), place_m(100.0, 0.0))],
            Box::new(two_grids),
            Policy::default(),
        )
    }

    /// A camera saw it; it waits for an officer's look.
    pub(crate) fn waiting(confidence: f32) -> Self {
        let sighting = camera(1, start(), "tower-3", place_m(-3000.0, 0.0), 90.0, confidence);
        Self::opened(sighting, village(), Policy::default())
    }

    /// The same, where the office lets cameras dispatch after two minutes without a look.
    pub(crate) fn waiting_for_auto(confidence: f32) -> Self {
        let sighting = camera(1, start(), "tower-3", place_m(-3000.0, 0.0), 90.0, confidence);
        Self::opened(sighting, village(), after_a_look())
    }

    /// Advances time to that minute. The desk wakes at every deadline, and no sooner.
    pub(crate) fn until(&mut self, minute: f64) -> &mut Self {
        while let Some((due, _)) =
            self.incident.next_deadline().filter(|(due, _)| *due <= at(minute))
        {
            self.now = due.max(self.now);
            self.tick();
        }
        self.now = at(minute);
        self
    }

    pub(crate) fn tick(&mut self) -> Vec<Event> {
        let dispatch = self.id();
        self.act(Input::Tick { dispatch, with: None }, &by(Actor::System))
            .expect("time is never refused")
    }

    pub(crate) fn act(&mut self, input: Input, by: &By) -> Result<Vec<Event>, Refusal> {
        let place = |fix: &Fix, _: &[Hint]| (self.place)(fix);
        let office = Office { policy: &self.policy, place: &place, holder: &holder };
        let (decided, events) = self.incident.clone().handle(input, by, &office, self.now)?;
        Ok(self.take(decided, events))
    }

    /// The same, where the place also depends on hints.
    pub(crate) fn act_placed(
        &mut self,
        input: Input,
        by: &By,
        place: &Placing<'_>,
    ) -> Result<Vec<Event>, Refusal> {
        let office = Office { policy: &self.policy, place, holder: &holder };
        let (decided, events) = self.incident.clone().handle(input, by, &office, self.now)?;
        Ok(self.take(decided, events))
    }

    fn take(&mut self, decided: Incident, events: Vec<Recorded>) -> Vec<Event> {
        for event in &events {
            self.incident.apply(event);
        }
        assert_eq!(self.incident, decided, "the events make it what was decided on");
        events.into_iter().map(|it| it.event).collect()
    }

    /// With an action id, as phones do; returns the id.
    pub(crate) fn tap(&mut self, name: &str, input: Input) -> Result<Vec<Event>, Refusal> {
        let action = Some(ActionId(uuid(self.ids << 32)));
        self.ids += 1;
        self.act(input, &By { action, ..ranger(name) })
    }

    pub(crate) fn send(&mut self, name: &str) -> Result<Vec<Event>, Refusal> {
        let dispatch = self.id();
        self.act(Input::Dispatch { dispatch, ranger: name.into() }, &officer())
    }

    pub(crate) fn see(&mut self, sighting: Sighting) -> Vec<Event> {
        self.see_all(vec![sighting])
    }

    pub(crate) fn see_all(&mut self, sightings: Vec<Sighting>) -> Vec<Event> {
        self.act(Input::AddSightings { sightings }, &by(Actor::System))
            .expect("open incidents take evidence")
    }

    fn id(&mut self) -> DispatchId {
        self.ids += 1;
        DispatchId(uuid(self.ids))
    }

    /// Who was called or written to, and at which minute.
    pub(crate) fn told(&self) -> Vec<(i64, Vec<Role>, Channel)> {
        let told = self.incident.log.iter().filter_map(|it| match &it.event {
            Event::Escalated { tell, channel, .. } | Event::Rang { tell, channel, .. } => {
                Some((minute(it), tell.clone(), *channel))
            }
            _ => None,
        });
        told.collect()
    }

    /// The kinds of events so far, with their minutes.
    pub(crate) fn story(&self) -> Vec<(i64, &'static str)> {
        self.incident.log.iter().map(|it| (minute(it), kind(&it.event))).collect()
    }
}

fn minute(it: &Recorded) -> i64 {
    it.at.duration_since(start()).as_mins()
}

pub(crate) fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(kind).collect()
}

pub(crate) fn kind(event: &Event) -> &'static str {
    match event {
        Event::Opened { .. } => "opened",
        Event::SightingAdded { .. } => "sighting added",
        Event::ReviewMissed { .. } => "review missed",
        Event::Relocated { .. } => "relocated",
        Event::RelocationProposed { .. } => "relocation proposed",
        Event::RelocationDismissed => "relocation dismissed",
        Event::StruckOut { .. } => "struck out",
        Event::Reinstated { .. } => "reinstated",
        Event::SplitOff { .. } => "split off",
        Event::Merged { .. } => "merged",
        Event::MergedInto { .. } => "merged into",
        Event::Unmerged { .. } => "unmerged",
        Event::Linked { .. } => "linked",
        Event::Reminded { .. } => "reminded",
        Event::Rang { .. } => "rang",
        Event::Answered { .. } => "answered",
        Event::Undelivered { .. } => "undelivered",
        Event::UndeliveredTaken { .. } => "undelivered taken",
        Event::Intended { .. } => "intended",
        Event::IntentOver => "intent over",
        Event::Dispatched(_) => "dispatched",
        Event::Acknowledged { late: false, .. } => "acknowledged",
        Event::Acknowledged { late: true, .. } => "acknowledged late",
        Event::Declined { .. } => "declined",
        Event::Arrived { unproven: Some(_), .. } => "claimed to arrive",
        Event::Arrived { late: false, .. } => "arrived",
        Event::Arrived { late: true, .. } => "arrived late",
        Event::Reported { late: false, .. } => "reported",
        Event::Reported { late: true, .. } => "reported late",
        Event::DeadlineMissed { .. } => "deadline missed",
        Event::Escalated { .. } => "escalated",
        Event::SentBack { .. } => "sent back",
        Event::Closed { .. } => "closed",
        Event::LateActionKept { .. } => "kept",
        Event::PhotoAdded { .. } => "photo added",
        Event::Noted { .. } => "noted",
        Event::SupportAsked { .. } => "support asked",
    }
}
