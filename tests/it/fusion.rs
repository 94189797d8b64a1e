//! Several sources, one fire: what is joined, what is only linked, and where the fire is believed
//! to be.

use crate::triage::associate::{Association, associate};
use crate::triage::geo::{FixMethod, LatLon, Locus};
use crate::triage::id::{IncidentId, PoseId};
use crate::triage::incident::{Incident, Input, SIGHTINGS_MAX, State};
use crate::triage::policy::Policy;
use crate::triage::sighting::{Sighting, Source};
use crate::triage_kit::*;

fn incident(sighting: &Sighting) -> Incident {
    let mut opened = Story::opened(sighting.clone(), village(), Policy::default()).incident;
    opened.id = IncidentId(uuid((9 << 64) + sighting.id.0.as_u128()));
    opened
}

fn decide(sighting: &Sighting, open: &[Incident]) -> Association {
    associate(std::slice::from_ref(sighting), open.iter(), &Policy::default())
}

fn joins(sighting: &Sighting, open: &Incident) -> bool {
    decide(sighting, std::slice::from_ref(open)).join == Some(open.id)
}

fn links(sighting: &Sighting, open: &Incident) -> bool {
    decide(sighting, std::slice::from_ref(open))
        == Association { links: vec![open.id], ..Association::default() }
}

/// A bearing from `tower` to `fire`.
fn bearing(id: u128, tower: &str, apex: LatLon, fire: LatLon) -> Sighting {
    camera(id, at(0.0), tower, apex, apex.azimuth_deg(fire), 0.8)
}

fn measured(id: u128, tower: &str, apex: LatLon, fire: LatLon) -> Sighting {
    let range_m = apex.distance_m(fire);
    ranged(bearing(id, tower, apex, fire), range_m * 0.8, range_m * 1.2)
}

fn later(mut sighting: Sighting, minute: f64) -> Sighting {
    sighting.observed_at = at(minute);
    sighting
}

#[test]
fn two_towers_and_a_satellite_are_one_fire_well_placed() {
    let fire = place_m(0.0, 0.0);
    let mut story = Story::opened(
        bearing(1, "west", place_m(-4000.0, 300.0), fire),
        village(),
        Policy::default(),
    );
    assert_eq!(story.incident.fix.method, FixMethod::Bearing);
    let wide_m = story.incident.fix.radius_m;

    let pixel = satellite(2, at(1.0), place_m(200.0, 250.0));
    assert!(joins(&pixel, &story.incident));
    story.see(pixel);
    let cut = story.incident.fix;
    assert_eq!(cut.method, FixMethod::Satellite);
    assert!(cut.radius_m < 375.0 && cut.holds(fire), "the bearing cuts the pixel: {cut:?}");

    let second = bearing(3, "south", place_m(500.0, -5000.0), fire);
    assert!(joins(&second, &story.incident));
    story.see(second);
    let fix = story.incident.fix;
    assert_eq!(fix.method, FixMethod::Triangulated);
    assert!(
        fix.centre.distance_m(fire) < 5.0 && fix.radius_m < 300.0 && fix.radius_m < wide_m / 10.0,
        "{fix:?}"
    );
    assert_eq!(story.incident.past_dispatches.len(), 0, "one fire, one ranger");
}

#[test]
fn a_ranger_on_the_spot_knows_best() {
    let mut story = Story::dispatched();
    story.see(person(2, at(5.0), place_m(300.0, 0.0), 20.0));
    assert_eq!(story.incident.fix.method, FixMethod::Reported);
    assert!(story.incident.fix.centre.distance_m(place_m(300.0, 0.0)) < 0.1, "as told");
}

/// Crossing sectors of two masts may be two fires, and the officer is told that they may be one.
/// Where one mast has measured the range and the other looks through that very place, they are one.
#[test]
fn two_bearings_that_cross_are_linked_and_not_joined() {
    let fire = place_m(0.0, 0.0);
    let open = incident(&bearing(1, "west", place_m(-4000.0, 0.0), fire));
    let south = bearing(2, "south", place_m(500.0, -5000.0), place_m(500.0, 0.0));
    assert!(links(&south, &open));
    let open = incident(&measured(1, "west", place_m(-4000.0, 0.0), fire));
    let near = measured(2, "south", place_m(0.0, -5000.0), fire);
    assert!(joins(&near, &open), "both have measured that it is there");
    assert!(joins(&south, &open), "the second looks through the place that the first has measured");
    let nearer = ranged(near, 500.0, 2500.0);
    assert_eq!(
        decide(&nearer, std::slice::from_ref(&open)),
        Association::default(),
        "a second smoke, nearer"
    );
}

/// A third mast's ray goes through the crossing of two: it is one fire, and the incident that stood
/// for it takes in the others.
#[test]
fn a_third_ray_makes_one_fire_of_two_linked_ones() {
    let fire = place_m(0.0, 0.0);
    let west = incident(&bearing(1, "west", place_m(-4000.0, 100.0), fire));
    let south = incident(&later(bearing(2, "south", place_m(500.0, -5000.0), fire), 5.0));
    let north = later(bearing(3, "north", place_m(3000.0, 3000.0), fire), 8.0);
    let found = decide(&north, &[south.clone(), west.clone()]);
    assert_eq!(found, Association { join: Some(west.id), merge: vec![south.id], links: vec![] });

    let going = Incident { state: State::Acknowledged, ..south.clone() };
    let found = decide(&north, &[going, west.clone()]);
    assert_eq!(
        found.join, None,
        "a ranger goes to one of them: an officer says whether they are one"
    );
    assert_eq!(found.links.len(), 2);

    let hours_later = later(north, 90.0);
    assert_eq!(decide(&hours_later, &[south.clone(), west.clone()]).join, None);
    let pixel = satellite(4, at(10.0), place_m(100.0, 100.0));
    assert_eq!(
        decide(&pixel, &[south.clone(), west.clone()]).merge,
        [south.id],
        "a pixel at the crossing says so too"
    );
}

#[test]
fn what_joins_what() {
    let open = incident(&satellite(1, start(), place_m(0.0, 0.0)));
    let beside = |east_m: f64| satellite(2, at(10.0), place_m(east_m, 0.0));
    assert!(joins(&beside(748.0), &open), "touching pixels");
    assert!(!joins(&beside(752.0), &open));

    let tower = place_m(0.0, -5000.0);
    for (azimuth_deg, joined) in
        [(0.0, true), (5.0, true), (6.2, true), (6.6, false), (90.0, false), (180.0, false)]
    {
        let smoke = camera(3, at(10.0), "south", tower, azimuth_deg, 0.8);
        assert_eq!(
            joins(&smoke, &open),
            joined,
            "the pixel's rim lies 4.3° off, the bearing is ±2°: {azimuth_deg}"
        );
    }
}

#[test]
fn a_pixel_on_a_line_of_sight_joins_while_both_are_new_or_within_the_range() {
    let tower = place_m(0.0, -5000.0);
    let smoke = camera(1, start(), "south", tower, 0.0, 0.8);
    let (open, near) = (incident(&smoke), incident(&ranged(smoke, 1000.0, 3000.0)));
    for (minute, north_m, joined, within_range) in [
        (59.0, 0.0, true, false),
        (61.0, 0.0, false, false),
        (300.0, -2500.0, false, true),
        (-300.0, -2500.0, false, true),
    ] {
        let pixel = satellite(2, at(minute), place_m(0.0, north_m));
        assert_eq!(
            (joins(&pixel, &open), joins(&pixel, &near)),
            (joined, within_range),
            "{minute} {north_m}"
        );
        assert!(joined || links(&pixel, &open), "could be: {minute} {north_m}");
    }
    let mut long =
        Story::opened(camera(1, start(), "south", tower, 0.0, 0.8), village(), Policy::default());
    (2..40).for_each(|n| {
        long.see(camera(n, at(10.0 * n as f64), "south", tower, 0.0, 0.8));
    });
    assert!(
        links(&satellite(99, at(390.0), place_m(0.0, 0.0)), &long.incident),
        "it smokes all day: seen when it began"
    );
}

#[test]
fn the_same_eye_sees_its_fire_for_two_hours_on() {
    let tower = place_m(0.0, -9000.0);
    let open = incident(&camera(1, start(), "south", tower, 0.0, 0.8));
    let again =
        |minute: f64, azimuth_deg: f64| camera(2, at(minute), "south", tower, azimuth_deg, 0.8);
    assert!(joins(&again(119.0, 3.9), &open));
    assert!(links(&again(121.0, 0.0), &open));
    assert_eq!(
        decide(&again(1.0, 4.1), std::slice::from_ref(&open)),
        Association::default(),
        "another smoke"
    );
    let beside = camera(3, at(5.0), "south-2", place_m(60.0, -9000.0), 1.0, 0.8);
    assert!(joins(&beside, &open), "another camera of the same mast");
    let behind = [
        incident(&ranged(again(0.0, 0.0), 1000.0, 2500.0)),
        incident(&ranged(again(0.0, 0.0), 4000.0, 6000.0)),
    ];
    let nearer = ranged(again(3.0, 0.5), 1200.0, 2800.0);
    assert_eq!(decide(&nearer, &behind).join, Some(behind[0].id), "one behind the other");
}

#[test]
fn a_camera_without_a_direction_joins_its_own_pose_only() {
    let apex = place_m(0.0, 0.0);
    let lost = |id: u128, name: &str, minute: f64| Sighting {
        locus: Locus::Unaimed { apex, far_m: 8000.0 },
        ..camera(id, at(minute), name, apex, 0.0, 0.8)
    };
    let open = incident(&lost(1, "south", 0.0));
    assert!(joins(&lost(2, "south", 30.0), &open));
    for other in
        [lost(3, "north", 1.0), lost(4, "south", 130.0), satellite(5, at(1.0), place_m(100.0, 0.0))]
    {
        assert_eq!(decide(&other, std::slice::from_ref(&open)), Association::default());
    }
    let aimed = incident(&camera(6, start(), "south", apex, 0.0, 0.8));
    assert!(links(&lost(7, "south", 1.0), &aimed));
}

#[test]
fn where_a_turning_camera_looks_is_unknown_only_the_same_place_of_the_picture_joins() {
    let apex = place_m(0.0, 0.0);
    let by_night = |id: u128, minute: f64, pose: PoseId, left: f32| {
        let mut seen = camera(id, at(minute), "south", apex, 0.0, 0.8);
        seen.locus = Locus::Unaimed { apex, far_m: 8000.0 };
        if let Source::Camera { pose: its, bbox, .. } = &mut seen.source {
            (*its, *bbox) = (pose, [left, 0.4, 0.05, 0.05].into());
        }
        seen
    };
    let unknown = PoseId::unregistered(None);
    let open = incident(&by_night(1, 0.0, unknown.clone(), 0.2));
    assert!(joins(&by_night(2, 15.0, unknown.clone(), 0.21), &open), "the next visit");
    assert!(links(&by_night(3, 15.0, unknown, 0.7), &open), "perhaps another direction");
    let third = PoseId::unregistered(Some(3));
    let open = incident(&by_night(4, 0.0, third.clone(), 0.2));
    assert!(joins(&by_night(5, 15.0, third, 0.7), &open), "one view, though nobody has named it");
}

#[test]
fn time_parts_what_place_joins() {
    let open = incident(&satellite(1, start(), place_m(0.0, 0.0)));
    for (minute, joined) in [(-719.0, true), (-721.0, false), (720.0, true), (720.1, false)] {
        assert_eq!(
            joins(&satellite(2, at(minute), place_m(0.0, 0.0)), &open),
            joined,
            "minute {minute}"
        );
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
    assert_eq!(decide(&drill, std::slice::from_ref(&open)), Association::default());
    assert!(joins(&drill, &incident(&drill)));
}

#[test]
fn a_closed_fire_takes_nothing_in() {
    let mut story = Story::dispatched();
    let closure = crate::triage::event::Closure {
        category: 3,
        false_alarm: None,
        words: String::new(),
        passed_to: None,
    };
    story.act(Input::Close { closure }, &officer()).expect("open");
    assert_eq!(story.incident.state, State::Closed);
    assert!(!joins(&satellite(2, at(5.0), place_m(0.0, 0.0)), &story.incident));
}

/// A front of touching pixels is one fire of any length. Bearings never chain in this way.
#[test]
fn a_front_is_one_fire_and_one_line_of_sight_is_not() {
    let mut story = Story::dispatched();
    for n in 2..60 {
        let next = satellite(n, at(0.0), place_m(600.0 * (n - 1) as f64, 0.0));
        assert!(joins(&next, &story.incident), "pixel {n}");
        story.see(next);
    }
    let cluster: Vec<Sighting> =
        (0..3).map(|n| satellite(100 + n, at(100.0), place_m(600.0 * n as f64, 700.0))).collect();
    let found = associate(&cluster, std::iter::once(&story.incident), &Policy::default());
    assert_eq!(found.join, Some(story.incident.id), "the next pass beside it");
    assert!(
        !joins(&satellite(200, at(1.0), place_m(17_000.0, 6000.0)), &story.incident),
        "6 km beside the front"
    );

    let tower = place_m(0.0, -9000.0);
    let mut smoke =
        Story::opened(camera(1, start(), "south", tower, 0.0, 0.8), village(), Policy::default());
    smoke.see(person(2, at(1.0), place_m(0.0, 0.0), 300.0));
    assert_eq!(smoke.incident.fix.method, FixMethod::Reported);
    let behind = satellite(4, at(2.0), place_m(0.0, -4000.0));
    assert!(!joins(&behind, &smoke.incident), "on the first line of sight, but far from the place");
}

/// A fire that has been confirmed five thousand times takes in no more. The next evidence opens a
/// linked card of its own, and that card takes in what follows.
#[test]
fn what_is_full_is_linked_and_the_next_card_goes_on() {
    let seen = |n: u128| satellite(n, at(0.0), place_m(0.0, 0.0));
    let mut full = incident(&seen(1));
    full.sightings = (1..SIGHTINGS_MAX as u128).map(seen).collect();
    assert!(joins(&seen(9_000), &full), "one more");
    full.sightings.push(seen(8_000));
    assert!(links(&seen(9_000), &full));
    let next = incident(&seen(9_000));
    let found = decide(&seen(9_001), &[full, next.clone()]);
    assert_eq!(found.join, Some(next.id));
}

#[test]
fn the_nearest_of_two_fires_takes_it_whatever_their_order() {
    let (near, far) = (
        incident(&satellite(1, start(), place_m(300.0, 0.0))),
        incident(&satellite(2, start(), place_m(-600.0, 0.0))),
    );
    let sighting = satellite(3, at(1.0), place_m(0.0, 0.0));
    for open in [[near.clone(), far.clone()], [far.clone(), near.clone()]] {
        assert_eq!(
            decide(&sighting, &open),
            Association { join: Some(near.id), merge: vec![], links: vec![far.id] }
        );
    }
}

#[test]
fn a_wide_word_joins_for_an_hour() {
    let call = incident(&person(1, start(), place_m(0.0, 0.0), 5000.0));
    let pixel = |minute: f64| satellite(2, at(minute), place_m(4400.0, 0.0));
    assert!(joins(&pixel(55.0), &call));
    assert!(links(&pixel(65.0), &call), "79 km² of ground say little hours later");
    let Source::Person { .. } = &call.sightings[0].source else { panic!("a person") };
}
