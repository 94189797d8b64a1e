//! Evidence arrives, is sorted out, and moves the fix. The place follows the fix, and the dispatch
//! follows the place. One function, [`Decision::follow_the_evidence`], does it in all cases.

use super::decide::Decision;
use super::{By, Link, Refusal, State};
use crate::base::time::later;
use crate::triage::dispatch::Dispatch;
use crate::triage::event::{Actor, Event, Matter, Neighbour, Place, WhyMoved};
use crate::triage::geo::{Fix, FixMethod, Locus, Ray};
use crate::triage::id::{IncidentId, SightingId};
use crate::triage::policy::Role;
use crate::triage::score;
use crate::triage::sending::{self, Verdict, reason};
use crate::triage::sighting::{Sighting, SourceKind};
use jiff::Timestamp;

/// A fix is the same if it moved by at most 25 m, half of the best fix's radius, and its radius
/// changed by at most a tenth.
const MOVED_M: f64 = 25.0;
const RESIZED: f64 = 0.1;
/// A dispatched ranger is replaced only for a grid that is likelier by this share, so that two
/// nearly equal grids do not send two people to and fro.
const CLEARLY_LIKELIER: f64 = 0.1;

/// How far new evidence may move an incident with a ranger on the way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    /// A bearing without a range, or a camera without a direction. Once a ranger has acknowledged,
    /// it moves nothing without the officer.
    Weak,
    Strong,
    /// Sorted by an officer.
    Officer,
}

impl Decision<'_> {
    pub(super) fn add_sightings(
        &mut self,
        sightings: Vec<Sighting>,
        by: &By,
    ) -> Result<(), Refusal> {
        let known = |it: &Sighting| {
            let ours = self.incident.sightings.iter().chain(&self.incident.struck_out);
            ours.into_iter().any(|known| known.id == it.id)
        };
        let new: Vec<Sighting> = sightings.into_iter().filter(|it| !known(it)).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.check_open()?;
        self.take_evidence(&new, by);
        self.consider(false);
        Ok(())
    }

    /// Adds all of it at once; the fix is computed when all of it is there.
    pub(super) fn take_evidence(&mut self, new: &[Sighting], by: &By) {
        let Some(last) = new.last() else { return };
        let all: Vec<Sighting> = self.incident.sightings.iter().chain(new).cloned().collect();
        let priority = score::priority(&all, &self.incident.place.labels);
        let review_by = self.sooner(&all);
        for sighting in new {
            self.by(
                by,
                Event::SightingAdded {
                    sighting: sighting.clone(),
                    priority: priority.clone(),
                    review_by,
                },
            );
        }
        let weight = if new.iter().any(is_strong) { Weight::Strong } else { Weight::Weak };
        self.follow_the_evidence(WhyMoved::Evidence { sighting: last.id }, weight);
    }

    /// When an officer has to look with this evidence, if that is sooner than before.
    fn sooner(&self, all: &[Sighting]) -> Option<Timestamp> {
        let review_by = self.incident.review_by()?;
        match self.incident.judge_on(all, self.policy(), false).verdict {
            Verdict::Look { within } => Some(later(self.now, within)).filter(|by| *by < review_by),
            Verdict::Send { .. } | Verdict::Digest | Verdict::PassOn => None,
        }
    }

    pub(super) fn remind(&mut self, sightings: Vec<Sighting>, by: &By) -> Result<(), Refusal> {
        for sighting in sightings {
            if self.incident.reminders.iter().all(|it| it.id != sighting.id) {
                self.by(by, Event::Reminded { sighting });
            }
        }
        Ok(())
    }

    /// The only way from evidence to place to dispatch.
    fn follow_the_evidence(&mut self, why: WhyMoved, weight: Weight) {
        let fix = self.incident.located();
        let place = (self.office.place)(&fix, &self.incident.hints());
        let running = self.incident.dispatch.clone().filter(Dispatch::is_running);
        // Sorted evidence may have another weight with the same place, so it is always followed. A
        // grid that only hints point at redirects nobody whom an officer has chosen or who has
        // acknowledged.
        let is_free = running
            .as_ref()
            .is_none_or(|it| self.incident.state == State::Dispatched && !it.by_person);
        let points_elsewhere = is_free && place.grid != self.incident.place.grid;
        if why != WhyMoved::Sorted && !differs(&fix, &self.incident.fix) && !points_elsewhere {
            return;
        }
        // A crossing always has support: a range, a third ray, a pixel. So it is no weak bearing,
        // unless an officer's merge is its only support.
        let weight = match fix.method {
            FixMethod::Triangulated
                if weight == Weight::Weak && !self.incident.is_joined_by_hand() =>
            {
                Weight::Strong
            }
            _ => weight,
        };
        let Some(dispatch) = running.filter(|_| self.incident.state != State::NeedsReview) else {
            return self.relocate(fix, place, why, false);
        };
        let wrong = is_another_grid(&place, &dispatch);
        let may_move = match self.incident.state {
            State::Dispatched => true,
            State::Acknowledged => weight != Weight::Weak,
            _ => weight == Weight::Officer,
        };
        if !may_move {
            let far =
                fix.centre.distance_m(self.incident.fix.centre) > self.policy().arrival_radius_m;
            if wrong || far {
                self.propose(fix, place, why);
            }
            return;
        }
        let before_the_answer = self.incident.state == State::Dispatched && !dispatch.by_person;
        self.relocate(fix, place, why, wrong && !before_the_answer);
        if wrong && before_the_answer && !self.redirect() {
            self.ask_about_the_place();
        }
    }

    /// Applies a new place. `ask`: a ranger is on the way to another grid, so the officer is asked
    /// who continues.
    fn relocate(&mut self, fix: Fix, place: Place, why: WhyMoved, ask: bool) {
        let priority = score::priority(&self.incident.sightings, &place.labels);
        let answer_by = ask.then(|| later(self.now, self.policy().chase.relocation_within));
        let neighbours = self.not_yet_told(&place);
        let tell_ranger = self.must_tell(&fix, &place);
        self.by_system(Event::Relocated {
            fix,
            place,
            why,
            priority,
            answer_by,
            tell_ranger,
            neighbours,
        });
    }

    /// 位置更正 for the dispatched ranger: another grid, or farther from the place sent to him than
    /// an arrival may be off.
    fn must_tell(&self, fix: &Fix, place: &Place) -> bool {
        let underway =
            self.incident.dispatch.as_ref().filter(|it| it.is_running() && it.reported.is_none());
        underway.is_some_and(|it| {
            let moved_m = it.told_at.distance_m(fix.centre);
            place.grid != self.incident.place.grid || moved_m > self.policy().arrival_radius_m
        })
    }

    /// Nobody has acknowledged and another grid is the likeliest: its ranger is sent, the first is
    /// relieved.
    fn redirect(&mut self) -> bool {
        let sending = self.incident.judge(self.policy(), true);
        let Verdict::Send { ranger, neighbours } = sending.verdict else { return false };
        if self.incident.dispatch.as_ref().is_some_and(|it| it.ranger == ranger) {
            return true;
        }
        let mut because = sending.because;
        because.insert(0, reason("relocated", self.incident.place.name.clone()));
        let dispatched = self.clocks(self.spare, ranger, because, neighbours);
        self.by_system(Event::Dispatched(dispatched));
        true
    }

    fn ask_about_the_place(&mut self) {
        let (fix, place) = (self.incident.fix, self.incident.place.clone());
        self.propose_now(fix, place, WhyMoved::Sorted);
    }

    fn propose(&mut self, fix: Fix, place: Place, why: WhyMoved) {
        let known = self.incident.proposal.as_ref().is_some_and(|it| !differs(&it.fix, &fix));
        if !known {
            self.propose_now(fix, place, why);
        }
    }

    fn propose_now(&mut self, fix: Fix, place: Place, why: WhyMoved) {
        let answer_by = later(self.now, self.policy().chase.relocation_within);
        let neighbours = self.not_yet_told(&place);
        self.by_system(Event::RelocationProposed { fix, place, why, answer_by, neighbours });
    }

    /// Rangers of other grids it may be in who have not been told.
    fn not_yet_told(&self, place: &Place) -> Vec<Neighbour> {
        let Some(dispatch) = self.incident.dispatch.as_ref().filter(|it| it.is_running()) else {
            return Vec::new();
        };
        let told = |it: &Neighbour| {
            self.incident
                .told
                .iter()
                .any(|known| known.role == Role::Ranger && known.person == it.ranger)
        };
        let all = sending::neighbours(place, &dispatch.ranger, self.policy());
        all.into_iter().filter(|it| !told(it)).map(|it| Neighbour { go: false, ..it }).collect()
    }

    /// The officer's answer to a proposed or changed place.
    pub(super) fn answer_relocation(&mut self, accept: bool, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        match (self.incident.proposal.clone(), accept) {
            (Some(proposal), true) => {
                let priority = score::priority(&self.incident.sightings, &proposal.place.labels);
                let neighbours = self.not_yet_told(&proposal.place);
                let (fix, place, why) = (proposal.fix, proposal.place, WhyMoved::Officer);
                let tell_ranger = self.must_tell(&fix, &place);
                self.by(
                    by,
                    Event::Relocated {
                        fix,
                        place,
                        why,
                        priority,
                        answer_by: None,
                        tell_ranger,
                        neighbours,
                    },
                );
            }
            (proposal, _) if proposal.is_some() || self.asks_about_the_place() => {
                self.by(by, Event::RelocationDismissed);
            }
            _ => return Err(Refusal::NotHere),
        }
        Ok(())
    }

    fn asks_about_the_place(&self) -> bool {
        self.incident.waiting(Matter::Relocation).is_some()
    }

    pub(super) fn strike_out(
        &mut self,
        sighting: SightingId,
        reason: String,
        by: &By,
    ) -> Result<(), Refusal> {
        self.check_officer(by)?;
        self.check_has(&[sighting])?;
        self.by(by, Event::StruckOut { sighting, reason });
        self.sorted();
        Ok(())
    }

    pub(super) fn reinstate(&mut self, sighting: SightingId, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        if self.incident.struck_out.iter().all(|it| it.id != sighting) {
            return Err(Refusal::NotHere);
        }
        self.by(by, Event::Reinstated { sighting });
        self.sorted();
        Ok(())
    }

    pub(super) fn split_off(
        &mut self,
        sightings: Vec<SightingId>,
        into: IncidentId,
        by: &By,
    ) -> Result<(), Refusal> {
        if self.incident.state == State::Closed {
            return self.open_anew(sightings, into, by);
        }
        self.check_officer(by)?;
        self.check_has(&sightings)?;
        self.by(by, Event::SplitOff { sightings, into });
        self.sorted();
        Ok(())
    }

    /// 另立警情: evidence after the closing is another fire. The closed incident stays as it is.
    fn open_anew(
        &mut self,
        sightings: Vec<SightingId>,
        into: IncidentId,
        by: &By,
    ) -> Result<(), Refusal> {
        let ours = |id: &SightingId| self.incident.reminders.iter().any(|it| it.id == *id);
        if matches!(by.actor, Actor::Ranger { .. }) {
            return Err(Refusal::NotYours);
        }
        if sightings.is_empty() || !sightings.iter().all(ours) {
            return Err(Refusal::NotHere);
        }
        self.by(by, Event::SplitOff { sightings, into });
        Ok(())
    }

    pub(super) fn merge(
        &mut self,
        other: IncidentId,
        sightings: Vec<Sighting>,
        by: &By,
    ) -> Result<(), Refusal> {
        self.check_officer(by)?;
        let again = self.incident.merged.iter().any(|it| it.other == other);
        if again || other == self.incident.id || self.incident.merged_into.is_some() {
            return Err(Refusal::NotHere);
        }
        self.by(by, Event::Merged { other, sightings });
        self.sorted();
        self.consider(false);
        Ok(())
    }

    pub(super) fn merge_into(&mut self, into: IncidentId, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        if self.incident.merged_into.is_some()
            || into == self.incident.id
            || !self.incident.merged.is_empty()
        {
            return Err(Refusal::NotHere);
        }
        self.by(by, Event::MergedInto { into });
        Ok(())
    }

    pub(super) fn unmerge(&mut self, other: IncidentId, by: &By) -> Result<(), Refusal> {
        self.check_officer(by)?;
        let ours = self.incident.merged.iter().any(|it| it.other == other);
        if !ours && self.incident.merged_into != Some(other) {
            return Err(Refusal::NotHere);
        }
        self.by(by, Event::Unmerged { other });
        if ours {
            self.sorted();
        }
        Ok(())
    }

    pub(super) fn link(&mut self, Link { other, hint }: Link, by: &By) -> Result<(), Refusal> {
        self.check_open()?;
        if self.incident.learns_from(&Link { other, hint }) {
            self.by(by, Event::Linked { other, hint });
            self.follow_the_evidence(WhyMoved::Linked { other }, Weight::Weak);
        }
        Ok(())
    }

    /// Called when an officer, or a third ray, has sorted the evidence.
    fn sorted(&mut self) {
        let by_hand =
            self.incident.log.last().is_some_and(|it| matches!(it.actor, Actor::Officer { .. }));
        self.follow_the_evidence(
            WhyMoved::Sorted,
            if by_hand { Weight::Officer } else { Weight::Strong },
        );
    }

    /// Checks that these are some of the evidence, and not all of it.
    fn check_has(&self, sightings: &[SightingId]) -> Result<(), Refusal> {
        let ours = |id: &SightingId| self.incident.sightings.iter().any(|it| it.id == *id);
        if sightings.is_empty() || !sightings.iter().all(ours) {
            return Err(Refusal::NotHere);
        }
        let left = self.incident.sightings.iter().any(|it| !sightings.contains(&it.id));
        if left { Ok(()) } else { Err(Refusal::LastEvidence) }
    }
}

fn is_strong(sighting: &Sighting) -> bool {
    match sighting.locus {
        Locus::Sector(Ray { range, .. }) => range.is_measured(),
        Locus::Unaimed { .. } => false,
        Locus::Disc { .. } | Locus::Pixel { .. } => sighting.source.kind() != SourceKind::Camera,
    }
}

fn differs(new: &Fix, old: &Fix) -> bool {
    let resized = (new.radius_m - old.radius_m).abs() > RESIZED * old.radius_m;
    new.method != old.method || resized || new.centre.distance_m(old.centre) > MOVED_M
}

/// Another grid than the one the ranger was sent to is clearly likelier, and he does not look after
/// it.
fn is_another_grid(place: &Place, dispatch: &Dispatch) -> bool {
    let Some(first) = place.candidates.first() else { return false };
    let his = place
        .candidates
        .iter()
        .find(|it| Some(&it.grid) == dispatch.grid.as_ref())
        .map_or(0.0, |it| it.weight);
    let looks_after_it =
        [&first.ranger, &first.backup].into_iter().any(|it| it.as_ref() == Some(&dispatch.ranger));
    Some(&first.grid) != dispatch.grid.as_ref()
        && !looks_after_it
        && first.weight >= his + CLEARLY_LIKELIER
}
