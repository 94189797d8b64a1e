//! 值班, 交接班: a person signs for the shift, both sign its handover, and the record knows who had it
//! at any hour.

use crate::fixture;
use crate::http_support::{Browser, World};
use huoyan::desk::Registry;
use huoyan::lang::Lang;
use huoyan::store::Access;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const PEOPLE: &str = "编号,姓名,电话,岗位,网格\no1,吴敏,13900000008,县值班员,\n\
    o2,李四,13900000009,县值班员,\nr1,张三,13900000001,护林员A角,g1\n";
const ROTA: &str = "日期,岗位,人员,开始,结束\n2026-11-21,县值班,o1,08:00,20:00\n\
    2026-11-21,县值班,o2,20:00,08:00\n";
const START: &str = "/api/v1/shift/start";
const HAND_OVER: &str = "/api/v1/shift/hand-over";

struct Office {
    world: World,
    wu: Browser,
    li: Browser,
    _folder: TempDir,
}

/// 14:00; 吴敏 is on the rota until 20:00, then 李四.
async fn office() -> Office {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in [("people.csv", PEOPLE), ("duty.csv", ROTA)] {
        fs::write(folder.path().join(name), text).expect("written");
    }
    let registry =
        Registry::open(&world.state.store, folder.path(), world.clock.clone(), Lang::Zh).await;
    world.state.registry = registry.expect("registers");
    world.state.registers = world.state.registry.registers().clone();
    let (wu, li) =
        (world.browser("o1", Access::Officer).await, world.browser("o2", Access::Officer).await);
    Office { world, wu, li, _folder: folder }
}

async fn shift(browser: &Browser) -> Value {
    browser.get("/api/v1/board").await.ok()["shift"].clone()
}

async fn opened(browser: &Browser) -> Value {
    let report = json!({"at": {"lat_deg": 28.45, "lon_deg": 110.4}, "radius_m": 500.0,
        "who": "王某", "words": "山上冒烟"});
    browser.post("/api/v1/incidents", report).await.ok()
}

#[tokio::test]
async fn the_shift_is_signed_handed_over_and_taken_by_two_people() {
    let Office { world, wu, li, _folder } = &office().await;
    let before = shift(wu).await;
    assert_eq!((&before["current"], &before["rota"]["name"]), (&Value::Null, &json!("吴敏")));
    assert_eq!(before["unsigned_since"], "2026-11-21T00:00:00Z", "nobody has signed since 08:00");

    let signed = wu.post(START, json!({})).await.ok();
    assert_eq!(signed["current"]["officer"]["name"], "吴敏");
    assert_eq!(signed["current"]["taken"], json!({"how": "started"}));
    assert_eq!((&signed["unsigned_since"], &signed["me"]["name"]), (&Value::Null, &json!("吴敏")));
    let seen_by_li = shift(li).await;
    assert_eq!(seen_by_li["current"]["officer"]["name"], "吴敏");
    assert_eq!(seen_by_li["me"]["name"], "李四", "under whose login this page acts");
    let too_soon = li.post(START, json!({})).await;
    assert_eq!(too_soon.refused().0, 409);
    assert!(too_soon.text().contains("吴敏"), "{}", too_soon.text());

    let incident = opened(wu).await;
    world.minutes_pass(6 * 60 + 5);
    let late = shift(wu).await;
    assert_eq!(
        late["unsigned_since"], "2026-11-21T12:00:00Z",
        "20:00 is over, 李四 has not signed"
    );

    let unread = wu.post(HAND_OVER, json!({"read": []})).await;
    assert_eq!(unread.refused().0, 409);
    let code = incident["code"].as_str().expect("a code");
    assert!(unread.text().contains(code), "names what was not read: {}", unread.text());
    let foreign = li.post(HAND_OVER, json!({"read": [incident["id"]]})).await;
    assert_eq!(foreign.refused().0, 409, "only who has it can hand it over");
    let sheet = json!({"read": [incident["id"]], "note": "西山有雾"});
    let handed = wu.post(HAND_OVER, sheet.clone()).await.ok();
    let handover = &handed["current"]["handover"];
    assert_eq!(
        (&handover["note"], &handover["open"][0]["code"]),
        (&json!("西山有雾"), &json!(code))
    );
    assert_eq!(
        handed["current"]["officer"]["name"], "吴敏",
        "still hers until somebody takes over"
    );
    let again = wu.post(HAND_OVER, sheet).await.ok();
    assert_eq!(again["current"]["handover"]["at"], handover["at"], "sent twice, signed once");

    world.minutes_pass(1);
    let report = json!({"at": {"lat_deg": 28.60, "lon_deg": 110.6}, "radius_m": 500.0,
        "who": "李某", "words": "又一处冒烟"});
    let late = wu.post("/api/v1/incidents", report).await.ok();
    let blind = li.post(START, json!({})).await;
    assert_eq!(blind.refused().0, 409, "what opened since the signature is in nobody's");
    let late_code = late["code"].as_str().expect("a code");
    assert!(blind.text().contains(late_code), "{}", blind.text());
    let taken = li.post(START, json!({"read": [late["id"]]})).await.ok();
    assert_eq!(taken["current"]["taken"]["opened_since"][0]["code"], late_code);
    let current = &taken["current"];
    assert_eq!(
        (&current["officer"]["name"], &current["before"]["name"]),
        (&json!("李四"), &json!("吴敏"))
    );
    assert_eq!(current["taken"]["how"], "handed_over");
    assert_eq!(current["taken"]["handover"]["open"][0]["code"], code);
    assert_eq!((&current["handover"], &taken["unsigned_since"]), (&Value::Null, &Value::Null));

    let then = wu.get("/api/v1/registers/shift?at=2026-11-21T08:00:00Z").await.ok();
    assert_eq!(then["items"][0]["entry"]["officer"], "o1", "who had it at 16:00");
    let history = wu.get("/api/v1/register-changes").await.ok();
    let signers: Vec<&Value> = history["items"]
        .as_array()
        .expect("items")
        .iter()
        .take(3)
        .map(|it| &it["by_name"])
        .collect();
    assert_eq!(signers, ["李四", "吴敏", "吴敏"], "three signatures, each under its own login");
    fixture::whole(&world.state.store).await;
}

/// At 3 a.m. one has fallen ill, or has no login here: it goes on, and the record says how.
#[tokio::test]
async fn one_person_cannot_sign_for_both_without_saying_so() {
    let Office { world, wu, li, _folder } = &office().await;
    wu.post(START, json!({})).await.ok();
    assert_eq!(li.post(START, json!({"without_handover": " "})).await.refused().0, 400);
    let why = json!({"without_handover": "吴敏发病送医"});
    let taken = li.post(START, why).await.ok();
    assert_eq!(
        taken["current"]["taken"],
        json!({"how": "without_handover", "why": "吴敏发病送医"})
    );

    world.minutes_pass(10);
    let for_them =
        |person: &str, why: &str| json!({"read": [], "signed_for": {"person": person, "why": why}});
    assert_eq!(li.post(HAND_OVER, for_them("nobody", "x")).await.refused().0, 422);
    assert_eq!(li.post(HAND_OVER, for_them("o1", "")).await.refused().0, 400);
    assert_eq!(li.post(HAND_OVER, for_them("o2", "自己")).await.refused().0, 409);
    let both = li.post(HAND_OVER, for_them("o1", "手机没电，登录链接打不开")).await.ok();
    let current = &both["current"];
    assert_eq!(
        (&current["officer"]["name"], &current["taken"]["how"]),
        (&json!("吴敏"), &json!("signed_for_both"))
    );
    assert_eq!(both["me"]["name"], "李四", "what is done here goes on under 李四's name");
    let history = li.get("/api/v1/register-changes").await.ok();
    assert_eq!(history["items"][0]["by_name"], "李四", "and the signature is 李四's");

    // No other way round: a signature is neither edited nor taken back.
    let number = &history["items"][0]["number"];
    let undo = json!({"number": number, "why": "不算"});
    assert_eq!(li.post("/api/v1/register-changes/undo", undo).await.refused().0, 403);
    let edit = json!({"remove": [""], "seen": number, "why": "x"});
    assert_eq!(li.post("/api/v1/registers/shift", edit).await.refused().0, 403);
    let ranger = world.browser("r1", Access::Ranger).await;
    assert_eq!(ranger.post(START, json!({})).await.refused().0, 403);
}

#[tokio::test]
async fn a_handover_that_nobody_takes_is_taken_back() {
    let Office { wu, .. } = &office().await;
    wu.post(START, json!({})).await.ok();
    wu.post(HAND_OVER, json!({"read": []})).await.ok();
    let back = wu.post(START, json!({})).await.ok();
    assert_eq!(
        (&back["current"]["handover"], &back["current"]["taken"]["how"]),
        (&Value::Null, &json!("started"))
    );
}
