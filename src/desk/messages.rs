//! Pure: which texts an event sends, and to whom. [`super::wording`] has the words. The event
//! itself names the people, as triage chose them, so that the log says who was told.

use super::wording::Wording;
use crate::base::id::named;
use crate::county::County;
use crate::store::{Addressee, Message, NewMessage, Occasion};
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Called, Dispatched, Event, Neighbour, NextTry, Recorded};
use crate::triage::id::{DispatchId, IncidentId, MessageId, PersonId};
use crate::triage::incident::Incident;
use crate::triage::policy::{Channel, Role, Stage};
use jiff::Timestamp;

/// What the desk knows in addition to the incident.
#[derive(Clone, Debug, Default)]
pub(super) struct Aside<'a> {
    /// Codes of the incidents of one flood that this call covers.
    pub codes: Vec<String>,
    /// The message that reached nobody and is sent another way.
    pub failed: Option<&'a Message>,
}

/// The texts for the last `events` of `incident`, which are already folded into it.
pub(super) fn compose(
    code: &str,
    signature: &str,
    incident: &Incident,
    events: &[Recorded],
    county: &County,
    aside: &Aside<'_>,
) -> Vec<NewMessage> {
    let words = Wording { code, signature, incident, county };
    let mut desk = Composer { words, incident, county, aside, messages: Vec::new() };
    let before = incident.version - events.len() as u64;
    for (version, recorded) in (before + 1..).zip(events) {
        let replaced = events
            .iter()
            .any(|it| matches!(&it.event, Event::Dispatched(it) if it.replaces.is_some()));
        desk.event(recorded, version, replaced);
    }
    desk.messages
}

struct Composer<'a> {
    words: Wording<'a>,
    incident: &'a Incident,
    county: &'a County,
    aside: &'a Aside<'a>,
    messages: Vec<NewMessage>,
}

/// What one event says, before its recipients are known.
#[derive(Clone, Copy)]
struct Telling {
    dispatch: Option<DispatchId>,
    occasion: Occasion,
    channel: Channel,
}

impl<'a> Composer<'a> {
    fn event(&mut self, recorded: &Recorded, version: u64, replaced: bool) {
        let at = recorded.at;
        let telling = |dispatch, occasion, channel| Telling { dispatch, occasion, channel };
        let sms =
            |dispatch: &Dispatch, occasion| telling(Some(dispatch.id), occasion, Channel::Sms);
        let w = self.words;
        match &recorded.event {
            Event::Dispatched(dispatched) => self.dispatched(dispatched, at, version),
            Event::Relocated { answer_by, neighbours, tell_ranger, .. } => {
                let Some(dispatch) = self.incident.dispatch.as_ref() else { return };
                let to = self.running_or_replaced(dispatch, replaced);
                if (*tell_ranger || answer_by.is_some()) && is_underway(to) {
                    self.person(
                        sms(to, Occasion::Relocated(version)),
                        Role::Ranger,
                        &to.ranger,
                        &w.relocated(at),
                    );
                }
                self.neighbours(to, neighbours, at, version);
            }
            Event::RelocationProposed { place, neighbours, .. } => {
                let Some(dispatch) = self.incident.dispatch.as_ref() else { return };
                let occasion = Occasion::Neighbour(version);
                for it in neighbours {
                    let telling = telling(Some(dispatch.id), occasion, Channel::Sms);
                    self.person(
                        telling,
                        Role::Ranger,
                        &it.ranger,
                        &w.maybe_here(&place.name, &it.grid, at),
                    );
                }
            }
            Event::Escalated { dispatch, rung, tell, channel, people } => {
                let Some(dispatch) = self.dispatch(*dispatch) else { return };
                let unless = dispatch
                    .ladder
                    .get(usize::from(*rung))
                    .map_or(Stage::Acknowledged, |due| due.unless);
                let telling = telling(Some(dispatch.id), Occasion::Rung(*rung), *channel);
                let called = if people.is_empty() { nobody(tell) } else { people.clone() };
                self.called(&called, telling, |role| w.late(dispatch, unless, role, at));
            }
            Event::Rang { matter, round, people, channel, .. } => {
                let telling = telling(None, Occasion::Rang(version), *channel);
                self.called(people, telling, |role| {
                    w.ring(*matter, *round, role, &self.aside.codes, at)
                });
            }
            Event::Undelivered { next: Some(next), .. } => self.instead(next, version),
            Event::Acknowledged { dispatch, .. } => self.not_needed(*dispatch, at, version),
            Event::SentBack { dispatch, reason, .. } => {
                let Some(dispatch) = self.dispatch(*dispatch) else { return };
                let telling = sms(dispatch, Occasion::SentBack(version));
                self.person(telling, Role::Ranger, &dispatch.ranger, &w.sent_back(reason, at));
            }
            Event::Closed { .. } => {
                let Some(dispatch) = self.incident.dispatch.as_ref().filter(|it| is_underway(it))
                else {
                    return;
                };
                let telling = sms(dispatch, Occasion::Closed);
                self.person(telling, Role::Ranger, &dispatch.ranger, &w.closed(at));
            }
            _ => {}
        }
    }

    fn dispatched(&mut self, dispatched: &Dispatched, at: Timestamp, version: u64) {
        let sms = |id, occasion| Telling { dispatch: Some(id), occasion, channel: Channel::Sms };
        let relieved =
            dispatched.replaces.and_then(|id| self.dispatch(id)).filter(|it| is_underway(it));
        if let Some(relieved) = relieved.filter(|it| it.ranger != dispatched.ranger) {
            let words = self.words.relieved(at);
            self.person(
                sms(relieved.id, Occasion::Relieved),
                Role::Ranger,
                &relieved.ranger,
                &words,
            );
        }
        let Some(dispatch) = self.dispatch(dispatched.dispatch) else { return };
        let words = self.words.task_for_ranger(at);
        self.person(sms(dispatch.id, Occasion::Dispatched), Role::Ranger, &dispatch.ranger, &words);
        self.neighbours(dispatch, &dispatched.neighbours, at, version);
    }

    fn neighbours(
        &mut self,
        dispatch: &Dispatch,
        neighbours: &[Neighbour],
        at: Timestamp,
        version: u64,
    ) {
        let occasion = Occasion::Neighbour(version);
        let telling = Telling { dispatch: Some(dispatch.id), occasion, channel: Channel::Sms };
        for it in neighbours {
            let words = self.words.neighbour(it, dispatch, at);
            self.person(telling, Role::Ranger, &it.ranger, &words);
        }
    }

    /// Somebody goes, so the others who were asked need not.
    fn not_needed(&mut self, dispatch: DispatchId, at: Timestamp, version: u64) {
        let Some(dispatch) = self.dispatch(dispatch) else { return };
        let occasion = Occasion::NotNeeded(version);
        let telling = Telling { dispatch: Some(dispatch.id), occasion, channel: Channel::Sms };
        for it in dispatch.neighbours.iter().filter(|it| it.go && it.ranger != dispatch.ranger) {
            let words = self.words.another_goes(&dispatch.ranger, at);
            self.person(telling, Role::Ranger, &it.ranger, &words);
        }
    }

    /// Repeats the words that reached nobody, on another channel or to the next person.
    fn instead(&mut self, next: &NextTry, version: u64) {
        let Some(failed) = self.aside.failed else { return };
        let dispatch = self.incident.dispatch.as_ref().map(|it| it.id);
        let telling =
            Telling { dispatch, occasion: Occasion::Instead(version), channel: next.channel };
        let words = match next.person == failed.to.person {
            true => failed.words.clone(),
            false => self.words.instead_of(failed),
        };
        self.called(&[Called { role: next.role, person: next.person.clone() }], telling, |_| {
            words.clone()
        });
    }

    fn dispatch(&self, id: DispatchId) -> Option<&'a Dispatch> {
        self.incident.dispatch.iter().chain(&self.incident.past_dispatches).find(|it| it.id == id)
    }

    /// The dispatch to be told of a changed place. When the change has already sent another ranger,
    /// it is the relieved one.
    fn running_or_replaced(&self, last: &'a Dispatch, replaced: bool) -> &'a Dispatch {
        if replaced { self.incident.past_dispatches.last().unwrap_or(last) } else { last }
    }

    fn person(&mut self, telling: Telling, role: Role, person: &PersonId, words: &str) {
        self.called(&[Called { role, person: Some(person.clone()) }], telling, |_| {
            words.to_owned()
        });
    }

    /// Each person once. A role that nobody stands in, or a person without a number, gives a failed
    /// row. The desk finds it and tells somebody else.
    fn called(&mut self, people: &[Called], telling: Telling, words: impl Fn(Role) -> String) {
        let mut told: Vec<&PersonId> = Vec::new();
        for it in people {
            let known = it.person.as_ref().and_then(|person| self.county.person(person));
            if known.is_some_and(|known| told.contains(&&known.id)) {
                continue;
            }
            told.extend(it.person.as_ref());
            let phone = known.and_then(|person| person.phone.clone());
            let error = match known {
                None => Some("无人值班 / nobody on duty"),
                Some(_) if phone.is_none() && telling.channel != Channel::Wecom => {
                    Some("没有电话号码 / no phone number in the register")
                }
                Some(_) => None,
            };
            let name = known.map(|person| person.name.clone()).unwrap_or_default();
            let to = Addressee {
                role: it.role,
                person: known.map(|person| person.id.clone()),
                name,
                phone,
            };
            self.messages.push(NewMessage {
                id: message_id(self.incident.id, &telling, &to),
                dispatch: telling.dispatch,
                occasion: telling.occasion,
                to,
                channel: telling.channel,
                words: words(it.role),
                drill: self.incident.drill,
                error: error.map(ToOwned::to_owned),
            });
        }
    }
}

/// Logs before 0.2 name only roles.
fn nobody(roles: &[Role]) -> Vec<Called> {
    roles.iter().map(|role| Called { role: *role, person: None }).collect()
}

/// Somebody is on the way and does not know yet that it is no longer needed.
fn is_underway(dispatch: &Dispatch) -> bool {
    dispatch.declined.is_none() && dispatch.reported.is_none()
}

/// The same text to the same person always has the same id. So two desks with the same decision
/// make one message, and a gateway can recognise a repeat.
fn message_id(incident: IncidentId, telling: &Telling, to: &Addressee) -> MessageId {
    let dispatch = telling.dispatch.map(|dispatch| dispatch.to_string()).unwrap_or_default();
    let who = to.person.as_ref().map_or_else(|| format!("{:?}", to.role), ToString::to_string);
    let name = format!("{incident} {dispatch} {} {:?} {who}", telling.occasion, telling.channel);
    MessageId(named(name))
}
