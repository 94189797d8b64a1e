//! Pure: 67 masts with four cameras each: what each really sees over the hills, and how its
//! register row interprets that.

use super::chance::Chance;
use super::fires::{Fire, Truth, after};
use super::ground::{Spot, Terrain};
use huoyan::address::Address;
use huoyan::county::{CameraEntry, Ground, SmokeInView};
use huoyan::triage::detection::{BoundingBox, Class, ModelVersion};
use huoyan::triage::geo::{Locus, normalise_deg};
use huoyan::triage::id::SightingId;
use huoyan::triage::sighting::{Label, Sighting, Source};
use huoyan::triage::terrain::Terrain as Dem;
use jiff::Timestamp;
use std::sync::Arc;

pub const MASTS: usize = 67;
const LENS_M: f64 = 30.0;
/// Distance up to which smoke is made out, metres; the register has the same.
pub const RANGE_M: f64 = 8_000.0;
/// Horizontal field of view, degrees: four fixed cameras cover all directions. And the height of a
/// 16:9 picture over its width.
const VIEW_DEG: f64 = 90.0;
const ASPECT: f64 = 9.0 / 16.0;
/// Smoke that stands less than this above the ridge is not found, degrees: three pixels of a
/// sub-stream's 640.
const SMOKE_MIN_DEG: f64 = 0.45;

/// One camera: its register row, and the truth.
pub struct Eye {
    pub entry: CameraEntry,
    spot: Spot,
    lens_m: f64,
    /// The true direction of the picture's centre, degrees.
    azimuth_deg: f64,
    tilt_deg: f64,
    aim: Aim,
    /// The office's elevation model, if any.
    dem: Option<Arc<Dem>>,
}

/// How well the office knows the camera's direction.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Aim {
    Surveyed,
    /// Its direction was never measured, and the register says so.
    Never,
    /// Something has turned it. The program notices some minutes later.
    Turned {
        at: Timestamp,
        noticed_at: Timestamp,
        by_deg: f64,
    },
}

pub fn eyes(seed: u64, start: Timestamp, terrain: &Terrain, dem: Option<&Arc<Dem>>) -> Vec<Eye> {
    let mut chance = Chance::of(seed, "masts");
    let mut masts: Vec<Spot> = Vec::new();
    while masts.len() < MASTS {
        // The highest of some random places, away from other masts.
        let spots = (0..12).map(|_| Spot::somewhere(&mut chance, 300.0)).collect::<Vec<_>>();
        let apart = |it: &&Spot| {
            masts
                .iter()
                .all(|mast| (mast.east_m - it.east_m).hypot(mast.north_m - it.north_m) > 2_500.0)
        };
        let highest = spots
            .iter()
            .filter(apart)
            .max_by(|a, b| terrain.height_m(**a).total_cmp(&terrain.height_m(**b)));
        masts.extend(highest);
    }
    let mut eyes = Vec::new();
    for (mast, &spot) in masts.iter().enumerate() {
        let first_deg = chance.between(0.0, 90.0);
        for quarter in 0..4 {
            let azimuth_deg =
                normalise_deg(first_deg + f64::from(quarter) * 90.0 + chance.between(-8.0, 8.0));
            let eye = eye(&mut chance, start, terrain, spot, (mast, quarter), azimuth_deg);
            eyes.push(Eye { dem: dem.cloned(), ..eye });
        }
    }
    eyes
}

/// Surveyed to 0.3–1.0° (1 sigma), with the same error all day. One in sixty was never surveyed,
/// one in ninety is turned today.
fn eye(
    chance: &mut Chance,
    start: Timestamp,
    terrain: &Terrain,
    spot: Spot,
    name: (usize, i32),
    true_deg: f64,
) -> Eye {
    let sigma_deg = chance.between(0.3, 1.0);
    let mut written_deg = true_deg + chance.normal(sigma_deg);
    let aim = match chance.count(0, 179) {
        0..=2 => {
            written_deg = chance.between(0.0, 360.0);
            Aim::Never
        }
        3..=4 => {
            let at = after(start, chance.between(0.0, 1_300.0));
            let by_deg = chance.between(5.0, 60.0) * if chance.happens(0.5) { 1.0 } else { -1.0 };
            Aim::Turned { at, noticed_at: after(at, chance.between(1.0, 20.0)), by_deg }
        }
        _ => Aim::Surveyed,
    };
    let tilt_deg = chance.between(-6.0, -1.0);
    Eye {
        entry: CameraEntry {
            id: format!("m{:02}-{}", name.0 + 1, name.1 + 1).as_str().into(),
            name: format!("{}号塔{}", name.0 + 1, ["东", "南", "西", "北"][name.1 as usize]),
            at: spot.at(),
            height_m: Some(LENS_M),
            azimuth_deg: Some(normalise_deg(written_deg)).filter(|_| aim != Aim::Never),
            azimuth_error_deg: 1.0,
            field_of_view_deg: VIEW_DEG,
            tilt_deg: Some(tilt_deg + chance.normal(0.2)),
            horizon: None,
            range_m: RANGE_M,
            url: Address::default(),
            main_url: None,
            pipeline: None,
            pose: "default".into(),
            masks: Vec::new(),
        },
        spot,
        lens_m: terrain.height_m(spot) + LENS_M,
        azimuth_deg: true_deg,
        tilt_deg,
        aim,
        dem: None,
    }
}

impl Eye {
    /// The box around a fire's smoke, if enough of it stands above the ridges.
    pub fn sees(
        &self,
        chance: &mut Chance,
        fire: &Fire,
        truth: &Truth,
        terrain: &Terrain,
        at: Timestamp,
    ) -> Option<BoundingBox> {
        let base_m = terrain.height_m(fire.spot);
        let horizon = terrain.horizon_rad(self.spot, self.lens_m, fire.spot);
        let range_m = self.range_m(fire.spot);
        let angle = |height_m: f64| ((base_m + height_m - self.lens_m) / range_m).atan();
        let (low, top) = (angle(0.0).max(horizon), angle(fire.smoke_m));
        if top - low < SMOKE_MIN_DEG.to_radians() {
            return None;
        }
        // The part of the column that the ridge hides leans downwind like the rest.
        let hidden_m = (low.tan() * range_m + self.lens_m - base_m).max(0.0);
        let edges = [(hidden_m, low), (fire.smoke_m, top)].map(|(height_m, elevation)| {
            let drifted = fire.spot.moved(truth.wind_deg, truth.lean * height_m);
            let half_deg = (8.0 + 0.08 * height_m).atan2(range_m).to_degrees();
            let off_deg = self.off_deg(drifted, at);
            [off_deg - half_deg, off_deg + half_deg].map(|it| self.project(it, elevation))
        });
        let corners = edges.as_flattened();
        let outer = |pick: fn(f64, f64) -> f64, of: fn(&[f64; 2]) -> f64| {
            corners.iter().map(of).reduce(pick)
        };
        let [left, right] = [f64::min, f64::max].map(|pick| outer(pick, |it| it[0]).unwrap_or(0.5));
        let [upper, lower] =
            [f64::min, f64::max].map(|pick| outer(pick, |it| it[1]).unwrap_or(0.5));
        // A network draws the boxes: their edges vary by a twentieth of their size (1 sigma), the
        // lower one hardly downwards.
        let (width, height) = (right - left, lower - upper);
        let wander = |chance: &mut Chance, size: f64| chance.normal(0.05 * size);
        let (left, right) = (left + wander(chance, width), right + wander(chance, width));
        let upper = upper + wander(chance, height);
        let lower = lower - wander(chance, height).max(-0.05 * height);
        let centre = (left + right) / 2.0;
        if !(0.0..=1.0).contains(&centre) || lower <= 0.02 || upper >= 0.98 {
            return None;
        }
        let [left, right, upper, lower] =
            [left, right, upper, lower].map(|it| it.clamp(0.0, 1.0) as f32);
        Some([left, upper, (right - left).max(0.004), (lower - upper).max(0.004)].into())
    }

    /// The height to which smoke must rise there before enough of it shows, metres.
    pub fn least_m(&self, spot: Spot, terrain: &Terrain) -> f64 {
        let (base_m, range_m) = (terrain.height_m(spot), self.range_m(spot));
        let ground = ((base_m - self.lens_m) / range_m).atan();
        let low = ground.max(terrain.horizon_rad(self.spot, self.lens_m, spot));
        (low + SMOKE_MIN_DEG.to_radians()).tan() * range_m + self.lens_m - base_m
    }

    /// A box somewhere in the picture, for a false detection.
    pub fn imagines(chance: &mut Chance) -> BoundingBox {
        let (w, h) = (chance.between(0.02, 0.15) as f32, chance.between(0.02, 0.1) as f32);
        [chance.between(0.0, 0.85) as f32, chance.between(0.3, 0.7) as f32, w, h].into()
    }

    /// Whether a place may be in the picture at all, ignoring the hills.
    pub fn looks_towards(&self, spot: Spot, at: Timestamp) -> bool {
        self.range_m(spot) <= RANGE_M && self.off_deg(spot, at).abs() <= VIEW_DEG / 2.0 + 5.0
    }

    pub fn range_m(&self, spot: Spot) -> f64 {
        (spot.east_m - self.spot.east_m).hypot(spot.north_m - self.spot.north_m)
    }

    /// Whether the program knows that this camera gives no bearing.
    fn is_unaimed(&self, at: Timestamp) -> bool {
        match self.aim {
            Aim::Surveyed => false,
            Aim::Never => true,
            Aim::Turned { noticed_at, .. } => at >= noticed_at,
        }
    }

    /// The sighting that the program files for this camera's picture.
    pub fn sighting(
        &self,
        id: SightingId,
        at: Timestamp,
        class: Class,
        bbox: BoundingBox,
        confidence: f32,
    ) -> Sighting {
        let (locus, labels) = if self.is_unaimed(at) {
            let label = Label::NoBearing { camera: self.entry.id.clone() };
            (Locus::Unaimed { apex: self.entry.at, far_m: self.entry.range_m }, vec![label])
        } else {
            let ground = self.dem.as_deref().map_or(Ground::Unknown, Ground::Terrain);
            let look = SmokeInView { bbox: &bbox, aspect: 1.0 / ASPECT, has_moved: false };
            (self.entry.locus(look, ground), Vec::new())
        };
        Sighting {
            id,
            source: Source::Camera {
                camera: self.entry.id.clone(),
                pose: self.entry.pose.clone(),
                class,
                bbox,
                model: ModelVersion { name: "smoke-fire".to_owned(), version: "0.2.0".to_owned() },
                thresholds_version: 1,
                opinion: None,
            },
            observed_at: at,
            locus,
            confidence,
            pictures: Vec::new(),
            drill: false,
            labels,
        }
    }

    /// Degrees to the right of the picture's centre.
    fn off_deg(&self, spot: Spot, at: Timestamp) -> f64 {
        let turned_deg = match self.aim {
            Aim::Turned { at: since, by_deg, .. } if at >= since => by_deg,
            _ => 0.0,
        };
        let towards_deg = self.spot.at().azimuth_deg(spot.at());
        normalise_deg(towards_deg - self.azimuth_deg - turned_deg + 180.0) - 180.0
    }

    /// Where a direction appears in the picture, shares from its top left corner. The lens is
    /// rectilinear: lenses of fixed cameras keep straight lines straight, so away from the centre,
    /// lower points are drawn even lower.
    fn project(&self, off_deg: f64, elevation_rad: f64) -> [f64; 2] {
        let (tilt_sin, tilt_cos) = self.tilt_deg.to_radians().sin_cos();
        let (off_sin, off_cos) = off_deg.clamp(-80.0, 80.0).to_radians().sin_cos();
        let (up, level) = elevation_rad.sin_cos();
        let ahead = (level * off_cos * tilt_cos + up * tilt_sin).max(0.05);
        let half = (VIEW_DEG / 2.0).to_radians().tan();
        let right = level * off_sin / ahead / half;
        let above = (up * tilt_cos - level * off_cos * tilt_sin) / ahead / half / ASPECT;
        [0.5 + right / 2.0, 0.5 - above / 2.0]
    }
}
