//! Pure: the demo county's ground, a lattice of irregular lines, so that some four hundred grids
//! cover the county without a gap.

use super::Dice;
use crate::county::Area;
use crate::triage::geo::LatLon;

/// Cells of 1.82 km by 1.84 km: grids of mountain counties in Hunan are 1.4 to 2 km wide.
pub(super) const COLUMNS: usize = 22;
pub(super) const ROWS: usize = 19;
/// About 40 km from west to east and 35 km from south to north.
const WIDTH_DEG: f64 = 0.41;
const HEIGHT_DEG: f64 = 0.315;
/// How far corners deviate from the lattice, and lines from straight, in cells.
const CORNER_STRAY: f64 = 0.14;
const LINE_STRAY: f64 = 0.08;
/// Points between two corners. Every board loads all grids, and a second point would add 35 kB.
const BENDS: usize = 1;

pub(super) struct Ground {
    corners: Vec<Vec<LatLon>>,
    /// The lines from each corner to the east and to the north, both ends included.
    eastward: Vec<Vec<Vec<LatLon>>>,
    northward: Vec<Vec<Vec<LatLon>>>,
}

impl Ground {
    pub(super) fn new(centre: LatLon, dice: &mut Dice) -> Self {
        let (cell_lat, cell_lon) = (HEIGHT_DEG / ROWS as f64, WIDTH_DEG / COLUMNS as f64);
        let corner = |row: usize, column: usize, dice: &mut Dice| {
            let lat = centre.lat_deg() + (row as f64 + dice.stray(CORNER_STRAY)) * cell_lat
                - HEIGHT_DEG / 2.0;
            let lon = centre.lon_deg() + (column as f64 + dice.stray(CORNER_STRAY)) * cell_lon
                - WIDTH_DEG / 2.0;
            LatLon::new(lat, lon).map_or(centre, rounded)
        };
        let corners: Vec<Vec<LatLon>> = (0..=ROWS)
            .map(|row| (0..=COLUMNS).map(|column| corner(row, column, dice)).collect())
            .collect();
        let mut line =
            |a: LatLon, b: LatLon| wandering(a, b, LINE_STRAY * cell_lat.min(cell_lon), dice);
        let eastward = (0..=ROWS)
            .map(|row| {
                (0..COLUMNS)
                    .map(|column| line(corners[row][column], corners[row][column + 1]))
                    .collect()
            })
            .collect();
        let northward = (0..ROWS)
            .map(|row| {
                (0..=COLUMNS)
                    .map(|column| line(corners[row][column], corners[row + 1][column]))
                    .collect()
            })
            .collect();
        Self { corners, eastward, northward }
    }

    /// A corner inside the county. Ridges stand where lines meet.
    pub(super) fn ridge(&self, row: usize, column: usize) -> LatLon {
        self.corners[row][column]
    }

    pub(super) fn grid(&self, row: usize, column: usize) -> Vec<LatLon> {
        let south = self.eastward[row][column].iter().copied();
        let east = self.northward[row][column + 1].iter().copied();
        let north = self.eastward[row + 1][column].iter().rev().copied();
        let west = self.northward[row][column].iter().rev().copied();
        joined([south.collect(), east.collect(), north.collect(), west.collect()])
    }

    pub(super) fn outline(&self) -> Result<Area, String> {
        let south = self.eastward[0].concat();
        let east = self.northward.iter().flat_map(|row| row[COLUMNS].clone()).collect();
        let north =
            self.eastward[ROWS].iter().rev().flat_map(|line| line.iter().rev().copied()).collect();
        let west =
            self.northward.iter().rev().flat_map(|row| row[0].iter().rev().copied()).collect();
        Area::from_rings(vec![joined([south, east, north, west])]).map_err(|why| why.en)
    }
}

fn joined(lines: [Vec<LatLon>; 4]) -> Vec<LatLon> {
    let mut ring = lines.concat();
    ring.dedup();
    ring
}

/// A line from `a` to `b` that deviates most in the middle.
fn wandering(a: LatLon, b: LatLon, stray_deg: f64, dice: &mut Dice) -> Vec<LatLon> {
    let mut line = vec![a];
    for bend in 1..=BENDS {
        let t = bend as f64 / (BENDS + 1) as f64;
        let loose = 4.0 * t * (1.0 - t) * stray_deg;
        let lat = a.lat_deg() + t * (b.lat_deg() - a.lat_deg()) + dice.stray(loose);
        let lon = a.lon_deg() + t * (b.lon_deg() - a.lon_deg()) + dice.stray(loose);
        line.extend(LatLon::new(lat, lon).map(rounded));
    }
    line.push(b);
    line
}

/// Rounded to five digits, about a metre, as on a map.
fn rounded(at: LatLon) -> LatLon {
    let digits = |degrees: f64| (degrees * 1e5).round() / 1e5;
    LatLon::new(digits(at.lat_deg()), digits(at.lon_deg())).unwrap_or(at)
}
