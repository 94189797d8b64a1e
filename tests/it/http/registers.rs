//! The registers over HTTP: read as they are and as they were, changed with a reason, taken back,
//! and by whom.

use crate::fixture;
use crate::http_support::{Browser, World};
use huoyan::desk::Registry;
use huoyan::lang::Lang;
use huoyan::store::Access;
use serde_json::{Value, json};
use std::fs;
use tempfile::TempDir;

const PEOPLE: &str = "编号,姓名,电话,岗位,网格\no1,吴敏,13900000008,县值班员,\nr1,张\
    三,13900000001,护林员A角,g1\n";
const CAMERAS: &str = "编号,经度,纬度,地址\nc1,110.4,28.5,rtsp://admin:geheim@10.0.0.1/1\n";

pub(super) struct Office {
    pub world: World,
    pub officer: Browser,
    pub ops: Browser,
    pub folder: TempDir,
}

pub(super) async fn office() -> Office {
    let mut world = World::new().await;
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("people.csv"), PEOPLE).expect("written");
    fs::write(folder.path().join("cameras.csv"), CAMERAS).expect("written");
    let registry =
        Registry::open(&world.state.store, folder.path(), world.clock.clone(), Lang::Zh).await;
    world.state.registry = registry.expect("registers");
    world.state.registers = world.state.registry.registers().clone();
    let (officer, ops) =
        (world.browser("o1", Access::Officer).await, world.browser("o1", Access::Ops).await);
    Office { world, officer, ops, folder }
}

pub(super) fn row(view: &Value, key: &str) -> Value {
    let items = view["items"].as_array().expect("items");
    items.iter().find(|it| it["key"] == key).map(|it| it["entry"].clone()).unwrap_or_default()
}

#[tokio::test]
async fn a_phone_number_is_corrected_with_a_reason_and_taken_back() {
    let office = office().await;
    let (world, officer) = (&office.world, &office.officer);
    let people = "/api/v1/registers/people";
    let view = officer.get(people).await.ok();
    let mut entry = row(&view, "r1");
    assert_eq!((&entry["name"], &entry["phone"]), (&json!("张三"), &json!("13900000001")));
    entry["phone"] = json!("139-0000-0009");
    let proposal = |dry_run| json!({"set": [entry], "seen": view["seen"], "why": "换了手机", "dry_run": dry_run});
    let dry = officer.post(people, proposal(true)).await.ok();
    let cell = json!({"column": "phone", "before": "13900000001", "after": "13900000009"});
    assert_eq!(dry["diff"]["changed"][0], json!({"key": "r1", "cells": [cell]}));
    assert_eq!(dry["seen"], view["seen"], "nothing was changed");
    world.minutes_pass(10);
    let done = officer.post(people, proposal(false)).await.ok();
    assert_eq!(done["seen"].as_u64(), view["seen"].as_u64().map(|seen| seen + 1));
    assert_eq!(
        officer.post(people, proposal(false)).await.ok()["diff"]["changed"],
        json!([]),
        "sent twice, done once"
    );

    let then = officer.get(&format!("{people}?at=2026-11-21T06:05:00Z")).await.ok();
    assert_eq!(row(&then, "r1")["phone"], "13900000001", "as it was");
    let history = officer.get("/api/v1/register-changes").await.ok();
    let newest = &history["items"][0];
    assert_eq!(
        (&newest["by_name"], &newest["why"], &newest["entries"]),
        (&json!("吴敏"), &json!("换了手机"), &json!(1))
    );
    assert_eq!(newest["facts"][0]["entry"]["phone"], "13900000009");

    let (undo, number) = ("/api/v1/register-changes/undo", &newest["number"]);
    assert_eq!(
        officer.post(undo, json!({"number": number, "why": ""})).await.refused().0,
        400,
        "a reason is asked for"
    );
    officer.post(undo, json!({"number": number, "why": "看错了行"})).await.ok();
    assert_eq!(row(&officer.get(people).await.ok(), "r1")["phone"], "13900000001");
    fixture::whole(&world.state.store).await;
}

/// At 3 a.m. nobody reads a log: the board itself says which line of which file is not taken, and
/// that somebody is missing.
#[tokio::test]
async fn a_line_that_cannot_be_used_stands_on_the_board() {
    let office = office().await;
    let said = async || {
        let board = office.officer.get("/api/v1/board").await.ok();
        let parts = board["health"].as_array().expect("parts").clone();
        let part = parts.into_iter().find(|it| it["part"] == "registers").expect("the registers");
        part["words"].as_str().expect("words").to_owned()
    };
    assert!(!said().await.contains("people.csv"));
    fs::write(office.folder.path().join("people.csv"), PEOPLE.replace("张三", ""))
        .expect("written");
    office.world.state.registry.follow().await.expect("followed");
    let words = said().await;
    assert!(words.contains("people.csv:3") && words.contains("姓名"), "{words}");
}

/// Whoever opens a fire of last month reads who went then, not who has the grid now.
#[tokio::test]
async fn a_closed_incident_keeps_the_names_of_its_day() {
    let office = office().await;
    let (world, officer) = (&office.world, &office.officer);
    let report = json!({"at": {"lat_deg": 28.45, "lon_deg": 110.4}, "radius_m": 500.0, "who": "王某", "words": "山上冒烟"});
    let opened = officer.post("/api/v1/incidents", report).await.ok();
    let path = format!("/api/v1/incidents/{}", opened["id"].as_str().expect("an id"));
    officer.post(&format!("{path}/dispatch"), json!({"ranger": "r1"})).await.ok();
    let name = async || {
        let view = officer.get(&path).await.ok();
        let sent = if view["dispatch"].is_null() {
            &view["past_dispatches"][0]
        } else {
            &view["dispatch"]
        };
        sent["ranger"]["name"].clone()
    };
    assert_eq!(name().await, "张三");
    let people = "/api/v1/registers/people";
    let renamed = async |to: &str| {
        world.minutes_pass(1);
        let view = officer.get(people).await.ok();
        let mut entry = row(&view, "r1");
        entry["name"] = json!(to);
        officer
            .post(people, json!({"set": [entry], "seen": view["seen"], "why": "换人"}))
            .await
            .ok();
    };
    renamed("李四").await;
    assert_eq!(name().await, "李四", "of an open one the names of now");
    officer.post(&format!("{path}/false-alarm"), json!({"reason": "fog_or_cloud"})).await.ok();
    renamed("赵六").await;
    assert_eq!(name().await, "李四");
}

/// A dry week: the officer enters the county's level and signal and a township's ban. Board and
/// incident say so, and the burn that was approved last week is no excuse any more.
#[tokio::test]
async fn level_signal_and_ban_stand_where_people_judge() {
    let office = office().await;
    let (world, officer) = (&office.world, &office.officer);
    let square = json!({"type": "Polygon", "coordinates":
        [[[110.3, 28.4], [110.5, 28.4], [110.5, 28.5], [110.3, 28.5], [110.3, 28.4]]]});
    let grid = json!({"type": "Feature", "geometry": square,
        "properties": {"code": "g1", "name": "1号", "village": "大坪村", "township": "官庄镇"}});
    let enter = async |who: &Browser, register: &str, entry: Value| {
        let path = format!("/api/v1/registers/{register}");
        let seen = who.get(&path).await.ok()["seen"].clone();
        who.post(&path, json!({"set": [entry], "seen": seen, "why": "通知"})).await
    };
    enter(&office.ops, "grids", grid).await.ok();
    // 14:00 of 21 November in the county.
    let hours = json!({"开始": "2026-11-21", "结束": "2026-11-21 20:00"});
    let with = |more: Value| {
        let mut row = hours.clone();
        let cells = more.as_object().expect("cells").clone();
        row.as_object_mut().expect("cells").extend(cells);
        row
    };
    let danger = json!({"等级": "四级", "发布单位": "县气象局", "原因": "连续晴热"});
    enter(officer, "danger", with(danger)).await.ok();
    let signal = json!({"信号": "橙色", "发布单位": "县森防指"});
    enter(officer, "signals", with(signal)).await.ok();
    let ban = json!({"名称": "禁火令", "区域": "官庄镇", "发布单位": "县政府"});
    enter(officer, "bans", with(ban)).await.ok();
    let nowhere = with(json!({"名称": "令", "区域": "官妆镇", "发布单位": "县政府"}));
    let refused = enter(officer, "bans", nowhere).await;
    assert_eq!(refused.refused().0, 422);
    assert!(refused.text().contains("官妆镇"), "{}", refused.text());

    let board = officer.get("/api/v1/board").await.ok();
    let held = &board["in_force"];
    assert_eq!(held["danger"][0]["level"], 4);
    assert_eq!(
        (&held["danger"][0]["issuer"], &held["danger"][0]["why"]),
        (&json!("县气象局"), &json!("连续晴热"))
    );
    assert_eq!(held["signals"][0]["colour"], "orange");
    assert_eq!(held["bans"][0]["areas"], json!(["官庄镇"]));
    assert_eq!(held["bans"][0]["until"], "2026-11-21T12:00:00Z");

    let report = |lat| {
        json!({"at": {"lat_deg": lat, "lon_deg": 110.4}, "radius_m": 200.0,
        "who": "王某", "words": "冒烟"})
    };
    let inside = officer.post("/api/v1/incidents", report(28.45)).await.ok();
    assert_eq!(inside["in_force"]["bans"][0]["name"], "禁火令");
    let outside = officer.post("/api/v1/incidents", report(28.9)).await.ok();
    assert_eq!(outside["in_force"]["bans"], json!([]), "another place");
    assert_eq!(outside["in_force"]["danger"][0]["level"], 4, "the level is the whole county's");

    let burn = json!({"名称": "炼山", "经度": 110.4, "纬度": 28.45, "批准人": "镇政府"});
    enter(officer, "burns", with(burn)).await.ok();
    let board = officer.get("/api/v1/board").await.ok();
    let parts = board["health"].as_array().expect("parts").clone();
    let part = parts.into_iter().find(|it| it["part"] == "registers").expect("the registers");
    let words = part["words"].as_str().expect("words").to_owned();
    assert!(words.contains("炼山") && words.contains("禁火令"), "{words}");

    world.minutes_pass(6 * 60);
    let board = officer.get("/api/v1/board").await.ok();
    assert_eq!(board["in_force"], json!({"danger": [], "signals": [], "bans": []}), "20:00");
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words_and_changes_nothing() {
    let office = office().await;
    let officer = &office.officer;
    let people = "/api/v1/registers/people";
    let seen = officer.get(people).await.ok()["seen"].clone();
    let refused = async |register: &str, entry: Value, words: &str| {
        let path = format!("/api/v1/registers/{register}");
        let answer = officer.post(&path, json!({"set": [entry], "seen": seen, "why": "x"})).await;
        assert_eq!(answer.refused().0, 422, "{entry}: {}", answer.text());
        assert!(answer.text().contains(words), "{}", answer.text());
    };
    refused(
        "people",
        json!({"id": "r2", "name": "李四", "phone": "12", "post": "护林员B角", "grid": "g1"}),
        "11位",
    )
    .await;
    refused("people", json!({"id": "r2", "nmae": "李四"}), "nmae").await;
    // Excel would run it when somebody opens people.csv.
    for name in ["=cmd|' /C calc'!A0", "@SUM(1)", "-2+3+cmd|' /C calc'!A0"] {
        refused("people", json!({"id": "o2", "name": name, "post": "县值班员"}), "公式").await;
    }
    refused("people", json!({"id": "o\n2", "name": "李四", "post": "县值班员"}), "换行").await;
    refused("duty", json!({"date": "2026-11-22", "role": "县值班", "person": "赵六"}), "赵六")
        .await;
    refused("burns", json!({"name": "炼山"}), "经度").await;
    refused("people", json!("r2"), "各列").await;
    let second = json!({"set": [{"id": "r1", "name": "张三", "post": "监管员"}, {"id": "r2"}], "seen": seen, "why": "x"});
    let answer = officer.post(people, second).await;
    assert!(answer.text().contains("第2条"), "which of several: {}", answer.text());
    let late = json!({"set": [], "remove": ["r1"], "seen": 0, "why": "离岗"});
    assert_eq!(officer.post(people, late).await.refused().0, 409, "decided on a view from before");
    assert_eq!(officer.get(people).await.ok()["seen"], seen);
    assert_eq!(officer.get("/api/v1/registers/nothing").await.status.as_u16() / 100, 4);
}

#[tokio::test]
async fn cameras_are_for_operations_and_their_logins_for_nobody() {
    let office = office().await;
    let Office { world, officer, ops, folder } = &office;
    let cameras = "/api/v1/registers/cameras";
    let answer = officer.get(cameras).await;
    assert!(!answer.text().contains("geheim"), "{}", answer.text());
    let view = answer.ok();
    let mut entry = row(&view, "c1@default");
    entry["name"] = json!("东山");
    let proposal = json!({"set": [entry], "seen": view["seen"], "why": "挂牌"});
    assert_eq!(
        officer.post(cameras, proposal.clone()).await.refused(),
        (403, "forbidden".to_owned())
    );
    let done = ops.post(cameras, proposal).await;
    assert!(!done.text().contains("geheim"), "{}", done.text());
    done.ok();
    let camera = world.state.registers.current().cameras[0].clone();
    assert_eq!(
        (camera.name.as_str(), camera.url.expose().logins.len()),
        ("东山", 1),
        "and the login is still there"
    );
    assert!(
        fs::read_to_string(folder.path().join("cameras.csv")).expect("a file").contains("geheim")
    );
    let ranger = world.browser("r1", Access::Ranger).await;
    for path in [cameras, "/api/v1/registers/people", "/api/v1/register-changes"] {
        assert_eq!(ranger.get(path).await.refused().0, 403, "{path}");
    }
}
