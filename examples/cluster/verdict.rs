//! What became of every alarm, and who noticed the faults.

use crate::rig::{Rig, Suffered};
use crate::screen::Seen;
use crate::tally::{Log, Spread, seconds};
use huoyan::error::{Error, Result};
use huoyan::triage::id::{PictureId, SightingId};
use jiff::{SignedDuration, Timestamp};
use std::fmt;

/// A sighting of this time after a fault still counts to it, and one that was on its way when it
/// began.
const SETTLES: SignedDuration = SignedDuration::from_secs(3);
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(1);
/// The promises.
const ON_THE_PAGE_P95_S: f64 = 1.0;
const NOBODY_NOTICES_S: f64 = 5.0;

/// One sighting's way, seconds from the edge.
struct Way {
    seen_at: Timestamp,
    is_fed: bool,
    to_the_log_s: f64,
    /// `None`: never.
    to_the_page_s: Option<f64>,
}

pub struct Verdict {
    /// Edge, alarms on its disk, alarms that still wait there.
    edges: Vec<(&'static str, usize, usize)>,
    lost: Vec<SightingId>,
    doubled: Vec<SightingId>,
    ways: Vec<Way>,
    /// What was suffered, the longest time nobody was served, and the longest wait of an action.
    faults: Vec<(String, bool, Suffering)>,
    /// Desk, and pictures of filed alarms that it lacks.
    lacking: Vec<(&'static str, usize)>,
    breaks: usize,
    outside: Suffering,
}

/// What people and sightings met in some time.
struct Suffering {
    lasted_s: f64,
    unserved_s: f64,
    acted_s: f64,
    ways: Spread,
}

/// `fed`: what the played edge kept, and how much of it waits still.
pub fn look(
    rig: &Rig,
    fed: (Vec<(SightingId, Timestamp)>, usize),
    suffered: &[Suffered],
    log: &Log,
    seen: &Seen,
) -> Result<Verdict> {
    let mut alarms = vec![(crate::feed::NAME, fed.0, fed.1)];
    for edge in &rig.edges {
        let text = std::fs::read_to_string(&edge.log).map_err(|e| {
            Error::unavailable(format!("cannot read the log {}", edge.log.display())).because(e)
        })?;
        let waits = crate::cluster::waits(&edge.office, "sightings");
        alarms.push((edge.name, text.lines().filter_map(alarm).collect(), waits));
    }
    let (mut lost, mut doubled, mut ways, mut edges) = (vec![], vec![], vec![], vec![]);
    for (name, alarms, waits) in alarms {
        edges.push((name, alarms.len(), waits));
        for (id, seen_at) in alarms {
            let Some([filed, again @ ..]) = log.sightings.get(&id).map(Vec::as_slice) else {
                lost.push(id);
                continue;
            };
            if !again.is_empty() {
                doubled.push(id);
            }
            let shown = seen.versions.get(&filed.incident).into_iter().flatten();
            let shown = shown.filter(|(version, _)| *version >= filed.version).map(|(_, at)| *at);
            ways.push(Way {
                seen_at,
                is_fed: name == crate::feed::NAME,
                to_the_log_s: seconds(seen_at, filed.at),
                to_the_page_s: shown.min().map(|at| seconds(seen_at, at)),
            });
        }
    }
    let is_in =
        |it: &Suffered, at: Timestamp| it.begun - ON_ITS_WAY <= at && at <= it.ended + SETTLES;
    let during = |it: &Suffered| Suffering {
        lasted_s: seconds(it.begun, it.ended),
        unserved_s: longest_gap(&seen.served, |at| is_in(it, at)),
        acted_s: longest(
            seen.acted.iter().filter(|(at, _)| is_in(it, *at)).map(|(a, b)| seconds(*a, *b)),
        ),
        ways: spread(ways.iter().filter(|way| is_in(it, way.seen_at))),
    };
    let calm = |at: Timestamp| !suffered.iter().any(|it| is_in(it, at));
    let outside = Suffering {
        lasted_s: 0.0,
        unserved_s: longest_gap(&seen.served, calm),
        acted_s: longest(
            seen.acted.iter().filter(|(at, _)| calm(*at)).map(|(a, b)| seconds(*a, *b)),
        ),
        ways: spread(ways.iter().filter(|way| calm(way.seen_at))),
    };
    let lacks = |it: &crate::rig::Machine| {
        let lacks = |picture: &&PictureId| {
            !it.office.data.join(format!("pictures/{picture}.jpg")).is_file()
        };
        (it.name, log.pictures.iter().filter(lacks).count())
    };
    Ok(Verdict {
        edges,
        lost,
        doubled,
        faults: suffered
            .iter()
            .map(|it| (it.fault.words(), it.fault.is_of_one_desk(), during(it)))
            .collect(),
        lacking: rig.desks.iter().map(lacks).collect(),
        breaks: seen.breaks,
        outside,
        ways,
    })
}

impl Verdict {
    /// What did not hold.
    fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        if !self.lost.is_empty() {
            broken.push(format!("lost {:?}", self.lost));
        }
        if !self.doubled.is_empty() {
            broken.push(format!("twice in the log {:?}", self.doubled));
        }
        let unseen = self.ways.iter().filter(|it| it.to_the_page_s.is_none()).count();
        if unseen > 0 {
            broken.push(format!("{unseen} filed sightings never came to the page"));
        }
        for (name, ..) in self.edges.iter().filter(|(_, alarms, _)| *alarms == 0) {
            broken.push(format!("no camera of {name} alarmed: its way was not measured"));
        }
        for (name, pictures) in self.lacking.iter().filter(|(_, pictures)| *pictures > 0) {
            broken.push(format!("{name} lacks {pictures} pictures"));
        }
        if self.outside.ways.count == 0 || self.outside.ways.p95_s > ON_THE_PAGE_P95_S {
            broken.push(format!(
                "outside of faults {} sightings were on the page within {:.2} s (p95)",
                self.outside.ways.count, self.outside.ways.p95_s
            ));
        }
        for (words, _, it) in self.faults.iter().filter(|(_, is_of_one_desk, _)| *is_of_one_desk) {
            let longest = it.unserved_s.max(it.acted_s).max(it.ways.longest_s);
            if longest > NOBODY_NOTICES_S {
                broken.push(format!("{words}: somebody noticed it for {longest:.1} s"));
            }
        }
        broken
    }

    pub fn is_well(&self) -> bool {
        self.broken().is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, alarms, waiting) in &self.edges {
            writeln!(f, "{name}: {alarms} sightings on its disk, {waiting} still wait there")?;
        }
        for (name, pictures) in &self.lacking {
            writeln!(f, "{name}: lacks {pictures} pictures of filed sightings")?;
        }
        writeln!(f, "the page's stream broke {} times", self.breaks)?;
        writeln!(f)?;
        writeln!(
            f,
            "{:38} {:>7} {:>9} {:>7}   sightings, s to the page: p50, p95, longest",
            "", "lasted", "unserved", "action"
        )?;
        let mut line = |words: &str, it: &Suffering| {
            writeln!(
                f,
                "{words:38} {:5.1} s {:7.2} s {:5.2} s   {}",
                it.lasted_s, it.unserved_s, it.acted_s, it.ways
            )
        };
        for (words, _, it) in &self.faults {
            line(words, it)?;
        }
        line("outside of faults", &self.outside)?;
        writeln!(f)?;
        let of = |is_fed: bool| self.ways.iter().filter(move |it| it.is_fed == is_fed);
        let log = |is_fed: bool| Spread::new(of(is_fed).map(|it| it.to_the_log_s).collect());
        writeln!(f, "{:66}{}", "all of the played edge, to the log", log(true))?;
        writeln!(f, "{:66}{}", "all of the cameras, from the frame to the log", log(false))?;
        writeln!(
            f,
            "{:66}{}",
            "all of the cameras, from the frame to the page",
            spread(of(false))
        )?;
        writeln!(
            f,
            "filed {}, lost {}, doubled {}",
            self.ways.len(),
            self.lost.len(),
            self.doubled.len()
        )?;
        match self.broken().as_slice() {
            [] => writeln!(f, "everything held"),
            broken => writeln!(f, "BROKEN: {}", broken.join("; ")),
        }
    }
}

fn longest(all: impl Iterator<Item = f64>) -> f64 {
    all.fold(0.0, f64::max)
}

/// To the page.
fn spread<'a>(ways: impl Iterator<Item = &'a Way>) -> Spread {
    Spread::new(ways.filter_map(|it| it.to_the_page_s).collect())
}

/// The longest time between two answers, from the one that falls into the time.
fn longest_gap(served: &[Timestamp], is_in: impl Fn(Timestamp) -> bool) -> f64 {
    let pairs = served.windows(2).filter(|pair| is_in(pair[0]));
    longest(pairs.map(|pair| seconds(pair[0], pair[1])))
}

/// A line of an edge's log: `… an alarm is kept sighting=0192… arrived_at=2026-…`.
fn alarm(line: &str) -> Option<(SightingId, Timestamp)> {
    let word = |key: &str| line.split_whitespace().find_map(|word| word.strip_prefix(key));
    line.contains(huoyan::edge::KEPT).then_some(())?;
    Some((word("sighting=")?.parse().ok()?, word("arrived_at=")?.parse().ok()?))
}
