//! Files evidence: labels it from the registers and from what the place was closed as, then joins
//! it to the open incident it belongs to, or opens a new one.

use super::messages::Aside;
use super::open::OpenBook;
use super::{ATTEMPTS, Decided, Desk, leave_room, system, too_slow};
use crate::county::County;
use crate::error::{Error, Kind, Result};
use crate::triage::associate::{self, Association};
use crate::triage::event::Hint;
use crate::triage::id::{DispatchId, IncidentId};
use crate::triage::incident::{Incident, Input, Link, NewIncident, State};
use crate::triage::locate;
use crate::triage::memory::{self, Closed};
use crate::triage::ray::Ray;
use crate::triage::sighting::{Label, Sighting, Source};
use crate::triage::support;
use jiff::{SignedDuration, Timestamp};
use std::slice;

/// Window in which new incidents of one kind of source are counted.
const FLOOD_WINDOW: SignedDuration = SignedDuration::from_mins(1);

impl Desk {
    pub(super) async fn file(&self, sightings: &[Sighting]) -> Result<IncidentId> {
        let _one_by_one = self.filing.lock().await;
        for attempt in 0..ATTEMPTS {
            match self.file_once(sightings).await {
                Err(e) if e.kind == Kind::Conflict => leave_room(attempt).await,
                done => return done,
            }
        }
        Err(too_slow())
    }

    async fn file_once(&self, sightings: &[Sighting]) -> Result<IncidentId> {
        let mut new = Vec::with_capacity(sightings.len());
        let mut filed = None;
        for sighting in sightings {
            match self.store.incident_of(sighting.id).await? {
                Some(known) => filed = Some(known),
                None => new.push(sighting.clone()),
            }
        }
        if let (true, Some(known)) = (new.is_empty(), filed) {
            return Ok(known);
        }
        let (now, county) = (self.clock.now(), self.registers.current());
        let book = &*self.open_book().await?;
        let new: Vec<Sighting> =
            new.iter().map(|it| labelled(it, &county, book.closed(), now)).collect();
        let association =
            associate::associate(&new, book.open().map(|it| &it.incident), &self.policy);
        if let Some(filed) = association.join.and_then(|id| book.get(id)) {
            let leader = filed.incident.merged_into.and_then(|id| book.get(id)).unwrap_or(filed);
            return self.join(leader.incident.clone(), new, &association, book).await;
        }
        let fix = locate::fix(&new);
        let is_outside = || county.place(&fix, &[], now).labels.contains(&Label::OutsideCounty);
        match memory::reminds(&new, &fix, now, book.closed(), &self.policy, is_outside) {
            Some(closed) => match self.remind(closed, new.clone()).await {
                // The incident's record cannot be read. A surplus card is better than evidence that
                // nobody sees.
                Err(e) if e.kind == Kind::Internal => {
                    self.open(new, association.links, &county, book, now).await
                }
                done => done,
            },
            None => self.open(new, association.links, &county, book, now).await,
        }
    }

    async fn remind(&self, closed: IncidentId, sightings: Vec<Sighting>) -> Result<IncidentId> {
        let incident = self.incident(closed).await?.incident;
        let decided = self.decide(incident, Input::Remind { sightings }, &system())?;
        self.commit(vec![decided], None, Aside::default()).await?;
        Ok(closed)
    }

    async fn join(
        &self,
        incident: Incident,
        new: Vec<Sighting>,
        association: &Association,
        book: &OpenBook,
    ) -> Result<IncidentId> {
        let id = incident.id;
        let mut decided =
            self.decide(incident, Input::AddSightings { sightings: new.clone() }, &system())?;
        let began = decided.incident.first_seen_at;
        for link in
            links(&new, began, &association.links, book).into_iter().filter(|it| it.other != id)
        {
            decided = self.also(decided, Input::Link(link))?;
        }
        let mut others = self.tell_linked(&decided.incident, &association.merge, book)?;
        for other in association.merge.iter().filter_map(|id| book.get(*id)).map(|it| &it.incident)
        {
            if other.id == id || other.merged_into.is_some() || !other.merged.is_empty() {
                continue;
            }
            decided = self.also(
                decided,
                Input::Merge { other: other.id, sightings: other.sightings.clone() },
            )?;
            others.push(self.decide(other.clone(), Input::MergeInto { into: id }, &system())?);
        }
        others.insert(0, decided);
        self.commit(others, None, Aside::default()).await?;
        Ok(id)
    }

    /// Adds one more decision of the program on the same incident to the same commit.
    fn also(&self, before: Decided, input: Input) -> Result<Decided> {
        let next = self.decide(before.incident, input, &system())?;
        let events = before.events.into_iter().chain(next.events).collect();
        Ok(Decided { incident: next.incident, events })
    }

    async fn open(
        &self,
        sightings: Vec<Sighting>,
        linked: Vec<IncidentId>,
        county: &County,
        book: &OpenBook,
        now: Timestamp,
    ) -> Result<IncidentId> {
        let id = IncidentId(self.new_id(now));
        let flood = self.flood(id, &sightings, book, now);
        let dispatch = DispatchId(self.new_id(now));
        let began = sightings.iter().map(|it| it.observed_at).min().unwrap_or(now);
        let links = links(&sightings, began, &linked, book);
        let new = NewIncident { id, dispatch, sightings, links, split_from: None, flood };
        let events = self.with_office(county, now, |office| Incident::open(new, office, now));
        let incident = Incident::from_log(&events).ok_or_else(|| {
            Error::internal("a new incident's log does not begin with its opening")
        })?;
        let last_opened = Some(book.last_opened());
        let mut decided = self.tell_linked(&incident, &[], book)?;
        decided.push(Decided { incident, events });
        self.commit(decided, last_opened, Aside::default()).await?;
        Ok(id)
    }

    /// What helps to locate this incident also helps the others that may be the same fire.
    fn tell_linked(
        &self,
        incident: &Incident,
        but: &[IncidentId],
        book: &OpenBook,
    ) -> Result<Vec<Decided>> {
        if incident.state == State::Closed {
            return Ok(Vec::new());
        }
        let told = incident.links.iter().filter(|it| !but.contains(&it.other));
        let told = told.filter_map(|it| Some((it.hint?.likely, &book.get(it.other)?.incident)));
        let ray = incident.fix.ray();
        let one_mast =
            |it: &Incident| ray.zip(it.fix.ray()).is_some_and(|(own, other)| own.same_mast(&other));
        let links = told.map(|(likely, other)| {
            (other, Link { other: incident.id, hint: Some(Hint { fix: incident.fix, likely }) })
        });
        links
            .filter(|(other, link)| other.learns_from(link) && !one_mast(other))
            .map(|(other, link)| self.decide(other.clone(), Input::Link(link), &system()))
            .collect()
    }

    /// Flood control: too many new incidents of one kind of source within a minute are reported as
    /// one group, at the end of that minute. A person's call is never grouped.
    fn flood(
        &self,
        id: IncidentId,
        sightings: &[Sighting],
        book: &OpenBook,
        now: Timestamp,
    ) -> Option<(IncidentId, Timestamp)> {
        let kind = sightings
            .first()
            .filter(|it| !matches!(it.source, Source::Person { .. }))?
            .source
            .kind();
        let lately: Vec<&Incident> = book
            .open()
            .map(|filed| &filed.incident)
            .filter(|it| now.duration_since(it.opened_at) < FLOOD_WINDOW)
            .filter(|it| it.sightings.first().is_some_and(|first| first.source.kind() == kind))
            .collect();
        if lately.len() < self.policy.flood_per_minute as usize {
            return None;
        }
        let group = lately.iter().find_map(|it| Some((it.flood?, it.review_by()?)));
        Some(group.unwrap_or((id, now + FLOOD_WINDOW)))
    }
}

/// Incidents that could be the same fire as the one that began at `began`. When both began at about
/// the same time, the link holds where the other is believed to be. Links within one mast teach
/// nothing, because its directions do not cross. A merged incident is represented by the one it was
/// merged into.
fn links(new: &[Sighting], began: Timestamp, linked: &[IncidentId], book: &OpenBook) -> Vec<Link> {
    let mast = new.first().and_then(|first| Ray::of(&first.locus));
    let open = linked.iter().filter_map(|id| book.get(*id)).map(|filed| &filed.incident);
    open.filter(|it| it.merged_into.is_none())
        .map(|it| {
            let one_mast = mast.zip(it.fix.ray()).is_some_and(|(own, other)| own.same_mast(&other));
            let likely = support::one_fire(began, it.first_seen_at);
            let hint = Hint { fix: it.fix, likely };
            Link { other: it.id, hint: Some(hint).filter(|_| likely > 0.0 && !one_mast) }
        })
        .collect()
}

/// The sighting with the labels of the registers and of closed incidents for its place and time.
fn labelled(sighting: &Sighting, county: &County, closed: &[Closed], now: Timestamp) -> Sighting {
    let mut labels: Vec<Label> = sighting.labels.clone();
    let known = county.labels(&sighting.locus, sighting.observed_at);
    let place = memory::labels(&locate::fix(slice::from_ref(sighting)), now, closed);
    for label in known.into_iter().chain(place).chain(memory::look_alike(sighting, now, closed)) {
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    Sighting { labels, ..sighting.clone() }
}
