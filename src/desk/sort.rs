//! An officer sorts evidence between two incidents: split, merge, and their undo. Both incidents
//! change in one commit.

use super::messages::Aside;
use super::refusal::refused;
use super::{ATTEMPTS, Decided, Desk, leave_room, too_slow, unnamed};
use crate::error::{Error, Kind, Result};
use crate::store::Filed;
use crate::triage::id::{DispatchId, IncidentId, SightingId};
use crate::triage::incident::{By, Incident, Input, Link, NewIncident, Refusal};
use crate::triage::sighting::Sighting;

/// What an officer requests for two incidents at once.
#[derive(Clone, Debug)]
pub enum Sort {
    /// Part of the evidence becomes an incident of its own; of a closed incident, evidence from
    /// after its closing.
    Split { sightings: Vec<SightingId> },
    /// The other incident is this same fire, and is merged into this one. Running deadlines
    /// continue.
    Merge { other: IncidentId },
    /// The undo of `Merge`.
    Unmerge { other: IncidentId },
}

impl Desk {
    /// Returns the requested incident in its new state, and the other one's id.
    ///
    /// # Errors
    /// As `act`.
    pub async fn sort(
        &self,
        incident: IncidentId,
        sort: Sort,
        by: &By,
    ) -> Result<(Filed, IncidentId)> {
        for attempt in 0..ATTEMPTS {
            let filed = self.incident(incident).await?;
            if by.action.is_some_and(|action| filed.incident.made_by(action).is_some()) {
                return Ok((filed, incident));
            }
            let (one, other) = match &sort {
                Sort::Split { sightings } => self.split(filed.incident, sightings, by)?,
                Sort::Merge { other } => {
                    let other = self.incident(*other).await?.incident;
                    self.merge(filed.incident, other, by)?
                }
                Sort::Unmerge { other } => {
                    let (id, other) = (filed.incident.id, self.incident(*other).await?.incident);
                    let one =
                        self.decide(filed.incident, Input::Unmerge { other: other.id }, by)?;
                    (one, self.decide(other, Input::Unmerge { other: id }, &unnamed(by))?)
                }
            };
            let answer = Filed {
                code: filed.code,
                opened_seq: filed.opened_seq,
                incident: one.incident.clone(),
            };
            let other_id = other.incident.id;
            match self.commit(vec![one, other], None, Aside::default()).await {
                Err(e) if e.kind == Kind::Conflict => leave_room(attempt).await,
                done => return done.map(|()| (answer, other_id)),
            }
        }
        Err(too_slow())
    }

    fn split(
        &self,
        incident: Incident,
        sightings: &[SightingId],
        by: &By,
    ) -> Result<(Decided, Decided)> {
        let (now, county) = (self.clock.now(), self.registers.current());
        let (from, into) = (incident.id, IncidentId(self.new_id(now)));
        let ours = match incident.closed_at {
            Some(_) => &incident.reminders,
            None => &incident.sightings,
        };
        let taken: Vec<Sighting> =
            ours.iter().filter(|it| sightings.contains(&it.id)).cloned().collect();
        let one =
            self.decide(incident, Input::SplitOff { sightings: sightings.to_vec(), into }, by)?;
        let new = NewIncident {
            id: into,
            dispatch: DispatchId(self.new_id(now)),
            sightings: taken,
            links: vec![Link { other: from, hint: None }],
            split_from: Some(from),
            flood: None,
        };
        let events = self.with_office(&county, now, |office| Incident::open(new, office, now));
        let incident = Incident::from_log(&events).ok_or_else(|| {
            Error::internal("a split incident's log does not begin with its opening")
        })?;
        Ok((one, Decided { incident, events }))
    }

    fn merge(&self, incident: Incident, other: Incident, by: &By) -> Result<(Decided, Decided)> {
        if other.closed_at.is_some() {
            return Err(refused(Refusal::Closed));
        }
        // A drill and a fire are never merged.
        if other.drill != incident.drill {
            return Err(refused(Refusal::NotHere));
        }
        let (id, other_id, sightings) = (incident.id, other.id, other.sightings.clone());
        let one = self.decide(incident, Input::Merge { other: other_id, sightings }, by)?;
        Ok((one, self.decide(other, Input::MergeInto { into: id }, &unnamed(by))?))
    }
}
