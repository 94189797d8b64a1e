//! Incidents that are linked, led, split, joined, and put right.

use super::*;

/// Two directions that cross may be two fires, until an officer who has seen both pictures says
/// that they are one.
#[test]
fn what_an_officer_joins_has_a_place() {
    let fire = place_m(0.0, 0.0);
    let (west, south) = (place_m(-4000.0, 0.0), place_m(500.0, -5000.0));
    let one = camera(1, start(), "west", west, west.azimuth_deg(fire), 0.9);
    let other = camera(2, start(), "south", south, south.azimuth_deg(fire), 0.9);
    let mut story = Story::opened(one.clone(), village(), Policy::default());
    let into = IncidentId(uuid(5 << 64));
    let join = Input::Merge { other: into, sightings: vec![other] };
    let mut by_itself = Story::opened(one, village(), Policy::default());
    by_itself.act(join.clone(), &by(crate::triage::event::Actor::System)).expect("taken in");
    assert_eq!(by_itself.incident.fix.method, FixMethod::Bearing);
    story.act(join, &officer()).expect("one fire");
    let fix = story.incident.fix;
    assert!(
        fix.method == FixMethod::Triangulated && fix.radius_m < 500.0 && fix.holds(fire),
        "{fix:?}"
    );
    story.act(Input::Unmerge { other: into }, &officer()).expect("the undo");
    assert_eq!(story.incident.fix.method, FixMethod::Bearing);
}

/// Another incident that could be the same fire points at another grid. Before anybody has
/// answered, that grid's ranger is dispatched. Afterwards nobody is moved by it, and a merged
/// incident takes nothing in.
#[test]
fn a_linked_incident_moves_nobody_who_has_answered() {
    let other = IncidentId(uuid(5 << 64));
    let points_west = || {
        let fix = crate::triage::geo::Fix::of(Locus::Disc {
            centre: place_m(-900.0, 0.0),
            radius_m: 100.0,
        });
        Input::Link(Link { other, hint: Some(Hint { fix, likely: 0.9 }) })
    };
    let place = |fix: &crate::triage::geo::Fix, hints: &[Hint]| match hints {
        [] => two_grids(fix),
        [hint, ..] => two_grids(&hint.fix),
    };
    let mut story = Story::between_grids();
    let mut events = story
        .act_placed(points_west(), &by(crate::triage::event::Actor::System), &place)
        .expect("taken in");
    assert_eq!(kinds(&events), ["linked", "relocated", "dispatched"]);
    assert_eq!(sent(&story), Some("chen"));
    events = story
        .act_placed(points_west(), &by(crate::triage::event::Actor::System), &place)
        .expect("known");
    assert_eq!(kinds(&events), Vec::<&str>::new(), "once");

    let mut story = Story::between_grids();
    story.until(2.0).tap("wang", phone_ack()).expect("his own");
    let events = story
        .act_placed(points_west(), &by(crate::triage::event::Actor::System), &place)
        .expect("taken in");
    assert_eq!(kinds(&events), ["linked"], "he goes on, and nobody is rung");

    let mut led = Story::between_grids();
    led.act(Input::MergeInto { into: IncidentId(uuid(9 << 64)) }, &officer())
        .expect("the same fire");
    let events = led
        .act_placed(points_west(), &by(crate::triage::event::Actor::System), &place)
        .expect("heard");
    assert_eq!(kinds(&events), Vec::<&str>::new(), "its leader hears it");
}

/// Two fires in one incident are split, and the split can be undone. Running deadlines are not
/// touched.
#[test]
fn two_fires_in_one_are_split_and_joined_again() {
    let mut story = Story::between_grids();
    story.see(satellite(2, at(0.0), place_m(600.0, 0.0)));
    let before = story.incident.dispatch.clone();
    let into = IncidentId(uuid(5 << 64));
    let split = Input::SplitOff { sightings: vec![SightingId(uuid(2))], into };
    story.act(split, &officer()).expect("part of it");
    assert_eq!((story.incident.sightings.len(), &story.incident.dispatch), (1, &before));
    let all = Input::SplitOff { sightings: vec![SightingId(uuid(1))], into };
    assert_eq!(story.act(all, &officer()), Err(Refusal::LastEvidence));
    let other = satellite(2, at(0.0), place_m(600.0, 0.0));
    story.act(Input::Merge { other: into, sightings: vec![other] }, &officer()).expect("the undo");
    assert_eq!((story.incident.sightings.len(), &story.incident.dispatch), (2, &before));
    story.act(Input::Unmerge { other: into }, &officer()).expect("and its undo");
    assert_eq!(story.incident.sightings.len(), 1);
    assert_eq!(story.tap("wang", Input::Unmerge { other: into }), Err(Refusal::NotYours));
}

/// A merged incident calls nobody of its own. When the merge is undone, it comes back with a
/// deadline.
#[test]
fn a_led_incident_is_silent_until_the_merge_is_undone() {
    let mut story = Story::waiting(0.9);
    let leader = IncidentId(uuid(9 << 64));
    story.act(Input::MergeInto { into: leader }, &officer()).expect("the same fire");
    assert_eq!(story.incident.next_deadline(), None);
    assert!(story.incident.owner().is_some(), "the leader has it");
    story.until(60.0);
    assert_eq!(story.told(), []);
    story.act(Input::Unmerge { other: leader }, &officer()).expect("undo");
    story.until(61.0);
    assert_eq!(story.told().len(), 1);
}

/// Evidence that was struck out is put back, with its place.
#[test]
fn evidence_struck_out_is_put_back() {
    let mut story = Story::between_grids();
    story.see(satellite(2, at(0.0), place_m(700.0, 0.0)));
    let fix = story.incident.fix;
    story
        .act(Input::StrikeOut { sighting: SightingId(uuid(2)), reason: "误并".into() }, &officer())
        .expect("his");
    assert_ne!(story.incident.fix, fix);
    story.act(Input::Reinstate { sighting: SightingId(uuid(2)) }, &officer()).expect("undo");
    assert_eq!(story.incident.fix, fix);
    assert_eq!(
        story.tap("wang", Input::Reinstate { sighting: SightingId(uuid(2)) }),
        Err(Refusal::NotYours)
    );
}
