//! Pure: do the workers keep up? One sentence for the whole office, because all cameras are
//! affected alike.

use super::schedule::Round;
use jiff::{SignedDuration, Timestamp};

/// Reported when the interval between looks exceeds this, per cent of the cadence …
const STRETCHED_PERCENT: i32 = 120;
/// … for this time. A program start or a switch that comes back is over by then.
const STRETCHED_FOR: SignedDuration = SignedDuration::from_secs(30);

/// Looks are rarer than configured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Overload {
    pub round: Round,
    pub asked: SignedDuration,
}

impl Overload {
    /// What happens, and the cure: Chinese, English.
    pub fn words(&self) -> (String, String) {
        let Round { cameras, actual } = self.round;
        let (actual, asked) = (actual.as_secs_f64().round(), self.asked.as_secs_f64());
        (
            format!(
                "画面分析跟不上：{cameras} 路实际 {actual} 秒一轮（设定 {asked} 秒），\
                发现会相应推迟；请改接子码流、加大查看间隔，或换用更快的机器"
            ),
            format!(
                "analysis cannot keep up: {cameras} cameras are looked at every {actual} s \
                (configured: {asked} s), so detection is later; use sub-streams, a longer cadence \
                or a faster machine"
            ),
        )
    }
}

#[derive(Debug, Default)]
pub(crate) struct OverloadWatch {
    since: Option<Timestamp>,
    told: Option<Overload>,
}

impl OverloadWatch {
    pub(crate) fn observe(&mut self, round: Round, asked: SignedDuration, now: Timestamp) {
        if round.actual < asked * STRETCHED_PERCENT / 100 {
            *self = Self::default();
            return;
        }
        let since = *self.since.get_or_insert(now);
        if now.duration_since(since) >= STRETCHED_FOR {
            self.told = Some(Overload { round, asked });
        }
    }

    pub(crate) fn overload(&self) -> Option<Overload> {
        self.told
    }
}
