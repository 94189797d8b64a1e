//! How an officer sorts evidence on the board: strike out, split, merge, undo, and open anew.

use super::{call, seen_by_camera};
use crate::http_support::{Browser, World, at, leaves};
use huoyan::store::Access;
use serde_json::{Value, json};

async fn read(officer: &Browser, id: &str) -> Value {
    officer.get(&format!("/api/v1/incidents/{id}")).await.ok()
}

fn sightings(incident: &Value) -> Vec<String> {
    let all = incident["sightings"].as_array().expect("a list");
    all.iter().map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
}

async fn open(officer: &Browser) -> Vec<String> {
    let board = officer.get("/api/v1/board").await.ok();
    let all = board["incidents"].as_array().expect("a list").iter();
    all.map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn an_officer_strikes_out_splits_and_merges_and_takes_each_of_it_back() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let first = officer.post("/api/v1/incidents", call()).await.ok();
    let id = first["id"].as_str().expect("an id").to_owned();
    world.minutes_pass(3);
    let mut other = call();
    other["at"] = json!(at(28.5015, 110.3515));
    assert_eq!(
        officer.post("/api/v1/incidents", other).await.ok()["id"],
        json!(id),
        "two calls about one fire"
    );
    let both = sightings(&read(&officer, &id).await);
    assert_eq!(both.len(), 2);

    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    let strike = json!({"sighting": both[1], "reason": "看错了"});
    let struck = officer.post(&path("strike-out"), strike).await.ok();
    assert_eq!(struck["struck_out"].as_array().map(Vec::len), Some(1), "kept, and counted no more");
    officer.post(&path("reinstate"), json!({"sighting": both[1]})).await.ok();
    assert_eq!(sightings(&read(&officer, &id).await), both);

    let all = json!({"sightings": both});
    assert_eq!(officer.post(&path("split"), all).await.refused().0, 409, "something has to remain");
    officer.post(&path("split"), json!({"sightings": [both[1]]})).await.ok();
    let cards = open(&officer).await;
    let new = cards.iter().find(|it| **it != id).expect("a card of its own").clone();
    let split = read(&officer, &new).await;
    assert_eq!((&split["split_from"], sightings(&split)), (&json!(id), vec![both[1].clone()]));

    officer.post(&path("merge"), json!({"other": new})).await.ok();
    assert_eq!(read(&officer, &new).await["merged_into"], json!(id));
    officer.post(&path("unmerge"), json!({"other": new})).await.ok();
    assert_eq!(read(&officer, &new).await["merged_into"], Value::Null);
    assert_eq!(sightings(&read(&officer, &id).await), [both[0].clone()]);

    let ranger = world.browser("r1", Access::Ranger).await;
    let refused = ranger.post(&path("split"), json!({"sightings": [both[0]]})).await.refused();
    assert_eq!(refused.0, 403, "the office's to decide");
}

#[tokio::test]
async fn new_evidence_at_a_closed_place_is_on_the_board_and_one_press_makes_it_an_incident() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = seen_by_camera(&world, leaves(64, 48).to_jpeg(60).expect("JPEG")).await;
    let path = |action: &str| format!("/api/v1/incidents/{id}/{action}");
    officer.post(&path("close"), json!({"category": 9, "false_alarm": "fog_or_cloud"})).await.ok();
    world.minutes_pass(30);
    assert_eq!(
        seen_by_camera(&world, leaves(64, 48).to_jpeg(60).expect("JPEG")).await,
        id,
        "a reminder, no new alarm"
    );
    let board = officer.get("/api/v1/board").await.ok();
    assert_eq!(board["incidents"], json!([]));
    let reminded = board["reminded"][0].clone();
    assert_eq!(
        (&reminded["incident"], reminded["sightings"].as_array().map(Vec::len)),
        (&json!(id), Some(1))
    );

    let filed =
        world.state.store.incident(id.parse().expect("an id")).await.expect("there").incident;
    let picture = filed.reminders[0].pictures[0];
    assert_eq!(
        officer.get(&format!("/api/v1/pictures/{picture}")).await.status,
        200,
        "a reminder can be looked at"
    );

    officer.post(&path("split"), json!({"sightings": reminded["sightings"]})).await.ok();
    let cards = open(&officer).await;
    let anew = read(&officer, cards.first().expect("an open incident")).await;
    assert_eq!(anew["split_from"], json!(id));
    assert_eq!(json!(sightings(&anew)), reminded["sightings"]);
    assert_eq!(officer.get("/api/v1/board").await.ok()["reminded"], json!([]));
    assert_eq!(read(&officer, &id).await["state"], "closed", "what is closed stays closed");
}
