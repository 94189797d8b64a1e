//! What people do to incidents, through the desk, like the pages and replies.

use super::chance::Chance;
use super::day::{Day, Happening};
use super::fires::{Cause, after};
use super::people::{self, Plan, Verdict, Way};
use huoyan::county::Post;
use huoyan::desk::Sort;
use huoyan::error::Kind;
use huoyan::triage::event::{Actor, Matter, Means};
use huoyan::triage::id::{ActionId, DispatchId, IncidentId, PersonId};
use huoyan::triage::incident::{By, Incident, Input, State};
use huoyan::triage::policy::{Role, Stage};
use jiff::Timestamp;
use uuid::Uuid;

/// A ranger's tap on its way.
pub(super) struct Act {
    incident: IncidentId,
    ranger: PersonId,
    step: Step,
    action: ActionId,
    happened_at: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Step {
    Acknowledge,
    Decline,
    Arrive,
    Report,
}

impl Day {
    pub(super) fn officer(&self) -> PersonId {
        "officer-1".into()
    }

    /// A text or call has reached somebody. His action depends on his role in the incident.
    pub(super) fn hears(&mut self, person: &PersonId, incident: IncidentId, urged: bool) {
        let Some(filed) = self.filed(incident) else { return };
        let (it, subject) = (&filed.incident, format!("{} {}", filed.code, person));
        let sent = it
            .dispatch
            .as_ref()
            .filter(|dispatch| dispatch.is_running() && it.state != State::Closed);
        let waits = sent
            .filter(|dispatch| dispatch.acknowledged.is_none())
            .map(|dispatch| dispatch.ranger.clone());
        let mine = sent.is_some_and(|dispatch| dispatch.ranger == *person);
        let mut chance = Chance::of(self.world.seed, &format!("hears {subject} {}", self.now()));
        match self.world.registers.post(person) {
            _ if mine => self.is_sent(person, incident, urged),
            // He was called to stand ready. Some go as soon as they hear that the first does not
            // answer.
            Some(Post::RangerA | Post::RangerB)
                if is_backup(it, person) && waits.is_some() && chance.happens(0.5) =>
            {
                self.goes(person, incident, chance.between(0.5, 3.0), &mut chance);
            }
            Some(Post::RangerA | Post::RangerB) if was_sent(it, person) => {
                let now = self.now();
                self.stood_down.entry((incident, person.clone())).or_insert(now);
            }
            Some(Post::CountyOfficer | Post::Leader) if chance.happens(0.9) => {
                let minutes = chance.between(0.3, 4.0);
                self.in_minutes(
                    minutes,
                    Happening::Looks { officer: person.clone(), incident, rung: true },
                );
            }
            // The village and the township know where the ranger lives. Half of them reply that
            // they have heard.
            Some(Post::VillageChief | Post::TownshipOfficer) => {
                if chance.happens(0.5) {
                    self.taps(person, incident, Step::Acknowledge, 0.5, 0.0, false);
                }
                if let Some(ranger) = waits.filter(|_| chance.happens(0.6)) {
                    let minutes = chance.between(2.0, 6.0);
                    self.in_minutes(
                        minutes,
                        Happening::Hears { person: ranger, incident, urged: true },
                    );
                }
            }
            _ => {}
        }
    }

    /// The B角 takes over and goes.
    fn goes(&mut self, ranger: &PersonId, incident: IncidentId, minutes: f64, chance: &mut Chance) {
        self.stood_down.remove(&(incident, ranger.clone()));
        let arrive = minutes + chance.between(8.0, 25.0);
        self.taps(ranger, incident, Step::Acknowledge, minutes, 0.0, false);
        self.taps(ranger, incident, Step::Arrive, arrive, 0.0, false);
        self.taps(ranger, incident, Step::Report, arrive + chance.between(5.0, 20.0), 0.0, false);
    }

    fn is_sent(&mut self, ranger: &PersonId, incident: IncidentId, urged: bool) {
        let Some(filed) = self.filed(incident) else { return };
        let Some(dispatch) = &filed.incident.dispatch else { return };
        let number = filed.incident.past_dispatches.len();
        let again = urged && dispatch.acknowledged.is_none();
        let (id, code) = (dispatch.id, filed.code.clone());
        if !self.planned.insert(id) && !again {
            return;
        }
        self.stood_down.remove(&(incident, ranger.clone()));
        match people::plan(self.world.seed, &format!("{ranger} {code}"), number, urged) {
            Plan::Never => {}
            Plan::Declines { after } => {
                self.taps(ranger, incident, Step::Decline, after, 0.0, false)
            }
            Plan::Goes(Way { acknowledge, arrive, report, twice, no_arrival, offline }) => {
                self.taps(ranger, incident, Step::Acknowledge, acknowledge, 0.0, twice);
                if !no_arrival {
                    self.taps(ranger, incident, Step::Arrive, acknowledge + arrive, offline, twice);
                }
                self.taps(
                    ranger,
                    incident,
                    Step::Report,
                    acknowledge + arrive + report,
                    offline,
                    twice,
                );
            }
        }
    }

    /// `twice`: the phone resends the same action, and then he presses again.
    fn taps(
        &mut self,
        ranger: &PersonId,
        incident: IncidentId,
        step: Step,
        minutes: f64,
        offline: f64,
        twice: bool,
    ) {
        let happened_at = after(self.now(), minutes);
        let first = ActionId(self.uuid());
        let mut taps = vec![(first, 0.0)];
        if twice {
            taps.extend([(first, 0.2), (ActionId(self.uuid()), 1.0)]);
        }
        for (action, later) in taps {
            let act = Act { incident, ranger: ranger.clone(), step, action, happened_at };
            self.at(after(happened_at, offline + later), Happening::Acts(act));
        }
    }

    /// A ranger's tap reaches the server.
    pub(super) async fn act(&mut self, act: Act) {
        let Act { incident, ranger, step, action, happened_at } = act;
        let stood_down = self.stood_down.get(&(incident, ranger.clone()));
        if stood_down.is_some_and(|since| *since <= happened_at) {
            return;
        }
        let Some(filed) = self.filed(incident) else { return };
        let cause = self.world.cause_of(&filed.incident);
        let position = people::position(&self.world.truth, cause, &filed.incident, happened_at);
        let input = match step {
            Step::Acknowledge => Input::Acknowledge { means: Means::Phone },
            Step::Decline => Input::Decline { reason: "路断".to_owned() },
            Step::Arrive => Input::Arrive { means: Means::Phone, position: Some(position) },
            Step::Report => {
                let verification =
                    people::verification(&self.world.truth, cause, position, self.now());
                Input::Report { verification }
            }
        };
        let by = By {
            actor: Actor::Ranger { person: ranger },
            action: Some(action),
            happened_at: Some(happened_at),
        };
        self.ask(incident, input, by).await;
    }

    /// An officer opens the card and acts on it.
    pub(super) async fn look(&mut self, officer: PersonId, incident: IncidentId, rung: bool) {
        self.looks.push((incident, self.now()));
        let Some(filed) = self.filed(incident) else { return };
        let (it, code) = (filed.incident.clone(), filed.code.clone());
        let cause = self.world.cause_of(&it);
        let mut chance = Chance::of(self.world.seed, &format!("decides {code} {}", it.version));
        let by = By {
            actor: Actor::Officer { person: officer.clone() },
            action: None,
            happened_at: None,
        };
        for undelivered in &it.undelivered {
            self.ask(incident, Input::TakeUndelivered { message: undelivered.message }, by.clone())
                .await;
        }
        if it.waiting(Matter::Relocation).is_some() {
            let accept = it.proposal.is_some() && chance.happens(0.8);
            self.ask(incident, Input::Relocate { accept }, by.clone()).await;
        }
        if self.sees_that_it_is_one_fire(&it, &by).await || self.opens_anew(&it, &by).await {
            return;
        }
        match it.state {
            State::NeedsReview => {
                match people::verdict(self.world.seed, &code, &self.world.truth, cause) {
                    Verdict::Send => self.send_next(&it, by).await,
                    Verdict::Close(closure) => {
                        self.ask(incident, Input::Close { closure }, by).await
                    }
                }
            }
            State::Dispatched if rung && missed(&it, Stage::Acknowledged) => {
                if chance.happens(0.6) {
                    self.send_next(&it, by).await;
                } else if chance.happens(0.4) {
                    let means = Means::Proxy { reason: "电话联系".to_owned() };
                    self.ask(incident, Input::Acknowledge { means }, by).await;
                }
            }
            State::Reported => {
                if people::burning(&self.world.truth, cause, self.now()) {
                    let Some(Cause::Fire(n)) = cause else { return };
                    let out_at = after(self.world.truth.fires[n].to, chance.between(3.0, 20.0));
                    self.at(out_at, Happening::Looks { officer, incident, rung: false });
                } else if it.log.len() < 12 && chance.happens(0.05) {
                    self.ask(incident, Input::SendBack { reason: "缺面积".to_owned() }, by).await;
                } else {
                    let closure = people::closure(&self.world.truth, cause);
                    self.ask(incident, Input::Close { closure }, by).await;
                }
            }
            State::Dispatched | State::Acknowledged | State::Arrived | State::Closed => {}
        }
    }

    /// Linked cards stand side by side. With their pictures and bearings in view he merges four of
    /// five that are one fire.
    async fn sees_that_it_is_one_fire(&mut self, it: &Incident, by: &By) -> bool {
        if it.state != State::NeedsReview || it.merged_into.is_some() {
            return false;
        }
        let fire =
            |it: &Incident| self.world.cause_of(it).filter(|it| matches!(it, Cause::Fire(_)));
        let own = fire(it);
        let same = it.links.iter().filter_map(|link| self.filed(link.other)).find(|filed| {
            let other = &filed.incident;
            other.state != State::Closed
                && other.merged_into.is_none()
                && own.is_some()
                && fire(other) == own
        });
        let (Some(leader), Some(card)) = (same, self.filed(it.id)) else { return false };
        let mut chance =
            Chance::of(self.world.seed, &format!("joins {} {}", card.code, leader.code));
        let leader = leader.incident.id;
        if !chance.happens(0.8) {
            return false;
        }
        self.sort(leader, Sort::Merge { other: it.id }, by).await;
        true
    }

    /// New evidence at a closed place that is another fire.
    async fn opens_anew(&mut self, it: &Incident, by: &By) -> bool {
        let fire = |it: &&huoyan::triage::sighting::Sighting| {
            matches!(self.world.evidence.causes.get(&it.id), Some(Cause::Fire(_)))
        };
        let sightings: Vec<_> = it.reminders.iter().filter(fire).map(|it| it.id).collect();
        if it.state != State::Closed || sightings.is_empty() {
            return false;
        }
        self.sort(it.id, Sort::Split { sightings }, by).await;
        true
    }

    async fn sort(&mut self, incident: IncidentId, sort: Sort, by: &By) {
        let Some(desk) = &self.desk else { return };
        if let Err(e) = desk.sort(incident, sort, by).await
            && !matches!(e.kind, Kind::Conflict | Kind::Forbidden)
        {
            self.breaks.push(format!("{}: sorting was refused: {}", self.clock.now(), e.chain()));
        }
    }

    /// Sends the best of those suggested who has not been asked yet.
    async fn send_next(&mut self, it: &Incident, by: By) {
        let asked = |ranger: &PersonId| {
            it.past_dispatches.iter().chain(&it.dispatch).any(|dispatch| dispatch.ranger == *ranger)
        };
        let Some(ranger) = it.place.suggested.iter().find(|ranger| !asked(ranger)).cloned() else {
            return;
        };
        let dispatch = DispatchId(self.uuid());
        self.ask(it.id, Input::Dispatch { dispatch, ranger }, by).await;
    }

    async fn ask(&mut self, incident: IncidentId, input: Input, by: By) {
        let Some(desk) = &self.desk else { return };
        let Err(e) = desk.act(incident, input, &by).await else { return };
        // People press buttons that no longer apply; the pages tell them so.
        if !matches!(e.kind, Kind::Conflict | Kind::Forbidden) {
            self.breaks.push(format!("{}: an act was refused: {}", self.clock.now(), e.chain()));
        }
    }

    fn uuid(&mut self) -> Uuid {
        self.ids += 1;
        Uuid::from_u128(
            (0xAC7_u128 << 112) | (u128::from(self.world.seed) << 48) | u128::from(self.ids),
        )
    }
}

fn is_backup(it: &Incident, person: &PersonId) -> bool {
    it.told.iter().any(|told| told.person == *person && told.role == Role::BackupRanger)
        && !was_sent(it, person)
}

fn was_sent(it: &Incident, person: &PersonId) -> bool {
    it.dispatches().any(|dispatch| dispatch.ranger == *person)
}

fn missed(it: &Incident, stage: Stage) -> bool {
    it.dispatch.as_ref().is_some_and(|dispatch| dispatch.missed.contains(&stage))
}
