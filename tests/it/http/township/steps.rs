//! What a township does, what it leaves to the county, and what it hears.

use super::{called, duty, rooms, text, two_townships, world};
use crate::http_support::{Browser, Server, World};
use axum::body::Body;
use axum::http::{Request, header};
use huoyan::config::Config;
use huoyan::county::{County, Post, Registers};
use huoyan::triage::policy::Role;
use huoyan::web;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use uuid::Uuid;

async fn act(
    room: &Browser,
    incident: &Value,
    action: &str,
    body: Value,
) -> crate::http_support::Answer {
    room.post(&format!("/api/v1/incidents/{}/{action}", text(&incident["id"])), body).await
}

#[tokio::test]
async fn a_township_that_is_called_answers_and_sends_another_of_its_own() {
    let world = world().await;
    let [guanzhuang, county, maxipu] = rooms(&world).await;
    let fire = called(&county, 110.35, 300.0).await;
    let first = act(&guanzhuang, &fire, "dispatch", json!({"ranger": "r1"})).await;
    assert_eq!(first.refused(), (403, "forbidden".to_owned()));
    assert!(first.text().contains("首次派发"), "{}", first.text());
    act(&county, &fire, "dispatch", json!({"ranger": "r1"})).await.ok();

    // Nobody answers: after ten minutes the ladder is at the township.
    world.minutes_pass(11);
    world.state.desk.tick().await.expect("fires");
    let path = format!("/api/v1/incidents/{}", text(&fire["id"]));
    assert_eq!(guanzhuang.get(&path).await.ok()["owes_answer"], true);
    let heard = act(&guanzhuang, &fire, "acknowledge", json!({})).await.ok();
    assert_eq!(heard["state"], "dispatched", "收到 of a superior is no step of the ranger's");
    assert_eq!(heard["answers"][0]["person"]["name"], "邓军");
    assert_eq!(heard["owes_answer"], false);

    let others = act(&guanzhuang, &fire, "dispatch", json!({"ranger": "r2"})).await;
    assert!(others.refused().0 == 403 && others.text().contains("不是您乡镇的人员"));
    let unknown = act(&guanzhuang, &fire, "dispatch", json!({"ranger": "nobody"})).await;
    assert_eq!(unknown.text(), others.text(), "as somebody who does not exist");
    let sent = act(&guanzhuang, &fire, "dispatch", json!({"ranger": "b1"})).await.ok();
    assert_eq!(sent["dispatch"]["ranger"]["name"], "易小平");
    let proxy = json!({"reason": "易小平电话报到"});
    let went = act(&guanzhuang, &fire, "acknowledge", proxy).await.ok();
    assert_eq!(went["state"], "acknowledged");
    let log = county.get(&path).await.ok()["log"].clone();
    let by = log.as_array().and_then(|it| it.last()).map(|it| it["name"].clone());
    assert_eq!(by, Some(json!("邓军")), "by whom, for the record");

    let closes = act(&guanzhuang, &fire, "close", json!({"category": 3})).await;
    assert!(closes.refused().0 == 403 && closes.text().contains("县值班室"));
    for action in ["note", "dispatch", "acknowledge"] {
        let body = json!({"words": "x", "ranger": "r2", "reason": "x"});
        assert_eq!(act(&maxipu, &fire, action, body).await.refused().0, 404, "{action}");
    }
}

#[tokio::test]
async fn a_refusal_is_said_in_the_readers_language() {
    let world = world().await;
    let [guanzhuang, ..] = rooms(&world).await;
    let request = Request::post("/api/v1/shift/start")
        .header("Idempotency-Key", Uuid::now_v7().to_string())
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::ACCEPT_LANGUAGE, "en")
        .body(Body::from("{}"));
    let refused = guanzhuang.send(request.expect("a request")).await;
    let detail = text(&refused.json()["detail"]);
    assert!(detail.contains("county's duty room"), "{detail}");
}

#[tokio::test]
async fn pages_that_are_the_countys_lead_to_the_board() {
    let world = world().await;
    let [guanzhuang, county, _] = rooms(&world).await;
    for page in ["/ops", "/registers", "/ranger"] {
        assert_eq!(guanzhuang.get(page).await.headers[header::LOCATION], "/office", "{page}");
        assert_eq!(county.get(page).await.status, 200, "{page}");
    }
    for page in ["/office", "/wall"] {
        assert_eq!(guanzhuang.get(page).await.status, 200, "{page}");
    }
}

/// With the county as the registers now have it, the same browser.
async fn me(world: &World, room: &Browser, change: impl FnOnce(&mut County)) -> (u16, Value) {
    let mut county = two_townships();
    change(&mut county);
    let mut state = world.state.clone();
    state.registers = Registers::fixed(county);
    let room = Browser { router: web::router(state), ..room.clone() };
    let answer = room.get("/api/v1/me").await;
    (answer.status.as_u16(), if answer.status == 200 { answer.json() } else { Value::Null })
}

#[tokio::test]
async fn the_right_follows_the_registers() {
    let world = world().await;
    let [guanzhuang, county, _] = rooms(&world).await;
    let is = |id: &'static str, post: Post, township: Option<&'static str>| {
        move |county: &mut County| {
            let person = county.people.iter_mut().find(|it| it.id.as_str() == id).expect("there");
            (person.post, person.township) = (post, township.map(str::to_owned));
        }
    };
    let on_rota = |role, township: Option<&'static str>| {
        move |county: &mut County| county.duties.push(duty(role, township, "t1"))
    };
    let townships = async |change: &dyn Fn(&mut County)| {
        let (status, me) = me(&world, &guanzhuang, change).await;
        (status, me["role"].clone(), me["townships"].clone())
    };
    let post = Post::TownshipOfficer;
    let moved = townships(&|county| is("t1", post, Some("麻溪铺镇"))(county)).await;
    // The rota still has him in 官庄.
    assert_eq!(moved, (200, json!("township"), json!(["官庄镇", "麻溪铺镇"])));
    let stands_in =
        townships(&|county| on_rota(Role::TownshipDuty, Some("麻溪铺镇"))(county)).await;
    assert_eq!(stands_in.2, json!(["官庄镇", "麻溪铺镇"]));
    let on_county_duty = townships(&|county| on_rota(Role::CountyDuty, None)(county)).await;
    assert_eq!(on_county_duty, (200, json!("officer"), json!([])));
    let misspelt = |county: &mut County| {
        is("t1", post, Some("官庄"))(county);
        county.duties.clear();
    };
    let nowhere = townships(&misspelt).await.0;
    assert_eq!(nowhere, 401, "no grid has this name: an empty board would look like peace");
    let (status, me) = me(&world, &county, is("o1", Post::TownshipOfficer, Some("官庄镇"))).await;
    // The rota has him on the county's duty.
    assert_eq!((status, &me["role"]), (200, &json!("officer")));
}

#[tokio::test]
async fn a_township_gets_no_link_to_the_ops_page_and_none_without_ground() {
    let mut county = two_townships();
    let person = county.people.iter_mut().find(|it| it.id.as_str() == "t2").expect("there");
    person.township = Some("麻溪埔镇".to_owned());
    county.duties.retain(|it| it.person.as_str() != "t2");
    let world = World::of(Config::default(), county).await;
    let ask = async |person: &str, role: &str| world.asks_link(person, role).await;
    ask("t1", "officer").await.ok();
    for (person, role, words) in [("t1", "ops", "调参页"), ("t2", "officer", "网格")] {
        let refused = ask(person, role).await;
        assert_eq!(refused.refused(), (422, "invalid".to_owned()));
        assert!(refused.text().contains(words), "{}", refused.text());
    }
}

struct Stream {
    socket: TcpStream,
    text: String,
}

impl Stream {
    async fn open(server: &Server, room: &Browser) -> Self {
        let mut socket = TcpStream::connect(server.address).await.expect("connects");
        let cookie = room.cookie.as_deref().expect("logged in");
        let request =
            format!("GET /api/v1/stream HTTP/1.1\r\nHost: huoyan\r\nCookie: {cookie}\r\n\r\n");
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut stream = Self { socket, text: String::new() };
        assert!(stream.hears("\r\n\r\n").await);
        stream
    }

    async fn hears(&mut self, what: &str) -> bool {
        let reading = async {
            let mut buffer = [0; 4096];
            while !self.text.contains(what) {
                match self.socket.read(&mut buffer).await {
                    Ok(0) | Err(_) => return false,
                    Ok(read) => self.text.push_str(&String::from_utf8_lossy(&buffer[..read])),
                }
            }
            true
        };
        tokio::time::timeout(Duration::from_secs(2), reading).await.unwrap_or(false)
    }
}

#[tokio::test]
async fn a_township_hears_of_its_own_and_of_what_leaves_it() {
    let world = world().await;
    let [guanzhuang, county, _] = rooms(&world).await;
    let server = Server::of(world.state.clone()).await;
    let mut stream = Stream::open(&server, &guanzhuang).await;
    let east = called(&county, 110.45, 300.0).await;
    let west = called(&county, 110.33, 300.0).await;
    assert!(stream.hears(&text(&west["id"])).await);
    assert!(!stream.text.contains(&text(&east["id"])), "{}", stream.text);

    // Somewhere around the border; then a second caller knows better: it is in the east.
    let about = called(&county, 110.388, 2_000.0).await;
    let id = text(&about["id"]);
    assert!(stream.hears(&id).await);
    let better = called(&county, 110.407, 200.0).await;
    assert_eq!(better["id"], about["id"], "one fire");
    assert_eq!(better["place"]["township"], "麻溪铺镇");
    let path = format!("/api/v1/incidents/{id}");
    assert_eq!(guanzhuang.get(&path).await.refused().0, 404);
    stream.text.clear();
    act(&county, &about, "note", json!({"words": "已确认位置"})).await.ok();
    assert!(stream.hears(&id).await, "so that the board takes the card off");
}
