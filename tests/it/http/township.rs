//! 乡镇: a township's duty room sees its own ground and takes its own steps. Two of them in a county:
//! 官庄镇 in the west (grid g1), 麻溪铺镇 in the east (grid g2).

mod contract;
mod steps;

use super::seen::{self, Seen};
use super::{at, leaves};
use crate::http_support::{Browser, World, county};
use huoyan::config::Config;
use huoyan::county::{CameraEntry, County, Duty, Person, Post, county_date};
use huoyan::store::Access;
use huoyan::triage::policy::Role;
use serde_json::{Value, json};
use uuid::Uuid;

/// Somebody's duty on the day of the stories.
fn duty(role: Role, township: Option<&str>, person: &str) -> Duty {
    Duty {
        date: county_date("2026-11-21T06:00:00Z".parse().expect("a time")),
        begins: None,
        ends: None,
        role,
        township: township.map(str::to_owned),
        grid: None,
        person: person.into(),
    }
}

fn two_townships() -> County {
    let mut county = county();
    (county.grids[1].township, county.grids[1].village) =
        ("麻溪铺镇".to_owned(), "小溪村".to_owned());
    let person = |id: &str, name: &str, phone: &str, post, grid: Option<&str>, township: &str| {
        let (phone, township) = (Some(phone.to_owned()), Some(township.to_owned()));
        Person {
            id: id.into(),
            name: name.to_owned(),
            phone,
            post,
            grid: grid.map(Into::into),
            village: None,
            township,
        }
    };
    county.people.extend([
        person("b1", "易小平", "13900000003", Post::RangerB, Some("g1"), "官庄镇"),
        person("t1", "邓军", "13900000011", Post::TownshipOfficer, None, "官庄镇"),
        person("t2", "舒华", "13900000012", Post::TownshipOfficer, None, "麻溪铺镇"),
        person("v2", "覃勇", "13900000013", Post::VillageChief, Some("g2"), "麻溪铺镇"),
        person("o2", "何川", "13900000007", Post::CountyOfficer, None, ""),
    ]);
    county.duties.extend([
        duty(Role::CountyDuty, None, "o1"),
        duty(Role::CountyLeader, None, "l1"),
        duty(Role::TownshipDuty, Some("官庄镇"), "t1"),
        duty(Role::TownshipDuty, Some("麻溪铺镇"), "t2"),
    ]);
    let other = CameraEntry {
        id: "c2".into(),
        name: "2号塔".to_owned(),
        at: at(28.5, 110.42),
        ..county.cameras[0].clone()
    };
    county.cameras.push(other);
    county
}

async fn world() -> World {
    World::of(Config::default(), two_townships()).await
}

/// A caller sees smoke there; the county's office writes it down.
async fn called(officer: &Browser, lon_deg: f64, radius_m: f64) -> Value {
    let call = json!({"at": at(28.5, lon_deg), "radius_m": radius_m, "who": "群众",
        "phone": "13933334444", "words": "看到浓烟"});
    officer.post("/api/v1/incidents", call).await.ok()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// An incident that a camera has seen, with its sighting and picture.
async fn smoke(world: &World, camera: &str, lon_deg: f64) -> [String; 3] {
    let jpeg = leaves(320, 240).to_jpeg(60).expect("JPEG");
    let ray = (at(28.45, lon_deg), 150.0, 3000.0);
    let Seen { incident, sighting, picture } = seen::smoke(world, camera, ray, jpeg).await;
    [incident.to_string(), sighting.0.to_string(), picture.to_string()]
}

async fn pixel(world: &World, key: &str, lon_deg: f64) {
    let pixel = seen::pixel(key, at(28.55, lon_deg), world.clock.now());
    world.state.store.add_hotspots(&[pixel], world.clock.now()).await.expect("kept");
}

/// 官庄's officer, the county's, and 麻溪铺's.
async fn rooms(world: &World) -> [Browser; 3] {
    [
        world.browser("t1", Access::Officer).await,
        world.browser("o1", Access::Officer).await,
        world.browser("t2", Access::Officer).await,
    ]
}

fn codes(items: &Value) -> Vec<String> {
    items.as_array().expect("a list").iter().map(|it| text(&it["code"])).collect()
}

#[tokio::test]
async fn the_officer_of_guanzhuang_sees_guanzhuangs_fires_and_not_maxipus() {
    let world = world().await;
    let [guanzhuang, county, maxipu] = rooms(&world).await;
    let (west, east) = (called(&county, 110.35, 300.0).await, called(&county, 110.45, 300.0).await);
    pixel(&world, "west", 110.36).await;
    pixel(&world, "east", 110.46).await;

    let me = guanzhuang.get("/api/v1/me").await.ok();
    assert_eq!((&me["role"], &me["townships"]), (&json!("township"), &json!(["官庄镇"])));
    for (room, theirs, foreign, key) in
        [(&guanzhuang, &west, &east, "west"), (&maxipu, &east, &west, "east")]
    {
        let board = room.get("/api/v1/board").await.ok();
        assert_eq!(codes(&board["incidents"]), [text(&theirs["code"])]);
        let list = room.get("/api/v1/incidents?state=all").await.ok();
        assert_eq!(codes(&list["items"]), [text(&theirs["code"])]);
        let path = |it: &Value| format!("/api/v1/incidents/{}", text(&it["id"]));
        let own = room.get(&path(theirs)).await;
        assert_eq!(own.ok()["code"], theirs["code"]);
        assert!(!own.text().contains("13933334444"), "the caller's number is the county's");
        let refused = room.get(&path(foreign)).await;
        let nothing = room.get(&format!("/api/v1/incidents/{}", Uuid::now_v7())).await;
        assert_eq!(refused.refused(), (404, "not_found".to_owned()));
        assert_eq!(refused.text(), nothing.text(), "as what does not exist");
        let hotspots = room.get("/api/v1/hotspots").await.ok();
        assert_eq!((&hotspots["count"], &hotspots["items"][0]["key"]), (&json!(1), &json!(key)));
    }
    let board = guanzhuang.get("/api/v1/board").await.ok();
    assert_eq!(board["county"]["name"], "官庄镇");
    assert_eq!(board["county"]["grids"]["features"].as_array().map(Vec::len), Some(1));
    assert_eq!(board["cameras"].as_array().map(Vec::len), Some(1));
    assert_eq!(board["shift"], Value::Null, "the shift is the county's");
    assert_eq!(board["duty"]["officer"]["phone"], "13900000008", "whom they call");
    assert_eq!(codes(&county.get("/api/v1/board").await.ok()["incidents"]).len(), 2);
}

#[tokio::test]
async fn a_fire_on_the_border_is_on_both_boards_and_each_phones_its_own_people() {
    let world = world().await;
    let [guanzhuang, county, maxipu] = rooms(&world).await;
    let border = called(&county, 110.398, 400.0).await;
    let path = format!("/api/v1/incidents/{}", text(&border["id"]));
    county.post(&format!("{path}/dispatch"), json!({"ranger": "r1"})).await.ok();

    let here = guanzhuang.get(&path).await;
    assert_eq!(here.ok()["place"]["township"], "官庄镇");
    assert_eq!(here.ok()["dispatch"]["ranger"]["phone"], "13900000001");
    let there = maxipu.get(&path).await;
    assert_eq!(there.ok()["dispatch"]["ranger"]["name"], "周建国", "who goes is said");
    let own: Vec<String> =
        codes_of(&there.ok()["place"]["candidates"], |it| &it["ranger"]["phone"]);
    assert_eq!(own, ["13900000002"], "of the candidates only their own ranger");
    for (room, phones) in [
        (here.text(), ["13900000002", "13900000012", "13900000013"]),
        (there.text(), ["13900000001", "13900000003", "13900000011"]),
    ] {
        assert!(phones.iter().all(|phone| !room.contains(phone)), "{room}");
    }
    let note = json!({"words": "村里有人在看"});
    maxipu.post(&format!("{path}/note"), note).await.ok();
    let takes = maxipu.post(&format!("{path}/dispatch"), json!({"ranger": "r2"})).await;
    assert_eq!(takes.refused(), (403, "forbidden".to_owned()), "it lies in the other township");
}

fn codes_of(items: &Value, of: impl Fn(&Value) -> &Value) -> Vec<String> {
    let items = items.as_array().expect("a list").iter();
    items.filter_map(|it| of(it).as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn pages_of_a_list_have_no_gaps_where_others_fires_are() {
    let world = world().await;
    let [guanzhuang, county, _] = rooms(&world).await;
    let mut theirs = Vec::new();
    for n in 0..5 {
        // A day apart, so that each is a fire of its own.
        world.minutes_pass(24 * 60);
        called(&county, 110.45, 300.0).await;
        called(&county, 110.46, 300.0).await;
        theirs.push(text(&called(&county, 110.35, 300.0).await["code"]));
        pixel(&world, &format!("east {n}"), 110.46).await;
        pixel(&world, &format!("west {n}"), 110.36).await;
    }
    theirs.reverse();
    let (mut read, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/incidents?limit=2{after}");
        let page = guanzhuang.get(&path).await.ok();
        let items = codes(&page["items"]);
        assert!(!items.is_empty(), "no page is empty while another follows");
        read.extend(items);
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(read, theirs);
    let (mut keys, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/api/v1/hotspots.geojson?limit=2{after}");
        let page = guanzhuang.get(&path).await.ok();
        keys.extend(codes_of(&page["features"], |it| &it["properties"]["key"]));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(keys, ["west 4", "west 3", "west 2", "west 1", "west 0"]);
}
