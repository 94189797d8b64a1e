use super::*;
use crate::triage::geo::{RangeBasis, Ray};
use crate::triage::kit::{Chance, at, camera, person, place_m, ranged, satellite, start};
use crate::triage::profile::RangeProfile;
use proptest::prelude::*;

fn seen_from(id: u128, tower: (f64, f64), fire: LatLon, error_deg: f64) -> Sighting {
    let apex = place_m(tower.0, tower.1);
    let azimuth_deg = (apex.azimuth_deg(fire) + error_deg).rem_euclid(360.0);
    camera(id, start(), &format!("tower-{id}"), apex, azimuth_deg, 0.8)
}

/// With a range measured to ±30 %.
fn ranged_from(id: u128, tower: (f64, f64), fire: LatLon, error_deg: f64) -> Sighting {
    let range_m = place_m(tower.0, tower.1).distance_m(fire);
    ranged(seen_from(id, tower, fire, error_deg), range_m * 0.7, range_m * 1.3)
}

/// The middle of everything that a camera sees is no place.
#[test]
fn one_bearing_is_a_direction_and_no_place() {
    let fire = place_m(0.0, 0.0);
    let one = fix(&[seen_from(1, (-5100.0, 0.0), fire, 0.0)]);
    assert_eq!((one.method, one.is_a_place()), (FixMethod::Bearing, false));
    assert!(
        (one.centre.distance_m(place_m(-5100.0, 0.0)) - 200.0).abs() < 1.0,
        "an anchor beside the mast"
    );
    assert!(one.radius_m >= 9800.0 && one.holds(fire), "{one:?}");
    let Some(Spread::Sector(Ray { half_width_deg, range: RangeBasis::Unknown, .. })) = one.spread
    else {
        panic!("{one:?}")
    };
    assert!(
        (half_width_deg - 2.263).abs() < 1e-3,
        "±2° holds the fire in 92 of 100 cases, 1.96 sigma in 95"
    );
}

#[test]
fn a_measured_range_makes_a_place_of_it() {
    let fire = place_m(0.0, 0.0);
    let one = fix(&[ranged_from(1, (-5000.0, 0.0), fire, 0.0)]);
    assert_eq!((one.method, one.is_a_place()), (FixMethod::Ranged, true));
    // 3.5 to 6.5 km, and nothing is known of what lies between.
    assert!(one.centre.distance_m(fire) < 1.0 && one.holds(fire), "{one:?}");
    let again = fix(&[
        seen_from(2, (4000.0, 4000.0), fire, 0.0),
        ranged_from(1, (-5000.0, 0.0), fire, 0.0),
    ]);
    assert_eq!(again, one, "a ray without a range does not narrow 3 km");
    let narrow = ranged(ranged_from(1, (-5000.0, 0.0), fire, 0.0), 4_000.0, 6_000.0);
    let crossed = fix(&[seen_from(2, (4000.0, 4000.0), fire, 0.0), narrow]);
    assert_eq!(crossed.method, FixMethod::Triangulated, "one range of 2 km says where they cross");
}

/// Two bearings that cross make no fix of ±250 m, because they may be two fires.
#[test]
fn two_bearings_that_merely_cross_are_no_fix() {
    let fire = place_m(500.0, 700.0);
    let (west, south) = ((-2500.0, 700.0), (500.0, -2300.0));
    let (one, two) = (seen_from(1, west, fire, 0.0), seen_from(2, south, fire, 0.0));
    assert_eq!(fix(&[one.clone(), two.clone()]).method, FixMethod::Bearing);

    let third = seen_from(3, (3000.0, 3000.0), fire, 0.5);
    let beside = seen_from(3, (3000.0, 3000.0), place_m(-500.0, 1500.0), 0.0);
    let told = |east_m: f64| person(3, start(), place_m(500.0 + east_m, 700.0), 300.0);
    let support = [
        ("a third ray", third, FixMethod::Triangulated),
        ("a third ray that passes by", beside, FixMethod::Bearing),
        ("somebody who says so", told(0.0), FixMethod::Triangulated),
        ("somebody who says elsewhere", told(2000.0), FixMethod::Reported),
    ];
    for (what, more, method) in support {
        assert_eq!(fix(&[one.clone(), two.clone(), more]).method, method, "{what}");
    }

    let (one, two) = (ranged_from(1, west, fire, 0.0), ranged_from(2, south, fire, 0.0));
    let found = fix(&[one.clone(), two.clone()]);
    assert_eq!(found.method, FixMethod::Triangulated, "both ranges say so");
    assert!(found.centre.distance_m(fire) < 5.0, "{}", found.centre.distance_m(fire));
    // 3 km at 1.155° are 60.5 m, 2.5 times that in both directions.
    assert!((found.radius_m - 151.0).abs() < 2.0, "{}", found.radius_m);
    let behind = ranged(two, 4500.0, 6000.0);
    assert_eq!(fix(&[one, behind]).method, FixMethod::Ranged, "the other fire is farther away");
}

/// The slope where smoke can stand is narrower than the crossing of two directions: the crossing
/// moves there.
#[test]
fn the_ground_draws_a_crossing_to_where_smoke_can_stand() {
    let fire = place_m(0.0, 0.0);
    // The mast in the south points 1° too far right, so the directions cross 105 m east of the
    // fire.
    let (west, south) =
        (ranged_from(1, (-6000.0, 0.0), fire, 0.0), ranged_from(2, (0.0, -6000.0), fire, 1.0));
    let of_slope = |from_m: f64, to_m: f64| {
        let weights: Vec<f64> = (0..200)
            .map(|n| f64::from(u8::from((from_m..to_m).contains(&(4000.0 + 20.0 * f64::from(n))))))
            .collect();
        RangeProfile::new(&weights, 4000.0, 20.0).expect("a slope")
    };
    let on = |slope: RangeProfile| {
        let locus = match west.locus {
            Locus::Sector(ray) => Locus::Sector(Ray { profile: Some(slope), ..ray }),
            other => other,
        };
        fix(&[Sighting { locus, ..west.clone() }, south.clone()])
    };
    let [flat, slope, elsewhere] = [
        fix(&[west.clone(), south.clone()]),
        on(of_slope(5900.0, 6050.0)),
        on(of_slope(7000.0, 7500.0)),
    ];
    let off_m = |it: &Fix| it.centre.distance_m(fire);
    assert!((off_m(&flat) - 105.0).abs() < 10.0, "{}", off_m(&flat));
    assert!(
        off_m(&slope) < 60.0 && slope.holds(fire) && slope.radius_m < 1.2 * flat.radius_m,
        "{slope:?}"
    );
    // A slope far from the crossing belongs to another ridge: a tilt may be wrong.
    assert!((off_m(&elsewhere) - 105.0).abs() < 10.0, "{}", off_m(&elsewhere));
}

#[test]
fn bearings_that_hardly_cross_stay_bearings() {
    let fire = place_m(0.0, 0.0);
    // Towers beside each other: 9° and 17° of parallax at 5 km.
    for (aside_m, method) in [(792.0, FixMethod::Ranged), (1500.0, FixMethod::Triangulated)] {
        let found = fix(&[
            ranged_from(1, (0.0, -5000.0), fire, 0.0),
            ranged_from(2, (aside_m, -5000.0), fire, 0.0),
        ]);
        assert_eq!(found.method, method, "{aside_m}");
        let Some(Spread::Ellipse { along_m, across_m, .. }) = found.spread else { continue };
        assert!(along_m > 5.0 * across_m, "long along the line of sight: {found:?}");
    }
}

#[test]
fn a_stray_bearing_does_not_pull_the_crossing_away() {
    let fire = place_m(0.0, 0.0);
    let towers = [(-4000.0, 100.0), (300.0, -4000.0), (3000.0, 3000.0)];
    let mut sightings: Vec<Sighting> =
        (1..).zip(towers).map(|(id, tower)| seen_from(id, tower, fire, 0.3)).collect();
    let good = fix(&sightings);
    sightings.push(seen_from(9, (-4000.0, -4000.0), place_m(-3000.0, 4000.0), 0.0));
    let with_stray = fix(&sightings);
    assert_eq!(good.method, FixMethod::Triangulated);
    assert!(good.centre.distance_m(fire) < 60.0 && good.centre.distance_m(with_stray.centre) < 1.0);
}

/// The fix of five pixels covers all five, not one of them.
#[test]
fn a_cluster_is_one_place_as_wide_as_it_is() {
    let front: Vec<Sighting> =
        (0..5).map(|n| satellite(n + 1, start(), place_m(375.0 * n as f64, 0.0))).collect();
    let found = fix(&front);
    assert!(
        found.centre.distance_m(place_m(750.0, 0.0)) < 1.0 && found.radius_m > 1000.0,
        "{found:?}"
    );
    assert!(
        found.holds(place_m(0.0, 0.0))
            && found.holds(place_m(1500.0, 0.0))
            && !found.holds(place_m(750.0, 900.0))
    );
    let mut later = satellite(9, at(100.0), place_m(3000.0, 0.0));
    assert!(
        fix(&[&front[..], &[later.clone()]].concat()).centre.distance_m(place_m(3000.0, 0.0)) < 1.0,
        "the newest pass"
    );
    if let Source::Satellite { instrument, .. } = &mut later.source {
        *instrument = "AHI".to_owned();
    }
    assert_eq!(fix(&[&front[..], &[later]].concat()), found, "but not of a coarser instrument");
}

#[test]
fn a_pixel_is_cut_by_a_bearing_that_means_the_same_fire() {
    let fire = place_m(100.0, 150.0);
    let pixel = satellite(1, start(), place_m(0.0, 0.0));
    let whole = fix(std::slice::from_ref(&pixel));
    assert_eq!(whole.method, FixMethod::Satellite);
    assert!(
        (whole.radius_m - 375.0).abs() < 0.5,
        "the office's radius of a VIIRS pixel: {whole:?}"
    );
    let cut = fix(&[pixel.clone(), seen_from(3, (-2000.0, 150.0), fire, 0.0)]);
    let Some(Spread::Ellipse { along_m, across_m, azimuth_deg }) = cut.spread else {
        panic!("{cut:?}")
    };
    assert_eq!(cut.method, FixMethod::Satellite);
    assert!(
        along_m < 375.0 && across_m < 120.0 && (azimuth_deg - 90.0).abs() < 1.0 && cut.holds(fire),
        "{cut:?}"
    );
    let hours_ago =
        Sighting { observed_at: at(-120.0), ..seen_from(3, (-2000.0, 150.0), fire, 0.0) };
    assert_eq!(
        fix(&[pixel.clone(), hours_ago.clone()]),
        whole,
        "a plume of two hours ago may be another"
    );
    let measured = ranged(hours_ago, 1500.0, 2800.0);
    assert!(fix(&[pixel, measured]).radius_m < 375.0, "unless its range says that it is there");
}

#[test]
fn a_persons_word_is_used_as_told_when_it_says_more() {
    let bearing = seen_from(1, (-4000.0, 0.0), place_m(0.0, 0.0), 0.0);
    let pixel = satellite(2, start(), place_m(0.0, 0.0));
    for (radius_m, method) in [(100.0, FixMethod::Reported), (2000.0, FixMethod::Satellite)] {
        let call = person(3, start(), place_m(700.0, 0.0), radius_m);
        assert_eq!(fix(&[bearing.clone(), pixel.clone(), call.clone()]).method, method);
        let found = fix(&[bearing.clone(), call]);
        assert_eq!(
            (found.method, found.radius_m),
            (FixMethod::Reported, radius_m),
            "any place beats a bearing"
        );
    }
}

#[test]
fn a_camera_without_a_direction_is_somewhere_around() {
    let apex = place_m(0.0, 0.0);
    let unaimed = Sighting {
        locus: Locus::Unaimed { apex, far_m: 8000.0 },
        ..seen_from(1, (0.0, 0.0), place_m(1.0, 9.0), 0.0)
    };
    let found = fix(std::slice::from_ref(&unaimed));
    assert_eq!(
        (found.method, found.radius_m, found.is_a_place()),
        (FixMethod::Unaimed, 8000.0, false)
    );
    assert_eq!(fix(&[unaimed, seen_from(2, (-4000.0, 0.0), apex, 0.0)]).method, FixMethod::Bearing);
}

/// Realistic errors: the fire anywhere in the box and the pixel, the camera 1° off. The spread
/// holds the fire in nine of ten cases.
#[test]
fn the_doubt_holds_the_fire_nine_times_in_ten() {
    let seed = 20_261_129;
    println!("seed {seed}");
    let mut chance = Chance(seed);
    let towers = [(-5000.0, 800.0), (700.0, -4500.0), (4200.0, 3900.0)];
    let mut see = |id: u128, tower: (f64, f64)| {
        let error_deg = chance.normal() + chance.between(-1.0, 1.0);
        let range_m = f64::hypot(tower.0, tower.1) * chance.between(0.85, 1.15);
        let one = seen_from(id, tower, place_m(0.0, 0.0), error_deg);
        ranged(one, range_m * 0.8, range_m * 1.25)
    };
    let unranged = |mut one: Sighting| {
        if let Locus::Sector(Ray { near_m, far_m, range, .. }) = &mut one.locus {
            (*near_m, *far_m, *range) = (200.0, 10_000.0, RangeBasis::Unknown);
        }
        one
    };
    let mut pixel_chance = Chance(seed + 1);
    let mut pixel = || {
        let off = |chance: &mut Chance| chance.between(-187.5, 187.5) + 75.0 * chance.normal();
        satellite(9, start(), place_m(off(&mut pixel_chance), off(&mut pixel_chance)))
    };
    let fire = place_m(0.0, 0.0);
    let rounds = 1000;
    let mut held = std::collections::BTreeMap::<&str, (u32, u32)>::new();
    for _ in 0..rounds {
        let [a, b, c] = [see(1, towers[0]), see(2, towers[1]), see(3, towers[2])];
        let nights = [
            ("bearing", vec![unranged(a.clone())], FixMethod::Bearing),
            ("ranged", vec![a.clone()], FixMethod::Ranged),
            ("two ranges", vec![a.clone(), b.clone()], FixMethod::Triangulated),
            (
                "three rays",
                [&a, &b, &c].map(|it| unranged(it.clone())).to_vec(),
                FixMethod::Triangulated,
            ),
            ("pixel", vec![pixel()], FixMethod::Satellite),
            ("pixel and bearing", vec![pixel(), unranged(a)], FixMethod::Satellite),
        ];
        for (what, sightings, method) in nights {
            let found = fix(&sightings);
            if found.method == method {
                let (count, total) = held.entry(what).or_default();
                *count += u32::from(found.holds(fire));
                *total += 1;
                assert!(
                    !found.holds(fire) || found.centre.distance_m(fire) <= found.radius_m + 5.0,
                    "{found:?}"
                );
            }
        }
    }
    println!("{held:?}");
    for (what, (count, total)) in held {
        assert!(total > rounds / 4, "{what}: seen {total} times");
        assert!(f64::from(count) >= 0.9 * f64::from(total), "{what}: {count} of {total}");
    }
}

proptest! {
    #[test]
    fn the_order_in_which_evidence_comes_changes_nothing(
        seeds in proptest::collection::vec((0..4u8, -6000.0..6000.0, -6000.0..6000.0), 1..12), turn in 0usize..12,
    ) {
        let mut sightings: Vec<Sighting> = (1..)
            .zip(&seeds)
            .map(|(id, (kind, east_m, north_m))| match kind {
                0 => satellite(id, at(id as f64), place_m(east_m / 10.0, north_m / 10.0)),
                1 => person(id, at(id as f64), place_m(*east_m, *north_m), 300.0),
                2 => ranged_from(id, (*east_m, *north_m), place_m(0.0, 0.0), 0.3),
                _ => seen_from(id, (*east_m, *north_m), place_m(0.0, 0.0), 0.5),
            })
            .collect();
        let found = fix(&sightings);
        prop_assert!(found.radius_m.is_finite() && found.radius_m > 0.0);
        sightings.reverse();
        prop_assert_eq!(found, fix(&sightings));
        let middle = turn % sightings.len();
        sightings.rotate_left(middle);
        prop_assert_eq!(found, fix(&sightings));
    }
}
