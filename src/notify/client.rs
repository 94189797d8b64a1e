//! The one HTTP client: rustls with ring, no redirects (a key must not go to another host), short
//! timeouts, and bounded answers.

use crate::error::{Error, Kind, Result};
use reqwest::{Client, Response};
use serde_json::Value;
use std::time::Duration;

/// Our own server answers within its limit of 15 s or not at all.
const OWN_SERVER: Duration = Duration::from_secs(20);
/// An address that accepts no connection is known to be dead sooner than one that answers slowly.
const CONNECTED_WITHIN: Duration = Duration::from_secs(10);
/// A gateway's answer is a line, a problem from our own server a page. Anything longer is something
/// else.
const ANSWER_MAX: usize = 64 * 1024;

/// `within`: from the start of the request to the end of the answer.
pub(super) fn new(within: Duration) -> Result<Client> {
    // An error here means that the process has a provider already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .timeout(within)
        .connect_timeout(CONNECTED_WITHIN)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|e| Error::internal("cannot create an HTTP client").because(e))
}

/// Posts JSON to a running Huoyan and returns its answer, `null` for an empty one: for commands
/// such as `huoyan drill`.
///
/// # Errors
/// `Unavailable` when nobody answers; otherwise the kind and words of the answer's problem details.
pub async fn post_json(url: &str, bearer: Option<&str>, body: &Value) -> Result<Value> {
    let request = new(OWN_SERVER)?
        .post(url)
        .header("Idempotency-Key", uuid::Uuid::now_v7().to_string())
        .json(body);
    let request = match bearer {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    let response = request.send().await.map_err(|e| {
        Error::unavailable("no answer from the server: is huoyan running?")
            .because(without_address(e))
    })?;
    let status = response.status();
    let bytes = bounded(response)
        .await
        .map_err(|e| Error::unavailable("the answer is incomplete").because(without_address(e)))?
        .ok_or_else(|| {
            Error::unavailable("the answer is too long: does this address belong to huoyan?")
        })?;
    let answer: Value = if bytes.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&bytes).unwrap_or_default()
    };
    if status.is_success() {
        return Ok(answer);
    }
    let kind = match status.as_u16() {
        400 | 413 | 422 => Kind::Invalid,
        401 => Kind::Unauthenticated,
        403 => Kind::Forbidden,
        404 => Kind::NotFound,
        409 => Kind::Conflict,
        429 => Kind::TooMany,
        502..=504 => Kind::Unavailable,
        _ => Kind::Internal,
    };
    let words = answer["detail"].as_str().or(answer["title"].as_str());
    Err(Error::new(
        kind,
        words.map_or_else(|| format!("the server answers {status}"), ToOwned::to_owned),
    ))
}

/// The body of an answer, read up to [`ANSWER_MAX`]. `None` when it is longer; the rest is not
/// read.
pub(super) async fn bounded(mut response: Response) -> reqwest::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if bytes.len() + chunk.len() > ANSWER_MAX {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// The error with all its causes, without the address, which may hold a key.
pub(super) fn words(error: reqwest::Error) -> String {
    Error::unavailable("")
        .because(without_address(error))
        .chain()
        .trim_start_matches(": ")
        .to_owned()
}

fn without_address(error: reqwest::Error) -> reqwest::Error {
    error.without_url()
}
