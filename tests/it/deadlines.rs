//! The 131 rule as a chief would tell it, under a clock that the story advances.

mod opening;

use crate::triage::dispatch::Step;
use crate::triage::event::{
    Actor, Closure, Event, FalseAlarm, Flames, Matter, Means, Verification,
};
use crate::triage::id::ActionId;
use crate::triage::incident::{By, Deadline, Input, Refusal, State};
use crate::triage::policy::{Channel, Policy, Review, Role, Stage, ZeroPoint};
use crate::triage::sighting::Label;
use crate::triage_kit::*;

fn closure() -> Closure {
    Closure { category: 3, false_alarm: None, words: String::new(), passed_to: None }
}

#[test]
fn nobody_touches_the_phone() {
    use Role::*;
    let mut story = Story::dispatched();
    story.until(24.0 * 60.0);
    let told = story.told();
    assert_eq!(
        told[..8],
        [
            (3, vec![Ranger], Channel::Voice),
            (5, vec![Ranger, BackupRanger], Channel::Voice),
            (10, vec![VillageChief, TownshipDuty], Channel::Sms),
            (30, vec![TownshipDuty, CountyDuty, CountyLeader], Channel::Sms),
            (60, vec![CountyDuty, CountyLeader], Channel::Sms),
            (70, vec![CountyDuty], Channel::Voice),
            (75, vec![CountyLeader], Channel::Voice),
            (80, vec![CountyDuty, NextDuty], Channel::Voice),
        ]
    );
    let silence = told.windows(2).skip(5).map(|two| two[1].0 - two[0].0).max();
    assert_eq!(silence, Some(10), "after the last rung somebody in the office is rung, all day");
    let missed: Vec<_> =
        story.story().into_iter().filter(|(_, kind)| *kind == "deadline missed").collect();
    assert_eq!(missed, [(10, "deadline missed"), (30, "deadline missed"), (60, "deadline missed")]);
    assert_eq!(story.incident.state, State::Dispatched, "silence is not a step");
}

#[test]
fn everything_in_time_and_nobody_is_bothered() {
    let mut story = Story::dispatched();
    story.until(2.0).tap("wang", phone_ack()).expect("his own");
    story.until(25.0).tap("wang", phone_arrive(at(25.0))).expect("his own");
    story.until(50.0).tap("wang", report(3)).expect("his own");
    story.until(64.0);
    assert_eq!(
        story.story(),
        [(0, "opened"), (0, "dispatched"), (2, "acknowledged"), (25, "arrived"), (50, "reported")]
    );
    assert_eq!(story.incident.state, State::Reported);
}

#[test]
fn a_report_nobody_reviews_rings_the_officer_then_the_leader() {
    use Role::*;
    let mut story = Story::dispatched();
    story.until(2.0).tap("wang", report(3)).expect("his own");
    story.until(29.0);
    let voice = |minute, tell: &[Role]| (minute, tell.to_vec(), Channel::Voice);
    assert_eq!(
        story.told(),
        [voice(17, &[CountyDuty]), voice(22, &[CountyLeader]), voice(27, &[CountyDuty, NextDuty])]
    );
    let owner = story.incident.owner().expect("open");
    assert_eq!(owner.until, at(37.0));
}

#[test]
fn late_steps_are_taken_and_marked() {
    let mut story = Story::dispatched();
    story.until(12.0).tap("wang", phone_ack()).expect("late but his");
    story.until(40.0).tap("wang", phone_arrive(at(40.0))).expect("late but his");
    story.until(61.0).tap("wang", report(1)).expect("late but his");
    let dispatch = story.incident.dispatch.expect("dispatched");
    assert!(
        [&dispatch.acknowledged, &dispatch.arrived, &dispatch.reported]
            .iter()
            .all(|it| is_late(it))
    );
    assert_eq!(dispatch.missed, [Stage::Acknowledged, Stage::Arrived, Stage::Reported]);
}

fn is_late(step: &Option<Step>) -> bool {
    step.as_ref().is_some_and(|it| it.late)
}

/// The last instant in time and the first late one. The desk may or may not have woken at the
/// limit.
#[test]
fn the_limit_itself_is_too_late() {
    for (minute, late) in [(9.999, false), (10.0, true), (10.001, true)] {
        for desk_woke in [false, true] {
            let mut story = Story::dispatched();
            story.now = at(minute);
            if desk_woke {
                story.until(minute);
            }
            story.tap("wang", phone_ack()).expect("his own");
            let dispatch = story.incident.dispatch.expect("dispatched");
            assert_eq!(is_late(&dispatch.acknowledged), late, "minute {minute}");
            assert_eq!(dispatch.missed.contains(&Stage::Acknowledged), late, "minute {minute}");
        }
    }
}

#[test]
fn a_clock_set_back_forgives_nothing_and_repeats_nothing() {
    let mut story = Story::dispatched();
    story.until(10.0);
    story.now = at(8.0);
    assert_eq!(story.tick(), []);
    assert_eq!(kinds(&story.tap("wang", phone_ack()).expect("his own")), ["acknowledged late"]);
}

#[test]
fn an_offline_phone_is_judged_by_the_server_and_shown_with_both_times() {
    let mut story = Story::dispatched();
    story.until(14.0);
    let by = By { happened_at: Some(at(3.0)), action: Some(ActionId(uuid(9))), ..ranger("wang") };
    story.act(phone_ack(), &by).expect("his own");
    let step = story
        .incident
        .dispatch
        .as_ref()
        .and_then(|it| it.acknowledged.clone())
        .expect("acknowledged");
    assert_eq!((step.received_at, step.happened_at, step.late), (at(14.0), Some(at(3.0)), true));
    assert_eq!(story.told().len(), 3, "what was escalated stays escalated");
    assert_eq!(
        story.act(phone_ack(), &by),
        Ok(vec![]),
        "the phone did not hear the answer and sends again"
    );
}

#[test]
fn a_step_implies_the_steps_before_it() {
    let mut story = Story::dispatched();
    story.until(8.0);
    assert_eq!(
        kinds(&story.tap("wang", report(3)).expect("his own")),
        ["acknowledged", "claimed to arrive", "reported"]
    );
    let log = &story.incident.log;
    assert_eq!(
        log.iter().filter(|it| it.action.is_some()).count(),
        1,
        "one action, one line that carries its id"
    );
    let dispatch = story.incident.dispatch.as_ref().expect("dispatched");
    let means = |step: &Option<Step>| step.as_ref().map(|it| it.means.clone());
    assert_eq!(means(&dispatch.acknowledged), Some(Means::Implied));
    assert_eq!(means(&dispatch.arrived), None, "a report without a position proves no arrival");
    assert_eq!(means(&dispatch.claimed), Some(Means::Implied));
    assert_eq!(means(&dispatch.reported), Some(Means::Phone));
    assert_eq!(
        kinds(&story.tap("wang", phone_ack()).expect("kept")),
        ["kept"],
        "the earlier tap came after the later one"
    );
}

#[test]
fn still_checking_is_not_a_report() {
    let mut story = Story::dispatched();
    story.until(20.0).tap("wang", report(10)).expect("interim");
    assert_eq!(story.incident.state, State::Arrived);
    assert_eq!(
        story.incident.verification.as_ref().map(|it| it.category),
        Some(10),
        "the office sees it"
    );
    story.until(69.0);
    assert_eq!(story.story().last(), Some(&(60, "escalated")), "the 60-minute clock ran on");
    story.tap("wang", report(9)).expect("final");
    assert_eq!(story.incident.state, State::Reported);
}

#[test]
fn a_form_sent_back_keeps_its_first_time() {
    let mut story = Story::dispatched();
    assert_eq!(
        story.act(Input::SendBack { reason: "缺照片".into() }, &officer()),
        Err(Refusal::NotReported)
    );
    story.until(40.0).tap("wang", report(3)).expect("his own");
    assert_eq!(
        story.act(Input::SendBack { reason: " ".into() }, &officer()),
        Err(Refusal::Incomplete)
    );
    story.act(Input::SendBack { reason: "缺照片".into() }, &officer()).expect("reported");
    assert_eq!(
        (story.incident.state, story.incident.sent_back()),
        (State::Arrived, Some("缺照片"))
    );
    assert_eq!(
        story.incident.next_deadline(),
        Some((at(70.0), Deadline::Ring(Matter::Supplement)))
    );
    story.until(74.0);
    assert_eq!(
        story.told().last(),
        Some(&(70, vec![Role::Ranger], Channel::Voice)),
        "his own form is rung for first"
    );
    story.until(90.0).tap("wang", report(1)).expect("again");
    assert_eq!(story.incident.sent_back(), None);
    let reported =
        story.incident.dispatch.as_ref().and_then(|it| it.reported.clone()).expect("reported");
    assert_eq!((reported.received_at, reported.late), (at(40.0), false));
    assert_eq!(
        story.incident.verification.as_ref().map(|it| it.category),
        Some(1),
        "the better form counts"
    );
    assert_eq!(story.story().last(), Some(&(90, "reported")), "not late: it first came in time");
}

#[test]
fn who_asks_for_support_rings_the_office_until_somebody_says_what_is_done() {
    let mut story = Story::dispatched();
    story.until(12.0).tap("wang", phone_arrive(at(12.0))).expect("his own");
    let support = Input::AskSupport { reason: "火势蔓延".into() };
    story.tap("wang", support.clone()).expect("his own");
    assert_eq!(story.incident.state, State::Arrived, "he goes on");
    assert_eq!(
        story.told().last(),
        Some(&(12, vec![Role::CountyDuty, Role::CountyLeader], Channel::Voice))
    );
    assert_eq!(story.incident.support_asked(), Some("火势蔓延"));
    story.until(20.0).tap("wang", report(1)).expect("his own");
    assert!(
        story.incident.waiting(Matter::Support).is_some_and(|it| it.rounds > 1),
        "rung again, also after the report"
    );
    story.act(Input::Note { words: "扑火队已出发".into() }, &officer()).expect("open");
    assert!(story.incident.waiting(Matter::Support).is_none());
    assert_eq!(story.tap("chen", support), Err(Refusal::NotYours));
}

/// Somebody is hurt, and the person who asked for support cannot go on. The office is still called
/// for it.
#[test]
fn a_request_for_support_outlives_who_asked() {
    let mut story = Story::dispatched();
    let support = || Input::AskSupport { reason: "有人受伤".into() };
    let waits = |story: &Story| story.incident.waiting(Matter::Support).is_some();
    story.until(12.0).tap("wang", support()).expect("his own");
    story.tap("wang", Input::Decline { reason: "送伤员下山".into() }).expect("with a reason");
    assert!(waits(&story), "he says no");
    story.until(14.0).send("li").expect("改派");
    assert!(waits(&story), "another goes");
    story.act(Input::Note { words: "120已派车".into() }, &officer()).expect("open");
    assert!(!waits(&story));
    story.tap("wang", support()).expect("he still stands there");
    assert!(waits(&story), "one who was relieved asks");
}

#[test]
fn who_cannot_go_rings_the_office_at_once() {
    let mut story = Story::dispatched();
    assert_eq!(story.tap("wang", Input::Decline { reason: "".into() }), Err(Refusal::Incomplete));
    story
        .until(4.0)
        .tap("wang", Input::Decline { reason: "人在县城".into() })
        .expect("with a reason");
    assert_eq!((story.incident.state, story.incident.review_missed()), (State::NeedsReview, true));
    assert_eq!(
        story.told().last(),
        Some(&(4, vec![Role::CountyDuty, Role::CountyLeader], Channel::Voice))
    );
    story.until(119.0);
    assert!(story.story().iter().all(|(_, kind)| *kind != "deadline missed"), "his clocks stopped");
    assert_eq!(story.told().len(), 19, "and the office is rung until it sends another");
    story.until(120.0);

    story.send("li").expect("改派");
    let li = story.incident.dispatch.clone().expect("dispatched");
    assert_eq!((li.dispatched_at, li.acknowledge_by), (at(120.0), at(130.0)));
    assert_eq!(story.incident.past_dispatches.len(), 1);
    story.tap("li", Input::Decline { reason: "脚伤".into() }).expect("with a reason");
    assert_eq!(story.told().last().map(|it| it.0), Some(120), "each decline rings at once");
}

#[test]
fn who_cannot_go_on_rings_the_office_as_one_who_never_went() {
    for steps in [vec![], vec![phone_ack()], vec![phone_ack(), phone_arrive(at(3.0))]] {
        let mut story = Story::dispatched();
        story.until(3.0);
        for step in steps {
            story.tap("wang", step).expect("his own");
        }
        story
            .until(4.0)
            .tap("wang", Input::Decline { reason: "道路不通".into() })
            .expect("at every stage");
        assert_eq!(story.incident.state, State::NeedsReview);
        assert_eq!(
            story.told().last(),
            Some(&(4, vec![Role::CountyDuty, Role::CountyLeader], Channel::Voice))
        );
        story.until(119.0);
        assert!(
            story.story().iter().all(|(_, kind)| *kind != "deadline missed"),
            "his clocks stopped"
        );
    }
}

#[test]
fn a_trusted_source_never_sends_who_has_declined() {
    let mut story = Story::dispatched();
    story.tap("wang", Input::Decline { reason: "人在县城".into() }).expect("with a reason");
    let events = story.see(satellite(2, at(1.0), place_m(100.0, 0.0)));
    assert_eq!(kinds(&events).last(), Some(&"dispatched"));
    assert_eq!(story.incident.dispatch.as_ref().map(|it| it.ranger.as_str()), Some("li"));
}

#[test]
fn reassigning_starts_fresh_clocks_and_stops_the_old_ones() {
    let mut story = Story::dispatched();
    story.until(7.0).send("li").expect("改派");
    let li = story.incident.dispatch.clone().expect("dispatched");
    assert_eq!((li.acknowledge_by, li.arrive_by, li.report_by), (at(17.0), at(37.0), at(67.0)));
    let Some(Event::Dispatched(last)) = story.incident.log.last().map(|it| it.event.clone()) else {
        panic!("dispatched")
    };
    assert_eq!(last.replaces, Some(story.incident.past_dispatches[0].id));
    assert_eq!(kinds(&story.send("li").expect("a second click")), Vec::<&str>::new());

    assert_eq!(story.tap("chen", phone_ack()), Err(Refusal::NotYours));
    assert_eq!(
        kinds(&story.tap("wang", phone_ack()).expect("kept")),
        ["kept"],
        "wang was offline when he was replaced"
    );
    assert_eq!(story.incident.state, State::Dispatched);
    story.until(16.0).tap("li", phone_ack()).expect("his own");
    story.until(76.0);
    let told: Vec<i64> = story.told().into_iter().map(|it| it.0).collect();
    assert_eq!(told, [3, 5, 10, 12, 37, 67], "wang's first two, then li's");
}

#[test]
fn counted_from_first_seen_when_the_office_says_so() {
    let policy = Policy { zero_point: ZeroPoint::FirstSeen, ..Policy::default() };
    let mut story = Story::opened(satellite(1, start(), place_m(0.0, 0.0)), village(), policy);
    story.until(7.0).send("li").expect("改派");
    let li = story.incident.dispatch.clone().expect("dispatched");
    assert_eq!((li.zero_at, li.dispatched_at, li.acknowledge_by), (at(0.0), at(7.0), at(10.0)));
    assert_eq!(li.ladder[0].at, at(10.0), "nobody is rung for the minutes before he could know");
}

#[test]
fn closed_is_closed() {
    let mut story = Story::dispatched();
    story.until(15.0).act(Input::Close { closure: closure() }, &officer()).expect("open");
    let (state, dispatch) = (story.incident.state, story.incident.dispatch.clone());
    for input in
        [phone_ack(), phone_arrive(at(15.0)), report(1), Input::Decline { reason: "远".into() }]
    {
        assert_eq!(kinds(&story.tap("wang", input).expect("kept, not refused")), ["kept"]);
    }
    assert_eq!(
        story.act(phone_ack(), &ranger("wang")),
        Ok(vec![]),
        "the same words without an id are kept once"
    );
    assert_eq!(story.tap("chen", phone_ack()), Err(Refusal::NotYours));
    for input in [
        Input::Close { closure: closure() },
        Input::SendBack { reason: "缺照片".into() },
        Input::Acknowledge { means: Means::Proxy { reason: "电话".into() } },
        Input::Note { words: "补记".into() },
    ] {
        assert_eq!(story.act(input, &officer()), Err(Refusal::Closed));
    }
    assert_eq!(story.send("li"), Err(Refusal::Closed));
    story.until(600.0);
    assert_eq!((story.incident.state, &story.incident.dispatch), (state, &dispatch));
    assert_eq!(story.told().len(), 3, "nobody is told after the end");
}

#[test]
fn a_photo_after_the_end_is_still_evidence() {
    let mut story = Story::dispatched();
    story.until(40.0).tap("wang", report(3)).expect("his own");
    story.act(Input::Close { closure: closure() }, &officer()).expect("open");
    let picture = crate::triage::id::PictureId::of(uuid(77), b"");
    assert_eq!(
        kinds(&story.tap("wang", Input::AddPhoto { picture }).expect("kept")),
        ["photo added"]
    );
    assert_eq!(
        kinds(&story.tap("wang", Input::AddPhoto { picture }).expect("the same")),
        Vec::<&str>::new()
    );
    assert_eq!(
        story.incident.verification.as_ref().map(|it| it.photos.clone()),
        Some(vec![picture])
    );
    assert_eq!(story.incident.state, State::Closed);
}

#[test]
fn the_office_may_take_a_step_for_the_ranger_with_a_reason() {
    let mut story = Story::dispatched();
    let proxy = |reason: &str| Input::Acknowledge { means: Means::Proxy { reason: reason.into() } };
    assert_eq!(story.act(proxy(""), &officer()), Err(Refusal::Incomplete));
    story.until(6.0).act(proxy("电话告知本人已接收"), &officer()).expect("with a reason");
    assert_eq!(story.incident.state, State::Acknowledged);
    story.until(29.0);
    assert_eq!(story.told().len(), 2, "T+10 stays silent");
}

/// F16: a fire reported as large and not out cannot be closed by one tap.
#[test]
fn a_fire_that_is_not_out_is_closed_only_with_words() {
    let mut story = Story::dispatched();
    let Input::Report { verification } = report(1) else { unreachable!("a report") };
    let burning =
        Verification { flames: Some(Flames::Large), extinguished: Some(false), ..verification };
    story.until(40.0).tap("wang", Input::Report { verification: burning }).expect("his own");
    let close =
        |words: &str| Input::Close { closure: Closure { words: words.into(), ..closure() } };
    assert_eq!(story.act(close(" "), &officer()), Err(Refusal::StillBurning));
    story
        .act(close("王五 14:20 电话确认明火已灭"), &officer())
        .expect("somebody says that it is over");
    assert_eq!(story.incident.state, State::Closed);
}

#[test]
fn rangers_do_not_run_the_office() {
    let mut story = Story::dispatched();
    let closing = Input::Close { closure: closure() };
    assert_eq!(story.tap("wang", closing), Err(Refusal::NotYours));
    let dispatch = crate::triage::id::DispatchId(uuid(5));
    assert_eq!(
        story.tap("wang", Input::Dispatch { dispatch, ranger: "li".into() }),
        Err(Refusal::NotYours)
    );
    let interim = Closure { category: 10, ..closure() };
    assert_eq!(story.act(Input::Close { closure: interim }, &officer()), Err(Refusal::Incomplete));
}

/// The desk slept through the night. Everything comes at once, each once, in order.
#[test]
fn a_desk_that_wakes_late_catches_up() {
    let mut story = Story::dispatched();
    story.now = at(500.0);
    let events = story.tick();
    let expected = [
        "escalated",
        "escalated",
        "deadline missed",
        "escalated",
        "deadline missed",
        "escalated",
        "deadline missed",
        "escalated",
        "rang",
    ];
    assert_eq!(kinds(&events), expected);
    assert_eq!(story.tick(), []);
}

#[test]
fn a_drill_stays_a_drill() {
    let mut sighting = satellite(1, start(), place_m(0.0, 0.0));
    sighting.drill = true;
    let mut story = Story::opened(sighting, village(), Policy::default());
    story.see(satellite(2, at(1.0), place_m(0.0, 0.0)));
    assert!(story.incident.drill);
}

#[test]
fn a_policy_changed_later_changes_nothing_behind_anyones_back() {
    let mut story = Story::dispatched();
    story.policy.ladder.clear();
    story.policy.acknowledge_within = minutes(1.0);
    story.until(69.0);
    assert_eq!(story.told().len(), 5);
}

#[test]
fn notes_need_words_and_a_hand_in_it() {
    let mut story = Story::dispatched();
    let note = |words: &str| Input::Note { words: words.into() };
    assert_eq!(story.act(note("  "), &officer()), Err(Refusal::Incomplete));
    assert_eq!(kinds(&story.act(note("已通知村支书"), &officer()).expect("words")), ["noted"]);
    assert_eq!(story.tap("chen", note("路过")), Err(Refusal::NotYours));
    assert_eq!(kinds(&story.tap("wang", note("路断，绕行")).expect("words")), ["noted"]);
    let by_system = by(Actor::System);
    assert_eq!(kinds(&story.act(note("重启"), &by_system).expect("words")), ["noted"]);
}
