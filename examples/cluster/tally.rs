//! What the log holds, and how times spread.

use huoyan::error::Result;
use huoyan::store::Store;
use huoyan::triage::event::Event;
use huoyan::triage::id::{PictureId, SightingId};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// Events read at once.
const PAGE: u32 = 2_000;

/// Where a sighting stands in the log.
pub struct Filed {
    pub incident: String,
    pub version: u64,
    pub at: Timestamp,
}

#[derive(Default)]
pub struct Log {
    pub sightings: BTreeMap<SightingId, Vec<Filed>>,
    pub pictures: Vec<PictureId>,
}

impl Log {
    pub async fn read(store: &Store) -> Result<Self> {
        let (mut log, mut cursor) = (Self::default(), 0);
        loop {
            let entries = store.events_after(cursor, PAGE).await?;
            let Some(last) = entries.last() else { return Ok(log) };
            cursor = last.cursor;
            for entry in entries {
                let Some(recorded) = entry.recorded else { continue };
                if let Event::Opened { sighting, .. }
                | Event::SightingAdded { sighting, .. }
                | Event::Reminded { sighting } = &recorded.event
                {
                    let (incident, version) = (entry.incident.to_string(), entry.version);
                    let filed = Filed { incident, version, at: recorded.at };
                    log.sightings.entry(sighting.id).or_default().push(filed);
                    log.pictures.extend(sighting.pictures.iter().copied());
                }
            }
        }
    }
}

/// How long something took, seconds.
#[derive(Default)]
pub struct Spread {
    pub count: usize,
    pub median_s: f64,
    pub p95_s: f64,
    pub longest_s: f64,
}

impl Spread {
    pub fn new(mut all: Vec<f64>) -> Self {
        all.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let rank = (share * all.len() as f64).ceil() as usize;
            all.get(rank.saturating_sub(1)).copied().unwrap_or_default()
        };
        Self { count: all.len(), median_s: at(0.5), p95_s: at(0.95), longest_s: at(1.0) }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:5} {:8.2} {:8.2} {:8.2}",
            self.count, self.median_s, self.p95_s, self.longest_s
        )
    }
}

pub fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
