//! Time → events, and the two entry points. A decision carries the incident along, so that each
//! step sees the ones before it.

use super::{By, Deadline, Incident, Input, Link, NewIncident, Office, Refusal, State};
use crate::base::time::later;
use crate::triage::category::OUTSIDE;
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{
    Actor, Because, Called, Candidate, Closure, Dispatched, Due, Event, Hint, Neighbour, Recorded,
};
use crate::triage::id::{ActionId, DispatchId, GridId, IncidentId, PersonId};
use crate::triage::locate;
use crate::triage::policy::{Policy, Role, Rung, Stage, ZeroPoint};
use crate::triage::score;
use crate::triage::sending::{self, Case, Sending, Verdict};
use crate::triage::sighting::Sighting;
use jiff::{SignedDuration, Timestamp};
use std::slice;
use uuid::Uuid;

impl Incident {
    /// The first events of a new incident: `Opened`, what else was seen at once, and the result of
    /// the rule of sending.
    pub fn open(new: NewIncident, office: &Office<'_>, now: Timestamp) -> Vec<Recorded> {
        let Some((first, rest)) = new.sightings.split_first() else { return Vec::new() };
        let fix = locate::fix(slice::from_ref(first));
        let hints: Vec<Hint> = new.links.iter().filter_map(|it| it.hint).collect();
        let place = (office.place)(&fix, &hints);
        let priority = score::priority(&new.sightings, &place.labels);
        let opened = |review_by| {
            let opened = Event::Opened {
                incident: new.id,
                sighting: first.clone(),
                place: place.clone(),
                priority: priority.clone(),
                review_by: Some(review_by),
                policy_version: office.policy.version,
                fix: Some(fix),
                split_from: new.split_from,
                flood: new.flood.map(|(first, _)| first),
            };
            let opened = system(now, opened);
            let Some(incident) = Self::from_log(slice::from_ref(&opened)) else {
                unreachable!("a log that begins with Opened folds")
            };
            (opened, incident)
        };
        // When an officer has to look depends on all of the evidence. So it is judged first, and
        // then written into the first event.
        let (_, mut whole) = opened(later(now, office.policy.review.alarm_after));
        whole.sightings.extend(rest.iter().cloned());
        whole.fix = locate::fix(&whole.sightings);
        whole.place = (office.place)(&whole.fix, &hints);
        let review_by = match (whole.judge(office.policy, false).verdict, new.flood) {
            (Verdict::Digest, _) => next_digest(now, office.policy.labelled.digest_after),
            (_, Some((_, at))) => at,
            (Verdict::Look { within }, None) => later(now, within),
            (Verdict::Send { .. } | Verdict::PassOn, None) => {
                later(now, office.policy.review.alarm_after)
            }
        };
        let (opened, incident) = opened(review_by);
        let mut decision =
            Decision { incident, events: vec![opened], office: *office, now, spare: new.dispatch };
        for Link { other, hint } in new.links {
            decision.by_system(Event::Linked { other, hint });
        }
        decision.take_evidence(rest, &system_by());
        if !decision.consider(false) {
            decision.pass_on();
        }
        decision.fire_due();
        decision.events
    }

    /// The event that this action has already made: a repeat makes no more.
    pub fn made_by(&self, action: ActionId) -> Option<&Recorded> {
        self.log.iter().map(|it| &**it).find(|it| it.action == Some(action))
    }

    /// Decides: returns the resulting incident and the events that lead to it. Deadlines already
    /// past at `now` are fired first, so the order of waking does not matter. A repeated action
    /// yields no event. Of the events of one action exactly one carries its id.
    pub fn handle(
        self,
        input: Input,
        by: &By,
        office: &Office<'_>,
        now: Timestamp,
    ) -> Result<(Self, Vec<Recorded>), Refusal> {
        if let Some(done) = by.action.and_then(|action| self.made_by(action)) {
            let repeat = done.actor == by.actor && input.may_have_made(&done.event);
            return if repeat { Ok((self, Vec::new())) } else { Err(Refusal::KeyReused) };
        }
        let (spare, with) = match input {
            Input::Tick { dispatch, with } => (dispatch, with),
            _ => (self.spare_dispatch_id(), None),
        };
        let mut decision =
            Decision { incident: self, events: Vec::new(), office: *office, now, spare };
        decision.fire_due_with(with);
        decision.take(input, by)?;
        decision.fire_due();
        Ok((decision.incident, decision.events))
    }

    /// The earliest moment at which time alone changes this incident. `None` only for a closed one,
    /// and for one that another incident leads while no ranger of its own is on the way.
    pub fn next_deadline(&self) -> Option<(Timestamp, Deadline)> {
        let running = self.dispatch.as_ref().filter(|it| it.is_running());
        let steps = match self.state {
            State::Dispatched | State::Acknowledged | State::Arrived => {
                running.and_then(Dispatch::next_deadline)
            }
            State::NeedsReview | State::Reported => None,
            State::Closed => return None,
        };
        let held = self.intent.as_ref().filter(|it| !it.over && self.state == State::NeedsReview);
        let rings = self.waiting.iter().map(|it| {
            // The policy does not act before an officer who is deciding. Rings that have begun
            // continue.
            let held = held.filter(|_| it.rounds == 0).map_or(it.due_at, |intent| intent.until);
            (it.due_at.max(held), Deadline::Ring(it.matter))
        });
        let intent = held.map(|it| (it.until, Deadline::Intent));
        steps.into_iter().chain(intent).chain(rings).min_by_key(|(at, _)| *at)
    }

    /// Applies the rule of sending to this incident as it is.
    pub fn judge(&self, policy: &Policy, waited: bool) -> Sending {
        self.judge_on(&self.sightings, policy, waited)
    }

    /// The same with other evidence.
    pub(super) fn judge_on(&self, evidence: &[Sighting], policy: &Policy, waited: bool) -> Sending {
        let declined: Vec<PersonId> =
            self.dispatches().filter(|it| !it.is_running()).map(|it| it.ranger.clone()).collect();
        let case = Case {
            evidence,
            place: &self.place,
            method: self.fix.method,
            score: self.priority.score,
            declined: &declined,
            waited,
            flood: self.flood.is_some() && !waited,
        };
        sending::judge(&case, policy)
    }

    /// Id for a dispatch that the policy makes while it handles a person's input, for which the
    /// edge passed no id. Two desks that decide on the same version make the same id; only one of
    /// them commits.
    fn spare_dispatch_id(&self) -> DispatchId {
        DispatchId(Uuid::from_u128(self.id.0.as_u128().wrapping_add(u128::from(self.version))))
    }

    pub fn dispatches(&self) -> impl Iterator<Item = &Dispatch> {
        self.past_dispatches.iter().chain(&self.dispatch)
    }
}

/// One call of `open` or `handle`: the resulting incident, and the events that lead to it.
pub(super) struct Decision<'a> {
    pub(super) incident: Incident,
    events: Vec<Recorded>,
    pub(super) office: Office<'a>,
    pub(super) now: Timestamp,
    /// Id for a dispatch that the policy makes by itself.
    pub(super) spare: DispatchId,
}

impl Decision<'_> {
    pub(super) fn policy(&self) -> &Policy {
        self.office.policy
    }

    fn fire_due(&mut self) {
        self.fire_due_with(None);
    }

    /// Fires everything that is due by now, once each, in time order.
    fn fire_due_with(&mut self, with: Option<IncidentId>) {
        while let Some((at, deadline)) =
            self.incident.next_deadline().filter(|(at, _)| *at <= self.now)
        {
            self.fire(deadline, with);
            debug_assert_ne!(
                self.incident.next_deadline(),
                Some((at, deadline)),
                "a fired deadline is gone"
            );
        }
    }

    /// What a missed deadline causes.
    fn fire(&mut self, deadline: Deadline, with: Option<IncidentId>) {
        match deadline {
            Deadline::Ring(matter) => self.ring(matter, with),
            Deadline::Intent => {
                self.by_system(Event::IntentOver);
                self.consider(false);
            }
            Deadline::Acknowledge => self.miss(Stage::Acknowledged),
            Deadline::Arrive => self.miss(Stage::Arrived),
            Deadline::Report => self.miss(Stage::Reported),
            Deadline::Rung(rung) => self.escalate(rung),
        }
    }

    pub(super) fn miss(&mut self, stage: Stage) {
        if let Some(dispatch) = self.incident.dispatch.as_ref().map(|it| it.id) {
            self.by_system(Event::DeadlineMissed { dispatch, stage });
        }
    }

    fn escalate(&mut self, rung: u8) {
        let due = self
            .incident
            .dispatch
            .as_ref()
            .and_then(|it| Some((it.id, it.ladder.get(usize::from(rung))?.clone())));
        if let Some((dispatch, Due { tell, channel, .. })) = due {
            let people = self.holders(&tell);
            self.by_system(Event::Escalated { dispatch, rung, tell, channel, people });
        }
    }

    /// Who has these roles now, each person once.
    pub(super) fn holders(&self, roles: &[Role]) -> Vec<Called> {
        let ranger =
            self.incident.dispatch.as_ref().filter(|it| it.is_running()).map(|it| &it.ranger);
        let mut called: Vec<Called> = Vec::new();
        for &role in roles {
            let person = (self.office.holder)(role, &self.incident.place, ranger);
            if person.is_none() || called.iter().all(|it| it.person != person) {
                called.push(Called { role, person });
            }
        }
        called
    }

    /// Dispatches if the rule says so. Returns whether somebody was sent.
    pub(super) fn consider(&mut self, waited: bool) -> bool {
        let open = self.incident.state == State::NeedsReview && self.incident.merged_into.is_none();
        let held = self.incident.intent.as_ref().is_some_and(|it| !it.over && it.until > self.now);
        if !open || held || (self.incident.dispatch.is_some() && waited) {
            return false;
        }
        let Sending { verdict, because } = self.incident.judge(self.policy(), waited);
        match verdict {
            Verdict::Send { ranger, neighbours } => {
                let dispatched = self.clocks(self.spare, ranger, because, neighbours);
                self.by_system(Event::Dispatched(dispatched));
                true
            }
            Verdict::PassOn | Verdict::Look { .. } | Verdict::Digest => false,
        }
    }

    /// 转报: an incident that opens outside the county is recorded with the neighbour's name and
    /// closed, without a card or a ring. One that somebody has seen is never closed automatically.
    fn pass_on(&mut self) {
        if self.incident.judge(self.policy(), false).verdict == Verdict::PassOn {
            let passed_to = self.incident.place.neighbour.clone();
            let closure =
                Closure { category: OUTSIDE, false_alarm: None, words: String::new(), passed_to };
            self.by_system(Event::Closed { closure });
        }
    }

    /// Limits and ladder as absolute times. The limits count from the policy's zero point. The
    /// rungs count from the dispatch, because nobody could have acted before.
    pub(super) fn clocks(
        &self,
        dispatch: DispatchId,
        ranger: PersonId,
        because: Vec<Because>,
        neighbours: Vec<Neighbour>,
    ) -> Dispatched {
        let policy = self.policy();
        let zero_at = match policy.zero_point {
            ZeroPoint::Dispatched => self.now,
            // A camera clock that runs ahead gives nobody more time.
            ZeroPoint::FirstSeen => self.incident.first_seen_at.min(self.now),
        };
        let due = |rung: &Rung| Due {
            at: later(self.now, rung.after),
            unless: rung.unless,
            tell: rung.tell.clone(),
            channel: rung.channel,
        };
        let ladder: Vec<Due> = policy.ladder.iter().map(due).collect();
        let report_by = later(zero_at, policy.report_within);
        let last = ladder.iter().map(|due| due.at).max().unwrap_or(report_by).max(report_by);
        let grid = self.grid_of(&ranger);
        Dispatched {
            dispatch,
            ranger,
            grid,
            replaces: self.incident.dispatch.as_ref().map(|it| it.id),
            zero_at,
            acknowledge_by: later(zero_at, policy.acknowledge_within),
            arrive_by: later(zero_at, policy.arrive_within),
            report_by,
            ladder,
            policy_version: policy.version,
            chase_at: Some(later(last, policy.chase.again)),
            because,
            neighbours,
        }
    }

    /// The candidate grid of this ranger, else the likeliest.
    fn grid_of(&self, ranger: &PersonId) -> Option<GridId> {
        let place = &self.incident.place;
        let his = |it: &&Candidate| [&it.ranger, &it.backup].contains(&&Some(ranger.clone()));
        place.candidates.iter().find(his).map(|it| it.grid.clone()).or_else(|| place.grid.clone())
    }

    pub(super) fn by(&mut self, by: &By, event: Event) {
        self.record(Recorded {
            at: self.now,
            actor: by.actor.clone(),
            action: by.action,
            happened_at: by.happened_at,
            event,
        });
    }

    pub(super) fn by_system(&mut self, event: Event) {
        self.record(system(self.now, event));
    }

    fn record(&mut self, recorded: Recorded) {
        self.incident.apply(&recorded);
        self.events.push(recorded);
    }
}

fn system_by() -> By {
    By { actor: Actor::System, action: None, happened_at: None }
}

fn system(at: Timestamp, event: Event) -> Recorded {
    Recorded { at, actor: Actor::System, action: None, happened_at: None, event }
}

/// The next multiple of `every` after `now`, so that everything that waits for a digest is in one.
pub(super) fn next_digest(now: Timestamp, every: SignedDuration) -> Timestamp {
    let every = every.as_secs().max(1);
    let next = (now.as_second().div_euclid(every) + 1) * every;
    Timestamp::from_second(next).unwrap_or(Timestamp::MAX)
}
