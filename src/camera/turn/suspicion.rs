//! Pure: which suspicion is news. A suspicion below the alarm threshold buys extra looks for a
//! limited time, and again only after the camera has been calm for as long. So a cloud that half
//! looks like smoke all day does not cost extra looks all day.

use jiff::{SignedDuration, Timestamp};

#[derive(Debug, Default)]
pub(super) struct Suspicion {
    /// The first suspicion of the present series.
    began_at: Timestamp,
    last_at: Timestamp,
}

impl Suspicion {
    /// Records a suspicion. Returns until when the camera gets extra looks; None when that time is
    /// over.
    pub(super) fn raised(&mut self, now: Timestamp, lasts: SignedDuration) -> Option<Timestamp> {
        let calm = now.duration_since(self.last_at);
        if calm > lasts || calm.is_negative() {
            self.began_at = now;
        }
        self.last_at = now;
        self.began_at.checked_add(lasts).ok().filter(|until| now < *until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_of_suspicion_is_news_and_after_a_minute_of_calm_the_next() {
        let lasts = SignedDuration::from_secs(60);
        let at =
            |s: i64| Timestamp::from_second(1_790_000_000 + s).expect("a time in this century");
        let mut suspicion = Suspicion::default();
        for (now_s, until_s) in [
            (0, Some(60)),
            (10, Some(60)),
            (50, Some(60)),
            (60, None),
            (110, None),
            (170, None),
            (231, Some(291)),
            (240, Some(291)),
            (-500, Some(-440)),
        ] {
            assert_eq!(suspicion.raised(at(now_s), lasts), until_s.map(at), "at {now_s} s");
        }
    }
}
