//! The whole contract, asked by a township: nothing of another township is in any answer.

use super::{called, pixel, rooms, smoke, text, world};
use crate::http_support::{Browser, World, leaves};
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;
use uuid::Uuid;

/// People, places, cameras and callers of 麻溪铺.
const FOREIGN: [&str; 14] = [
    "麻溪铺",
    "小溪村",
    "2号网格",
    "2号塔",
    "李春生",
    "舒华",
    "覃勇",
    "13900000002",
    "13900000012",
    "13900000013",
    "13933334444",
    "\"r2\"",
    "\"t2\"",
    "\"v2\"",
];

/// Ids of one township, by what a path asks for.
struct Ground {
    incident: String,
    seen: [String; 3],
    camera: &'static str,
    ranger: &'static str,
    codes: [String; 2],
}

async fn ground(world: &World, county: &Browser, east: bool) -> Ground {
    let (lon_deg, camera, ranger) = if east { (110.43, "c2", "r2") } else { (110.33, "c1", "r1") };
    let by_phone = called(county, lon_deg, 300.0).await;
    let incident = text(&by_phone["id"]);
    county
        .post(&format!("/api/v1/incidents/{incident}/dispatch"), json!({"ranger": ranger}))
        .await
        .ok();
    let seen = smoke(world, camera, lon_deg + 0.03).await;
    let by_camera = county.get(&format!("/api/v1/incidents/{}", seen[0])).await.ok();
    pixel(world, &format!("pixel {camera}"), lon_deg).await;
    world.state.status.update(&camera.into(), |it| {
        it.last_picture = Some(Arc::new(leaves(64, 64)));
    });
    Ground {
        incident,
        seen,
        camera,
        ranger,
        codes: [&by_phone, &by_camera].map(|it| text(&it["code"])),
    }
}

/// A parameter that is not known here is a new one: say what it stands for.
fn filled(path: &str, of: &Ground) -> String {
    let [by_camera, sighting, picture] = &of.seen;
    let id = match path {
        _ if path.contains("/cameras/") => of.camera,
        _ if path.contains("/pictures/{id}") => picture,
        _ if path.contains("/sightings/{id}") => sighting,
        _ if path.contains("{sighting}") => by_camera,
        _ => &of.incident,
    };
    let filled = path
        .replace("{id}", id)
        .replace("{sighting}", sighting)
        .replace("{picture}", picture)
        .replace("{alarm}", "1")
        .replace("{number}", "1")
        .replace("{register}", "people");
    assert!(!filled.contains('{'), "{path}: which value of its parameter is of another township?");
    let query = match path {
        "/api/v1/people" => format!("?incident={}&q=", of.incident),
        "/api/v1/incidents" | "/api/v1/incidents.csv" | "/api/v1/incidents.geojson" => {
            "?state=all".to_owned()
        }
        "/api/v1/incidents/{id}/log" => "?before=1000".to_owned(),
        "/api/v1/rota-gaps" => "?from=2026-11-21&days=2".to_owned(),
        _ => String::new(),
    };
    filled + &query
}

/// Good for every operation that a township may ask for.
fn body(of: &Ground) -> Value {
    json!({"words": "现场有人", "reason": "电话告知", "ranger": of.ranger, "message": Uuid::nil()})
}

async fn asked(room: &Browser, method: &str, path: &str, body: &Value) -> (StatusCode, String) {
    let mut request = Request::builder().method(method.to_uppercase().as_str()).uri(path);
    request = request.header(header::COOKIE, room.cookie.as_deref().expect("logged in"));
    let mut sent = Body::empty();
    if method != "get" {
        request = request
            .header("Idempotency-Key", Uuid::now_v7().to_string())
            .header(header::CONTENT_TYPE, "application/json");
        sent = Body::from(body.to_string());
    }
    let answer = room.router.clone().oneshot(request.body(sent).expect("a request")).await;
    let answer = answer.expect("infallible");
    let status = answer.status();
    // A stream does not end; what it says is looked at in `steps`.
    let read = tokio::time::timeout(Duration::from_secs(1), to_bytes(answer.into_body(), 4 << 20));
    let bytes = read.await.map(|it| it.expect("a body")).unwrap_or_default();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

fn mentions(answer: &str, foreign: &Ground) -> Option<String> {
    let ids = [&foreign.incident, &foreign.codes[0], &foreign.codes[1]];
    let all = FOREIGN.iter().map(|it| (*it).to_owned()).chain(ids.into_iter().cloned());
    all.chain(foreign.seen.clone())
        .chain([format!("pixel {}", foreign.camera)])
        .find(|it| answer.contains(it))
}

#[tokio::test]
async fn no_answer_of_the_whole_contract_tells_a_township_of_another() {
    let world = world().await;
    let [guanzhuang, county, _] = rooms(&world).await;
    let east = ground(&world, &county, true).await;
    let west = ground(&world, &county, false).await;
    let contract = county.get("/openapi.json").await.ok();
    let mut answered = 0;
    let mut paths: Vec<_> = contract["paths"].as_object().expect("paths").iter().collect();
    paths.sort_by_key(|(path, _)| path.ends_with("/logout"));
    for (path, methods) in paths {
        for (method, operation) in methods.as_object().expect("methods") {
            let ways = operation["security"].as_array().expect("a list");
            let roles: Vec<&Value> =
                ways.iter().filter_map(|it| it["session"].as_array()).flatten().collect();
            let by_session = ways.iter().any(|it| it.get("session").is_some());
            let may = by_session && (roles.is_empty() || roles.contains(&&json!("township")));
            let names_one = path.contains('{');
            for (of, is_own) in [(&west, true), (&east, false)] {
                let what = filled(path, of);
                let (status, answer) = asked(&guanzhuang, method, &what, &body(of)).await;
                let said = mentions(&answer, &east);
                assert_eq!(said, None, "{method} {what} says it: {answer}");
                let expected = match (by_session, may) {
                    (false, _) => continue,
                    (true, false) => StatusCode::FORBIDDEN,
                    (true, true) if names_one && !is_own => StatusCode::NOT_FOUND,
                    // What the state of this one incident does not allow is refused otherwise.
                    (true, true) if method != "get" => {
                        let refusals = [StatusCode::FORBIDDEN, StatusCode::CONFLICT];
                        if refusals.contains(&status) { status } else { StatusCode::OK }
                    }
                    (true, true) => StatusCode::OK,
                };
                assert_eq!(status, expected, "{method} {what}: {answer}");
                answered += usize::from(status == StatusCode::OK);
                if !may {
                    assert!(answer.contains("县值班室"), "it says whom to ask: {answer}");
                }
            }
        }
    }
    assert!(answered > 30, "{answered} answers are not what a township has");
}

/// The same eyes see it where it is theirs: the test above does not pass because all is empty.
#[tokio::test]
async fn each_township_finds_its_own_in_the_same_answers() {
    let world = world().await;
    let [_, county, maxipu] = rooms(&world).await;
    let east = ground(&world, &county, true).await;
    for path in ["/api/v1/board", "/api/v1/incidents", "/api/v1/people", "/api/v1/hotspots.csv"] {
        let (status, answer) = asked(&maxipu, "get", &filled(path, &east), &json!({})).await;
        assert!(status == StatusCode::OK && mentions(&answer, &east).is_some(), "{path}: {answer}");
    }
}
