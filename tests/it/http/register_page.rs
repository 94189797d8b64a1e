//! What the page of the registers asks for: who changed each row and what is wrong with it, what
//! follows from a change, sheets in and out, and days without anybody.

use super::registers::{Office, office, row};
use crate::http_support::Browser;
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use serde_json::{Value, json};
use std::fs;
use uuid::Uuid;

const PEOPLE: &str = "/api/v1/registers/people";

/// Brings a sheet in, as the page does.
async fn bring(
    browser: &Browser,
    path: &str,
    sheet: impl Into<Body>,
) -> crate::http_support::Answer {
    let request = Request::post(path)
        .header("Idempotency-Key", Uuid::now_v7().to_string())
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .body(sheet.into());
    browser.send(request.expect("a request")).await
}

fn words(list: &Value) -> Vec<&str> {
    let items = list.as_array().expect("a list");
    items.iter().map(|it| it["words"].as_str().expect("words")).collect()
}

#[tokio::test]
async fn officers_and_operations_open_the_page_and_rangers_get_their_own() {
    let office = office().await;
    for browser in [&office.officer, &office.ops] {
        assert_eq!(browser.get("/registers").await.status, StatusCode::OK);
    }
    let ranger = office.world.browser("r1", huoyan::store::Access::Ranger).await;
    let answer = ranger.get("/registers").await;
    assert_eq!(
        (answer.status, &answer.headers[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/ranger".parse().expect("a value"))
    );
}

/// Beside a row stand who changed it last, when and why, and what is wrong with it.
#[tokio::test]
async fn a_row_tells_where_it_comes_from_and_what_it_lacks() {
    let office = office().await;
    let Office { world, officer, ops, .. } = &office;
    let view = officer.get(PEOPLE).await.ok();
    let mut entry = row(&view, "r1");
    entry.as_object_mut().expect("cells").remove("phone");
    world.minutes_pass(10);
    let body = json!({"set": [entry], "seen": view["seen"], "why": "停机"});
    officer.post(PEOPLE, body).await.ok();

    let view = officer.get(PEOPLE).await.ok();
    let items = view["items"].as_array().expect("items");
    let number = items.iter().find(|it| it["key"] == "r1").expect("r1")["change"].clone();
    let origins = view["origins"].as_array().expect("origins");
    let origin = origins.iter().find(|it| it["number"] == number).expect("its change");
    assert_eq!(
        (&origin["by_name"], &origin["why"], &origin["at"]),
        (&json!("吴敏"), &json!("停机"), &json!("2026-11-21T06:10:00Z"))
    );
    let other = items.iter().find(|it| it["key"] == "o1").expect("o1")["change"].clone();
    let file = origins.iter().find(|it| it["number"] == other).expect("its change");
    assert_eq!(file["by_name"], "people.csv");
    let problem =
        view["problems"].as_array().expect("problems").iter().find(|it| it["key"] == "r1");
    assert!(problem.expect("a problem")["words"].as_str().expect("words").contains("没有电话"));

    assert_eq!(view["may_change"], true);
    let may = async |browser: &Browser, register: &str| {
        browser.get(&format!("/api/v1/registers/{register}")).await.ok()["may_change"].clone()
    };
    assert_eq!(may(officer, "cameras").await, false);
    assert_eq!(may(ops, "cameras").await, true);
    assert_eq!(may(ops, "county").await, false, "county.toml");
}

/// A line of the file that cannot be used stands in the list, not in a log.
#[tokio::test]
async fn a_line_that_is_not_taken_is_listed_with_its_number() {
    let office = office().await;
    let path = office.folder.path().join("people.csv");
    let text = fs::read_to_string(&path).expect("a file");
    fs::write(&path, text + "r9,,139,护林员B角,g1\n").expect("written");
    office.world.state.registry.follow().await.expect("followed");
    let view = office.officer.get(PEOPLE).await.ok();
    let problem = &view["problems"][0];
    assert_eq!((&problem["key"], &problem["line"]), (&Value::Null, &json!(4)), "{view}");
    // Whoever reads English reads it in English, whatever the server's language is.
    let said = async |lang: &str| {
        let request = Request::get(PEOPLE).header(header::ACCEPT_LANGUAGE, lang);
        let view = office.officer.send(request.body(Body::empty()).expect("a request")).await.ok();
        view["problems"][0]["words"].as_str().expect("words").to_owned()
    };
    let (zh, en) = (said("zh-CN").await, said("en").await);
    assert!(zh.contains("应为11位") && en.contains("a phone number is needed"), "{zh} {en}");
}

#[tokio::test]
async fn a_change_says_what_follows_from_it() {
    let office = office().await;
    let Office { officer, ops, .. } = &office;
    let view = officer.get(PEOPLE).await.ok();
    let seen = &view["seen"];
    let day = json!({"date": "2026-11-21", "role": "县值班", "person": "o1"});
    let body = |dry_run| json!({"set": [day], "seen": seen, "why": "排班", "dry_run": dry_run});
    let dry = officer.post("/api/v1/registers/duty", body(true)).await.ok();
    let closes = dry["follows"].as_array().expect("a list");
    assert!(
        closes.iter().any(|it| it["effect"] == "closes"
            && it["words"].as_str().expect("words").contains("2026-11-21")),
        "{dry}"
    );
    officer.post("/api/v1/registers/duty", body(false)).await.ok();
    let leaves = json!({"remove": ["o1"], "seen": seen, "dry_run": true});
    let dry = officer.post(PEOPLE, leaves).await.ok();
    assert_eq!(dry["diff"]["removed"], json!(["o1"]));
    assert!(words(&dry["follows"]).iter().any(|it| it.contains("o1")), "on the rota still: {dry}");

    let cameras = "/api/v1/registers/cameras";
    let view = ops.get(cameras).await.ok();
    let mut entry = row(&view, "c1@default");
    entry["url"] = json!("rtsp://10.0.0.2/1");
    let dry = ops.post(cameras, json!({"set": [entry], "seen": view["seen"], "dry_run": true}));
    let dry = dry.await.ok();
    assert_eq!(words(&dry["follows"]), ["c1：重新连接，记住的画面保留"]);
}

/// A number corrected today must not silently call off the successor of next month.
#[tokio::test]
async fn a_change_that_calls_off_what_is_registered_ahead_says_so() {
    let office = office().await;
    let Office { officer, .. } = &office;
    let view = officer.get(PEOPLE).await.ok();
    let with = |name: &str, phone: &str| {
        let mut entry = row(&view, "r1");
        entry["name"] = json!(name);
        entry["phone"] = json!(phone);
        entry
    };
    let ahead = json!({"set": [with("接班人", "13800000009")], "seen": view["seen"],
        "valid_from": "2030-01-01T00:00:00Z", "why": "换届"});
    let made = officer.post(PEOPLE, ahead).await.ok();
    assert_eq!(made["follows"], json!([]), "the first word of a day calls nothing off");
    let corrected = json!({"set": [with("张三", "13800000008")], "seen": made["seen"],
        "dry_run": true});
    let dry = officer.post(PEOPLE, corrected).await.ok();
    let follows = &dry["follows"][0];
    let said = follows["words"].as_str().expect("words");
    assert_eq!(follows["effect"], "cancels", "{dry}");
    assert!(said.contains("接班人") && said.contains("2030-01-01 08:00"), "{said}");
    let stand_in = json!({"set": [with("代班人", "13800000007")], "seen": made["seen"],
        "valid_from": "2029-12-20T00:00:00Z", "valid_until": "2030-01-10T00:00:00Z",
        "dry_run": true});
    let dry = officer.post(PEOPLE, stand_in).await.ok();
    let said = dry["follows"][0]["words"].as_str().expect("words");
    assert!(said.contains("推迟到 2030-01-10 08:00"), "only as long as the stand-in: {said}");
}

/// Both had the same row open; the slower one learns who was faster and why.
#[tokio::test]
async fn who_was_faster_is_named() {
    let office = office().await;
    let Office { officer, ops, .. } = &office;
    let view = officer.get(PEOPLE).await.ok();
    let with_phone = |phone: &str| {
        let mut entry = row(&view, "r1");
        entry["phone"] = json!(phone);
        json!({"set": [entry], "seen": view["seen"], "why": "新号码"})
    };
    ops.post(PEOPLE, with_phone("13900000011")).await.ok();
    let late = officer.post(PEOPLE, with_phone("13900000012")).await;
    assert_eq!(late.refused().0, 409);
    let words = late.text();
    assert!(["吴敏", "张三", "新号码"].iter().all(|it| words.contains(it)), "{words}");
}

#[tokio::test]
async fn an_undo_is_shown_before_it_is_made() {
    let office = office().await;
    let Office { world, officer, .. } = &office;
    let view = officer.get(PEOPLE).await.ok();
    let mut entry = row(&view, "r1");
    entry["phone"] = json!("13900000009");
    let body = json!({"set": [entry], "seen": view["seen"], "why": "换了手机"});
    let seen = officer.post(PEOPLE, body).await.ok()["seen"].clone();
    let undo = "/api/v1/register-changes/undo";
    let dry = officer.post(undo, json!({"number": seen, "dry_run": true})).await.ok();
    let cell = json!({"column": "phone", "before": "13900000009", "after": "13900000001"});
    assert_eq!(dry["diff"]["changed"][0]["cells"], json!([cell]));
    assert_eq!(row(&officer.get(PEOPLE).await.ok(), "r1")["phone"], "13900000009", "only shown");

    let history = officer.get("/api/v1/register-changes?register=people&key=r1").await.ok();
    let facts = &history["items"][0]["facts"];
    assert_eq!(facts[0]["before"]["phone"], "13900000001");
    assert_eq!(facts[0]["diff"]["changed"][0]["cells"][0]["after"], "13900000009");
    let others = officer.get("/api/v1/register-changes?register=burns").await.ok();
    assert_eq!(others["items"], json!([]));

    world.minutes_pass(1);
    let mut entry = row(&officer.get(PEOPLE).await.ok(), "r1");
    entry["name"] = json!("张三丰");
    officer.post(PEOPLE, json!({"set": [entry], "seen": seen, "why": "改名"})).await.ok();
    let late = officer.post(undo, json!({"number": seen, "dry_run": true})).await;
    assert_eq!(late.refused().0, 409);
    assert!(late.text().contains("改名"), "who built on it: {}", late.text());
}

/// A stand-in until Friday: the row says until when, and what comes later is listed.
#[tokio::test]
async fn what_ends_and_what_begins_by_itself_is_said() {
    let office = office().await;
    let Office { world, officer, .. } = &office;
    let view = officer.get(PEOPLE).await.ok();
    let mut entry = row(&view, "r1");
    entry["phone"] = json!("13900000009");
    let (from, until) = ("2026-11-22T16:00:00Z", "2026-11-27T16:00:00Z");
    let body = json!({"set": [entry], "seen": view["seen"], "why": "借用手机", "valid_from": from, "valid_until": until});
    officer.post(PEOPLE, body).await.ok();
    let view = officer.get(PEOPLE).await.ok();
    assert_eq!(row(&view, "r1")["phone"], "13900000001", "not yet");
    let ahead = &view["ahead"][0];
    assert_eq!((&ahead["key"], &ahead["valid_from"]), (&json!("r1"), &json!(from)));
    assert_eq!(ahead["before"]["phone"], "13900000001");
    world.minutes_pass(60 * 48);
    let view = officer.get(PEOPLE).await.ok();
    let item = view["items"].as_array().expect("items").iter().find(|it| it["key"] == "r1");
    let item = item.expect("r1");
    assert_eq!(
        (&item["entry"]["phone"], &item["valid_until"]),
        (&json!("13900000009"), &json!(until))
    );
}

/// Copied out of a spreadsheet, or its file: shown line by line, then taken with a reason.
#[tokio::test]
async fn a_sheet_is_shown_line_by_line_and_then_taken() {
    let office = office().await;
    let Office { officer, folder, .. } = &office;
    let pasted = "编号\t姓名\t电话\t岗位\t网格\nr1\t张三\t139-0000-0009\t护林员A角\tg1\n\
        r2\t李四\t12\t护林员B角\tg1\nr3\t王五\t13900000003\t护林员B角\tg1\n";
    let file = format!("{PEOPLE}/file");
    let dry = bring(officer, &format!("{file}?dry_run=true"), pasted).await.ok();
    assert_eq!((&dry["accepted"], &dry["diff"]["added"]), (&json!(2), &json!(["r3"])), "{dry}");
    assert_eq!(dry["diff"]["changed"][0]["cells"][0]["after"], "13900000009");
    assert_eq!(dry["entries"]["r3"]["name"], "王五");
    assert_eq!(dry["rejected"][0]["line"], 3);
    assert!(dry["rejected"][0]["reason"].as_str().expect("words").contains("电话"));
    let why = "%E6%96%B0%E8%8A%B1%E5%90%8D%E5%86%8C";
    assert_eq!(bring(officer, &file, pasted).await.refused().0, 400, "a reason is asked for");
    let path =
        format!("{file}?name=../%E8%8A%B1%E5%90%8D%E5%86%8C.csv&why={why}&seen={}", dry["seen"]);
    let done = bring(officer, &path, pasted).await.ok();
    assert_eq!(done["seen"].as_u64(), dry["seen"].as_u64().map(|seen| seen + 1));
    let view = officer.get(PEOPLE).await.ok();
    assert_eq!(row(&view, "r3")["name"], "王五");
    assert_eq!(row(&view, "o1")["name"], "吴敏", "who is not in the sheet stays");
    let originals = fs::read_dir(folder.path().join("originals")).expect("a folder");
    let mut names = originals.map(|it| it.expect("a file").file_name());
    assert!(names.any(|it| it.to_string_lossy().ends_with("-花名册.csv")), "kept as it came");

    let path = format!("{file}?replace=true&why={why}&seen=1");
    let stale = bring(officer, &path, PEOPLE_OF_ONE).await;
    assert_eq!(stale.refused().0, 409, "somebody has changed it since then");
    let foreign = bring(officer, &format!("{file}?dry_run=true"), "a,b\n1,2\n").await;
    assert_eq!(foreign.refused().0, 422);
    assert!(foreign.text().contains("表头"), "{}", foreign.text());
}

/// The list of the coming days is pasted today: the page says what holds when, and it comes by
/// itself.
#[tokio::test]
async fn a_pasted_list_says_from_when_until_when_its_rows_hold() {
    let office = office().await;
    let Office { world, officer, ops, .. } = &office;
    // 14:00 in the county.
    let pasted = "编号\t姓名\t岗位\t网格\t生效\t失效\n\
        r3\t王五\t护林员B角\tg1\t2026-11-21 15:00\t2026-11-22\n";
    let file = format!("{PEOPLE}/file");
    let dry = bring(officer, &format!("{file}?dry_run=true"), pasted).await.ok();
    assert_eq!(dry["warnings"], json!([]), "{dry}");
    let dated = json!([{"key": "r3", "valid_from": "2026-11-21T07:00:00Z", "valid_until": "2026-11-22T16:00:00Z"}]);
    assert_eq!((&dry["diff"]["dated"], &dry["diff"]["added"]), (&dated, &json!(["r3"])));
    bring(officer, &format!("{file}?why=x&seen={}", dry["seen"]), pasted).await.ok();
    let view = officer.get(PEOPLE).await.ok();
    assert_eq!((&row(&view, "r3"), &view["ahead"][0]["key"]), (&Value::Null, &json!("r3")));
    let again = bring(officer, &format!("{file}?dry_run=true"), pasted).await.ok();
    assert_eq!(again["diff"]["dated"], json!([]), "it is registered already");
    world.minutes_pass(60);
    world.state.registry.follow().await.expect("followed");
    let view = officer.get(PEOPLE).await.ok();
    assert_eq!((&row(&view, "r3")["name"], &view["ahead"]), (&json!("王五"), &json!([])));

    let camera = "编号,经度,纬度,地址,生效\nc9,110.4,28.5,rtsp://10.0.0.9/1,2026-12-01\n";
    let path = "/api/v1/registers/cameras/file?dry_run=true";
    let refused = bring(ops, path, camera).await.ok();
    let reason = refused["rejected"][0]["reason"].as_str().expect("words");
    assert!(reason.contains("摄像机不能预先登记"), "{reason}");
}

const PEOPLE_OF_ONE: &str = "编号,姓名,岗位\no1,吴敏,县值班员\n";

/// What was taken out can be brought back, and no login goes out or is lost on the way.
#[tokio::test]
async fn a_register_goes_out_as_a_file_and_comes_back_as_it_was() {
    let office = office().await;
    let Office { officer, ops, world, .. } = &office;
    let answer = officer.get(&format!("{PEOPLE}/file")).await;
    assert!(answer.text().starts_with('\u{feff}'), "Excel reads it");
    assert_eq!(
        answer.headers[header::CONTENT_DISPOSITION],
        "attachment; filename=\"people-20261121.csv\""
    );
    assert_eq!(answer.headers[header::CONTENT_TYPE], "text/csv; charset=utf-8");

    let cameras = "/api/v1/registers/cameras/file";
    let sheet = ops.get(cameras).await;
    assert!(!sheet.text().contains("geheim"), "{}", sheet.text());
    let renamed = sheet.text().replace("c1,c1,", "c1,东山,");
    let path = format!("{cameras}?replace=true&why=x");
    assert_eq!(bring(officer, &path, renamed.clone()).await.refused().0, 403);
    let done = bring(ops, &path, renamed).await.ok();
    assert_eq!(done["rejected"], json!([]), "{done}");
    let cells = &done["diff"]["changed"][0]["cells"];
    assert_eq!(*cells, json!([{"column": "name", "before": "c1", "after": "东山"}]));
    let camera = world.state.registers.current().cameras[0].clone();
    assert_eq!(camera.url.expose().logins.len(), 1, "the login is still there");
    for no_table in ["county", "shift", "policy"] {
        let path = format!("/api/v1/registers/{no_table}/file");
        assert_eq!(ops.get(&path).await.refused().0, 422, "{no_table}");
    }
    for table in ["grids", "people", "cameras", "duty", "burns", "heat_sources"]
        .into_iter()
        .chain(["danger", "signals", "bans"])
    {
        let path = format!("/api/v1/registers/{table}/file");
        assert_eq!(ops.get(&path).await.status, StatusCode::OK, "{table}");
    }
}

#[tokio::test]
async fn days_without_anybody_are_found_a_month_ahead() {
    let office = office().await;
    let officer = &office.officer;
    let rota =
        "日期,岗位,人员,开始,结束\n2026-11-21,县值班,o1,,\n2026-11-22,县值班,o1,08:00,20:00\n";
    let file = "/api/v1/registers/duty/file?why=x";
    bring(officer, file, rota).await.ok();
    let answer = officer.get("/api/v1/rota-gaps?from=2026-11-20&days=4").await.ok();
    assert_eq!(answer["today"], "2026-11-21");
    let items = answer["items"].as_array().expect("items");
    let duty: Vec<_> = items
        .iter()
        .filter(|it| it["role"] == "county_duty")
        .map(|it| (it["date"].as_str().expect("a date"), it["since"].as_str()))
        .collect();
    assert_eq!(duty, [("2026-11-22", None), ("2026-11-22", Some("20:00")), ("2026-11-23", None),]);
    assert!(items.iter().all(|it| it["date"] != "2026-11-20"), "what is over is over");
    for impossible in ["2026-11-20&days=90", "2026-11-20&days=0", "9999-12-30&days=3"] {
        let path = format!("/api/v1/rota-gaps?from={impossible}");
        assert_eq!(officer.get(&path).await.refused().0, 422, "{impossible}");
    }
    let seen = officer.get(PEOPLE).await.ok()["seen"].clone();
    let end = json!({"remove": ["r1"], "seen": seen, "valid_from": "9999-12-30T21:00:00Z", "dry_run": true});
    officer.post(PEOPLE, end).await.ok();
}
