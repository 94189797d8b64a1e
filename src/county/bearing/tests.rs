use super::super::camera::tests::camera;
use super::*;
use crate::triage::geo::{LatLon, Ray};
use crate::triage::terrain::Raster;
use std::sync::Arc;

const HD: f64 = 16.0 / 9.0;

fn sector(
    entry: &CameraEntry,
    bbox: [f32; 4],
    ground: Ground<'_>,
) -> (f64, f64, f64, f64, RangeBasis) {
    let bbox = bbox.into();
    match entry.locus(SmokeInView { bbox: &bbox, aspect: HD, has_moved: false }, ground) {
        Locus::Sector(Ray { azimuth_deg, half_width_deg, near_m, far_m, range, .. }) => {
            (azimuth_deg, half_width_deg, near_m, far_m, range)
        }
        other => panic!("a camera that knows where it looks sees a sector, not {other:?}"),
    }
}

/// A mast of 230 m above a plain.
fn high() -> CameraEntry {
    CameraEntry { height_m: Some(230.0), azimuth_deg: Some(0.0), tilt_deg: Some(0.0), ..camera() }
}

#[test]
fn pixels_become_angles_through_a_lens() {
    // 60° wide: the picture's edge is 30° off centre, but half way there it is 16.1°, not 15°.
    for (x, expected_deg) in
        [(0.5f32, 0.0f64), (1.0, 30.0), (0.75, 16.102), (0.25, -16.102), (0.9, 24.791)]
    {
        let entry = CameraEntry { tilt_deg: Some(0.0), azimuth_deg: Some(350.0), ..camera() };
        let (azimuth_deg, half_width_deg, near_m, far_m, range) =
            sector(&entry, [x - 0.005, 0.4, 0.01, 0.1], Ground::Unknown);
        let expected = normalise_deg(350.0 + expected_deg);
        assert!((azimuth_deg - expected).abs() < 0.01, "{x}: {azimuth_deg}, not {expected}");
        assert!((1.0..3.0).contains(&half_width_deg), "{half_width_deg}");
        assert_eq!((near_m, far_m, range), (200.0, 8000.0, RangeBasis::Unknown));
    }
    let panorama = Lens { field_deg: 180.0, aspect: 4.0, tilt_deg: 0.0 };
    let corner = panorama.towards(0.75, 1.0);
    assert_eq!(
        (corner.azimuth_deg, corner.elevation_deg),
        (45.0, -22.5),
        "every pixel is worth the same"
    );
}

#[test]
fn tilt_and_the_shape_of_the_picture_give_the_elevation() {
    let of = |aspect, tilt_deg, x, y| {
        Lens { field_deg: 60.0, aspect, tilt_deg }.towards(x, y).elevation_deg
    };
    let lower_deg = (f64::to_radians(30.0).tan() / HD).atan().to_degrees();
    for (found, expected) in [
        (of(HD, 0.0, 0.5, 0.5), 0.0),
        (of(HD, -3.0, 0.5, 0.5), -3.0),
        (of(HD, 0.0, 0.5, 1.0), -lower_deg),
        (of(HD, -3.0, 0.5, 1.0), -lower_deg - 3.0),
        (of(4.0 / 3.0, 0.0, 0.5, 0.0), (f64::to_radians(30.0).tan() * 0.75).atan().to_degrees()),
    ] {
        assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
    }
    assert!(
        of(HD, -3.0, 1.0, 0.5) > -3.0,
        "a level camera's horizon is straight, a tilted one's rows are not"
    );
}

#[test]
fn errors_widen_the_bearing() {
    let width = |error_deg, x: f32| {
        let entry = CameraEntry { azimuth_error_deg: error_deg, ..camera() };
        sector(&entry, [x, 0.4, 0.0, 0.1], Ground::Unknown).1
    };
    assert!((width(1.0, 0.5) - 1.0).abs() < 0.01, "in the middle the field of view adds nothing");
    assert!((width(0.2, 0.5) - 0.2).abs() < 0.01, "a surveyed azimuth is worth its survey");
    assert!(width(1.0, 1.0) > 1.5, "at the edge a field of view of 60° that is 57° is off by 1.5°");
}

#[test]
fn without_ground_or_tilt_or_height_the_range_is_unknown() {
    let bbox = [0.49, 0.5, 0.02, 0.1];
    let unknown = |entry: &CameraEntry, ground: Ground<'_>| {
        let (_, _, near_m, far_m, range) = sector(entry, bbox, ground);
        (near_m, far_m, range) == (200.0, 8000.0, RangeBasis::Unknown)
    };
    assert!(unknown(&high(), Ground::Unknown));
    assert!(unknown(&CameraEntry { tilt_deg: None, ..high() }, Ground::Flat));
    assert!(unknown(&CameraEntry { height_m: None, ..high() }, Ground::Flat));
    assert!(unknown(&CameraEntry { tilt_deg: Some(20.0), ..high() }, Ground::Flat), "into the sky");
    assert!(!unknown(&high(), Ground::Flat));
    let (.., range) = sector(&high(), [0.49, 0.7, 0.02, 0.3], Ground::Flat);
    assert_eq!(range, RangeBasis::Unknown, "cut off by the picture's lower edge");
}

#[test]
fn flat_ground_measures_where_the_office_says_that_it_is_flat() {
    let lens = Lens { field_deg: 60.0, aspect: HD, tilt_deg: 0.0 };
    for y in [0.6f32, 0.65, 0.7] {
        let true_m = 230.0 / (-lens.towards(0.5, y).elevation_deg).to_radians().tan();
        let (_, _, near_m, far_m, range) =
            sector(&high(), [0.49, y - 0.05, 0.02, 0.05], Ground::Flat);
        assert_eq!(range, RangeBasis::FlatGround);
        assert!(
            near_m < true_m && true_m < far_m && far_m < 2.0 * near_m,
            "{near_m}..{far_m} holds {true_m}"
        );
    }
}

#[test]
fn a_picture_that_may_be_squeezed_says_less() {
    let range = |aspect| {
        let bbox = [0.49, 0.75, 0.02, 0.05].into();
        match high().locus(SmokeInView { bbox: &bbox, aspect, has_moved: false }, Ground::Flat) {
            Locus::Sector(Ray { near_m, far_m, .. }) => (near_m, far_m),
            other => panic!("{other:?}"),
        }
    };
    let (near_m, far_m) = range(704.0 / 576.0);
    for honest in [4.0 / 3.0, HD] {
        let (near, far) = range(honest);
        assert!(near_m <= near && far <= far_m, "{near_m}..{far_m} holds {near}..{far}");
    }
}

#[test]
fn who_does_not_know_where_it_looks_says_so() {
    let bbox = [0.4, 0.5, 0.1, 0.1].into();
    let look = |has_moved| SmokeInView { bbox: &bbox, aspect: HD, has_moved };
    let unaimed = Locus::Unaimed { apex: camera().at, far_m: 8000.0 };
    let unsurveyed = CameraEntry { azimuth_deg: None, ..camera() };
    assert_eq!(unsurveyed.locus(look(false), Ground::Flat), unaimed);
    assert_eq!(unsurveyed.view(), unaimed);
    assert_eq!(camera().locus(look(true), Ground::Flat), unaimed, "it has turned");

    let south = CameraEntry { azimuth_deg: Some(180.0), pose: "south".into(), ..camera() };
    let county = County { cameras: vec![camera(), south], ..County::default() };
    let towards = |pose: &str| match county.bearing(&"c3".into(), &pose.into(), look(false)) {
        Some(Locus::Sector(Ray { azimuth_deg, .. })) => Some(azimuth_deg),
        Some(Locus::Unaimed { .. }) => None,
        other => panic!("{other:?}"),
    };
    let (north, south) = (towards("default").expect("a row"), towards("south").expect("a row"));
    assert!(
        (crate::triage::geo::turn_deg(north, south) - 170.0).abs() < 0.1,
        "each pose has its own row"
    );
    assert_eq!(towards("west"), None, "no row, no bearing");
    assert_eq!(county.bearing(&"nobody".into(), &"default".into(), look(false)), None);
}

#[test]
fn a_terrain_knows_more_than_the_word_flat() {
    let first = LatLon::new(29.0, 110.0).expect("a place");
    let raster =
        Raster::new(first, (0.01, 0.01), (101, 101), std::iter::repeat_n(100.0, 101 * 101))
            .expect("a raster");
    let mut county = County { is_flat: true, cameras: vec![high()], ..County::default() };
    assert!(matches!(county.ground(), Ground::Flat));
    county.terrain = Terrain::new(vec![raster]).map(Arc::new);
    assert!(matches!(county.ground(), Ground::Terrain(_)));
    let (_, _, near_m, far_m, range) = sector(&high(), [0.49, 0.6, 0.02, 0.05], county.ground());
    let lens = Lens { field_deg: 60.0, aspect: HD, tilt_deg: 0.0 };
    let true_m = 230.0 / (-lens.towards(0.5, 0.65).elevation_deg).to_radians().tan();
    assert!(near_m < true_m && true_m < far_m, "{near_m}..{far_m} holds {true_m}");
    assert_eq!(range, RangeBasis::Terrain);
}
