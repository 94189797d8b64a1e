//! Pure: 热点群: adjacent pixels of one satellite pass are one cluster, with one sum and one
//! footprint.

mod touch;

use super::geo::{LatLon, Locus, Spread};
use super::overlap::GEOLOCATION_SHARE;
use super::ray::{plane, unplane};
use super::sighting::{Sighting, Source, SourceKind};
use jiff::{SignedDuration, Timestamp};

/// Two pixels of one satellite at most 2 min apart were seen at once. FIRMS gives whole minutes,
/// and a polar orbiter sweeps a county in 10 s.
pub const ONE_LOOK: SignedDuration = SignedDuration::from_mins(2);
/// After 20 min a pixel belongs to the satellite's next pass. Neighbouring orbits are 100 min
/// apart, and a geostationary imager repeats every 10 min.
pub const NEXT_PASS: SignedDuration = SignedDuration::from_mins(20);
/// Length of a window of passes: 3 h from its first pixel, whichever satellites see it. The five
/// polar satellites of FIRMS come in two windows a day, each about two hours wide. In one window
/// they see the same burning, also that of a kiln. What still burns in the next window is 连续.
const NEXT_WINDOW: SignedDuration = SignedDuration::from_hours(3);
/// 卫星热点在 3 个像素以上 must be reported at once (川森防指〔2011〕3 号).
pub const PIXELS_MANY: u32 = 3;
/// 连续: seen in at least this many windows of passes.
pub const PASSES_MANY: usize = 2;

/// Longest distance between pixels that one hot point can light, in pixel widths. A point near a
/// corner lights the four pixels that meet there. Their farthest centres are one diagonal apart,
/// 1.41 widths, or 1.6 with a tenth for turned rows. The rule of three pixels dates from 1 km
/// pixels, and a kiln's chimney is no fire of three. So a label can explain a block of four, but
/// not three in a row.
const POINT_LIGHTS: f64 = 1.6;

#[derive(Clone, PartialEq, Debug)]
pub struct Cluster {
    pub satellite: String,
    pub instrument: String,
    /// When its first pixel was seen.
    pub observed_at: Timestamp,
    /// Sum of the rows' pixels.
    pub pixels: u32,
    /// Summed radiative power, MW; `None` when no row gives one.
    pub frp_mw: Option<f64>,
    /// Weighted by radiative power.
    pub centre: LatLon,
    /// The common footprint, widened by the geolocation error.
    pub extent: Spread,
    /// Three or more pixels that one hot point cannot light.
    pub is_large: bool,
}

/// The satellite pixels among the sightings, as clusters, the largest first.
pub fn clusters(sightings: &[Sighting]) -> Vec<Cluster> {
    let pixels: Vec<&Sighting> =
        sightings.iter().filter(|it| it.source.kind() == SourceKind::Satellite).collect();
    let mut found: Vec<Cluster> = touch::groups(&pixels)
        .into_iter()
        .filter_map(|group| cluster(&group.into_iter().map(|n| pixels[n]).collect::<Vec<_>>()))
        .collect();
    found.sort_by(|a, b| {
        let power = |it: &Cluster| it.frp_mw.unwrap_or(0.0);
        (b.pixels.cmp(&a.pixels))
            .then_with(|| power(b).total_cmp(&power(a)))
            .then_with(|| a.observed_at.cmp(&b.observed_at))
            .then_with(|| a.centre.lat_deg().total_cmp(&b.centre.lat_deg()))
            .then_with(|| a.centre.lon_deg().total_cmp(&b.centre.lon_deg()))
    });
    found
}

/// Groups evidence: each cluster of pixels is one group, everything else is a group of its own. The
/// earliest group is first. About n log n: the list of the whole world (61,500 rows) takes well
/// under a second.
pub fn group(sightings: Vec<Sighting>) -> Vec<Vec<Sighting>> {
    let groups = touch::groups(&sightings.iter().collect::<Vec<_>>());
    let mut loose: Vec<Option<Sighting>> = sightings.into_iter().map(Some).collect();
    let mut groups: Vec<Vec<Sighting>> = groups
        .into_iter()
        .map(|group| {
            let mut group: Vec<Sighting> =
                group.into_iter().filter_map(|n| loose[n].take()).collect();
            group.sort_by_key(|it| (it.observed_at, it.id));
            group
        })
        .collect();
    groups.sort_by_key(|group| group.first().map(|it| (it.observed_at, it.id)));
    groups
}

/// Heat that satellites saw: pixels of the largest cluster, the highest power of a cluster, and the
/// number of windows of passes.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Heat {
    pub pixels: u32,
    pub frp_mw: Option<f64>,
    pub passes: usize,
    pub is_large: bool,
}

impl Heat {
    /// Three or more pixels, or 连续: no label lowers its score, and no memory silences it (domain
    /// rule 28). Pixels that one hot point can light do not count here: see [`POINT_LIGHTS`].
    pub fn is_strong(&self) -> bool {
        self.is_large || self.passes >= PASSES_MANY
    }
}

pub fn heat(sightings: &[Sighting]) -> Heat {
    let clusters = clusters(sightings);
    Heat {
        pixels: clusters.iter().map(|it| it.pixels).max().unwrap_or(0),
        frp_mw: clusters.iter().filter_map(|it| it.frp_mw).max_by(f64::total_cmp),
        passes: passes(sightings),
        is_large: clusters.iter().any(|it| it.is_large),
    }
}

/// Number of windows of passes in which the pixels were seen.
pub fn passes(sightings: &[Sighting]) -> usize {
    let pixels = sightings.iter().filter(|it| it.source.kind() == SourceKind::Satellite);
    let mut times: Vec<Timestamp> = pixels.map(|it| it.observed_at).collect();
    times.sort_unstable();
    let mut count = 0;
    let mut began: Option<Timestamp> = None;
    for at in times {
        if began.is_none_or(|began| at.duration_since(began) >= NEXT_WINDOW) {
            (count, began) = (count + 1, Some(at));
        }
    }
    count
}

fn is_large(pixels: &[&Sighting]) -> bool {
    let rows = pixels.iter().filter_map(|it| match it.source {
        Source::Satellite { pixels, .. } => Some(pixels),
        _ => None,
    });
    let (sum, most) =
        rows.fold((0_u32, 0_u32), |(sum, most), row| (sum.saturating_add(row), most.max(row)));
    if sum < PIXELS_MANY || most >= PIXELS_MANY {
        return sum >= PIXELS_MANY;
    }
    let Some(first) = pixels.first().map(|it| it.locus.centre()) else { return false };
    let farthest = |from: LatLon| {
        let away = pixels.iter().map(|it| (it.locus.centre().distance_m(from), it.locus));
        away.max_by(|(a, _), (b, _)| a.total_cmp(b))
    };
    // The pixel farthest from the first, then the pixel farthest from that one. Exact for the few
    // pixels for which it matters, and never too long.
    let far = farthest(first).and_then(|(_, locus)| farthest(locus.centre()));
    far.is_some_and(|(distance_m, locus)| {
        let width_m = match locus {
            Locus::Pixel { scan_m, track_m, .. } => scan_m.max(track_m),
            _ => 2.0 * locus.radius_m(),
        };
        distance_m > POINT_LIGHTS * width_m
    })
}

fn cluster(pixels: &[&Sighting]) -> Option<Cluster> {
    let first = pixels.iter().min_by_key(|it| (it.observed_at, it.id))?;
    let Source::Satellite { satellite, instrument, .. } = &first.source else { return None };
    let count = pixels
        .iter()
        .map(|it| if let Source::Satellite { pixels, .. } = it.source { pixels } else { 0 });
    let (centre, extent) = footprint(pixels)?;
    let powers: Vec<f64> = pixels.iter().filter_map(|it| frp_mw(it)).collect();
    let is_large = is_large(pixels);
    Some(Cluster {
        is_large,
        satellite: satellite.clone(),
        instrument: instrument.clone(),
        observed_at: first.observed_at,
        pixels: count.fold(0, u32::saturating_add),
        frp_mw: (!powers.is_empty()).then(|| powers.iter().sum()),
        centre,
        extent,
    })
}

/// Radiative power of a pixel, MW; `None` if it is missing, negative or not finite.
pub(super) fn frp_mw(sighting: &Sighting) -> Option<f64> {
    match sighting.source {
        Source::Satellite { frp_mw, .. } => frp_mw.filter(|it| it.is_finite() && *it >= 0.0),
        _ => None,
    }
}

/// Centre of the pixels weighted by their power, and the ellipse about it that holds every corner
/// of every footprint, widened by the geolocation error. Independent of their order. `None` without
/// a pixel.
pub(super) fn footprint(pixels: &[&Sighting]) -> Option<(LatLon, Spread)> {
    // Sums of floats depend on their order: the order is fixed first.
    let mut sorted: Vec<&Sighting> = pixels.to_vec();
    sorted.sort_by_key(|it| (it.observed_at, it.id));
    let origin = sorted.first()?.locus.centre();
    // A pixel of unknown power counts 1 MW, as the faintest listed fires do.
    let weigh = |it: &&Sighting| {
        (plane(origin, it.locus.centre()), frp_mw(it).unwrap_or(1.0).clamp(1.0, 1e5))
    };
    let weighed: Vec<([f64; 2], f64)> = sorted.iter().map(weigh).collect();
    let total: f64 = weighed.iter().map(|(_, weight)| weight).sum();
    let mean =
        |axis: usize| weighed.iter().map(|(at, weight)| at[axis] * weight).sum::<f64>() / total;
    let middle = [mean(0), mean(1)];

    let mut error_m: f64 = 0.0;
    let mut corners: Vec<[f64; 2]> = Vec::with_capacity(4 * sorted.len());
    for (sighting, (at, _)) in sorted.iter().zip(&weighed) {
        let (east_m, north_m) = match sighting.locus {
            Locus::Pixel { scan_m, track_m, .. } => {
                error_m = error_m.max(GEOLOCATION_SHARE * scan_m.min(track_m));
                (scan_m / 2.0, track_m / 2.0)
            }
            // A disc of an old log includes its error: the square inside it is used.
            _ => [sighting.locus.radius_m() / 2f64.sqrt(); 2].into(),
        };
        for (east, north) in [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)] {
            corners.push([at[0] - middle[0] + east * east_m, at[1] - middle[1] + north * north_m]);
        }
    }
    Some((unplane(origin, middle)?, ellipse(&corners, error_m)))
}

/// The ellipse about the origin, along the main direction of the corners, that holds them all,
/// widened by the error.
fn ellipse(corners: &[[f64; 2]], error_m: f64) -> Spread {
    let sum = |of: &dyn Fn(&[f64; 2]) -> f64| corners.iter().map(of).sum::<f64>();
    let (east, north, both) = (sum(&|c| c[0] * c[0]), sum(&|c| c[1] * c[1]), sum(&|c| c[0] * c[1]));
    // Clockwise from north.
    let azimuth_deg = (2.0 * both).atan2(north - east).to_degrees() / 2.0;
    let (sin, cos) = azimuth_deg.to_radians().sin_cos();
    let turned = |c: &[f64; 2]| (c[0] * sin + c[1] * cos, c[0] * cos - c[1] * sin);
    let along_m = corners.iter().map(|c| turned(c).0.abs()).fold(1.0, f64::max);
    let across_m = corners.iter().map(|c| turned(c).1.abs()).fold(1.0, f64::max);
    // The ellipse with the half sides of their box does not hold its corners: it grows until it
    // holds every corner.
    let grown = corners
        .iter()
        .map(turned)
        .map(|(u, v)| (u / along_m).hypot(v / across_m))
        .fold(1.0, f64::max);
    let (along_m, across_m) = (along_m * grown + error_m, across_m * grown + error_m);
    let azimuth_deg = super::geo::normalise_deg(azimuth_deg) % 180.0;
    if along_m >= across_m {
        Spread::Ellipse { along_m, across_m, azimuth_deg }
    } else {
        Spread::Ellipse {
            along_m: across_m,
            across_m: along_m,
            azimuth_deg: (azimuth_deg + 90.0) % 180.0,
        }
    }
}

#[cfg(test)]
mod tests;
