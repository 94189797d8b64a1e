//! Pure: whether borders enclose ground, where they cross, and how much ground two areas share;
//! computed by the crate `geo`.

use super::{Area, Grid, area};
use crate::lang::Words;
use crate::triage::geo::{EARTH_RADIUS_M, LatLon};
use geo::line_intersection::{LineIntersection, line_intersection};
use geo::{Area as _, BooleanOps, Coord, Line, LineString, MultiPolygon, Polygon};

/// A crossing so near to a corner is a knot of drawing or rounding: five digits of a degree are a
/// metre. Whether a place lies inside is the same for all but that metre.
const KNOT_M: f64 = 1.0;

/// `Err` says where an area is none: rings that cross, a hole outside, no ground at all.
pub(super) fn sound(area: &Area) -> Result<(), Words> {
    for rings in area.polygons() {
        if let Some(at) = first(rings) {
            let at = place(&at);
            return Err(Words::new(
                format!("边界自相交，位于 {at}：请在 GIS 软件中修复图形后重新导出"),
                format!("its border crosses itself at {at}: repair the shape in the GIS program"),
            ));
        }
        if let Some(flat) = rings.iter().find(|ring| area::is_flat(ring)) {
            let at = flat.first().map(place).unwrap_or_default();
            return Err(Words::new(
                format!("边界没有围住任何地面（{at}）：请重画该网格后重新导出"),
                format!("a ring encloses no ground (at {at}): draw it anew and export it again"),
            ));
        }
        let Some((outer, holes)) = rings.split_first() else { continue };
        let is_outside =
            |hole: &&Vec<LatLon>| hole.iter().all(|corner| !area::crosses_oddly(outer, *corner));
        if let Some(corner) = holes.iter().find(is_outside).and_then(|hole| hole.first()) {
            let at = place(corner);
            return Err(Words::new(
                format!("洞在边界之外，位于 {at}：请在 GIS 软件中修复图形后重新导出"),
                format!("a hole lies outside its border, at {at}: repair it in the GIS program"),
            ));
        }
    }
    Ok(())
}

/// `110.42000, 28.52000`
pub(super) fn place(at: &LatLon) -> String {
    format!("{:.5}, {:.5}", at.lon_deg(), at.lat_deg())
}

/// The first place where the rings of one polygon cross themselves or each other. Rings that only
/// touch are fine, and so are knots.
fn first(rings: &[Vec<LatLon>]) -> Option<LatLon> {
    let mut lines: Vec<Line> = rings.iter().flat_map(|ring| edges(ring)).collect();
    let (west, east) = (|it: &Line| it.start.x.min(it.end.x), |it: &Line| it.start.x.max(it.end.x));
    lines.sort_by(|a, b| west(a).total_cmp(&west(b)));
    for (n, one) in lines.iter().enumerate() {
        let reaches = |other: &&Line| west(other) <= east(one);
        for other in lines[n + 1..].iter().take_while(reaches) {
            if let Some(LineIntersection::SinglePoint { intersection, is_proper: true }) =
                line_intersection(*one, *other)
                && let Some(at) = LatLon::new(intersection.y, intersection.x)
                && !is_knot(at, [one, other])
            {
                return Some(at);
            }
        }
    }
    None
}

fn is_knot(at: LatLon, lines: [&Line; 2]) -> bool {
    let ends = lines.into_iter().flat_map(|line| [line.start, line.end]);
    let mut corners = ends.filter_map(|end| LatLon::new(end.y, end.x));
    corners.any(|corner| corner.distance_m(at) < KNOT_M)
}

fn edges(ring: &[LatLon]) -> impl Iterator<Item = Line> {
    let ends = ring.iter().zip(ring.iter().cycle().skip(1));
    ends.map(|(a, b)| Line::new(coord(a), coord(b))).filter(|line| line.start != line.end)
}

/// Grids that share ground, by their numbers, and how much, km².
pub(super) fn overlaps(grids: &[Grid]) -> Vec<(usize, usize, f64)> {
    let shapes: Vec<MultiPolygon> = grids.iter().map(shape).collect();
    let boxes: Vec<_> = grids.iter().map(|grid| grid.area.bounds()).collect();
    let mut order: Vec<usize> = (0..grids.len()).filter(|n| boxes[*n].is_some()).collect();
    let west = |n: usize| boxes[n].map_or(f64::INFINITY, |(low, _)| low.lon_deg());
    let east = |n: usize| boxes[n].map_or(f64::NEG_INFINITY, |(_, high)| high.lon_deg());
    order.sort_by(|a, b| west(*a).total_cmp(&west(*b)));
    let mut found = Vec::new();
    for (at, &a) in order.iter().enumerate() {
        for &b in order[at + 1..].iter().take_while(|b| west(**b) < east(a)) {
            let (Some(one), Some(other)) = (boxes[a], boxes[b]) else { continue };
            let is_beside =
                one.1.lat_deg() <= other.0.lat_deg() || other.1.lat_deg() <= one.0.lat_deg();
            if is_beside {
                continue;
            }
            let shared = shapes[a].intersection(&shapes[b]).unsigned_area();
            let degree_km = EARTH_RADIUS_M.to_radians() / 1000.0;
            let km2 = shared * degree_km * degree_km * one.0.lat_deg().to_radians().cos();
            if km2 > 0.0 {
                found.push((a.min(b), a.max(b), km2));
            }
        }
    }
    found.sort_by_key(|(a, b, _)| (*a, *b));
    found
}

fn shape(grid: &Grid) -> MultiPolygon {
    let line =
        |ring: &Vec<LatLon>| LineString::from_iter(ring.iter().chain(ring.first()).map(coord));
    let polygon = |rings: &Vec<Vec<LatLon>>| {
        let mut rings = rings.iter().map(line);
        let outer = rings.next().unwrap_or_else(|| LineString::new(Vec::new()));
        Polygon::new(outer, rings.collect())
    };
    MultiPolygon::new(grid.area.polygons().iter().map(polygon).collect())
}

fn coord(at: &LatLon) -> Coord {
    Coord { x: at.lon_deg(), y: at.lat_deg() }
}
