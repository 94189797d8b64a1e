use super::*;
use crate::triage::geo::{RangeBasis, Ray};
use crate::triage::kit::place_m;
use proptest::prelude::*;

fn wedge(apex: LatLon, azimuth_deg: f64, half_width_deg: f64, near_m: f64, far_m: f64) -> Locus {
    Locus::Sector(Ray {
        apex,
        azimuth_deg,
        half_width_deg,
        near_m,
        far_m,
        range: RangeBasis::Unknown,
        profile: None,
    })
}

#[test]
fn how_far_a_place_is_from_a_view() {
    let north = wedge(place_m(0.0, 0.0), 0.0, 10.0, 500.0, 5000.0);
    // east, north → metres to the nearest place of the view
    let table = [
        (0.0, 2000.0, 0.0),
        (100.0, 2000.0, 0.0),
        (0.0, 200.0, 300.0),
        (0.0, 5400.0, 400.0),
        // Directly behind: the near corner at 10° is nearest.
        (0.0, -1000.0, 1494.9),
        // Straight off the right edge, 1 km along it.
        (
            1000.0 * 10f64.to_radians().sin() + 300.0 * 10f64.to_radians().cos(),
            1000.0 * 10f64.to_radians().cos() - 300.0 * 10f64.to_radians().sin(),
            300.0,
        ),
    ];
    for (east_m, north_m, expected_m) in table {
        let found_m = distance_m(&north, place_m(east_m, north_m));
        assert!(
            (found_m - expected_m).abs() < 1.0,
            "{east_m} {north_m}: {found_m} instead of {expected_m}"
        );
    }
}

#[test]
fn views_across_north_are_ordinary_views() {
    let view = wedge(place_m(0.0, 0.0), 359.0, 5.0, 100.0, 5000.0);
    assert!(distance_m(&view, place_m(150.0, 3000.0)) <= 0.0, "at 3°");
    assert!(distance_m(&view, place_m(400.0, 3000.0)) > 0.0, "at 7.6°");
}

#[test]
fn two_towers_see_one_place_or_not() {
    let west = wedge(place_m(-4000.0, 0.0), 90.0, 3.0, 200.0, 8000.0);
    let table = [
        ("crossing in the middle", wedge(place_m(0.0, -4000.0), 0.0, 3.0, 200.0, 8000.0), 0.0),
        ("looking away", wedge(place_m(0.0, -4000.0), 180.0, 3.0, 200.0, 8000.0), f64::INFINITY),
        (
            "not reaching so far",
            wedge(place_m(0.0, -4000.0), 0.0, 3.0, 200.0, 3000.0),
            f64::INFINITY,
        ),
        ("only the edges overlap", wedge(place_m(0.0, -4000.0), 0.0, 3.0, 200.0, 3900.0), 0.5),
        (
            "beyond its far end",
            wedge(place_m(6000.0, -4000.0), 0.0, 3.0, 200.0, 8000.0),
            f64::INFINITY,
        ),
        ("one inside the other", wedge(place_m(-500.0, 10.0), 90.0, 1.0, 10.0, 100.0), 0.5),
        ("same mast, a little turned", wedge(place_m(-4000.0, 0.0), 93.0, 3.0, 200.0, 8000.0), 0.5),
    ];
    for (what, other, expected) in table {
        let found = separation(&west, &other);
        assert!(found == expected || (found - expected).abs() < 1e-3, "{what}: {found}");
    }
}

/// The inverse of [`flat`]: the place at these metres east and north.
fn unflat(origin: LatLon, [east_m, north_m]: Point) -> LatLon {
    origin.destination(normalise_deg(east_m.atan2(north_m).to_degrees()), east_m.hypot(north_m))
}

#[test]
fn there_and_back_on_the_plane() {
    let (origin, place) = (place_m(0.0, 0.0), place_m(6543.0, -7654.0));
    assert!(unflat(origin, flat(origin, place)).distance_m(place) < 1e-3);
}

fn locus() -> impl Strategy<Value = Locus> {
    let place =
        (-9000.0..9000.0, -9000.0..9000.0).prop_map(|(east_m, north_m)| place_m(east_m, north_m));
    let disc = (place.clone(), 0.0..3000.0)
        .prop_map(|(centre, radius_m)| Locus::Disc { centre, radius_m });
    let sector = (place, 0.0..360.0, 0.0..180.0, 0.0..2000.0, 0.0..9000.0).prop_map(
        |(apex, azimuth_deg, half, near_m, depth_m)| {
            wedge(apex, azimuth_deg, half, near_m, near_m + depth_m)
        },
    );
    prop_oneof![disc, sector]
}

/// A place inside the locus; `turn` and `range` are shares of its extent.
fn inside(locus: &Locus, turn: f64, range: f64) -> LatLon {
    match *locus {
        Locus::Disc { .. } | Locus::Pixel { .. } | Locus::Unaimed { .. } => {
            locus.centre().destination(360.0 * turn, locus.radius_m() * range * 0.99)
        }
        Locus::Sector(Ray { apex, azimuth_deg, half_width_deg, near_m, far_m, .. }) => {
            let off_deg = half_width_deg * (2.0 * turn - 1.0) * 0.99;
            apex.destination(
                normalise_deg(azimuth_deg + off_deg),
                near_m + (far_m - near_m) * range * 0.99,
            )
        }
    }
}

proptest! {
    #[test]
    fn separation_is_a_number_and_the_same_both_ways(a in locus(), b in locus()) {
        let (one, two) = (separation(&a, &b), separation(&b, &a));
        prop_assert!(!one.is_nan() && one >= 0.0);
        prop_assert_eq!(one <= 1.0, two <= 1.0);
        prop_assert!(separation(&a, &a) <= 1.0);
    }

    /// A place that lies in both proves that they overlap: the fire could be there.
    #[test]
    fn a_common_place_is_never_denied(a in locus(), b in locus(), turn in 0.0..1.0, range in 0.0..1.0) {
        let place = inside(&a, turn, range);
        prop_assert!(distance_m(&a, place) < 1.0, "{}", distance_m(&a, place));
        let same_mast = matches!((a, b), (Locus::Sector(Ray { apex, .. }), Locus::Sector(Ray { apex: other, .. }))
            if apex.distance_m(other) <= SAME_APEX_M);
        if distance_m(&b, place) <= 0.0 && !same_mast {
            // Chords lie up to 4 m inside an arc.
            let deep = distance_m(&a, place) <= 0.0 && [0.0, 90.0, 180.0, 270.0].iter().all(|azimuth_deg| {
                let near = place.destination(*azimuth_deg, 10.0);
                distance_m(&a, near) <= 0.0 && distance_m(&b, near) <= 0.0
            });
            prop_assert!(!deep || separation(&a, &b) <= 1.0);
        }
    }
}
