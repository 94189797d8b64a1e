//! A ranger without data answers the text: "1" is an acknowledgement, once. Unclear replies are
//! left to the duty officer.

use crate::http_support::{Answer, Browser, INBOUND_KEY, World, at};
use axum::body::Body;
use axum::http::{Request, header};
use huoyan::store::Access;
use serde_json::{Value, json};

const SMS: &str = "/api/v1/inbound/sms";
const VOICE: &str = "/api/v1/inbound/voice";
const R1: &str = "13900000001";

#[tokio::test]
async fn a_reply_of_1_acknowledges_once_and_2_arrives() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = sent(&officer, "r1", 0).await;
    world.minutes_pass(4);
    let first = sms(&world, "+86 139-0000-0001", "1", "gw-1").await.ok();
    assert_eq!(first["taken"], true);
    assert!(
        first["words"]
            .as_str()
            .is_some_and(|words| words.contains("1121-01") && words.contains("已接收")),
        "{first}"
    );
    let incident = read(&officer, &id).await;
    assert_eq!(incident["state"], "acknowledged");
    let step = &incident["dispatch"]["acknowledged"];
    assert_eq!((&step["means"]["means"], &step["late"]), (&json!("sms_reply"), &json!(false)));
    assert_eq!(last(&incident)["actor"], json!({"kind": "ranger", "person": "r1"}));

    world.minutes_pass(1);
    assert_eq!(
        sms(&world, R1, "1", "gw-1").await.ok(),
        first,
        "the gateway's second try is the same reply"
    );
    assert_eq!(read(&officer, &id).await["version"], incident["version"], "and changes nothing");

    assert_eq!(sms(&world, R1, "２", "gw-2").await.ok()["taken"], true);
    let incident = read(&officer, &id).await;
    assert_eq!(
        (&incident["state"], &incident["dispatch"]["claimed"]["unproven"]),
        (&json!("acknowledged"), &json!("no_position")),
        "a text says where nobody is"
    );
}

#[tokio::test]
async fn a_key_pressed_in_the_call_acknowledges_too() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = sent(&officer, "r1", 0).await;
    // As some gateways write it: numbers without quotes.
    let press = json!({"from": 13_900_000_001_u64, "key": 1, "id": 77});
    assert_eq!(post(&world, VOICE, Some(INBOUND_KEY), press).await.ok()["taken"], true);
    assert_eq!(
        read(&officer, &id).await["dispatch"]["acknowledged"]["means"]["means"],
        "key_press"
    );
}

#[tokio::test]
async fn a_ranger_who_cannot_go_says_so_and_the_office_decides() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = sent(&officer, "r1", 0).await;
    assert_eq!(sms(&world, R1, "0 车坏了，去不了", "gw-1").await.ok()["taken"], true);
    let incident = read(&officer, &id).await;
    assert_eq!(
        (&incident["state"], &incident["dispatch"]["declined"]),
        (&json!("needs_review"), &json!("车坏了，去不了"))
    );
}

#[tokio::test]
async fn of_two_tasks_none_is_guessed_until_the_code_says_which() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let (first, second) = (sent(&officer, "r1", 0).await, sent(&officer, "r1", 1).await);
    let answer = sms(&world, R1, "1", "gw-1").await.ok();
    assert_eq!(answer["taken"], false);
    assert!(
        answer["words"].as_str().is_some_and(|words| words.contains("13900000008")),
        "whom to call: {answer}"
    );
    for id in [&first, &second] {
        let incident = read(&officer, id).await;
        assert_eq!(incident["state"], "dispatched", "nothing was guessed");
        let note = last(&incident);
        assert_eq!(
            (&note["event"]["type"], &note["actor"]),
            (&json!("noted"), &json!({"kind": "system"}))
        );
        let words = "无法判定的短信回复 / unclear text reply: 周建国「1」（1121-01、1121-02）";
        assert_eq!(note["event"]["words"], words);
    }
    let noted = read(&officer, &first).await["version"].clone();
    assert_eq!(sms(&world, R1, "1", "gw-1").await.ok(), answer);
    assert_eq!(read(&officer, &first).await["version"], noted, "one note a reply");

    assert_eq!(sms(&world, R1, "1 1121-02", "gw-2").await.ok()["taken"], true);
    assert_eq!(read(&officer, &first).await["state"], "dispatched");
    assert_eq!(read(&officer, &second).await["state"], "acknowledged");
}

#[tokio::test]
async fn words_that_are_no_answer_are_shown_to_the_duty_officer() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let (mine, foreign) = (sent(&officer, "r1", 0).await, sent(&officer, "r2", 1).await);
    assert_eq!(sms(&world, R1, "火很大，快来人", "gw-1").await.ok()["taken"], false);
    let words = last(&read(&officer, &mine).await)["event"]["words"].clone();
    assert!(
        words.as_str().is_some_and(|words| words.contains("周建国「火很大，快来人」")),
        "{words}"
    );

    assert_eq!(
        sms(&world, R1, "1 1121-02", "gw-2").await.ok()["taken"],
        true,
        "his neighbour's: he was told of it"
    );
    let incident = read(&officer, &foreign).await;
    assert_eq!(incident["state"], "dispatched", "and it remains his neighbour's");
    assert_eq!(last(&incident)["event"]["type"], "answered");
    assert_eq!(
        read(&officer, &mine).await["state"],
        "dispatched",
        "nor is it taken for the own one"
    );

    assert_eq!(
        sms(&world, "13900000009", "1", "gw-3").await.ok()["taken"],
        false,
        "nothing was sent to the leader"
    );
}

#[tokio::test]
async fn a_reply_that_comes_after_the_closure_is_kept_and_reopens_nothing() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = sent(&officer, "r1", 0).await;
    officer
        .post(&format!("/api/v1/incidents/{id}/false-alarm"), json!({"reason": "dust"}))
        .await
        .ok();
    world.minutes_pass(50);
    let late = sms(&world, R1, "1", "gw-1").await.ok();
    assert!(late["words"].as_str().is_some_and(|words| words.contains("留存")), "{late}");
    assert_eq!(sms(&world, R1, "1", "gw-1").await.ok(), late);
    assert_eq!(sms(&world, R1, "又冒烟了", "gw-2").await.ok()["taken"], false);
    let incident = read(&officer, &id).await;
    assert_eq!(
        (&incident["state"], &incident["dispatch"]["acknowledged"]),
        (&json!("closed"), &Value::Null)
    );
    let log = incident["log"].as_array().expect("a log");
    let kept: Vec<_> = log.iter().filter(|it| it["event"]["type"] == "late_action_kept").collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept[1]["event"]["words"].as_str().is_some_and(|words| words.contains("又冒烟了")));
}

#[tokio::test]
async fn a_neighbour_who_was_only_told_is_answered_after_the_closure_too() {
    let world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = sent(&officer, "r2", 0).await;
    officer
        .post(&format!("/api/v1/incidents/{id}/false-alarm"), json!({"reason": "dust"}))
        .await
        .ok();
    let before = read(&officer, &id).await["log"].clone();
    for (number, text) in ["1", "好的", "0 车坏了", "好的 1121-01"].into_iter().enumerate() {
        let answer = sms(&world, R1, text, &format!("gw-{number}")).await.ok();
        assert_eq!(answer["taken"], false, "{text}");
        assert!(
            answer["words"].as_str().is_some_and(|words| words.contains("没有派给您的任务")),
            "{text}: {answer}"
        );
    }
    assert_eq!(read(&officer, &id).await["log"], before);
}

#[tokio::test]
async fn only_the_gateway_and_only_known_numbers_are_heard() {
    let mut world = World::new().await;
    let officer = world.browser("o1", Access::Officer).await;
    let id = sent(&officer, "r1", 0).await;
    let one = json!({"from": R1, "text": "1", "id": "gw-1"});
    for key in [None, Some("guess"), Some("")] {
        assert_eq!(
            post(&world, SMS, key, one.clone()).await.refused(),
            (401, "unauthenticated".to_owned()),
            "{key:?}"
        );
    }
    assert_eq!(officer.post(SMS, one.clone()).await.refused().0, 401, "a session is no key");
    let unknown = sms(&world, "13811112222", "1", "gw-2").await;
    assert_eq!(unknown.refused(), (422, "invalid".to_owned()));
    assert!(!unknown.text().contains("13811112222"));
    for (from, text, id) in [("", "1", "gw-3"), ("江口村", "1", "gw-4")] {
        assert_eq!(sms(&world, from, text, id).await.refused().0, 422, "{from:?}");
    }
    assert_eq!(
        sms(&world, R1, "1", " ").await.refused().0,
        400,
        "without an id a repeat would not be known"
    );
    assert_eq!(sms(&world, R1, &"长".repeat(2001), "gw-5").await.refused().0, 400);
    assert_eq!(sms(&world, R1, &"x".repeat(70_000), "gw-6").await.refused().0, 413);
    assert_eq!(read(&officer, &id).await["state"], "dispatched");

    world.state.inbound_key_hash = None;
    let off = post(&world, SMS, Some(INBOUND_KEY), one).await;
    assert_eq!(off.refused(), (404, "not_found".to_owned()));
    assert!(off.text().contains("HUOYAN_INBOUND_KEY"), "it says what to set: {}", off.text());
    let paths = world.stranger().get("/openapi.json").await.ok()["paths"].clone();
    assert!(paths[SMS].is_object() && paths[VOICE].is_object());
}

// ---- helpers
// -------------------------------------------------------------------------------------------------------

/// A fire in the first grid, each 3 km north of the previous one, to which this ranger is
/// dispatched.
async fn sent(officer: &Browser, ranger: &str, north: u8) -> String {
    let place = at(28.45 + 0.03 * f64::from(north), 110.35);
    let call = json!({"at": place, "radius_m": 300.0, "who": "12119", "words": "看到浓烟"});
    let id = officer.post("/api/v1/incidents", call).await.ok()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    officer
        .post(&format!("/api/v1/incidents/{id}/dispatch"), json!({ "ranger": ranger }))
        .await
        .ok();
    id
}

async fn sms(world: &World, from: &str, text: &str, id: &str) -> Answer {
    post(world, SMS, Some(INBOUND_KEY), json!({"from": from, "text": text, "id": id})).await
}

/// Posts like a gateway: no cookie, no idempotency key.
async fn post(world: &World, path: &str, key: Option<&str>, body: Value) -> Answer {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    if let Some(key) = key {
        request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
    }
    world.stranger().send(request.body(Body::from(body.to_string())).expect("a request")).await
}

async fn read(officer: &Browser, id: &str) -> Value {
    officer.get(&format!("/api/v1/incidents/{id}")).await.ok()
}

fn last(incident: &Value) -> &Value {
    incident["log"].as_array().and_then(|log| log.last()).expect("a log")
}
