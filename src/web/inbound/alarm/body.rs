//! What another system sends: its body, whole and within the limits, and the alarm that it holds.

use super::told::Alarm;
use super::{mapping, xml};
use crate::lang::cut;
use crate::web::WebState;
use crate::web::http::error::{Answer, Problem};
use axum::body::Bytes;
use axum::extract::multipart::Multipart;
use axum::extract::{FromRequest, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};

/// Parts of one multipart body: the alarm, its pictures, and what some devices add.
const PARTS_MAX: usize = 16;
/// Of what a reader of JSON or XML says is wrong.
const WHY_MAX_CHARS: usize = 200;

/// What came: the alarm's text, and pictures beside it.
pub(super) struct Body {
    pub media: String,
    pub text: Bytes,
    pub pictures: Vec<Bytes>,
}

pub(super) async fn read(state: &WebState, request: Request) -> Answer<Body> {
    let media = media_of(request.headers());
    if !media.starts_with("multipart/") {
        let text = bytes(request, state).await?;
        return Ok(Body { media, text, pictures: Vec::new() });
    }
    let broken = |_| {
        Problem::invalid(
            "multipart 内容不完整或有误。",
            "The multipart body is incomplete or broken.",
        )
    };
    let mut parts = Multipart::from_request(request, state).await.map_err(|rejection| {
        let why = rejection.body_text();
        Problem::invalid(
            format!("multipart 内容有误：{why}"),
            format!("The multipart body is not valid: {why}"),
        )
    })?;
    let (mut text, mut pictures) = (None, Vec::new());
    for _ in 0..PARTS_MAX {
        let Some(part) = parts.next_field().await.map_err(broken)? else { break };
        let media = part.content_type().unwrap_or_default().to_ascii_lowercase();
        let bytes = part.bytes().await.map_err(|rejection| {
            let status = rejection.status();
            let why = rejection.body_text();
            Problem::invalid(
                format!("multipart 内容有误：{why}"),
                format!("The multipart body is not valid: {why}"),
            )
            .with_status(status)
        })?;
        if media.starts_with("image/") {
            pictures.push(bytes);
        } else if text.is_none() {
            text = Some((media, bytes));
        }
    }
    let (media, text) = text.ok_or_else(|| {
        Problem::impossible(
            "multipart 里没有告警本身，只有图片。",
            "The multipart body has pictures only, and no alarm.",
        )
    })?;
    Ok(Body { media, text, pictures })
}

fn media_of(headers: &HeaderMap) -> String {
    let media = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok()).unwrap_or_default();
    media.to_ascii_lowercase()
}

pub(super) async fn bytes(request: Request, state: &WebState) -> Answer<Bytes> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let status = rejection.status();
        let why = rejection.body_text();
        Problem::invalid(format!("请求内容有误：{why}"), format!("The request is not valid: {why}"))
            .with_status(status)
    })
}

/// In this program's own form, or by the mapping of a system that has one. `None`: by the mapping it
/// is no alarm.
pub(super) fn alarm_of(state: &WebState, system: &str, body: &Body) -> Answer<Option<Alarm>> {
    let Some(mapping) = state.config.alarms.of(system) else {
        if !(body.media.is_empty() || body.media.contains("json")) {
            return Err(Problem::invalid(
                "告警应为 JSON（Content-Type: application/json）；别的格式先在 [[alarms.systems]] 里对应。",
                "An alarm must be JSON (Content-Type: application/json); another form needs a mapping \
                in [[alarms.systems]].",
            )
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        return serde_json::from_slice(&body.text).map(Some).map_err(|e| {
            let why = unquoted(&e.to_string());
            Problem::invalid(
                format!("告警内容有误：{why}"),
                format!("The alarm is not valid: {why}"),
            )
        });
    };
    let broken = |why: String| {
        let why = unquoted(&why);
        Problem::invalid(
            format!("外部系统 {system} 的消息读不懂：{why}"),
            format!("The message of the system {system} cannot be read: {why}"),
        )
    };
    let text = std::str::from_utf8(&body.text).map_err(|e| broken(e.to_string()))?;
    let message = match text.trim_start().starts_with('<') {
        true => xml::read(text).map_err(broken)?,
        false => serde_json::from_str(text).map_err(|e| broken(e.to_string()))?,
    };
    mapping::map(mapping, &message).map_err(|words| {
        Problem::impossible(
            format!("外部系统 {system}：{}", words.zh),
            format!("The system {system}: {}", words.en),
        )
    })
}

/// What a reader says is wrong, without the value that it quotes: that may have megabytes.
fn unquoted(why: &str) -> String {
    match (why.find('"'), why.rfind('"')) {
        (Some(from), Some(to)) if from < to => {
            cut(&format!("{}…{}", &why[..from], &why[to + 1..]), WHY_MAX_CHARS)
        }
        _ => cut(why, WHY_MAX_CHARS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_is_said_without_megabytes_of_what_was_sent() {
        let long = "烟".repeat(700_000);
        let sent = [
            format!(r#"{{"id":"1","device":"c","position":"{long}"}}"#),
            format!(r#"{{"id":"1","device":"c","{long}":1}}"#),
            format!(r#"{{"id":"1","device":"c","bbox":[1,"say \"{long}\""]}}"#),
        ];
        for text in sent {
            let error = serde_json::from_str::<Alarm>(&text).expect_err("wrong");
            let why = unquoted(&error.to_string());
            assert!(why.chars().count() <= WHY_MAX_CHARS + 1, "{} characters", why.len());
        }
        let error = serde_json::from_str::<Alarm>(r#"{"id":"1","device":"c","at":"昨天"}"#);
        let why = unquoted(&error.expect_err("no time").to_string());
        assert!(!why.contains("昨天") && why.contains("line 1"), "{why}");
    }
}
