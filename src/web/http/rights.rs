//! Pure: what a session admits its person to, by the login and the registers of now. The one place
//! that decides what a township (乡镇) sees and does: least of all that its duty needs.

use super::error::{Answer, Problem};
use crate::county::{County, Person, Post};
use crate::store::{Access, Login};
use crate::triage::event::{Event, Means, Place};
use crate::triage::geo::LatLon;
use crate::triage::id::{GridId, PersonId};
use crate::triage::incident::{Incident, Input};
use crate::triage::policy::Role;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Who may see and do what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Right {
    /// The incidents that they were sent to or told of.
    Ranger,
    /// The incidents of their township, and the steps that a township takes.
    Township(Township),
    /// Everything of the county.
    Officer,
    /// The same, and how the program works.
    Ops,
}

/// [`Right`] by name, for the pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RightName)]
pub(crate) enum Name {
    Ranger,
    Township,
    Officer,
    Ops,
}

/// Why a person has no such right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Barred {
    Unknown,
    NotOfOffice,
    /// The township that the registers give them has no grid: nothing could be theirs.
    NoGround,
    NotOfCounty,
}

impl Right {
    /// Everybody in the register may be sent to a fire. The office's pages are for people whose post
    /// is in an office, or whom the rota puts there: of the county, or else of a township.
    pub(crate) fn of(county: &County, login: &Login) -> Result<Self, Barred> {
        let person = county.person(&login.person).ok_or(Barred::Unknown)?;
        let on_rota = || county.duties.iter().filter(|duty| duty.person == person.id);
        let is_countys = || {
            use Role::{CountyDuty, CountyLeader, NextDuty};
            is_of_county(person)
                || on_rota().any(|it| matches!(it.role, CountyDuty | CountyLeader | NextDuty))
        };
        match login.access {
            Access::Ranger => return Ok(Self::Ranger),
            Access::Officer if is_countys() => return Ok(Self::Officer),
            Access::Ops if is_countys() => return Ok(Self::Ops),
            Access::Officer | Access::Ops => {}
        }
        let is_appointed = person.post == Post::TownshipOfficer;
        let duties = || on_rota().filter(|it| it.role == Role::TownshipDuty);
        if !is_appointed && duties().next().is_none() {
            return Err(Barred::NotOfOffice);
        }
        if login.access == Access::Ops {
            return Err(Barred::NotOfCounty);
        }
        let appointed = person.township.iter().filter(|_| is_appointed);
        let by_rota = duties().filter_map(|duty| duty.township.as_ref());
        Township::of(county, appointed.chain(by_rota)).map(Self::Township).ok_or(Barred::NoGround)
    }

    pub(crate) fn name(&self) -> Name {
        match self {
            Self::Ranger => Name::Ranger,
            Self::Township(_) => Name::Township,
            Self::Officer => Name::Officer,
            Self::Ops => Name::Ops,
        }
    }

    /// As which the person logged in.
    pub(crate) fn access(&self) -> Access {
        match self {
            Self::Ranger => Access::Ranger,
            Self::Township(_) | Self::Officer => Access::Officer,
            Self::Ops => Access::Ops,
        }
    }

    pub(crate) fn face(&self) -> &'static str {
        match self {
            Self::Ranger => "/ranger",
            Self::Township(_) | Self::Officer => "/office",
            Self::Ops => "/ops",
        }
    }

    /// A duty room's: of the county or of a township.
    pub(crate) fn is_office(&self) -> bool {
        *self != Self::Ranger
    }

    /// Sees every incident and every phone number.
    pub(crate) fn is_county(&self) -> bool {
        matches!(self, Self::Officer | Self::Ops)
    }

    pub(crate) fn township(&self) -> Option<&Township> {
        match self {
            Self::Township(township) => Some(township),
            Self::Ranger | Self::Officer | Self::Ops => None,
        }
    }

    /// Whether this right reaches an operation at all; for whom else, its handler says. `path`: as
    /// in the contract.
    pub(crate) fn check_operation(&self, method: &str, path: Option<&str>) -> Answer<()> {
        match (self, path) {
            (Self::Township(_), None) => Err(countys()),
            (Self::Township(_), Some(path)) if rule(method, path) != Some(Rule::Theirs) => {
                Err(countys())
            }
            _ => Ok(()),
        }
    }

    /// Whether this right allows the input to an incident that may be seen.
    pub(crate) fn check_input(
        &self,
        incident: &Incident,
        input: &Input,
        county: &County,
    ) -> Answer<()> {
        self.township().map_or(Ok(()), |it| it.check_input(incident, input, county))
    }
}

/// What a township has of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Rule {
    /// It is answered with what is theirs: the rest is left out, or is not there (404).
    Theirs,
    /// It is the county's, or a ranger's own: 403 with a sentence.
    NotTheirs,
    /// No session is asked for: anybody's, or machines'.
    NoSession,
}

/// Every operation of the contract. What is not here is refused, and a test refuses the omission.
const OPERATIONS: [(Rule, &[&str]); 3] = [
    (
        Rule::Theirs,
        &[
            "GET /api/v1/board",
            "GET /api/v1/cameras/{id}/frame",
            "GET /api/v1/hotspots",
            "GET /api/v1/hotspots.csv",
            "GET /api/v1/hotspots.geojson",
            "GET /api/v1/incidents",
            "GET /api/v1/incidents.csv",
            "GET /api/v1/incidents.geojson",
            "GET /api/v1/incidents/{id}",
            "GET /api/v1/incidents/{id}/cap.xml",
            "GET /api/v1/incidents/{id}/log",
            "GET /api/v1/incidents/{id}/sightings/{sighting}/strip",
            "GET /api/v1/incidents/{id}/sightings/{sighting}/strip/{picture}",
            "GET /api/v1/me",
            "GET /api/v1/people",
            "GET /api/v1/pictures/{id}",
            "GET /api/v1/stream",
            // What of it: `Township::check_input`.
            "POST /api/v1/incidents/{id}/acknowledge",
            "POST /api/v1/incidents/{id}/arrive",
            "POST /api/v1/incidents/{id}/dispatch",
            "POST /api/v1/incidents/{id}/note",
            "POST /api/v1/incidents/{id}/send-back",
            "POST /api/v1/incidents/{id}/undelivered",
        ],
    ),
    (
        Rule::NotTheirs,
        &[
            "GET /api/v1/cameras/{id}/views/{number}",
            "GET /api/v1/cameras/{id}/self-test",
            "GET /api/v1/counties",
            "GET /api/v1/ops/cameras",
            "GET /api/v1/ops/look-alikes",
            "GET /api/v1/ops/proof",
            "GET /api/v1/ops/scores",
            "GET /api/v1/ops/thresholds",
            "GET /api/v1/ranger",
            "GET /api/v1/register-changes",
            "GET /api/v1/registers/{register}",
            "GET /api/v1/registers/{register}/file",
            "GET /api/v1/rota-gaps",
            "GET /api/v1/sightings/{id}/original",
            "POST /api/v1/cameras/aim",
            "POST /api/v1/cameras/visit",
            "POST /api/v1/drills",
            "POST /api/v1/incidents",
            "POST /api/v1/incidents/{id}/close",
            "POST /api/v1/incidents/{id}/decline",
            "POST /api/v1/incidents/{id}/false-alarm",
            "POST /api/v1/incidents/{id}/intent",
            "POST /api/v1/incidents/{id}/merge",
            "POST /api/v1/incidents/{id}/photos",
            "POST /api/v1/incidents/{id}/reinstate",
            "POST /api/v1/incidents/{id}/relocate",
            "POST /api/v1/incidents/{id}/report",
            "POST /api/v1/incidents/{id}/split",
            "POST /api/v1/incidents/{id}/strike-out",
            "POST /api/v1/incidents/{id}/support",
            "POST /api/v1/incidents/{id}/unmerge",
            "POST /api/v1/logins",
            "POST /api/v1/ops/self-tests",
            "POST /api/v1/ops/thresholds",
            "POST /api/v1/ops/view-names",
            "POST /api/v1/ops/views",
            "POST /api/v1/ops/what-if",
            "POST /api/v1/register-changes/undo",
            "POST /api/v1/registers/{register}",
            "POST /api/v1/registers/{register}/file",
            "POST /api/v1/shift/hand-over",
            "POST /api/v1/shift/start",
        ],
    ),
    (
        Rule::NoSession,
        &[
            "GET /healthz",
            "GET /metrics",
            "GET /readyz",
            "POST /api/v1/inbound/alarms",
            "POST /api/v1/inbound/alarms/{alarm}/pictures",
            "POST /api/v1/inbound/sms",
            "POST /api/v1/inbound/voice",
            "POST /api/v1/logout",
        ],
    ),
];

/// `None`: nobody has decided.
pub(crate) fn rule(method: &str, path: &str) -> Option<Rule> {
    let method = if method.eq_ignore_ascii_case("head") { "GET" } else { method };
    let is_it = |name: &&str| {
        let (its_method, its_path) = name.split_once(' ').unwrap_or_default();
        its_method.eq_ignore_ascii_case(method) && its_path == path
    };
    OPERATIONS.iter().find(|(_, names)| names.iter().any(is_it)).map(|(rule, _)| *rule)
}

/// 乡镇: the ground of a township's right. The rota may give a person a second one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Township {
    names: BTreeSet<String>,
    grids: BTreeSet<GridId>,
}

impl Township {
    /// `None`: none of these has a grid. A name that no grid has would only look like a township
    /// without fires.
    fn of<'a>(county: &County, names: impl Iterator<Item = &'a String>) -> Option<Self> {
        let mut names: BTreeSet<String> = names.cloned().collect();
        let own = county.grids.iter().filter(|grid| names.contains(&grid.township));
        let (grids, known): (BTreeSet<GridId>, BTreeSet<&String>) =
            own.map(|grid| (grid.id.clone(), &grid.township)).unzip();
        names.retain(|name| known.contains(name));
        (!grids.is_empty()).then_some(Self { names, grids })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Theirs: it is placed here, or may be here, also by a better place that waits for an officer.
    pub(crate) fn covers(&self, incident: &Incident) -> bool {
        let proposed = incident.proposal.as_ref().map(|it| &it.place);
        [Some(&incident.place), proposed].into_iter().flatten().any(|it| self.may_hold(it))
    }

    /// It is or was theirs: whoever has it on a board hears that it went.
    pub(crate) fn has_had(&self, incident: &Incident) -> bool {
        let mut places = incident.log.iter().filter_map(|it| match &it.event {
            Event::Opened { place, .. }
            | Event::Relocated { place, .. }
            | Event::RelocationProposed { place, .. } => Some(place),
            _ => None,
        });
        places.any(|it| self.may_hold(it))
    }

    fn may_hold(&self, place: &Place) -> bool {
        self.is_at(place) || place.candidates.iter().any(|it| self.grids.contains(&it.grid))
    }

    fn is_at(&self, place: &Place) -> bool {
        place.township.as_ref().is_some_and(|it| self.names.contains(it))
    }

    /// Whether a place lies in one of its grids.
    pub(crate) fn holds(&self, county: &County, at: LatLon) -> bool {
        county.grid_at(at).is_some_and(|grid| self.grids.contains(&grid.id))
    }

    pub(crate) fn has_grid(&self, grid: &GridId) -> bool {
        self.grids.contains(grid)
    }

    /// One of its own people: by the grid, the village's or the township's post.
    pub(crate) fn is_own(&self, person: &Person) -> bool {
        !is_of_county(person)
            && (person.grid.as_ref().is_some_and(|it| self.grids.contains(it))
                || person.township.as_ref().is_some_and(|it| self.names.contains(it)))
    }

    /// The steps of a township. Looking, dismissing, placing, joining and closing are the county's.
    fn check_input(&self, incident: &Incident, input: &Input, county: &County) -> Answer<()> {
        let check_own = |id: &PersonId| match county.person(id) {
            Some(person) if self.is_own(person) => Ok(()),
            _ => Err(not_own()),
        };
        let check_here =
            || if self.is_at(&incident.place) { Ok(()) } else { Err(lies_elsewhere()) };
        match input {
            // A line for the record, and 收到 to a call that was theirs.
            Input::Note { .. } | Input::Acknowledge { means: Means::Phone } => Ok(()),
            // 代接收, 代到达: on the word of their own ranger.
            Input::Acknowledge { means: Means::Proxy { .. } }
            | Input::Arrive { means: Means::Proxy { .. }, .. } => {
                check_here()?;
                incident.dispatch.as_ref().map_or(Ok(()), |it| check_own(&it.ranger))
            }
            // 改派. Whether anybody is sent at all is decided by the county's second look.
            Input::Dispatch { ranger, .. } => {
                check_here()?;
                if incident.dispatch.is_none() {
                    return Err(first_is_countys());
                }
                check_own(ranger)
            }
            // 乡镇审核 不通过
            Input::SendBack { .. } => check_here(),
            // 未送达: they phoned one of their own.
            Input::TakeUndelivered { message } => {
                let to = incident.undelivered.iter().find(|it| it.message == *message);
                to.and_then(|it| it.person.as_ref()).map_or_else(|| Err(not_own()), check_own)
            }
            _ => Err(countys()),
        }
    }
}

/// Appointed in the county's office: above every township.
pub(crate) fn is_of_county(person: &Person) -> bool {
    matches!(person.post, Post::CountyOfficer | Post::Leader)
}

fn countys() -> Problem {
    Problem::forbidden(
        "乡镇账号不能进行此操作，请打电话给县值班室。",
        "A township's login may not do this: please phone the county's duty room.",
    )
}

fn lies_elsewhere() -> Problem {
    Problem::forbidden(
        "此警情的位置不在您的乡镇：您可以写备注，处置请打电话给县值班室。",
        "This incident is not placed in your township: you can add a note; to act, please phone \
        the county's duty room.",
    )
}

fn not_own() -> Problem {
    Problem::forbidden(
        "这不是您乡镇的人员：请打电话给县值班室。",
        "This is nobody of your township: please phone the county's duty room.",
    )
}

fn first_is_countys() -> Problem {
    Problem::forbidden(
        "首次派发由县值班室研判后决定：请打电话给县值班室；派发后您可以改派本乡镇的护林员。",
        "The county's duty room decides on the first dispatch: please phone it. Once a ranger is \
        sent, you can send another of your township instead.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// A new operation is refused until somebody writes here whose it is; this says so.
    #[test]
    fn every_operation_of_the_contract_is_decided() {
        let mut written = BTreeSet::new();
        for contract in
            [include_str!("../ui/openapi.json"), include_str!("../ui/openapi.centre.json")]
        {
            let contract: Value = serde_json::from_str(contract).expect("JSON");
            for (path, methods) in contract["paths"].as_object().expect("paths") {
                for method in methods.as_object().expect("methods").keys() {
                    written.insert(format!("{} {path}", method.to_uppercase()));
                }
            }
        }
        let all = || OPERATIONS.iter().flat_map(|(_, names)| names.iter());
        let decided: BTreeSet<String> = all().map(|it| (*it).to_owned()).collect();
        assert_eq!(decided.len(), all().count(), "each once");
        assert_eq!(decided, written, "OPERATIONS decides each operation of the contract");
    }
}
