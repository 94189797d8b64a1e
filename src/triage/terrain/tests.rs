use super::*;
use proptest::prelude::*;

/// 3" samples, about 90 m: 24 km to the east and west of this mast, 28 km to the north and south.
const STEP_DEG: f64 = 3.0 / 3600.0;
const SIZE: usize = 601;

fn mast() -> LatLon {
    LatLon::new(28.5, 110.4).expect("a place")
}

/// Heights from metres east and north of the mast.
fn terrain(height_m: impl Fn(f64, f64) -> f64) -> Terrain {
    let half = (SIZE / 2) as f64;
    let first = LatLon::new(28.5 + half * STEP_DEG, 110.4 - half * STEP_DEG).expect("a place");
    let north_m = STEP_DEG.to_radians() * EARTH_RADIUS_M;
    let east_m = north_m * 28.5f64.to_radians().cos();
    let samples = (0..SIZE * SIZE).map(|index| {
        let (row, column) = ((index / SIZE) as f64, (index % SIZE) as f64);
        height_m((column - half) * east_m, (half - row) * north_m) as f32
    });
    let raster = Raster::new(first, (STEP_DEG, STEP_DEG), (SIZE, SIZE), samples).expect("a raster");
    Terrain::new(vec![raster]).expect("one raster")
}

fn sight(azimuth_deg: f64, elevation_deg: f64, range_m: f64) -> LineOfSight {
    let (half_width_deg, elevation_error_deg) = (1.5, 0.6);
    let top_deg = elevation_deg + 1.0;
    LineOfSight {
        azimuth_deg,
        half_width_deg,
        elevation_deg,
        elevation_error_deg,
        top_deg,
        height_m: 30.0,
        range_m,
    }
}

/// The two ranges between which the fire is, if measured.
fn ranged(land: &Terrain, mast: LatLon, sight: &LineOfSight) -> Option<[f64; 2]> {
    land.range(mast, sight)?.measured
}

/// The elevation angle at which a camera sees a height at a range.
fn seen_deg(eye_m: f64, height_m: f64, range_m: f64) -> f64 {
    ((height_m - eye_m - drop_m(range_m)) / range_m).atan().to_degrees()
}

#[test]
fn over_a_plane_the_ray_goes_as_far_as_trigonometry_says() {
    let plane = terrain(|_, _| 100.0);
    for (eye_m, elevation_deg) in
        [(130.0, -1.0), (130.0, -0.5), (400.0, -3.0), (400.0, -45.0), (1000.0, -5.0)]
    {
        let slope = f64::tan(f64::to_radians(-elevation_deg));
        // h + c r² = r tan e
        let (h, c) = (eye_m - 100.0, (1.0 - 0.13) / (2.0 * EARTH_RADIUS_M));
        let expected = 2.0 * h / (slope + (slope * slope - 4.0 * c * h).sqrt());
        let cast = plane.cast(mast(), eye_m, 67.0, elevation_deg).expect("it meets the plane");
        assert!(
            (cast - expected).abs() < 0.5 + expected * 1e-3,
            "{elevation_deg}°: {cast} m, not {expected} m"
        );
    }
    assert_eq!(plane.cast(mast(), 130.0, 67.0, 1.0), None, "into the sky");
    assert_eq!(plane.cast(mast(), 90.0, 67.0, -1.0), None, "the eye is under the ground");
    let nowhere = LatLon::new(30.0, 112.0).expect("a place");
    assert_eq!(plane.cast(nowhere, 130.0, 0.0, -5.0), None, "no elevations there");
}

#[test]
fn curvature_and_refraction_are_worth_what_surveyors_say() {
    assert!(
        (drop_m(10_000.0) - 6.83).abs() < 0.01,
        "7.85 m of curvature less 1.02 m of refraction"
    );
}

#[test]
fn a_ridge_stops_the_ray_at_its_face() {
    // A wall of 300 m from 5,000 to 5,600 m north, 100 m of slope to each side.
    let ridge = |_: f64, north: f64| {
        (300.0 - (north - 5300.0).abs().max(300.0) * 3.0 + 900.0).clamp(0.0, 300.0)
    };
    let land = terrain(ridge);
    let hit =
        land.cast(mast(), 100.0, 0.0, seen_deg(100.0, 200.0, 5000.0)).expect("it meets the ridge");
    assert!((4850.0..5100.0).contains(&hit), "{hit}");
    let over = land.cast(mast(), 100.0, 0.0, seen_deg(100.0, 400.0, 5000.0));
    assert_eq!(over, None, "over the ridge it leaves the ground");
    let under = land.cast(mast(), 100.0, 0.0, -2.0).expect("it meets the valley before the ridge");
    assert!((2700.0..3000.0).contains(&under), "{under}");
}

#[test]
fn a_gap_of_one_step_between_tiles_is_bridged_and_a_hole_is_not() {
    let tile = |north: f64, west: f64, height: f32| {
        let first = LatLon::new(north, west).expect("a place");
        Raster::new(first, (0.1, 0.1), (10, 10), std::iter::repeat_n(height, 100))
            .expect("a raster")
    };
    // The last sample of the first is at 110.9, the first of the second at 111.0.
    let land = Terrain::new(vec![tile(29.0, 110.0, 100.0), tile(29.0, 111.0, 200.0)]).expect("two");
    let at = |lon: f64| land.elevation_m(LatLon::new(28.55, lon).expect("a place"));
    assert_eq!(
        (at(110.5), at(110.93), at(111.0), at(111.85)),
        (Some(100.0), Some(100.0), Some(200.0), Some(200.0))
    );
    assert_eq!((at(109.85), at(112.05)), (None, None));

    let holed = (0..25).map(|index| if index == 12 { f32::NAN } else { 50.0 });
    let raster = Raster::new(LatLon::new(28.4, 110.0).expect("a place"), (0.1, 0.1), (5, 5), holed);
    let land = Terrain::new(vec![raster.expect("a raster")]).expect("one");
    let at = |lat: f64, lon: f64| land.elevation_m(LatLon::new(lat, lon).expect("a place"));
    assert_eq!(at(28.2, 110.2), None, "on the hole");
    assert_eq!(at(28.13, 110.13), Some(50.0), "three of four are known");
}

#[test]
fn what_is_no_raster_is_refused() {
    let at = |lat: f64| LatLon::new(lat, 110.0).expect("a place");
    let of = |lat, step, size: (usize, usize), count| {
        Raster::new(at(lat), step, size, std::iter::repeat_n(1.0, count)).is_some()
    };
    assert!(of(28.0, (0.1, 0.1), (2, 2), 4));
    assert!(!of(28.0, (0.1, 0.1), (2, 2), 3), "a value is missing");
    assert!(!of(28.0, (0.1, 0.1), (1, 4), 4), "one row");
    assert!(!of(28.0, (0.0, 0.1), (2, 2), 4) && !of(28.0, (f64::NAN, 0.1), (2, 2), 4));
    assert!(!of(-89.95, (0.1, 0.1), (2, 2), 4), "beyond the pole");
    assert_eq!(Terrain::new(vec![]), None);
}

#[test]
fn a_fire_in_the_valley_is_ranged_to_a_few_hundred_metres() {
    let land = terrain(|_, north| (400.0 - north.max(0.0) / 2.0).max(100.0));
    let mast_m = 430.0;
    let (fire_m, ground_m) = (3000.0, 100.0);
    let [near_m, far_m] =
        ranged(&land, mast(), &sight(0.0, seen_deg(mast_m, ground_m, fire_m), 8000.0))
            .expect("ranged");
    assert!(near_m < fire_m && fire_m < far_m && far_m - near_m < 1200.0, "{near_m} {far_m}");
}

#[test]
fn smoke_over_a_ridge_may_rise_behind_it_as_far_as_a_plume_shows() {
    // A ridge of 300 m at 4 km; behind it the ground falls by 20 m per 100 m, and is level from 4.5
    // km on.
    let land = terrain(|_, north| {
        if north < 3500.0 { 0.0 } else { (300.0 - (north - 4000.0).abs() / 5.0).max(200.0) }
    });
    let edge_deg = seen_deg(30.0, 300.0, 4000.0);
    // Half a degree of smoke over the ridge: 35 m at 4 km.
    let low = LineOfSight { top_deg: edge_deg + 0.5, ..sight(0.0, edge_deg, 8000.0) };
    let [near_m, far_m] = ranged(&land, mast(), &low).expect("ranged");
    assert!((3300.0..=4000.0).contains(&near_m), "at the ridge: {near_m}");
    assert!((4600.0..12_000.0).contains(&far_m), "a high plume shows far behind it: {far_m}");
    let behind = land.range(mast(), &low).expect("known").profile;
    assert!(behind.at_m(0.5) < 6000.0, "and the less of it the farther: {behind:?}");
}

#[test]
fn what_says_nothing_is_unknown() {
    let plane = terrain(|_, _| 0.0);
    let of = |elevation_deg| ranged(&plane, mast(), &sight(0.0, elevation_deg, 8000.0));
    assert_eq!(of(5.0), None, "sky");
    assert_eq!(of(-0.2), None, "grazing: the horizon is within the error");
    assert_eq!(of(-20.0), None, "nearer than forest smoke is reported");
    let high = LineOfSight { height_m: 100.0, ..sight(0.0, -4.0, 8000.0) };
    assert!(ranged(&plane, mast(), &high).is_some());
    let beyond = LatLon::new(30.0, 112.0).expect("a place");
    assert_eq!(plane.range(beyond, &sight(0.0, -2.5, 8000.0)), None, "no elevations there");
    let edge = mast().destination(0.0, 23_000.0);
    assert_eq!(
        plane.range(edge, &LineOfSight { height_m: 300.0, ..sight(0.0, -3.0, 8000.0) }),
        None,
        "it leaves the map"
    );
}

#[test]
fn flat_ground_gives_what_a_terrain_that_is_flat_gives() {
    let plane = terrain(|_, _| 12.0);
    for elevation_deg in [-3.0, -4.0, -6.0] {
        let sight = LineOfSight { height_m: 150.0, ..sight(200.0, elevation_deg, 5000.0) };
        let flat = flat_range(&sight).and_then(|it| it.measured).expect("near");
        let land = ranged(&plane, mast(), &sight).expect("near");
        let true_m = 150.0 / f64::tan(f64::to_radians(-elevation_deg));
        assert!(flat[0] < true_m && true_m < flat[1], "{flat:?} holds {true_m}");
        assert!(land[0] < true_m && true_m < land[1], "{land:?} holds {true_m}");
        assert!(flat[1] <= land[1] + 100.0, "it knows the ground better: {flat:?}, {land:?}");
    }
}

/// Hills of several sizes from a seed.
fn hills(seed: u32) -> impl Fn(f64, f64) -> f64 {
    let phase = |n: u32| {
        f64::from(seed.wrapping_mul(2_654_435_761).rotate_left(n * 5) % 1000) / 1000.0
            * std::f64::consts::TAU
    };
    let waves: Vec<_> = [(9000.0, 220.0), (4100.0, 130.0), (1700.0, 60.0), (700.0, 15.0)]
        .into_iter()
        .enumerate()
        .map(|(n, (length, height))| (length, height, phase(n as u32), phase(n as u32 + 7)))
        .collect();
    move |east, north| {
        let wave = |&(length, height, along, across): &(f64, f64, f64, f64)| {
            let turn = std::f64::consts::TAU / length;
            height * ((east * turn + along).sin() + (north * turn * 0.8 + across).cos())
        };
        600.0 + waves.iter().map(wave).sum::<f64>()
    }
}

/// Reproducible random numbers: the sum of twelve is nearly normal.
fn normal(state: &mut u64) -> f64 {
    (0..12).map(|_| uniform(state)).sum::<f64>() - 6.0
}

fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1u64 << 53) as f64
}

#[test]
fn nine_times_in_ten_the_interval_holds_the_fire() {
    let (mut state, mut known, mut held, mut looks) = (7u64, 0u32, 0u32, 0u32);
    for seed in 0..12 {
        let height = hills(seed);
        let land = terrain(&height);
        let eye_m = land.elevation_m(mast()).expect("known") + 30.0;
        while looks < (seed + 1) * 60 {
            let (azimuth_deg, fire_m) =
                (uniform(&mut state) * 360.0, 400.0 + uniform(&mut state) * 7600.0);
            let plume_m = uniform(&mut state) * 60.0;
            let seen = |range_m: f64| {
                let ground_m =
                    land.elevation_m(mast().destination(azimuth_deg, range_m)).expect("known");
                (seen_deg(eye_m, ground_m, range_m), seen_deg(eye_m, ground_m + plume_m, range_m))
            };
            let skyline = (0..)
                .map(|step| 200.0 + f64::from(step) * 25.0)
                .take_while(|range| *range <= fire_m);
            let edge_deg = skyline.map(|range| seen(range).0).fold(seen(fire_m).0, f64::max);
            if seen(fire_m).1 <= edge_deg {
                continue; // Nobody sees this one.
            }
            looks += 1;
            let (off_deg, aside_deg) =
                (normal(&mut state) * 0.6 / 1.645, normal(&mut state) * 1.5 / 1.645);
            let top_deg = seen(fire_m).1 + off_deg;
            let look = LineOfSight {
                top_deg,
                ..sight(azimuth_deg + aside_deg, edge_deg + off_deg, 8000.0)
            };
            if let Some([near_m, far_m]) = ranged(&land, mast(), &look) {
                known += 1;
                held += u32::from((near_m..=far_m).contains(&fire_m));
            }
        }
    }
    assert!(known * 3 > looks, "{known} of {looks} are ranged");
    assert!(held * 100 >= known * 90, "{held} of {known} hold the fire");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nothing_makes_it_panic_and_what_it_says_is_in_order(
        elevation_deg in -90.0..90.0f64,
        azimuth_deg in -400.0..800.0f64,
        error_deg in 0.0..20.0f64,
        top_deg in -90.0..90.0f64,
        half_width_deg in 0.0..180.0f64,
        height_m in 0.0..500.0f64,
        range_m in 0.0..60_000.0f64,
    ) {
        let land = small();
        let elevation_error_deg = error_deg;
        let sight =
            LineOfSight { azimuth_deg, half_width_deg, elevation_deg, elevation_error_deg, top_deg, height_m, range_m };
        for range in [land.range(mast(), &sight), flat_range(&sight)].into_iter().flatten() {
            prop_assert!(range.profile.at_m(0.0) <= range.profile.at_m(1.0));
            let Some([near_m, far_m]) = range.measured else { continue };
            prop_assert!(near_m > 0.0 && near_m < far_m && far_m <= 3.0 * near_m);
        }
        if let Some(cast) = land.cast(mast(), 500.0 + height_m, azimuth_deg, elevation_deg) {
            prop_assert!(cast > 0.0 && cast <= SIGHT_MAX_M);
        }
    }

    #[test]
    fn a_cast_ends_on_the_ground(azimuth_deg in 0.0..360.0f64, elevation_deg in -30.0..-1.0f64) {
        let land = small();
        let eye_m = land.elevation_m(mast()).expect("known") + 30.0;
        if let Some(range_m) = land.cast(mast(), eye_m, azimuth_deg, elevation_deg) {
            let ground_m = land.elevation_m(mast().destination(azimuth_deg, range_m)).expect("known");
            let error_deg = seen_deg(eye_m, ground_m, range_m) - elevation_deg;
            prop_assert!(error_deg.abs() < 0.02, "{error_deg}° beside the ray");
        }
    }

    #[test]
    fn what_is_the_same_all_around_is_seen_the_same_all_around(azimuth_deg in 0.0..360.0f64) {
        // A cone: every direction is alike, but for the raster.
        let cone = cone();
        let here = cone.cast(mast(), 830.0, 0.0, -8.0).expect("it meets the cone's foot");
        let there = cone.cast(mast(), 830.0, azimuth_deg, -8.0).expect("it meets the cone's foot");
        prop_assert!((here - there).abs() < here * 0.02, "{here} m north, {there} m towards \
            {azimuth_deg}");
    }
}

fn small() -> &'static Terrain {
    static LAND: std::sync::LazyLock<Terrain> = std::sync::LazyLock::new(|| terrain(hills(3)));
    &LAND
}

fn cone() -> &'static Terrain {
    static LAND: std::sync::LazyLock<Terrain> = std::sync::LazyLock::new(|| {
        terrain(|east, north| (800.0 - east.hypot(north) / 4.0).max(0.0))
    });
    &LAND
}
