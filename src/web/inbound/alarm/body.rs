//! What another system sends: its body, whole and within the limits, and the alarm that it holds.

use super::text::{self, Part};
use super::told::Alarm;
use super::{mapping, xml};
use crate::config::SystemMap;
use crate::lang::{Words, cut};
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

/// How pictures begin, whatever type a device gives them.
const JPEG: &[u8] = b"\xff\xd8\xff";
const PNG: &[u8] = b"\x89PNG";

/// What came: the alarm, perhaps in several parts, and pictures beside it.
pub(super) struct Body {
    pub parts: Vec<Part>,
    pub pictures: Vec<Bytes>,
}

pub(super) async fn read(state: &WebState, request: Request) -> Answer<Body> {
    let media = media_of(request.headers());
    if !media.starts_with("multipart/") {
        let bytes = bytes(request, state).await?.into();
        let parts = vec![Part { name: String::new(), media, bytes }];
        return Ok(Body { parts, pictures: Vec::new() });
    }
    let broken = |_| {
        Problem::invalid(
            "multipart 内容不完整或有误。",
            "The multipart body is incomplete or broken.",
        )
    };
    let mut fields = Multipart::from_request(request, state).await.map_err(|rejection| {
        let why = rejection.body_text();
        Problem::invalid(
            format!("multipart 内容有误：{why}"),
            format!("The multipart body is not valid: {why}"),
        )
    })?;
    let (mut parts, mut pictures) = (Vec::new(), Vec::new());
    for _ in 0..PARTS_MAX {
        let Some(field) = fields.next_field().await.map_err(broken)? else { break };
        let media = field.content_type().unwrap_or_default().to_ascii_lowercase();
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await.map_err(|rejection| {
            let status = rejection.status();
            let why = rejection.body_text();
            Problem::invalid(
                format!("multipart 内容有误：{why}"),
                format!("The multipart body is not valid: {why}"),
            )
            .with_status(status)
        })?;
        if media.starts_with("image/") || bytes.starts_with(JPEG) || bytes.starts_with(PNG) {
            pictures.push(bytes);
        } else {
            parts.push(Part { name, media, bytes: bytes.into() });
        }
    }
    if parts.is_empty() {
        return Err(Problem::impossible(
            "multipart 里没有告警本身，只有图片。",
            "The multipart body has pictures only, and no alarm.",
        ));
    }
    Ok(Body { parts, pictures })
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

/// What another system sent, as it is understood and kept.
pub(super) struct Message {
    /// `None`: by the mapping it is no alarm.
    pub alarm: Option<Alarm>,
    pub media: String,
    pub text: String,
}

/// In this program's own form, or by the mapping of a system that has one.
pub(super) fn message_of(
    mapping: Option<&SystemMap>,
    system: &str,
    parts: &[Part],
) -> Answer<Message> {
    let broken = |why: Words| {
        let Words { zh, en } = why;
        let (zh, en) = (unquoted(&zh), unquoted(&en));
        Problem::invalid(
            format!("外部系统 {system} 的消息读不懂：{zh}"),
            format!("The message of the system {system} cannot be read: {en}"),
        )
    };
    let (media, text) = text::of(parts).map_err(broken)?;
    let Some(mapping) = mapping else {
        if !(media.is_empty() || media.contains("json")) || parts.iter().all(is_form) {
            return Err(Problem::invalid(
                "告警应为 JSON（Content-Type: application/json）；别的格式（XML、表单）先在 \
                [[alarms.systems]] 里对应。",
                "An alarm must be JSON (Content-Type: application/json); another form (XML, \
                fields) needs a mapping in [[alarms.systems]].",
            )
            .with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        }
        let alarm = serde_json::from_str(&text).map(Some).map_err(|e| {
            let why = unquoted(&e.to_string());
            Problem::invalid(
                format!("告警内容有误：{why}"),
                format!("The alarm is not valid: {why}"),
            )
        })?;
        return Ok(Message { alarm, media, text });
    };
    let told = match text.trim_start().chars().next() {
        Some('<') => xml::read(&text),
        Some('{' | '[') => serde_json::from_str(&text).map_err(|e| e.to_string()),
        _ => {
            return Err(broken(Words::new(
                "既不是 JSON、XML，也不是表单；表单要写 Content-Type: \
                application/x-www-form-urlencoded",
                "it is no JSON, XML or form; a form needs Content-Type: \
                application/x-www-form-urlencoded",
            )));
        }
    };
    let told = told.map_err(|why| broken(Words::by(|_| why.clone())))?;
    let alarm = mapping::map(mapping, &told).map_err(|words| {
        Problem::impossible(
            format!("外部系统 {system}：{}", words.zh),
            format!("The system {system}: {}", words.en),
        )
    })?;
    Ok(Message { alarm, media, text })
}

fn is_form(part: &Part) -> bool {
    part.media.starts_with("application/x-www-form-urlencoded")
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
