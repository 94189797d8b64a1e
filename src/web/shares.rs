//! What one person may take of what all share: a phone gone wild, or in the wrong hands, keeps nobody else out.

use super::error::{Answer, Problem};
use super::limits;
use crate::error::Kind;
use crate::triage::id::PersonId;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

/// Cloning shares it.
#[derive(Clone)]
pub struct Shares {
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
    /// One more change of this person's. Persons are those of the register: the memory of them does not grow.
    pub fn change(&self, person: &PersonId) -> Answer<()> {
        self.changes.check_key(person).map_err(|_| {
            Problem::new(
                Kind::TooMany,
                "您一分钟内的操作太多，请稍等片刻再试。",
                "That were too many actions within a minute. Please wait a moment and try again.",
            )
        })
    }
}

/// How many of something each person holds just now.
#[derive(Clone)]
pub struct Held {
    most: usize,
    now: Arc<Mutex<HashMap<PersonId, usize>>>,
}

impl Held {
    fn of(most: usize) -> Self {
        Self { most, now: Arc::default() }
    }

    /// One more, until the answer is dropped; without one, the person has as many as anybody may have.
    pub fn take(&self, person: &PersonId) -> Option<Hold> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let count = now.entry(person.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Hold { person: person.clone(), of: self.clone() })
    }
}

pub struct Hold {
    person: PersonId,
    of: Held,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut now = self.of.now.lock().unwrap_or_else(PoisonError::into_inner);
        match now.get_mut(&self.person) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(now.remove(&self.person)),
        }
    }
}
