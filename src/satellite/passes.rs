//! Pure: when satellites pass over the county: from their orbits (TLE, or OMM as JSON, by SGP4), or
//! from the office's timetable.

use super::format::satellite_name;
use crate::base::time::county_time;
use crate::config::Overpass;
use crate::lang::Lang;
use crate::triage::geo::LatLon;
use jiff::{SignedDuration, Timestamp, ToSpan};
use sgp4::{Constants, Elements, MinutesSinceEpoch};
use std::collections::BTreeMap;

/// A county lies in the swath of a pass that culminates at this height above its horizon or higher.
/// VIIRS sees 1,530 km to each side from 830 km up: there it stands 20° high.
const SEEN_FROM_DEG: f64 = 20.0;
/// Those that look for fires are a dozen. A catalogue of thousands would take hours to compute.
const SATELLITES_MAX: usize = 50;
/// A pass of a low orbit is above the horizon for a quarter of an hour.
const STEP: SignedDuration = SignedDuration::from_secs(30);
/// Names by catalogue number, for files of two lines a satellite.
const NUMBERS: [(u64, &str); 6] = [
    (37849, "NPP"),
    (43013, "N20"),
    (54234, "N21"),
    (25994, "Terra"),
    (27424, "Aqua"),
    (43010, "FY-3D"),
];
/// WGS-84, km and the square of the eccentricity.
const EQUATOR_KM: f64 = 6378.137;
const FLATNESS: f64 = 0.006_694_379_990_14;

/// A satellite and the instant at which it stands highest over the county.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pass {
    pub satellite: String,
    pub at: Timestamp,
}

/// The satellites of an office's file of orbits.
pub struct Orbits {
    all: Vec<Orbit>,
    /// Of each that cannot be read, why.
    unread: Vec<String>,
}

struct Orbit {
    satellite: String,
    epoch: Timestamp,
    constants: Constants,
}

impl Orbits {
    /// `Err` is a sentence. What cannot be read of a file is left out.
    pub fn read(text: &str, lang: Lang) -> Result<Self, String> {
        let elements =
            if text.trim_start().starts_with(['[', '{']) { omm(text) } else { Ok(tle(text)) };
        let elements = elements.unwrap_or_else(|why| vec![Err(why)]);
        let count = elements.len();
        if count > SATELLITES_MAX {
            return Err(match lang {
                Lang::Zh => format!(
                    "文件中有{count}颗卫星，最多{SATELLITES_MAX}颗：请只下载要用的气象和资源卫星"
                ),
                Lang::En => format!(
                    "it holds {count} satellites, {SATELLITES_MAX} at most: download only those \
                    whose hotspots you get"
                ),
            });
        }
        let (mut all, mut unread) = (Vec::new(), Vec::new());
        for orbit in elements.into_iter().map(|one| one.and_then(|it| Orbit::new(&it))) {
            match orbit {
                Ok(orbit) => all.push(orbit),
                Err(why) => unread.push(why),
            }
        }
        match unread.first() {
            _ if !all.is_empty() => Ok(Self { all, unread }),
            None => Err(lang
                .pick("文件中没有 TLE 或 OMM 轨道根数", "it holds no TLE or OMM")
                .to_owned()),
            Some(why) => Err(match lang {
                Lang::Zh => {
                    format!("轨道根数读不出来，请重新下载（TLE，或 JSON 格式的 OMM）：{why}")
                }
                Lang::En => {
                    format!("the orbits cannot be read, download TLE or OMM as JSON again: {why}")
                }
            }),
        }
    }

    /// How many satellites of the file cannot be read, and why the first cannot.
    pub fn unread(&self) -> Option<(usize, &str)> {
        Some((self.unread.len(), self.unread.first()?))
    }

    /// When the oldest of them was measured. A week later the passes are off by seconds, a month
    /// later by a minute.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.all.iter().map(|orbit| orbit.epoch).min()
    }

    /// In order of time.
    pub fn passes(&self, over: LatLon, from: Timestamp, until: Timestamp) -> Vec<Pass> {
        let of = |orbit: &Orbit| orbit.culminations(over, from, until);
        let mut passes: Vec<Pass> = self.all.iter().flat_map(of).collect();
        passes.sort_by_key(|pass| pass.at);
        passes
    }
}

impl Orbit {
    fn new(elements: &Elements) -> Result<Self, String> {
        let number = NUMBERS.iter().find(|(number, _)| *number == elements.norad_id);
        let name = elements.object_name.as_deref().unwrap_or_default();
        let name = name.split('(').next().unwrap_or_default().trim();
        let satellite = match number {
            Some((_, name)) => (*name).to_owned(),
            None if name.is_empty() => elements.norad_id.to_string(),
            None => satellite_name(name),
        };
        let epoch = Timestamp::from_microsecond(elements.datetime.and_utc().timestamp_micros());
        Ok(Self {
            satellite,
            epoch: epoch.map_err(|e| e.to_string())?,
            constants: Constants::from_elements(elements).map_err(|e| e.to_string())?,
        })
    }

    /// Degrees above the horizon and distance in km; `None` when the orbit means nothing any more.
    fn seen(&self, over: LatLon, at: Timestamp) -> Option<(f64, f64)> {
        let minutes = at.duration_since(self.epoch).as_secs_f64() / 60.0;
        let [x, y, z] = self.constants.propagate(MinutesSinceEpoch(minutes)).ok()?.position;
        let (sin, cos) = sidereal_deg(at).to_radians().sin_cos();
        let turned = [x * cos + y * sin, y * cos - x * sin, z];
        let (lat, lon) = (over.lat_deg().to_radians(), over.lon_deg().to_radians());
        let up = [lat.cos() * lon.cos(), lat.cos() * lon.sin(), lat.sin()];
        let bow = EQUATOR_KM / (1.0 - FLATNESS * lat.sin().powi(2)).sqrt();
        let here = [up[0] * bow, up[1] * bow, up[2] * bow * (1.0 - FLATNESS)];
        let towards = [0, 1, 2].map(|axis| turned[axis] - here[axis]);
        let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let distance_km = dot(towards, towards).sqrt();
        Some(((dot(towards, up) / distance_km).asin().to_degrees(), distance_km))
    }

    fn culminations(&self, over: LatLon, from: Timestamp, until: Timestamp) -> Vec<Pass> {
        let height = |at| self.seen(over, at).map_or(f64::NEG_INFINITY, |(height, _)| height);
        let (mut found, mut at) = (Vec::new(), from);
        let (mut before, mut now) = (height(from - STEP), height(from));
        while at < until {
            let after = height(at + STEP);
            if before <= now && now > after {
                let top = highest(&height, at - STEP, at + STEP);
                if height(top) >= SEEN_FROM_DEG {
                    found.push(Pass { satellite: self.satellite.clone(), at: top });
                }
            }
            (before, now, at) = (now, after, at + STEP);
        }
        found
    }
}

/// The second at which `height` is greatest, between two instants around its only summit.
fn highest(height: &impl Fn(Timestamp) -> f64, from: Timestamp, until: Timestamp) -> Timestamp {
    let seconds = until.duration_since(from).as_secs();
    let at = |second| from + SignedDuration::from_secs(second);
    let best = (0..=seconds).max_by(|a, b| height(at(*a)).total_cmp(&height(at(*b))));
    at(best.unwrap_or_default())
}

/// Greenwich mean sidereal time (IAU 1982), degrees. UTC stands for UT1: less than a second apart.
fn sidereal_deg(at: Timestamp) -> f64 {
    const J2000_S: f64 = 946_728_000.0;
    let days = (at.as_microsecond() as f64 / 1e6 - J2000_S) / 86_400.0;
    let centuries = days / 36_525.0;
    (280.460_618_37 + 360.985_647_366_29 * days + 0.000_387_933 * centuries * centuries)
        .rem_euclid(360.0)
}

/// `Err`: it is no JSON. Each satellite may be wrong by itself.
fn omm(text: &str) -> Result<Vec<Result<Elements, String>>, String> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let several = match json {
        serde_json::Value::Array(several) => several,
        one => vec![one],
    };
    let read =
        |one: serde_json::Value| serde_json::from_str(&one.to_string()).map_err(|e| e.to_string());
    Ok(several.into_iter().map(read).collect())
}

/// Two lines a satellite, perhaps with its name above them.
fn tle(text: &str) -> Vec<Result<Elements, String>> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is = |line: &str, number: &str| line.starts_with(number) && line.len() >= 68;
    let firsts = lines.windows(2).enumerate().filter(|(_, pair)| is(pair[0], "1 "));
    let read = |(n, pair): (usize, &[&str])| {
        let (first, second) = (pair[0], pair[1]);
        // The crate counts on a digit where the sum of a line stands.
        let is_summed = |line: &str| line.ends_with(|c: char| c.is_ascii_digit());
        if !is(second, "2 ") || !is_summed(first) || !is_summed(second) {
            return Err(second.to_owned());
        }
        let name = n.checked_sub(1).map(|above| lines[above]).filter(|line| !is(line, "2 "));
        let name = name.map(|line| line.trim_start_matches("0 ").to_owned());
        let read = Elements::from_tle(name, first.as_bytes(), second.as_bytes());
        read.map_err(|e| e.to_string())
    };
    firsts.map(read).collect()
}

/// The passes of a timetable that holds every day.
pub fn of_timetable(timetable: &[Overpass], from: Timestamp, until: Timestamp) -> Vec<Pass> {
    let first = from.to_zoned(county_time()).date();
    let last = until.to_zoned(county_time()).date();
    let days = first.series(1.day()).take_while(|day| *day <= last);
    let mut passes: Vec<Pass> = days
        .flat_map(|day| timetable.iter().map(move |pass| (day, pass)))
        .filter_map(|(day, pass)| {
            let at = day.to_datetime(pass.at).to_zoned(county_time()).ok()?.timestamp();
            Some(Pass { satellite: pass.satellite.clone(), at })
        })
        .filter(|pass| (from..until).contains(&pass.at))
        .collect();
    passes.sort_by_key(|pass| pass.at);
    passes
}

/// Each satellite's next pass after `now`, the soonest first.
pub fn next_of_each(passes: &[Pass], now: Timestamp) -> Vec<&Pass> {
    let mut next: BTreeMap<&str, &Pass> = BTreeMap::new();
    for pass in passes.iter().filter(|pass| pass.at > now) {
        let known = next.entry(&pass.satellite).or_insert(pass);
        if pass.at < known.at {
            *known = pass;
        }
    }
    let mut next: Vec<&Pass> = next.into_values().collect();
    next.sort_by_key(|pass| pass.at);
    next
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The space station, as an almanac publishes it with what follows from it
    /// (rhodesmill.org/skyfield, "Earth Satellites").
    const STATION: &str = "ISS (ZARYA)\n\
        1 25544U 98067A   14020.93268519  .00009878  00000-0  18200-3 0  5082\n\
        2 25544  51.6498 109.4756 0003572  55.9686 274.8005 15.49815350868473\n";

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn bluffton() -> LatLon {
        LatLon::new(40.8939, -83.8917).expect("a place")
    }

    #[test]
    fn a_satellite_stands_where_the_almanac_says() {
        let orbits = Orbits::read(STATION, Lang::En).expect("a TLE");
        let seen = orbits.all[0].seen(bluffton(), time("2014-01-21T11:18:07Z"));
        let (height_deg, distance_km) = seen.expect("it flies");
        let published_deg = 13.0 + 50.0 / 60.0 + 46.6 / 3600.0;
        assert!((height_deg - published_deg).abs() < 0.02, "{height_deg}");
        assert!((distance_km - 1280.54).abs() < 2.0, "{distance_km}");
    }

    /// It published those above 30°; some lower ones are ours.
    #[test]
    fn it_culminates_when_the_almanac_says() {
        let orbits = Orbits::read(STATION, Lang::En).expect("a TLE");
        let (from, until) = (time("2014-01-23T00:00:00Z"), time("2014-01-24T00:00:00Z"));
        let passes = orbits.passes(bluffton(), from, until);
        assert!(passes.iter().all(|pass| pass.satellite == "ISS"), "{passes:?}");
        let high = |pass: &&Pass| {
            orbits.all[0].seen(bluffton(), pass.at).is_some_and(|(height, _)| height > 30.0)
        };
        let high: Vec<Timestamp> = passes.iter().filter(high).map(|pass| pass.at).collect();
        let published = [time("2014-01-23T06:26:58Z"), time("2014-01-23T12:56:27Z")];
        assert_eq!(high.len(), 2, "{high:?}");
        for (ours, published) in high.iter().zip(published) {
            assert!(ours.duration_since(published).as_secs().abs() <= 2, "{ours} {published}");
        }
    }

    #[test]
    fn orbits_come_as_two_lines_three_lines_or_json() {
        let two = STATION.split_once('\n').expect("a name").1;
        assert_eq!(Orbits::read(two, Lang::En).expect("two lines").all[0].satellite, "25544");
        let omm = r#"[{"OBJECT_NAME": "NOAA 20 (JPSS-1)", "OBJECT_ID": "2017-073A",
            "EPOCH": "2020-07-12T01:19:07.402656", "MEAN_MOTION": 14.19554232,
            "ECCENTRICITY": 0.0001771, "INCLINATION": 98.7, "RA_OF_ASC_NODE": 225.4,
            "ARG_OF_PERICENTER": 44.9, "MEAN_ANOMALY": 5.1, "EPHEMERIS_TYPE": 0,
            "CLASSIFICATION_TYPE": "U", "NORAD_CAT_ID": 43013, "ELEMENT_SET_NO": 999,
            "REV_AT_EPOCH": 13636, "BSTAR": 0.00001, "MEAN_MOTION_DOT": 0.0,
            "MEAN_MOTION_DDOT": 0}]"#;
        let orbits = Orbits::read(omm, Lang::En).expect("an OMM");
        assert_eq!(orbits.all[0].satellite, "N20");
        assert_eq!(orbits.oldest(), Some(time("2020-07-12T01:19:07.402656Z")));
        let day = (time("2020-07-13T00:00:00Z"), time("2020-07-14T00:00:00Z"));
        let county = LatLon::new(28.5, 110.4).expect("a place");
        let passes = orbits.passes(county, day.0, day.1);
        assert!((2..=5).contains(&passes.len()), "two by day and two by night, or so: {passes:?}");
        for broken in ["", "<html>", "[]", "1 25544U", &STATION.replace("5082", "5083")] {
            assert!(Orbits::read(broken, Lang::Zh).is_err(), "{broken}");
        }
    }

    #[test]
    fn one_bad_satellite_is_left_out_and_named_and_a_whole_catalogue_is_refused() {
        let (bad, cut) = (STATION.replace("5082", "5083"), &STATION[..90]);
        for (file, unread) in [
            (STATION.to_owned(), None),
            (format!("{bad}{STATION}"), Some(1)),
            (format!("{STATION}{bad}{bad}"), Some(2)),
            (format!("{cut}\n{STATION}"), Some(1)),
        ] {
            let orbits = Orbits::read(&file, Lang::En).expect("one is good");
            assert_eq!(orbits.all.len(), 1, "{file}");
            assert_eq!(orbits.unread().map(|(number, _)| number), unread, "{file}");
        }
        assert_eq!(Orbits::read(&STATION.repeat(50), Lang::En).expect("enough").all.len(), 50);
        let Err(words) = Orbits::read(&STATION.repeat(51), Lang::En) else { panic!("too many") };
        assert!(words.starts_with("it holds 51 satellites, 50 at most"), "{words}");
    }

    #[test]
    fn a_timetable_holds_every_day_in_the_countys_time() {
        let timetable: Vec<Overpass> =
            ["N21 14:32", "FY-3D 02:10"].map(|it| it.parse().expect("a pass")).to_vec();
        let passes =
            of_timetable(&timetable, time("2026-11-21T06:00:00Z"), time("2026-11-22T07:00:00Z"));
        let said: Vec<_> = passes.iter().map(|it| format!("{} {}", it.satellite, it.at)).collect();
        let (first, night) = ("N21 2026-11-21T06:32:00Z", "FY-3D 2026-11-21T18:10:00Z");
        assert_eq!(said, [first, night, "N21 2026-11-22T06:32:00Z"]);
        let next: Vec<_> = next_of_each(&passes, time("2026-11-21T07:00:00Z"));
        assert_eq!(next, [&passes[1], &passes[2]]);
    }
}
