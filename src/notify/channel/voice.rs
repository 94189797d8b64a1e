//! 语音外呼: the gateway reads the text aloud.

use super::{LONGEST, Limit};
use jiff::SignedDuration;

/// 400 characters of a call, which is a minute and a half, or the texts of five calls.
pub(super) const BYTES_MAX: usize = 1200;

/// Per called number (help.aliyun.com/en/vms, getting started): 1 a minute, 5 an hour, 20 in 24
/// hours.
pub(super) const LIMITS: &[Limit] = &[
    Limit { count: 1, within: SignedDuration::from_mins(1) },
    Limit { count: 5, within: SignedDuration::from_hours(1) },
    Limit { count: 20, within: LONGEST },
];

pub(super) const BY_HAND: &str = "没有语音网关，请人工电话 / no voice gateway: please phone";
