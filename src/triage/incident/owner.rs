//! 责任人: who has to act next on an open incident, until when, and for what reason.

use super::{Incident, State};
use crate::triage::event::{Event, Matter};
use crate::triage::id::{IncidentId, PersonId};
use crate::triage::policy::{Role, Stage};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
pub struct Owner {
    pub who: Who,
    /// What is waited for.
    #[serde(flatten)]
    pub task: Task,
    /// Until then; afterwards somebody is rung or told.
    pub until: Timestamp,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Who {
    Person(PersonId),
    Role(Role),
    /// The incident that leads this one.
    Incident(IncidentId),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case", tag = "task", content = "of")]
pub enum Task {
    Step(Stage),
    Matter(Matter),
    Led,
}

impl Incident {
    /// `None` only when closed.
    pub fn owner(&self) -> Option<Owner> {
        if self.state == State::Closed {
            return None;
        }
        let due = self.next_deadline().map(|(at, _)| at);
        if let Some(matter) = self
            .waiting
            .iter()
            .filter(|it| it.matter != Matter::Overdue || it.rounds > 0)
            .min_by_key(|it| it.due_at)
        {
            let until = due.unwrap_or(matter.due_at);
            return Some(Owner {
                who: self.who_has(matter.matter),
                task: Task::Matter(matter.matter),
                until,
            });
        }
        let running = self.dispatch.as_ref().filter(|it| it.is_running());
        let step = match self.state {
            State::Dispatched => Stage::Acknowledged,
            State::Acknowledged => Stage::Arrived,
            State::Arrived | State::NeedsReview | State::Reported | State::Closed => {
                Stage::Reported
            }
        };
        match (running, self.merged_into) {
            (Some(dispatch), _) => {
                let until = due.unwrap_or_else(|| dispatch.limit(step));
                Some(Owner {
                    who: Who::Person(dispatch.ranger.clone()),
                    task: Task::Step(step),
                    until,
                })
            }
            (None, Some(into)) => {
                Some(Owner { who: Who::Incident(into), task: Task::Led, until: Timestamp::MAX })
            }
            (None, None) => None,
        }
    }

    /// Why the report was sent back, until it is completed.
    pub fn sent_back(&self) -> Option<&str> {
        let waits = self.state == State::Arrived;
        self.log.iter().rev().filter(|_| waits).find_map(|it| match &it.event {
            Event::SentBack { reason, .. } => Some(Some(reason.as_str())),
            Event::Reported { .. } | Event::Dispatched(_) => Some(None),
            _ => None,
        })?
    }

    /// What the ranger last asked for.
    pub fn support_asked(&self) -> Option<&str> {
        self.log.iter().rev().find_map(|it| match &it.event {
            Event::SupportAsked { reason, .. } => Some(reason.as_str()),
            _ => None,
        })
    }

    /// The person who has answered the last ring, else the role that was or will be rung.
    fn who_has(&self, matter: Matter) -> Who {
        let since = self.waiting(matter).map_or(self.opened_at, |it| it.since);
        let answered = self.answers.iter().rev().find(|it| it.at >= since);
        if let Some(answer) = answered.filter(|_| matter != Matter::Supplement) {
            return Who::Person(answer.person.clone());
        }
        match (matter, &self.dispatch) {
            (Matter::Supplement, Some(dispatch)) => Who::Person(dispatch.ranger.clone()),
            _ => Who::Role(Role::CountyDuty),
        }
    }
}
