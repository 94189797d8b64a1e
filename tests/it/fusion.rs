//! Several eyes, one fire: what is joined, where it is believed to be, and what is kept apart.

use crate::triage::fuse;
use crate::triage::geo::{FixMethod, LatLon};
use crate::triage::incident::{Incident, Input, State};
use crate::triage::policy::Policy;
use crate::triage::sighting::Sighting;
use crate::triage_kit::*;

fn incident(sighting: &Sighting) -> Incident {
    Story::opened(sighting.clone(), village(), Policy::default()).incident
}

fn joins(sighting: &Sighting, open: &Incident) -> bool {
    fuse::choose(sighting, std::slice::from_ref(open), &Policy::default()) == Some(open.id)
}

/// A bearing from `tower` to `fire`.
fn bearing(id: u128, tower: &str, apex: LatLon, fire: LatLon) -> Sighting {
    camera(id, at(0.0), tower, apex, apex.azimuth_deg(fire), 0.8)
}

#[test]
fn two_towers_and_a_satellite_are_one_fire_well_placed() {
    let fire = place_m(0.0, 0.0);
    let mut story = Story::opened(bearing(1, "west", place_m(-4000.0, 300.0), fire), village(), Policy::default());
    assert_eq!(story.incident.fix.method, FixMethod::Bearing);
    let wide_m = story.incident.fix.radius_m;

    let pixel = satellite(2, at(1.0), place_m(200.0, 250.0));
    assert!(joins(&pixel, &story.incident));
    story.see(pixel);
    let cut = story.incident.fix;
    assert_eq!(cut.method, FixMethod::Satellite);
    assert!(cut.radius_m < 375.0 && cut.centre.distance_m(fire) < 250.0, "the bearing cuts the pixel: {cut:?}");

    let second = bearing(3, "south", place_m(500.0, -5000.0), fire);
    assert!(joins(&second, &story.incident));
    story.see(second);
    let fix = story.incident.fix;
    assert_eq!(fix.method, FixMethod::Triangulated);
    assert!(fix.centre.distance_m(fire) < 5.0 && fix.radius_m < 300.0 && fix.radius_m < wide_m / 10.0, "{fix:?}");
    assert_eq!(story.incident.past_dispatches.len(), 0, "one fire, one ranger");
}

#[test]
fn a_ranger_on_the_spot_knows_best() {
    let mut story = Story::dispatched();
    story.see(person(2, at(5.0), place_m(300.0, 0.0), 20.0));
    assert_eq!(story.incident.fix.method, FixMethod::Reported);
    assert!(story.incident.fix.centre.distance_m(place_m(300.0, 0.0)) < 0.1, "as told");
}

#[test]
fn what_joins_what() {
    let middle = place_m(0.0, 0.0);
    let open = incident(&satellite(1, start(), middle));
    let beside = |east_m: f64| satellite(2, at(10.0), place_m(east_m, 0.0));
    assert!(joins(&beside(749.0), &open), "touching pixels");
    assert!(!joins(&beside(751.0), &open));

    let tower = place_m(0.0, -5000.0);
    for (azimuth_deg, joined) in [(0.0, true), (5.0, true), (6.2, true), (6.6, false), (90.0, false), (180.0, false)] {
        let smoke = camera(3, at(10.0), "south", tower, azimuth_deg, 0.8);
        assert_eq!(joins(&smoke, &open), joined, "the pixel's rim lies 4.3° off, the bearing is ±2°: {azimuth_deg}");
    }
}

#[test]
fn time_parts_what_place_joins() {
    let open = incident(&satellite(1, start(), place_m(0.0, 0.0)));
    for (minute, joined) in [(-719.0, true), (-721.0, false), (720.0, true), (720.1, false)] {
        assert_eq!(joins(&satellite(2, at(minute), place_m(0.0, 0.0)), &open), joined, "minute {minute}");
    }
}

#[test]
fn a_long_fire_stays_one_while_it_is_seen() {
    let mut story = Story::dispatched();
    for (id, hour) in (2..).zip([8.0, 16.0, 24.0]) {
        let again = satellite(id, at(hour * 60.0), place_m(0.0, 0.0));
        assert!(joins(&again, &story.incident));
        story.see(again);
    }
    assert!(!joins(&satellite(9, at(37.0 * 60.0), place_m(0.0, 0.0)), &story.incident));
}

#[test]
fn drills_and_fires_never_mix() {
    let open = incident(&satellite(1, start(), place_m(0.0, 0.0)));
    let drill = Sighting { drill: true, ..satellite(2, start(), place_m(0.0, 0.0)) };
    assert!(!joins(&drill, &open));
    assert!(joins(&drill, &incident(&drill)));
}

#[test]
fn a_closed_fire_takes_nothing_in() {
    let mut story = Story::dispatched();
    let closure = crate::triage::event::Closure { category: 3, false_alarm: None, words: String::new() };
    story.act(Input::Close { closure }, &officer()).expect("open");
    assert_eq!(story.incident.state, State::Closed);
    assert!(!joins(&satellite(2, at(5.0), place_m(0.0, 0.0)), &story.incident));
}

/// A front of touching pixels is one fire however long, but not a ladder over bearings.
#[test]
fn a_front_is_one_fire_and_one_line_of_sight_is_not() {
    let mut story = Story::dispatched();
    for n in 2..8 {
        let next = satellite(n, at(0.0), place_m(600.0 * (n - 1) as f64, 0.0));
        assert!(joins(&next, &story.incident), "pixel {n}");
        story.see(next);
    }
    let tower = place_m(0.0, -9000.0);
    let mut smoke = Story::opened(camera(1, start(), "south", tower, 0.0, 0.8), village(), Policy::default());
    assert!(joins(&camera(2, at(1.0), "south", tower, 3.9, 0.8), &smoke.incident));
    assert!(!joins(&camera(2, at(1.0), "south", tower, 4.1, 0.8), &smoke.incident), "another smoke of the same view");
    smoke.see(bearing(3, "west", place_m(-4000.0, 0.0), place_m(0.0, 0.0)));
    assert_eq!(smoke.incident.fix.method, FixMethod::Triangulated);
    let behind = satellite(4, at(2.0), place_m(0.0, -4000.0));
    assert!(!joins(&behind, &smoke.incident), "on the first line of sight, but far from the crossing");
}

#[test]
fn the_nearest_of_two_fires_takes_it_whatever_their_order() {
    let near = incident(&satellite(1, start(), place_m(300.0, 0.0)));
    let mut far = incident(&satellite(2, start(), place_m(-600.0, 0.0)));
    far.id = crate::triage::id::IncidentId(uuid(99));
    let sighting = satellite(3, at(1.0), place_m(0.0, 0.0));
    for open in [[near.clone(), far.clone()], [far.clone(), near.clone()]] {
        assert_eq!(fuse::choose(&sighting, &open, &Policy::default()), Some(near.id));
    }
}
