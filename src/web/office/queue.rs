//! Pure: the order of the office's queue, by what an officer should do first. Overdue incidents
//! come first (longest first), then those that wait for a look (by priority, then age), then those
//! under way, then those to be reviewed. What is only labelled or lies outside the county never
//! ranks above a plume.

use crate::triage::incident::{Incident, State};
use crate::triage::policy::Policy;
use crate::triage::sending::Verdict;
use jiff::Timestamp;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Group {
    Overdue,
    /// Somebody is on the way to a place that may be wrong.
    Relocation,
    ToReview,
    Waiting,
    InHand,
    Reported,
    /// A registered kiln, a neighbour's fire: it never ranks above a plume.
    Labelled,
    /// Merged into another incident.
    Led,
    Closed,
}

/// The sort key; smaller comes first.
pub(crate) fn place(incident: &Incident, policy: &Policy, now: Timestamp) -> impl Ord + use<> {
    let clock = running_clock(incident);
    let sooner = |at: Timestamp| (0, at);
    // Priority is rounded to whole points: among nearly equal ones the older comes first.
    let by_priority = |at: Timestamp| (-(incident.priority.score.round() as i64), at);
    let labelled =
        || matches!(incident.judge(policy, false).verdict, Verdict::Digest | Verdict::PassOn);
    let opened = incident.opened_at;
    let (group, key) = match (clock, incident.state) {
        (_, State::Closed) => (Group::Closed, sooner(opened)),
        _ if incident.merged_into.is_some() && incident.dispatch.is_none() => {
            (Group::Led, sooner(opened))
        }
        (_, State::NeedsReview) if labelled() => (Group::Labelled, by_priority(opened)),
        (Some(by), _) if by <= now => (Group::Overdue, sooner(by)),
        _ if incident.proposal.is_some() => (Group::Relocation, sooner(opened)),
        (_, State::NeedsReview) => (Group::ToReview, by_priority(opened)),
        (by, State::Dispatched) => (Group::Waiting, sooner(by.unwrap_or(opened))),
        (by, State::Acknowledged | State::Arrived) => (Group::InHand, sooner(by.unwrap_or(opened))),
        (_, State::Reported) => (Group::Reported, sooner(opened)),
    };
    (group, key, incident.id)
}

/// The deadline that somebody is working against now.
fn running_clock(incident: &Incident) -> Option<Timestamp> {
    let dispatch = incident.dispatch.as_ref();
    match incident.state {
        // After the first call it counts as overdue from the instant of that call.
        State::NeedsReview if incident.review_missed() => {
            incident.waiting.iter().map(|it| it.since).min()
        }
        State::NeedsReview => incident.review_by(),
        State::Dispatched => dispatch.map(|it| it.acknowledge_by),
        State::Acknowledged => dispatch.map(|it| it.arrive_by),
        // A report that was sent back has met its deadline already.
        State::Arrived => dispatch.filter(|it| it.reported.is_none()).map(|it| it.report_by),
        State::Reported | State::Closed => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::event::{Actor, Hint, Means, Place, Verification};
    use crate::triage::geo::{Fix, LatLon, Locus};
    use crate::triage::id::{DispatchId, IncidentId, PersonId, SightingId};
    use crate::triage::incident::{By, Input, NewIncident, Office};
    use crate::triage::policy::{Policy, Role};
    use crate::triage::sighting::{Sighting, Source};
    use jiff::SignedDuration;
    use uuid::Uuid;

    fn minute(minute: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute)
    }

    /// Reported by a person at minute `opened`; then each step at its minute: dispatch,
    /// acknowledge, arrive, report.
    fn incident(number: u128, opened: i64, steps: &[i64]) -> Incident {
        let place = LatLon::new(28.5, 110.4).expect("a place");
        let sighting = Sighting {
            id: SightingId(Uuid::from_u128(number)),
            source: Source::Person { who: "塔".to_owned(), words: String::new() },
            observed_at: minute(opened),
            locus: Locus::Disc { centre: place, radius_m: 100.0 },
            confidence: 1.0,
            pictures: vec![],
            drill: false,
            labels: vec![],
        };
        let (id, dispatch) =
            (IncidentId(Uuid::from_u128(number)), DispatchId(Uuid::from_u128(number)));
        let new = NewIncident {
            id,
            dispatch,
            sightings: vec![sighting],
            links: vec![],
            split_from: None,
            flood: None,
        };
        let policy = Policy::default();
        let place = |_: &Fix, _: &[Hint]| Place::default();
        let holder = |_: Role, _: &Place, _: Option<&PersonId>| None;
        let office = Office { policy: &policy, place: &place, holder: &holder };
        let mut incident =
            Incident::from_log(&Incident::open(new, &office, minute(opened))).expect("an opening");
        let verification = Verification {
            category: 3,
            flames: None,
            area_mu: None,
            extinguished: None,
            words: String::new(),
            photos: vec![],
            no_photo_reason: None,
            position: None,
        };
        let inputs = [
            Input::Dispatch { dispatch, ranger: "r1".into() },
            Input::Acknowledge { means: Means::Phone },
            Input::Arrive { means: Means::Proxy { reason: "电话".to_owned() }, position: None },
            Input::Report { verification },
        ];
        for (input, at) in inputs.into_iter().zip(steps) {
            let actor = Actor::Officer { person: "o1".into() };
            let by = By { actor, action: None, happened_at: None };
            incident = incident.handle(input, &by, &office, minute(*at)).expect("allowed").0;
        }
        incident
    }

    #[test]
    fn overdue_first_then_to_review_waiting_in_hand_reported() {
        // At minute 100. Limits count from the dispatch: 10, 30, 60.
        let mut queue = [
            incident(8, 70, &[70, 75, 80, 90]),
            incident(7, 70, &[71, 75, 80]),
            incident(6, 80, &[85, 90]),
            incident(5, 90, &[98]),
            incident(4, 90, &[95]),
            incident(3, 98, &[]),
            incident(2, 70, &[85]),
            incident(1, 30, &[35, 40, 50]),
        ];
        queue.sort_by_cached_key(|incident| place(incident, &Policy::default(), minute(100)));
        let order: Vec<u128> = queue.iter().map(|incident| incident.id.0.as_u128()).collect();
        // 1 and 2 have both been overdue since minute 95. Among equals the smaller id comes first.
        assert_eq!(order, [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
