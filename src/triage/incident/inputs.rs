//! Input from people and sources → events, or the reason for a refusal.

use super::decide::Decision;
use super::{By, Input, Refusal, State};
use crate::base::time::later;
use crate::triage::category::STILL_CHECKING;
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{
    Actor, Closure, Dispatched, Event, Intent, Means, Position, Recorded, Remark, Unproven,
    Verification,
};
use crate::triage::geo::{Locus, Spread};
use crate::triage::id::{DispatchId, PersonId};
use crate::triage::overlap;
use crate::triage::policy::{Role, Stage};
use crate::triage::sending::{self, reason};
use std::sync::Arc;

impl Input {
    /// Whether this input can have made an event with its id. A phone's inputs are told apart; an
    /// officer's page makes a new id for every press.
    pub(super) fn may_have_made(&self, event: &Event) -> bool {
        match event {
            Event::LateActionKept { .. } | Event::Noted { .. } => true,
            Event::Acknowledged { .. } => matches!(self, Self::Acknowledge { .. }),
            Event::Arrived { .. } => matches!(self, Self::Arrive { .. }),
            Event::Answered { .. } => {
                matches!(self, Self::Acknowledge { .. } | Self::Arrive { .. })
            }
            Event::Reported { .. } => matches!(self, Self::Report { .. }),
            Event::Declined { .. } => matches!(self, Self::Decline { .. }),
            Event::SupportAsked { .. } => matches!(self, Self::AskSupport { .. }),
            Event::PhotoAdded { picture } => {
                matches!(self, Self::AddPhoto { picture: other } if picture == other)
            }
            _ => true,
        }
    }
}

impl Decision<'_> {
    pub(super) fn take(&mut self, input: Input, by: &By) -> Result<(), Refusal> {
        match input {
            Input::Tick { .. } => Ok(()),
            Input::AddSightings { sightings } => self.add_sightings(sightings, by),
            Input::Remind { sightings } => self.remind(sightings, by),
            Input::Relocate { accept } => self.answer_relocation(accept, by),
            Input::StrikeOut { sighting, reason } => self.strike_out(sighting, reason, by),
            Input::Reinstate { sighting } => self.reinstate(sighting, by),
            Input::SplitOff { sightings, into } => self.split_off(sightings, into, by),
            Input::Merge { other, sightings } => self.merge(other, sightings, by),
            Input::MergeInto { into } => self.merge_into(into, by),
            Input::Unmerge { other } => self.unmerge(other, by),
            Input::Link(link) => self.link(link, by),
            Input::Intend { intent } => self.intend(intent, by),
            Input::MessageFailed(failed) => self.message_failed(failed, by),
            Input::TakeUndelivered { message } => self.take_undelivered(message, by),
            Input::Acknowledge { means } => self.acknowledge(means, by),
            Input::Arrive { means, position } => self.arrive(means, position, by),
            Input::Report { verification } => self.report(verification, by),
            Input::Decline { reason } => self.decline(reason, by),
            Input::AskSupport { reason } => self.ask_support(reason, by),
            Input::Dispatch { dispatch, ranger } => self.dispatch(dispatch, ranger, by),
            Input::SendBack { reason } => self.send_back(reason, by),
            Input::Close { closure } => self.close(closure, by),
            Input::AddPhoto { picture } => {
                self.check_may_add(by)?;
                let known = |it: &Arc<Recorded>| it.event == Event::PhotoAdded { picture };
                if !self.incident.log.iter().any(known) {
                    self.by(by, Event::PhotoAdded { picture });
                }
                Ok(())
            }
            Input::Note { words } => self.note(words, Remark::Plain, by),
            Input::UnclearReply { words } => self.note(words, Remark::UnclearReply, by),
        }
    }

    fn note(&mut self, words: String, about: Remark, by: &By) -> Result<(), Refusal> {
        self.check_may_add(by)?;
        let words = given(words)?;
        if self.incident.state == State::Closed {
            self.keep_about(by, words, about);
        } else {
            self.by(by, Event::Noted { words, about });
        }
        Ok(())
    }

    /// For the dispatched ranger, the step. The B角, or a neighbour asked to go as well, takes over
    /// the dispatch. For anybody else who was rung, 收到 is recorded and stops their own ringing
    /// only.
    fn acknowledge(&mut self, means: Means, by: &By) -> Result<(), Refusal> {
        check_reason(&means)?;
        if let Some(role) = self.called_as(by) {
            return self.answer(role, means, by);
        }
        match self.standing(by)? {
            Some(it) if it.acknowledged.is_none() => {
                let late = self.is_late(&it, Stage::Acknowledged);
                self.by(by, Event::Acknowledged { dispatch: it.id, means, late });
            }
            _ => self.keep(by, "确认接收 / acknowledged".to_owned()),
        }
        Ok(())
    }

    /// The role in which somebody who was never dispatched was rung. Of several the highest: the
    /// call was about that one.
    fn called_as(&self, by: &By) -> Option<Role> {
        let Actor::Ranger { person } = &by.actor else { return None };
        let told =
            self.incident.told.iter().filter(|it| it.person == *person).map(|it| it.role).max();
        // A dispatched ranger takes a step. What a relieved one sends is recorded and takes nothing
        // over.
        told.filter(|_| self.incident.state != State::Closed && !self.was_sent(person))
    }

    fn answer(&mut self, role: Role, means: Means, by: &By) -> Result<(), Refusal> {
        let Actor::Ranger { person } = &by.actor else { return Err(Refusal::NotYours) };
        if !self.goes_instead(role, &means, by) {
            self.by(by, Event::Answered { person: person.clone(), role, means });
        }
        Ok(())
    }

    /// The B角, or a neighbour asked to go as well, answers first: he is the one who goes.
    fn goes_instead(&mut self, role: Role, means: &Means, by: &By) -> bool {
        let Actor::Ranger { person } = &by.actor else { return false };
        let waits = self
            .incident
            .dispatch
            .as_ref()
            .filter(|it| it.is_running() && it.acknowledged.is_none());
        let asked =
            |it: &&Dispatch| it.neighbours.iter().any(|near| near.go && near.ranger == *person);
        let Some(it) = waits.filter(|it| role == Role::BackupRanger || asked(it)).cloned() else {
            return false;
        };
        self.take_over(&it, person.clone(), means.clone(), by);
        true
    }

    /// He was rung with the ladder, so its clocks continue: a missed limit stays missed.
    fn take_over(&mut self, from: &Dispatch, ranger: PersonId, means: Means, by: &By) {
        let fired = |rung: usize| from.fired.iter().any(|it| usize::from(*it) == rung);
        let ladder = from
            .ladder
            .iter()
            .enumerate()
            .filter(|(rung, _)| !fired(*rung))
            .map(|(_, due)| due.clone());
        let because = vec![reason("took_over", from.ranger.to_string())];
        let fresh = self.clocks(self.spare, ranger, because, Vec::new());
        let dispatched = Dispatched {
            zero_at: from.zero_at,
            acknowledge_by: from.acknowledge_by,
            arrive_by: from.arrive_by,
            report_by: from.report_by,
            ladder: ladder.collect(),
            neighbours: from
                .neighbours
                .iter()
                .filter(|it| it.ranger != fresh.ranger)
                .cloned()
                .collect(),
            ..fresh
        };
        let dispatch = dispatched.dispatch;
        self.by_system(Event::Dispatched(dispatched));
        for stage in from.missed.iter().copied() {
            self.miss(stage);
        }
        let late = from.missed.contains(&Stage::Acknowledged) || self.now >= from.acknowledge_by;
        if late && !from.missed.contains(&Stage::Acknowledged) {
            self.miss(Stage::Acknowledged);
        }
        self.by(by, Event::Acknowledged { dispatch, means, late });
    }

    fn intend(&mut self, intent: Intent, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        let since = self.incident.intent.as_ref().map_or(self.now, |it| it.since);
        let longest = later(since, self.policy().intent_max);
        let until = later(self.now, self.policy().intent_hold).min(longest);
        if self.incident.state == State::NeedsReview && until > self.now {
            self.by(by, Event::Intended { intent, until });
        }
        Ok(())
    }

    fn arrive(&mut self, means: Means, position: Option<Position>, by: &By) -> Result<(), Refusal> {
        check_reason(&means)?;
        if let Some(role) = self.called_as(by)
            && !self.goes_instead(role, &means, &implied(by))
        {
            return self.answer(role, means, by);
        }
        match self.standing(by)? {
            Some(it) if it.arrived.is_none() && it.reported.is_none() => {
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
                // A form sent back and completed keeps the lateness of its first report.
                let late = it
                    .reported
                    .as_ref()
                    .map_or_else(|| self.is_late(&it, Stage::Reported), |first| first.late);
                let review_by = Some(later(self.now, self.policy().chase.review_report_within));
                self.by(by, Event::Reported { dispatch: it.id, verification, late, review_by });
            }
            _ => self.keep(by, in_words(&verification)),
        }
        Ok(())
    }

    fn decline(&mut self, reason: String, by: &By) -> Result<(), Refusal> {
        let reason = given(reason)?;
        if self.called_as(by).is_some() {
            let words = format!("不能前往 / cannot go: {reason}");
            self.by(by, Event::Noted { words, about: Remark::CannotGo });
            return Ok(());
        }
        match self.standing(by)? {
            Some(it) if it.reported.is_none() => {
                self.by(by, Event::Declined { dispatch: it.id, reason })
            }
            _ => self.keep(by, format!("不能前往 / cannot go: {reason}")),
        }
        Ok(())
    }

    /// At any stage, even after the report: a fire can flare up again.
    fn ask_support(&mut self, reason: String, by: &By) -> Result<(), Refusal> {
        let reason = given(reason)?;
        // A relieved ranger may still be at the fire.
        let own = |it: &&Dispatch| by.actor.person() == Some(&it.ranger);
        let relieved = self.incident.dispatches().filter(own).last().map(|it| it.id);
        let relieved = relieved.filter(|_| self.incident.state != State::Closed);
        match self.standing(by)?.map(|it| it.id).or(relieved) {
            Some(dispatch) => self.by(by, Event::SupportAsked { dispatch, reason }),
            None => self.keep(by, format!("请求支援 / asks for support: {reason}")),
        }
        Ok(())
    }

    /// The same ranger again while he is on the way changes nothing: two clicks are one dispatch.
    fn dispatch(&mut self, id: DispatchId, ranger: PersonId, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        let on_the_way =
            |it: &Dispatch| it.is_running() && it.reported.is_none() && it.ranger == ranger;
        let again = self.incident.dispatches().any(|it| it.id == id);
        if !again && !self.incident.dispatch.as_ref().is_some_and(on_the_way) {
            let neighbours = sending::neighbours(&self.incident.place, &ranger, self.policy());
            let dispatched = self.clocks(id, ranger, vec![reason("officer", "")], neighbours);
            self.by(by, Event::Dispatched(dispatched));
        }
        Ok(())
    }

    fn send_back(&mut self, reason: String, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        let reason = given(reason)?;
        let reported =
            self.incident.dispatch.as_ref().filter(|_| self.incident.state == State::Reported);
        let dispatch = reported.ok_or(Refusal::NotReported)?.id;
        let supplement_by = Some(later(self.now, self.policy().chase.supplement_within));
        self.by(by, Event::SentBack { dispatch, reason, supplement_by });
        Ok(())
    }

    fn close(&mut self, closure: Closure, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        if closure.category == STILL_CHECKING {
            return Err(Refusal::Incomplete);
        }
        let burns =
            self.incident.verification.as_ref().is_some_and(|it| it.extinguished == Some(false));
        if burns && closure.words.trim().is_empty() {
            return Err(Refusal::StillBurning);
        }
        self.by(by, Event::Closed { closure });
        Ok(())
    }

    fn imply_acknowledged(&mut self, it: &Dispatch, by: &By) {
        if it.acknowledged.is_none() {
            let late = self.is_late(it, Stage::Acknowledged);
            self.by(
                &implied(by),
                Event::Acknowledged { dispatch: it.id, means: Means::Implied, late },
            );
        }
    }

    /// An arrival is measured, not believed. A tap too far away, with an old position or with none,
    /// is 声称到达: it is recorded with its distance and completes no step, so the clock continues.
    /// A named officer's word needs no position.
    fn arrived(&mut self, it: &Dispatch, means: Means, position: Option<Position>, by: &By) {
        let distance_m = position.map(|position| self.off_the_fire_m(&position));
        let unproven = match (&means, position, distance_m) {
            (Means::Proxy { .. }, ..) => None,
            (_, Some(position), _) if self.is_old(&position, by) => Some(Unproven::Old),
            (_, _, Some(distance_m)) if distance_m > self.policy().arrival_radius_m => {
                Some(Unproven::Far)
            }
            (_, Some(_), Some(_)) => None,
            _ => Some(Unproven::NoPosition),
        };
        let late = self.is_late(it, Stage::Arrived);
        self.by(
            by,
            Event::Arrived { dispatch: it.id, means, position, distance_m, late, unproven },
        );
    }

    /// Distance from the nearest place where the fire may be, metres: from the circle of a fix, or
    /// from the area of a bearing.
    fn off_the_fire_m(&self, position: &Position) -> f64 {
        let fix = &self.incident.fix;
        let to_centre_m = position.at.distance_m(fix.centre);
        match fix.spread() {
            Spread::Ellipse { along_m, across_m, .. } => {
                (to_centre_m - along_m.max(across_m)).max(0.0)
            }
            Spread::Sector(ray) => overlap::distance_m(&Locus::Sector(ray), position.at),
        }
    }

    /// Both times are the phone's, so its clock may be wrong.
    fn is_old(&self, position: &Position, by: &By) -> bool {
        let tapped_at = by.happened_at.unwrap_or(self.now);
        position
            .measured_at
            .is_none_or(|at| tapped_at.duration_since(at).abs() > self.policy().position_age_max)
    }

    /// By server time; the phone's time is shown beside it. A missed limit stays missed, even if
    /// the clock is set back.
    fn is_late(&self, it: &Dispatch, stage: Stage) -> bool {
        self.now >= it.limit(stage) || it.missed.contains(&stage)
    }

    /// The running dispatch, if the step is its ranger's or comes through the office. `None`: the
    /// ranger was replaced or declined, or the incident is closed; the step is only recorded.
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
            _ if !open && self.incident.told.iter().any(|it| it.person == *person) => {
                Err(Refusal::Closed)
            }
            _ if self.incident.dispatch.is_none() => Err(Refusal::NotDispatched),
            _ => Err(Refusal::NotYours),
        }
    }

    fn was_sent(&self, ranger: &PersonId) -> bool {
        self.incident.dispatches().any(|it| it.ranger == *ranger)
    }

    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        if self.incident.state == State::Closed { Err(Refusal::Closed) } else { Ok(()) }
    }

    pub(super) fn check_officer(&self, by: &By) -> Result<(), Refusal> {
        self.check_open()?;
        if matches!(by.actor, Actor::Ranger { .. }) { Err(Refusal::NotYours) } else { Ok(()) }
    }

    /// Photos and notes: from the office while open; from a ranger who was ever dispatched, at any
    /// time.
    fn check_may_add(&self, by: &By) -> Result<(), Refusal> {
        match &by.actor {
            Actor::Ranger { person } if self.was_sent(person) => Ok(()),
            Actor::Ranger { .. } => Err(Refusal::NotYours),
            Actor::Officer { .. } | Actor::System => self.check_open(),
        }
    }

    /// Records once: without an action id, a repeat is recognised by its words, its person and the
    /// phone's time.
    fn keep(&mut self, by: &By, words: String) {
        self.keep_about(by, words, Remark::Plain);
    }

    fn keep_about(&mut self, by: &By, words: String, about: Remark) {
        let event = Event::LateActionKept { words, about };
        let same = |it: &Arc<Recorded>| {
            it.event == event && it.actor == by.actor && it.happened_at == by.happened_at
        };
        if by.action.is_some() || !self.incident.log.iter().any(same) {
            self.by(by, event);
        }
    }
}

/// A step implied by another: same person, same phone time. The action's id stays with the step
/// really taken.
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

/// The whole content of a report that changes nothing any more. In both languages, because its
/// reader is not known yet.
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
    if let Some(Position { at, accuracy_m, .. }) = it.position {
        words += &format!("; {:.5}, {:.5} ±{accuracy_m:.0} m", at.lat_deg(), at.lon_deg());
    }
    for photo in &it.photos {
        words += &format!("; 照片 / photo {photo}");
    }
    words
}
