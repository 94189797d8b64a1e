//! How an incident opens, and who decides that it is sent.

use super::*;

#[test]
fn a_camera_alarm_nobody_looks_at_sends_itself_where_the_office_says_so() {
    let mut story = Story::waiting_for_auto(0.9);
    assert_eq!(story.incident.state, State::NeedsReview);
    assert_eq!(story.tap("wang", phone_ack()), Err(Refusal::NotDispatched));
    story.until(5.0);
    assert_eq!(story.story(), [(0, "opened"), (2, "dispatched"), (5, "escalated")]);
}

#[test]
fn a_doubtful_one_rings_until_somebody_has_it() {
    let mut story = Story::waiting_for_auto(0.5);
    story.until(300.0);
    let told = story.told();
    assert_eq!(told[0], (2, vec![Role::CountyDuty], Channel::Voice));
    assert_eq!(told[1], (7, vec![Role::CountyLeader], Channel::Voice));
    assert_eq!(told[2], (12, vec![Role::CountyDuty, Role::NextDuty], Channel::Voice));
    assert_eq!(told[3], (22, vec![Role::CountyDuty], Channel::Voice));
    assert!(story.incident.review_missed() && story.incident.review_by().is_none());
}

#[test]
fn an_officer_who_looks_in_time_decides() {
    let mut story = Story::waiting_for_auto(0.9);
    story.until(1.0).send("li").expect("派发");
    story.until(3.9);
    assert_eq!(story.incident.dispatch.as_ref().map(|it| it.ranger.as_str()), Some("li"));
    let mut story = Story::waiting_for_auto(0.9);
    let closure = Closure {
        category: 7,
        false_alarm: Some(FalseAlarm::CookingSmoke),
        words: String::new(),
        passed_to: None,
    };
    story.until(1.0).act(Input::Close { closure }, &officer()).expect("误报关闭");
    story.until(300.0);
    assert_eq!(story.story(), [(0, "opened"), (1, "closed")]);
}

/// The office's click comes after the review time, before the desk has woken. The deadline still
/// comes first.
#[test]
fn the_order_of_waking_does_not_matter() {
    let (mut early, mut late) = (Story::waiting_for_auto(0.9), Story::waiting_for_auto(0.9));
    early.until(2.5).send("li").expect("改派");
    late.now = at(2.5);
    late.send("li").expect("改派");
    assert_eq!(kinds_of(&early), kinds_of(&late));
    assert_eq!(kinds_of(&late), ["opened", "dispatched", "dispatched"]);
}

fn kinds_of(story: &Story) -> Vec<&'static str> {
    story.story().into_iter().map(|it| it.1).collect()
}

#[test]
fn how_an_incident_opens_by_source_and_place() {
    let pixel = satellite(1, start(), place_m(0.0, 0.0));
    let smoke = camera(1, start(), "tower-3", place_m(-3000.0, 0.0), 90.0, 0.9);
    let call = person(1, start(), place_m(0.0, 0.0), 500.0);
    let nobody = crate::triage::event::Place { suggested: vec![], ..village() };
    let border = crate::triage::event::Place { unique: false, ..village() };
    let abroad = crate::triage::event::Place { labels: vec![Label::OutsideCounty], ..village() };
    let mut all_auto = Policy::default();
    all_auto.review.camera = Review::Auto;
    let default = Policy::default;
    // sighting, place, policy, dispatched at once, otherwise minutes of review
    let table = [
        (&pixel, village(), default(), None),
        (&pixel, nobody, default(), Some(5)),
        (&pixel, border.clone(), default(), None),
        (&smoke, village(), default(), Some(5)),
        (&smoke, village(), after_a_look(), Some(2)),
        (&smoke, village(), all_auto, None),
        (&call, village(), default(), Some(5)),
    ];
    for (sighting, place, policy, review) in table {
        let story = Story::opened(sighting.clone(), place, policy);
        let waits = story.incident.review_by().map(|by| by.duration_since(start()).as_mins());
        assert_eq!(waits, review);
        assert_eq!(story.incident.dispatch.is_none(), review.is_some());
    }
    // A bearing nearly always touches a neighbour's grid; the likeliest ranger goes.
    let mut story = Story::opened(smoke.clone(), border, after_a_look());
    story.until(2.0);
    assert!(story.incident.dispatch.is_some());
    // Outside the county: a record with the neighbour's name, no card and no call.
    for evidence in [&pixel, &smoke] {
        let story = Story::opened(evidence.clone(), abroad.clone(), default());
        assert_eq!(kinds_of(&story), ["opened", "closed"]);
    }
    // A person who calls this office is answered by this office.
    let story = Story::opened(call, abroad, default());
    assert_eq!((story.incident.state, story.incident.dispatch), (State::NeedsReview, None));
}

#[test]
fn a_second_source_strengthens_and_a_trusted_one_ends_the_wait() {
    let mut story = Story::waiting(0.5);
    let before = story.incident.priority.score;
    let events = story.see(camera(2, at(0.5), "tower-9", place_m(0.0, -3000.0), 0.0, 0.5));
    assert_eq!(kinds(&events)[0], "sighting added");
    assert!(story.incident.priority.score > before);
    let events = story.see(satellite(3, at(1.0), place_m(0.0, 0.0)));
    assert_eq!(kinds(&events).last(), Some(&"dispatched"));
    let events = story.see(satellite(4, at(1.2), place_m(200.0, 0.0)));
    assert!(!kinds(&events).contains(&"dispatched"), "nobody is sent twice");
    assert_eq!(
        story.see(satellite(4, at(1.2), place_m(200.0, 0.0))),
        [],
        "the same sighting again"
    );
}
