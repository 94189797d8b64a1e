//! 对的人: evidence, place and person stay consistent, whatever comes in. One story for each way in
//! which they once did not.

mod linked;

use crate::triage::event::{Closure, Event, Hint, Intent, Matter, Means, Unproven};
use crate::triage::geo::{FixMethod, Locus};
use crate::triage::id::{IncidentId, MessageId, SightingId};
use crate::triage::incident::{Failed, Input, Link, NewIncident, Refusal, State};
use crate::triage::policy::{Channel, Labelled, Policy, Role};
use crate::triage::sighting::{Label, Sighting};
use crate::triage_kit::*;

fn kiln() -> Label {
    Label::KnownHeatSource { name: "红砖厂".to_owned() }
}

fn labelled(sighting: Sighting, label: Label) -> Sighting {
    Sighting { labels: vec![label], ..sighting }
}

fn sent(story: &Story) -> Option<&str> {
    story.incident.dispatch.as_ref().map(|it| it.ranger.as_str())
}

fn codes(story: &Story) -> Vec<String> {
    story.incident.judge(&story.policy, false).because.into_iter().map(|it| it.code).collect()
}

/// The camera knew a direction. The pixel points at another grid before anybody has answered.
#[test]
fn a_better_fix_before_the_answer_sends_the_right_ranger_and_relieves_the_first() {
    let mut story = Story::between_grids();
    assert_eq!(sent(&story), Some("wang"));
    let first = story.incident.dispatch.as_ref().map(|it| it.id);
    story.until(1.0);
    let events = story.see(satellite(2, at(1.0), place_m(-900.0, 0.0)));
    assert_eq!(kinds(&events), ["sighting added", "relocated", "dispatched"]);
    assert_eq!(sent(&story), Some("chen"));
    let Some(Event::Dispatched(second)) = events.last() else { panic!("sent") };
    assert_eq!(second.replaces, first, "the first is relieved");
    assert_eq!(second.because[0].code, "relocated");
    assert_eq!(story.incident.place.grid, Some("G16".into()));
    assert_eq!(
        Some(story.incident.clone()),
        crate::triage::incident::Incident::from_log(&story.incident.log)
    );
}

/// Somebody is on the way. He is told the new place, and the officer is asked who goes on, and
/// called when silent.
#[test]
fn a_better_fix_after_the_answer_tells_the_ranger_and_asks_the_officer() {
    let mut story = Story::between_grids();
    story.until(2.0).tap("wang", phone_ack()).expect("his own");
    story.see(satellite(2, at(3.0), place_m(-900.0, 0.0)));
    story
        .until(3.0)
        .act(Input::StrikeOut { sighting: SightingId(uuid(1)), reason: String::new() }, &officer())
        .expect("ok");
    let moved = story.incident.log.iter().rev().find_map(|it| match &it.event {
        Event::Relocated { answer_by, tell_ranger, neighbours, .. } => {
            Some((*answer_by, *tell_ranger, neighbours.clone()))
        }
        _ => None,
    });
    let (answer_by, tell_ranger, neighbours) = moved.expect("the place moved");
    assert!(tell_ranger, "位置更正 to the one on the way");
    assert_eq!(answer_by, Some(at(6.0)));
    assert_eq!(
        neighbours.iter().map(|it| it.ranger.as_str()).collect::<Vec<_>>(),
        Vec::<&str>::new(),
        "chen knows already"
    );
    assert_eq!(
        (sent(&story), story.incident.state),
        (Some("wang"), State::Acknowledged),
        "nobody is called back by a program"
    );
    story.until(6.5);
    assert_eq!(story.told().last(), Some(&(6, vec![Role::CountyDuty], Channel::Voice)));
    story.act(Input::Relocate { accept: false }, &officer()).expect("原人继续");
    assert!(story.incident.waiting(Matter::Relocation).is_none());
}

/// A false bearing had moved a fire that somebody was checking.
#[test]
fn a_weak_bearing_moves_nobody_who_is_on_the_way_without_the_officer() {
    for there in [false, true] {
        let mut story = Story::between_grids();
        story.until(2.0).tap("wang", phone_ack()).expect("his own");
        if there {
            story.until(9.0).tap("wang", phone_arrive(at(9.0))).expect("his own");
        }
        let (fix, place) = (story.incident.fix, story.incident.place.clone());
        let slope = camera(9, at(10.0), "tower-9", place_m(-4000.0, -3000.0), 50.0, 0.7);
        story.until(10.0).see(slope);
        assert_eq!((story.incident.fix, &story.incident.place), (fix, &place), "there: {there}");
    }
}

/// After arrival the officer decides, however good the evidence.
#[test]
fn after_arrival_a_new_place_is_the_officers_to_decide() {
    let mut story = Story::between_grids();
    story.until(9.0).tap("wang", phone_arrive(at(9.0))).expect("his own");
    let fix = story.incident.fix;
    let pixels =
        (20..24).map(|n| satellite(n, at(12.0), place_m(-1500.0 - 50.0 * n as f64, 0.0))).collect();
    let events = story.until(12.0).see_all(pixels);
    assert_eq!(kinds(&events).last(), Some(&"relocation proposed"));
    assert_eq!(story.incident.fix, fix);
    story.until(15.5);
    assert_eq!(
        story.told().last(),
        Some(&(15, vec![Role::CountyDuty], Channel::Voice)),
        "and rung when silent"
    );
    let events = story.act(Input::Relocate { accept: true }, &officer()).expect("他定");
    assert_eq!(kinds(&events), ["relocated"]);
    assert_ne!(story.incident.fix, fix);
    assert_eq!(story.act(Input::Relocate { accept: true }, &officer()), Err(Refusal::NotHere));
}

/// A pixel in two grids never counts less than a pixel in one, nor two pixels less than one.
#[test]
fn a_pixel_on_a_border_sends_the_likeliest_ranger_and_tells_the_neighbour() {
    let story = Story::between_grids();
    assert_eq!(sent(&story), Some("wang"));
    let told = &story.incident.dispatch.as_ref().expect("sent").neighbours;
    assert_eq!(
        told.iter().map(|it| (it.ranger.as_str(), it.go)).collect::<Vec<_>>(),
        [("chen", false)]
    );
    let pair = vec![
        satellite(1, start(), place_m(100.0, 0.0)),
        satellite(2, start(), place_m(300.0, 0.0)),
    ];
    let both = Story::seen(pair, Box::new(two_grids), Policy::default());
    assert_eq!(sent(&both), Some("wang"), "judged together, by the same rule");
}

/// Two grids are about equally likely, and the office sends both rangers: the first to answer goes.
#[test]
fn of_two_equal_grids_both_are_asked_and_the_first_to_answer_goes() {
    let mut policy = Policy::default();
    policy.border.send_both = true;
    let mut story =
        Story::seen(vec![satellite(1, start(), place_m(10.0, 0.0))], Box::new(two_grids), policy);
    assert_eq!(story.incident.dispatch.as_ref().map(|it| it.neighbours[0].go), Some(true));
    let events = story.until(4.0).tap("chen", phone_ack()).expect("asked");
    assert_eq!(kinds(&events), ["dispatched", "acknowledged"]);
    let it = story.incident.dispatch.clone().expect("runs");
    assert_eq!(
        (it.ranger.as_str(), it.acknowledge_by, it.report_by),
        ("chen", at(10.0), at(60.0)),
        "the clocks run on"
    );
    assert_eq!(kinds(&story.tap("wang", phone_ack()).expect("kept")), ["kept"]);
    story.until(29.0);
    assert_eq!(story.told().len(), 1, "only the call before the answer");
}

/// Every state has an owner and a next instant until closed.
#[test]
fn no_open_state_is_without_owner_and_clock() {
    let has_owner = |story: &Story| {
        let (owner, due) = (story.incident.owner(), story.incident.next_deadline());
        assert!(
            owner.is_some() && due.is_some_and(|(due, _)| due > story.now),
            "{:?}",
            story.incident.state
        );
    };
    let mut story = Story::waiting(0.9);
    for minute in [1.0, 30.0, 300.0] {
        has_owner(story.until(minute));
    }
    story.send("wang").expect("派发");
    for minute in [301.0, 330.0, 900.0] {
        has_owner(story.until(minute));
    }
    story.tap("wang", report(3)).expect("late");
    has_owner(story.until(1200.0));
    story.act(Input::SendBack { reason: "缺照片".into() }, &officer()).expect("reported");
    has_owner(story.until(1500.0));
    story.tap("wang", report(3)).expect("again");
    story.act(Input::SendBack { reason: "仍缺".into() }, &officer()).expect("reported");
    story.tap("wang", Input::Decline { reason: "病了".into() }).ok();
    has_owner(story.until(1600.0));
}

/// A message that reached nobody is sent another way at once: another channel, then the next
/// person. The board shows it.
#[test]
fn a_message_that_fails_goes_to_another_channel_then_to_the_next_person() {
    let mut story = Story::dispatched();
    let failed = |n: u128, channel| Failed {
        message: MessageId(uuid(n)),
        role: Role::Ranger,
        person: Some("wang".into()),
        channel,
        why: "空号".into(),
        no_channel: false,
        no_number: false,
    };
    let next = |story: &mut Story, n, channel| {
        story
            .act(Input::MessageFailed(failed(n, channel)), &by(crate::triage::event::Actor::System))
            .expect("taken");
        let last = story.incident.undelivered.last().cloned().expect("on the board");
        last.next.map(|it| (it.role, it.person.map(|person| person.0), it.channel))
    };
    let wang = |channel| Some((Role::Ranger, Some("wang".to_owned()), channel));
    assert_eq!(next(&mut story, 1, Channel::Sms), wang(Channel::Voice));
    assert_eq!(next(&mut story, 2, Channel::Voice), wang(Channel::Wecom));
    let higher = next(&mut story, 3, Channel::Wecom);
    assert_eq!(higher, Some((Role::BackupRanger, Some("li".to_owned()), Channel::Voice)));
    assert_eq!(story.incident.undelivered.len(), 3);
    story
        .act(Input::TakeUndelivered { message: MessageId(uuid(1)) }, &officer())
        .expect("电话告知");
    assert_eq!(story.incident.undelivered.len(), 2);
    story.until(2.0).tap("li", phone_ack()).expect("he was told instead");
    assert_eq!((sent(&story), story.incident.undelivered.len()), (Some("li"), 0), "somebody goes");
}

/// A registered kiln costs no trip at every overpass. A large hotspot, or one seen again and again,
/// sends a ranger all the same.
#[test]
fn a_registered_kiln_waits_for_a_look_and_a_large_or_lasting_one_does_not() {
    let open = |sightings: Vec<Sighting>, policy: Policy| {
        Story::seen(sightings, Box::new(|_| village()), policy)
    };
    let pixel =
        |n: u128, minute, east_m| labelled(satellite(n, at(minute), place_m(east_m, 0.0)), kiln());
    let mut story = open(vec![pixel(1, 0.0, 0.0)], Policy::default());
    assert_eq!(
        (sent(&story), &codes(&story)[..]),
        (None, &["known_heat_source".to_owned(), "digest".to_owned()][..])
    );
    assert_eq!(story.incident.review_by(), Some(at(60.0)), "with the next digest, on the hour");
    story.until(61.0);
    assert_eq!(
        story.told(),
        [(60, vec![Role::CountyDuty], Channel::Sms)],
        "told, and nobody is woken"
    );
    let three = (1..4).map(|n| pixel(n, 0.0, 380.0 * n as f64)).collect();
    assert_eq!(sent(&open(three, Policy::default())), Some("wang"), "三个像素以上");
    let mut again = open(vec![pixel(1, 0.0, 0.0)], Policy::default());
    again.until(50.0).see(pixel(2, 50.0, 0.0));
    assert_eq!(sent(&again), None, "another satellite of the same afternoon");
    again.until(200.0).see(pixel(3, 200.0, 0.0));
    assert_eq!(sent(&again), Some("wang"), "连续");
    for (labelled, goes) in [(Labelled::Send, true), (Labelled::Officer, false)] {
        let mut policy = Policy::default();
        policy.labelled.heat_source = labelled;
        assert_eq!(sent(&open(vec![pixel(1, 0.0, 0.0)], policy)).is_some(), goes, "{labelled:?}");
    }
}

/// Smoke beside a kiln's pixel is looked at as quickly as any smoke.
#[test]
fn a_plume_at_a_kiln_does_not_wait_for_the_digest() {
    let pixel = labelled(satellite(1, start(), place_m(0.0, 0.0)), kiln());
    let mut story = Story::seen(vec![pixel], Box::new(|_| village()), Policy::default());
    story.until(10.0).see(camera(2, at(10.0), "tower-3", place_m(-3000.0, 0.0), 90.0, 0.9));
    assert_eq!(story.incident.review_by(), Some(at(15.0)));
}

/// Anybody whom the ladder called can answer.
#[test]
fn whoever_was_rung_can_answer() {
    let mut story = Story::dispatched();
    let backup = story.until(6.0).tap("li", phone_ack()).expect("B角接替");
    assert_eq!(kinds(&backup), ["dispatched", "acknowledged"]);
    story.until(29.0);
    assert_eq!((sent(&story), story.told().len()), (Some("li"), 2), "the ladder is silent");

    let mut story = Story::dispatched();
    let town = story.until(11.0).tap("town", phone_ack()).expect("收到");
    assert_eq!(kinds(&town), ["answered"]);
    assert_eq!(
        (sent(&story), story.incident.state),
        (Some("wang"), State::Dispatched),
        "he does not go for it"
    );
    assert_eq!(story.tap("nobody", phone_ack()), Err(Refusal::NotYours));
    story.until(30.5);
    assert!(story.told().iter().any(|(minute, ..)| *minute == 30), "the others' ladder runs on");
}

/// 收到 stops one's own calls for a while, and nobody else's.
#[test]
fn an_answer_stops_only_ones_own_ringing() {
    let mut story = Story::waiting(0.9);
    story.until(5.5).tap("zhao", phone_ack()).expect("he was rung");
    story.until(26.0);
    let rung = |who: &str| {
        let called = story.incident.log.iter().filter_map(|it| match &it.event {
            Event::Rang { people, .. } => {
                Some(people.iter().filter(|it| it.person == Some(who.into())).count())
            }
            _ => None,
        });
        called.sum::<usize>()
    };
    assert_eq!((rung("zhao"), rung("qian"), rung("sun")), (1, 1, 1));
}

/// Arrival is measured.
#[test]
fn an_arrival_is_measured_and_not_believed() {
    let tap = |position, minute: f64| {
        let mut story = Story::dispatched();
        story.until(2.0).tap("wang", phone_ack()).expect("his own");
        story
            .until(minute)
            .tap("wang", Input::Arrive { means: Means::Phone, position })
            .expect("taken");
        let it = story.incident.dispatch.clone().expect("runs");
        story.until(31.0);
        (
            it.arrived.is_some(),
            it.claimed.and_then(|step| step.unproven),
            story.told().iter().any(|it| it.0 == 30),
        )
    };
    let here = standing(place_m(600.0, 0.0), at(20.0));
    assert_eq!(tap(Some(here), 20.0), (true, None, false), "225 m outside of a pixel of 375 m");
    let home = standing(place_m(2900.0, 0.0), at(20.0));
    assert_eq!(
        tap(Some(home), 20.0),
        (false, Some(Unproven::Far), true),
        "at home: the ladder runs on"
    );
    let old = standing(place_m(0.0, 0.0), at(10.0));
    assert_eq!(tap(Some(old), 20.0), (false, Some(Unproven::Old), true));
    assert_eq!(tap(None, 20.0), (false, Some(Unproven::NoPosition), true), "无定位");
}

/// Somebody at home is 2.9 km from an invented centre, and nowhere near the line he was sent along.
#[test]
fn along_a_bearing_one_arrives_on_the_line() {
    let smoke = camera(1, start(), "tower-3", place_m(0.0, -4000.0), 0.0, 0.9);
    let mut story = Story::opened(smoke, village(), Policy::default());
    story.send("wang").expect("派发");
    let mut at_place = |east_m, north_m| {
        let position = Some(standing(place_m(east_m, north_m), at(0.0)));
        story.act(Input::Arrive { means: Means::Phone, position }, &ranger("wang")).expect("taken");
        story.incident.dispatch.as_ref().is_some_and(|it| it.arrived.is_some())
    };
    assert!(!at_place(2900.0, 1100.0));
    assert!(at_place(300.0, 1500.0));
}

/// A bearing without a range names no point, and none of several possible grids as certain.
#[test]
fn a_bearing_without_a_range_is_no_place() {
    let smoke = camera(1, start(), "tower-3", place_m(-3000.0, 0.0), 90.0, 0.9);
    let story = Story::opened(smoke, village(), Policy::default());
    assert_eq!(story.incident.fix.method, FixMethod::Bearing);
    assert!(!story.incident.fix.is_a_place());
}

/// A kiln explains what is seen at the kiln. It does not explain a direction that only passes it, a
/// caller, or two kinds of sources at once.
#[test]
fn a_kiln_explains_only_what_is_seen_at_the_kiln() {
    let look = |sightings: Vec<Sighting>| {
        let story = Story::seen(sightings, Box::new(|_| village()), Policy::default());
        (story.incident.review_by().map(|it| it.duration_since(start()).as_mins()), codes(&story))
    };
    let says = |codes: &[&str]| codes.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
    let seen = camera(1, start(), "tower-3", place_m(-3000.0, 0.0), 90.0, 0.9);
    let past_it = labelled(seen.clone(), kiln());
    assert_eq!(
        look(vec![past_it]),
        (Some(5), says(&["known_heat_source", "officer_first"])),
        "eight kilometres of forest"
    );
    let at_it = labelled(ranged(seen, 2_500.0, 3_500.0), kiln());
    assert_eq!(look(vec![at_it.clone()]), (Some(60), says(&["known_heat_source", "digest"])));
    let caller = labelled(person(2, start(), place_m(0.0, 0.0), 2_000.0), kiln());
    assert_eq!(look(vec![caller]).0, Some(5), "whoever calls has seen more than a chimney");
    let pixel = labelled(satellite(3, start(), place_m(0.0, 0.0)), kiln());
    let (minutes, codes) = look(vec![pixel, at_it]);
    assert_eq!((minutes, codes.contains(&"two_kinds".to_owned())), (Some(5), true), "{codes:?}");
}

/// By default cameras need a person's decision; an office may choose otherwise.
#[test]
fn cameras_wait_for_a_person_by_default() {
    let mut story = Story::waiting(0.95);
    story.until(240.0);
    assert_eq!(sent(&story), None);
    assert_eq!(codes(&story), ["officer_first"]);
    assert!(story.told().len() >= 30, "and somebody is rung all the time");
}

/// While somebody is deciding, the automatic decision waits, for a bounded time.
#[test]
fn a_decision_being_made_holds_the_automatic_one() {
    let mut story = Story::waiting_for_auto(0.9);
    let looking = Input::Intend { intent: Intent::FalseAlarm };
    story.until(1.9).act(looking.clone(), &officer()).expect("F");
    story.until(2.5);
    assert_eq!(sent(&story), None, "pressed 6 s before the time");
    let closure = Closure { category: 9, false_alarm: None, words: String::new(), passed_to: None };
    story.act(Input::Close { closure }, &officer()).expect("误报");
    assert!(!story.story().iter().any(|(_, kind)| *kind == "dispatched"));

    let mut story = Story::waiting_for_auto(0.9);
    for minute in [1.5, 2.2, 3.0, 3.8, 4.6, 5.4, 6.2] {
        story.until(minute).act(looking.clone(), &officer()).expect("still looking");
    }
    story.until(7.0);
    assert_eq!(sent(&story), Some("wang"), "five minutes after the first, whoever still looks");
}

/// A late list fires no rungs for hours in which nobody could know.
#[test]
fn a_late_list_rings_nobody_for_the_past() {
    let policy =
        Policy { zero_point: crate::triage::policy::ZeroPoint::FirstSeen, ..Policy::default() };
    let new = NewIncident {
        id: IncidentId(uuid(7 << 64)),
        dispatch: crate::triage::id::DispatchId(uuid(1000)),
        sightings: vec![satellite(1, start(), place_m(0.0, 0.0))],
        links: vec![],
        split_from: None,
        flood: None,
    };
    let story = Story::begun(new, Box::new(|_| village()), policy, at(150.0));
    assert_eq!(story.told(), []);
    assert_eq!(story.incident.dispatch.as_ref().map(|it| it.ladder[0].at), Some(at(153.0)));
}

/// One of too many similar incidents waits for the group's call, and dispatches itself when nobody
/// looks.
#[test]
fn one_of_a_flood_waits_for_the_ring_of_the_group() {
    let (id, other) = (IncidentId(uuid(7 << 64)), IncidentId(uuid(8 << 64)));
    let new = NewIncident {
        id,
        dispatch: crate::triage::id::DispatchId(uuid(1000)),
        sightings: vec![satellite(1, start(), place_m(0.0, 0.0))],
        links: vec![],
        split_from: None,
        flood: Some((other, at(1.0))),
    };
    let mut story = Story::begun(new, Box::new(|_| village()), Policy::default(), start());
    assert_eq!(sent(&story), None);
    assert!(codes(&story).contains(&"flood".to_owned()));
    story.now = at(1.0);
    let dispatch = crate::triage::id::DispatchId(uuid(77));
    let tick = Input::Tick { dispatch, with: Some(other) };
    let events = story.act(tick, &by(crate::triage::event::Actor::System)).expect("time");
    assert!(
        matches!(&events[..], [Event::Rang { people, with: Some(first), .. }] if people.is_empty() && *first == other)
    );
    story.until(6.5);
    assert_eq!(sent(&story), Some("wang"), "an alert nobody looks at never rots");
}

/// A camera with unknown direction dispatches nobody by itself.
#[test]
fn a_camera_without_a_direction_sends_nobody_by_itself() {
    let mut policy = Policy::default();
    policy.review.camera = crate::triage::policy::Review::Auto;
    let blind = Sighting {
        locus: Locus::Unaimed { apex: place_m(0.0, 0.0), far_m: 8000.0 },
        labels: vec![Label::NoBearing { camera: "tower-3".into() }],
        ..camera(1, start(), "tower-3", place_m(0.0, 0.0), 0.0, 0.9)
    };
    let story = Story::seen(vec![blind], Box::new(|_| village()), policy.clone());
    assert_eq!(sent(&story), None);
    let aimed = camera(1, start(), "tower-3", place_m(0.0, 0.0), 0.0, 0.9);
    assert_eq!(sent(&Story::seen(vec![aimed], Box::new(|_| village()), policy)), Some("wang"));
}
