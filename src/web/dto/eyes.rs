//! What a given reader may see of an incident. Names come from the registers; phone numbers go to
//! the office only.

use super::numbers::masked;
use super::{
    AnswerView, CameraView, CandidateView, DispatchView, IncidentView, LogView, MeView,
    MessageView, NeighbourView, PersonView, PlaceView, ProposalView, SightingView, SourceView,
    UndeliveredView, VerificationView,
};
use crate::county::{CameraEntry, County, Post};
use crate::desk::OpenBook;
use crate::frame::CameraStatus;
use crate::lang::Lang;
use crate::store::{Filed, Message, Status};
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Actor, Place, Recorded};
use crate::triage::geo::LatLon;
use crate::triage::id::{IncidentId, PersonId};
use crate::triage::incident::{Answer, Incident, Undelivered};
use crate::triage::policy::{self, Policy};
use crate::triage::score::Priority;
use crate::triage::sighting::{Sighting, Source};
use crate::web::http::me::Me;
use jiff::Timestamp;

/// Sightings of one incident in a list: the first, the surest with a picture, and the newest. A
/// fire front of a thousand pixels is one card, and a card shows no more than ten.
const SIGHTINGS_BRIEF: usize = 10;
/// Sightings in the view of one incident: as many as anybody sorts by hand.
const SIGHTINGS_FULL: usize = 100;
/// Log lines sent at once, the newest; older ones come by page.
const LINES_FULL: usize = 100;
/// Messages sent, the newest, in addition to those that failed.
const MESSAGES_FULL: usize = 100;
/// Answers sent of people who were called, the newest.
const ANSWERS: usize = 50;

/// The reader, and where names are looked up.
pub(crate) struct Eyes<'a> {
    pub me: &'a Me,
    pub county: &'a County,
    pub policy: &'a Policy,
    pub now: Timestamp,
    /// Where other incidents are looked up, for whom not every one may be named.
    pub book: Option<&'a OpenBook>,
}

impl Eyes<'_> {
    pub(crate) fn me(&self, lang: Lang) -> MeView {
        MeView {
            person: self.me.person.clone(),
            name: self.name(&self.me.person),
            role: self.me.right.name(),
            county: self.county.name.clone(),
            townships: self.townships(),
            lang,
            now: self.now,
        }
    }

    /// The townships to which the reader is confined.
    pub(crate) fn townships(&self) -> Vec<String> {
        let confined = self.me.right.township().into_iter();
        confined.flat_map(|it| it.names()).map(str::to_owned).collect()
    }

    /// For lists: without log and messages, and with some of the sightings.
    pub(crate) fn brief(&self, filed: &Filed) -> IncidentView {
        self.view(filed, SIGHTINGS_BRIEF)
    }

    /// For one incident. The office also gets the newest log lines, and every message that failed
    /// or is new.
    pub(crate) fn full(&self, filed: &Filed, messages: Vec<Message>) -> IncidentView {
        if !self.me.right.is_office() {
            return self.brief(filed);
        }
        let log = self.log_page(&filed.incident, u64::MAX);
        let older = messages.len().saturating_sub(MESSAGES_FULL);
        let shown = messages
            .into_iter()
            .enumerate()
            .filter(|(n, it)| *n >= older || it.status == Status::Failed)
            .filter(|(_, it)| self.lists_message(it));
        IncidentView {
            log: Some(log),
            messages: Some(shown.map(|(_, it)| message(it)).collect()),
            ..self.view(filed, SIGHTINGS_FULL)
        }
    }

    /// The newest lines of the log before line `before`, oldest first.
    pub(crate) fn log_page(&self, incident: &Incident, before: u64) -> Vec<LogView> {
        let end =
            incident.log.len().min(usize::try_from(before.saturating_sub(1)).unwrap_or(usize::MAX));
        let start = end.saturating_sub(LINES_FULL);
        let lines = incident.log[start..end].iter().zip(start as u64 + 1..);
        lines.map(|(recorded, version)| self.log(Recorded::clone(recorded), version)).collect()
    }

    fn view(&self, filed: &Filed, sightings_max: usize) -> IncidentView {
        let Filed { code, incident, .. } = filed;
        let at = incident.fix.centre;
        // A ranger needs the place and the deadline, not who else could have gone.
        let office = self.me.right.is_office();
        let suggested = if office { incident.place.suggested.as_slice() } else { &[] };
        let because = match &incident.dispatch {
            _ if !office => Vec::new(),
            Some(dispatch) if dispatch.is_running() => dispatch.because.clone(),
            _ => incident.judge(self.policy, false).because,
        };
        let answer = |it: &Answer| AnswerView {
            person: self.person(&it.person, None),
            role: it.role,
            at: it.at,
            means: it.means.clone(),
        };
        let named = |all: &mut dyn Iterator<Item = IncidentId>| -> Vec<IncidentId> {
            all.filter(|it| self.knows(*it)).collect()
        };
        IncidentView {
            id: incident.id,
            code: code.clone(),
            version: incident.version,
            state: incident.state,
            drill: incident.drill,
            opened_at: incident.opened_at,
            first_seen_at: incident.first_seen_at,
            last_seen_at: incident.last_seen_at,
            suggested: suggested
                .iter()
                .filter(|id| self.lists(id))
                .map(|id| self.person(id, self.grid_distance_m(id, at)))
                .collect(),
            fix: incident.fix,
            owner: incident.owner().filter(|it| self.knows_owner(it)),
            because,
            place: self.place(incident.place.clone(), office),
            in_force: self
                .county
                .in_force_on(&incident.place, incident.closed_at.unwrap_or(self.now)),
            proposal: incident
                .proposal
                .clone()
                .filter(|_| office)
                .map(|it| ProposalView { fix: it.fix, place: self.place(it.place, office) }),
            intent: incident.intent.clone().filter(|it| office && !it.over),
            undelivered: incident
                .undelivered
                .iter()
                .filter(|it| office && it.person.as_ref().is_none_or(|id| self.lists(id)))
                .map(|it| self.undelivered(it))
                .collect(),
            answers: newest(&incident.answers, ANSWERS)
                .filter(|it| self.lists(&it.person))
                .map(answer)
                .collect(),
            owes_answer: self.me.owes_answer(incident),
            links: named(&mut incident.links.iter().map(|it| it.other)),
            merged: named(&mut incident.merged.iter().map(|it| it.other)),
            merged_into: incident.merged_into.filter(|it| self.knows(*it)),
            split_from: incident.split_from.filter(|it| self.knows(*it)),
            struck_out: newest(&incident.struck_out, sightings_max)
                .filter(|_| office)
                .map(|it| self.sighting(it.clone()))
                .collect(),
            reminders: incident.reminders.len(),
            sightings: some_of(&incident.sightings, sightings_max)
                .map(|it| self.sighting(it.clone()))
                .collect(),
            sightings_count: incident.sightings.len(),
            priority: self.priority(incident.priority.clone()),
            review_by: incident.review_by(),
            review_missed: incident.review_missed(),
            waiting: incident.waiting.iter().filter(|_| office).copied().collect(),
            dispatch: incident.dispatch.clone().map(|dispatch| self.dispatch(dispatch, at)),
            past_dispatches: incident
                .past_dispatches
                .iter()
                .map(|it| self.dispatch(it.clone(), at))
                .collect(),
            verification: incident.verification.clone().map(|it| VerificationView {
                category: it.category,
                flames: it.flames,
                area_mu: it.area_mu,
                extinguished: it.extinguished,
                words: it.words,
                photos: it.photos,
                no_photo_reason: it.no_photo_reason,
            }),
            sent_back: incident.sent_back().map(str::to_owned),
            closure: incident.closure.clone(),
            closed_at: incident.closed_at,
            log: None,
            messages: None,
        }
    }

    /// A person on duty, in today's role.
    pub(crate) fn person_as(&self, id: &PersonId, role: policy::Role) -> PersonView {
        PersonView { role, ..self.person(id, None) }
    }

    pub(crate) fn person(&self, id: &PersonId, distance_m: Option<f64>) -> PersonView {
        let known = self.county.person(id);
        PersonView {
            id: id.clone(),
            name: self.name(id),
            role: known.map_or(policy::Role::Ranger, |person| role_of(person.post)),
            phone: known.filter(|_| self.may_phone(id, known)).and_then(|it| it.phone.clone()),
            distance_m,
        }
    }

    /// People may leave the register. What they did stays in the log, under their id.
    pub(crate) fn name(&self, id: &PersonId) -> String {
        self.county.person(id).map_or_else(|| id.to_string(), |person| person.name.clone())
    }

    /// Measured from the centre of the person's own grid: nobody is tracked.
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
                .filter(|it| self.lists(&it.ranger))
                .map(|it| NeighbourView {
                    grid: it.grid,
                    ranger: self.person(&it.ranger, None),
                    go: it.go,
                })
                .collect(),
        }
    }

    /// A ranger needs the names of the grids along a bearing, not whose they are; a township its own
    /// people.
    fn place(&self, place: Place, office: bool) -> PlaceView {
        let someone =
            |id: Option<PersonId>| id.filter(|id| self.lists(id)).map(|id| self.person(&id, None));
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

    /// With the whole number: somebody has to phone this person.
    fn undelivered(&self, it: &Undelivered) -> UndeliveredView {
        let person = it.person.as_ref().and_then(|id| self.county.person(id));
        UndeliveredView {
            message: it.message,
            name: person.map(|person| person.name.clone()).unwrap_or_default(),
            role: it.role,
            phone: person
                .filter(|it| self.may_phone(&it.id, person))
                .and_then(|it| it.phone.clone()),
            channel: it.channel,
            why: it.why.clone(),
            at: it.at,
            next: it.next.clone(),
        }
    }

    fn sighting(&self, mut sighting: Sighting) -> SightingView {
        self.cover_caller(&mut sighting);
        let camera_name = match &sighting.source {
            Source::Camera { camera, .. } => {
                self.county.camera(camera).map(|entry| entry.name.clone())
            }
            _ => None,
        };
        SightingView {
            id: sighting.id,
            source: SourceView { source: sighting.source, camera_name },
            observed_at: sighting.observed_at,
            locus: sighting.locus,
            confidence: sighting.confidence,
            pictures: sighting.pictures,
            drill: sighting.drill,
            labels: sighting.labels,
        }
    }

    fn priority(&self, mut priority: Priority) -> Priority {
        self.cover_numbers(&mut priority);
        priority
    }

    fn log(&self, recorded: Recorded, version: u64) -> LogView {
        let name = match &recorded.actor {
            Actor::System => None,
            Actor::Ranger { person } | Actor::Officer { person } => Some(self.name(person)),
        };
        LogView {
            version,
            at: recorded.at,
            actor: recorded.actor,
            name,
            happened_at: recorded.happened_at,
            event: self.event(recorded.event),
        }
    }
}

fn newest<T>(all: &[T], most: usize) -> std::slice::Iter<'_, T> {
    all[all.len().saturating_sub(most)..].iter()
}

/// The first, the surest with a picture, and the newest, in their order.
fn some_of(all: &[Sighting], most: usize) -> impl Iterator<Item = &Sighting> {
    let pictured = all.iter().enumerate().filter(|(_, it)| !it.pictures.is_empty());
    let surest = pictured
        .max_by(|(_, a), (_, b)| a.confidence.total_cmp(&b.confidence))
        .map_or(0, |(n, _)| n);
    let kept = [0, surest];
    let newest_from = all.len().saturating_sub(most.saturating_sub(kept.len()));
    let is_shown = move |n: usize| all.len() <= most || kept.contains(&n) || n >= newest_from;
    all.iter().enumerate().filter(move |(n, _)| is_shown(*n)).map(|(_, it)| it)
}

/// `alarms_today`: camera sightings since midnight, drills left out.
pub(crate) fn camera(
    entry: &CameraEntry,
    status: Option<CameraStatus>,
    alarms_today: usize,
    now: Timestamp,
) -> CameraView {
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
        learning_until: status.learning_until.filter(|until| *until > now),
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
