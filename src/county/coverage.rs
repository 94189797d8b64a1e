//! Pure: which ground the cameras see: the viewshed of each over the terrain, and how much of the
//! county none, one or several of them see.

use super::{CameraEntry, County};
use crate::triage::geo::{EARTH_RADIUS_M, LatLon};
use crate::triage::id::CameraId;
use crate::triage::terrain::Terrain;
use std::collections::BTreeMap;

/// Side of a cell. A county of 4,000 km² has 100,000.
const CELL_M: f64 = 200.0;
/// A larger county gets larger cells.
const CELLS_MAX: f64 = 1_000_000.0;
/// A young fire's smoke stands this high over the ground before anybody has to see it.
pub const SMOKE_M: f64 = 30.0;

/// The county in square cells, and how many cameras see the smoke of a young fire in each.
#[derive(Clone, PartialEq, Debug)]
pub struct Coverage {
    south_west: LatLon,
    /// Of a cell: north and east.
    step_deg: (f64, f64),
    columns: usize,
    /// Row by row from the south; `None` outside the grids.
    cells: Vec<Option<u8>>,
    /// Ground of the county that each camera sees, km².
    pub seen_km2: BTreeMap<CameraId, f64>,
    /// Cameras whose direction or height nobody has measured, or where the elevation is unknown:
    /// what they see is not counted.
    pub unmeasured: Vec<CameraId>,
}

/// Shares of the county that no camera, one, and several see, 0..=1.
#[derive(Clone, Copy, PartialEq, Debug, serde::Serialize)]
pub struct Shares {
    pub none: f64,
    pub one: f64,
    pub several: f64,
}

impl County {
    /// `None` without grids or terrain.
    pub fn coverage(&self) -> Option<Coverage> {
        let terrain = self.terrain.as_deref()?;
        let mut coverage = Coverage::empty(self)?;
        let mut seen: BTreeMap<&CameraId, Vec<bool>> = BTreeMap::new();
        for camera in &self.cameras {
            let cells = seen.entry(&camera.id).or_insert_with(|| vec![false; coverage.cells.len()]);
            if !coverage.look(camera, terrain, cells) {
                coverage.unmeasured.push(camera.id.clone());
            }
        }
        coverage.unmeasured.dedup();
        let cell_km2 = coverage.cell_km2();
        for (camera, cells) in seen {
            let mut count = 0;
            for (cell, _) in coverage.cells.iter_mut().zip(cells).filter(|(_, seen)| *seen) {
                if let Some(cameras) = cell {
                    *cameras = cameras.saturating_add(1);
                    count += 1;
                }
            }
            coverage.seen_km2.insert(camera.clone(), f64::from(count) * cell_km2);
        }
        Some(coverage)
    }
}

impl Coverage {
    /// The county's cells, seen by nobody.
    fn empty(county: &County) -> Option<Self> {
        let corners = county.grids.iter().filter_map(|grid| grid.area.bounds());
        let (low, high) = super::area::bounds(corners.flat_map(|(low, high)| [low, high]))?;
        let lat_deg = f64::midpoint(low.lat_deg(), high.lat_deg());
        let degree_m = EARTH_RADIUS_M.to_radians();
        let east_m = (high.lon_deg() - low.lon_deg()) * degree_m * lat_deg.to_radians().cos();
        let north_m = (high.lat_deg() - low.lat_deg()) * degree_m;
        let cell_m = CELL_M.max((east_m * north_m / CELLS_MAX).sqrt());
        let step_deg = (cell_m / degree_m, cell_m / (degree_m * lat_deg.to_radians().cos()));
        let (rows, columns) = (
            (north_m / cell_m).ceil().max(1.0) as usize,
            (east_m / cell_m).ceil().max(1.0) as usize,
        );
        let mut coverage = Self {
            south_west: low,
            step_deg,
            columns,
            cells: vec![None; rows * columns],
            seen_km2: BTreeMap::new(),
            unmeasured: Vec::new(),
        };
        for n in 0..coverage.cells.len() {
            let is_ours = coverage.middle(n).is_some_and(|at| county.holds(at));
            coverage.cells[n] = is_ours.then_some(0);
        }
        Some(coverage)
    }

    /// Marks what a pose sees; false when that cannot be known.
    fn look(&self, camera: &CameraEntry, terrain: &Terrain, cells: &mut [bool]) -> bool {
        let is_all_round = camera.field_of_view_deg >= 360.0;
        let azimuth_deg = camera.azimuth_deg.or(is_all_round.then_some(0.0));
        let ground_m = terrain.elevation_m(camera.at);
        let (Some(azimuth_deg), Some(ground_m), Some(height_m)) =
            (azimuth_deg, ground_m, camera.height_m)
        else {
            return false;
        };
        // One ray a cell at the far end.
        let ray_deg = (CELL_M / camera.range_m).to_degrees();
        let half_deg = camera.field_of_view_deg.min(360.0) / 2.0;
        let rays = (2.0 * half_deg / ray_deg).ceil() as usize;
        for ray in 0..=rays {
            let off_deg = (ray as f64 * ray_deg).min(2.0 * half_deg) - half_deg;
            let along = azimuth_deg + off_deg;
            let sight =
                terrain.in_sight(camera.at, ground_m + height_m, along, camera.range_m, SMOKE_M);
            for (at, _) in sight.into_iter().filter(|(_, is_seen)| *is_seen) {
                if let Some(n) = self.cell(at) {
                    cells[n] = true;
                }
            }
        }
        true
    }

    fn middle(&self, n: usize) -> Option<LatLon> {
        let (row, column) = ((n / self.columns) as f64, (n % self.columns) as f64);
        LatLon::new(
            self.south_west.lat_deg() + (row + 0.5) * self.step_deg.0,
            self.south_west.lon_deg() + (column + 0.5) * self.step_deg.1,
        )
    }

    fn cell(&self, at: LatLon) -> Option<usize> {
        let row = ((at.lat_deg() - self.south_west.lat_deg()) / self.step_deg.0).floor();
        let column = ((at.lon_deg() - self.south_west.lon_deg()) / self.step_deg.1).floor();
        let is_inside = row >= 0.0 && column >= 0.0 && column < self.columns as f64;
        let n = row as usize * self.columns + column as usize;
        (is_inside && n < self.cells.len()).then_some(n)
    }

    fn cell_km2(&self) -> f64 {
        let degree_km = EARTH_RADIUS_M.to_radians() / 1000.0;
        let lat_deg = self.south_west.lat_deg();
        self.step_deg.0 * self.step_deg.1 * degree_km * degree_km * lat_deg.to_radians().cos()
    }

    pub fn shares(&self) -> Shares {
        let ours: Vec<u8> = self.cells.iter().flatten().copied().collect();
        let share = |holds: fn(u8) -> bool| {
            ours.iter().filter(|cameras| holds(**cameras)).count() as f64 / ours.len().max(1) as f64
        };
        Shares { none: share(|n| n == 0), one: share(|n| n == 1), several: share(|n| n > 1) }
    }

    /// The map: strips of cells that equally many cameras see (0, 1, 2: two or more).
    pub fn geojson(&self) -> geojson::FeatureCollection {
        let mut features = Vec::new();
        for (row, cells) in self.cells.chunks(self.columns).enumerate() {
            let class = |cell: &Option<u8>| cell.map(|cameras| cameras.min(2));
            let mut column = 0;
            for strip in cells.chunk_by(|a, b| class(a) == class(b)) {
                if let Some(cameras) = class(&strip[0]) {
                    features.push(self.strip(row, column, strip.len(), cameras));
                }
                column += strip.len();
            }
        }
        geojson::FeatureCollection::new(features)
    }

    fn strip(&self, row: usize, column: usize, length: usize, cameras: u8) -> geojson::Feature {
        let lat = |row: usize| self.south_west.lat_deg() + row as f64 * self.step_deg.0;
        let lon = |column: usize| self.south_west.lon_deg() + column as f64 * self.step_deg.1;
        let (south, north) = (lat(row), lat(row + 1));
        let (west, east) = (lon(column), lon(column + length));
        let ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
        let shape = geojson::GeometryValue::new_polygon([ring]);
        let mut feature = geojson::Feature {
            geometry: Some(geojson::Geometry::new(shape)),
            ..Default::default()
        };
        feature.set_property("cameras", cameras);
        feature
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::county::{Area, Grid};
    use crate::triage::terrain::Raster;
    use std::sync::Arc;

    const STEP_DEG: f64 = 3.0 / 3600.0;
    const SIZE: usize = 361;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).expect("a place")
    }

    /// A square of 22 by 20 km around the tower; heights from kilometres east of it.
    fn county(height_m: impl Fn(f64) -> f64, cameras: Vec<CameraEntry>) -> County {
        let (south, west) = (28.4, 110.3);
        let corners = [(0.0, 0.0), (0.0, 0.2), (0.2, 0.2), (0.2, 0.0)];
        let ring = corners.map(|(up, right)| at(south + up, west + right)).to_vec();
        let half = (SIZE / 2) as f64 * STEP_DEG;
        let east_km = |column: usize| (column as f64 * STEP_DEG - half) * 111.195 * 0.8788;
        let heights = (0..SIZE * SIZE).map(|n| height_m(east_km(n % SIZE)) as f32);
        let first = at(28.5 + half, 110.4 - half);
        let raster = Raster::new(first, (STEP_DEG, STEP_DEG), (SIZE, SIZE), heights);
        let terrain = Terrain::new(vec![raster.expect("a raster")]).expect("one raster");
        let grid = Grid {
            id: "G1".into(),
            name: "1".to_owned(),
            village: String::new(),
            township: "镇".to_owned(),
            area: Area::from_rings(vec![ring]).expect("a square"),
        };
        County { grids: vec![grid], cameras, terrain: Some(Arc::new(terrain)), ..County::default() }
    }

    fn camera(id: &str, azimuth_deg: Option<f64>, height_m: Option<f64>) -> CameraEntry {
        CameraEntry {
            id: id.into(),
            name: id.to_owned(),
            at: at(28.5, 110.4),
            height_m,
            azimuth_deg,
            azimuth_error_deg: 1.0,
            field_of_view_deg: 90.0,
            tilt_deg: None,
            horizon: None,
            range_m: 8000.0,
            url: crate::address::Address::parse("rtsp://h/1"),
            main_url: None,
            pipeline: None,
            pose: "default".into(),
            masks: Vec::new(),
        }
    }

    #[test]
    fn over_a_plane_a_camera_sees_its_sector_and_behind_a_ridge_nothing() {
        let east = || vec![camera("a", Some(90.0), Some(30.0))];
        let quarter_km2 = std::f64::consts::PI * 64.0 / 4.0;
        let plane = county(|_| 100.0, east()).coverage().expect("terrain and grids");
        let seen = plane.seen_km2[&CameraId::from("a")];
        assert!((seen - quarter_km2).abs() < quarter_km2 * 0.1, "{seen} of {quarter_km2}");

        let ridge = |east_km: f64| if (2.0..2.4).contains(&east_km) { 400.0 } else { 100.0 };
        let hidden = county(ridge, east()).coverage().expect("terrain and grids");
        let seen = hidden.seen_km2[&CameraId::from("a")];
        assert!((3.0..8.0).contains(&seen), "to the ridge and its face: {seen}");
    }

    #[test]
    fn the_shares_say_how_many_see_the_same_ground_and_who_is_not_counted() {
        let cameras = vec![
            camera("a", Some(90.0), Some(30.0)),
            camera("b", Some(90.0), Some(30.0)),
            camera("c", Some(270.0), Some(30.0)),
            camera("d", None, Some(30.0)),
            camera("e", Some(0.0), None),
        ];
        let coverage = county(|_| 100.0, cameras).coverage().expect("terrain and grids");
        let Shares { none, one, several } = coverage.shares();
        assert!((none + one + several - 1.0).abs() < 1e-9);
        assert!((one - several).abs() < 0.01 && (0.1..0.13).contains(&one), "{one} {several}");
        let unmeasured: Vec<_> = coverage.unmeasured.iter().map(|id| id.as_str()).collect();
        assert_eq!(unmeasured, ["d", "e"]);
        let map = coverage.geojson();
        let classes: std::collections::BTreeSet<u64> = map
            .features
            .iter()
            .filter_map(|it| it.property("cameras").and_then(serde_json::Value::as_u64))
            .collect();
        assert_eq!(classes.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(County::default().coverage(), None, "nothing is made up");
    }
}
