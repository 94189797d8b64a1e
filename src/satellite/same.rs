//! Pure: which rows are one pixel. A pixel comes in several versions and through several forms, whose
//! coordinates are rounded differently.

use crate::triage::hotspot::Hotspot;
use jiff::SignedDuration;
use std::collections::HashMap;

/// Four digits behind the point, or whole seconds of arc, lie within this of the pixel's own
/// coordinates; the next pixel of VIIRS is 300 m away.
const ROUNDED_M: f64 = 60.0;
/// Some forms round the time to the minute.
const ROUNDED: SignedDuration = SignedDuration::from_secs(60);

/// The new rows, each under the key that its pixel is known by, and as the better of what is known
/// and what has come. Of two new rows of one pixel one is left.
pub fn reconcile(known: &[Hotspot], new: Vec<Hotspot>) -> Vec<Hotspot> {
    let (mut before, mut now) = (Index::default(), Index::default());
    known.iter().enumerate().for_each(|(n, it)| before.add(n, it));
    let mut taken: Vec<Hotspot> = Vec::with_capacity(new.len());
    for hotspot in new {
        if let Some(n) = now.find(&taken, &hotspot) {
            if rank(&hotspot) > rank(&taken[n]) {
                let key = taken[n].key.clone();
                taken[n] = Hotspot { key, ..hotspot };
                now.add(n, &taken[n]);
            }
            continue;
        }
        let it = match before.find(known, &hotspot).map(|n| &known[n]) {
            Some(known) if rank(known) >= rank(&hotspot) => known.clone(),
            Some(known) => Hotspot { key: known.key.clone(), ..hotspot },
            None => hotspot,
        };
        now.add(taken.len(), &it);
        taken.push(it);
    }
    taken
}

/// Rows by their key, and by satellite and minute: the world's day has 100,000.
#[derive(Default)]
struct Index {
    keys: HashMap<String, usize>,
    minutes: HashMap<(String, i64), Vec<usize>>,
}

impl Index {
    fn add(&mut self, n: usize, hotspot: &Hotspot) {
        self.keys.entry(hotspot.key.clone()).or_insert(n);
        let minute = (hotspot.satellite.clone(), minute(hotspot));
        self.minutes.entry(minute).or_default().push(n);
    }

    /// The first row that is the same pixel.
    fn find(&self, all: &[Hotspot], hotspot: &Hotspot) -> Option<usize> {
        let near = (-1..=1).filter_map(|off| {
            let rows = self.minutes.get(&(hotspot.satellite.clone(), minute(hotspot) + off))?;
            rows.iter().copied().filter(|n| is_same(&all[*n], hotspot)).min()
        });
        near.chain(self.keys.get(&hotspot.key).copied()).min()
    }
}

fn minute(hotspot: &Hotspot) -> i64 {
    hotspot.acquired_at.as_second().div_euclid(ROUNDED.as_secs())
}

fn is_same(one: &Hotspot, other: &Hotspot) -> bool {
    let is_named = !one.satellite.is_empty() && one.satellite == other.satellite;
    one.key == other.key
        || is_named
            && one.acquired_at.duration_since(other.acquired_at).abs() <= ROUNDED
            && one.at.distance_m(other.at) <= ROUNDED_M
}

/// The better of two rows of one pixel ranks higher: science quality, then near real time, real time
/// and ultra real time, then what says no version; among equals the higher number, and then what
/// has measured the fire.
pub(super) fn rank(hotspot: &Hotspot) -> (u8, u32, bool) {
    let version = hotspot.version.as_str();
    let number: String = version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    let kind = match version[number.len()..].to_ascii_uppercase().as_str() {
        "" if number.is_empty() => 0,
        "" => 4,
        "NRT" => 3,
        "RT" => 2,
        _ => 1,
    };
    let (major, minor) = number.split_once('.').unwrap_or((&number, "0"));
    let thousands = |digits: &str| digits.parse::<u32>().unwrap_or(0).min(9999);
    (kind, thousands(major) * 10_000 + thousands(minor), hotspot.frp_mw.is_some())
}
