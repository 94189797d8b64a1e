use super::*;
use crate::triage::kit::{at, camera, person, place_m, satellite, start};
use proptest::prelude::*;

fn seen_from(id: u128, tower: (f64, f64), fire: LatLon, error_deg: f64) -> Sighting {
    let apex = place_m(tower.0, tower.1);
    let azimuth_deg = (apex.azimuth_deg(fire) + error_deg).rem_euclid(360.0);
    camera(id, start(), &format!("tower-{id}"), apex, azimuth_deg, 0.8)
}

#[test]
fn one_bearing_is_the_middle_of_its_view() {
    let fire = place_m(0.0, 0.0);
    let one = seen_from(1, (-5100.0, 0.0), fire, 0.0);
    let found = fix(std::slice::from_ref(&one));
    assert_eq!((found.method, found.radius_m), (FixMethod::Bearing, one.locus.radius_m()));
    assert!(found.centre.distance_m(fire) < 1.0, "5.1 km is the middle of 200 m to 10 km");
}

/// Two towers at right angles, 3 km each, 2° each: ±105 m to each side, root mean square 148 m.
#[test]
fn two_bearings_cross_where_the_fire_is() {
    let fire = place_m(500.0, 700.0);
    let found = fix(&[seen_from(1, (-2500.0, 700.0), fire, 0.0), seen_from(2, (500.0, -2300.0), fire, 0.0)]);
    assert_eq!(found.method, FixMethod::Triangulated);
    assert!(found.centre.distance_m(fire) < 1.0, "{}", found.centre.distance_m(fire));
    assert!((found.radius_m - 148.2).abs() < 1.0, "{}", found.radius_m);
}

#[test]
fn bearings_that_hardly_cross_stay_bearings() {
    let fire = place_m(0.0, 0.0);
    // Towers beside each other: 9° and 11° of parallax at 5 km.
    for (aside_m, method) in [(792.0, FixMethod::Bearing), (972.0, FixMethod::Triangulated)] {
        let found = fix(&[seen_from(1, (0.0, -5000.0), fire, 0.0), seen_from(2, (aside_m, -5000.0), fire, 0.0)]);
        assert_eq!(found.method, method, "{aside_m}");
    }
    let (one, again) =
        (seen_from(1, (0.0, -5000.0), fire, 0.0), seen_from(2, (50.0, -5000.0), place_m(9000.0, 0.0), 0.0));
    assert_eq!(fix(&[one, again]).method, FixMethod::Bearing, "two cameras of one mast");
}

#[test]
fn bearings_that_meet_behind_a_camera_do_not_meet() {
    let away = camera(1, start(), "a", place_m(0.0, -3000.0), 180.0, 0.8);
    let across = camera(2, start(), "b", place_m(-3000.0, 0.0), 90.0, 0.8);
    assert_eq!(fix(&[away, across]).method, FixMethod::Bearing);
}

#[test]
fn a_stray_bearing_does_not_pull_the_crossing_away() {
    let fire = place_m(0.0, 0.0);
    let towers = [(-4000.0, 100.0), (300.0, -4000.0), (3000.0, 3000.0)];
    let mut sightings: Vec<Sighting> = (1..).zip(towers).map(|(id, tower)| seen_from(id, tower, fire, 0.3)).collect();
    let good = fix(&sightings);
    sightings.push(seen_from(9, (-4000.0, -4000.0), place_m(-3000.0, 4000.0), 0.0));
    let with_stray = fix(&sightings);
    assert!(good.centre.distance_m(fire) < 60.0 && good.centre.distance_m(with_stray.centre) < 1.0);
}

#[test]
fn a_third_bearing_narrows_it() {
    let fire = place_m(0.0, 0.0);
    let towers = [(-4000.0, 0.0), (0.0, -4000.0), (3000.0, 3000.0)];
    let sightings: Vec<Sighting> = (1..).zip(towers).map(|(id, tower)| seen_from(id, tower, fire, 0.0)).collect();
    assert!(fix(&sightings).radius_m < fix(&sightings[..2]).radius_m);
}

#[test]
fn the_smallest_pixel_and_a_bearing_through_it() {
    let fire = place_m(100.0, 150.0);
    let (pixel, mut coarse) = (satellite(1, start(), place_m(0.0, 0.0)), satellite(2, at(9.0), place_m(900.0, 0.0)));
    coarse.locus = Locus::Disc { centre: place_m(900.0, 0.0), radius_m: 2000.0 };
    let found = fix(&[coarse.clone(), pixel.clone()]);
    assert_eq!((found.method, found.radius_m), (FixMethod::Satellite, 375.0));
    let with_bearing = fix(&[coarse, pixel, seen_from(3, (-2000.0, 150.0), fire, 0.0)]);
    assert_eq!(with_bearing.method, FixMethod::Satellite);
    assert!(with_bearing.radius_m < 375.0 && with_bearing.centre.distance_m(fire) < 150.0, "{with_bearing:?}");
}

#[test]
fn a_persons_word_is_used_as_told_when_it_says_more() {
    let bearing = seen_from(1, (-4000.0, 0.0), place_m(0.0, 0.0), 0.0);
    let pixel = satellite(2, start(), place_m(0.0, 0.0));
    for (radius_m, method) in [(100.0, FixMethod::Reported), (2000.0, FixMethod::Satellite)] {
        let call = person(3, start(), place_m(700.0, 0.0), radius_m);
        assert_eq!(fix(&[bearing.clone(), pixel.clone(), call.clone()]).method, method);
        let found = fix(&[bearing.clone(), call]);
        assert_eq!((found.method, found.radius_m), (FixMethod::Reported, radius_m), "any place beats a bearing");
    }
}

proptest! {
    /// The fire lies within twice the stated radius when every bearing is off by no more than it says.
    #[test]
    fn the_radius_is_honest(
        towers in proptest::collection::vec((-6000.0..6000.0, -6000.0..6000.0, -1.0..1.0), 2..6),
    ) {
        let fire = place_m(0.0, 0.0);
        let sightings: Vec<Sighting> = (1..)
            .zip(&towers)
            .filter(|(_, (east_m, north_m, _))| f64::hypot(*east_m, *north_m) > 300.0)
            .map(|(id, (east_m, north_m, error))| seen_from(id, (*east_m, *north_m), fire, error * 1.9))
            .collect();
        prop_assume!(!sightings.is_empty());
        let found = fix(&sightings);
        prop_assert!(found.radius_m.is_finite() && found.radius_m > 0.0);
        let off_m = found.centre.distance_m(fire);
        prop_assert!(off_m <= 2.0 * found.radius_m, "{off_m} m off, {} m said, {:?}", found.radius_m, found.method);
    }

    #[test]
    fn the_order_in_which_evidence_comes_changes_nothing(
        seeds in proptest::collection::vec((0..3u8, -6000.0..6000.0, -6000.0..6000.0), 1..8), turn in 0usize..8,
    ) {
        let mut sightings: Vec<Sighting> = (1..)
            .zip(&seeds)
            .map(|(id, (kind, east_m, north_m))| match kind {
                0 => satellite(id, at(id as f64), place_m(east_m / 10.0, north_m / 10.0)),
                1 => person(id, at(id as f64), place_m(*east_m, *north_m), 300.0),
                _ => seen_from(id, (*east_m, *north_m), place_m(0.0, 0.0), 0.5),
            })
            .collect();
        let found = fix(&sightings);
        sightings.reverse();
        prop_assert_eq!(found, fix(&sightings));
        let middle = turn % sightings.len();
        sightings.rotate_left(middle);
        prop_assert_eq!(found, fix(&sightings));
    }
}
