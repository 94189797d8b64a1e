//! Pure: which pixels touch, transitively. A hash of cubes in space keeps it nearly linear anywhere
//! on earth.

use super::ONE_LOOK;
use crate::triage::geo::{EARTH_RADIUS_M, LatLon};
use crate::triage::overlap::reach_m;
use crate::triage::sighting::{Sighting, Source};
use jiff::Timestamp;
use std::collections::HashMap;

struct Pixel {
    /// One number for satellite, instrument and drill flag.
    eye: usize,
    at_m: [f64; 3],
    reach_m: f64,
    at: Timestamp,
}

/// Groups of indices: pixels of one satellite and one instrument, at most [`ONE_LOOK`] apart, whose
/// footprints touch. Other evidence is a group of one.
pub(super) fn groups(sightings: &[&Sighting]) -> Vec<Vec<usize>> {
    let mut eyes: HashMap<(&str, &str, bool), usize> = HashMap::new();
    // Widest reach of each satellite's pixels: half the edge of its cubes.
    let mut widest_m: Vec<f64> = Vec::new();
    let pixels: Vec<Option<Pixel>> = sightings
        .iter()
        .map(|it| {
            let Source::Satellite { satellite, instrument, .. } = &it.source else { return None };
            let count = eyes.len();
            let eye = *eyes.entry((satellite, instrument, it.drill)).or_insert(count);
            let reach_m = reach_m(&it.locus).max(1.0);
            widest_m.resize(widest_m.len().max(eye + 1), 0.0);
            widest_m[eye] = widest_m[eye].max(reach_m);
            Some(Pixel { eye, at_m: in_space(it.locus.centre()), reach_m, at: it.observed_at })
        })
        .collect();

    let mut joined = Joined::new(sightings.len());
    let mut cubes: HashMap<(usize, [i64; 3]), Vec<usize>> = HashMap::new();
    for (n, pixel) in pixels.iter().enumerate() {
        let Some(pixel) = pixel else { continue };
        let cube = pixel.at_m.map(|m| (m / (2.0 * widest_m[pixel.eye])).floor() as i64);
        for near in neighbours(cube) {
            for &other in cubes.get(&(pixel.eye, near)).into_iter().flatten() {
                if joined.root(n) != joined.root(other)
                    && pixels[other].as_ref().is_some_and(|it| pixel.touches(it))
                {
                    joined.join(n, other);
                }
            }
        }
        cubes.entry((pixel.eye, cube)).or_default().push(n);
    }
    joined.groups()
}

impl Pixel {
    fn touches(&self, other: &Self) -> bool {
        let apart_m =
            (0..3).map(|axis| (self.at_m[axis] - other.at_m[axis]).powi(2)).sum::<f64>().sqrt();
        apart_m <= self.reach_m + other.reach_m
            && self.at.duration_since(other.at).abs() <= ONE_LOOK
    }
}

/// Metres from the centre of the earth. Over 10 km a straight line is 1 mm shorter than the way
/// over the ground.
fn in_space(at: LatLon) -> [f64; 3] {
    let (lat_sin, lat_cos) = at.lat_deg().to_radians().sin_cos();
    let (lon_sin, lon_cos) = at.lon_deg().to_radians().sin_cos();
    [lat_cos * lon_cos, lat_cos * lon_sin, lat_sin].map(|share| share * EARTH_RADIUS_M)
}

fn neighbours([x, y, z]: [i64; 3]) -> impl Iterator<Item = [i64; 3]> {
    (-1..=1)
        .flat_map(move |i| (-1..=1).flat_map(move |j| (-1..=1).map(move |k| [x + i, y + j, z + k])))
}

/// Union-find with path halving.
struct Joined(Vec<usize>);

impl Joined {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&mut self, mut n: usize) -> usize {
        while self.0[n] != n {
            self.0[n] = self.0[self.0[n]];
            n = self.0[n];
        }
        n
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }

    fn groups(mut self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = vec![Vec::new(); self.0.len()];
        for n in 0..self.0.len() {
            let root = self.root(n);
            groups[root].push(n);
        }
        groups.retain(|group| !group.is_empty());
        groups
    }
}
