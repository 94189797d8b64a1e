//! Pure: what is well formed and yet wrong, or likely so. A wrong grid sends the wrong ranger.

use super::{County, Grid, Person, crossing};
use crate::lang::{Lang, Words};
use crate::register::{Entries, Entry, Register};
use crate::triage::geo::LatLon;
use std::collections::{BTreeMap, BTreeSet};

/// A ranger's ground in Hunan has 200 ha and more; smaller is a sliver, larger a township.
const SIZE_KM2: std::ops::RangeInclusive<f64> = 0.1..=100.0;
/// A county has no grid farther than this from all its others.
const APART_M: f64 = 20_000.0;
/// Hand-drawn borders overlap by slivers. More than this share of the smaller grid is ground with
/// two rangers.
const OVERLAP_SHARE: f64 = 0.02;
/// Notes on one import; the rest is counted.
const NOTES_MAX: usize = 20;

/// One thing that is likely wrong with entries of a register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Oddity {
    pub register: Register,
    pub keys: Vec<String>,
    pub words: Words,
}

impl County {
    /// What of the registers is likely wrong.
    pub fn oddities(&self) -> Vec<Oddity> {
        [Register::Grids, Register::People].map(|it| self.oddities_of(it)).concat()
    }

    /// The same of one register. Slow for a large county's grids: for pages and commands, not for
    /// every look at the board.
    pub fn oddities_of(&self, register: Register) -> Vec<Oddity> {
        match register {
            Register::Grids => of_grids(&self.grids),
            Register::People => {
                let codes = self.grids.iter().map(|grid| grid.id.as_str()).collect();
                of_people(&self.people, &codes)
            }
            _ => Vec::new(),
        }
    }
}

/// What is odd about what a sheet wants, beside those that are registered and stay.
pub(super) fn warnings(
    register: Register,
    current: &Entries,
    wanted: &[Entry],
    replace: bool,
    lang: Lang,
) -> Vec<String> {
    let keys: BTreeSet<&str> = wanted.iter().map(|it| it.key.as_str()).collect();
    let stays = |key: &str| !replace && !keys.contains(key);
    let mut all = Entries::default();
    let kept = current.of(register).iter().filter(|it| stays(&it.key)).cloned();
    kept.chain(wanted.iter().cloned()).for_each(|entry| all.push(register, entry));
    let odd = match register {
        Register::Grids => of_grids(&County::of(&all, lang).grids),
        Register::People => {
            let codes = current.of(Register::Grids).iter().map(|grid| grid.key.as_str()).collect();
            of_people(&County::of(&all, lang).people, &codes)
        }
        _ => Vec::new(),
    };
    let concerns = |it: &Oddity| it.keys.iter().any(|key| keys.contains(key.as_str()));
    let words = odd.iter().filter(|it| concerns(it)).map(|it| it.words.pick(lang).to_owned());
    let mut words: Vec<String> = words.collect();
    if words.len() > NOTES_MAX {
        let more = words.len() - NOTES_MAX;
        words.truncate(NOTES_MAX);
        words.push(match lang {
            Lang::Zh => format!("另有{more}处类似问题"),
            Lang::En => format!("and {more} more of this kind"),
        });
    }
    words
}

fn of_grids(grids: &[Grid]) -> Vec<Oddity> {
    let odd = |keys: &[&Grid], zh: String, en: String| Oddity {
        register: Register::Grids,
        keys: keys.iter().map(|grid| grid.id.to_string()).collect(),
        words: Words::new(zh, en),
    };
    let mut found = Vec::new();
    let sizes: Vec<f64> = grids.iter().map(|grid| grid.area.size_km2()).collect();
    for (grid, km2) in grids.iter().zip(&sizes).filter(|(_, km2)| !SIZE_KM2.contains(km2)) {
        let id = &grid.id;
        found.push(odd(
            &[grid],
            format!("网格 {id} 的面积是 {km2:.2} 平方公里，一般在0.1到100之间：图形画对了吗？"),
            format!("grid {id} has {km2:.2} km², usual are 0.1 to 100: is its shape right?"),
        ));
    }
    let corners = |grid: &Grid| grid.area.bounds();
    let boxes: Vec<_> = grids.iter().map(corners).collect();
    for (n, grid) in grids.iter().enumerate() {
        let Some(own) = boxes[n] else { continue };
        let others = boxes.iter().enumerate().filter(|(m, _)| *m != n);
        let mut others = others.filter_map(|(_, it)| *it).peekable();
        if others.peek().is_some() && !others.any(|other| apart_m(own, other) < APART_M) {
            let (id, km) = (&grid.id, APART_M / 1000.0);
            found.push(odd(
                &[grid],
                format!(
                    "网格 {id}（{}）离其他网格都超过 {km} 公里：坐标对吗？",
                    crossing::place(&own.0)
                ),
                format!(
                    "grid {id} ({}) is over {km} km from every other grid: are its coordinates \
                    right?",
                    crossing::place(&own.0)
                ),
            ));
        }
    }
    for (a, b, km2) in crossing::overlaps(grids) {
        let share = km2 / sizes[a].min(sizes[b]).max(f64::MIN_POSITIVE);
        if share < OVERLAP_SHARE {
            continue;
        }
        let (one, other, percent) = (&grids[a], &grids[b], (share * 100.0).min(100.0));
        found.push(odd(
            &[one, other],
            format!(
                "网格 {} 与 {} 重叠 {km2:.2} 平方公里（较小者的{percent:.0}%）：那里有两名护林员",
                one.id, other.id
            ),
            format!(
                "grids {} and {} overlap by {km2:.2} km² ({percent:.0}% of the smaller): that \
                ground has two rangers",
                one.id, other.id
            ),
        ));
    }
    let mut names: BTreeMap<String, Vec<&Grid>> = BTreeMap::new();
    grids.iter().for_each(|grid| names.entry(grid.full_name()).or_default().push(grid));
    for (name, same) in names.iter().filter(|(_, same)| same.len() > 1) {
        let codes: Vec<&str> = same.iter().map(|grid| grid.id.as_str()).collect();
        found.push(odd(
            same,
            format!("网格 {} 都叫“{name}”：派单文字无法区分", codes.join("、")),
            format!("grids {} are all called \"{name}\": no text can tell them apart", {
                codes.join(", ")
            }),
        ));
    }
    found
}

/// Metres between two boxes, 0 where they touch; on a plane.
fn apart_m(a: (LatLon, LatLon), b: (LatLon, LatLon)) -> f64 {
    let gap = |low: f64, high: f64, other_low: f64, other_high: f64| {
        (other_low - high).max(low - other_high).max(0.0)
    };
    let lat_deg = gap(a.0.lat_deg(), a.1.lat_deg(), b.0.lat_deg(), b.1.lat_deg());
    let lon_deg = gap(a.0.lon_deg(), a.1.lon_deg(), b.0.lon_deg(), b.1.lon_deg());
    let degree_m = crate::triage::geo::EARTH_RADIUS_M.to_radians();
    (lat_deg * degree_m).hypot(lon_deg * degree_m * a.0.lat_deg().to_radians().cos())
}

/// `codes`: of the grids that are registered. Without any, nothing is said of people's grids.
fn of_people(people: &[Person], codes: &BTreeSet<&str>) -> Vec<Oddity> {
    let odd = |people: &[&Person], zh: String, en: String| Oddity {
        register: Register::People,
        keys: people.iter().map(|person| person.id.to_string()).collect(),
        words: Words::new(zh, en),
    };
    let mut found = Vec::new();
    let mut strangers: BTreeMap<&str, Vec<&Person>> = BTreeMap::new();
    for person in people.iter().filter(|_| !codes.is_empty()) {
        if let Some(grid) = person.grid.as_ref().filter(|grid| !codes.contains(grid.as_str())) {
            strangers.entry(grid.as_str()).or_default().push(person);
        }
    }
    for (grid, who) in strangers {
        let names: Vec<&str> = who.iter().map(|person| person.name.as_str()).collect();
        found.push(odd(
            &who,
            format!("{} 的网格 {grid} 不在网格登记册：他们不会被派往任何地方", names.join("、")),
            format!(
                "the grid {grid} of {} is not registered: nobody will send them anywhere",
                names.join(", ")
            ),
        ));
    }
    let mut names: BTreeMap<_, Vec<&Person>> = BTreeMap::new();
    // Who has a post in each of two grids stands in two rows; and of who has no village nobody knows.
    for person in people.iter().filter(|it| it.village.is_some() || it.township.is_some()) {
        let of = (&person.name, &person.village, &person.township, &person.grid);
        names.entry(of).or_default().push(person);
    }
    for who in names.into_values().filter(|same| same.len() > 1) {
        let (name, ids) = (&who[0].name, who.iter().map(|it| it.id.as_str()).collect::<Vec<_>>());
        found.push(odd(
            &who,
            format!("“{name}”有{}条（{}）：是同一个人吗？", who.len(), ids.join("、")),
            format!("\"{name}\" stands {} times ({}): one person?", who.len(), ids.join(", ")),
        ));
    }
    found
}
