//! Pure: places on the earth, always in WGS-84 (= CGCS2000 for this purpose).

use super::profile::RangeProfile;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// IUGG mean earth radius R1, metres. A sphere is off by less than 0.6 % against the ellipsoid,
/// less than the uncertainty of any fix.
pub const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A place: WGS-84 degrees. Valid by construction: latitude in -90..=90, longitude in -180..=180,
/// both finite.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "RawLatLon", into = "RawLatLon")]
pub struct LatLon {
    #[schema(minimum = -90, maximum = 90)]
    lat_deg: f64,
    #[schema(minimum = -180, maximum = 180)]
    lon_deg: f64,
}

#[derive(Serialize, Deserialize)]
struct RawLatLon {
    lat_deg: f64,
    lon_deg: f64,
}

impl TryFrom<RawLatLon> for LatLon {
    type Error = String;
    fn try_from(raw: RawLatLon) -> Result<Self, String> {
        Self::new(raw.lat_deg, raw.lon_deg).ok_or_else(|| {
            format!("not a place on earth: latitude {}, longitude {}", raw.lat_deg, raw.lon_deg)
        })
    }
}

impl From<LatLon> for RawLatLon {
    fn from(at: LatLon) -> Self {
        Self { lat_deg: at.lat_deg, lon_deg: at.lon_deg }
    }
}

impl LatLon {
    /// `None` when a value is not finite or out of range.
    pub fn new(lat_deg: f64, lon_deg: f64) -> Option<Self> {
        ((-90.0..=90.0).contains(&lat_deg) && (-180.0..=180.0).contains(&lon_deg))
            .then_some(Self { lat_deg, lon_deg })
    }

    pub fn lat_deg(self) -> f64 {
        self.lat_deg
    }

    pub fn lon_deg(self) -> f64 {
        self.lon_deg
    }

    /// Great-circle distance (haversine), metres.
    pub fn distance_m(self, other: Self) -> f64 {
        let (lat_a, lat_b) = (self.lat_deg.to_radians(), other.lat_deg.to_radians());
        let half_lat = (lat_b - lat_a) / 2.0;
        let half_lon = (other.lon_deg - self.lon_deg).to_radians() / 2.0;
        let h = half_lat.sin().powi(2) + lat_a.cos() * lat_b.cos() * half_lon.sin().powi(2);
        2.0 * EARTH_RADIUS_M * h.sqrt().min(1.0).asin()
    }

    /// Initial bearing towards `other`, degrees clockwise from true north, 0..360.
    pub fn azimuth_deg(self, other: Self) -> f64 {
        let (lat_a, lat_b) = (self.lat_deg.to_radians(), other.lat_deg.to_radians());
        let d_lon = (other.lon_deg - self.lon_deg).to_radians();
        let y = d_lon.sin() * lat_b.cos();
        let x = lat_a.cos() * lat_b.sin() - lat_a.sin() * lat_b.cos() * d_lon.cos();
        normalise_deg(y.atan2(x).to_degrees())
    }

    /// The place `distance_m` metres away in direction `azimuth_deg`.
    pub fn destination(self, azimuth_deg: f64, distance_m: f64) -> Self {
        let (lat, lon) = (self.lat_deg.to_radians(), self.lon_deg.to_radians());
        let (angle, azimuth) = (distance_m / EARTH_RADIUS_M, azimuth_deg.to_radians());
        let lat_b = (lat.sin() * angle.cos() + lat.cos() * angle.sin() * azimuth.cos())
            .clamp(-1.0, 1.0)
            .asin();
        let lon_b = lon
            + (azimuth.sin() * angle.sin() * lat.cos())
                .atan2(angle.cos() - lat.sin() * lat_b.sin());
        let lon_deg = normalise_deg(lon_b.to_degrees() + 180.0) - 180.0;
        Self { lat_deg: lat_b.to_degrees(), lon_deg }
    }
}

/// Normalises any angle to 0..360.
pub fn normalise_deg(angle_deg: f64) -> f64 {
    let turned = angle_deg.rem_euclid(360.0);
    if turned >= 360.0 { 0.0 } else { turned }
}

/// Smallest angle between two directions, 0..=180.
pub fn turn_deg(from_deg: f64, to_deg: f64) -> f64 {
    let turn = normalise_deg(to_deg - from_deg);
    turn.min(360.0 - turn)
}

/// Where a piece of evidence says the fire is.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum Locus {
    /// A phone fix, a person's words: a centre and how far off it may be.
    Disc { centre: LatLon, radius_m: f64 },
    /// A satellite pixel's footprint: full width across track (`scan_m`, nearly east-west) and
    /// along track (`track_m`).
    Pixel { centre: LatLon, scan_m: f64, track_m: f64 },
    /// A camera's view.
    Sector(Ray),
    /// A camera that does not know where it looks (turned, or never surveyed): somewhere within its
    /// sight.
    Unaimed { apex: LatLon, far_m: f64 },
}

/// From `apex` towards `azimuth_deg`, `half_width_deg` to each side, between two ranges.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Ray {
    pub apex: LatLon,
    pub azimuth_deg: f64,
    pub half_width_deg: f64,
    pub near_m: f64,
    pub far_m: f64,
    /// What the two ranges rest on. In logs before 0.2 no range was measured.
    #[serde(default)]
    pub range: RangeBasis,
    /// How likely each range is, where the shape of the ground says so. In logs before 0.2 nobody
    /// asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub profile: Option<RangeProfile>,
}

/// What a camera's range rests on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RangeBasis {
    /// Not measured: from the nearest smoke that is reported to the farthest that the camera sees.
    #[default]
    Unknown,
    /// From height, tilt and the lower edge of the box, on flat ground.
    FlatGround,
    /// From the ray of the lower edge, cast onto a terrain model.
    Terrain,
}

impl RangeBasis {
    pub fn is_measured(self) -> bool {
        self != Self::Unknown
    }
}

impl Locus {
    /// Best single place: the centre of a disc or pixel; for a sector, its bearing at the middle of
    /// its range; for a camera without a direction, the mast.
    pub fn centre(&self) -> LatLon {
        match *self {
            Self::Disc { centre, .. } | Self::Pixel { centre, .. } => centre,
            Self::Sector(Ray { apex, azimuth_deg, near_m, far_m, .. }) => {
                apex.destination(azimuth_deg, (near_m + far_m) / 2.0)
            }
            Self::Unaimed { apex, .. } => apex,
        }
    }

    /// Radius of a circle about `centre()` that holds the whole locus, metres.
    pub fn radius_m(&self) -> f64 {
        match *self {
            Self::Disc { radius_m, .. } => radius_m,
            Self::Pixel { scan_m, track_m, .. } => scan_m.hypot(track_m) / 2.0,
            Self::Sector(Ray { near_m, far_m, half_width_deg, .. }) => {
                let across = far_m * half_width_deg.to_radians().sin();
                ((far_m - near_m) / 2.0).hypot(across)
            }
            Self::Unaimed { far_m, .. } => far_m,
        }
    }
}

/// Where we believe the fire is, and how it was found.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
pub struct Fix {
    pub centre: LatLon,
    /// Radius of a circle about `centre` that holds the fire nine times in ten, metres.
    pub radius_m: f64,
    pub method: FixMethod,
    /// The shape of the doubt; `None` (logs before 0.2): the circle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub spread: Option<Spread>,
}

/// The shape of a fix's doubt.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub enum Spread {
    /// About the centre: half axes along `azimuth_deg` and across it, metres.
    Ellipse { along_m: f64, across_m: f64, azimuth_deg: f64 },
    /// One camera's bearing. With an unknown range the two ranges are all that the camera sees.
    Sector(Ray),
}

impl Fix {
    /// From one piece of evidence alone.
    pub fn of(locus: Locus) -> Self {
        let (method, spread) = match locus {
            Locus::Sector(ray) => {
                let method =
                    if ray.range.is_measured() { FixMethod::Ranged } else { FixMethod::Bearing };
                (method, Some(Spread::Sector(ray)))
            }
            Locus::Unaimed { .. } => (FixMethod::Unaimed, None),
            Locus::Pixel { .. } => (FixMethod::Satellite, None),
            Locus::Disc { .. } => (FixMethod::Reported, None),
        };
        Self { centre: locus.centre(), radius_m: locus.radius_m(), method, spread }
    }

    pub fn spread(&self) -> Spread {
        self.spread.unwrap_or(Spread::Ellipse {
            along_m: self.radius_m,
            across_m: self.radius_m,
            azimuth_deg: 0.0,
        })
    }

    /// Whether it may be named as a place: false for a bearing without a range and for a camera
    /// without a direction.
    pub fn is_a_place(&self) -> bool {
        !matches!(self.method, FixMethod::Bearing | FixMethod::Unaimed)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FixMethod {
    /// One camera's bearing; range unknown (单站方位).
    Bearing,
    /// One camera's bearing with a measured range (单站测距).
    Ranged,
    /// Two or more bearings crossed (交会定位).
    Triangulated,
    /// Centre of the satellite pixels, or of the part of a bearing that crosses one pixel.
    Satellite,
    /// Reported by a person or measured by a phone.
    Reported,
    /// A camera without a known direction (方位不明).
    Unaimed,
}
