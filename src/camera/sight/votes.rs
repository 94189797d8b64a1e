//! Pure: one odd frame flips nothing. What most of the last five looks say holds; without such a majority, what held before.

use crate::camera::fault::Fault;
use std::collections::VecDeque;
use std::mem::discriminant;

/// At 10 s a fault is told after 30 s, and its end as well.
const LOOKS: usize = 5;

#[derive(Debug, Default)]
pub struct Votes {
    recent: VecDeque<Option<Fault>>,
    standing: Option<Fault>,
}

impl Votes {
    /// The newest fault of the kind that holds, so that its figures are of today.
    pub fn cast(&mut self, fault: Option<Fault>) -> Option<Fault> {
        self.recent.push_back(fault);
        if self.recent.len() > LOOKS {
            self.recent.pop_front();
        }
        let is_one =
            |a: &Option<Fault>, b: &Option<Fault>| a.as_ref().map(discriminant) == b.as_ref().map(discriminant);
        let most = |it: &&Option<Fault>| self.recent.iter().filter(|other| is_one(it, other)).count() > LOOKS / 2;
        if let Some(winner) = self.recent.iter().rev().find(most) {
            self.standing.clone_from(winner);
        }
        self.standing.clone()
    }
}
