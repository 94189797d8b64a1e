//! One person's share of what all users share. A faulty phone, or one in the wrong hands, locks
//! nobody else out.

use super::error::{Answer, Problem};
use super::limits;
use crate::error::Kind;
use crate::triage::event::Event;
use crate::triage::id::PersonId;
use crate::triage::incident::{Incident, Input};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

/// Clones share the same counters.
#[derive(Clone)]
pub(crate) struct Shares {
    changes: Arc<DefaultKeyedRateLimiter<PersonId>>,
    pub streams: Held,
    pub uploads: Held,
}

impl Default for Shares {
    fn default() -> Self {
        let a_minute = NonZeroU32::new(limits::CHANGES_A_MINUTE).unwrap_or(NonZeroU32::MIN);
        Self {
            changes: Arc::new(RateLimiter::keyed(Quota::per_minute(a_minute))),
            streams: Held::of(limits::STREAMS_A_PERSON),
            uploads: Held::of(limits::UPLOADS_A_PERSON),
        }
    }
}

impl Shares {
    /// Counts one change by this person. Persons are those of the register, so the table does not
    /// grow.
    pub(crate) fn change(&self, person: &PersonId) -> Answer<()> {
        self.changes.check_key(person).map_err(|_| {
            Problem::new(
                Kind::TooMany,
                "您一分钟内的操作太多，请稍等片刻再试。",
                "Too many actions within a minute. Please wait a moment and try again.",
            )
        })
    }
}

/// Counts one input by this person on this incident.
pub(crate) fn of_incident(incident: &Incident, person: &PersonId, input: &Input) -> Answer<()> {
    let count = |is: fn(&Event) -> bool| of(incident, person).filter(|it| is(it)).count();
    let is_note = |it: &Event| matches!(it, Event::Noted { .. } | Event::LateActionKept { .. });
    let is_photo = |it: &Event| matches!(it, Event::PhotoAdded { .. });
    match input {
        Input::Note { .. } if count(is_note) >= limits::NOTES_A_PERSON => Err(Problem::impossible(
            "您在此事件上的备注已达上限（100条），请打电话告知值班室。",
            "You have reached the limit of 100 notes on this incident. Please call the duty room.",
        )),
        Input::AddPhoto { .. } if count(is_photo) >= limits::PHOTOS_A_PERSON => {
            Err(Problem::impossible(
                "您在此事件上的照片已达上限（60张），更多照片请当面交给值班室。",
                "You have reached the limit of 60 photos of this incident. Please give further \
                photos to the duty room.",
            ))
        }
        _ => one_more_step(incident, person),
    }
}

/// Counts one step of any kind. A full quota is refused for good (422), not as "too many" (429):
/// waiting ends a 429, and a phone would retry for ever.
pub(crate) fn one_more_step(incident: &Incident, person: &PersonId) -> Answer<()> {
    if of(incident, person).count() < limits::STEPS_A_PERSON {
        return Ok(());
    }
    Err(Problem::impossible(
        "您在此事件上的操作已达上限（1000次），请打电话告知值班室。",
        "You have reached the limit of 1,000 actions on this incident. Please call the duty room.",
    ))
}

fn of<'a>(incident: &'a Incident, person: &'a PersonId) -> impl Iterator<Item = &'a Event> {
    incident.log.iter().filter(|it| it.actor.person() == Some(person)).map(|it| &it.event)
}

/// How many of something each person holds now.
#[derive(Clone)]
pub(crate) struct Held {
    most: usize,
    now: Arc<Mutex<HashMap<PersonId, usize>>>,
}

impl Held {
    fn of(most: usize) -> Self {
        Self { most, now: Arc::default() }
    }

    /// Takes one, until the answer is dropped. None: the person holds the maximum already.
    pub(crate) fn take(&self, person: &PersonId) -> Option<Hold> {
        let mut now = self.now.lock();
        let count = now.entry(person.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Hold { person: person.clone(), of: self.clone() })
    }
}

pub(crate) struct Hold {
    person: PersonId,
    of: Held,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut now = self.of.now.lock();
        match now.get_mut(&self.person) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(now.remove(&self.person)),
        }
    }
}
