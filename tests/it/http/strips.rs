//! 过程图: what the person who judges an alarm is shown around it.

use super::{call, seen_by_camera};
use crate::http_support::{World, at, leaves};
use axum::http::header;
use huoyan::county::{CameraEntry, County, Registers};
use huoyan::frame::Picture;
use huoyan::store::Access;
use huoyan::triage::detection::Stream;
use huoyan::triage::id::{PictureId, SightingId};
use huoyan::triage::strip::{SeenAt, StripFrame};
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

/// Thin smoke in the lower right quarter, or none.
fn hill(width: u32, height: u32, smoke: bool) -> Vec<u8> {
    let is_smoke = |i: u32| smoke && (i % width) * 2 > width && (i / width) * 2 > height;
    let rgb: Vec<u8> =
        (0..width * height).flat_map(|i| [if is_smoke(i) { 75 } else { 60 }; 3]).collect();
    Picture::from_rgb(width, height, &rgb).and_then(|it| it.to_jpeg(90)).expect("a picture")
}

/// Stores a picture taken this number of seconds after the evidence.
async fn keep(world: &World, sighting: SightingId, after_s: i64, jpeg: Vec<u8>) -> PictureId {
    let (captured_at, picture) = (
        world.state.clock.now() + SignedDuration::from_secs(after_s),
        PictureId::of(Uuid::now_v7(), &jpeg),
    );
    let seen = (after_s > 0).then_some(SeenAt { score: 0.5, bbox: [0.5, 0.5, 0.25, 0.25].into() });
    let frame = StripFrame { sighting, captured_at, stream: Stream::Screened, seen, picture };
    world.state.store.keep_strip_frame(&frame, jpeg).await.expect("kept");
    picture
}

/// A second tower that looks at the place, a third that looks away, and six more beside the second.
fn more_towers(world: &mut World) {
    let county = world.state.registers.current();
    let tower = |id: &str, azimuth_deg: f64| CameraEntry {
        id: id.into(),
        name: format!("{id}号塔"),
        at: at(28.53, 110.36),
        azimuth_deg: Some(azimuth_deg),
        ..county.cameras[0].clone()
    };
    let beside = (4..10).map(|n| tower(&format!("c{n}"), 200.0));
    let cameras = [county.cameras[0].clone(), tower("c2", 200.0), tower("c3", 20.0)]
        .into_iter()
        .chain(beside)
        .collect();
    world.state.registers = Registers::fixed(County { cameras, ..County::clone(&county) });
}

#[tokio::test]
async fn whoever_judges_sees_before_at_and_after_what_changed_and_who_else_looks_there() {
    let mut world = World::new().await;
    more_towers(&mut world);
    let officer = world.browser("o1", Access::Officer).await;
    let id = seen_by_camera(&world, leaves(640, 360).to_jpeg(80).expect("JPEG")).await;
    let incident = officer.get(&format!("/api/v1/incidents/{id}")).await.ok();
    let sighting = incident["sightings"][0]["id"].as_str().expect("an id");
    let of: SightingId = sighting.parse().expect("an id");
    let before = keep(&world, of, -60, hill(480, 270, false)).await;
    // The confirmed look in a smaller size; the evidence itself replaces it.
    keep(&world, of, 0, hill(480, 270, true)).await;
    let after = keep(&world, of, 30, hill(1280, 720, true)).await;

    let path = format!("/api/v1/incidents/{id}/sightings/{sighting}/strip");
    let strip = officer.get(&path).await.ok();
    let frames = strip["frames"].as_array().expect("frames");
    let shown: Vec<_> =
        frames.iter().map(|it| (&it["picture"], it["is_evidence"] == true, &it["score"])).collect();
    let evidence = &incident["sightings"][0]["pictures"][0];
    let (nothing, half) = (Value::Null, json!(0.5));
    assert_eq!(
        shown,
        [
            (&json!(before), false, &nothing),
            (evidence, true, &json!(0.8)),
            (&json!(after), false, &half)
        ]
    );
    assert_eq!(strip["camera"], "c1");
    let others: Vec<_> =
        strip["others"].as_array().expect("a list").iter().map(|it| &it["id"]).collect();
    assert_eq!(others, ["c2", "c4", "c5", "c6", "c7", "c8"], "six that look there: {strip}");

    let size = async |query: &str| {
        let answer = officer.get(&format!("{path}/{after}{query}")).await;
        assert_eq!(answer.headers[header::CONTENT_TYPE], "image/jpeg", "{}", answer.text());
        Picture::from_image_bytes(&answer.body).expect("a JPEG")
    };
    assert_eq!(size("").await.width(), 1280, "as it was kept");
    assert_eq!(size("?show=region").await.width(), 960, "three times the box, at its own pixels");
    let changed = size("?show=difference").await;
    assert_eq!((changed.width(), changed.height()), (480, 270), "as large as the first");
    let luma = |x: usize, y: usize| changed.luma()[y * 480 + x];
    assert!(luma(50, 50) < 40 && luma(400, 200) > 80, "{} {}", luma(50, 50), luma(400, 200));
}

#[tokio::test]
async fn only_the_office_sees_a_strip_and_only_of_its_own_sighting() {
    let world = World::new().await;
    let (officer, ranger) =
        (world.browser("o1", Access::Officer).await, world.browser("r1", Access::Ranger).await);
    let id = seen_by_camera(&world, leaves(64, 48).to_jpeg(60).expect("JPEG")).await;
    let incident = officer.get(&format!("/api/v1/incidents/{id}")).await.ok();
    let sighting = incident["sightings"][0]["id"].as_str().expect("an id");
    let of: SightingId = sighting.parse().expect("an id");
    let (picture, others) = (
        keep(&world, of, -60, hill(64, 48, false)).await,
        keep(&world, SightingId(Uuid::now_v7()), -60, hill(64, 48, true)).await,
    );
    let path = format!("/api/v1/incidents/{id}/sightings/{sighting}/strip");
    for path in [path.clone(), format!("{path}/{picture}")] {
        assert_eq!(ranger.get(&path).await.refused().0, 403, "{path}");
        assert_eq!(world.stranger().get(&path).await.refused().0, 401, "{path}");
        assert!(officer.get(&path).await.status.is_success(), "{path}");
    }
    let told = officer.post("/api/v1/incidents", call()).await.ok();
    let (other, by_phone) =
        (told["id"].as_str().expect("an id"), told["sightings"][0]["id"].as_str().expect("an id"));
    for nothing in [
        format!("{path}/{others}"),
        format!("/api/v1/incidents/{id}/sightings/{}/strip", Uuid::now_v7()),
        format!("/api/v1/incidents/{}/sightings/{sighting}/strip", Uuid::now_v7()),
        format!("/api/v1/incidents/{other}/sightings/{by_phone}/strip"),
    ] {
        assert_eq!(
            officer.get(&nothing).await.refused(),
            (404, "not_found".to_owned()),
            "{nothing}"
        );
    }
    assert_eq!(officer.get(&format!("{path}/{picture}?show=all")).await.refused().0, 400);
    world.state.store.remove_picture(picture).await.expect("it made room");
    assert_eq!(officer.get(&format!("{path}/{picture}")).await.refused(), (410, "gone".to_owned()));
}
