//! Who is logged in, and what they may see.

use crate::store::Access;
use crate::triage::id::PersonId;
use crate::triage::incident::Incident;

/// Who is logged in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Me {
    pub person: PersonId,
    pub role: Role,
}

impl Me {
    /// The office sees everything. A ranger sees what was ever dispatched to them or told them.
    pub(crate) fn may_see(&self, incident: &Incident) -> bool {
        let sent = incident.dispatches().any(|dispatch| dispatch.ranger == self.person);
        self.role.is_office() || sent || incident.told.iter().any(|told| told.person == self.person)
    }
}

/// An [`Access`], under the name that the pages use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Role(pub Access);

impl Role {
    pub(crate) fn face(self) -> &'static str {
        match self.0 {
            Access::Ranger => "/ranger",
            Access::Officer => "/office",
            Access::Ops => "/ops",
        }
    }

    /// Sees every incident and every phone number.
    pub(crate) fn is_office(self) -> bool {
        self.0 != Access::Ranger
    }
}
