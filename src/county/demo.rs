//! 示范县: a made-up mountain county, written as the files an office would keep, so that `huoyan run` shows everything at once.
//! No place, person or number in it is real: 190-0000-… is nobody's.

mod ground;

use super::import::write_atomically;
use super::registers::{Basics, Kind};
use super::rows::{self, Record};
use super::{
    Burn, CameraEntry, CameraUrl, County, Duty, Grid, HeatSource, Mask, Neighbour, Person, Post, county_date,
    county_time, table,
};
use crate::error::{Error, Result};
use crate::triage::geo::LatLon;
use crate::triage::id::PersonId;
use crate::triage::policy::Role;
use ground::{COLUMNS, Ground, ROWS};
use jiff::{SignedDuration, Timestamp, ToSpan};
use std::path::Path;

const NAME: &str = "云溪县（示范）";
const CENTRE: (f64, f64) = (28.5, 110.4);
/// Three townships from west to east in the south (four grids each) and in the north (six each).
const TOWNSHIPS: [[&str; 3]; 2] = [["杉岭镇", "雾隐镇", "竹源乡"], ["白鹭镇", "石门溪乡", "枫香坳乡"]];
const SOUTHERN_ROWS: usize = 2;
const VILLAGES: [&str; ROWS * COLUMNS] = [
    "大坪村",
    "楠木村",
    "茶园村",
    "青石村",
    "龙潭村",
    "香樟村",
    "马鞍村",
    "黄连村",
    "板栗村",
    "花桥村",
    "水车村",
    "金竹村",
    "桐油村",
    "岩湾村",
    "云盘村",
    "横岭村",
    "清溪村",
    "高寨村",
    "梨树村",
    "老屋村",
    "凉亭村",
    "双溪村",
    "沙坪村",
    "枫树村",
    "田心村",
    "莲花村",
    "响水村",
    "铁炉村",
    "鹰嘴村",
    "上坪村",
];
const SURNAMES: [&str; 12] = ["向", "田", "彭", "覃", "吴", "李", "周", "杨", "龙", "石", "黄", "陈"];
const GIVEN: [&str; 20] = [
    "长青", "大山", "春生", "水生", "秀英", "志远", "桂花", "德贵", "金莲", "安平", "茂林", "冬梅", "家福", "玉兰",
    "守义", "小满", "立春", "国栋", "友谅", "云生",
];
/// Ridges with a mast, as (row, column) of the lattice.
const MASTS: [(usize, usize); 13] =
    [(1, 1), (1, 2), (1, 4), (1, 5), (2, 1), (2, 3), (2, 5), (3, 2), (3, 4), (3, 5), (4, 1), (4, 3), (4, 4)];
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
/// Yesterday until so many days ahead.
const ROTA_DAYS: i32 = 14;

/// Random numbers that are the same for the same seed (SplitMix64).
pub struct Dice(u64);

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

/// Writes the demo county's registers into `dir`. Camera n shows `camera_urls[n % len]`. Error when `dir` already holds a county:
/// a demo never overwrites an office.
pub fn write(dir: &Path, seed: u64, now: Timestamp, camera_urls: &[String]) -> Result<()> {
    if dir.join("county.toml").exists() {
        return Err(Error::invalid(format!(
            "{} already holds a county; the demo needs an empty folder",
            dir.display()
        )));
    }
    let county = build(seed, now, camera_urls)?;
    let basics = Basics {
        name: county.name.clone(),
        centre: county.centre,
        outline: Some("outline.geojson".to_owned()),
        neighbours: county.neighbours.clone(),
    };
    let outline = county.outline.as_ref().map(|outline| outline.to_geojson().to_string()).unwrap_or_default();
    let toml = toml::to_string(&basics).map_err(|e| Error::internal("county.toml cannot be written").because(e))?;
    let files = [
        ("outline.geojson", outline),
        (
            Kind::Grids.file_name(),
            geojson::FeatureCollection::new(county.grids.iter().map(rows::grid_feature)).to_string(),
        ),
        (Kind::People.file_name(), sheet(&county.people)?),
        (Kind::Cameras.file_name(), sheet(&county.cameras)?),
        (Kind::Duty.file_name(), sheet(&county.duties)?),
        (Kind::HeatSources.file_name(), sheet(&county.heat_sources)?),
        (Kind::Burns.file_name(), sheet(&county.burns)?),
        // Last: with it the folder holds a county.
        ("county.toml", toml),
    ];
    files.iter().try_for_each(|(name, text)| write_atomically(&dir.join(name), text.as_bytes()))
}

fn sheet<T: Record>(entries: &[T]) -> Result<String> {
    table::write(T::COLUMNS, entries.iter().map(Record::write)).map_err(Error::internal)
}

fn build(seed: u64, now: Timestamp, camera_urls: &[String]) -> Result<County> {
    let mut dice = Dice(seed);
    let centre = LatLon::new(CENTRE.0, CENTRE.1).ok_or_else(|| Error::internal("the centre is no place"))?;
    let ground = Ground::new(centre, &mut dice);
    let mut county = County {
        name: NAME.to_owned(),
        centre: Some(centre),
        outline: Some(ground.outline().map_err(Error::internal)?),
        neighbours: [("北屏县", 0.0), ("东麓县", 90.0), ("南岭县", 180.0), ("西河县", 270.0)]
            .map(|(name, direction_deg)| Neighbour { name: format!("{name}（示范）"), direction_deg, phone: None })
            .to_vec(),
        ..County::default()
    };
    for row in 0..ROWS {
        for column in 0..COLUMNS {
            county.grids.push(grid(&ground, row, column)?);
        }
    }
    people(&mut county, &mut dice);
    rota(&mut county, now);
    cameras(&mut county, &ground, &mut dice, camera_urls);
    fires_we_know(&mut county, now);
    Ok(county)
}

fn grid(ground: &Ground, row: usize, column: usize) -> Result<Grid> {
    let north = row >= SOUTHERN_ROWS;
    let township = TOWNSHIPS[usize::from(north)][column / 2];
    let number = (row - if north { SOUTHERN_ROWS } else { 0 }) * 2 + column % 2 + 1;
    Ok(Grid {
        id: format!("YX{:02}{:02}", usize::from(north) * 3 + column / 2 + 1, number).as_str().into(),
        name: format!("{number}号网格"),
        village: VILLAGES[row * COLUMNS + column].to_owned(),
        township: township.to_owned(),
        area: super::Area::from_rings(vec![ground.grid(row, column)]).map_err(Error::internal)?,
    })
}

fn people(county: &mut County, dice: &mut Dice) {
    let mut people: Vec<Person> = Vec::new();
    let mut add = |id: String, post: Post, grid: Option<&Grid>, township: Option<&str>| {
        let mut name = format!("{}{}", dice.pick(&SURNAMES), dice.pick(&GIVEN));
        while people.iter().any(|person| person.name == name) {
            name = format!("{}{}", dice.pick(&SURNAMES), dice.pick(&GIVEN));
        }
        people.push(Person {
            id: id.as_str().into(),
            name,
            phone: Some(format!("1900000{:04}", people.len() + 1)),
            post,
            grid: grid.filter(|_| matches!(post, Post::RangerA | Post::RangerB)).map(|grid| grid.id.clone()),
            village: grid.map(|grid| grid.village.clone()),
            township: township.map(str::to_owned),
        });
    };
    for grid in &county.grids {
        let township = Some(grid.township.as_str());
        add(format!("{}A", grid.id), Post::RangerA, Some(grid), township);
        add(format!("{}B", grid.id), Post::RangerB, Some(grid), township);
        add(format!("{}L", grid.id), Post::VillageChief, Some(grid), township);
    }
    for (number, township) in (1..).zip(TOWNSHIPS.concat()) {
        add(format!("XZ{number}1"), Post::TownshipOfficer, None, Some(township));
        add(format!("XZ{number}2"), Post::TownshipOfficer, None, Some(township));
        add(format!("JG{number}"), Post::Supervisor, None, Some(township));
    }
    (1..=4).for_each(|number| add(format!("ZB{number}"), Post::CountyOfficer, None, None));
    (1..=3).for_each(|number| add(format!("LD{number}"), Post::Leader, None, None));
    county.people = people;
}

fn rota(county: &mut County, now: Timestamp) {
    let today = county_date(now);
    for day in -1..=ROTA_DAYS {
        let date = today.saturating_add(day.days());
        let turn = |people: &[&Person]| -> Option<PersonId> {
            let index = usize::try_from(day + 1).unwrap_or(0) % people.len().max(1);
            people.get(index).map(|person| person.id.clone())
        };
        let on = |post: Post, township: Option<&str>| {
            let people: Vec<&Person> = county
                .people
                .iter()
                .filter(|person| person.post == post && (township.is_none() || person.township.as_deref() == township))
                .collect();
            turn(&people)
        };
        let mut duties: Vec<(Role, Option<&str>, Option<PersonId>)> = vec![
            (Role::CountyDuty, None, on(Post::CountyOfficer, None)),
            (Role::CountyLeader, None, on(Post::Leader, None)),
        ];
        for township in TOWNSHIPS.concat() {
            duties.push((Role::TownshipDuty, Some(township), on(Post::TownshipOfficer, Some(township))));
        }
        let duties = duties.into_iter().filter_map(|(role, township, person)| {
            Some(Duty { date, role, township: township.map(str::to_owned), grid: None, person: person? })
        });
        county.duties.extend(duties.collect::<Vec<_>>());
    }
}

fn cameras(county: &mut County, ground: &Ground, dice: &mut Dice, urls: &[String]) {
    let middle = county.centre;
    for (index, (&(row, column), ridge)) in MASTS.iter().zip(RIDGES).enumerate() {
        let at = ground.ridge(row, column);
        // Towards the county's middle, so that neighbours' views cross and two bearings give a place.
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
        county.cameras.push(CameraEntry {
            id: format!("cam{:02}", index + 1).as_str().into(),
            name: format!("{ridge}{}号塔", index + 1),
            at,
            height_m: 30.0,
            azimuth_deg: crate::triage::geo::normalise_deg((inwards_deg + dice.stray(35.0)).round()),
            field_of_view_deg: 60.0,
            tilt_deg: -3.0,
            range_m: 8000.0,
            url: CameraUrl::parse(&url),
            main_url: None,
            pipeline: None,
            pose: "default".into(),
            masks,
        });
    }
}

fn fires_we_know(county: &mut County, now: Timestamp) {
    let beside = |index: usize, azimuth_deg: f64, distance_m: f64| {
        county.grids.get(index).and_then(|grid| grid.area.centroid()).map(|at| at.destination(azimuth_deg, distance_m))
    };
    let today = county_date(now);
    let day = |days: i32| {
        let date = today.saturating_add(days.days());
        date.to_zoned(county_time()).map_or(now, |midnight| midnight.timestamp())
    };
    let sources = [
        ("云溪红砖厂", beside(9, 120.0, 1200.0), 300.0),
        ("白鹭水泥厂", beside(18, 40.0, 900.0), 400.0),
        ("竹源铁合金厂", beside(5, 250.0, 1000.0), 350.0),
    ];
    county.heat_sources = sources
        .into_iter()
        .filter_map(|(name, at, radius_m)| {
            Some(HeatSource { name: name.to_owned(), at: at?, radius_m, expires: day(181) })
        })
        .collect();
    county.burns = beside(14, 0.0, 600.0)
        .map(|at| Burn {
            name: "云盘村杉木冲造林炼山".to_owned(),
            at,
            radius_m: 250.0,
            from: day(0) + SignedDuration::from_hours(8),
            to: day(0) + SignedDuration::from_hours(18),
            approver: "雾隐镇人民政府（示范）".to_owned(),
        })
        .into_iter()
        .collect();
}

/// A FIRMS VIIRS list of this hour's overpass of any county: one pixel in the middle of a grid, one near it, one on a known heat source,
/// one beyond the border. Empty but for its header when the county has no grids.
pub fn hotspot_csv(now: Timestamp, county: &County) -> String {
    let seen = now - SignedDuration::from_mins(35);
    let utc = seen.to_zoned(jiff::tz::TimeZone::UTC);
    let local_hour = seen.to_zoned(county_time()).hour();
    let daynight = if (6..18).contains(&local_hour) { "D" } else { "N" };
    // FIRMS writes the hour and minute as a number: 0548 is 548.
    let hhmm = i32::from(utc.hour()) * 100 + i32::from(utc.minute());
    let date = utc.date();
    let mut list =
        "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,\
                    bright_ti5,frp,daynight\n"
            .to_owned();
    let mut add = |at: Option<LatLon>, kelvin: f64, confidence: &str, frp_mw: f64| {
        if let Some(at) = at {
            let (lat, lon) = (at.lat_deg(), at.lon_deg());
            list.push_str(&format!(
                "{lat:.5},{lon:.5},{kelvin},0.42,0.38,{date},{hhmm},N20,VIIRS,{confidence},2.0NRT,296.41,{frp_mw},{daynight}\n"
            ));
        }
    };
    let wild = quiet_middle(county);
    add(wild, 346.72, "h", 8.63);
    add(wild.map(|at| at.destination(75.0, 390.0)), 331.05, "n", 3.17);
    add(county.heat_sources.first().map(|source| source.at), 329.88, "n", 2.44);
    let beyond = county
        .bounds()
        .zip(county.centre())
        .and_then(|((_, high), centre)| LatLon::new(high.lat_deg() + 0.04, centre.lon_deg()));
    add(beyond, 327.4, "n", 1.92);
    list
}

/// The middle of the grid with the most room around it and nothing known to burn there.
fn quiet_middle(county: &County) -> Option<LatLon> {
    let known = |at: LatLon| {
        let sources = county.heat_sources.iter().map(|source| source.at);
        sources.chain(county.burns.iter().map(|burn| burn.at)).any(|thing| thing.distance_m(at) < 3000.0)
    };
    let middles = county.grids.iter().filter_map(|grid| Some((grid, grid.area.centroid()?)));
    let room = |(grid, at): &(&Grid, LatLon)| if known(*at) { 0.0 } else { grid.area.edge_distance_m(*at) };
    middles.filter(|(grid, at)| grid.area.contains(*at)).max_by(|a, b| room(a).total_cmp(&room(b))).map(|(_, at)| at)
}

#[cfg(test)]
mod tests;
