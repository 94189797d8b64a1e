//! Pure: checks that nothing fails silently: people who should have been told of a relocation,
//! incidents without an owner, failed messages.

use super::day::Lived;
use super::figures::Figures;
use huoyan::store::{Message, Status};
use huoyan::triage::dispatch::Dispatch;
use huoyan::triage::event::Event;
use huoyan::triage::id::PersonId;
use huoyan::triage::incident::{Incident, State};
use jiff::{SignedDuration, Timestamp};

/// Limit for telling a relocation: the officer's three minutes and a gateway's second try.
const TOLD_WITHIN: SignedDuration = SignedDuration::from_mins(15);
/// Limit for trying the next person after a failed message: the longest pause between two rungs.
const NEXT_WITHIN: SignedDuration = SignedDuration::from_mins(20);

pub fn count(day: &Lived, figures: &mut Figures) {
    for filed in &day.incidents {
        let it = &filed.incident;
        let messages: Vec<&Message> =
            day.messages.iter().filter(|message| message.incident == it.id).collect();
        for (at, person) in relocated(day, it) {
            if at + TOLD_WITHIN < day.world.end
                && it.closed_at.is_none_or(|closed| closed > at + TOLD_WITHIN)
            {
                let untold = !was_told(it, &messages, &person, at);
                figures.count("untold", untold);
                if untold {
                    let what =
                        format!("{}: {person} was not told of the place of {at}", filed.code);
                    figures.breaks.push((day.world.seed, what));
                }
            }
        }
        let (ownerless, open) = minutes(it, day.world.end);
        figures.add("ownerless_minutes", ownerless, open);
        for message in &messages {
            if let Some(lost) = is_lost(day, it, message, &messages) {
                figures.count("lost_messages", lost);
                if lost {
                    let what = format!(
                        "{}: a message of {} failed and nobody was tried",
                        filed.code, message.created_at
                    );
                    figures.breaks.push((day.world.seed, what));
                }
            }
        }
    }
}

/// When the place of an incident changed, or another person was sent, and who must be told.
fn relocated(day: &Lived, it: &Incident) -> Vec<(Timestamp, PersonId)> {
    let mut found = Vec::new();
    let mut folded: Option<Incident> = None;
    for recorded in &it.log {
        let before = folded.clone();
        match &mut folded {
            None => folded = Incident::from_log(std::slice::from_ref(recorded)),
            Some(incident) => incident.apply(recorded),
        }
        let (Some(before), Some(now)) = (before, &folded) else { continue };
        let on_the_way =
            before.dispatch.as_ref().filter(|it| it.is_running() && it.reported.is_none());
        match &recorded.event {
            Event::Dispatched(dispatched) if dispatched.replaces.is_some() => {
                found.push((recorded.at, dispatched.ranger.clone()));
                found.extend(on_the_way.map(|it| (recorded.at, it.ranger.clone())));
            }
            Event::Relocated { neighbours, .. } => {
                // Measured from the place he was last told: two small steps may lead back.
                let far = |it: &&Dispatch| {
                    it.told_at.distance_m(now.fix.centre) > day.world.arrival_radius_m()
                };
                let moved = |it: &&Dispatch| {
                    before.place.grid != now.place.grid || far(it) && now.fix.is_a_place()
                };
                found.extend(on_the_way.filter(moved).map(|it| (recorded.at, it.ranger.clone())));
                found.extend(neighbours.iter().map(|it| (recorded.at, it.ranger.clone())));
            }
            _ => {}
        }
    }
    found
}

/// Told himself, or through somebody in his place when no number reaches him.
fn was_told(it: &Incident, messages: &[&Message], person: &PersonId, at: Timestamp) -> bool {
    let instead = it.log.iter().any(|recorded| {
        let soon = recorded.at >= at && recorded.at <= at + TOLD_WITHIN;
        soon && matches!(&recorded.event, Event::Undelivered { person: Some(it), next: Some(_), .. } if it == person)
    });
    if instead {
        return true;
    }
    let about = |it: &&&Message| {
        it.to.person.as_ref() == Some(person)
            && it.created_at >= at
            && it.created_at <= at + TOLD_WITHIN
    };
    messages.iter().filter(about).any(|it| it.status != Status::Failed)
}

/// Whole minutes of the day at which the incident is open without a person who must act by a given
/// time, and all minutes at which it is open.
fn minutes(it: &Incident, day_end: Timestamp) -> (u64, u64) {
    let (mut ownerless, mut open) = (0, 0);
    let mut folded: Option<Incident> = None;
    for (n, recorded) in it.log.iter().enumerate() {
        match &mut folded {
            None => folded = Incident::from_log(std::slice::from_ref(recorded)),
            Some(incident) => incident.apply(recorded),
        }
        let Some(incident) = folded.as_ref().filter(|it| it.state != State::Closed) else {
            continue;
        };
        let until = it.log.get(n + 1).map_or(day_end, |next| next.at);
        let ticks = until.as_second().div_euclid(60) - recorded.at.as_second().div_euclid(60);
        open += ticks.unsigned_abs();
        let led = incident.merged_into.is_some();
        if incident.owner().is_none() || incident.next_deadline().is_none() && !led {
            ownerless += ticks.unsigned_abs();
        }
    }
    (ownerless, open)
}

/// Whether a failed message was lost: nobody else was tried, and what it asked for did not happen
/// by itself. `None`: it did not fail.
fn is_lost(day: &Lived, it: &Incident, message: &Message, all: &[&Message]) -> Option<bool> {
    if message.status != Status::Failed {
        return None;
    }
    let phone = message.to.phone.as_deref().unwrap_or_default();
    // The same words may have been sent before.
    let tried = day.asked.iter().filter(|it| it.to == phone && it.at >= message.created_at);
    let tried = tried.filter(|it| it.text.contains(&message.words));
    let failed_at = tried.map(|it| it.at).max().unwrap_or(message.created_at);
    if failed_at + NEXT_WITHIN >= day.world.end {
        return None;
    }
    let moved_on = it.log.iter().any(|it| {
        it.at >= message.created_at
            && it.at <= failed_at + NEXT_WITHIN
            && matches!(
                it.event,
                Event::Acknowledged { .. }
                    | Event::Arrived { .. }
                    | Event::Reported { .. }
                    | Event::Closed { .. }
                    | Event::Dispatched(_)
            )
    });
    let another = all.iter().any(|other| {
        other.to.person.is_some()
            && (other.to.person != message.to.person || other.channel != message.channel)
            && other.status != Status::Failed
            && other.created_at >= message.created_at
            && other.sent_at.is_some_and(|at| at <= failed_at + NEXT_WITHIN)
    });
    Some(!moved_on && !another)
}
