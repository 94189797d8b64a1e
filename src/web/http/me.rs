//! Who is logged in, and what they may see.

use super::rights::Right;
use crate::triage::id::PersonId;
use crate::triage::incident::Incident;

/// Who is logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Me {
    pub person: PersonId,
    pub right: Right,
}

impl Me {
    /// The county's office sees everything, a township what is theirs, and everybody what was ever
    /// dispatched to them or told them.
    pub(crate) fn may_see(&self, incident: &Incident) -> bool {
        self.right.is_county()
            || self.right.township().is_some_and(|it| it.covers(incident))
            || incident.dispatches().any(|dispatch| dispatch.ranger == self.person)
            || incident.told.iter().any(|told| told.person == self.person)
    }

    /// Hears of a change: also of one by which it is no longer to be seen.
    pub(crate) fn may_hear_of(&self, incident: &Incident) -> bool {
        self.may_see(incident) || self.right.township().is_some_and(|it| it.has_had(incident))
    }

    /// 收到 is awaited: this person was rung or written to, is not sent, and has not answered.
    pub(crate) fn owes_answer(&self, incident: &Incident) -> bool {
        let told = incident.told.iter().any(|told| told.person == self.person);
        let sent = incident.dispatches().any(|dispatch| dispatch.ranger == self.person);
        let answered = incident.answers.iter().any(|it| it.person == self.person);
        incident.closed_at.is_none() && told && !sent && !answered
    }
}
