//! How many cameras this machine holds, compared with how many are registered.

use super::Finding;
use crate::app::capacity;
use crate::frame::Capacity;
use crate::lang::Lang;

pub(super) fn finding(held: &Capacity, cameras: usize, lang: Lang) -> Finding {
    const PART: &str = "capacity";
    let words = capacity::words(held, cameras, lang);
    if held.stretched_s(cameras).is_none() {
        return Finding::works(PART, words);
    }
    let cure = lang.pick(
        "换有 AVX-512 的处理器或更多核并加大 [detect] workers；或加长 [camera] cadence",
        "use a processor with AVX-512, or more cores and [detect] workers, or a longer [camera] \
        cadence",
    );
    Finding::limited(PART, words, cure)
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;
    use jiff::SignedDuration;

    #[test]
    fn more_cameras_than_the_machine_holds_are_a_finding_with_a_cure() {
        let held = Capacity::of(92.0, 0, 2, 2, SignedDuration::from_secs(10));
        assert_eq!(finding(&held, held.holds, Lang::Zh).state, State::Works);
        let many = finding(&held, held.holds + 1, Lang::Zh);
        assert!(
            many.state == State::Limited && many.cure.is_some_and(|cure| cure.contains("cadence"))
        );
    }
}
