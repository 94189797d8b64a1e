//! One fire of a thousand pixels, and pages that were disconnected.

use crate::fixture::{hotspot, place, satellite_sighting};
use crate::http_support::World;
use huoyan::store::Access;
use huoyan::triage::id::SightingId;
use huoyan::triage::sighting::Sighting;
use serde_json::Value;
use uuid::Uuid;

/// A front of 25 by 40 pixels of 375 m, as one pass sees it.
fn front() -> Vec<Sighting> {
    let pixel = |n: u32| {
        let (row, column) = (f64::from(n / 40), f64::from(n % 40));
        let mut pixel = hotspot(&format!("front {n}"), "2.0NRT");
        pixel.at = place(28.42 + row * 375.0 / 111_320.0, 110.36 + column * 375.0 / 97_900.0);
        Sighting {
            id: SightingId(Uuid::from_u128(u128::from(n) + 1)),
            ..satellite_sighting(&pixel)
        }
    };
    (0..1_000).map(pixel).collect()
}

#[tokio::test]
async fn a_front_of_a_thousand_pixels_is_one_small_card_and_every_line_of_it_can_be_read() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let empty = officer.get("/api/v1/board").await.body.len();
    let incident = world.state.desk.sightings(front()).await.expect("filed");

    let board = officer.get("/api/v1/board").await;
    assert!(
        board.body.len() - empty <= 60_000,
        "{} bytes more than an empty board",
        board.body.len() - empty
    );
    let card = &board.ok()["incidents"][0];
    let listed = card["sightings"].as_array().map_or(0, Vec::len);
    assert!(
        card["sightings_count"] == 1_000 && (8..=10).contains(&listed),
        "{listed} of {}",
        card["sightings_count"]
    );

    let whole = officer.get(&format!("/api/v1/incidents/{incident}")).await.ok();
    let version = whole["version"].as_u64().expect("a version");
    let mut lines = whole["log"].as_array().expect("a log").clone();
    assert!(version > 1_000 && lines.len() == 100, "{version} events, {} shown", lines.len());
    let oldest = |lines: &[Value]| lines[0]["version"].as_u64().expect("a version");
    while oldest(&lines) > 1 {
        let page = officer
            .get(&format!("/api/v1/incidents/{incident}/log?before={}", oldest(&lines)))
            .await
            .ok();
        let page = page["items"].as_array().expect("a page").clone();
        lines = page.into_iter().chain(lines).collect();
    }
    let versions: Vec<u64> =
        lines.iter().map(|it| it["version"].as_u64().expect("a version")).collect();
    assert!(versions.iter().copied().eq(1..=version), "each line once, in order");
}
