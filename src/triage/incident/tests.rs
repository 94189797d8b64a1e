//! Properties for every order of inputs, repeats and waits. The stories are in
//! `tests/it/deadlines.rs`.

use super::{Failed, Incident, Input, Link, Office, Refusal, State};
use crate::triage::event::{Actor, Closure, Event, Hint, Intent, Means, Recorded};
use crate::triage::geo::Fix;
use crate::triage::id::{ActionId, DispatchId, IncidentId, MessageId, PictureId, SightingId};
use crate::triage::kit::*;
use crate::triage::policy::{Channel, Policy, Role, Stage};
use jiff::SignedDuration;
use proptest::prelude::*;
use std::collections::HashSet;
use std::sync::Arc;

/// What somebody does after a wait.
#[derive(Clone, Debug)]
struct Act {
    wait_s: i64,
    who: &'static str,
    input: Input,
    /// Sent twice with the same id.
    twice: bool,
    /// The desk wakes at each deadline during the wait, or only with the act.
    awake: bool,
}

fn any_act() -> impl Strategy<Value = Act> {
    let means = prop_oneof![
        Just(Means::Phone),
        Just(Means::SmsReply),
        Just(Means::Proxy { reason: "电话".to_owned() })
    ];
    let closure = Closure { category: 3, false_alarm: None, words: String::new(), passed_to: None };
    let input = prop_oneof![
        3 => means.clone().prop_map(|means| Input::Acknowledge { means }),
        3 => means.prop_map(|means| Input::Arrive { means, position: None }),
        3 => prop_oneof![Just(3u8), Just(10), Just(9)].prop_map(report),
        1 => Just(Input::Decline { reason: "不在辖区".to_owned() }),
        1 => Just(Input::AskSupport { reason: "有人受伤".to_owned() }),
        1 => Just(Input::SendBack { reason: "缺照片".to_owned() }),
        1 => Just(Input::Close { closure }),
        2 => (1u128..99, prop_oneof![Just("wang"), Just("li")])
            .prop_map(|(id, ranger)| Input::Dispatch { dispatch: DispatchId(uuid(id << 8)), ranger: ranger.into() }),
        1 => (1u128..5).prop_map(|id| Input::AddPhoto { picture: PictureId::of(uuid(id), b"") }),
        1 => Just(Input::Note { words: "备注".to_owned() }),
        2 => (500u128..520).prop_map(|id| Input::Tick { dispatch: DispatchId(uuid(id)), with: None }),
        2 => (60u128..90, -2000.0f64..2000.0).prop_map(|(id, east_m)| Input::AddSightings {
            sightings: vec![satellite(id, start(), place_m(east_m, 0.0))],
        }),
        1 => any::<bool>().prop_map(|accept| Input::Relocate { accept }),
        1 => (60u128..90).prop_map(|id| Input::StrikeOut { sighting: SightingId(uuid(id)), reason: String::new() }),
        1 => (60u128..90).prop_map(|id| Input::Reinstate { sighting: SightingId(uuid(id)) }),
        1 => (1u128..4).prop_map(|id| Input::Merge {
            other: IncidentId(uuid(id << 90)),
            sightings: vec![satellite(id << 91, start(), place_m(700.0, 0.0))],
        }),
        1 => (1u128..4).prop_map(|id| Input::Unmerge { other: IncidentId(uuid(id << 90)) }),
        1 => (1u128..4).prop_map(|id| Input::Link(Link { other: IncidentId(uuid(id << 90)), hint: None })),
        1 => Just(Input::Intend { intent: Intent::FalseAlarm }),
        2 => (1u128..9, any::<bool>()).prop_map(|(id, no_channel)| Input::MessageFailed(failed(id, no_channel))),
        1 => (1u128..9).prop_map(|id| Input::TakeUndelivered { message: MessageId(uuid(id)) }),
    ];
    let who = prop_oneof![3 => Just("wang"), 1 => Just("li"), 3 => Just("officer"), 1 => Just("chen"), 1 => Just("town")];
    (0i64..1500, who, input, any::<bool>(), any::<bool>())
        .prop_map(|(wait_s, who, input, twice, awake)| Act { wait_s, who, input, twice, awake })
}

fn failed(id: u128, no_channel: bool) -> Failed {
    Failed {
        message: MessageId(uuid(id)),
        role: Role::Ranger,
        person: Some("wang".into()),
        channel: Channel::Sms,
        why: "空号".to_owned(),
        no_channel,
        no_number: false,
    }
}

fn any_acts() -> impl Strategy<Value = Vec<Act>> {
    proptest::collection::vec(any_act(), 0..14)
}

fn live(acts: &[Act], waiting: bool) -> Story {
    let mut story = if waiting { Story::waiting(0.9) } else { Story::between_grids() };
    for (number, act) in (1u128..).zip(acts) {
        let minute = (story.now.duration_since(start()) + SignedDuration::from_secs(act.wait_s))
            .as_secs_f64()
            / 60.0;
        if act.awake {
            story.until(minute);
        }
        story.now = at(minute);
        let mut by = if act.who == "officer" { officer() } else { ranger(act.who) };
        by.action = Some(ActionId(uuid(number << 40)));
        for _ in 0..1 + usize::from(act.twice) {
            let _refused_or_not = story.act(act.input.clone(), &by);
        }
    }
    story
}

fn count(incident: &Incident, of: impl Fn(&Event) -> bool) -> usize {
    incident.log.iter().filter(|it| of(&it.event)).count()
}

/// Events without their times and without rings: a desk that slept through three rounds rings once.
fn undated(events: &[Arc<Recorded>]) -> Vec<Event> {
    events
        .iter()
        .map(|it| it.event.clone())
        .filter(|it| !matches!(it, Event::Rang { .. }))
        .collect()
}

proptest! {
    #[test]
    fn the_log_is_the_truth(acts in any_acts(), waiting in any::<bool>()) {
        let story = live(&acts, waiting);
        let log = &story.incident.log;
        prop_assert_eq!(Incident::from_log(log), Some(story.incident.clone()));
        let written = serde_json::to_string(log).expect("a log can be written");
        let read: Vec<Arc<Recorded>> = serde_json::from_str(&written).expect("and read");
        prop_assert_eq!(&read, log);
        prop_assert_eq!(Incident::from_log(&log[1..]), None);
    }

    #[test]
    fn the_same_is_decided_again_and_time_is_idempotent(acts in any_acts(), waiting in any::<bool>(), wait_s in 0i64..9000) {
        let mut story = live(&acts, waiting);
        story.now += SignedDuration::from_secs(wait_s);
        let before = story.incident.clone();
        let tick = Input::Tick { dispatch: DispatchId(uuid(1)), with: None };
        let place = |fix: &Fix, _: &[Hint]| (story.place)(fix);
        let office = Office { policy: &story.policy, place: &place, holder: &holder };
        let once = before.clone().handle(tick.clone(), &by(Actor::System), &office, story.now);
        prop_assert_eq!(&once, &before.handle(tick, &by(Actor::System), &office, story.now), "the same answer");
        story.tick();
        prop_assert_eq!(story.tick(), vec![]);
        prop_assert!(story.incident.next_deadline().is_none_or(|(due, _)| due > story.now));
    }

    /// Waking at t and at t' gives the same as waking at t' only.
    #[test]
    fn how_often_the_desk_wakes_does_not_matter(acts in any_acts(), naps_s in proptest::collection::vec(0i64..3000, 1..8)) {
        let story = live(&acts, false);
        let (mut often, mut once) = (live(&acts, false), live(&acts, false));
        for nap_s in &naps_s {
            often.now += SignedDuration::from_secs(*nap_s);
            often.tick();
        }
        once.now = often.now;
        once.tick();
        let new = story.incident.log.len();
        // Steps are compared without times, and only up to a dispatch that the policy makes: its
        // limits count from when it was made, because nobody could have acted before. A desk that
        // wakes late has fewer of them behind it.
        let steps = |story: &Story| {
            let all = kinds(&undated(&story.incident.log[new..]));
            let end = all.iter().position(|it| *it == "dispatched").map_or(all.len(), |at| at + 1);
            all[..end].to_vec()
        };
        prop_assert_eq!(steps(&often), steps(&once));
        prop_assert_eq!(often.incident.state, once.incident.state);
    }

    #[test]
    fn each_deadline_once_and_never_after_its_step(acts in any_acts(), waiting in any::<bool>()) {
        let mut story = live(&acts, waiting);
        story.until(400.0);
        let it = &story.incident;
        for dispatch in it.past_dispatches.iter().chain(&it.dispatch) {
            for of in [Stage::Acknowledged, Stage::Arrived, Stage::Reported] {
                let missed = count(it, |e| matches!(e, Event::DeadlineMissed { dispatch: id, stage } if *id == dispatch.id && *stage == of));
                prop_assert!(missed <= 1);
                prop_assert!(dispatch.step(of).is_none_or(|step| step.late == (missed == 1)));
            }
            for rung in 0..5u8 {
                let told = count(it, |e| matches!(e, Event::Escalated { dispatch: id, rung: r, .. } if *id == dispatch.id && *r == rung));
                prop_assert!(told <= 1);
            }
        }
        prop_assert_eq!(it.next_deadline().is_none(), it.state == State::Closed, "an open incident \
            always has a next instant");
        prop_assert_eq!(it.owner().is_none(), it.state == State::Closed, "and somebody who has to \
            act");
    }

    #[test]
    fn one_action_one_line(acts in any_acts(), waiting in any::<bool>()) {
        let story = live(&acts, waiting);
        let actions: Vec<ActionId> = story.incident.log.iter().filter_map(|it| it.action).collect();
        let each: HashSet<&ActionId> = actions.iter().collect();
        prop_assert_eq!(each.len(), actions.len());
    }

    #[test]
    fn closed_is_for_ever(acts in any_acts(), more in any_acts()) {
        let mut story = live(&acts, false);
        let closing = Input::Close { closure: Closure { category: 9, false_alarm: None, words: String::new(), passed_to: None } };
        let already = story.incident.state == State::Closed;
        prop_assert_eq!(story.act(closing, &officer()).err(), already.then_some(Refusal::Closed));
        let end = (story.incident.closure.clone(), story.incident.closed_at, story.incident.dispatch.clone());
        for act in more {
            story.now += SignedDuration::from_secs(act.wait_s);
            let by = if act.who == "officer" { officer() } else { ranger(act.who) };
            let events = story.act(act.input, &by).unwrap_or_default();
            let harmless = |it: &Event| matches!(it, Event::LateActionKept { .. } | Event::PhotoAdded { .. } | Event::Reminded { .. });
            prop_assert!(events.iter().all(harmless));
        }
        prop_assert_eq!(story.incident.state, State::Closed);
        prop_assert_eq!((story.incident.closure, story.incident.closed_at, story.incident.dispatch), end);
    }
}

/// The formats that the store keeps for ever: changing one breaks every earlier log.
#[test]
fn the_log_reads_as_written() {
    let mut story = Story::dispatched();
    story.until(3.0).tap("wang", phone_arrive(at(3.0))).expect("his own");
    let lines: Vec<serde_json::Value> = story
        .incident
        .log
        .iter()
        .map(|it| serde_json::to_value(it).expect("a line can be written"))
        .collect();
    let types: Vec<&str> = lines.iter().filter_map(|it| it["event"]["type"].as_str()).collect();
    assert_eq!(types, ["opened", "dispatched", "escalated", "acknowledged", "arrived"]);
    assert_eq!(lines[1]["event"]["ladder"][0]["unless"], "acknowledged");
    assert_eq!(lines[3]["actor"], serde_json::json!({"kind": "ranger", "person": "wang"}));
    assert_eq!(lines[4]["event"]["means"], serde_json::json!({"means": "phone"}));
}

#[test]
fn a_limit_beyond_the_end_of_time_is_no_panic() {
    let policy = Policy { report_within: SignedDuration::MAX, ..Policy::default() };
    let story = Story::opened(satellite(1, start(), place_m(0.0, 0.0)), village(), policy);
    assert!(story.incident.next_deadline().is_some());
}
