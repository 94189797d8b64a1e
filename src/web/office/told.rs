//! Where a person says it burns: a place in any of the maps' coordinate systems, or a village, of
//! which the grids are known.

use crate::county::{Area, County};
use crate::triage::datum::Datum;
use crate::triage::geo::{LatLon, Locus};
use crate::web::http::error::{Answer, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

/// Allowed radius of a place that a person named, metres. The upper limit is about a county's size.
const RADIUS_M: std::ops::RangeInclusive<f64> = 50.0..=20_000.0;
/// How far a reported fire may lie beyond the county's corners, metres.
const BEYOND_M: f64 = 100_000.0;

/// The place of an office's report.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Told {
    /// Left out: somewhere in `village`.
    #[serde(default)]
    at: Option<LatLon>,
    /// In which coordinate system `at` is given.
    #[serde(default)]
    datum: Datum,
    /// How far off `at` may be.
    #[serde(default)]
    #[schema(minimum = 50, maximum = 20_000)]
    radius_m: Option<f64>,
    /// 村, by its name in the register of grids, or 镇 and 村: where the caller cannot say more.
    #[serde(default)]
    #[schema(max_length = 100)]
    village: Option<String>,
}

impl Told {
    pub(super) fn locus(&self, county: &County) -> Answer<Locus> {
        let village = self.village.as_deref().map(str::trim).filter(|it| !it.is_empty());
        let locus = match (self.at, self.radius_m, village) {
            (Some(at), Some(radius_m), _) => self.disc(at, radius_m)?,
            (Some(_), None, _) => {
                return Err(Problem::invalid(
                    "请填写位置误差 radius_m。",
                    "Please give radius_m: how far off the place may be.",
                ));
            }
            (None, _, Some(village)) => in_village(county, village)?,
            (None, _, None) => {
                return Err(Problem::invalid(
                    "请填写位置：经纬度 at，或村名 village。",
                    "Please give a place: \"at\", or the name of a \"village\".",
                ));
            }
        };
        check_near(locus.centre(), county)?;
        Ok(locus)
    }

    fn disc(&self, at: LatLon, radius_m: f64) -> Answer<Locus> {
        if !RADIUS_M.contains(&radius_m) {
            return Err(Problem::invalid(
                "半径应在50米至20公里之间。",
                "radius_m must lie between 50 and 20 000 metres.",
            ));
        }
        let centre = self
            .datum
            .to_wgs84(at.lat_deg(), at.lon_deg())
            .ok_or_else(|| Problem::invalid("经纬度无效。", "That is no place on earth."))?;
        Ok(Locus::Disc { centre, radius_m })
    }
}

/// The circle around all grids of a village.
fn in_village(county: &County, village: &str) -> Answer<Locus> {
    let is_it = |it: &&crate::county::Grid| {
        it.village == village || format!("{}{}", it.township, it.village) == village
    };
    let grids: Vec<_> = county.grids.iter().filter(is_it).collect();
    let mut townships: Vec<&str> = grids.iter().map(|it| it.township.as_str()).collect();
    townships.sort_unstable();
    townships.dedup();
    if townships.len() > 1 {
        let (zh, en) = (townships.join("、"), townships.join(", "));
        return Err(Problem::impossible(
            format!("有几个{village}（{zh}）：请连乡镇名一起填。"),
            format!("There are several {village} ({en}): give the township's name before it."),
        ));
    }
    let corners: Vec<(LatLon, LatLon)> =
        grids.iter().filter_map(|it| Area::bounds(&it.area)).collect();
    let bound = |pick: fn(f64, f64) -> f64, of: fn(&(LatLon, LatLon)) -> f64| {
        corners.iter().map(of).reduce(pick)
    };
    let south = bound(f64::min, |it| it.0.lat_deg());
    let north = bound(f64::max, |it| it.1.lat_deg());
    let west = bound(f64::min, |it| it.0.lon_deg());
    let east = bound(f64::max, |it| it.1.lon_deg());
    let middle = |a: Option<f64>, b: Option<f64>| Some(f64::midpoint(a?, b?));
    let centre = middle(south, north).zip(middle(west, east)).and_then(|(y, x)| LatLon::new(y, x));
    let corner = north.zip(east).and_then(|(y, x)| LatLon::new(y, x));
    let Some((centre, corner)) = centre.zip(corner) else {
        return Err(Problem::impossible(
            format!("网格登记册里没有{village}：请核对村名，或给经纬度。"),
            format!("No grid of the register lies in {village}: check its name, or give a place."),
        ));
    };
    let radius_m = centre.distance_m(corner).clamp(*RADIUS_M.start(), *RADIUS_M.end());
    Ok(Locus::Disc { centre, radius_m })
}

/// Refuses a place that no call to this office can be about: its coordinates are wrong.
pub(crate) fn check_near(at: LatLon, county: &County) -> Answer<()> {
    // A county without registers has no position yet.
    let Some((middle, (corner, _))) = county.centre().zip(county.bounds()) else { return Ok(()) };
    if middle.distance_m(at) <= middle.distance_m(corner) + BEYOND_M {
        return Ok(());
    }
    Err(Problem::impossible(
        "位置离本县100公里以上，请检查经纬度。",
        "That is more than 100 km from the county. Please check latitude and longitude.",
    ))
}
