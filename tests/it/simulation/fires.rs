//! Pure: what really happens on the ground in a day: fires, kilns, approved burns, and things that
//! only look like fire.

use super::chance::Chance;
use super::county::{SITE_RADIUS_M, Site};
use super::ground::Spot;
use jiff::{SignedDuration, Timestamp};

/// The cause of a source's report.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    Fire(usize),
    Kiln(usize),
    Burn(usize),
    /// Fog, glare, kitchen smoke, a hot roof.
    Nothing(usize),
}

/// Something that burns, smokes or glows.
#[derive(Clone, Debug)]
pub struct Fire {
    pub spot: Spot,
    pub from: Timestamp,
    pub to: Timestamp,
    /// Radiative power at its peak, MW.
    pub peak_mw: f64,
    /// Height of the smoke above the ground, metres.
    pub smoke_m: f64,
    /// A forest fire; otherwise a burning field.
    pub forest: bool,
    /// Broke out at a registered kiln or an approved burn.
    pub at_site: Option<Cause>,
}

/// Growth of a young column, metres a minute: 1 m/s, slow for buoyant smoke.
pub const RISE_M_MIN: f64 = 60.0;

impl Fire {
    /// Height of the smoke now, metres.
    pub fn smoke_at_m(&self, at: Timestamp) -> f64 {
        (RISE_M_MIN * minutes(at.duration_since(self.from))).clamp(0.0, self.smoke_m)
    }

    /// Radiative power now, MW. It rises within 40 minutes and falls in the last quarter.
    pub fn power_mw(&self, at: Timestamp) -> f64 {
        if at < self.from || at > self.to {
            return 0.0;
        }
        let rise = minutes(at.duration_since(self.from)) / 40.0;
        let sink = minutes(self.to.duration_since(at))
            / (minutes(self.to.duration_since(self.from)) / 4.0);
        self.peak_mw * rise.min(sink).clamp(0.15, 1.0)
    }

    pub fn burns(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }
}

/// What looks like fire and is none.
#[derive(Clone, Debug)]
pub struct Nothing {
    pub kind: NothingKind,
    pub spot: Spot,
    pub from: Timestamp,
    pub to: Timestamp,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NothingKind {
    /// In one camera, somewhere in its picture.
    Fog,
    Glare,
    /// Real smoke over a village, seen by every camera that looks there.
    Kitchen,
    /// A hot roof or a solar field that no register has: seen by satellites by day.
    HotRoof,
    /// 演练: smoke rendered into one camera's picture.
    Drill,
}

/// A day's true events.
pub struct Truth {
    pub start: Timestamp,
    pub fires: Vec<Fire>,
    pub kilns: Vec<Site>,
    /// Radiative power of each kiln, MW, all day.
    pub kiln_mw: Vec<f64>,
    pub burns: Vec<(Site, [Timestamp; 2])>,
    pub nothings: Vec<Nothing>,
    /// The direction the wind blows to, degrees, and the horizontal drift of smoke per metre of
    /// height.
    pub wind_deg: f64,
    pub lean: f64,
}

pub fn minutes(duration: SignedDuration) -> f64 {
    duration.as_secs_f64() / 60.0
}

pub fn after(at: Timestamp, minutes: f64) -> Timestamp {
    at + SignedDuration::from_millis((minutes * 60_000.0) as i64)
}

impl Truth {
    pub fn new(seed: u64, start: Timestamp) -> Self {
        let mut chance = Chance::of(seed, "truth");
        // Six days in ten are quiet, one is 清明.
        let fires = match chance.unit() {
            load if load < 0.6 => chance.count(2, 6),
            load if load < 0.9 => chance.count(7, 14),
            _ => chance.count(20, 36),
        };
        let site = |chance: &mut Chance, name: String| Site {
            name,
            spot: Spot::somewhere(chance, 2_000.0),
        };
        let kilns: Vec<Site> = (1..=6).map(|n| site(&mut chance, format!("{n}号砖厂"))).collect();
        let kiln_mw = kilns.iter().map(|_| chance.between(2.0, 9.0)).collect();
        let burns: Vec<_> = (0..chance.count(0, 3))
            .map(|n| {
                let from = after(start, chance.between(8.5, 11.0) * 60.0);
                let window = [from, after(from, chance.between(150.0, 330.0))];
                (site(&mut chance, format!("{}号炼山", n + 1)), window)
            })
            .collect();
        let wind_deg = chance.between(0.0, 360.0);
        let lean = chance.between(0.1, 1.0);
        let mut truth =
            Self { start, fires: vec![], kilns, kiln_mw, burns, nothings: vec![], wind_deg, lean };
        truth.fires = (0..fires).map(|_| fire(&mut chance, start, None)).collect();
        if chance.happens(0.2) {
            truth.break_out_at_a_site(&mut chance);
        }
        truth.nothings = nothings(&mut chance, start);
        truth
    }

    /// A real fire at a place where the office expects heat.
    fn break_out_at_a_site(&mut self, chance: &mut Chance) {
        let burn = chance.count(0, self.burns.len().max(1) - 1);
        let (cause, spot, from) = match self.burns.get(burn) {
            Some((site, [from, _])) if chance.happens(0.5) => {
                (Cause::Burn(burn), site.spot, Some(after(*from, 60.0)))
            }
            _ => {
                let kiln = chance.count(0, self.kilns.len() - 1);
                (Cause::Kiln(kiln), self.kilns[kiln].spot, None)
            }
        };
        let mut fire = fire(chance, self.start, from);
        fire.spot = spot.moved(chance.between(0.0, 360.0), chance.between(50.0, SITE_RADIUS_M));
        fire.forest = true;
        fire.peak_mw = fire.peak_mw.max(8.0);
        fire.at_site = Some(cause);
        self.fires.push(fire);
    }

    /// Its position; None for something without one (fog in a picture).
    pub fn spot(&self, cause: Cause) -> Option<Spot> {
        match cause {
            Cause::Fire(n) => Some(self.fires[n].spot),
            Cause::Kiln(n) => Some(self.kilns[n].spot),
            Cause::Burn(n) => Some(self.burns[n].0.spot),
            Cause::Nothing(n) => {
                let it = &self.nothings[n];
                (!matches!(it.kind, NothingKind::Fog | NothingKind::Glare | NothingKind::Drill))
                    .then_some(it.spot)
            }
        }
    }
}

/// Most fires break out between 9:00 and 20:00, none in the day's last two hours.
fn fire(chance: &mut Chance, start: Timestamp, from: Option<Timestamp>) -> Fire {
    let hour =
        if chance.happens(0.85) { chance.between(9.0, 20.0) } else { chance.between(0.0, 22.0) };
    let from = from.unwrap_or_else(|| after(start, hour * 60.0));
    let forest = chance.happens(0.45);
    let (median_mw, length_min) = if forest { (14.0, (90.0, 300.0)) } else { (3.0, (30.0, 100.0)) };
    Fire {
        spot: Spot::somewhere(chance, 300.0),
        from,
        to: after(from, chance.between(length_min.0, length_min.1)),
        peak_mw: median_mw * chance.normal(0.9).exp(),
        smoke_m: chance.between(120.0, 450.0),
        forest,
        at_site: None,
    }
}

fn nothings(chance: &mut Chance, start: Timestamp) -> Vec<Nothing> {
    use NothingKind::*;
    let mut found = Vec::new();
    let mut add = |chance: &mut Chance, kind, hours: (f64, f64), length_min: (f64, f64)| {
        let from = after(start, chance.between(hours.0, hours.1) * 60.0);
        let to = after(from, chance.between(length_min.0, length_min.1));
        found.push(Nothing { kind, spot: Spot::somewhere(chance, 500.0), from, to });
    };
    if chance.happens(0.3) {
        for _ in 0..chance.count(3, 8) {
            add(chance, Fog, (6.0, 8.5), (5.0, 30.0));
        }
    }
    for _ in 0..chance.count(1, 4) {
        add(chance, Glare, (7.0, 18.0), (1.0, 10.0));
    }
    for _ in 0..chance.count(3, 8) {
        let hours = if chance.happens(0.4) { (10.5, 12.5) } else { (16.5, 19.0) };
        add(chance, Kitchen, hours, (15.0, 40.0));
    }
    if chance.happens(0.3) {
        add(chance, Drill, (8.0, 20.0), (10.0, 30.0));
    }
    for _ in 0..chance.count(0, 1) {
        add(chance, HotRoof, (0.0, 0.1), (1_300.0, 1_400.0));
    }
    found
}
