//! Pure: the figures that a simulation prints, each a fraction of counts, and their aims.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A fraction of two counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Share {
    pub good: u64,
    pub of: u64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Target {
    AtLeast(f64),
    AtMost(f64),
    /// No aim, for information only.
    None,
}

/// One printed line.
pub struct Line {
    pub key: &'static str,
    pub words: &'static str,
    pub target: Target,
}

const fn line(key: &'static str, target: Target, words: &'static str) -> Line {
    Line { key, words, target }
}

/// In the order of printing. Shares are 0..=1; "a day" and "a place" are plain quotients; minutes
/// are minutes.
pub const LINES: &[Line] = &[
    line("fires_with_incident", Target::AtLeast(1.0), "reported fires with an incident"),
    line(
        "fires_sharing",
        Target::AtMost(0.01),
        "fires that share an incident with another > 2 km away after the next look that shows it",
    ),
    line(
        "fires_sharing_at_ten",
        Target::AtMost(0.01),
        "… of those that came at ten open incidents or more",
    ),
    line(
        "fires_swallowed",
        Target::None,
        "… that share it with a kiln, a burn or a false alarm > 2 km away or without a place",
    ),
    line(
        "right_ranger_pixel",
        Target::AtLeast(0.95),
        "fires with a satellite pixel: a ranger of the true grid is sent or told 10 min later",
    ),
    line(
        "right_ranger_two_kinds",
        Target::AtLeast(0.98),
        "fires with two kinds of source: the same",
    ),
    line(
        "camera_listed",
        Target::AtLeast(0.95),
        "camera only, no terrain model: the true grid is listed",
    ),
    line(
        "camera_listed_terrain",
        Target::None,
        "camera only, terrain model: the true grid is listed",
    ),
    line("camera_first", Target::None, "camera only, no terrain model: the true grid comes first"),
    line(
        "camera_first_terrain",
        Target::AtLeast(0.80),
        "camera only, terrain model: the true grid comes first",
    ),
    line("camera_first_masts", Target::None, "… of fires that two masts or more have seen by then"),
    line("camera_first_one_mast", Target::None, "… of fires that one mast has seen"),
    line("holds_bearing", Target::AtLeast(0.90), "a bearing's stated doubt holds the fire"),
    line("holds_ranged", Target::AtLeast(0.90), "a ranged bearing's"),
    line("holds_triangulated", Target::AtLeast(0.90), "crossed bearings'"),
    line("holds_satellite", Target::AtLeast(0.90), "pixels'"),
    line("holds_reported", Target::AtLeast(0.90), "a caller's"),
    line("holds_unaimed", Target::None, "a camera's that knows no direction"),
    line("kiln_trips", Target::AtMost(0.05), "trips a day to a registered kiln"),
    line("burn_trips", Target::AtMost(0.05), "trips a day to an approved burn"),
    line(
        "site_fires_waited_min",
        Target::None,
        "fires at a kiln or burn: mean minutes to a look or a dispatch",
    ),
    line("untold", Target::AtMost(0.0), "people who should know of a relocation and were not told"),
    line(
        "ownerless_minutes",
        Target::AtMost(0.0),
        "open minutes of incidents without owner and next instant",
    ),
    line("lost_messages", Target::AtMost(0.0), "failed messages after which nobody else was tried"),
    line("officer_rings", Target::None, "rings a day of the duty officer's phone"),
    line("leader_rings", Target::None, "rings a day of the leader's phone"),
    line("incidents", Target::None, "incidents a day"),
    line("false_incidents", Target::None, "incidents without a fire"),
    line("dispatches", Target::None, "dispatches a day"),
    line("crashes", Target::None, "crashes of the desk a day"),
];

#[derive(Clone, PartialEq, Default, Debug)]
pub struct Figures {
    pub days: u64,
    /// Wall-clock seconds, summed over all days.
    pub seconds: f64,
    shares: BTreeMap<&'static str, Share>,
    /// Longest wait of a real fire at a kiln or burn for a look or a dispatch, minutes, and its
    /// seed.
    pub longest_wait: Option<(i64, u64)>,
    /// Kinds of events in the logs.
    pub events: BTreeSet<String>,
    /// A seed, and what went wrong there.
    pub breaks: Vec<(u64, String)>,
}

impl Figures {
    pub fn count(&mut self, key: &'static str, good: bool) {
        self.add(key, u64::from(good), 1);
    }

    pub fn add(&mut self, key: &'static str, good: u64, of: u64) {
        debug_assert!(LINES.iter().any(|line| line.key == key), "{key} is not printed");
        let share = self.shares.entry(key).or_default();
        share.good += good;
        share.of += of;
    }

    pub fn waited(&mut self, minutes: i64, seed: u64) {
        self.add("site_fires_waited_min", minutes.unsigned_abs(), 1);
        self.longest_wait = self.longest_wait.max(Some((minutes, seed)));
    }

    pub fn merge(&mut self, other: Self) {
        self.days += other.days;
        self.seconds += other.seconds;
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        self.events.extend(other.events);
        self.breaks.extend(other.breaks);
        for (key, share) in other.shares {
            self.add(key, share.good, share.of);
        }
    }

    pub fn share(&self, key: &str) -> Share {
        self.shares.get(key).copied().unwrap_or_default()
    }

    pub fn value(&self, key: &str) -> Option<f64> {
        let share = self.share(key);
        (share.of > 0).then(|| share.good as f64 / share.of as f64)
    }

    /// `None` when nothing was counted or there is no aim.
    pub fn met(&self, line: &Line) -> Option<bool> {
        match (self.value(line.key)?, line.target) {
            (value, Target::AtLeast(least)) => Some(value >= least),
            (value, Target::AtMost(most)) => Some(value <= most),
            (_, Target::None) => None,
        }
    }

    /// One line each: value, counts, aim, words.
    pub fn print(&self) -> String {
        let mut text =
            format!("{} days, {:.2} s a day\n", self.days, self.seconds / self.days.max(1) as f64);
        for line in LINES {
            let Share { good, of } = self.share(line.key);
            let value =
                self.value(line.key).map_or("–".to_owned(), |value| format!("{value:.4}"));
            let target = match line.target {
                Target::AtLeast(least) => format!("≥ {least}"),
                Target::AtMost(most) => format!("≤ {most}"),
                Target::None => String::new(),
            };
            let mark = match self.met(line) {
                Some(true) => "ok",
                Some(false) => "NOT",
                None => "",
            };
            text += &format!(
                "{value:>9}  {:>15}  {target:<6}  {mark:<3}  {}\n",
                format!("{good}/{of}"),
                line.words
            );
        }
        if let Some((minutes, seed)) = self.longest_wait {
            text += &format!(
                "longest wait of a fire at a kiln or burn: {minutes} min (seed \
                {seed})\n"
            );
        }
        for (seed, what) in self.breaks.iter().take(20) {
            text += &format!("BROKEN seed {seed}: {what}\n");
        }
        text
    }

    pub fn json(&self) -> Value {
        let line = |line: &Line| {
            let Share { good, of } = self.share(line.key);
            let target = match line.target {
                Target::AtLeast(least) => json!({ "at_least": least }),
                Target::AtMost(most) => json!({ "at_most": most }),
                Target::None => Value::Null,
            };
            json!({ "key": line.key, "words": line.words, "numerator": good, "denominator": of,
                "value": self.value(line.key), "target": target, "met": self.met(line) })
        };
        let broken = |(seed, what): &(u64, String)| json!({ "seed": seed, "what": what });
        json!({
            "days": self.days,
            "seconds_a_day": self.seconds / self.days.max(1) as f64,
            "figures": LINES.iter().map(line).collect::<Vec<_>>(),
            "longest_site_wait_min": self.longest_wait.map(|(minutes, _)| minutes),
            "longest_site_wait_seed": self.longest_wait.map(|(_, seed)| seed),
            "broken": self.breaks.iter().map(broken).collect::<Vec<_>>(),
        })
    }
}
