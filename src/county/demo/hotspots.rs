//! Pure: a satellite list for any county, with every case that an office meets.

use crate::county::{County, Grid, county_time};
use crate::triage::geo::LatLon;
use jiff::{SignedDuration, Timestamp};

/// A pixel farther than this from every known heat source and from other pixels is an incident of
/// its own.
const APART_M: f64 = 3000.0;

/// A FIRMS VIIRS list of this hour's overpass: one pixel at the centre of a grid, one near it, one
/// on a known heat source, one on the border of two grids, one beyond the county's border. It holds
/// only the header when the county has no grids.
pub fn hotspot_csv(now: Timestamp, county: &County) -> String {
    let seen = now - SignedDuration::from_mins(35);
    let utc = seen.to_zoned(jiff::tz::TimeZone::UTC);
    let local_hour = seen.to_zoned(county_time()).hour();
    let daynight = if (6..18).contains(&local_hour) { "D" } else { "N" };
    // FIRMS writes the hour and minute as a number: 0548 is 548.
    let hhmm = i32::from(utc.hour()) * 100 + i32::from(utc.minute());
    let date = utc.date();
    let mut list =
        "latitude,longitude,bright_ti4,scan,track,acq_date,acq_time,satellite,instrument,confidence,version,bright_ti5,frp,daynight\n"
            .to_owned();
    let mut add = |at: Option<LatLon>, kelvin: f64, confidence: &str, frp_mw: f64| {
        if let Some(at) = at {
            let (lat, lon) = (at.lat_deg(), at.lon_deg());
            list.push_str(&format!(
                "{lat:.5},{lon:.5},{kelvin},0.42,0.38,{date},{hhmm},N20,VIIRS,{confidence},2.0NRT,296.41,{frp_mw},{daynight}\n"
            ));
        }
    };
    let quiet = quiet_grid(county, None);
    let wild = quiet.map(|(_, at)| at);
    add(wild, 346.72, "h", 8.63);
    add(wild.map(|at| at.destination(75.0, 390.0)), 331.05, "n", 3.17);
    add(county.heat_sources.first().map(|source| source.at), 329.88, "n", 2.44);
    add(border_of_two(county, wild), 334.15, "n", 4.02);
    let beyond = county
        .bounds()
        .zip(county.centre())
        .and_then(|((_, high), centre)| LatLon::new(high.lat_deg() + 0.04, centre.lon_deg()));
    add(beyond, 327.4, "n", 1.92);
    list
}

/// The centre with the most free space around it, without known heat sources or other pixels, and
/// its grid.
fn quiet_grid(county: &County, besides: Option<LatLon>) -> Option<(&Grid, LatLon)> {
    let known = |at: LatLon| {
        let sources = county.heat_sources.iter().map(|source| source.at);
        let things = sources.chain(county.burns.iter().map(|burn| burn.at)).chain(besides);
        things.into_iter().any(|thing| thing.distance_m(at) < APART_M)
    };
    let at_the_edge = |at: LatLon| {
        county.outline.as_ref().is_some_and(|outline| outline.edge_distance_m(at) < APART_M)
    };
    let middles = county.grids.iter().filter_map(|grid| Some((grid, grid.area.centroid()?)));
    let room = |grid: &Grid, at| {
        if known(at) || at_the_edge(at) { 0.0 } else { grid.area.edge_distance_m(at) }
    };
    let inside = middles
        .filter(|(grid, at)| grid.area.contains(*at))
        .map(|(grid, at)| (room(grid, at), grid, at));
    inside.max_by(|(a, ..), (b, ..)| a.total_cmp(b)).map(|(_, grid, at)| (grid, at))
}

/// The point at which the line from the centre of a quiet grid to the nearest other centre leaves
/// the grid.
fn border_of_two(county: &County, besides: Option<LatLon>) -> Option<LatLon> {
    let (grid, from) = quiet_grid(county, besides)?;
    let others = county
        .grids
        .iter()
        .filter(|other| other.id != grid.id)
        .filter_map(|other| other.area.centroid());
    let to = others.min_by(|a, b| from.distance_m(*a).total_cmp(&from.distance_m(*b)))?;
    let azimuth_deg = from.azimuth_deg(to);
    let (mut inside_m, mut outside_m) = (0.0, from.distance_m(to));
    // Halving a distance of kilometres this often leaves less than a metre.
    for _ in 0..16 {
        let half_m = (inside_m + outside_m) / 2.0;
        if grid.area.contains(from.destination(azimuth_deg, half_m)) {
            inside_m = half_m;
        } else {
            outside_m = half_m;
        }
    }
    Some(from.destination(azimuth_deg, inside_m))
}
