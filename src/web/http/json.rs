//! A JSON body whose errors are answered as problem details.

use super::error::Problem;
use super::limits::WORDS_MAX_CHARS;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Json, Request};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;

pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Json::from_request(request, state).await.map(|Json(body)| Self(body)).map_err(|rejection| {
            let why = rejection.body_text();
            let status = match rejection {
                JsonRejection::MissingJsonContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                ref other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                    StatusCode::PAYLOAD_TOO_LARGE
                }
                _ => StatusCode::BAD_REQUEST,
            };
            Problem::invalid(
                format!("请求内容有误：{why}"),
                format!("The request is not valid: {why}"),
            )
            .with_status(status)
        })
    }
}

/// Text that a person typed: trimmed, not empty, and within the limit.
pub(crate) fn words(text: &str, field_zh: &str, field_en: &str) -> Result<String, Problem> {
    let text = optional_words(text, field_zh, field_en)?;
    if text.is_empty() {
        return Err(Problem::invalid(
            format!("请填写{field_zh}。"),
            format!("Please give {field_en}."),
        ));
    }
    Ok(text)
}

/// The same, but may be empty.
pub(crate) fn optional_words(
    text: &str,
    field_zh: &str,
    field_en: &str,
) -> Result<String, Problem> {
    let text = text.trim();
    if text.chars().count() > WORDS_MAX_CHARS {
        return Err(Problem::invalid(
            format!("{field_zh}太长，最多{WORDS_MAX_CHARS}字。"),
            format!("{field_en} is too long: {WORDS_MAX_CHARS} characters at most."),
        ));
    }
    Ok(text.to_owned())
}
