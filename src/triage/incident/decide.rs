//! Time → events, and the two ways in. Nothing is changed here: a copy of the incident is carried along so that every decision sees
//! the ones before it.

use super::{By, Deadline, Incident, Input, NewIncident, Refusal, State};
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Actor, Dispatched, Due, Event, Recorded};
use crate::triage::id::{DispatchId, PersonId};
use crate::triage::policy::{Channel, Policy, Review, Role, Rung, Stage, ZeroPoint};
use crate::triage::sighting::{Label, Sighting};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

impl Incident {
    /// The first events of a new incident: `Opened`, and `Dispatched` when the policy says `auto` and the grid is unique.
    pub fn open(new: NewIncident, policy: &Policy, now: Timestamp) -> Vec<Recorded> {
        let review = policy.review.of(new.sighting.source.kind());
        let at_once = review == Review::Auto && new.place.unique;
        let review_after = match review {
            Review::OfficerThenAuto { after } => after,
            Review::Auto | Review::Officer => policy.review.alarm_after,
        };
        let opened = system(
            now,
            Event::Opened {
                incident: new.id,
                sighting: new.sighting,
                place: new.place,
                priority: new.priority,
                review_by: Some(later(now, review_after)),
                policy_version: policy.version,
            },
        );
        let Some(incident) = Self::from_log(std::slice::from_ref(&opened)) else {
            unreachable!("a log that begins with Opened folds")
        };
        let mut decision = Decision { incident, events: vec![opened], policy, now, spare: new.dispatch };
        if at_once {
            decision.dispatch_by_policy();
        }
        decision.fire_due();
        decision.events
    }

    /// Decides. Deadlines already past at `now` are fired first, so the order of waking does not matter. A repeated action
    /// yields no event. Does not change `self`: apply the events. Of the events of one action exactly one carries its id.
    pub fn handle(&self, input: Input, by: &By, policy: &Policy, now: Timestamp) -> Result<Vec<Recorded>, Refusal> {
        if by.action.is_some_and(|action| self.actions.contains(&action)) {
            return Ok(Vec::new());
        }
        let spare = match input {
            Input::Tick { dispatch } => dispatch,
            _ => self.spare_dispatch_id(),
        };
        let mut decision = Decision { incident: self.clone(), events: Vec::new(), policy, now, spare };
        decision.fire_due();
        decision.take(input, by)?;
        decision.fire_due();
        Ok(decision.events)
    }

    /// The earliest moment at which time alone changes this incident.
    pub fn next_deadline(&self) -> Option<(Timestamp, Deadline)> {
        match self.state {
            State::NeedsReview => self.review_by.map(|at| (at, Deadline::Review)),
            State::Dispatched | State::Acknowledged | State::Arrived => self.dispatch.as_ref()?.next_deadline(),
            State::Reported | State::Closed => None,
        }
    }

    /// For a dispatch that the policy makes while a person's input is taken in, when the edge passed no id. Two desks that
    /// decide on the same version make the same one; only one of them commits.
    fn spare_dispatch_id(&self) -> DispatchId {
        DispatchId(Uuid::from_u128(self.id.0.as_u128().wrapping_add(u128::from(self.version))))
    }

    /// Best ranger who has not said 不能前往 to this incident; none while the place is unknown or a neighbour's.
    fn sendable(&self) -> Option<PersonId> {
        let place = &self.place;
        let known = place.grid.is_some() || place.village.is_some() || place.township.is_some();
        if !known || place.labels.contains(&Label::OutsideCounty) {
            return None;
        }
        let declined = |ranger: &&PersonId| self.dispatches().any(|it| !it.is_running() && it.ranger == **ranger);
        place.suggested.iter().find(|ranger| !declined(ranger)).cloned()
    }

    pub(super) fn dispatches(&self) -> impl Iterator<Item = &Dispatch> {
        self.past_dispatches.iter().chain(&self.dispatch)
    }
}

/// One call of `open` or `handle`: the incident as it will be, and the events that make it so.
pub(super) struct Decision<'a> {
    pub(super) incident: Incident,
    events: Vec<Recorded>,
    pub(super) policy: &'a Policy,
    pub(super) now: Timestamp,
    /// Id for a dispatch that the policy makes by itself.
    spare: DispatchId,
}

impl Decision<'_> {
    /// Fires everything that time alone has brought about, each once, in time order.
    fn fire_due(&mut self) {
        while let Some((at, deadline)) = self.incident.next_deadline().filter(|(at, _)| *at <= self.now) {
            self.fire(deadline);
            debug_assert_ne!(self.incident.next_deadline(), Some((at, deadline)), "a fired deadline is gone");
        }
    }

    /// What lateness means.
    fn fire(&mut self, deadline: Deadline) {
        match deadline {
            Deadline::Review => self.review_is_over(),
            Deadline::Acknowledge => self.miss(Stage::Acknowledged),
            Deadline::Arrive => self.miss(Stage::Arrived),
            Deadline::Report => self.miss(Stage::Reported),
            Deadline::Rung(rung) => self.escalate(rung),
        }
    }

    /// The policy dispatches by itself, or somebody is rung; never nothing. After a 不能前往 nobody is on the way, so both
    /// the officer and the leader on duty are rung.
    fn review_is_over(&mut self) {
        let declined = self.incident.dispatch.is_some();
        if !declined && self.may_dispatch_itself() && self.dispatch_by_policy() {
            return;
        }
        let tell = if declined { vec![Role::CountyDuty, Role::CountyLeader] } else { vec![Role::CountyLeader] };
        self.by_system(Event::ReviewMissed { tell, channel: Channel::Voice });
    }

    fn may_dispatch_itself(&self) -> bool {
        let review = |sighting: &Sighting| self.policy.review.of(sighting.source.kind());
        self.incident.priority.score >= self.policy.review.auto_score
            && self.incident.sightings.iter().any(|it| matches!(review(it), Review::OfficerThenAuto { .. }))
    }

    fn miss(&mut self, stage: Stage) {
        if let Some(dispatch) = self.incident.dispatch.as_ref().map(|it| it.id) {
            self.by_system(Event::DeadlineMissed { dispatch, stage });
        }
    }

    fn escalate(&mut self, rung: u8) {
        let due =
            self.incident.dispatch.as_ref().and_then(|it| Some((it.id, it.ladder.get(usize::from(rung))?.clone())));
        if let Some((dispatch, Due { tell, channel, .. })) = due {
            self.by_system(Event::Escalated { dispatch, rung, tell, channel });
        }
    }

    /// False when nobody can be sent.
    pub(super) fn dispatch_by_policy(&mut self) -> bool {
        let Some(ranger) = self.incident.sendable() else { return false };
        let dispatched = self.clocks(self.spare, ranger);
        self.by_system(Event::Dispatched(dispatched));
        true
    }

    /// Limits and ladder as absolute times, counted from the policy's zero point.
    pub(super) fn clocks(&self, dispatch: DispatchId, ranger: PersonId) -> Dispatched {
        let policy = self.policy;
        let zero_at = match policy.zero_point {
            ZeroPoint::Dispatched => self.now,
            // A camera whose clock runs ahead buys nobody time.
            ZeroPoint::FirstSeen => self.incident.first_seen_at.min(self.now),
        };
        let due = |rung: &Rung| Due {
            at: later(zero_at, rung.after),
            unless: rung.unless,
            tell: rung.tell.clone(),
            channel: rung.channel,
        };
        Dispatched {
            dispatch,
            ranger,
            replaces: self.incident.dispatch.as_ref().map(|it| it.id),
            zero_at,
            acknowledge_by: later(zero_at, policy.acknowledge_within),
            arrive_by: later(zero_at, policy.arrive_within),
            report_by: later(zero_at, policy.report_within),
            ladder: policy.ladder.iter().map(due).collect(),
            policy_version: policy.version,
        }
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

    fn by_system(&mut self, event: Event) {
        self.record(system(self.now, event));
    }

    fn record(&mut self, recorded: Recorded) {
        self.incident.apply(&recorded);
        self.events.push(recorded);
    }
}

fn system(at: Timestamp, event: Event) -> Recorded {
    Recorded { at, actor: Actor::System, action: None, happened_at: None, event }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
