//! What leaves for other systems: rows for maps and tables page by page, and CAP chains.

use super::*;
use huoyan::triage::geo::LatLon;
use huoyan::triage::hotspot::Hotspot;
use oasiscap::v1dot2::{Alert, Certainty, MessageType, Status};
use quick_xml::Reader;
use quick_xml::events::Event;

/// One report of the office for each place; returns the ids.
async fn fires(officer: &Browser, count: usize) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 0..count {
        let at = json!({"lat_deg": 28.42 + 0.05 * n as f64, "lon_deg": 110.33});
        let told = json!({"at": at, "radius_m": 200.0, "who": "=塔", "words": "冒烟"});
        let incident = officer.post("/api/v1/incidents", told).await.ok();
        ids.push(incident["id"].as_str().expect("an id").to_owned());
    }
    ids
}

fn next(answer: &crate::http_support::Answer) -> Option<String> {
    let link = answer.headers.get(header::LINK)?.to_str().expect("text");
    let address = link.strip_prefix('<').and_then(|it| it.strip_suffix(">; rel=\"next\""));
    Some(address.expect("an address").to_owned())
}

#[tokio::test]
async fn a_map_and_a_table_get_every_fire_once_page_by_page() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let ids = fires(&officer, 3).await;
    let (mut page, mut seen) =
        (Some("/api/v1/incidents.geojson?state=all&limit=2".to_owned()), Vec::new());
    while let Some(path) = page {
        let answer = officer.get(&path).await;
        page = next(&answer);
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/geo+json");
        let all = answer.ok();
        assert_eq!(all["type"], "FeatureCollection");
        assert_eq!(all["next"].is_null(), page.is_none(), "{all}");
        for feature in all["features"].as_array().expect("features") {
            assert_eq!(feature["geometry"]["coordinates"][0], 110.33, "longitude first");
            seen.push(feature["properties"]["id"].as_str().expect("an id").to_owned());
        }
    }
    seen.reverse();
    assert_eq!(seen, ids);
    let (mut page, mut lines) = (Some("/api/v1/incidents.csv?state=all&limit=2".to_owned()), 0);
    while let Some(path) = page {
        let answer = officer.get(&path).await;
        page = next(&answer);
        let text = answer.text();
        assert!(text.starts_with("\u{feff}code,id,state,drill,"), "{text}");
        assert!(!text.contains("=塔") && !text.contains("周建国"), "no names, no words: {text}");
        lines += text.lines().count() - 1;
    }
    assert_eq!(lines, 3);
    let ranger = world.browser("r1", Access::Ranger).await;
    for path in ["/api/v1/incidents.geojson", "/api/v1/incidents.csv", "/api/v1/hotspots.csv"] {
        assert_eq!(ranger.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
        assert_eq!(world.stranger().get(path).await.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(officer.get("/api/v1/hotspots.csv?after=x").await.refused().0, 400);
}

#[tokio::test]
async fn hotspots_of_one_pass_are_not_lost_between_two_pages() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let at = "2026-11-21T05:48:00Z".parse().expect("a time");
    let pixel = |n: u32| {
        let place = LatLon::new(28.4 + 0.01 * f64::from(n), 110.35).expect("a place");
        seen::pixel(&format!("N20 05:48 28.4{n} 110.35"), place, at)
    };
    let pass: Vec<Hotspot> = (0..5).map(pixel).collect();
    world.state.store.add_hotspots(&pass, world.clock.now()).await.expect("kept");
    let (mut page, mut seen) = (Some("/api/v1/hotspots.geojson?limit=2".to_owned()), Vec::new());
    while let Some(path) = page {
        let answer = officer.get(&path).await;
        page = next(&answer);
        let all = answer.ok()["features"].clone();
        let keys =
            all.as_array().expect("features").iter().map(|it| it["properties"]["key"].clone());
        seen.extend(keys.map(|it| it.as_str().expect("a key").to_owned()));
    }
    seen.reverse();
    assert_eq!(seen, pass.iter().map(|it| it.key.clone()).collect::<Vec<_>>());
}

/// The order of CAP 1.2, section 3.2; `*` must be there.
const ALERT: [&str; 15] = [
    "*identifier",
    "*sender",
    "*sent",
    "*status",
    "*msgType",
    "source",
    "*scope",
    "restriction",
    "addresses",
    "code",
    "note",
    "references",
    "incidents",
    "info",
    "",
];
const INFO: [&str; 22] = [
    "language",
    "*category",
    "*event",
    "responseType",
    "*urgency",
    "*severity",
    "*certainty",
    "audience",
    "eventCode",
    "effective",
    "onset",
    "expires",
    "senderName",
    "headline",
    "description",
    "instruction",
    "web",
    "contact",
    "parameter",
    "resource",
    "area",
    "",
];
const AREA: [&str; 7] = ["*areaDesc", "polygon", "circle", "geocode", "altitude", "ceiling", ""];

/// Holds a document to the schema's order and to what must be there.
fn conforms(xml: &str) {
    let mut reader = Reader::from_str(xml);
    let (mut within, mut children) = (Vec::<String>::new(), Vec::<(String, Vec<String>)>::new());
    let mut namespaced = false;
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                namespaced |= tag
                    .attributes()
                    .flatten()
                    .any(|it| &*it.value == "urn:oasis:names:tc:emergency:cap:1.2");
                if let Some((_, seen)) = children.last_mut() {
                    seen.push(name.clone());
                }
                within.push(name.clone());
                children.push((name, Vec::new()));
            }
            Event::End(_) => {
                within.pop();
                let (name, seen) = children.pop().expect("begun");
                let order: &[&str] = match name.as_str() {
                    "alert" => &ALERT,
                    "info" => &INFO,
                    "area" => &AREA,
                    _ => continue,
                };
                let plain: Vec<&str> = order.iter().map(|it| it.trim_start_matches('*')).collect();
                let places: Vec<usize> = seen
                    .iter()
                    .map(|it| {
                        plain
                            .iter()
                            .position(|known| known == it)
                            .unwrap_or_else(|| panic!("{it} in {name}"))
                    })
                    .collect();
                assert!(places.is_sorted(), "{name}: {seen:?}");
                for must in order.iter().filter_map(|it| it.strip_prefix('*')) {
                    assert!(seen.iter().any(|it| it == must), "{name} has no {must}");
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(namespaced, "{xml}");
}

async fn chain(officer: &Browser, id: &str) -> Vec<Alert> {
    let mut all = Vec::new();
    loop {
        let path = format!("/api/v1/incidents/{id}/cap.xml?message={}", all.len() + 1);
        let answer = officer.get(&path).await;
        if answer.status == StatusCode::NOT_FOUND {
            return all;
        }
        assert_eq!(answer.headers[header::CONTENT_TYPE], "application/cap+xml");
        conforms(&answer.text());
        all.push(
            answer.text().parse::<Alert>().unwrap_or_else(|e| panic!("{e}: {}", answer.text())),
        );
    }
}

#[tokio::test]
async fn a_fire_is_a_chain_of_cap_messages_that_names_what_came_before() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = fires(&officer, 1).await.remove(0);
    let opened = chain(&officer, &id).await;
    assert_eq!((opened.len(), opened[0].message_type), (1, MessageType::Alert));
    assert_eq!((opened[0].status, &opened[0].references), (Status::Actual, &None));
    assert_eq!(opened[0].info[0].certainty, Certainty::Possible, "nobody has been there");
    assert_eq!(opened[0].sent.to_string(), "2026-11-21T14:00:00+08:00");
    let area = &opened[0].info[0].areas[0];
    assert_eq!((area.circles.len(), area.polygons.len()), (1, 0));

    world.minutes_pass(5);
    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();
    let ranger = world.browser("r1", Access::Ranger).await;
    let report =
        json!({"category": 0, "words": "见火", "flames": "large", "no_photo_reason": "手机没电"});
    let code = officer.get("/api/v1/board").await.ok()["categories"].clone();
    let forest = code.as_array().expect("categories").iter().find(|it| it["en"] == "Forest fire");
    let report = {
        let mut it = report;
        it["category"] = forest.expect("one")["code"].clone();
        it
    };
    ranger.post(&format!("/api/v1/incidents/{id}/report"), report).await.ok();
    world.minutes_pass(60);
    let close = json!({"words": "已扑灭"});
    officer.post(&format!("/api/v1/incidents/{id}/close"), close).await.ok();
    let all = chain(&officer, &id).await;
    let kinds: Vec<MessageType> = all.iter().map(|it| it.message_type).collect();
    assert_eq!(kinds, [MessageType::Alert, MessageType::Update, MessageType::Cancel]);
    assert_eq!(all[0], opened[0], "what was said stays said");
    assert_eq!(all[1].info[0].certainty, Certainty::Observed);
    for (n, message) in all.iter().enumerate().skip(1) {
        let before = message.references.as_ref().expect("what came before");
        let named: Vec<_> = before.iter().map(|it| (it.identifier.clone(), it.sent)).collect();
        let expected: Vec<_> = all[..n].iter().map(|it| (it.identifier.clone(), it.sent)).collect();
        assert_eq!(named, expected);
    }
    assert!(all[2].note.as_ref().is_some_and(|it| it.contains("森林火灾")), "{:?}", all[2].note);
    let newest = officer.get(&format!("/api/v1/incidents/{id}/cap.xml")).await.text();
    assert_eq!(newest.parse::<Alert>().expect("CAP"), all[2]);
}

#[tokio::test]
async fn only_the_office_gives_the_all_clear_and_what_it_sent_back_counts_no_more() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = fires(&officer, 1).await.remove(0);
    let newest = async || officer.get(&format!("/api/v1/incidents/{id}/cap.xml")).await.text();
    let says = |xml: &str, all: &[&str]| all.iter().all(|it| xml.contains(it));
    officer.post(&format!("/api/v1/incidents/{id}/dispatch"), json!({"ranger": "r1"})).await.ok();
    let ranger = world.browser("r1", Access::Ranger).await;
    let report = json!({"category": 9, "words": "没看到", "no_photo_reason": "手机没电"});
    ranger.post(&format!("/api/v1/incidents/{id}/report"), report).await.ok();
    let reported = newest().await;
    assert!(says(&reported, &["Update", "Unlikely", "Assess", "现场核查：未找到"]), "{reported}");
    let why = json!({"reason": "位置不符"});
    officer.post(&format!("/api/v1/incidents/{id}/send-back"), why).await.ok();
    let sent_back = newest().await;
    assert!(says(&sent_back, &["Update", "Possible", "Immediate", "尚未核实"]), "{sent_back}");
    officer
        .post(&format!("/api/v1/incidents/{id}/false-alarm"), json!({"reason": "dust"}))
        .await
        .ok();
    let closed = newest().await;
    assert!(says(&closed, &["Cancel", "AllClear", "Past", "销号类别：未找到"]), "{closed}");
    assert!(!closed.contains("尚未核实"), "{closed}");
}

#[tokio::test]
async fn a_drill_is_an_exercise_and_a_bearing_is_no_circle() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let key = world.system("演练平台").await;
    let alarm = json!({"id": "1", "device": "c1", "bearing": {"azimuth_deg": 70.0}, "drill": true});
    let request = Request::post("/api/v1/inbound/alarms")
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(alarm.to_string()));
    let taken = world.stranger().send(request.expect("a request")).await.ok();
    let all = chain(&officer, taken["incident"].as_str().expect("an id")).await;
    assert_eq!(all[0].status, Status::Exercise);
    let info = &all[0].info[0];
    assert!(info.headline.as_ref().is_some_and(|it| it.contains("【演练】")));
    assert!(all[0].note.as_ref().is_some_and(|it| it.contains("演练")));
    let area = &info.areas[0];
    assert_eq!((area.circles.len(), area.polygons.len()), (0, 1), "a direction has no middle");
}
