//! What must hold in every incident's log. It is read from the log alone, not from the fold under
//! test. One sentence per violation.

use super::day::Lived;
use huoyan::triage::dispatch::Dispatch;
use huoyan::triage::event::{Event, Recorded};
use huoyan::triage::id::DispatchId;
use huoyan::triage::incident::{Incident, State};
use huoyan::triage::policy::Stage;
use huoyan::triage::score;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

const STAGES: [Stage; 3] = [Stage::Acknowledged, Stage::Arrived, Stage::Reported];
/// The desk is down for at most two and a half minutes, and then looks within 15 s.
const SLACK: SignedDuration = SignedDuration::from_mins(4);

pub fn breaks(day: &Lived) -> Vec<String> {
    let mut broken = Broken(Vec::new());
    let incidents = || day.incidents.iter().map(|it| &it.incident);
    let actions: Vec<_> = incidents().flat_map(|it| &it.log).filter_map(|it| it.action).collect();
    broken.unless(once(&actions), "an action stands in the log twice");
    // Merged evidence counts in the leading incident, and stays where it was filed.
    let leading = incidents().filter(|it| it.merged_into.is_none());
    let sightings: Vec<_> = leading.flat_map(|it| &it.sightings).map(|it| it.id).collect();
    broken.unless(once(&sightings), "a sighting stands in two places");
    broken.unless(day.overrun == 0, "a vendor's limit was overrun");
    for filed in &day.incidents {
        let it = &filed.incident;
        let mut own = Broken(Vec::new());
        own.unless(
            Incident::from_log(&it.log).as_ref() == Some(it),
            "the log folds to something else",
        );
        own.unless(it.log.is_sorted_by_key(|it| it.at), "the log runs backwards");
        own.unless(
            it.sightings.iter().all(|seen| seen.drill == it.drill),
            "a drill is mixed with what is none",
        );
        priority_explains_itself(it, &mut own);
        closed_stays_closed(it, &mut own);
        for dispatch in it.past_dispatches.iter().chain(&it.dispatch) {
            each_deadline_once_and_never_after_its_step(it, dispatch, &mut own);
            no_deadline_passed_silently(it, dispatch, day.world.end, &mut own);
        }
        broken.0.extend(own.0.into_iter().map(|what| format!("{}: {what}", filed.code)));
    }
    broken.0
}

struct Broken(Vec<String>);

impl Broken {
    fn unless(&mut self, holds: bool, what: impl Display) {
        if !holds {
            self.0.push(what.to_string());
        }
    }
}

fn once<T: Ord>(all: &[T]) -> bool {
    all.len() == all.iter().collect::<BTreeSet<_>>().len()
}

/// Priority orders and explains; it never hides.
fn priority_explains_itself(it: &Incident, broken: &mut Broken) {
    let priority = &it.priority;
    broken.unless(
        (0.0..=100.0).contains(&priority.score) && !priority.reasons.is_empty(),
        "a priority without a reason",
    );
    broken.unless(
        *priority == score::priority(&it.sightings, &it.place.labels),
        "the priority is not that of the evidence",
    );
}

fn closed_stays_closed(it: &Incident, broken: &mut Broken) {
    let after = it.log.iter().skip_while(|it| !matches!(it.event, Event::Closed { .. })).skip(1);
    let harmless = |it: &Arc<Recorded>| {
        matches!(
            it.event,
            Event::LateActionKept { .. }
                | Event::PhotoAdded { .. }
                | Event::Reminded { .. }
                | Event::SplitOff { .. }
        )
    };
    broken.unless(after.into_iter().all(harmless), "something moved after the end");
    let closed = it.log.iter().any(|it| matches!(it.event, Event::Closed { .. }));
    broken.unless((it.state == State::Closed) == closed, "closed and not closed");
}

/// Position in the log of the first such event.
fn position(it: &Incident, of: impl Fn(&Event) -> bool) -> Option<usize> {
    it.log.iter().position(|it| of(&it.event))
}

fn step(it: &Incident, id: DispatchId, stage: Stage) -> Option<usize> {
    position(it, |event| match event {
        Event::Acknowledged { dispatch, .. } => stage == Stage::Acknowledged && *dispatch == id,
        Event::Arrived { dispatch, unproven: None, .. } => {
            stage == Stage::Arrived && *dispatch == id
        }
        Event::Reported { dispatch, verification, .. } => {
            stage == Stage::Reported && *dispatch == id && !verification.is_interim()
        }
        _ => false,
    })
}

/// Where the dispatch ends: declined, replaced, or closed.
fn end(it: &Incident, id: DispatchId) -> Option<usize> {
    position(it, |event| match event {
        Event::Declined { dispatch, .. } => *dispatch == id,
        Event::Dispatched(it) => it.replaces == Some(id),
        Event::Closed { .. } => true,
        _ => false,
    })
}

fn firings(it: &Incident, of: impl Fn(&Event) -> bool) -> Vec<usize> {
    it.log.iter().enumerate().filter(|(_, it)| of(&it.event)).map(|(index, _)| index).collect()
}

fn missed(it: &Incident, id: DispatchId, of: Stage) -> Vec<usize> {
    firings(
        it,
        |it| matches!(it, Event::DeadlineMissed { dispatch, stage } if *dispatch == id && *stage == of),
    )
}

fn told(it: &Incident, id: DispatchId, of: usize) -> Vec<usize> {
    firings(it, |it| match it {
        Event::Escalated { dispatch, rung, .. } => *dispatch == id && usize::from(*rung) == of,
        _ => false,
    })
}

fn each_deadline_once_and_never_after_its_step(
    incident: &Incident,
    it: &Dispatch,
    broken: &mut Broken,
) {
    let ends = end(incident, it.id);
    let mut check = |fired: Vec<usize>, stage: Stage, due: Timestamp| {
        broken.unless(fired.len() <= 1, format!("fired twice: {stage:?}"));
        for index in fired {
            let at = incident.log[index].at;
            broken.unless(at >= due, format!("fired too early: {stage:?}"));
            broken.unless(
                at.duration_since(due.max(it.dispatched_at)) <= SLACK,
                format!("fired late: {stage:?}"),
            );
            let before = |end: Option<usize>| end.is_none_or(|end| index < end);
            broken.unless(
                before(step(incident, it.id, stage)),
                format!("fired after its step: {stage:?}"),
            );
            broken.unless(before(ends), format!("fired after the dispatch ended: {stage:?}"));
        }
    };
    for stage in STAGES {
        check(missed(incident, it.id, stage), stage, it.limit(stage));
    }
    for (rung, due) in it.ladder.iter().enumerate() {
        check(told(incident, it.id, rung), due.unless, due.at);
    }
}

/// A limit that passed by the server's clock before its step, or before the dispatch ended, is in
/// the log. A step is marked late exactly when its limit is.
fn no_deadline_passed_silently(
    incident: &Incident,
    it: &Dispatch,
    day_end: Timestamp,
    broken: &mut Broken,
) {
    let until = |stage: Stage| {
        let stops = [
            step(incident, it.id, stage),
            step(incident, it.id, Stage::Reported),
            end(incident, it.id),
        ];
        let stopped = stops.into_iter().flatten().min().map(|index| incident.log[index].at);
        stopped.unwrap_or(day_end - SLACK)
    };
    for stage in STAGES {
        let was_missed = !missed(incident, it.id, stage).is_empty();
        broken.unless(
            was_missed || until(stage) < it.limit(stage),
            format!("passed silently: {stage:?}"),
        );
        let agrees = it.step(stage).is_none_or(|step| step.late == was_missed);
        broken.unless(agrees, format!("late and missed disagree: {stage:?}"));
    }
    for (rung, due) in it.ladder.iter().enumerate() {
        let was_told = !told(incident, it.id, rung).is_empty();
        broken.unless(
            was_told || until(due.unless) < due.at,
            format!("nobody was told: rung {rung}"),
        );
    }
}
