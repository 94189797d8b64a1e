use super::*;
use crate::triage::kit::{at, camera, place_m, satellite, start};
use crate::triage::overlap::reach_m;
use proptest::prelude::*;

fn pixel(id: u128, minute: f64, east_m: f64, north_m: f64) -> Sighting {
    let mut sighting = satellite(id, at(minute), place_m(east_m, north_m));
    sighting.locus =
        Locus::Pixel { centre: place_m(east_m, north_m), scan_m: 375.0, track_m: 375.0 };
    sighting
}

fn by(mut sighting: Sighting, name: &str) -> Sighting {
    if let Source::Satellite { satellite, .. } = &mut sighting.source {
        *satellite = name.to_owned();
    }
    sighting
}

/// Each FIRMS row is one pixel; five adjacent ones are one fire of five pixels.
#[test]
fn five_adjacent_pixels_are_one_fire_of_five() {
    let front: Vec<Sighting> = (0..5).map(|n| pixel(n + 1, 0.0, 375.0 * n as f64, 0.0)).collect();
    let [cluster] = &clusters(&front)[..] else { panic!("one cluster") };
    assert_eq!((cluster.pixels, cluster.frp_mw), (5, Some(21.0)), "4.2 MW each");
    assert!(cluster.centre.distance_m(place_m(750.0, 0.0)) < 1.0);
    let Spread::Ellipse { along_m, across_m, azimuth_deg } = cluster.extent else {
        panic!("an ellipse")
    };
    assert!(
        (azimuth_deg - 90.0).abs() < 1.0 && along_m > 937.5 && across_m > 187.5,
        "{:?}",
        cluster.extent
    );
    assert!(heat(&front).is_strong());
    assert!(!heat(&front[..2]).is_strong());
}

#[test]
fn what_is_one_look_and_what_is_not() {
    let table = [
        ("touching corners", pixel(2, 0.0, 530.0, 530.0), 1),
        ("one pixel between them", pixel(2, 0.0, 751.0, 0.0), 2),
        ("the next minute of the list", pixel(2, 1.0, 375.0, 0.0), 1),
        ("the next orbit", pixel(2, 100.0, 375.0, 0.0), 2),
        ("the other satellite", by(pixel(2, 0.0, 375.0, 0.0), "N21"), 2),
        ("a drill", Sighting { drill: true, ..pixel(2, 0.0, 375.0, 0.0) }, 2),
        ("a camera", camera(2, start(), "tower", place_m(0.0, 0.0), 0.0, 0.8), 2),
    ];
    for (what, other, expected) in table {
        assert_eq!(group(vec![pixel(1, 0.0, 0.0, 0.0), other]).len(), expected, "{what}");
    }
}

#[test]
fn passes_of_one_window_are_one_look_and_the_next_window_is_another() {
    let table = [
        (vec![pixel(1, 0.0, 0.0, 0.0), pixel(2, 1.0, 400.0, 0.0)], 1),
        (vec![pixel(1, 0.0, 0.0, 0.0), by(pixel(2, 50.0, 0.0, 0.0), "N21")], 1),
        (vec![pixel(1, 200.0, 0.0, 0.0), pixel(2, 0.0, 0.0, 0.0)], 2),
        // A geostationary imager every ten minutes, for five hours.
        ((0..31).map(|n| pixel(n + 1, 10.0 * n as f64, 0.0, 0.0)).collect(), 2),
        (vec![camera(1, start(), "tower", place_m(0.0, 0.0), 0.0, 0.8)], 0),
    ];
    for (sightings, expected) in table {
        assert_eq!(passes(&sightings), expected);
    }
}

/// A list of the whole world in one file. The bound is that it finishes at all: pairs would be 1.9
/// billion.
#[test]
fn a_list_of_the_world_is_grouped_by_place() {
    let world: Vec<Sighting> = (0..61_500u32)
        .map(|n| {
            let (row, column) = (f64::from(n / 300), f64::from(n % 300));
            let centre = LatLon::new(row * 0.8 - 82.0, column * 1.2 - 180.0).expect("a place");
            let mut one = pixel(u128::from(n) + 1, f64::from(n % 1440), 0.0, 0.0);
            one.locus = Locus::Pixel { centre, scan_m: 375.0, track_m: 375.0 };
            one
        })
        .collect();
    assert_eq!(group(world).len(), 61_500);
}

#[test]
fn across_the_date_line_pixels_still_touch() {
    let there = |lon_deg: f64| Locus::Pixel {
        centre: LatLon::new(65.0, lon_deg).expect("ok"),
        scan_m: 400.0,
        track_m: 400.0,
    };
    let (mut west, mut east) = (pixel(1, 0.0, 0.0, 0.0), pixel(2, 0.0, 0.0, 0.0));
    (west.locus, east.locus) = (there(179.998), there(-179.998));
    assert_eq!(group(vec![west, east]).len(), 1);
}

proptest! {
    /// The extent holds the centre of every pixel; the order changes nothing; no pixel is lost.
    #[test]
    fn the_extent_holds_all_of_it(
        places in proptest::collection::vec((-2000.0..2000.0, -2000.0..2000.0), 1..20), turn in 0usize..20,
    ) {
        let mut front: Vec<Sighting> = (1..).zip(&places).map(|(id, (east_m, north_m))| pixel(id, 0.0, *east_m, *north_m)).collect();
        let found = clusters(&front);
        prop_assert_eq!(found.iter().map(|it| it.pixels).sum::<u32>(), front.len() as u32);
        for cluster in &found {
            let fix = crate::triage::geo::Fix {
                centre: cluster.centre, radius_m: 1.0, method: crate::triage::geo::FixMethod::Satellite, spread: Some(cluster.extent),
            };
            let held = front.iter().filter(|it| fix.holds(it.locus.centre())).count();
            prop_assert!(held as u32 >= cluster.pixels);
        }
        front.rotate_left(turn % places.len());
        prop_assert_eq!(clusters(&front).iter().map(|it| (it.pixels, it.centre)).collect::<Vec<_>>(),
            found.iter().map(|it| (it.pixels, it.centre)).collect::<Vec<_>>());
    }

    /// The same groups as from comparing every pair of pixels.
    #[test]
    fn as_pairs_would_say(places in proptest::collection::vec((-3000.0..3000.0, -3000.0..3000.0, 375.0..900.0), 1..40)) {
        let sightings: Vec<Sighting> = (1..).zip(&places).map(|(id, (east_m, north_m, width_m))| {
            let mut one = pixel(id, 0.0, *east_m, *north_m);
            one.locus = Locus::Pixel { centre: place_m(*east_m, *north_m), scan_m: *width_m, track_m: 375.0 };
            one
        }).collect();
        let mut group_of: Vec<usize> = (0..sightings.len()).collect();
        for _ in 0..sightings.len() {
            for a in 0..sightings.len() {
                for b in 0..sightings.len() {
                    let (one, two) = (&sightings[a].locus, &sightings[b].locus);
                    if one.centre().distance_m(two.centre()) <= reach_m(one) + reach_m(two) {
                        let least = group_of[a].min(group_of[b]);
                        (group_of[a], group_of[b]) = (least, least);
                    }
                }
            }
        }
        let mut distinct = group_of;
        distinct.sort_unstable();
        distinct.dedup();
        prop_assert_eq!(group(sightings).len(), distinct.len());
    }
}
