//! Events → state. Total: every event in the log is folded, and nothing is judged again here.

use super::{
    Answer, Deciding, Incident, Link, Merged, Proposal, State, Told, Undelivered, Waiting,
};
use crate::base::time::later;
use crate::triage::dispatch::{Dispatch, Step};
use crate::triage::event::{
    Actor, Called, Dispatched, Event, Matter, Means, Recorded, Verification,
};
use crate::triage::id::{DispatchId, IncidentId, PersonId, PictureId, SightingId};
use crate::triage::locate;
use crate::triage::policy::{ChasePolicy, Role};
use crate::triage::sighting::Sighting;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Borrow;
use std::sync::Arc;

impl Incident {
    /// Folds a log; `None` when it does not begin with `Opened`.
    pub fn from_log<R: Borrow<Recorded>>(log: &[R]) -> Option<Self> {
        let (first, rest) = log.split_first()?;
        let mut incident = opened(first.borrow())?;
        for recorded in rest {
            incident.apply(recorded.borrow());
        }
        Some(incident)
    }

    pub fn apply(&mut self, recorded: &Recorded) {
        let at = recorded.at;
        match &recorded.event {
            // `Opened` is only ever first, where `from_log` reads it; the other changes no state.
            Event::Opened { .. } | Event::LateActionKept { .. } => {}
            Event::Noted { .. } => {
                if let Actor::Officer { .. } = recorded.actor {
                    self.done(Matter::Support);
                }
            }
            Event::SupportAsked { .. } => self.begin(Matter::Support, at, at),
            Event::SightingAdded { sighting, priority, review_by } => {
                self.priority = priority.clone();
                self.see(sighting.clone());
                let sooner = review_by.filter(|_| self.state == State::NeedsReview);
                if let (Some(by), Some(review)) = (sooner, self.waiting_mut(Matter::Review)) {
                    review.due_at = review.due_at.min(by);
                }
            }
            Event::Relocated {
                fix, place, priority, answer_by, neighbours, tell_ranger, ..
            } => {
                (self.fix, self.place, self.priority) = (*fix, place.clone(), priority.clone());
                self.proposal = None;
                self.done(Matter::Relocation);
                if let Some(by) = answer_by {
                    self.begin(Matter::Relocation, at, *by);
                }
                if let Some(dispatch) = &mut self.dispatch {
                    dispatch.neighbours.extend(neighbours.iter().cloned());
                    if *tell_ranger {
                        dispatch.told_at = fix.centre;
                    }
                }
                self.tell(neighbours.iter().map(|it| (Role::Ranger, it.ranger.clone())), at);
            }
            Event::RelocationProposed { fix, place, why, answer_by, neighbours } => {
                if let Some(dispatch) = &mut self.dispatch {
                    dispatch.neighbours.extend(neighbours.iter().cloned());
                }
                self.tell(neighbours.iter().map(|it| (Role::Ranger, it.ranger.clone())), at);
                self.proposal =
                    Some(Proposal { fix: *fix, place: place.clone(), why: why.clone() });
                if self.waiting(Matter::Relocation).is_none() {
                    self.begin(Matter::Relocation, at, *answer_by);
                }
            }
            Event::RelocationDismissed => {
                self.proposal = None;
                self.done(Matter::Relocation);
            }
            Event::StruckOut { sighting, .. } => {
                let (out, kept) = std::mem::take(&mut self.sightings)
                    .into_iter()
                    .partition(|it| it.id == *sighting);
                self.sightings = kept;
                self.struck_out.extend::<Vec<Sighting>>(out);
            }
            Event::Reinstated { sighting } => {
                let (back, out) = std::mem::take(&mut self.struck_out)
                    .into_iter()
                    .partition(|it| it.id == *sighting);
                self.struck_out = out;
                self.sightings.extend::<Vec<Sighting>>(back);
            }
            Event::SplitOff { sightings, .. } => {
                self.sightings
                    .retain(|it| self.state == State::Closed || !sightings.contains(&it.id));
                self.reminders.retain(|it| !sightings.contains(&it.id));
            }
            Event::Merged { other, sightings } => {
                self.merge(*other, sightings, matches!(recorded.actor, Actor::Officer { .. }));
            }
            Event::MergedInto { into } => {
                self.merged_into = Some(*into);
                self.done(Matter::Review);
            }
            Event::Unmerged { other } => self.unmerge(*other, at),
            Event::Linked { other, hint } => {
                self.links.retain(|it| it.other != *other);
                self.links.push(Link { other: *other, hint: *hint });
            }
            Event::Reminded { sighting } => self.reminders.push(sighting.clone()),
            Event::ReviewMissed { .. } => self.rang(Matter::Review, 0, at, later(at, OLD.again)),
            Event::Rang { matter, round, people, again_at, .. } => {
                self.rang(*matter, *round, at, *again_at);
                self.called(people, at);
            }
            Event::Answered { person, role, means } => {
                let (person, role, means) = (person.clone(), *role, means.clone());
                self.undelivered.retain(|it| it.person.as_ref() != Some(&person));
                self.answers.push(Answer { person, role, at, means });
            }
            Event::Undelivered { message, role, person, channel, why, no_channel, next } => {
                self.tell(next.iter().filter_map(|it| Some((it.role, it.person.clone()?))), at);
                self.undelivered.push(Undelivered {
                    message: *message,
                    role: *role,
                    person: person.clone(),
                    channel: *channel,
                    why: why.clone(),
                    at,
                    next: next.clone(),
                    no_channel: *no_channel,
                });
            }
            Event::UndeliveredTaken { message } => {
                self.undelivered.retain(|it| it.message != *message)
            }
            Event::Intended { intent, until } => {
                let since = self.intent.as_ref().map_or(at, |it| it.since);
                let by = recorded.actor.person().cloned();
                self.intent =
                    Some(Deciding { intent: *intent, by, until: *until, since, over: false });
            }
            Event::IntentOver => {
                if let Some(intent) = &mut self.intent {
                    intent.over = true;
                }
            }
            Event::Dispatched(dispatched) => self.dispatched(dispatched, recorded),
            Event::Acknowledged { dispatch, means, late } => {
                let step = step(recorded, means.clone(), *late);
                self.on(*dispatch, State::Acknowledged, |it| it.acknowledged = Some(step));
                self.undelivered.retain(|it| !matches!(it.role, Role::Ranger | Role::BackupRanger));
            }
            Event::Arrived { dispatch, means, position, late, distance_m, unproven } => {
                let step = Step {
                    position: *position,
                    distance_m: *distance_m,
                    unproven: *unproven,
                    ..step(recorded, means.clone(), *late)
                };
                match unproven {
                    None => self.on(*dispatch, State::Arrived, |it| it.arrived = Some(step)),
                    Some(_) => self.on(*dispatch, self.state, |it| it.claimed = Some(step)),
                }
            }
            Event::Reported { dispatch, verification, late, review_by } => {
                self.reported(recorded, *dispatch, verification, *late);
                if !verification.is_interim() && self.state == State::Reported {
                    self.only_support_waits();
                    self.begin(
                        Matter::ReportReview,
                        at,
                        review_by.unwrap_or_else(|| later(at, OLD.report)),
                    );
                }
            }
            Event::Declined { dispatch, reason } => {
                self.on(*dispatch, State::NeedsReview, |it| it.declined = Some(reason.clone()));
                self.intent = None;
                self.only_support_waits();
                self.begin(Matter::Declined, at, at);
            }
            Event::DeadlineMissed { dispatch, stage } => {
                self.on(*dispatch, self.state, |it| it.missed.push(*stage));
            }
            Event::Escalated { dispatch, rung, people, .. } => {
                self.on(*dispatch, self.state, |it| it.fired.push(*rung));
                self.called(people, at);
            }
            Event::SentBack { supplement_by, .. } => {
                self.state = State::Arrived;
                self.done(Matter::ReportReview);
                self.begin(
                    Matter::Supplement,
                    at,
                    supplement_by.unwrap_or_else(|| later(at, OLD.supplement)),
                );
            }
            Event::Closed { closure } => {
                self.state = State::Closed;
                self.waiting.clear();
                self.undelivered.clear();
                (self.proposal, self.intent) = (None, None);
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
        self.log.push(Arc::new(recorded.clone()));
        self.version += 1;
    }

    /// Evidence may come late and out of order. Before 0.2 the fix followed it without an event.
    fn see(&mut self, sighting: Sighting) {
        self.first_seen_at = self.first_seen_at.min(sighting.observed_at);
        self.last_seen_at = self.last_seen_at.max(sighting.observed_at);
        self.sightings.push(sighting);
        if matches!(self.log.first().map(|it| &it.event), Some(Event::Opened { fix: None, .. })) {
            self.fix = locate::fix(&self.sightings);
        }
    }

    fn merge(&mut self, other: IncidentId, sightings: &[Sighting], by_hand: bool) {
        let new = |it: &&Sighting| self.sightings.iter().all(|known| known.id != it.id);
        let added: Vec<Sighting> = sightings.iter().filter(new).cloned().collect();
        let ids: Vec<SightingId> = added.iter().map(|it| it.id).collect();
        added.into_iter().for_each(|it| self.see(it));
        self.links.retain(|it| it.other != other);
        self.merged.push(Merged { other, by_hand, sightings: ids });
    }

    /// The leading incident loses the evidence; for the led one the office has to look again.
    fn unmerge(&mut self, other: IncidentId, at: Timestamp) {
        // They are two fires: neither is a hint at the other's place any more.
        self.links.retain(|it| it.other != other);
        self.links.push(Link { other, hint: None });
        if self.merged_into == Some(other) {
            self.merged_into = None;
            if self.state == State::NeedsReview {
                self.begin(Matter::Review, at, at);
            }
            return;
        }
        let theirs: Vec<SightingId> = self
            .merged
            .iter()
            .filter(|it| it.other == other)
            .flat_map(|it| it.sightings.iter().copied())
            .collect();
        self.sightings.retain(|it| !theirs.contains(&it.id));
        self.merged.retain(|it| it.other != other);
    }

    /// Ends all waits except a request for support: only an officer's answer ends that one.
    fn only_support_waits(&mut self) {
        self.waiting.retain(|it| it.matter == Matter::Support);
    }

    fn dispatched(&mut self, dispatched: &Dispatched, recorded: &Recorded) {
        let at = recorded.at;
        let begun = Dispatch::begun(dispatched, recorded, self.fix.centre);
        self.past_dispatches.extend(self.dispatch.replace(begun));
        self.state = State::Dispatched;
        self.intent = None;
        self.only_support_waits();
        let chase_at =
            dispatched.chase_at.unwrap_or_else(|| later(dispatched.report_by, OLD.again));
        self.begin(Matter::Overdue, at, chase_at);
        let neighbours = dispatched.neighbours.iter().map(|it| it.ranger.clone());
        let people: Vec<PersonId> =
            std::iter::once(dispatched.ranger.clone()).chain(neighbours).collect();
        self.tell(people.into_iter().map(|it| (Role::Ranger, it)), at);
        if let Actor::Officer { .. } = recorded.actor {
            let county =
                |role: Role| matches!(role, Role::CountyDuty | Role::CountyLeader | Role::NextDuty);
            self.undelivered.retain(|it| !county(it.role));
        }
    }

    fn called(&mut self, people: &[Called], at: Timestamp) {
        self.tell(people.iter().filter_map(|it| Some((it.role, it.person.clone()?))), at);
    }

    fn tell(&mut self, people: impl Iterator<Item = (Role, PersonId)>, at: Timestamp) {
        for (role, person) in people {
            if self.told.iter().all(|it| (it.role, &it.person) != (role, &person)) {
                self.told.push(Told { person, role, at });
            }
        }
    }

    fn begin(&mut self, matter: Matter, since: Timestamp, due_at: Timestamp) {
        self.done(matter);
        self.waiting.push(Waiting { matter, since, due_at, rounds: 0 });
    }

    fn done(&mut self, matter: Matter) {
        self.waiting.retain(|it| it.matter != matter);
    }

    fn waiting_mut(&mut self, matter: Matter) -> Option<&mut Waiting> {
        self.waiting.iter_mut().find(|it| it.matter == matter)
    }

    fn rang(&mut self, matter: Matter, round: u32, at: Timestamp, again_at: Timestamp) {
        if self.waiting(matter).is_none() {
            self.begin(matter, at, again_at);
        }
        if let Some(waiting) = self.waiting_mut(matter) {
            (waiting.rounds, waiting.due_at) = (round + 1, again_at);
        }
    }

    /// Changes the dispatch of that id; the incident's state moves only with its last dispatch.
    fn on(&mut self, id: DispatchId, state: State, change: impl FnOnce(&mut Dispatch)) {
        if self.dispatch.as_ref().is_some_and(|last| last.id == id) {
            self.state = state;
        }
        if let Some(dispatch) =
            self.dispatch.iter_mut().chain(&mut self.past_dispatches).find(|it| it.id == id)
        {
            change(dispatch);
        }
    }

    fn reported(
        &mut self,
        recorded: &Recorded,
        id: DispatchId,
        verification: &Verification,
        late: bool,
    ) {
        let means = match &recorded.actor {
            Actor::Officer { .. } => Means::Proxy { reason: verification.words.clone() },
            Actor::Ranger { .. } | Actor::System => Means::Phone,
        };
        if verification.is_interim() {
            self.on(id, State::Arrived, |_| {});
        } else {
            let step = Step { position: verification.position, ..step(recorded, means, late) };
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

/// When the office is rung again, which logs before 0.2 do not state: the policy's defaults.
struct Old {
    again: SignedDuration,
    report: SignedDuration,
    supplement: SignedDuration,
}

static OLD: std::sync::LazyLock<Old> = std::sync::LazyLock::new(|| {
    let policy = ChasePolicy::default();
    Old {
        again: policy.again,
        report: policy.review_report_within,
        supplement: policy.supplement_within,
    }
});

fn opened(recorded: &Recorded) -> Option<Incident> {
    let Event::Opened {
        incident,
        sighting,
        place,
        priority,
        review_by,
        fix,
        split_from,
        flood,
        ..
    } = &recorded.event
    else {
        return None;
    };
    let at = recorded.at;
    let mut opened = Incident {
        id: *incident,
        version: 0,
        state: State::NeedsReview,
        drill: sighting.drill,
        opened_at: at,
        first_seen_at: sighting.observed_at,
        last_seen_at: sighting.observed_at,
        fix: fix.unwrap_or_else(|| locate::fix(std::slice::from_ref(sighting))),
        place: place.clone(),
        sightings: vec![sighting.clone()],
        struck_out: Vec::new(),
        priority: priority.clone(),
        waiting: Vec::new(),
        proposal: None,
        intent: None,
        dispatch: None,
        past_dispatches: Vec::new(),
        told: Vec::new(),
        answers: Vec::new(),
        undelivered: Vec::new(),
        links: Vec::new(),
        merged: Vec::new(),
        merged_into: None,
        split_from: *split_from,
        flood: *flood,
        reminders: Vec::new(),
        verification: None,
        closure: None,
        closed_at: None,
        log: Vec::new(),
    };
    opened.begin(Matter::Review, at, review_by.unwrap_or(at));
    opened.remember(recorded);
    Some(opened)
}

fn step(recorded: &Recorded, means: Means, late: bool) -> Step {
    Step {
        received_at: recorded.at,
        happened_at: recorded.happened_at,
        means,
        late,
        position: None,
        distance_m: None,
        unproven: None,
    }
}

fn add_photo(verification: &mut Verification, picture: PictureId) {
    if !verification.photos.contains(&picture) {
        verification.photos.push(picture);
    }
}
