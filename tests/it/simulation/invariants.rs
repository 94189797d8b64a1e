//! What must hold after every commit and at dawn, read from the log alone, not from the fold that is being tested.

use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Event, Recorded};
use crate::triage::id::DispatchId;
use crate::triage::incident::{Incident, State};
use crate::triage::policy::Stage;
use crate::triage::score;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

const STAGES: [Stage; 3] = [Stage::Acknowledged, Stage::Arrived, Stage::Reported];

pub fn after_commit(incident: &Incident, events: &[Recorded], now: Timestamp) {
    assert!(events.iter().all(|it| it.at == now), "no event from the future, none from the past");
    assert_eq!(incident.version, incident.log.len() as u64);
    let due = incident.next_deadline().is_some_and(|(due, _)| due <= now);
    assert!(!due || events.is_empty(), "what is due is fired with whatever else happens");
    assert!(is_somebodys(incident), "nobody has {incident:#?}");
    priority_explains_itself(incident);
    closed_stays_closed(incident);
    for dispatch in dispatches(incident) {
        each_deadline_once_and_never_after_its_step(incident, dispatch);
    }
}

pub fn at_dawn(incidents: &[Incident], now: Timestamp, clock_stepped: bool) {
    let actions: Vec<_> = incidents.iter().flat_map(|it| &it.log).filter_map(|it| it.action).collect();
    assert_eq!(actions.len(), actions.iter().collect::<BTreeSet<_>>().len(), "one line for each action, ever");
    let sightings: Vec<_> = incidents.iter().flat_map(|it| &it.sightings).map(|it| it.id).collect();
    assert_eq!(sightings.len(), sightings.iter().collect::<BTreeSet<_>>().len(), "each piece of evidence in one place");
    for incident in incidents {
        assert_eq!(Incident::from_log(&incident.log).as_ref(), Some(incident), "the log is the truth");
        assert!(incident.sightings.iter().all(|it| it.drill == incident.drill), "drills never mix with fires");
        assert_eq!(incident.next_deadline(), None, "the night lasted until all was settled");
        for dispatch in dispatches(incident) {
            no_deadline_passed_silently(incident, dispatch, now);
            if !clock_stepped {
                everybody_was_told_in_time(incident, dispatch);
            }
        }
    }
}

fn dispatches(incident: &Incident) -> impl Iterator<Item = &Dispatch> {
    incident.past_dispatches.iter().chain(&incident.dispatch)
}

/// Time will act, or a person has it: the office (reported, sent back, rung after a review), or a ranger whose lateness has
/// been told all the way up.
fn is_somebodys(incident: &Incident) -> bool {
    if incident.next_deadline().is_some() {
        return true;
    }
    match incident.state {
        State::Closed | State::Reported => true,
        State::NeedsReview => incident.review_missed,
        State::Dispatched | State::Acknowledged | State::Arrived => incident
            .dispatch
            .as_ref()
            .is_some_and(|it| it.reported.is_some() || (it.missed.contains(&Stage::Reported) && !it.fired.is_empty())),
    }
}

/// It orders and explains; it never hides.
fn priority_explains_itself(incident: &Incident) {
    let priority = &incident.priority;
    assert!(priority.score.is_finite() && (0.0..=100.0).contains(&priority.score));
    assert!(!priority.reasons.is_empty());
    assert_eq!(priority, &score::priority(&incident.sightings, &incident.place.labels));
}

fn closed_stays_closed(incident: &Incident) {
    let after = incident.log.iter().skip_while(|it| !matches!(it.event, Event::Closed { .. })).skip(1);
    let harmless = |it: &Recorded| matches!(it.event, Event::LateActionKept { .. } | Event::PhotoAdded { .. });
    assert!(after.into_iter().all(harmless), "something moved after the end");
    let closed = incident.log.iter().any(|it| matches!(it.event, Event::Closed { .. }));
    assert_eq!(incident.state == State::Closed, closed);
}

/// Where in the log a dispatch's event stands.
fn position(incident: &Incident, of: impl Fn(&Event) -> bool) -> Option<usize> {
    incident.log.iter().position(|it| of(&it.event))
}

fn step(incident: &Incident, id: DispatchId, stage: Stage) -> Option<usize> {
    position(incident, |event| match event {
        Event::Acknowledged { dispatch, .. } => stage == Stage::Acknowledged && *dispatch == id,
        Event::Arrived { dispatch, .. } => stage == Stage::Arrived && *dispatch == id,
        Event::Reported { dispatch, verification, .. } => {
            stage == Stage::Reported && *dispatch == id && !verification.is_interim()
        }
        _ => false,
    })
}

/// Declined, taken over, or closed.
fn end(incident: &Incident, id: DispatchId) -> Option<usize> {
    position(incident, |event| match event {
        Event::Declined { dispatch, .. } => *dispatch == id,
        Event::Dispatched(it) => it.replaces == Some(id),
        Event::Closed { .. } => true,
        _ => false,
    })
}

fn firings(incident: &Incident, of: impl Fn(&Event) -> bool) -> Vec<usize> {
    incident.log.iter().enumerate().filter(|(_, it)| of(&it.event)).map(|(index, _)| index).collect()
}

fn missed(incident: &Incident, id: DispatchId, of: Stage) -> Vec<usize> {
    firings(incident, |it| matches!(it, Event::DeadlineMissed { dispatch, stage } if *dispatch == id && *stage == of))
}

fn told(incident: &Incident, id: DispatchId, of: usize) -> Vec<usize> {
    firings(
        incident,
        |it| matches!(it, Event::Escalated { dispatch, rung, .. } if *dispatch == id && usize::from(*rung) == of),
    )
}

fn each_deadline_once_and_never_after_its_step(incident: &Incident, it: &Dispatch) {
    let ends = end(incident, it.id);
    let check = |fired: Vec<usize>, stage: Stage, due: Timestamp| {
        assert!(fired.len() <= 1, "fired twice: {stage:?}");
        for index in fired {
            assert!(incident.log[index].at >= due, "fired too early: {stage:?}");
            assert!(step(incident, it.id, stage).is_none_or(|step| index < step), "fired after its step: {stage:?}");
            assert!(ends.is_none_or(|end| index < end), "fired after the dispatch ended: {stage:?}");
        }
    };
    for stage in STAGES {
        check(missed(incident, it.id, stage), stage, it.limit(stage));
    }
    for (rung, due) in it.ladder.iter().enumerate() {
        check(told(incident, it.id, rung), due.unless, due.at);
    }
}

/// A limit that passed by the server's clock before its step, or before the dispatch ended, is in the log; a step is marked
/// late exactly when its limit is.
fn no_deadline_passed_silently(incident: &Incident, it: &Dispatch, dawn: Timestamp) {
    let until = |stage: Stage| {
        let stops = [step(incident, it.id, stage), step(incident, it.id, Stage::Reported), end(incident, it.id)];
        stops.into_iter().flatten().min().map_or(dawn, |index| incident.log[index].at)
    };
    for stage in STAGES {
        let was_missed = !missed(incident, it.id, stage).is_empty();
        assert!(was_missed || until(stage) < it.limit(stage), "passed silently: {stage:?} of {it:#?}");
        assert!(it.step(stage).is_none_or(|step| step.late == was_missed), "late and missed disagree: {stage:?}");
    }
    for (rung, due) in it.ladder.iter().enumerate() {
        let was_told = !told(incident, it.id, rung).is_empty();
        assert!(was_told || until(due.unless) < due.at, "nobody was told: rung {rung} of {it:#?}");
    }
}

/// Desks wake within 2 s of a deadline and are down for a minute at most, twice in a row if luck has it.
fn everybody_was_told_in_time(incident: &Incident, it: &Dispatch) {
    let slack = SignedDuration::from_mins(4);
    for (rung, due) in it.ladder.iter().enumerate() {
        for index in told(incident, it.id, rung) {
            let due = due.at.max(it.dispatched_at);
            let at = incident.log[index].at;
            assert!(at.duration_since(due) <= slack, "told {} after it was due", at.duration_since(due));
        }
    }
}
