//! Pure: 派单 and its 131 clocks.

use super::event::{Due, Means, Position};
use super::id::{DispatchId, PersonId};
use super::incident::Deadline;
use super::policy::Stage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One ranger sent to one incident.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Dispatch {
    pub id: DispatchId,
    pub ranger: PersonId,
    pub dispatched_at: Timestamp,
    pub zero_at: Timestamp,
    pub acknowledge_by: Timestamp,
    pub arrive_by: Timestamp,
    pub report_by: Timestamp,
    pub ladder: Vec<Due>,
    /// Rungs already fired, by index.
    pub fired: Vec<u8>,
    /// Limits already recorded as missed.
    pub missed: Vec<Stage>,
    pub acknowledged: Option<Step>,
    pub arrived: Option<Step>,
    /// The first report that was not interim; kept when it is sent back.
    pub reported: Option<Step>,
    pub declined: Option<String>,
    pub policy_version: u32,
}

/// A step with both times: the server's rules, the phone's is shown beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Step {
    pub received_at: Timestamp,
    pub happened_at: Option<Timestamp>,
    pub means: Means,
    pub late: bool,
    pub position: Option<Position>,
}

impl Dispatch {
    /// The ranger has not said 不能前往.
    pub fn is_running(&self) -> bool {
        self.declined.is_none()
    }

    pub fn step(&self, stage: Stage) -> Option<&Step> {
        match stage {
            Stage::Acknowledged => self.acknowledged.as_ref(),
            Stage::Arrived => self.arrived.as_ref(),
            Stage::Reported => self.reported.as_ref(),
        }
    }

    /// The limit of a step. The instant itself is already too late.
    pub fn limit(&self, stage: Stage) -> Timestamp {
        match stage {
            Stage::Acknowledged => self.acknowledge_by,
            Stage::Arrived => self.arrive_by,
            Stage::Reported => self.report_by,
        }
    }

    /// The earliest limit or rung whose step has not been taken and which has not fired. Of two at one instant the limit
    /// comes first: it is missed before anybody is told.
    pub fn next_deadline(&self) -> Option<(Timestamp, Deadline)> {
        let limits = [
            (Stage::Acknowledged, Deadline::Acknowledge),
            (Stage::Arrived, Deadline::Arrive),
            (Stage::Reported, Deadline::Report),
        ]
        .into_iter()
        .filter(|(stage, _)| self.step(*stage).is_none() && !self.missed.contains(stage))
        .map(|(stage, deadline)| (self.limit(stage), deadline));
        let rungs = (0..=u8::MAX)
            .zip(&self.ladder)
            .filter(|(rung, due)| self.step(due.unless).is_none() && !self.fired.contains(rung))
            .map(|(rung, due)| (due.at, Deadline::Rung(rung)));
        limits.chain(rungs).filter(|_| self.is_running()).min_by_key(|(at, _)| *at)
    }
}
