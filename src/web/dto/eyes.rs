//! What one reader may see of what we believe: names come from the registers, phones go to the office only.

use super::{
    AnswerView, CameraView, CandidateView, DispatchView, IncidentView, LogView, MeView, MessageView, NeighbourView,
    PersonView, PlaceView, ProposalView, SightingView, SourceView, UndeliveredView, VerificationView,
};
use crate::county::{CameraEntry, County, Post};
use crate::frame::CameraStatus;
use crate::lang::Lang;
use crate::store::{Filed, Message};
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Actor, Place, Recorded};
use crate::triage::geo::LatLon;
use crate::triage::id::PersonId;
use crate::triage::incident::Undelivered;
use crate::triage::policy::{self, Policy};
use crate::triage::score::Priority;
use crate::triage::sighting::{Sighting, Source};
use crate::web::auth::Me;
use jiff::Timestamp;

/// Whose eyes, and with what knowledge of names.
pub struct Eyes<'a> {
    pub me: &'a Me,
    pub county: &'a County,
    pub policy: &'a Policy,
}

impl Eyes<'_> {
    pub fn me(&self, lang: Lang, now: Timestamp) -> MeView {
        MeView {
            person: self.me.person.clone(),
            name: self.name(&self.me.person),
            role: self.me.role.word(),
            county: self.county.name.clone(),
            lang: lang.code(),
            now,
        }
    }

    /// For lists: without log and messages.
    pub fn brief(&self, filed: Filed) -> IncidentView {
        let Filed { code, incident, .. } = filed;
        let at = incident.fix.centre;
        // A ranger needs the place and the clock, not who else could have gone.
        let office = self.me.role.is_office();
        let suggested = if office { incident.place.suggested.as_slice() } else { &[] };
        let because = match &incident.dispatch {
            _ if !office => Vec::new(),
            Some(dispatch) if dispatch.is_running() => dispatch.because.clone(),
            _ => incident.judge(self.policy, false).because,
        };
        let (review_by, review_missed) = (incident.review_by(), incident.review_missed());
        let sent_back = incident.sent_back().map(str::to_owned);
        IncidentView {
            id: incident.id,
            code,
            version: incident.version,
            state: incident.state,
            drill: incident.drill,
            opened_at: incident.opened_at,
            first_seen_at: incident.first_seen_at,
            last_seen_at: incident.last_seen_at,
            suggested: suggested.iter().map(|id| self.person(id, self.grid_distance_m(id, at))).collect(),
            fix: incident.fix,
            owner: incident.owner().filter(|_| office),
            because,
            place: self.place(incident.place, office),
            proposal: incident
                .proposal
                .filter(|_| office)
                .map(|it| ProposalView { fix: it.fix, place: self.place(it.place, office) }),
            intent: incident.intent.filter(|it| office && !it.over),
            undelivered: incident.undelivered.iter().filter(|_| office).map(|it| self.undelivered(it)).collect(),
            answers: incident
                .answers
                .into_iter()
                .filter(|_| office)
                .map(|it| AnswerView {
                    person: self.person(&it.person, None),
                    role: it.role,
                    at: it.at,
                    means: it.means,
                })
                .collect(),
            links: incident.links.iter().filter(|_| office).map(|it| it.other).collect(),
            merged: incident.merged.iter().filter(|_| office).map(|it| it.other).collect(),
            merged_into: incident.merged_into.filter(|_| office),
            split_from: incident.split_from.filter(|_| office),
            struck_out: incident.struck_out.into_iter().filter(|_| office).map(|it| self.sighting(it)).collect(),
            reminders: incident.reminders.len(),
            sightings: incident.sightings.into_iter().map(|sighting| self.sighting(sighting)).collect(),
            priority: self.priority(incident.priority),
            review_by,
            review_missed,
            waiting: incident.waiting.into_iter().filter(|_| office).collect(),
            dispatch: incident.dispatch.map(|dispatch| self.dispatch(dispatch, at)),
            past_dispatches: incident.past_dispatches.into_iter().map(|dispatch| self.dispatch(dispatch, at)).collect(),
            verification: incident.verification.map(|it| VerificationView {
                category: it.category,
                flames: it.flames,
                area_mu: it.area_mu,
                extinguished: it.extinguished,
                words: it.words,
                photos: it.photos,
                no_photo_reason: it.no_photo_reason,
            }),
            sent_back,
            closure: incident.closure,
            closed_at: incident.closed_at,
            log: None,
            messages: None,
        }
    }

    /// For one incident: the office also sees everything that happened and every message sent.
    pub fn full(&self, mut filed: Filed, messages: Vec<Message>) -> IncidentView {
        if !self.me.role.is_office() {
            return self.brief(filed);
        }
        let log = std::mem::take(&mut filed.incident.log);
        IncidentView {
            log: Some(log.into_iter().map(|recorded| self.log(recorded)).collect()),
            messages: Some(messages.into_iter().map(message).collect()),
            ..self.brief(filed)
        }
    }

    /// Somebody on duty, in the role they stand in today.
    pub fn person_as(&self, id: &PersonId, role: policy::Role) -> PersonView {
        PersonView { role, ..self.person(id, None) }
    }

    pub fn person(&self, id: &PersonId, distance_m: Option<f64>) -> PersonView {
        let known = self.county.person(id);
        let may_phone = self.me.role.is_office() || self.me.person == *id;
        PersonView {
            id: id.clone(),
            name: self.name(id),
            role: known.map_or(policy::Role::Ranger, |person| role_of(person.post)),
            phone: known.and_then(|person| person.phone.clone()).filter(|_| may_phone),
            distance_m,
        }
    }

    /// People leave the register; what they did stays, under their id.
    fn name(&self, id: &PersonId) -> String {
        self.county.person(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    }

    /// From the middle of the person's own grid: nobody is tracked.
    fn grid_distance_m(&self, id: &PersonId, from: LatLon) -> Option<f64> {
        let grid = self.county.grid(self.county.person(id)?.grid.as_ref()?)?;
        grid.area.centroid().map(|centre| centre.distance_m(from).round())
    }

    fn dispatch(&self, dispatch: Dispatch, fire: LatLon) -> DispatchView {
        let steps = [&dispatch.arrived, &dispatch.acknowledged];
        let last_known = steps.into_iter().flatten().find_map(|step| step.position);
        let distance_m = match last_known {
            Some(position) => Some(position.at.distance_m(fire).round()),
            None => self.grid_distance_m(&dispatch.ranger, fire),
        };
        DispatchView {
            id: dispatch.id,
            ranger: self.person(&dispatch.ranger, distance_m),
            dispatched_at: dispatch.dispatched_at,
            zero_at: dispatch.zero_at,
            acknowledge_by: dispatch.acknowledge_by,
            arrive_by: dispatch.arrive_by,
            report_by: dispatch.report_by,
            acknowledged: dispatch.acknowledged,
            arrived: dispatch.arrived,
            reported: dispatch.reported,
            declined: dispatch.declined,
            missed: dispatch.missed,
            grid: dispatch.grid,
            claimed: dispatch.claimed,
            neighbours: dispatch
                .neighbours
                .into_iter()
                .filter(|_| self.me.role.is_office())
                .map(|it| NeighbourView { grid: it.grid, ranger: self.person(&it.ranger, None), go: it.go })
                .collect(),
        }
    }

    /// A ranger needs the names of the grids along a bearing, not whose they are.
    fn place(&self, place: Place, office: bool) -> PlaceView {
        let someone = |id: Option<PersonId>| id.filter(|_| office).map(|id| self.person(&id, None));
        PlaceView {
            name: place.name,
            grid: place.grid,
            village: place.village,
            township: place.township,
            unique: place.unique,
            labels: place.labels,
            candidates: place
                .candidates
                .into_iter()
                .map(|it| CandidateView {
                    grid: it.grid,
                    name: it.name,
                    weight: it.weight,
                    ranger: someone(it.ranger),
                    backup: someone(it.backup),
                })
                .collect(),
            neighbour: place.neighbour.filter(|_| office),
        }
    }

    /// With the whole number: somebody has to be phoned.
    fn undelivered(&self, it: &Undelivered) -> UndeliveredView {
        let person = it.person.as_ref().and_then(|id| self.county.person(id));
        UndeliveredView {
            message: it.message,
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            role: it.role,
            phone: person.and_then(|person| person.phone.clone()),
            channel: it.channel,
            why: it.why.clone(),
            at: it.at,
            next: it.next.clone(),
        }
    }

    fn sighting(&self, sighting: Sighting) -> SightingView {
        let camera_name = match &sighting.source {
            Source::Camera { camera, .. } => self.county.camera(camera).map(|entry| entry.name.clone()),
            _ => None,
        };
        let source = match sighting.source {
            Source::Person { who, words } if !self.me.role.is_office() => {
                Source::Person { who: without_numbers(&who), words: without_numbers(&words) }
            }
            source => source,
        };
        SightingView {
            id: sighting.id,
            source: SourceView { source, camera_name },
            observed_at: sighting.observed_at,
            locus: sighting.locus,
            confidence: sighting.confidence,
            pictures: sighting.pictures,
            drill: sighting.drill,
            labels: sighting.labels,
        }
    }

    fn priority(&self, mut priority: Priority) -> Priority {
        if !self.me.role.is_office() {
            priority.reasons.iter_mut().for_each(|reason| reason.value = without_numbers(&reason.value));
        }
        priority
    }

    fn log(&self, recorded: Recorded) -> LogView {
        let name = match &recorded.actor {
            Actor::System => None,
            Actor::Ranger { person } | Actor::Officer { person } => Some(self.name(person)),
        };
        LogView {
            at: recorded.at,
            actor: recorded.actor,
            name,
            happened_at: recorded.happened_at,
            event: recorded.event,
        }
    }
}

/// `alarms_today`: camera sightings since midnight, drills left out.
pub fn camera(entry: &CameraEntry, status: Option<CameraStatus>, alarms_today: usize) -> CameraView {
    let status = status.unwrap_or_default();
    CameraView {
        id: entry.id.clone(),
        name: entry.name.clone(),
        at: entry.at,
        azimuth_deg: entry.azimuth_deg,
        field_of_view_deg: entry.field_of_view_deg,
        range_m: entry.range_m,
        health: status.health,
        health_since: status.health_since,
        detail: status.detail,
        main_detail: status.main_detail,
        last_frame_at: status.last_frame_at,
        last_scores: status.last_scores,
        slots_met: status.slots_met,
        slots_missed: status.slots_missed,
        main_fetched: status.main_fetched,
        alarms_today,
        url: entry.url.shown().to_owned(),
        main_url: entry.main_url.as_ref().map(|url| url.shown().to_owned()),
    }
}

fn message(message: Message) -> MessageView {
    let phone = message.to.phone.as_deref().map(masked).unwrap_or_default();
    MessageView {
        id: message.id,
        created_at: message.created_at,
        to: format!("{} {phone}", message.to.name).trim().to_owned(),
        phone: message.to.phone.filter(|_| message.error.is_some()),
        role: message.to.role,
        channel: message.channel,
        status: message.status,
        attempts: message.attempts,
        words: message.words,
        error: message.error,
        sent_at: message.sent_at,
    }
}

/// "139****0001": enough to tell two numbers of one person apart.
fn masked(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().collect();
    match digits.len() {
        0..=4 => "****".to_owned(),
        5..=7 => format!("****{}", digits[digits.len() - 2..].iter().collect::<String>()),
        n => format!("{}****{}", digits[..3].iter().collect::<String>(), digits[n - 4..].iter().collect::<String>()),
    }
}

/// A caller's words often hold a number: runs of seven digits and more are covered.
fn without_numbers(text: &str) -> String {
    const SHORTEST: usize = 7;
    let mut safe = String::with_capacity(text.len());
    let mut digits = String::new();
    for letter in text.chars().chain(std::iter::once('\0')) {
        if letter.is_ascii_digit() {
            digits.push(letter);
            continue;
        }
        safe.push_str(if digits.len() >= SHORTEST { "****" } else { &digits });
        digits.clear();
        if letter != '\0' {
            safe.push(letter);
        }
    }
    safe
}

fn role_of(post: Post) -> policy::Role {
    match post {
        Post::RangerA | Post::Supervisor => policy::Role::Ranger,
        Post::RangerB => policy::Role::BackupRanger,
        Post::VillageChief => policy::Role::VillageChief,
        Post::TownshipOfficer => policy::Role::TownshipDuty,
        Post::CountyOfficer => policy::Role::CountyDuty,
        Post::Leader => policy::Role::CountyLeader,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_covered_words_are_not() {
        for (text, safe) in [
            ("张三 13900000001", "张三 ****"),
            ("3号塔往北2公里", "3号塔往北2公里"),
            ("0745-4222119打来", "0745-****打来"),
            ("", ""),
        ] {
            assert_eq!(without_numbers(text), safe);
        }
        assert_eq!(masked("13900000001"), "139****0001");
        assert_eq!(masked("12119"), "****19");
        assert_eq!(masked(""), "****");
    }
}
