//! What a process costs, from /proc, and what the program reports about itself, from /metrics.

use huoyan::error::{Error, Result};
use procfs::process::Process;
use std::collections::BTreeMap;

#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// User and system time.
    pub cpu_s: f64,
    pub rss_mb: f64,
    /// The maximum so far.
    pub rss_max_mb: f64,
    pub threads: u64,
    pub fds: usize,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self> {
        let gone = |e| Error::unavailable(format!("process {pid} has ended")).because(e);
        let process = Process::new(pid as i32).map_err(gone)?;
        let (stat, status) = (process.stat().map_err(gone)?, process.status().map_err(gone)?);
        let mb = |kb: Option<u64>| kb.unwrap_or(0) as f64 / 1024.0;
        Ok(Self {
            cpu_s: (stat.utime + stat.stime) as f64 / procfs::ticks_per_second() as f64,
            rss_mb: mb(status.vmrss),
            rss_max_mb: mb(status.vmhwm),
            threads: status.threads,
            fds: process.fd_count().map_err(gone)?,
        })
    }
}

/// One reading of /metrics.
#[derive(Clone, Debug, Default)]
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Prometheus text: `name{labels} value`.
    pub fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        });
        Self(samples.collect())
    }

    /// The increase since an earlier reading.
    pub fn since(&self, earlier: &Self) -> Self {
        let more = |(name, value): (&String, &f64)| (name.clone(), value - earlier.get(name));
        Self(self.0.iter().map(more).collect())
    }

    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    /// A quantile of a histogram, linear within its bucket; None without a sample.
    pub fn quantile(&self, name: &str, q: f64) -> Option<f64> {
        let bound = |key: &str| {
            key.strip_prefix(name)?.strip_prefix("_bucket{le=\"")?.strip_suffix("\"}")?.parse().ok()
        };
        let mut buckets: Vec<(f64, f64)> =
            self.0.iter().filter_map(|(key, count)| Some((bound(key)?, *count))).collect();
        buckets.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0));
        let wanted = q * buckets.last().map(|(_, count)| *count).filter(|count| *count > 0.0)?;
        let (mut low, mut before) = (0.0, 0.0);
        for (high, count) in buckets {
            if count >= wanted {
                let inside =
                    if count > before { (wanted - before) / (count - before) } else { 0.0 };
                // The last bucket has no upper bound, so only its lower bound is known.
                return Some(if high.is_finite() { low + (high - low) * inside } else { low });
            }
            (low, before) = (high, count);
        }
        None
    }
}
