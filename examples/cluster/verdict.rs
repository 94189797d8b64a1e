//! What became of every alarm.

use crate::program::Office;
use huoyan::error::{Error, Result};
use huoyan::store::Store;
use huoyan::triage::event::Event;
use huoyan::triage::id::{PictureId, SightingId};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

/// Events read at once.
const PAGE: u32 = 10_000;

/// Alarms that edges had on their disks, and what the log and the desks' folders hold of them.
#[derive(Default)]
pub struct Verdict {
    /// Edge, alarms on its disk, alarms that still wait there.
    edges: Vec<(&'static str, usize, usize)>,
    lost: Vec<SightingId>,
    doubled: Vec<SightingId>,
    /// Seconds from the frame's arrival at the edge to the log, in rising order.
    delays_s: Vec<f64>,
    /// Desk, and pictures of filed alarms that it lacks.
    lacking: Vec<(&'static str, usize)>,
}

impl Verdict {
    /// Nothing was lost and nothing came twice, and there was something to lose.
    pub fn is_well(&self) -> bool {
        self.lost.is_empty() && self.doubled.is_empty() && !self.delays_s.is_empty()
    }
}

/// `edges`: name, log, and what still waits. `desks`: name and folder.
pub async fn look(
    store: &Store,
    edges: &[(&'static str, PathBuf, usize)],
    desks: &[(&'static str, Office)],
) -> Result<Verdict> {
    let mut filed: BTreeMap<SightingId, Vec<Timestamp>> = BTreeMap::new();
    let mut pictures: Vec<PictureId> = Vec::new();
    for entry in store.events_after(0, PAGE).await? {
        let Some(recorded) = entry.recorded else { continue };
        if let Event::Opened { sighting, .. }
        | Event::SightingAdded { sighting, .. }
        | Event::Reminded { sighting } = recorded.event
        {
            filed.entry(sighting.id).or_default().push(recorded.at);
            pictures.extend(sighting.pictures.iter().copied());
        }
    }
    let mut verdict = Verdict::default();
    for (name, log, waiting) in edges {
        let text = std::fs::read_to_string(log).map_err(|e| {
            Error::unavailable(format!("cannot read the log {}", log.display())).because(e)
        })?;
        let alarms: Vec<_> = text.lines().filter_map(alarm).collect();
        verdict.edges.push((name, alarms.len(), *waiting));
        for (id, arrived_at) in alarms {
            match filed.get(&id).map(Vec::as_slice) {
                None => verdict.lost.push(id),
                Some([at, again @ ..]) => {
                    verdict.delays_s.push(at.duration_since(arrived_at).as_secs_f64());
                    if !again.is_empty() {
                        verdict.doubled.push(id);
                    }
                }
                Some([]) => {}
            }
        }
    }
    verdict.delays_s.sort_by(f64::total_cmp);
    for (name, office) in desks {
        let lacks = |it: &&PictureId| !office.data.join(format!("pictures/{it}.jpg")).is_file();
        verdict.lacking.push((name, pictures.iter().filter(lacks).count()));
    }
    Ok(verdict)
}

/// A line of an edge's log: `… an alarm is on the disk sighting=0192… arrived_at=2026-…`.
fn alarm(line: &str) -> Option<(SightingId, Timestamp)> {
    let word = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key));
    line.contains("an alarm is on the disk").then_some(())?;
    Some((word("sighting=")?.parse().ok()?, word("arrived_at=")?.parse().ok()?))
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, alarms, waiting) in &self.edges {
            writeln!(f, "{name}: {alarms} alarms on its disk, {waiting} still wait there")?;
        }
        for (name, pictures) in &self.lacking {
            writeln!(f, "{name}: lacks {pictures} pictures of filed alarms")?;
        }
        let late = self.delays_s.iter().filter(|delay| **delay > 5.0).count();
        let middle = self.delays_s.get(self.delays_s.len() / 2).copied().unwrap_or_default();
        let longest = self.delays_s.last().copied().unwrap_or_default();
        writeln!(
            f,
            "from the frame to the log: median {middle:.2} s, longest {longest:.1} s, over 5 s: {late}"
        )?;
        writeln!(
            f,
            "filed {}, lost {:?}, doubled {:?}",
            self.delays_s.len(),
            self.lost,
            self.doubled
        )
    }
}
