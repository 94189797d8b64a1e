//! One gateway per channel: its requests, and the meaning of its answers. What differs between
//! channels is in one file each. Keys come from the environment and are passed to nobody else.

mod sms;
mod voice;
mod wecom;

use super::client;
use crate::config::{Config, NotifyConfig, Secret};
use crate::error::{Error, Result};
use crate::triage::policy::Channel;
use jiff::SignedDuration;
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use serde_json::{Value, json};
use std::fmt;

/// A secret; `Debug` shows only that it is set.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// The gateways' keys.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    pub sms: Option<Key>,
    pub voice: Option<Key>,
    pub wecom: Option<Key>,
}

impl Keys {
    /// # Errors
    /// `Invalid` when a configured file cannot be read.
    pub fn of(config: &Config) -> Result<Self> {
        let key = |secret| config.secret(secret).map(|it| it.map(Key));
        Ok(Self {
            sms: key(Secret::SmsKey)?,
            voice: key(Secret::VoiceKey)?,
            wecom: key(Secret::WecomKey)?,
        })
    }
}

/// At most `count` within any period of `within`.
pub(super) struct Limit {
    pub count: usize,
    pub within: SignedDuration,
}

/// No limit covers a longer period.
pub(super) const LONGEST: SignedDuration = SignedDuration::from_hours(24);

/// The vendors' limits for one number (or robot).
pub(super) fn limits(channel: Channel) -> &'static [Limit] {
    match channel {
        Channel::Sms => sms::LIMITS,
        Channel::Voice => voice::LIMITS,
        Channel::Wecom => wecom::LIMITS,
    }
}

/// The largest batch, bytes.
pub(super) fn bytes_max(channel: Channel) -> usize {
    match channel {
        Channel::Sms => sms::BYTES_MAX,
        Channel::Voice => voice::BYTES_MAX,
        Channel::Wecom => wecom::BYTES_MAX,
    }
}

/// What the board says where a channel has no gateway.
pub(super) fn by_hand(channel: Channel) -> &'static str {
    match channel {
        Channel::Sms => sms::BY_HAND,
        Channel::Voice => voice::BY_HAND,
        Channel::Wecom => wecom::BY_HAND,
    }
}

/// The configured gateways. A channel without one is served by hand.
pub(super) struct Gateways {
    sms: Option<Sender>,
    voice: Option<Sender>,
    wecom: Option<Sender>,
}

impl Gateways {
    pub(super) fn new(config: &NotifyConfig, keys: Keys) -> Result<Self> {
        let client = client::new(config.answer_within.unsigned_abs())?;
        let to = |name: &str, url: &Option<String>, key| {
            let Some(url) = url else { return Ok(None) };
            let url = url.parse().map_err(|_| {
                Error::invalid(format!(
                    "[notify] {name} is not an address such as https://sms.example.cn/send"
                ))
            })?;
            Ok(Some(Endpoint { client: client.clone(), url, key }))
        };
        if config.wecom_url.is_some() && keys.wecom.is_none() {
            return Err(Error::invalid(
                "[notify] wecom_url is set, but there is no key: neither HUOYAN_WECOM_KEY in the \
                environment (of a county of a centre with its code at the end) nor [secrets] \
                wecom_key",
            ));
        }
        Ok(Self {
            sms: to("sms_url", &config.sms_url, keys.sms)?.map(Sender::Sms),
            voice: to("voice_url", &config.voice_url, keys.voice)?.map(Sender::Voice),
            wecom: to("wecom_url", &config.wecom_url, keys.wecom)?.map(Sender::Wecom),
        })
    }

    pub(super) fn of(&self, channel: Channel) -> Option<&Sender> {
        match channel {
            Channel::Sms => self.sms.as_ref(),
            Channel::Voice => self.voice.as_ref(),
            Channel::Wecom => self.wecom.as_ref(),
        }
    }
}

#[derive(Clone)]
pub(super) enum Sender {
    /// POST {"to","text"}
    Sms(Endpoint),
    /// The same; the gateway reads the text aloud.
    Voice(Endpoint),
    /// 企业微信群机器人
    Wecom(Endpoint),
}

#[derive(Clone)]
pub(super) struct Endpoint {
    client: Client,
    url: Url,
    key: Option<Key>,
}

/// The result of handing over a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    Taken,
    /// The vendor counts differently from us. This counts as an attempt, and the next comes after
    /// `wait`.
    OverLimit {
        wait: SignedDuration,
    },
    Failed(String),
}

/// The wait when a vendor says "too many" without a time.
const LIMIT_WAIT: SignedDuration = SignedDuration::from_mins(1);

impl Sender {
    /// Posts one text under its idempotency key, which it keeps for good. A gateway that supports
    /// such keys delivers nothing twice, after a late answer as well as after a crash of ours.
    pub(super) async fn post(&self, phones: &[&str], text: &str, key: &str) -> Outcome {
        let request = match self {
            Self::Sms(endpoint) | Self::Voice(endpoint) => endpoint.plain(phones, text),
            Self::Wecom(endpoint) => wecom::request(endpoint, phones, text),
        };
        outcome(request.header("Idempotency-Key", key)).await
    }
}

impl Endpoint {
    /// POST {"to","text"}, with the key as bearer token.
    fn plain(&self, phones: &[&str], text: &str) -> RequestBuilder {
        let request =
            self.client.post(self.url.clone()).json(&json!({ "to": phones.first(), "text": text }));
        match &self.key {
            Some(Key(key)) => request.bearer_auth(key),
            None => request,
        }
    }
}

async fn outcome(request: RequestBuilder) -> Outcome {
    let response = match request.send().await {
        Ok(response) => response,
        Err(e) => {
            let why = client::words(e);
            return Outcome::Failed(format!(
                "网关不应答：{why} / the gateway does not answer: {why}"
            ));
        }
    };
    let (status, wait) = (response.status(), retry_after(&response));
    if status == StatusCode::TOO_MANY_REQUESTS {
        return Outcome::OverLimit { wait };
    }
    // Only WeCom must answer in JSON. Any other answer, or one without an end, is judged by its
    // status alone.
    let bytes = client::bounded(response).await.unwrap_or_default().unwrap_or_default();
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    match body["errcode"].as_i64() {
        Some(wecom::TOO_MANY) => Outcome::OverLimit { wait },
        Some(code) if code != 0 => {
            let words = body["errmsg"].as_str().unwrap_or_default();
            Outcome::Failed(format!("企业微信拒绝：{code} {words} / WeCom refuses: {code} {words}"))
        }
        _ if status.is_success() => Outcome::Taken,
        _ => Outcome::Failed(format!("网关回答 {status} / the gateway answers {status}")),
    }
}

fn retry_after(response: &Response) -> SignedDuration {
    let header = response.headers().get("Retry-After").and_then(|value| value.to_str().ok());
    let seconds = header.and_then(|text| text.trim().parse::<u32>().ok());
    seconds
        .map_or(LIMIT_WAIT, |seconds| SignedDuration::from_secs(i64::from(seconds.clamp(1, 3600))))
}
