//! Pure: how likely a fire is at each range of a line of sight.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Parts of equal probability: a sixteenth is finer than any share of a grid that is acted upon.
const PARTS: usize = 16;

/// The ranges that cut what is known of the distance into sixteen parts of equal likelihood,
/// metres, ascending. Where they lie close the fire is likely; across a valley that hides its
/// ground from the camera they lie far apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
pub struct RangeProfile([u16; PARTS + 1]);

impl RangeProfile {
    /// From weights at equal steps, beginning at `first_m`. `None` without any weight.
    pub fn new(weights: &[f64], first_m: f64, step_m: f64) -> Option<Self> {
        let cut_m = |part: usize| quantile_m(weights, first_m, step_m, part as f64 / PARTS as f64);
        let mut cuts = [0; PARTS + 1];
        for (part, cut) in cuts.iter_mut().enumerate() {
            // 65 km is farther than any line of sight is followed.
            *cut = cut_m(part)?.round() as u16;
        }
        Some(Self(cuts))
    }

    /// The range before which this share, 0..=1, of the probability lies.
    pub fn at_m(&self, share: f64) -> f64 {
        let part = share.clamp(0.0, 1.0) * PARTS as f64;
        let low = (part as usize).min(PARTS - 1);
        let [from, to] = [low, low + 1].map(|cut| f64::from(self.0[cut]));
        from + (to - from) * (part - low as f64)
    }

    pub fn mean_m(&self) -> f64 {
        self.0.windows(2).map(|cuts| f64::midpoint(cuts[0].into(), cuts[1].into())).sum::<f64>()
            / PARTS as f64
    }

    /// Probability per metre at a range, 0 outside.
    pub fn density(&self, range_m: f64) -> f64 {
        let holds = |cuts: &[u16]| (f64::from(cuts[0])..f64::from(cuts[1])).contains(&range_m);
        let width_m = |cuts: &[u16]| f64::from(cuts[1] - cuts[0]);
        self.0
            .windows(2)
            .find(|cuts| holds(cuts))
            .map_or(0.0, |cuts| 1.0 / PARTS as f64 / width_m(cuts))
    }
}

/// The range before which this share, 0..=1, of the weight lies; linear within a step.
pub fn quantile_m(weights: &[f64], first_m: f64, step_m: f64, share: f64) -> Option<f64> {
    let total: f64 = weights.iter().sum();
    if !(total > 0.0 && total.is_finite()) {
        return None;
    }
    let wanted = share * total;
    let mut before = 0.0;
    for (step, &weight) in weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
        if before + weight >= wanted {
            return Some(
                (first_m + (step as f64 + (wanted - before) / weight - 0.5) * step_m).max(first_m),
            );
        }
        before += weight;
    }
    weights
        .iter()
        .rposition(|weight| *weight > 0.0)
        .map(|last| first_m + (last as f64 + 0.5) * step_m)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_are_cut_evenly_and_a_valley_is_skipped() {
        let even = RangeProfile::new(&[1.0; 16], 1000.0, 100.0).expect("weights");
        assert!(
            (even.at_m(0.5) - 1750.0).abs() < 2.0 && (even.mean_m() - 1750.0).abs() < 30.0,
            "{even:?}"
        );
        assert!((even.density(1800.0) - 1.0 / 1600.0).abs() < 1e-5 && even.density(3000.0) == 0.0);
        let mut slopes = [0.0; 80];
        slopes[..10].fill(1.0);
        slopes[70..].fill(1.0);
        let two = RangeProfile::new(&slopes, 1000.0, 100.0).expect("weights");
        assert!(two.at_m(0.25) < 2000.0 && two.at_m(0.75) > 7900.0, "{two:?}");
        assert!(two.density(1500.0) > 20.0 * two.density(5000.0), "{two:?}");
        assert_eq!(RangeProfile::new(&[0.0; 8], 0.0, 10.0), None);
    }
}
