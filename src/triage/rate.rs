//! Pure: from a count to a rate. The exact two-sided 95 % interval of a Poisson count (Garwood,
//! Biometrika 28, 1936): 2.5 % on each side.

/// Probability left out on each side.
const TAIL: f64 = 0.025;
/// Number of bisections: the error is far below any digit shown.
const HALVINGS: u32 = 80;

/// Lower and upper end of the expected count for this count. For 0: 0 and 3.69.
pub fn garwood(counted: u64) -> (f64, f64) {
    let n = counted as f64;
    // The upper end lies less than ten standard deviations above, and below 4 for a count of 0.
    let upper = bisect(n, n + 10.0 * (n + 1.0).sqrt(), |mean| at_most(counted, mean) > TAIL);
    let lower = match counted.checked_sub(1) {
        None => 0.0,
        Some(less) => bisect(0.0, n, |mean| at_most(less, mean) > 1.0 - TAIL),
    };
    (lower, upper)
}

/// Where `is_below` turns false.
fn bisect(mut low: f64, mut high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    for _ in 0..HALVINGS {
        let middle = low.midpoint(high);
        *if is_below(middle) { &mut low } else { &mut high } = middle;
    }
    low.midpoint(high)
}

/// Probability of at most `most` events when `mean` are expected. Uses logarithms, because e^-mean
/// vanishes from 745 on.
fn at_most(most: u64, mean: f64) -> f64 {
    let mut log_term = -mean;
    let mut sum = log_term.exp();
    for k in 1..=most {
        log_term += (mean / k as f64).ln();
        sum += log_term.exp();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::garwood;

    /// Chi-square quantiles as printed in tables: chi2(0.025, 2n) / 2 and chi2(0.975, 2n + 2) / 2.
    #[test]
    fn the_interval_is_the_one_of_the_tables() {
        for (counted, lower, upper) in [
            (0, 0.0, 3.6889),
            (1, 0.0253, 5.5716),
            (2, 0.2422, 7.2247),
            (5, 1.6235, 11.6683),
            (10, 4.7954, 18.3904),
            (100, 81.3639, 121.6272),
        ] {
            let (low, high) = garwood(counted);
            assert!(
                (low - lower).abs() < 1e-3 && (high - upper).abs() < 1e-3,
                "{counted}: {low} {high}"
            );
        }
        let (low, high) = garwood(10_000);
        assert!(
            low > 9_800.0 && low < 9_810.0 && high > 10_195.0 && high < 10_200.0,
            "{low} {high}"
        );
    }
}
