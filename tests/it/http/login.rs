//! Who can log in, who stays logged in, and for how long.

use super::{link, press};
use crate::http_support::{Answer, Browser, Server, World};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use huoyan::clock::county_time;
use huoyan::config::Config;
use huoyan::county::{County, Duty, Post, Registers, SETTLED_AFTER};
use huoyan::store::Access;
use huoyan::triage::policy::Role;
use huoyan::web;
use serde_json::json;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const DAY_MINUTES: i64 = 24 * 60;

#[tokio::test]
async fn a_good_link_works_whatever_strangers_behind_the_same_router_try() {
    let world = World::new().await;
    let (stranger, good) = (world.stranger(), link(&world, "r1", Access::Ranger).await);
    for _ in 0..100 {
        assert_eq!(stranger.get("/login/x").await.status, StatusCode::OK, "a page costs nothing");
    }
    let mut answers = Vec::new();
    for _ in 0..32 {
        answers.push(press(&stranger, "/login/guess").await.status);
    }
    assert_eq!((answers[0], answers[31]), (StatusCode::GONE, StatusCode::TOO_MANY_REQUESTS));
    assert_eq!(press(&stranger, &good).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn behind_a_trusted_proxy_failures_count_by_the_phones_own_address() {
    let mut world = World::new().await;
    let guess = async |browser: &Browser, address: &str| {
        let peer: SocketAddr = "127.0.0.1:40000".parse().expect("an address");
        let request = Request::post("/login/guess")
            .header("x-forwarded-for", address)
            .extension(ConnectInfo(peer));
        browser.send(request.body(Body::empty()).expect("a request")).await.status
    };
    for (trusted, others) in
        [("[]", StatusCode::TOO_MANY_REQUESTS), ("[\"127.0.0.1\"]", StatusCode::GONE)]
    {
        let config =
            Config::parse(&format!("[server]\ntrusted_proxy = {trusted}\n")).expect("valid");
        world.state.config = Arc::new(config);
        world.state.own = web::Own::default();
        let browser = world.stranger();
        let mut last = StatusCode::OK;
        for _ in 0..32 {
            last = guess(&browser, "203.0.113.7").await;
        }
        assert_eq!(last, StatusCode::TOO_MANY_REQUESTS, "{trusted}");
        assert_eq!(guess(&browser, "203.0.113.8").await, others, "{trusted}");
    }
}

#[tokio::test]
async fn another_sites_page_logs_nobody_in_and_uses_no_link_up() {
    let world = World::new().await;
    let (stranger, path) = (world.stranger(), link(&world, "r1", Access::Ranger).await);
    for origin in ["https://evil.example", "null"] {
        let form = Request::post(&path)
            .header(header::ORIGIN, origin)
            .body(Body::empty())
            .expect("a request");
        let refused = stranger.send(form).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{origin}");
        assert!(!refused.headers.contains_key(header::SET_COOKIE));
        assert!(
            refused.text().contains("public_url"),
            "it says what to look at: {}",
            refused.text()
        );
    }
    assert_eq!(press(&stranger, &path).await.status, StatusCode::SEE_OTHER);
}

/// The same service with other registers.
fn with_county(world: &World, change: impl FnOnce(&mut County)) -> axum::Router {
    let mut county = County::clone(&world.state.registers.current());
    change(&mut county);
    let mut state = world.state.clone();
    state.registers = Registers::fixed(county);
    web::router(state)
}

#[tokio::test]
async fn whoever_leaves_the_register_or_the_office_is_out_at_the_next_request() {
    let world = World::new().await;
    let (officer, ops) =
        (world.browser("o1", Access::Officer).await, world.browser("o1", Access::Ops).await);
    let ranger = world.browser("r1", Access::Ranger).await;
    let unused = link(&world, "o1", Access::Officer).await;
    let today = world.clock.now().to_zoned(county_time()).date();
    let is = |id: &'static str, post: Post| {
        move |county: &mut County| {
            let person = county.people.iter_mut().find(|it| it.id.as_str() == id).expect("there");
            person.post = post;
        }
    };
    let status = async |browser: &Browser, router: &axum::Router| {
        let browser = Browser { router: router.clone(), ..browser.clone() };
        browser.get("/api/v1/me").await.status.as_u16()
    };
    let gone = with_county(&world, |county| county.people.clear());
    for browser in [&officer, &ops, &ranger] {
        assert_eq!(status(browser, &gone).await, 401, "no longer in the register");
    }
    assert_eq!(
        press(&Browser::new(gone), &unused).await.status,
        StatusCode::GONE,
        "nor by a link from before"
    );
    for (router, in_office, what) in [
        (with_county(&world, is("o1", Post::RangerA)), 401, "a ranger now"),
        (with_county(&world, is("o1", Post::VillageChief)), 401, "a village chief now"),
        (with_county(&world, is("o1", Post::Leader)), 200, "a leader now"),
        (
            with_county(&world, |county| {
                is("o1", Post::RangerB)(county);
                let (role, person) = (Role::CountyDuty, "o1".into());
                county.duties.push(Duty {
                    date: today,
                    begins: None,
                    ends: None,
                    role,
                    township: None,
                    grid: None,
                    person,
                });
            }),
            200,
            "the rota names him",
        ),
        (world.router(), 200, "the register put right again: nobody has to enrol anew"),
    ] {
        assert_eq!(
            (status(&officer, &router).await, status(&ops, &router).await),
            (in_office, in_office),
            "{what}"
        );
        assert_eq!(status(&ranger, &router).await, 200, "{what}: not the ranger's matter");
    }
    let promoted = with_county(&world, is("r1", Post::Leader));
    assert_eq!(status(&ranger, &promoted).await, 200, "anybody of the register may be sent");
}

#[tokio::test]
async fn the_stream_of_somebody_who_left_the_register_ends_within_seconds() {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    let people = |rows: &str| {
        std::fs::write(folder.path().join("people.csv"), format!("编号,姓名,电话,岗位\n{rows}"))
    };
    people("o1,吴敏,13900000008,县值班员\no2,何川,13900000007,县值班员\n").expect("written");
    world.state.registers =
        Registers::load(Path::new(folder.path()), world.state.clock.now()).expect("read");
    let (leaves, stays) =
        (world.browser("o1", Access::Officer).await, world.browser("o2", Access::Officer).await);
    let server = Server::of(world.state.clone()).await;
    let open = async |browser: &Browser| {
        let mut socket = TcpStream::connect(server.address).await.expect("connects");
        let cookie = browser.cookie.as_deref().expect("logged in");
        let request = format!(
            "GET /api/v1/stream HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: \
                {cookie}\r\n\r\n"
        );
        socket.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = [0; 15];
        socket.read_exact(&mut answer).await.expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
        socket
    };
    let (mut leaving, mut staying) = (open(&leaves).await, open(&stays).await);
    people("o2,何川,13900000007,县值班员\n").expect("written");
    let (registers, now) = (&world.state.registers, world.state.clock.now());
    assert!(!registers.reload_if_changed(now).expect("it may still be being saved"));
    assert!(registers.reload_if_changed(now + SETTLED_AFTER).expect("read"));
    let mut text = String::new();
    timeout(Duration::from_secs(5), leaving.read_to_string(&mut text))
        .await
        .expect("ends")
        .expect("text");
    let more = timeout(Duration::from_secs(1), staying.read_to_string(&mut text)).await;
    assert!(more.is_err(), "who stays hears on");
}

fn renewed(answer: &Answer) -> Option<String> {
    answer.headers.get(header::SET_COOKIE).map(|it| it.to_str().expect("text").to_owned())
}

#[tokio::test]
async fn a_phone_that_is_used_once_a_month_stays_logged_in() {
    let world = World::new().await;
    let mut phone = world.browser("r1", Access::Ranger).await;
    assert_eq!(renewed(&phone.get("/api/v1/ranger").await), None, "just logged in");
    for month in 1..=3 {
        world.minutes_pass(29 * DAY_MINUTES);
        let answer = phone.get("/api/v1/ranger").await;
        assert_eq!(answer.status, StatusCode::OK, "month {month}");
        let cookie = renewed(&answer).expect("the browser must keep it on");
        for part in ["Max-Age=2592000", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{part} in {cookie}");
        }
        // Stores the cookie like a browser.
        phone.cookie = cookie.split(';').next().map(str::to_owned);
        assert_eq!(renewed(&phone.get("/api/v1/ranger").await), None, "once an hour is enough");
    }
    world.minutes_pass(2 * 60);
    let gone = phone.post("/api/v1/logout", json!({})).await;
    assert!(renewed(&gone).is_some_and(|cookie| cookie.contains("Max-Age=0")), "{gone:?}");
}

#[tokio::test]
async fn links_are_made_for_people_of_the_register_and_for_their_post() {
    let world = World::new().await;
    let ask = async |person: &str, role: &str| world.asks_link(person, role).await;
    for (person, role, words) in [
        ("nobody", "ops", "登记册里没有此人"),
        ("r1", "officer", "岗位"),
        ("r1", "ops", "岗位"),
        ("", "ranger", "没有此人"),
    ] {
        let refused = ask(person, role).await;
        assert_eq!(refused.refused(), (422, "invalid".to_owned()), "{person} {role}");
        assert!(
            refused.json()["detail"].as_str().is_some_and(|it| it.contains(words)),
            "{}",
            refused.text()
        );
    }
    for (person, role) in [("r1", "ranger"), ("o1", "ops"), ("l1", "officer"), ("o1", "ranger")] {
        ask(person, role).await.ok();
    }
}

#[tokio::test]
async fn browsers_are_told_what_pages_may_do_and_to_come_by_https_where_there_is_https() {
    let mut world = World::new().await;
    for (url, forced) in
        [("http://10.0.0.5:8131", None), ("https://huoyan.example", Some("max-age=2592000"))]
    {
        world.state.config =
            Arc::new(Config::parse(&format!("[server]\npublic_url = \"{url}\"\n")).expect("valid"));
        let page = world.stranger().get("/ranger").await;
        let said = |name: &str| page.headers.get(name).map(|it| it.to_str().expect("text"));
        assert_eq!(said("strict-transport-security"), forced, "{url}");
        assert_eq!(said("cross-origin-opener-policy"), Some("same-origin"));
        let may = said("permissions-policy").unwrap_or_default();
        assert!(may.contains("geolocation=(self)") && may.contains("microphone=()"), "{may}");
    }
}
