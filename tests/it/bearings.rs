//! Stories of what one camera's alarm says about the place of the fire, and what it leaves open.

use huoyan::app::evidence::{self, Eye, Provenance};
use huoyan::clock::Clock;
use huoyan::county::{County, Registers, SETTLED_AFTER};
use huoyan::triage::confirm::Confirmed;
use huoyan::triage::detection::{Class, ModelVersion};
use huoyan::triage::geo::{EARTH_RADIUS_M, LatLon, Locus, RangeBasis, Ray, turn_deg};
use huoyan::triage::id::{CameraId, PictureId, PoseId, SightingId};
use huoyan::triage::opinion::Opinion;
use huoyan::triage::sighting::{Label, Sighting, Source};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

const HD: f64 = 16.0 / 9.0;
const FIELD_DEG: f64 = 60.0;
const MAST_M: f64 = 30.0;

/// The mast stands at the centre of the tile N28E110; its camera looks north and level.
fn mast() -> LatLon {
    LatLon::new(28.5, 110.5).expect("a place")
}

/// A hill of 400 m under the mast, falling to a valley floor at 100 m.
fn ground_m(at: LatLon) -> f64 {
    (400.0 - mast().distance_m(at) / 2.0).max(100.0)
}

fn office(data: &Path) -> Registers {
    let registers = data.join("registers");
    fs::create_dir_all(&registers).expect("a folder");
    let sheet = "编号,名称,经度,纬度,高度,方位角,视场角,俯仰角,视距,预置位,屏蔽区,地址\n\
                 C1,鹰嘴岩塔,110.5,28.5,30,0,60,0,8000,default,砖厂:0.4,0.4,0.3,0.3,rtsp://10.0.0.1/2\n";
    // The mask holds commas.
    let sheet = sheet.replace("砖厂:0.4,0.4,0.3,0.3", "\"砖厂:0.4,0.4,0.3,0.3\"");
    fs::write(registers.join("cameras.csv"), sheet).expect("a register");
    Registers::load(&registers, Clock::System.now()).expect("the registers")
}

/// Whether a file was changed, and is read once it has stayed as it is.
fn follow(registers: &Registers) -> bool {
    let now = Clock::System.now();
    let reload = |at| registers.reload_if_changed(at).expect("it is read");
    !reload(now) && reload(now + SETTLED_AFTER)
}

/// A 3" SRTM tile with the hill on it.
fn write_terrain(data: &Path) {
    fs::create_dir_all(data.join("terrain")).expect("a folder");
    let place = |index: usize| {
        LatLon::new(29.0 - (index / 1201) as f64 / 1200.0, 110.0 + (index % 1201) as f64 / 1200.0)
            .expect("a place")
    };
    let tile: Vec<u8> = (0..1201 * 1201)
        .flat_map(|index| (ground_m(place(index)).round() as i16).to_be_bytes())
        .collect();
    fs::write(data.join("terrain/N28E110.hgt"), tile).expect("a tile");
}

/// The box of smoke whose lower edge is a fire this far north of the mast.
fn smoke(fire_m: f64) -> [f32; 4] {
    let fire = mast().destination(0.0, fire_m);
    let curvature_m = fire_m * fire_m * 0.87 / (2.0 * EARTH_RADIUS_M);
    let down = (ground_m(mast()) + MAST_M + curvature_m - ground_m(fire)) / fire_m;
    let half_picture = f64::to_radians(FIELD_DEG / 2.0).tan() / HD;
    let bottom = 0.5 + down / half_picture / 2.0;
    [0.49, (bottom - 0.05) as f32, 0.02, 0.05]
}

fn alarm(county: &County, pose: &str, bbox: [f32; 4], has_moved: bool) -> Sighting {
    let now = "2026-11-21T06:00:00Z".parse().expect("a time");
    let seen = Confirmed {
        class: Class::Smoke,
        bbox: bbox.into(),
        best_at: now,
        confidence: 0.8,
        first_at: now,
        confirmed_at: now,
        evidence: 4.0,
        rise: Vec::new(),
    };
    let opinion = Opinion::Given { score: 0.21, agrees: false, version: "1".to_owned() };
    let of = Provenance {
        model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.2.0".to_owned() },
        thresholds_version: 1,
        opinion: opinion.clone(),
        picture: Some(PictureId::of(Uuid::from_u128(2), b"")),
        drill: false,
    };
    let (camera, pose): (CameraId, PoseId) = ("C1".into(), pose.into());
    let eye = Eye { camera: &camera, pose: &pose, aspect: HD, has_moved };
    let id = SightingId(Uuid::from_u128(1));
    let sighting = evidence::from_camera(id, &seen, &eye, county, of).expect("it is registered");
    assert_eq!(sighting.opinion(), Some(&opinion), "what the second network said goes with it");
    sighting
}

fn names_no_direction(alarm: &Sighting) {
    assert_eq!(alarm.locus, Locus::Unaimed { apex: mast(), far_m: 8000.0 });
    assert_eq!(
        alarm.labels,
        [Label::NoBearing { camera: "C1".into() }],
        "it says so, and no mask is laid over it"
    );
}

#[test]
fn a_camera_that_has_turned_names_no_direction() {
    let data = tempfile::tempdir().expect("a folder");
    write_terrain(data.path());
    let county = office(data.path()).current();
    names_no_direction(&alarm(&county, "default", [0.45, 0.45, 0.1, 0.1], true));
    let before = alarm(&county, "default", [0.45, 0.45, 0.1, 0.1], false);
    assert!(matches!(before.locus, Locus::Sector(_)));
    assert_eq!(before.labels, [Label::Masked { name: "砖厂".to_owned() }]);
}

#[test]
fn a_second_pose_without_a_row_names_no_direction() {
    let data = tempfile::tempdir().expect("a folder");
    let county = office(data.path()).current();
    let alarm = alarm(&county, "preset-2", [0.45, 0.45, 0.1, 0.1], false);
    names_no_direction(&alarm);
    assert!(
        matches!(alarm.source, Source::Camera { pose, .. } if pose == "preset-2".into()),
        "it keeps its own pose"
    );
}

#[test]
fn with_a_terrain_the_range_is_measured_and_the_interval_holds_the_fire() {
    let data = tempfile::tempdir().expect("a folder");
    write_terrain(data.path());
    let county = office(data.path()).current();
    assert_eq!(county.problems, []);
    for fire_m in [1500.0, 2500.0, 4000.0] {
        let alarm = alarm(&county, "default", smoke(fire_m), false);
        let Locus::Sector(Ray { azimuth_deg, near_m, far_m, range, .. }) = alarm.locus else {
            panic!("{:?}", alarm.locus)
        };
        assert_eq!(range, RangeBasis::Terrain);
        assert!(turn_deg(azimuth_deg, 0.0) < 0.01, "{azimuth_deg}");
        assert!(near_m < fire_m && fire_m < far_m, "{near_m}..{far_m} holds {fire_m}");
        assert!(far_m - near_m < 0.6 * fire_m, "{near_m}..{far_m} is worth something at {fire_m}");
    }
}

#[test]
fn without_terrain_the_range_is_unknown() {
    let data = tempfile::tempdir().expect("a folder");
    let registers = office(data.path());
    let unknown = |county: &County| match alarm(county, "default", smoke(2500.0), false).locus {
        Locus::Sector(Ray { near_m, far_m, range, .. }) => {
            (near_m, far_m, range) == (200.0, 8000.0, RangeBasis::Unknown)
        }
        other => panic!("{other:?}"),
    };
    assert!(unknown(&registers.current()));

    // The office copies a tile into the folder: the next alarm is measured, without a restart.
    write_terrain(data.path());
    assert!(follow(&registers));
    let with_terrain = registers.current();
    assert!(!unknown(&with_terrain));
    assert!(!follow(&registers));

    // Another register changes: the tiles are not read again.
    fs::write(data.path().join("registers/county.toml"), "name = \"云溪县\"\n")
        .expect("county.toml");
    assert!(follow(&registers));
    let kept = registers.current().terrain.clone().zip(with_terrain.terrain.clone());
    assert!(kept.is_some_and(|(now, before)| Arc::ptr_eq(&now, &before)));
}

#[test]
fn on_mountains_nobody_reckons_as_if_they_were_flat() {
    let data = tempfile::tempdir().expect("a folder");
    let registers = office(data.path());
    let basis =
        |county: &County| match alarm(county, "default", [0.49, 0.55, 0.02, 0.05], false).locus {
            Locus::Sector(Ray { range, .. }) => range,
            other => panic!("{other:?}"),
        };
    assert_eq!(basis(&registers.current()), RangeBasis::Unknown, "the word is not said");
    fs::write(data.path().join("registers/county.toml"), "name = \"平原县\"\nground = \"flat\"\n")
        .expect("county.toml");
    assert!(follow(&registers));
    assert_eq!(basis(&registers.current()), RangeBasis::FlatGround);
}
