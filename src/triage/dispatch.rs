//! Pure: 派单 and its 131 clocks.

use super::deadline::Deadline;
use super::event::{
    Actor, Because, Dispatched, Due, Means, Neighbour, Position, Recorded, Unproven,
};
use super::geo::LatLon;
use super::id::{DispatchId, GridId, PersonId};
use super::policy::Stage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

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
    /// 声称到达: an arrival that the position did not prove. It completes no step.
    pub claimed: Option<Step>,
    /// The first report that was not interim; it stays when it is sent back.
    pub reported: Option<Step>,
    pub declined: Option<String>,
    pub policy_version: u32,
    /// 为什么派他
    pub because: Vec<Because>,
    /// Rangers of other grids told of this fire.
    pub neighbours: Vec<Neighbour>,
    /// The grid he was sent to.
    pub grid: Option<GridId>,
    /// Sent by a person's choice, not by the policy.
    pub by_person: bool,
    /// The place that was last sent to him.
    pub told_at: LatLon,
}

/// A step with both times: the server's rules, the phone's is shown beside it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Step {
    pub received_at: Timestamp,
    pub happened_at: Option<Timestamp>,
    pub means: Means,
    pub late: bool,
    pub position: Option<Position>,
    /// Of an arrival: where the phone was, from where the fire may be, metres.
    pub distance_m: Option<f64>,
    /// 声称到达: why the position does not prove it.
    pub unproven: Option<Unproven>,
}

impl Dispatch {
    /// Begins it from the log's `Dispatched`; `told_at`: the place sent to the ranger.
    pub(super) fn begun(dispatched: &Dispatched, recorded: &Recorded, told_at: LatLon) -> Self {
        Self {
            id: dispatched.dispatch,
            ranger: dispatched.ranger.clone(),
            dispatched_at: recorded.at,
            zero_at: dispatched.zero_at,
            acknowledge_by: dispatched.acknowledge_by,
            arrive_by: dispatched.arrive_by,
            report_by: dispatched.report_by,
            ladder: dispatched.ladder.clone(),
            fired: Vec::new(),
            missed: Vec::new(),
            acknowledged: None,
            arrived: None,
            claimed: None,
            reported: None,
            declined: None,
            policy_version: dispatched.policy_version,
            because: dispatched.because.clone(),
            neighbours: dispatched.neighbours.clone(),
            grid: dispatched.grid.clone(),
            by_person: matches!(recorded.actor, Actor::Officer { .. }),
            told_at,
        }
    }

    /// The ranger has not declined (不能前往).
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

    /// The step or a later one was taken: a report implies an arrival, even if the position did not
    /// prove it.
    pub fn has_passed(&self, stage: Stage) -> bool {
        [Stage::Acknowledged, Stage::Arrived, Stage::Reported]
            .into_iter()
            .any(|it| it >= stage && self.step(it).is_some())
    }

    /// The limit of a step. A step at this very instant is already late.
    pub fn limit(&self, stage: Stage) -> Timestamp {
        match stage {
            Stage::Acknowledged => self.acknowledge_by,
            Stage::Arrived => self.arrive_by,
            Stage::Reported => self.report_by,
        }
    }

    /// The earliest limit or rung that has not fired and whose step has not been taken. Of two at
    /// the same instant the limit comes first: it is recorded as missed before anybody is told.
    pub fn next_deadline(&self) -> Option<(Timestamp, Deadline)> {
        let limits = [
            (Stage::Acknowledged, Deadline::Acknowledge),
            (Stage::Arrived, Deadline::Arrive),
            (Stage::Reported, Deadline::Report),
        ]
        .into_iter()
        .filter(|(stage, _)| !self.has_passed(*stage) && !self.missed.contains(stage))
        .map(|(stage, deadline)| (self.limit(stage), deadline));
        let rungs = (0..=u8::MAX)
            .zip(&self.ladder)
            .filter(|(rung, due)| !self.has_passed(due.unless) && !self.fired.contains(rung))
            .map(|(rung, due)| (due.at, Deadline::Rung(rung)));
        limits.chain(rungs).filter(|_| self.is_running()).min_by_key(|(at, _)| *at)
    }
}
