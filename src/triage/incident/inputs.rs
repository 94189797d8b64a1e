//! What people and sources ask of an incident → events, or why not.

use super::decide::Decision;
use super::{By, Input, Refusal, State};
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Actor, Closure, Event, Means, Position, Recorded, Verification};
use crate::triage::id::{DispatchId, PersonId};
use crate::triage::policy::{Review, Stage};
use crate::triage::score::Priority;
use crate::triage::sighting::Sighting;

impl Decision<'_> {
    pub(super) fn take(&mut self, input: Input, by: &By) -> Result<(), Refusal> {
        match input {
            Input::Tick { .. } => Ok(()),
            Input::AddSighting { sighting, priority } => self.add_sighting(sighting, priority, by),
            Input::Acknowledge { means } => self.acknowledge(means, by),
            Input::Arrive { means, position } => self.arrive(means, position, by),
            Input::Report { verification } => self.report(verification, by),
            Input::Decline { reason } => self.decline(reason, by),
            Input::Dispatch { dispatch, ranger } => self.dispatch(dispatch, ranger, by),
            Input::SendBack { reason } => self.send_back(reason, by),
            Input::Close { closure } => self.close(closure, by),
            Input::AddPhoto { picture } => {
                self.check_may_add(by)?;
                let known = |it: &Recorded| it.event == Event::PhotoAdded { picture };
                if !self.incident.log.iter().any(known) {
                    self.by(by, Event::PhotoAdded { picture });
                }
                Ok(())
            }
            Input::Note { words } => {
                self.check_may_add(by)?;
                let words = given(words)?;
                let closed = self.incident.state == State::Closed;
                if closed {
                    self.keep(by, words)
                } else {
                    self.by(by, Event::Noted { words })
                }
                Ok(())
            }
        }
    }

    /// A second source raises the priority and never sends a second ranger; but a trusted one ends the wait for a look.
    fn add_sighting(&mut self, sighting: Sighting, priority: Priority, by: &By) -> Result<(), Refusal> {
        if self.incident.sightings.iter().any(|it| it.id == sighting.id) {
            return Ok(());
        }
        self.check_open()?;
        let trusted = self.policy.review.of(sighting.source.kind()) == Review::Auto;
        self.by(by, Event::SightingAdded { sighting, priority });
        if trusted && self.incident.state == State::NeedsReview {
            self.dispatch_by_policy();
        }
        Ok(())
    }

    fn acknowledge(&mut self, means: Means, by: &By) -> Result<(), Refusal> {
        check_reason(&means)?;
        match self.standing(by)? {
            Some(it) if it.acknowledged.is_none() => {
                let late = self.is_late(&it, Stage::Acknowledged);
                self.by(by, Event::Acknowledged { dispatch: it.id, means, late });
            }
            _ => self.keep(by, "确认接收 / acknowledged".to_owned()),
        }
        Ok(())
    }

    fn arrive(&mut self, means: Means, position: Option<Position>, by: &By) -> Result<(), Refusal> {
        check_reason(&means)?;
        match self.standing(by)? {
            Some(it) if it.arrived.is_none() => {
                self.imply_acknowledged(&it, by);
                self.arrived(&it, means, position, by);
            }
            _ => self.keep(by, "已到达 / arrived".to_owned()),
        }
        Ok(())
    }

    fn report(&mut self, verification: Verification, by: &By) -> Result<(), Refusal> {
        match self.standing(by)? {
            Some(it) if self.incident.state != State::Reported => {
                self.imply_acknowledged(&it, by);
                if it.arrived.is_none() {
                    self.arrived(&it, Means::Implied, verification.position, &implied(by));
                }
                // A form that was sent back is as late as it was when it first came.
                let late = it.reported.as_ref().map_or_else(|| self.is_late(&it, Stage::Reported), |first| first.late);
                self.by(by, Event::Reported { dispatch: it.id, verification, late });
            }
            _ => self.keep(by, in_words(&verification)),
        }
        Ok(())
    }

    fn decline(&mut self, reason: String, by: &By) -> Result<(), Refusal> {
        let reason = given(reason)?;
        match self.standing(by)? {
            Some(it) if it.reported.is_none() => self.by(by, Event::Declined { dispatch: it.id, reason }),
            _ => self.keep(by, format!("不能前往 / cannot go: {reason}")),
        }
        Ok(())
    }

    /// The same ranger again while still on the way changes nothing: two clicks are one dispatch.
    fn dispatch(&mut self, id: DispatchId, ranger: PersonId, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        let on_the_way = |it: &Dispatch| it.is_running() && it.reported.is_none() && it.ranger == ranger;
        let again = self.incident.dispatches().any(|it| it.id == id);
        if !again && !self.incident.dispatch.as_ref().is_some_and(on_the_way) {
            let dispatched = self.clocks(id, ranger);
            self.by(by, Event::Dispatched(dispatched));
        }
        Ok(())
    }

    fn send_back(&mut self, reason: String, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        let reason = given(reason)?;
        let reported = self.incident.dispatch.as_ref().filter(|_| self.incident.state == State::Reported);
        let dispatch = reported.ok_or(Refusal::NotReported)?.id;
        self.by(by, Event::SentBack { dispatch, reason });
        Ok(())
    }

    fn close(&mut self, closure: Closure, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        if closure.category == Verification::INTERIM {
            return Err(Refusal::Incomplete);
        }
        self.by(by, Event::Closed { closure });
        Ok(())
    }

    fn imply_acknowledged(&mut self, it: &Dispatch, by: &By) {
        if it.acknowledged.is_none() {
            let late = self.is_late(it, Stage::Acknowledged);
            self.by(&implied(by), Event::Acknowledged { dispatch: it.id, means: Means::Implied, late });
        }
    }

    fn arrived(&mut self, it: &Dispatch, means: Means, position: Option<Position>, by: &By) {
        let distance_m = position.map(|position| position.at.distance_m(self.incident.fix.centre));
        let late = self.is_late(it, Stage::Arrived);
        self.by(by, Event::Arrived { dispatch: it.id, means, position, distance_m, late });
    }

    /// By server time; the phone's time stands beside it. A limit once missed stays missed, though the clock be set back.
    fn is_late(&self, it: &Dispatch, stage: Stage) -> bool {
        self.now >= it.limit(stage) || it.missed.contains(&stage)
    }

    /// The running dispatch, when the step is its ranger's or comes through the office. `None`: the step of a ranger who was
    /// replaced, declined, or whose incident is closed; it is kept for the record only.
    fn standing(&self, by: &By) -> Result<Option<Dispatch>, Refusal> {
        let open = self.incident.state != State::Closed;
        let running = self.incident.dispatch.as_ref().filter(|it| open && it.is_running());
        let Actor::Ranger { person } = &by.actor else {
            self.check_open()?;
            return running.cloned().map(Some).ok_or(Refusal::NotDispatched);
        };
        match running {
            Some(it) if it.ranger == *person => Ok(Some(it.clone())),
            _ if self.was_sent(person) => Ok(None),
            _ if self.incident.dispatch.is_none() => Err(Refusal::NotDispatched),
            _ => Err(Refusal::NotYours),
        }
    }

    fn was_sent(&self, ranger: &PersonId) -> bool {
        self.incident.dispatches().any(|it| it.ranger == *ranger)
    }

    fn check_open(&self) -> Result<(), Refusal> {
        if self.incident.state == State::Closed { Err(Refusal::Closed) } else { Ok(()) }
    }

    fn check_officer(&self, by: &By) -> Result<(), Refusal> {
        self.check_open()?;
        if matches!(by.actor, Actor::Ranger { .. }) { Err(Refusal::NotYours) } else { Ok(()) }
    }

    /// Photos and notes: from the office while open, from a ranger who was ever sent at any time.
    fn check_may_add(&self, by: &By) -> Result<(), Refusal> {
        match &by.actor {
            Actor::Ranger { person } if self.was_sent(person) => Ok(()),
            Actor::Ranger { .. } => Err(Refusal::NotYours),
            Actor::Officer { .. } | Actor::System => self.check_open(),
        }
    }

    /// Once each: without an action id a repeat is known by its words, its person and the phone's time.
    fn keep(&mut self, by: &By, words: String) {
        let event = Event::LateActionKept { words };
        let same = |it: &Recorded| it.event == event && it.actor == by.actor && it.happened_at == by.happened_at;
        if by.action.is_some() || !self.incident.log.iter().any(same) {
            self.by(by, event);
        }
    }
}

/// A step that follows from another: same hand, same phone time, but the action's id stays with the step really taken.
fn implied(by: &By) -> By {
    By { action: None, ..by.clone() }
}

fn given(words: String) -> Result<String, Refusal> {
    if words.trim().is_empty() { Err(Refusal::Incomplete) } else { Ok(words) }
}

fn check_reason(means: &Means) -> Result<(), Refusal> {
    match means {
        Means::Proxy { reason } if reason.trim().is_empty() => Err(Refusal::Incomplete),
        _ => Ok(()),
    }
}

/// A report that changes nothing any more, with everything it said. In both languages, because the log has no reader yet.
fn in_words(it: &Verification) -> String {
    let mut words = format!("核查反馈 / report: {} (category {})", it.words, it.category);
    if let Some(flames) = it.flames {
        words += &format!("; 火势 / flames: {flames:?}");
    }
    if let Some(area_mu) = it.area_mu {
        words += &format!("; {area_mu} 亩 / mu");
    }
    if let Some(out) = it.extinguished {
        words += if out { "; 已扑灭 / out" } else { "; 未扑灭 / not out" };
    }
    if let Some(Position { at, accuracy_m }) = it.position {
        words += &format!("; {:.5}, {:.5} ±{accuracy_m:.0} m", at.lat_deg(), at.lon_deg());
    }
    for photo in &it.photos {
        words += &format!("; 照片 / photo {photo}");
    }
    words
}
