//! Pure: a majority vote, so that one odd frame changes nothing. The verdict is what most of the
//! last five looks say. Without a majority, the previous verdict holds.

use crate::camera::fault::Fault;
use std::collections::VecDeque;
use std::mem::discriminant;

/// At 10 s a look, a fault is reported after 30 s, and so is its end.
const LOOKS: usize = 5;

#[derive(Debug, Default)]
pub(super) struct Votes {
    recent: VecDeque<Option<Fault>>,
    standing: Option<Fault>,
}

impl Votes {
    /// Returns the newest fault of the kind that holds, so that its figures are current.
    pub(super) fn cast(&mut self, fault: Option<Fault>) -> Option<Fault> {
        self.recent.push_back(fault);
        if self.recent.len() > LOOKS {
            self.recent.pop_front();
        }
        let is_one = |a: &Option<Fault>, b: &Option<Fault>| {
            a.as_ref().map(discriminant) == b.as_ref().map(discriminant)
        };
        let most = |it: &&Option<Fault>| {
            self.recent.iter().filter(|other| is_one(it, other)).count() > LOOKS / 2
        };
        if let Some(winner) = self.recent.iter().rev().find(most) {
            self.standing.clone_from(winner);
        }
        self.standing.clone()
    }
}
