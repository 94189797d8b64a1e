//! Stories of places: whose ground a fix lies on, and how certain that is.

use super::*;
use crate::triage::event::{Hint, NeighbourCounty};
use crate::triage::geo::{Locus, RangeBasis, Ray, Spread};

#[test]
fn a_pixel_in_the_middle_of_a_grid_is_that_grids() {
    let place = county().place(&fix(28.075, 110.075, 375.0), &[], now());
    assert_eq!(place.name, "中镇中镇村 1号网格");
    assert_eq!(place.grid, Some("G11".into()));
    assert!(place.unique);
    assert_eq!(place.labels, []);
    assert_eq!(ids(&place.suggested)[..2], ["A11", "B11"]);
    assert!(place.suggested.len() > 2, "neighbours could go too");
}

#[test]
fn a_pixel_near_a_border_belongs_to_its_centre_and_names_the_other() {
    let place = county().place(&fix(28.075, 110.098, 375.0), &[], now());
    assert_eq!(place.grid, Some("G11".into()));
    assert!(!place.unique);
    assert_eq!(place.labels, [Label::Border { neighbours: vec!["中镇中镇村 2号网格".to_owned()] }]);
    assert_eq!(
        ids(&place.suggested)[..4],
        ["A11", "B11", "A12", "B12"],
        "the touched neighbour's come next"
    );
    let weights: Vec<(&str, f64)> =
        place.candidates.iter().map(|it| (it.grid.as_str(), it.weight)).collect();
    // The border lies 196 m east of the centre: it cuts off 20 % of the area of a disc of 375 m.
    let [("G11", first), ("G12", second)] = weights[..] else { panic!("{weights:?}") };
    assert!((first + second - 1.0).abs() < 1e-9 && (0.15..0.25).contains(&second), "{weights:?}");
}

#[test]
fn at_the_countys_edge_the_neighbouring_county_is_named() {
    let place = county().place(&fix(28.148, 110.075, 375.0), &[], now());
    assert_eq!(place.grid, Some("G21".into()));
    assert_eq!(place.labels, [Label::Border { neighbours: vec!["北县".to_owned()] }]);
    assert!(!place.unique);
    assert_eq!(
        place.neighbour,
        Some(NeighbourCounty { name: "北县".to_owned(), phone: Some("19000000000".to_owned()) })
    );
    assert_eq!(place.name, "北乡北乡村 1号网格一带");
}

#[test]
fn outside_it_is_the_neighbours_and_the_nearest_grid_is_named() {
    let place = county().place(&fix(28.17, 110.075, 375.0), &[], now());
    assert_eq!(place.grid, None);
    assert!(!place.unique);
    assert_eq!(place.labels, [Label::OutsideCounty]);
    assert_eq!(place.name, "县界外（北县方向），距北乡北乡村 1号网格约2.2公里");
    assert_eq!(
        (place.township, place.candidates, place.neighbour.map(|it| it.name)),
        (None, vec![], Some("北县".to_owned()))
    );
    assert_eq!(ids(&place.suggested)[0], "A21");
}

#[test]
fn without_grids_a_place_says_so() {
    let place = County::default().place(&fix(28.0, 110.0, 375.0), &[], now());
    assert!(place.name.contains("未导入网格"), "{}", place.name);
    assert_eq!(
        (place.grid, place.unique, place.suggested, place.labels),
        (None, false, vec![], vec![])
    );
}

/// A bearing from a mast on G10's ground, over two grids and into the next county.
fn bearing(range: RangeBasis, near_m: f64, far_m: f64) -> Fix {
    let (apex, azimuth_deg, half_width_deg) = (at(28.075, 110.01), 90.0, 2.0);
    let spread = Some(Spread::Sector(Ray {
        apex,
        azimuth_deg,
        half_width_deg,
        near_m,
        far_m,
        range,
        profile: None,
    }));
    let method = if range.is_measured() { FixMethod::Ranged } else { FixMethod::Bearing };
    Fix { centre: apex.destination(azimuth_deg, near_m), radius_m: far_m, method, spread }
}

/// A direction is reported as a direction, and every grid along it is a candidate.
#[test]
fn a_direction_without_a_range_names_no_grid_as_the_place() {
    let place = county().place(&bearing(RangeBasis::Unknown, 200.0, 8000.0), &[], now());
    assert_eq!(place.name, "中镇中镇村一带（沿方位090°，0.2–8公里）");
    let grids: Vec<&str> = place.candidates.iter().map(|it| it.grid.as_str()).collect();
    assert_eq!(grids, ["G11", "G10"], "4.1 of 7.8 km, 3.7 of 7.8 km");
    assert_eq!(ids(&place.suggested), ["A11", "B11", "A10", "B10"]);
    assert_eq!((place.unique, place.labels), (false, vec![]));

    let measured = county().place(&bearing(RangeBasis::Terrain, 5000.0, 7000.0), &[], now());
    assert_eq!((measured.grid, measured.unique), (Some("G11".into()), true));
    assert_eq!(measured.name, "中镇中镇村 1号网格");
}

/// A second direction that may be of the same fire does not narrow the uncertainty. It says which
/// grid to check first.
#[test]
fn what_crosses_a_direction_comes_first_among_its_grids() {
    let (along, apex) = (bearing(RangeBasis::Unknown, 200.0, 8000.0), at(28.03, 110.03));
    let across = |likely| {
        let azimuth_deg = apex.azimuth_deg(at(28.075, 110.03));
        let (half_width_deg, near_m, far_m, range, profile) =
            (2.0, 200.0, 8000.0, RangeBasis::Unknown, None);
        let locus =
            Locus::Sector(Ray { apex, azimuth_deg, half_width_deg, near_m, far_m, range, profile });
        vec![Hint { fix: Fix::of(locus), likely }]
    };
    let grids = |hints: &[Hint]| -> Vec<(String, f64)> {
        let place = county().place(&along, hints, now());
        place.candidates.iter().map(|it| (it.grid.to_string(), it.weight)).collect()
    };
    assert_eq!(grids(&[])[0].0, "G11");
    let hinted = grids(&across(0.9));
    assert_eq!((hinted.len(), hinted[0].0.as_str()), (2, "G10"), "and the other stays on the list");
    assert!((hinted[0].1 + hinted[1].1 - 1.0).abs() < 1e-9 && hinted[0].1 > 0.8, "{hinted:?}");
    assert_eq!(grids(&across(0.0)), grids(&[]), "what is surely another fire says nothing");
    let circle = Spread::Ellipse { along_m: 150.0, across_m: 150.0, azimuth_deg: 0.0 };
    let elsewhere = |lat: f64| {
        let fix = Fix {
            centre: at(lat, 110.03),
            radius_m: 150.0,
            method: FixMethod::Triangulated,
            spread: Some(circle),
        };
        [Hint { fix, likely: 0.95 }]
    };
    assert_eq!(grids(&elsewhere(28.075))[0].0, "G10", "a place on the line");
    assert_eq!(grids(&elsewhere(28.09)), grids(&[]), "1.7 km beside it: two fires");
    let place =
        county().place(&bearing(RangeBasis::Terrain, 3000.0, 7000.0), &elsewhere(28.075), now());
    assert!(!place.unique, "a hint makes nothing sure");
}

#[test]
fn a_camera_that_knows_no_direction_names_none() {
    let fix = Fix { method: FixMethod::Unaimed, ..fix(28.075, 110.075, 8000.0) };
    let place = county().place(&fix, &[], now());
    assert_eq!((place.grid, place.unique), (None, false));
    assert!(place.name.contains("方位不明") && place.name.contains("8公里以内"), "{}", place.name);
    assert!(place.candidates.len() > 5, "what lies within reach");
}

/// A county of real size: 29 × 25 grids of 1.4 km.
fn small_grids() -> County {
    let mut county = County { name: "小县".to_owned(), ..County::default() };
    for (row, column) in (0..25i32).flat_map(|row| (0..29i32).map(move |column| (row, column))) {
        let corners = [(0, 0), (0, 1), (1, 1), (1, 0)].map(|(up, right)| {
            at(28.0 + 0.0126 * f64::from(row + up), 110.0 + 0.0143 * f64::from(column + right))
        });
        county.grids.push(Grid {
            id: format!("G{row:02}{column:02}").as_str().into(),
            name: format!("{column}号网格"),
            village: format!("{row}村"),
            township: format!("{}乡", row / 5),
            area: Area::from_rings(vec![corners.to_vec()]).expect("a ring"),
        });
    }
    county
}

/// At real grid sizes a pixel rarely lies in one grid. Every grid it touches is a candidate, and
/// the likeliest is right in most cases. The fires lie anywhere in the pixel, which is 75 m off.
#[test]
fn a_pixel_among_small_grids_goes_to_the_likeliest() {
    let (county, seed) = (small_grids(), 20_261_129);
    println!("seed {seed}");
    let mut chance = crate::triage::kit::Chance(seed);
    let (mut right, mut held, mut unique, rounds) = (0, 0, 0, 400);
    for _ in 0..rounds {
        let fire = at(chance.between(28.02, 28.29), chance.between(110.02, 110.39));
        let mut off_m = || chance.between(-187.5, 187.5) + 75.0 * chance.normal();
        let pixel = fire.destination(90.0, off_m()).destination(0.0, off_m());
        let place = county.place(&Fix { centre: pixel, ..fix(28.0, 110.0, 375.0) }, &[], now());
        let sum: f64 = place.candidates.iter().map(|it| it.weight).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{sum}");
        assert_eq!(place.candidates.first().map(|it| &it.grid), place.grid.as_ref());
        let own = county.grids.iter().find(|grid| grid.area.contains(fire)).map(|grid| &grid.id);
        right += usize::from(place.grid.as_ref() == own);
        held += usize::from(place.candidates.iter().any(|it| Some(&it.grid) == own));
        unique += usize::from(place.unique);
    }
    println!("of {rounds}: likeliest right {right}, among the candidates {held}, unique {unique}");
    assert!(right * 100 >= rounds * 80 && held * 100 >= rounds * 97, "{right} {held}");
    assert!((rounds / 5..rounds).contains(&unique), "{unique}");
}

/// Item 9: evidence far outside the county does not reach the desk.
#[test]
fn near_is_within_a_margin_of_the_border() {
    let county = county();
    let without_outline = County { outline: None, ..county.clone() };
    let pixel = |lat, lon| Locus::Pixel { centre: at(lat, lon), scan_m: 375.0, track_m: 375.0 };
    // The northern border lies at 28.15°; a hundredth of a degree is 1.1 km.
    let table = [
        (28.075, 110.075, true),
        (28.19, 110.075, true),
        (28.21, 110.075, false),
        (28.075, 112.0, false),
    ];
    for (lat, lon, expected) in table {
        assert_eq!(county.near(&pixel(lat, lon), 5000.0), expected, "{lat} {lon}");
        assert_eq!(without_outline.near(&pixel(lat, lon), 5000.0), expected, "{lat} {lon}");
    }
    assert!(
        County::default().near(&pixel(-30.0, 20.0), 5000.0),
        "an empty register keeps nothing out"
    );
    let world = (0..61_500).filter(|n| {
        county.near(&pixel(f64::from(n / 350) - 88.0, f64::from(n % 350) - 175.0), 5000.0)
    });
    assert_eq!(world.count(), 1, "28° N 110° E");
}
