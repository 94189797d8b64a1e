//! 县: the office's registers as one value: grids, people, the rota, cameras, heat sources,
//! approved burns, danger levels, signals and bans. [`Registers`] and [`import()`] read the files;
//! every method of a [`County`] is pure.

mod area;
mod basics;
mod bearing;
mod camera;
mod camera_change;
mod candidates;
mod coverage;
mod crossing;
mod demo;
mod duty;
mod duty_names;
mod folder;
mod import;
mod labels;
mod names;
mod notices;
mod people;
mod place;
mod plausible;
mod registers;
mod rows;
mod sheet;
mod shift;
mod streams;
mod terrain;
#[cfg(test)]
mod tests;

pub use area::Area;
pub use basics::Problem;
pub use bearing::aim::{Aim, Landmark};
pub use bearing::{Ground, SmokeInView};
pub use camera::{CameraEntry, Mask};
pub use camera_change::{CameraChange, camera_changes};
pub use candidates::GridIndex;
pub use coverage::{Coverage, SMOKE_M, Shares};
pub use demo::{hotspot_csv as demo_hotspots, write as write_demo};
pub use duty::{Gap, Recipient};
pub use folder::{Folder, Found, Taken};
pub use import::{ImportReport, RejectedRow, import};
pub use names::resolve as resolve_names;
pub use people::{Duty, Person, Post, county_date, county_time, phone_number};
pub use plausible::Oddity;
pub use registers::{Registers, SETTLED_AFTER, look};
pub use rows::swap_axes;
#[cfg(any(test, fuzzing))]
pub(crate) use sheet::without_secrets as fuzz_without_secrets;
pub use sheet::{Sheet, entry as register_entry, parse as parse_sheet, render as render_sheet};
pub use streams::{is_turning, streams, turning};

use crate::register::{Ban, Danger, Signal};
use crate::triage::geo::LatLon;
use crate::triage::id::{CameraId, GridId, PersonId};
use crate::triage::terrain::Terrain;
use jiff::Timestamp;
use std::sync::Arc;

/// Everything the office has registered, at one instant. Empty registers are a county too: it has
/// no grids and says so.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct County {
    pub name: String,
    /// The initial centre of the map; computed from outline or grids when county.toml gives none.
    pub centre: Option<LatLon>,
    pub outline: Option<Area>,
    pub neighbours: Vec<Neighbour>,
    pub grids: Vec<Grid>,
    pub people: Vec<Person>,
    pub cameras: Vec<CameraEntry>,
    pub duties: Vec<Duty>,
    pub heat_sources: Vec<HeatSource>,
    pub burns: Vec<Burn>,
    pub danger: Vec<Danger>,
    pub signals: Vec<Signal>,
    pub bans: Vec<Ban>,
    /// county.toml says `ground = "flat"`.
    pub is_flat: bool,
    /// Elevations of the county and its margin, if the office has any.
    pub terrain: Option<Arc<Terrain>>,
    /// Rows of register files, and terrain files, that could not be used. They stay in place.
    pub problems: Vec<Problem>,
    /// Finds the grid of a place; built once.
    pub grid_index: GridIndex,
}

/// 网格: one ranger's ground.
#[derive(Clone, PartialEq, Debug)]
pub struct Grid {
    pub id: GridId,
    pub name: String,
    pub village: String,
    pub township: String,
    pub area: Area,
}

impl Grid {
    /// "凤滩镇大坪村 3号网格"
    pub fn full_name(&self) -> String {
        format!("{}{} {}", self.township, self.village, self.name).trim().to_owned()
    }
}

/// A neighbouring county, to be told of fires on its side.
#[derive(Clone, PartialEq, Debug, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    pub name: String,
    /// Where it lies, seen from this county's centre, degrees clockwise from true north.
    pub direction_deg: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// 已知热源: a brick kiln, a smelter.
#[derive(Clone, PartialEq, Debug)]
pub struct HeatSource {
    pub name: String,
    pub at: LatLon,
    pub radius_m: f64,
    /// After this it labels nothing: somebody must check whether the source still burns.
    pub expires: Timestamp,
}

/// 已批用火: an approved burn's place and window.
#[derive(Clone, PartialEq, Debug)]
pub struct Burn {
    pub name: String,
    pub at: LatLon,
    pub radius_m: f64,
    pub from: Timestamp,
    pub to: Timestamp,
    pub approver: String,
}

impl County {
    pub fn person(&self, id: &PersonId) -> Option<&Person> {
        self.people.iter().find(|person| person.id == *id)
    }

    pub fn grid(&self, id: &GridId) -> Option<&Grid> {
        self.grids.iter().find(|grid| grid.id == *id)
    }

    pub fn camera(&self, id: &CameraId) -> Option<&CameraEntry> {
        self.cameras.iter().find(|camera| camera.id == *id)
    }

    /// South-west and north-east corner of everything with a position; `None` for empty registers.
    pub fn bounds(&self) -> Option<(LatLon, LatLon)> {
        let areas = self.outline.iter().chain(self.grids.iter().map(|grid| &grid.area));
        let corners = areas.filter_map(Area::bounds).flat_map(|(low, high)| [low, high]);
        area::bounds(corners.chain(self.cameras.iter().map(|camera| camera.at)).chain(self.centre))
    }

    /// The given centre, or the centre of the bounds.
    pub fn centre(&self) -> Option<LatLon> {
        self.centre.or_else(|| {
            let (low, high) = self.bounds()?;
            LatLon::new(
                (low.lat_deg() + high.lat_deg()) / 2.0,
                (low.lon_deg() + high.lon_deg()) / 2.0,
            )
        })
    }

    /// The grids as a GeoJSON FeatureCollection with `code`, `name`, `village`, `township`: the
    /// same shape as grids.geojson.
    pub fn grids_geojson(&self) -> geojson::FeatureCollection {
        geojson::FeatureCollection::new(self.grids.iter().map(rows::grid_feature))
    }
}
