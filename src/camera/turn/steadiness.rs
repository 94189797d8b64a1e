//! Pure: a connection that breaks and comes back again and again is told once, not each time.

use crate::camera::fault::Fault;
use jiff::{SignedDuration, Timestamp};

/// This number of breaks …
const BREAKS_MIN: u32 = 4;
/// … with no more than this between two of them. After as long without one it is steady again.
const CALM: SignedDuration = SignedDuration::from_mins(3);

/// Of one camera.
#[derive(Debug, Default)]
pub(super) struct Steadiness {
    breaks: u32,
    since: Timestamp,
    last_at: Timestamp,
    why: Option<Fault>,
}

impl Steadiness {
    /// A connection that gave pictures has ended.
    pub(super) fn broke(&mut self, why: &Fault, now: Timestamp) {
        if self.breaks == 0 || now.duration_since(self.last_at) > CALM {
            (self.breaks, self.since) = (0, now);
        }
        self.breaks = self.breaks.saturating_add(1);
        (self.last_at, self.why) = (now, Some(why.clone()));
    }

    /// Enough for one sentence.
    pub(super) fn unsteady(&self, now: Timestamp) -> Option<Fault> {
        let why = self.why.as_ref()?;
        if self.breaks < BREAKS_MIN || now.duration_since(self.last_at) > CALM {
            return None;
        }
        let seconds = self.last_at.duration_since(self.since).as_secs();
        // Whole minutes, rounded up.
        let minutes = (seconds + 59).div_euclid(60).max(1);
        Some(Fault::Unsteady { breaks: self.breaks, minutes, why: Box::new(why.clone()) })
    }

    /// It is received in another way now: what was before does not count.
    pub(super) fn begin_anew(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::fault::delivery::Delivery;
    use crate::camera::fault::link::{Link, Network};
    use crate::lang::Lang;

    fn after(breaks_s: impl IntoIterator<Item = i64>, now_s: i64) -> Option<String> {
        let at = |s| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(s);
        let mut steadiness = Steadiness::default();
        breaks_s.into_iter().for_each(|s| steadiness.broke(&Fault::StreamEnded, at(s)));
        steadiness.unsteady(at(now_s)).map(|fault| fault.sentence("北山", Lang::En))
    }

    #[test]
    fn many_breaks_become_one_sentence_and_a_calm_ends_it() {
        assert_eq!(after([0, 20, 40], 40), None, "three may be chance");
        assert_eq!(after([0, 200, 400, 600], 600), None, "with a calm between them");
        let said = after((0..46).map(|i| i * 16), 730).expect("46 times in 12 minutes");
        assert!(
            said.starts_with(
                "北山: unsteady: 46 reconnections in 12 min, because the camera ended"
            ),
            "{said}"
        );
        assert_eq!(after((0..46).map(|i| i * 16), 720 + 181), None, "three calm minutes later");
    }

    #[test]
    fn whatever_breaks_it_the_sentence_reads_well() {
        let network = |network| Link::Unreachable(network).into();
        for (why, zh, en) in [
            (
                network(Network::Broken),
                "因为连接不上（连接中途断开）",
                "because it cannot be reached",
            ),
            (Fault::Crashed, "因为接收该摄像机的程序出错", "because the part of the program"),
            (Delivery::Torn.into(), "因为图片传到一半中断", "because only a part of the picture"),
        ] {
            let fault = Fault::Unsteady { breaks: 9, minutes: 4, why: Box::new(why) };
            let said = [Lang::Zh, Lang::En].map(|lang| fault.sentence("北山", lang));
            assert!(said[0].contains(zh) && said[1].contains(en), "{said:?}");
        }
    }
}
