//! Events → state. Total: whatever the log says is folded, nothing is judged again here.

use super::{Incident, State};
use crate::triage::dispatch::{Dispatch, Step};
use crate::triage::event::{Actor, Dispatched, Event, Means, Position, Recorded, Verification};
use crate::triage::id::{DispatchId, PictureId};
use crate::triage::locate;
use crate::triage::sighting::Sighting;
use jiff::Timestamp;

impl Incident {
    /// Folds a log; `None` when it does not begin with `Opened`.
    pub fn from_log(log: &[Recorded]) -> Option<Self> {
        let (first, rest) = log.split_first()?;
        let mut incident = opened(first)?;
        for recorded in rest {
            incident.apply(recorded);
        }
        Some(incident)
    }

    pub fn apply(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            // Only ever first in a log, where `from_log` reads it; and these three change no state.
            Event::Opened { .. } | Event::LateActionKept { .. } | Event::Noted { .. } => {}
            Event::SightingAdded { sighting, priority } => {
                self.priority = priority.clone();
                self.see(sighting.clone());
            }
            Event::ReviewMissed { .. } => {
                self.review_by = None;
                self.review_missed = true;
            }
            Event::Dispatched(dispatched) => {
                self.past_dispatches.extend(self.dispatch.replace(begun(dispatched, at)));
                self.state = State::Dispatched;
                self.review_by = None;
            }
            Event::Acknowledged { dispatch, means, late } => {
                let step = step(recorded, means.clone(), *late, None);
                self.on(*dispatch, State::Acknowledged, |it| it.acknowledged = Some(step));
            }
            Event::Arrived { dispatch, means, position, late, .. } => {
                let step = step(recorded, means.clone(), *late, *position);
                self.on(*dispatch, State::Arrived, |it| it.arrived = Some(step));
            }
            Event::Reported { dispatch, verification, late } => self.reported(recorded, *dispatch, verification, *late),
            Event::Declined { dispatch, reason } => {
                self.on(*dispatch, State::NeedsReview, |it| it.declined = Some(reason.clone()));
                self.review_by = Some(at);
                self.review_missed = false;
            }
            Event::DeadlineMissed { dispatch, stage } => {
                self.on(*dispatch, self.state, |it| it.missed.push(*stage));
            }
            Event::Escalated { dispatch, rung, .. } => self.on(*dispatch, self.state, |it| it.fired.push(*rung)),
            Event::SentBack { .. } => self.state = State::Arrived,
            Event::Closed { closure } => {
                self.state = State::Closed;
                self.review_by = None;
                self.closure = Some(closure.clone());
                self.closed_at = Some(at);
            }
            Event::PhotoAdded { picture } => {
                if let Some(verification) = &mut self.verification {
                    add_photo(verification, *picture);
                }
            }
        }
        self.remember(recorded);
    }

    fn remember(&mut self, recorded: &Recorded) {
        self.actions.extend(recorded.action);
        self.log.push(recorded.clone());
        self.version += 1;
    }

    /// Evidence may come late and out of order; the fix does not depend on the order.
    fn see(&mut self, sighting: Sighting) {
        self.first_seen_at = self.first_seen_at.min(sighting.observed_at);
        self.last_seen_at = self.last_seen_at.max(sighting.observed_at);
        self.sightings.push(sighting);
        self.fix = locate::fix(&self.sightings);
    }

    /// Changes the dispatch of that id; the incident's state moves only with its last dispatch.
    fn on(&mut self, id: DispatchId, state: State, change: impl FnOnce(&mut Dispatch)) {
        if self.dispatch.as_ref().is_some_and(|last| last.id == id) {
            self.state = state;
        }
        if let Some(dispatch) = self.dispatch.iter_mut().chain(&mut self.past_dispatches).find(|it| it.id == id) {
            change(dispatch);
        }
    }

    fn reported(&mut self, recorded: &Recorded, id: DispatchId, verification: &Verification, late: bool) {
        let means = match &recorded.actor {
            Actor::Officer { .. } => Means::Proxy { reason: verification.words.clone() },
            Actor::Ranger { .. } | Actor::System => Means::Phone,
        };
        if verification.is_interim() {
            self.on(id, State::Arrived, |_| {});
        } else {
            let step = step(recorded, means, late, verification.position);
            self.on(id, State::Reported, |it| {
                it.reported.get_or_insert(step);
            });
        }
        let mut verification = verification.clone();
        for earlier in &self.log {
            if let Event::PhotoAdded { picture } = earlier.event {
                add_photo(&mut verification, picture);
            }
        }
        self.verification = Some(verification);
    }
}

fn opened(recorded: &Recorded) -> Option<Incident> {
    let Event::Opened { incident, sighting, place, priority, review_by, .. } = &recorded.event else { return None };
    let sightings = vec![sighting.clone()];
    let mut opened = Incident {
        id: *incident,
        version: 0,
        state: State::NeedsReview,
        drill: sighting.drill,
        opened_at: recorded.at,
        first_seen_at: sighting.observed_at,
        last_seen_at: sighting.observed_at,
        fix: locate::fix(&sightings),
        place: place.clone(),
        sightings,
        priority: priority.clone(),
        review_by: *review_by,
        review_missed: false,
        dispatch: None,
        past_dispatches: Vec::new(),
        verification: None,
        closure: None,
        closed_at: None,
        actions: Vec::new(),
        log: Vec::new(),
    };
    opened.remember(recorded);
    Some(opened)
}

fn begun(dispatched: &Dispatched, at: Timestamp) -> Dispatch {
    Dispatch {
        id: dispatched.dispatch,
        ranger: dispatched.ranger.clone(),
        dispatched_at: at,
        zero_at: dispatched.zero_at,
        acknowledge_by: dispatched.acknowledge_by,
        arrive_by: dispatched.arrive_by,
        report_by: dispatched.report_by,
        ladder: dispatched.ladder.clone(),
        fired: Vec::new(),
        missed: Vec::new(),
        acknowledged: None,
        arrived: None,
        reported: None,
        declined: None,
        policy_version: dispatched.policy_version,
    }
}

fn step(recorded: &Recorded, means: Means, late: bool, position: Option<Position>) -> Step {
    Step { received_at: recorded.at, happened_at: recorded.happened_at, means, late, position }
}

fn add_photo(verification: &mut Verification, picture: PictureId) {
    if !verification.photos.contains(&picture) {
        verification.photos.push(picture);
    }
}
