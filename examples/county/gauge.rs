//! What a process costs, from /proc, and what the program says of itself, from /metrics.

use huoyan::error::{Error, Result};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Linux tells CPU time in hundredths of a second, whatever the kernel's own tick.
const TICKS_PER_S: f64 = 100.0;

#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// User and system.
    pub cpu_s: f64,
    pub rss_mb: f64,
    /// The most it ever was.
    pub rss_max_mb: f64,
    pub threads: u64,
    pub fds: usize,
}

impl Usage {
    pub fn of(pid: u32) -> Result<Self> {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let gone = |e| Error::unavailable(format!("process {pid} has ended")).because(e);
        let stat = std::fs::read_to_string(folder.join("stat")).map_err(gone)?;
        // The name may hold spaces; after its bracket utime and stime are fields 12 and 13.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |i: usize| fields.get(i).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        let status = std::fs::read_to_string(folder.join("status")).map_err(gone)?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0)
        };
        Ok(Self {
            cpu_s: (ticks(11) + ticks(12)) / TICKS_PER_S,
            rss_mb: field("VmRSS") as f64 / 1024.0,
            rss_max_mb: field("VmHWM") as f64 / 1024.0,
            threads: field("Threads"),
            fds: std::fs::read_dir(folder.join("fd")).map_err(gone)?.count(),
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

    /// What has come since an earlier reading.
    pub fn since(&self, earlier: &Self) -> Self {
        let more = |(name, value): (&String, &f64)| (name.clone(), value - earlier.get(name));
        Self(self.0.iter().map(more).collect())
    }

    pub fn get(&self, name: &str) -> f64 {
        self.0.get(name).copied().unwrap_or(0.0)
    }

    /// A quantile of a histogram, linear within its bucket; None without a sample.
    pub fn quantile(&self, name: &str, q: f64) -> Option<f64> {
        let bound =
            |key: &str| key.strip_prefix(name)?.strip_prefix("_bucket{le=\"")?.strip_suffix("\"}")?.parse().ok();
        let mut buckets: Vec<(f64, f64)> =
            self.0.iter().filter_map(|(key, count)| Some((bound(key)?, *count))).collect();
        buckets.sort_by(|a: &(f64, f64), b| a.0.total_cmp(&b.0));
        let wanted = q * buckets.last().map(|(_, count)| *count).filter(|count| *count > 0.0)?;
        let (mut low, mut before) = (0.0, 0.0);
        for (high, count) in buckets {
            if count >= wanted {
                let inside = if count > before { (wanted - before) / (count - before) } else { 0.0 };
                // The last bucket has no end; then all that is known is where it begins.
                return Some(if high.is_finite() { low + (high - low) * inside } else { low });
            }
            (low, before) = (high, count);
        }
        None
    }
}
