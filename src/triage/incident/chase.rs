//! Never silent: an open task is rung again and escalated, and a message that reached nobody goes
//! to somebody else.

use super::decide::{Decision, next_digest};
use super::{By, Failed, Refusal, State};
use crate::base::time::later;
use crate::triage::event::{Called, Event, Matter, NextTry};
use crate::triage::id::{IncidentId, MessageId, PersonId};
use crate::triage::policy::{Channel, Role, Round};
use crate::triage::sending::Verdict;
use jiff::SignedDuration;

/// To whom a message escalates when it cannot reach its role: 村 → 乡镇 → 县.
const HIGHER: [Role; 7] = [
    Role::Ranger,
    Role::BackupRanger,
    Role::VillageChief,
    Role::TownshipDuty,
    Role::CountyDuty,
    Role::CountyLeader,
    Role::NextDuty,
];
/// The order in which a person's channels are tried.
const CHANNELS: [Channel; 3] = [Channel::Voice, Channel::Sms, Channel::Wecom];
/// Failures within this time belong to one attempt to reach somebody. A later failure begins a new
/// attempt.
const ONE_ATTEMPT: SignedDuration = SignedDuration::from_mins(15);

/// Shortest time between two rounds: a call takes half a minute.
const SHORTEST: SignedDuration = SignedDuration::from_secs(30);

impl Decision<'_> {
    /// The policy acts by itself, or somebody is rung; one of the two always happens.
    pub(super) fn ring(&mut self, matter: Matter, with: Option<IncidentId>) {
        let round = self.incident.waiting(matter).map_or(0, |it| it.rounds);
        // In a flood the officer is told first, in one ring; the policy acts if he does not.
        let told_first = self.incident.flood.is_some() && round == 0;
        if matter == Matter::Review && !told_first && self.consider(true) {
            return;
        }
        let digest = matter == Matter::Review
            && self.incident.judge(self.policy(), true).verdict == Verdict::Digest;
        let (tell, channel, after) = if digest {
            (vec![Role::CountyDuty], Channel::Sms, None)
        } else {
            let (tell, channel, after) = self.round(matter, round);
            (tell, channel, Some(after))
        };
        let again_at = match after {
            Some(after) => later(self.now, after),
            None => next_digest(self.now, self.policy().labelled.digest_after),
        };
        let people =
            if with.is_some() { Vec::new() } else { self.not_answered(self.holders(&tell)) };
        self.by_system(Event::Rang { matter, round, tell, channel, people, again_at, with });
    }

    /// Whom the round rings, on which channel, and the time until the next round.
    fn round(&self, matter: Matter, round: u32) -> (Vec<Role>, Channel, SignedDuration) {
        let chase = &self.policy().chase;
        let rounds = &chase.rounds;
        let first = Round {
            after: SignedDuration::ZERO,
            tell: vec![Role::Ranger],
            channel: Channel::Voice,
        };
        // A form that was sent back is first the ranger's task, then the office's.
        let steps: Vec<&Round> = match matter {
            Matter::Supplement => std::iter::once(&first).chain(rounds).collect(),
            _ => rounds.iter().collect(),
        };
        let index = round as usize % steps.len().max(1);
        let (this, next) = (steps[index], steps.get(index + 1));
        let wait = match (matter, round) {
            (Matter::Supplement, 0) => self.policy().review.alarm_after,
            _ => next.map_or(chase.again, |next| next.after - this.after).max(SHORTEST),
        };
        let mut tell = this.tell.clone();
        if matches!(matter, Matter::Declined | Matter::Support) && round == 0 {
            // Nobody is on the way, or one ranger is not enough: rings the officer and the leader
            // at once.
            tell.extend(
                [Role::CountyDuty, Role::CountyLeader]
                    .into_iter()
                    .filter(|it| !this.tell.contains(it)),
            );
        }
        (tell, this.channel, wait)
    }

    /// Leaves out whoever has answered 收到 within `chase.answer_holds`.
    fn not_answered(&self, people: Vec<Called>) -> Vec<Called> {
        let holds = self.policy().chase.answer_holds;
        let answered = |person: &PersonId| {
            self.incident
                .answers
                .iter()
                .any(|it| it.person == *person && self.now < later(it.at, holds))
        };
        people.into_iter().filter(|it| !it.person.as_ref().is_some_and(answered)).collect()
    }

    /// Continues at once: with the same person on another channel, then with the next higher
    /// person.
    pub(super) fn message_failed(&mut self, failed: Failed, by: &By) -> Result<(), Refusal> {
        let known = |it: &Event| matches!(it, Event::Undelivered { message, .. } if *message == failed.message);
        if self.incident.state == State::Closed
            || self.incident.log.iter().any(|it| known(&it.event))
        {
            return Ok(());
        }
        let next = self.next_try(&failed);
        let Failed { message, role, person, channel, why, no_channel, .. } = failed;
        self.by(by, Event::Undelivered { message, role, person, channel, why, no_channel, next });
        Ok(())
    }

    fn next_try(&self, failed: &Failed) -> Option<NextTry> {
        let since = later(self.now, -ONE_ATTEMPT);
        let lately = self.incident.undelivered.iter().filter(|it| it.at >= since);
        let tried: Vec<(Option<&PersonId>, Channel, bool)> = lately
            .map(|it| (it.person.as_ref(), it.channel, it.no_channel))
            .chain([(failed.person.as_ref(), failed.channel, failed.no_channel)])
            .collect();
        if failed.person.is_some() && !failed.no_number {
            let fresh = |it: &&Channel| {
                tried.iter().all(|(who, channel, none)| {
                    channel != *it || !none && *who != failed.person.as_ref()
                })
            };
            if let Some(&channel) = CHANNELS.iter().find(fresh) {
                return Some(NextTry { role: failed.role, person: failed.person.clone(), channel });
            }
        }
        // Without any gateway the next person cannot be reached either: the board shows it.
        let carried = |it: &Channel| tried.iter().all(|(_, channel, none)| channel != it || !none);
        let channel = *CHANNELS.iter().find(|it| carried(it))?;
        let place = HIGHER.iter().position(|it| *it == failed.role)?;
        let ranger = self.incident.dispatch.as_ref().map(|it| &it.ranger);
        HIGHER[place + 1..].iter().find_map(|&role| {
            let person = (self.office.holder)(role, &self.incident.place, ranger)?;
            let new = tried.iter().all(|(who, _, _)| *who != Some(&person));
            new.then_some(NextTry { role, person: Some(person), channel })
        })
    }

    pub(super) fn take_undelivered(&mut self, message: MessageId, by: &By) -> Result<(), Refusal> {
        if self.incident.undelivered.iter().all(|it| it.message != message) {
            return Err(Refusal::NotHere);
        }
        self.by(by, Event::UndeliveredTaken { message });
        Ok(())
    }
}
