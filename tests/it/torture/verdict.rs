//! Compares what was promised with the log, the outbox and the gateway's record.

use super::around::Fault;
use super::gateway::Gateway;
use super::{Accepted, Counts, Healed, RUNGS};
use huoyan::clock::Clock;
use huoyan::lang::Lang;
use huoyan::store::{Filed, Filter, Inspection, Message, Status, Store};
use huoyan::triage::event::Event;
use huoyan::triage::id::{ActionId, DispatchId};
use huoyan::triage::incident::Incident;
use huoyan::triage::retention::Retention;
use huoyan::triage::sighting::Source;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::time::Duration;

/// Incidents per page of the store's list.
const PAGE: u32 = 200;

/// Results for one kind of fault.
#[derive(Default)]
struct Suffered {
    times: u64,
    /// How many of them were seen to take effect.
    took_hold: u64,
    /// The longest times until an action and until a deadline succeeded.
    action: Duration,
    deadline: Duration,
}

#[derive(Default)]
pub struct Figures {
    faults: BTreeMap<&'static str, Suffered>,
    pub counts: Counts,
    /// Broken promises, as sentences. Empty: all were kept.
    pub breaches: Vec<String>,
}

impl Figures {
    pub fn suffered(&mut self, fault: Fault, healed: &Healed) {
        let suffered = self.faults.entry(fault.name()).or_default();
        suffered.times += 1;
        suffered.took_hold += u64::from(healed.took_hold);
        suffered.action = suffered.action.max(healed.action.unwrap_or_default());
        suffered.deadline = suffered.deadline.max(healed.deadline.unwrap_or_default());
        for (what, took) in [("action", healed.action), ("deadline", healed.deadline)] {
            if took.is_none() {
                self.breaches.push(format!("no {what} succeeded in time after {}", fault.name()));
            }
        }
    }

    /// A fault that had no effect proves nothing.
    fn every_fault_took_hold(&mut self) {
        let idle = self.faults.iter().filter(|(_, it)| it.took_hold == 0);
        self.breaches
            .extend(idle.map(|(name, it)| format!("{name}: none of {} took hold", it.times)));
    }

    pub fn must(&mut self, holds: bool, why: impl FnOnce() -> String) {
        if !holds {
            self.breaches.push(why());
        }
    }

    pub async fn verify(
        &mut self,
        store: &Store,
        accepted: &[Accepted],
        fires: usize,
        gateway: &Gateway,
    ) {
        self.every_fault_took_hold();
        let look = Inspection {
            now: Clock::System.now(),
            mend: false,
            paper: &[],
            retention: &Retention::default(),
        };
        let looking = store.look(&look).await.expect("a look");
        self.breaches.extend(looking.to_the_end().await.expect("a look").faults(Lang::En));
        let mut incidents: Vec<Incident> =
            all(store).await.into_iter().map(|filed| filed.incident).collect();
        self.nothing_answered_is_lost(&incidents, accepted);
        // Ignores what the model takes for smoke in a view without any: that is not this test's
        // subject.
        incidents.retain(|it| {
            it.sightings.iter().any(|it| matches!(it.source, Source::Satellite { .. }))
        });
        let mut pixels: Vec<&str> = Vec::new();
        for sighting in incidents.iter().flat_map(|it| &it.sightings) {
            if let Source::Satellite { hotspot_key, .. } = &sighting.source {
                pixels.push(hotspot_key);
            }
        }
        let once: HashSet<_> = pixels.iter().collect();
        let counted = (once.len(), pixels.len(), incidents.len());
        self.must(counted == (fires, fires, fires), || {
            format!("{fires} fires became {counted:?} pixels and incidents")
        });
        let mut messages = Vec::new();
        for incident in &incidents {
            self.each_escalation_once(incident);
            let of_it = store.messages_of(incident.id).await.expect("messages");
            for message in of_it.iter().filter(|it| !is_settled(it, incident)) {
                self.breaches.push(format!("{}: neither told nor shown: {message:?}", incident.id));
            }
            messages.extend(of_it);
        }
        self.everybody_told_or_shown(&messages, gateway);
        let rungs = incidents.iter().map(|it| rungs(it).len() as u64).sum();
        for (name, count) in
            [("fires", fires as u64), ("accepted", accepted.len() as u64), ("rungs", rungs)]
        {
            self.counts.insert(name, count);
        }
    }

    fn nothing_answered_is_lost(&mut self, incidents: &[Incident], accepted: &[Accepted]) {
        let mut times: HashMap<ActionId, usize> = HashMap::new();
        for key in incidents.iter().flat_map(|it| &it.log).filter_map(|line| line.action) {
            *times.entry(key).or_default() += 1;
        }
        for Accepted { incident, key } in accepted {
            let found = times.get(key).copied().unwrap_or_default();
            self.must(found > 0, || {
                format!("{key} of {incident} was answered 200 and is not in the log")
            });
        }
    }

    fn each_escalation_once(&mut self, incident: &Incident) {
        let fired = rungs(incident);
        let once: HashSet<_> = fired.iter().collect();
        self.must(once.len() == fired.len(), || {
            format!("{}: a rung fired twice: {fired:?}", incident.id)
        });
        let Some(dispatch) = &incident.dispatch else {
            self.breaches.push(format!("{}: nobody was sent", incident.id));
            return;
        };
        let untouched = dispatch.acknowledged.is_none()
            && dispatch.arrived.is_none()
            && dispatch.reported.is_none();
        let whole = (0..RUNGS).all(|rung| once.contains(&(dispatch.id, rung)));
        self.must(whole || !untouched, || {
            format!("{}: nobody acted, and only {fired:?} fired", incident.id)
        });
    }

    /// Compares line by line, because one text may carry several messages to one number. What is
    /// handed over again, after a kill or a lost answer, comes under its old key.
    fn everybody_told_or_shown(&mut self, messages: &[Message], gateway: &Gateway) {
        let seen = gateway.seen();
        let mut told: HashMap<(&str, &str), u64> = HashMap::new();
        for taken in seen.taken.values() {
            for line in taken.text.lines() {
                *told.entry((&taken.to, line)).or_default() += 1;
            }
        }
        let mut written: HashMap<(&str, &str), u64> = HashMap::new();
        for message in messages {
            let phone = message.to.phone.as_deref().unwrap_or_default();
            let is_told = message.words.lines().all(|line| told.contains_key(&(phone, line)));
            let name = match message.status {
                Status::Sent => "sent",
                Status::Failed => "shown: undelivered",
                Status::Queued => "shown: waiting",
            };
            *self.counts.entry(name).or_default() += 1;
            self.must(message.status != Status::Sent || is_told, || {
                format!("{name}, but not told: {message:?}")
            });
            message.words.lines().for_each(|line| *written.entry((phone, line)).or_default() += 1);
        }
        for (line, times) in &told {
            let meant = written.get(line).copied().unwrap_or_default();
            self.must(*times <= meant, || {
                format!("told {times} times and meant {meant} times: {line:?}")
            });
        }
        for (name, count) in [
            ("given to the gateway", seen.taken.len() as u64),
            ("repeats it knew by key", seen.repeats),
        ] {
            self.counts.insert(name, count);
        }
    }

    pub fn print(&self) -> String {
        let mut text = format!(
            "{:<24} {:>6} {:>9} {:>14} {:>14}\n",
            "fault", "times", "took hold", "action within", "deadline within"
        );
        for (name, Suffered { times, took_hold, action, deadline }) in &self.faults {
            let (action, deadline) = (action.as_millis(), deadline.as_millis());
            let _ = writeln!(
                text,
                "{name:<24} {times:>6} {took_hold:>9} {action:>11} ms \
                {deadline:>11} ms"
            );
        }
        for (name, count) in &self.counts {
            let _ = writeln!(text, "{name:<24} {count:>6}");
        }
        let _ = writeln!(text, "{:<24} {:>6}", "promises broken", self.breaches.len());
        self.breaches.iter().for_each(|why| _ = writeln!(text, "  {why}"));
        text
    }

    pub fn json(&self) -> Value {
        let faults: BTreeMap<_, _> = self
            .faults
            .iter()
            .map(|(name, Suffered { times, took_hold, action, deadline })| {
                let (action, deadline) = (action.as_millis() as u64, deadline.as_millis() as u64);
                let figures = json!({
                    "times": times,
                    "took_hold": took_hold,
                    "action_within_ms": action,
                    "deadline_within_ms": deadline,
                });
                (name, figures)
            })
            .collect();
        json!({ "faults": faults, "counts": self.counts, "breaches": self.breaches })
    }
}

fn rungs(incident: &Incident) -> Vec<(DispatchId, u8)> {
    let fired = incident.log.iter().filter_map(|line| match line.event {
        Event::Escalated { dispatch, rung, .. } => Some((dispatch, rung)),
        _ => None,
    });
    fired.collect()
}

async fn all(store: &Store) -> Vec<Filed> {
    let (mut filed, mut after) = (Vec::new(), None);
    loop {
        let page = store.incidents(Filter::All, after, PAGE).await.expect("a list");
        filed.extend(page.items);
        after = page.next;
        if after.is_none() {
            return filed;
        }
    }
}

/// The gateway has it, or the officer is shown it: as waiting with its error, or in the log as
/// undelivered (also when nobody can stand in).
fn is_settled(message: &Message, incident: &Incident) -> bool {
    let is_its =
        |it: &Event| matches!(it, Event::Undelivered { message: id, .. } if *id == message.id);
    match message.status {
        Status::Sent => true,
        Status::Failed => incident.log.iter().any(|line| is_its(&line.event)),
        Status::Queued => message.error.is_some(),
    }
}

/// The number of messages that are neither with the gateway nor shown to the officer yet.
pub async fn on_its_way(store: &Store) -> usize {
    let mut count = 0;
    for filed in all(store).await {
        let messages = store.messages_of(filed.incident.id).await.expect("messages");
        count += messages.iter().filter(|it| !is_settled(it, &filed.incident)).count();
    }
    count
}
