//! 短信

use super::{LONGEST, Limit};

/// 300 characters.
pub(super) const BYTES_MAX: usize = 900;

/// Notifications per number (help.aliyun.com/document_detail/2881383.html): 50 a day.
pub(super) const LIMITS: &[Limit] = &[Limit { count: 50, within: LONGEST }];

pub(super) const BY_HAND: &str = "没有短信网关，请人工电话 / no SMS gateway: please phone";
