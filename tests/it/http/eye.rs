//! What the ops page says of the eye: its licence, and what the machine holds.

use crate::http_support::{Browser, World};
use axum::body::Body;
use axum::http::{Request, header};
use huoyan::frame::{Capacity, Eye, Licence};
use huoyan::store::Access;
use huoyan::triage::detection::ModelVersion;
use jiff::SignedDuration;
use serde_json::{Value, json};

async fn cameras(ops: &Browser, lang: &str) -> Value {
    let request = Request::get("/api/v1/ops/cameras").header(header::ACCEPT_LANGUAGE, lang).body(Body::empty());
    ops.send(request.expect("a request")).await.ok()
}

/// Whoever chooses a model must see what may be done with it, in the language of the page; and a machine that is too small says so
/// before looks come late.
#[tokio::test]
async fn the_ops_page_says_the_licence_and_what_the_machine_holds() {
    let world = World::new().await;
    let ops = world.browser("o1", Access::Ops).await;
    assert_eq!(cameras(&ops, "zh").await["eye"], Value::Null, "no model is loaded");

    let model = ModelVersion { name: "smoke-fire".to_owned(), version: "0.2.0".to_owned() };
    let [name, note_zh, note_en] = ["non-commercial", "仅供试用", "for trials"].map(str::to_owned);
    let licence = Licence { name, note_zh, note_en };
    let capacity = |look_ms| Some(Capacity::of(look_ms, 2, 2, SignedDuration::from_secs(10)));
    world.state.status.set_eye(Some(Eye { model: model.clone(), licence: Some(licence), capacity: capacity(92.0) }));
    for (lang, note) in [("zh-CN", "仅供试用"), ("en-GB", "for trials")] {
        let eye = &cameras(&ops, lang).await["eye"];
        assert_eq!(eye["licence"], json!({ "name": "non-commercial", "note": note }));
        assert_eq!((&eye["capacity"]["holds"], &eye["registered"]), (&json!(142), &json!(1)));
        assert_eq!(eye["stretched_s"], Value::Null, "one camera is few");
    }
    world.state.status.set_eye(Some(Eye { model, licence: None, capacity: capacity(60_000.0) }));
    let eye = &cameras(&ops, "en").await["eye"];
    assert_eq!((&eye["licence"], &eye["stretched_s"]), (&Value::Null, &json!(10.0)), "none stated; it holds none");
}
