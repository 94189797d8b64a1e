//! What a township's eyes see of an incident that is theirs: no people and no other incidents of
//! elsewhere.

use super::eyes::Eyes;
use super::numbers::without_numbers;
use crate::county::Person;
use crate::store::Message;
use crate::triage::event::{Called, Event, Place, WhyMoved};
use crate::triage::id::{IncidentId, PersonId};
use crate::triage::incident::{Owner, Who};
use crate::triage::policy::Role;
use crate::triage::score::Priority;
use crate::triage::sighting::{Sighting, Source};
use crate::web::http::rights;

impl Eyes<'_> {
    /// Everybody's phone for the county; one's own; for a township those of its own people, and of
    /// the superiors on duty, whom it calls.
    pub(super) fn may_phone(&self, id: &PersonId, person: Option<&Person>) -> bool {
        self.me.right.is_county()
            || self.me.person == *id
            || self.me.right.township().is_some_and(|it| {
                person.is_some_and(|person| it.is_own(person)) || self.is_on_county_duty(id)
            })
    }

    fn is_on_county_duty(&self, id: &PersonId) -> bool {
        let on_duty = |role| self.county.duty(role, None, self.now);
        [Role::CountyDuty, Role::CountyLeader]
            .into_iter()
            .filter_map(on_duty)
            .any(|person| person.id == *id)
    }

    /// Whether this person is listed: not to a township those of another.
    pub(super) fn lists(&self, id: &PersonId) -> bool {
        let Some(township) = self.me.right.township() else { return self.me.right.is_office() };
        let known = self.county.person(id);
        known.is_some_and(|it| township.is_own(it) || rights::is_of_county(it))
            || self.is_on_county_duty(id)
    }

    /// Whether another incident may be named.
    pub(super) fn knows(&self, other: IncidentId) -> bool {
        let is_theirs = || self.book?.find(other).map(|it| self.me.may_see(&it.incident));
        match self.me.right.township() {
            Some(_) => is_theirs().unwrap_or(false),
            None => self.me.right.is_office(),
        }
    }

    pub(super) fn knows_owner(&self, owner: &Owner) -> bool {
        match &owner.who {
            Who::Incident(other) => self.knows(*other),
            Who::Person(_) | Who::Role(_) => self.me.right.is_office(),
        }
    }

    pub(super) fn lists_message(&self, message: &Message) -> bool {
        self.me.right.is_county() || message.to.person.as_ref().is_some_and(|it| self.lists(it))
    }

    /// A line of the log as this reader may have it; `None`: it names an incident of elsewhere.
    pub(super) fn event(&self, mut event: Event) -> Option<Event> {
        if self.me.right.is_county() {
            return Some(event);
        }
        match &mut event {
            Event::Linked { other, .. }
            | Event::Unmerged { other }
            | Event::MergedInto { into: other }
            | Event::SplitOff { into: other, .. } => self.knows(*other).then_some(())?,
            Event::Merged { other, sightings } => {
                self.knows(*other).then_some(())?;
                sightings.iter_mut().for_each(|it| self.cover_caller(it));
            }
            Event::Relocated { why, priority, place, neighbours, .. } => {
                self.knows_why(why).then_some(())?;
                self.cover_numbers(priority);
                self.keep_own(place);
                neighbours.retain(|it| self.lists(&it.ranger));
            }
            Event::RelocationProposed { why, place, neighbours, .. } => {
                self.knows_why(why).then_some(())?;
                self.keep_own(place);
                neighbours.retain(|it| self.lists(&it.ranger));
            }
            Event::Opened { sighting, priority, place, split_from, flood, .. } => {
                self.cover_caller(sighting);
                self.cover_numbers(priority);
                self.keep_own(place);
                for other in [split_from, flood] {
                    *other = other.filter(|it| self.knows(*it));
                }
            }
            Event::SightingAdded { sighting, priority, .. } => {
                self.cover_caller(sighting);
                self.cover_numbers(priority);
            }
            Event::Reminded { sighting } => self.cover_caller(sighting),
            Event::Dispatched(it) => it.neighbours.retain(|near| self.lists(&near.ranger)),
            Event::Rang { with, people, .. } => {
                *with = with.filter(|it| self.knows(*it));
                self.keep_called(people);
            }
            Event::Escalated { people, .. } => self.keep_called(people),
            _ => {}
        }
        Some(event)
    }

    fn knows_why(&self, why: &WhyMoved) -> bool {
        match why {
            WhyMoved::Linked { other } => self.knows(*other),
            WhyMoved::Evidence { .. } | WhyMoved::Sorted | WhyMoved::Officer => true,
        }
    }

    /// Who could go, without those of elsewhere.
    fn keep_own(&self, place: &mut Place) {
        place.suggested.retain(|id| self.lists(id));
        for candidate in &mut place.candidates {
            candidate.ranger.take_if(|id| !self.lists(id));
            candidate.backup.take_if(|id| !self.lists(id));
        }
    }

    fn keep_called(&self, people: &mut Vec<Called>) {
        people.retain(|it| it.person.as_ref().is_none_or(|id| self.lists(id)));
    }

    /// A caller's number is for the county's office only.
    pub(super) fn cover_caller(&self, sighting: &mut Sighting) {
        if let Source::Person { who, words } = &mut sighting.source
            && !self.me.right.is_county()
        {
            *who = without_numbers(who);
            *words = without_numbers(words);
        }
    }

    pub(super) fn cover_numbers(&self, priority: &mut Priority) {
        if !self.me.right.is_county() {
            let reasons = priority.reasons.iter_mut();
            reasons.for_each(|reason| reason.value = without_numbers(&reason.value));
        }
    }
}
