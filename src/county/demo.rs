//! 示范县: an invented mountain county, written as the files an office would keep, so that
//! `huoyan run` shows everything at once. No place, person or number in it is real: 190-0000-… is
//! nobody's number.

mod ground;
mod hotspots;
mod land;
mod people;

pub use hotspots::hotspot_csv;

use super::{
    Area, Burn, CameraEntry, County, Folder, HeatSource, Mask, Neighbour, county_date, county_time,
};
use crate::address::Address;
use crate::error::{Error, Result};
use crate::register::{Colour, Danger, Notice, Register, Signal};
use crate::triage::geo::LatLon;
use ground::Ground;
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::path::Path;

const NAME: &str = "云溪县（示范）";
const CENTRE: (f64, f64) = (28.5, 110.4);
/// Ridges with a mast, as (row, column) of the lattice.
const MASTS: [(usize, usize); 13] = [
    (4, 4),
    (4, 7),
    (4, 15),
    (4, 18),
    (8, 4),
    (11, 11),
    (8, 18),
    (11, 7),
    (11, 15),
    (11, 18),
    (15, 4),
    (15, 11),
    (15, 15),
];
const RIDGES: [&str; 13] = [
    "鹰嘴岩",
    "望云顶",
    "马头山",
    "石笋峰",
    "老鸦尖",
    "八面坡",
    "雷公寨",
    "插旗岭",
    "观音岩",
    "狮子脑",
    "松涛界",
    "九龙坳",
    "天门坎",
];
/// The mast whose camera turns, its presets, and how far each looks to the right of the first.
const TURNING: usize = 7;
const PRESETS: [(&str, f64); 3] = [("村口", 0.0), ("东坡", 70.0), ("林场", 140.0)];
/// First of the neighbours' duty phones, far above the numbers of the county's people.
const NEIGHBOURS_FROM: usize = 9001;

/// Random numbers that are the same for the same seed (SplitMix64).
pub(super) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Between -`most` and `most`.
    fn stray(&mut self, most: f64) -> f64 {
        ((self.next() >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * most
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[(self.next() % of.len() as u64) as usize]
    }
}

/// Writes the demo county's registers into `dir`. Camera n shows `camera_urls[n % len]`. Error when
/// `dir` already holds a county: the demo never overwrites an office's data.
pub fn write(dir: &Path, seed: u64, now: Timestamp, camera_urls: &[String]) -> Result<()> {
    if dir.join("county.toml").exists() {
        return Err(Error::invalid(format!(
            "{} already holds a county; the demo needs an empty folder",
            dir.display()
        )));
    }
    let county = build(seed, now, camera_urls)?;
    let (entries, folder) = (county.entries(), Folder::new(dir));
    // The county itself is written last: only with it does the folder count as a county.
    let lists = Register::ALL.into_iter().filter(|register| *register != Register::County);
    for register in lists.chain([Register::County]) {
        folder.write(register, entries.of(register), now, true)?;
    }
    Ok(())
}

fn build(seed: u64, now: Timestamp, camera_urls: &[String]) -> Result<County> {
    let mut dice = Dice(seed);
    let centre =
        LatLon::new(CENTRE.0, CENTRE.1).ok_or_else(|| Error::internal("the centre is no place"))?;
    let ground = Ground::new(centre, &mut dice);
    let mut county = County {
        name: NAME.to_owned(),
        centre: Some(centre),
        outline: Some(ground.outline().map_err(Error::internal)?),
        neighbours: neighbours(),
        grids: land::grids(&ground)?,
        ..County::default()
    };
    county.people = people::people(&county, &mut dice);
    county.duties = people::rota(&county.people, now);
    cameras(&mut county, &ground, &mut dice, camera_urls);
    fires_we_know(&mut county, &ground, now);
    Ok(county)
}

fn neighbours() -> Vec<Neighbour> {
    let around = [("北屏县", 0.0), ("东麓县", 90.0), ("南岭县", 180.0), ("西河县", 270.0)];
    let neighbour = |(number, (name, direction_deg))| Neighbour {
        name: format!("{name}（示范）"),
        direction_deg,
        phone: Some(people::phone(number)),
    };
    (NEIGHBOURS_FROM..).zip(around).map(neighbour).collect()
}

fn cameras(county: &mut County, ground: &Ground, dice: &mut Dice, urls: &[String]) {
    let middle = county.centre;
    for (index, (&(row, column), ridge)) in MASTS.iter().zip(RIDGES).enumerate() {
        let at = ground.ridge(row, column);
        // Cameras look towards the county's centre, so that neighbouring views cross and two
        // bearings give a place.
        let inwards_deg = middle.map_or(0.0, |middle| at.azimuth_deg(middle));
        let url = match urls.len() {
            0 => format!("rtsp://127.0.0.1:8554/cam{:02}", index + 1),
            many => urls[index % many].clone(),
        };
        let masks = if index == 5 {
            vec![Mask { name: "红砖厂烟囱".to_owned(), bbox: [0.02, 0.55, 0.1, 0.2].into() }]
        } else {
            Vec::new()
        };
        let camera = CameraEntry {
            id: format!("cam{:02}", index + 1).as_str().into(),
            name: format!("{ridge}{}号塔", index + 1),
            at,
            height_m: Some(30.0),
            azimuth_deg: Some(crate::triage::geo::normalise_deg(
                (inwards_deg + dice.stray(35.0)).round(),
            )),
            azimuth_error_deg: super::bearing::AZIMUTH_ERROR_DEG,
            field_of_view_deg: 60.0,
            tilt_deg: Some(-3.0),
            horizon: None,
            range_m: 8000.0,
            url: Address::parse(&url),
            main_url: None,
            pipeline: None,
            pose: "default".into(),
            masks,
        };
        let turned = |by_deg: f64| {
            camera.azimuth_deg.map(|it| crate::triage::geo::normalise_deg(it + by_deg))
        };
        if index == TURNING {
            county.cameras.extend(PRESETS.map(|(preset, by_deg)| CameraEntry {
                pose: preset.into(),
                azimuth_deg: turned(by_deg),
                ..camera.clone()
            }));
        } else {
            county.cameras.push(camera);
        }
    }
}

fn fires_we_know(county: &mut County, ground: &Ground, now: Timestamp) {
    let beside = |row: usize, column: usize, azimuth_deg: f64, distance_m: f64| {
        let middle =
            Area::from_rings(vec![ground.grid(row, column)]).ok().and_then(|area| area.centroid());
        middle.map(|at| at.destination(azimuth_deg, distance_m))
    };
    let today = county_date(now);
    let day = |days: i32| {
        let date = today.saturating_add(days.days());
        date.to_zoned(county_time()).map_or(now, |midnight| midnight.timestamp())
    };
    let sources = [
        ("云溪红砖厂", beside(5, 12, 120.0, 150.0), 300.0),
        ("白鹭水泥厂", beside(13, 1, 40.0, 200.0), 400.0),
        ("竹源铁合金厂", beside(1, 20, 250.0, 100.0), 350.0),
    ];
    county.heat_sources = sources
        .into_iter()
        .filter_map(|(name, at, radius_m)| {
            Some(HeatSource { name: name.to_owned(), at: at?, radius_m, expires: day(181) })
        })
        .collect();
    let burn = beside(9, 8, 0.0, 200.0)
        .and_then(|at| Some((at, county.grids.iter().find(|grid| grid.area.contains(at))?)));
    county.burns = burn
        .map(|(at, grid)| Burn {
            name: format!("{}杉木林造林炼山", grid.village),
            at,
            radius_m: 250.0,
            from: day(0) + SignedDuration::from_hours(8),
            to: day(0) + SignedDuration::from_hours(18),
            approver: format!("{}人民政府（示范）", grid.township),
        })
        .into_iter()
        .collect();
    let notice = |issuer: &str| Notice {
        areas: Vec::new(),
        issuer: format!("{issuer}（示范）"),
        from: day(0),
        until: Some(day(3)),
        why: Some("连续晴热少雨".to_owned()),
    };
    county.danger = vec![Danger { level: 4, notice: notice("云溪县气象局") }];
    county.signals = vec![Signal { colour: Colour::Orange, notice: notice("云溪县森防指") }];
}

#[cfg(test)]
mod tests;
