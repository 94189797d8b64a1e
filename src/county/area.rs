//! Pure: an area on the ground, read from GeoJSON: is a place inside, and how far is the edge.

use crate::lang::Words;
use crate::triage::geo::{EARTH_RADIUS_M, LatLon};
use geojson::{Geometry, GeometryValue, Position};

/// One or more polygons, each an outer ring with holes. Every ring has at least three corners.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Area {
    polygons: Vec<Vec<Vec<LatLon>>>,
}

impl Area {
    /// `rings`: the outer ring first, then holes; closing the ring by repeating its first corner is
    /// optional.
    pub fn from_rings(rings: Vec<Vec<LatLon>>) -> Result<Self, Words> {
        let rings = rings.into_iter().map(ring).collect::<Result<Vec<_>, _>>()?;
        if rings.is_empty() {
            return Err(Words::new("图形没有边界", "a polygon without a ring"));
        }
        Ok(Self { polygons: vec![rings] })
    }

    /// A Polygon, MultiPolygon or a collection of them, in WGS-84, longitude first (RFC 7946).
    pub fn from_geojson(geometry: &Geometry) -> Result<Self, Words> {
        let mut area = Self::default();
        area.add(geometry)?;
        if area.polygons.is_empty() {
            return Err(Words::new("图形是空的", "the geometry is empty"));
        }
        Ok(area)
    }

    fn add(&mut self, geometry: &Geometry) -> Result<(), Words> {
        let polygons = match &geometry.value {
            GeometryValue::Polygon { coordinates } => std::slice::from_ref(coordinates),
            GeometryValue::MultiPolygon { coordinates } => coordinates.as_slice(),
            GeometryValue::GeometryCollection { geometries } => {
                return geometries.iter().try_for_each(|geometry| self.add(geometry));
            }
            other => {
                let name = other.type_name();
                return Err(Words::new(
                    format!("{name} 不是面；应为 Polygon 或 MultiPolygon"),
                    format!("a {name} is not an area; a Polygon or MultiPolygon is needed"),
                ));
            }
        };
        for rings in polygons {
            let rings = rings
                .iter()
                .map(|ring| ring.iter().map(corner).collect())
                .collect::<Result<Vec<_>, _>>()?;
            self.polygons.extend(Self::from_rings(rings)?.polygons);
        }
        Ok(())
    }

    /// Each with its outer ring first, then its holes. No ring repeats its first corner.
    pub(super) fn polygons(&self) -> &[Vec<Vec<LatLon>>] {
        &self.polygons
    }

    /// Of all polygons without their holes, on a plane around each: better than 0.1 % for a county.
    pub(super) fn size_km2(&self) -> f64 {
        let km2 = |ring: &Vec<LatLon>| {
            let lat_deg = ring.first().map_or(0.0, |at| at.lat_deg());
            let degree_km = EARTH_RADIUS_M.to_radians() / 1000.0;
            ring_mass(ring).0.abs() / 2.0 * degree_km * degree_km * lat_deg.to_radians().cos()
        };
        let polygon = |rings: &Vec<Vec<LatLon>>| {
            let mut sizes = rings.iter().map(km2);
            sizes.next().unwrap_or_default() - sizes.sum::<f64>()
        };
        self.polygons.iter().map(polygon).sum()
    }

    pub fn to_geojson(&self) -> Geometry {
        let closed = |ring: &Vec<LatLon>| -> Vec<Position> {
            ring.iter()
                .chain(ring.first())
                .map(|at| Position::from([at.lon_deg(), at.lat_deg()]))
                .collect()
        };
        let mut polygons: Vec<Vec<Vec<Position>>> =
            self.polygons.iter().map(|rings| rings.iter().map(closed).collect()).collect();
        Geometry::new(match polygons.len() {
            1 => GeometryValue::Polygon { coordinates: polygons.remove(0) },
            _ => GeometryValue::MultiPolygon { coordinates: polygons },
        })
    }

    /// Even-odd rule. A place on an edge that two areas share belongs to at most one of them.
    pub fn contains(&self, at: LatLon) -> bool {
        self.polygons
            .iter()
            .any(|rings| rings.iter().filter(|ring| crosses_oddly(ring, at)).count() % 2 == 1)
    }

    /// Metres from `at` to the nearest edge, whether `at` is inside or outside. Computed on a plane
    /// around `at`, which is accurate to better than 0.1 % within 50 km.
    pub fn edge_distance_m(&self, at: LatLon) -> f64 {
        self.edges().map(|(a, b)| segment_distance_m(at, a, b)).fold(f64::INFINITY, f64::min)
    }

    /// South-west and north-east corner; `None` without corners.
    pub fn bounds(&self) -> Option<(LatLon, LatLon)> {
        bounds(self.polygons.iter().flatten().flatten().copied())
    }

    /// Centroid of the largest polygon's outer ring. It may lie outside a concave area.
    pub fn centroid(&self) -> Option<LatLon> {
        let largest = self.polygons.iter().filter_map(|rings| rings.first()).max_by(|a, b| {
            let (a, b) = (ring_mass(a).0.abs(), ring_mass(b).0.abs());
            a.total_cmp(&b)
        })?;
        let (mass, lat, lon) = ring_mass(largest);
        let origin = *largest.first()?;
        if mass == 0.0 {
            return Some(origin);
        }
        LatLon::new(origin.lat_deg() + lat / mass, origin.lon_deg() + lon / mass)
    }

    fn edges(&self) -> impl Iterator<Item = (LatLon, LatLon)> {
        self.polygons.iter().flatten().flat_map(|ring| {
            ring.iter().copied().zip(ring.iter().copied().cycle().skip(1)).take(ring.len())
        })
    }
}

/// South-west and north-east corner of the given places.
pub(super) fn bounds(places: impl IntoIterator<Item = LatLon>) -> Option<(LatLon, LatLon)> {
    let mut places = places.into_iter();
    let first = places.next()?;
    let (mut south, mut west, mut north, mut east) =
        (first.lat_deg(), first.lon_deg(), first.lat_deg(), first.lon_deg());
    for at in places {
        (south, north) = (south.min(at.lat_deg()), north.max(at.lat_deg()));
        (west, east) = (west.min(at.lon_deg()), east.max(at.lon_deg()));
    }
    Some((LatLon::new(south, west)?, LatLon::new(north, east)?))
}

fn corner(position: &Position) -> Result<LatLon, Words> {
    let [lon_deg, lat_deg, ..] = *position.as_slice() else {
        return Err(Words::new("有顶点缺少坐标", "a corner does not have two numbers"));
    };
    if crate::table::is_swapped(lat_deg, lon_deg) {
        return Err(Words::new(
            "经度和纬度写反了（GeoJSON 应为 [经度, 纬度]）：用 huoyan import grids 文件 --swap-axes \
            对调后导入",
            "longitude and latitude are exchanged (GeoJSON needs [longitude, latitude]): \
            huoyan import grids FILE --swap-axes exchanges them back",
        ));
    }
    LatLon::new(lat_deg, lon_deg).ok_or_else(|| {
        Words::new(
            format!("顶点 [{lon_deg}, {lat_deg}] 不在地球上；GeoJSON 应为 [经度, 纬度]，单位为度"),
            format!(
                "corner [{lon_deg}, {lat_deg}] is not a place on earth; GeoJSON needs [longitude, \
                latitude] in degrees"
            ),
        )
    })
}

/// The ring without its repeated closing corner.
fn ring(mut corners: Vec<LatLon>) -> Result<Vec<LatLon>, Words> {
    if corners.len() > 1 && corners.first() == corners.last() {
        corners.pop();
    }
    let count = corners.len();
    if count < 3 {
        return Err(Words::new(
            format!("边界只有{count}个顶点"),
            format!("a ring of {count} corners"),
        ));
    }
    Ok(corners)
}

pub(super) fn crosses_oddly(ring: &[LatLon], at: LatLon) -> bool {
    let (x, y) = (at.lon_deg(), at.lat_deg());
    let mut inside = false;
    for (a, b) in ring.iter().zip(ring.iter().cycle().skip(1)) {
        let (ax, ay, bx, by) = (a.lon_deg(), a.lat_deg(), b.lon_deg(), b.lat_deg());
        if (ay > y) != (by > y) && x < (bx - ax) * (y - ay) / (by - ay) + ax {
            inside = !inside;
        }
    }
    inside
}

fn segment_distance_m(at: LatLon, a: LatLon, b: LatLon) -> f64 {
    let flat = |p: LatLon| {
        let x = (p.lon_deg() - at.lon_deg()).to_radians()
            * at.lat_deg().to_radians().cos()
            * EARTH_RADIUS_M;
        (x, (p.lat_deg() - at.lat_deg()).to_radians() * EARTH_RADIUS_M)
    };
    let ((ax, ay), (bx, by)) = (flat(a), flat(b));
    let (dx, dy) = (bx - ax, by - ay);
    let length_squared = dx * dx + dy * dy;
    let along = if length_squared == 0.0 {
        0.0
    } else {
        (-(ax * dx + ay * dy) / length_squared).clamp(0.0, 1.0)
    };
    (ax + along * dx).hypot(ay + along * dy)
}

/// Whether a ring encloses nothing: all its corners lie on one line.
pub(super) fn is_flat(ring: &[LatLon]) -> bool {
    /// A square of a tenth of a metre.
    const NOTHING_DEG2: f64 = 1e-12;
    ring_mass(ring).0.abs() < NOTHING_DEG2
}

/// Twice the signed area and the first moments about the ring's first corner, in degrees.
fn ring_mass(ring: &[LatLon]) -> (f64, f64, f64) {
    let Some(origin) = ring.first() else { return (0.0, 0.0, 0.0) };
    let flat = |p: &LatLon| (p.lon_deg() - origin.lon_deg(), p.lat_deg() - origin.lat_deg());
    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(a, b)| (flat(a), flat(b))).fold(
        (0.0, 0.0, 0.0),
        |(mass, lat, lon), ((ax, ay), (bx, by))| {
            let cross = ax * by - bx * ay;
            (mass + cross, lat + (ay + by) * cross / 3.0, lon + (ax + bx) * cross / 3.0)
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).expect("a place")
    }

    fn square_with_hole() -> Area {
        let outer = vec![
            at(28.0, 110.0),
            at(28.0, 110.4),
            at(28.4, 110.4),
            at(28.4, 110.0),
            at(28.0, 110.0),
        ];
        let hole = vec![at(28.1, 110.1), at(28.1, 110.2), at(28.2, 110.2), at(28.2, 110.1)];
        Area::from_rings(vec![outer, hole]).expect("rings")
    }

    #[test]
    fn inside_outside_and_in_the_hole() {
        let area = square_with_hole();
        for (lat, lon, inside) in [
            (28.05, 110.05, true),
            (28.15, 110.15, false),
            (28.5, 110.2, false),
            (28.3, 110.39, true),
            (0.0, 0.0, false),
        ] {
            assert_eq!(area.contains(at(lat, lon)), inside, "{lat} {lon}");
        }
    }

    #[test]
    fn the_edge_is_as_far_as_a_great_circle_says() {
        let area = square_with_hole();
        let place = at(28.3, 110.2);
        let expected = place.distance_m(at(28.2, 110.2));
        assert!((area.edge_distance_m(place) - expected).abs() < expected * 0.001);
        let outside = at(28.4, 110.5);
        let expected = outside.distance_m(at(28.4, 110.4));
        assert!((area.edge_distance_m(outside) - expected).abs() < expected * 0.001);
    }

    #[test]
    fn a_shared_edge_belongs_to_one_side_only() {
        let west = Area::from_rings(vec![vec![
            at(28.0, 110.0),
            at(28.0, 110.1),
            at(28.1, 110.1),
            at(28.1, 110.0),
        ]]);
        let east = Area::from_rings(vec![vec![
            at(28.0, 110.1),
            at(28.0, 110.2),
            at(28.1, 110.2),
            at(28.1, 110.1),
        ]]);
        let on_edge = at(28.05, 110.1);
        let owners =
            [west, east].into_iter().flatten().filter(|area| area.contains(on_edge)).count();
        assert_eq!(owners, 1);
    }

    #[test]
    fn geojson_goes_out_and_comes_back() {
        let area = square_with_hole();
        assert_eq!(Area::from_geojson(&area.to_geojson()), Ok(area));
    }

    #[test]
    fn what_is_no_area_is_refused_with_its_reason() {
        let point = Geometry::new(GeometryValue::new_point([110.0, 28.0]));
        assert!(Area::from_geojson(&point).unwrap_err().en.contains("Point"));
        let swapped = Geometry::new(GeometryValue::new_polygon([[
            [28.0, 110.0],
            [28.1, 110.0],
            [28.1, 110.1],
        ]]));
        assert!(Area::from_geojson(&swapped).unwrap_err().en.contains("--swap-axes"));
        assert!(Area::from_rings(vec![vec![at(1.0, 1.0), at(2.0, 2.0), at(1.0, 1.0)]]).is_err());
    }

    #[test]
    fn the_centroid_of_a_square_is_its_middle() {
        let area = Area::from_rings(vec![vec![
            at(28.0, 110.0),
            at(28.0, 110.2),
            at(28.2, 110.2),
            at(28.2, 110.0),
        ]]);
        let centre = area.expect("rings").centroid().expect("corners");
        assert!(centre.distance_m(at(28.1, 110.1)) < 1.0, "{centre:?}");
    }
}
