//! 企业微信群机器人: one robot for all, and people are mentioned by their numbers.

use super::{Endpoint, Key, Limit};
use jiff::SignedDuration;
use reqwest::RequestBuilder;
use serde_json::json;

/// WeCom's own limit.
pub(super) const BYTES_MAX: usize = 2048;

/// 20 a minute per robot (developer.work.weixin.qq.com/document/path/91770).
pub(super) const LIMITS: &[Limit] = &[Limit { count: 20, within: SignedDuration::from_mins(1) }];

pub(super) const BY_HAND: &str = "没有企业微信机器人，请人工电话 / no WeCom robot: please phone";

/// The errcode for "too many" (接口调用超过限制).
pub(super) const TOO_MANY: i64 = 45009;

pub(super) fn request(endpoint: &Endpoint, phones: &[&str], text: &str) -> RequestBuilder {
    let body =
        json!({ "msgtype": "text", "text": { "content": text, "mentioned_mobile_list": phones } });
    let mut url = endpoint.url.clone();
    if let Some(Key(key)) = &endpoint.key {
        url.query_pairs_mut().append_pair("key", key);
    }
    endpoint.client.post(url).json(&body)
}
