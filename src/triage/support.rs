//! Pure: when two pieces of evidence mean one fire, and not merely could.
//!
//! Joining and locating use the same rule, so that nothing narrows a fix that would not have been
//! joined.

use super::geo::{Fix, LatLon, Locus};
use super::overlap::reach_m;
use super::ray::{CROSSING_MIN_DEG, Ray};
use jiff::{SignedDuration, Timestamp};

/// A bearing without a range and something on its line are one fire only if both began within an
/// hour, in which a satellite passes or a second camera sees the plume. Of ten open bearings of
/// half a day, about one began that recently. Its sector with a pixel's rim covers some 8 km², 0.6
/// % of a county of 1,400 km². So a second fire elsewhere is joined by mistake in less than 1 of
/// 100 cases (counted in `associate/chance.rs`).
pub const CLOSE_IN_TIME: SignedDuration = SignedDuration::from_hours(1);
/// A ray wider than ±3.5° (a box of a twelfth of a 60° picture, and the pointing error) covers too
/// much ground to identify one fire.
const NARROW_DEG: f64 = 3.5;
/// A range with an interval longer than 4 km counts as unknown: that is half of all a camera sees.
const RANGE_DEPTH_MAX_M: f64 = 4_000.0;
/// How far smoke can be made out, metres: LY/T 2581 requires 5 to 10 km of a tower's camera.
const SEEN_M: f64 = 8_000.0;
/// Two ranges that together leave open a third of all crossings narrow as much as one that is
/// measured to 2.7 km.
const OPEN_MAX: f64 = 1.0 / 3.0;
/// A disc with a radius over 1 km, that of a MODIS pixel, supports no crossing: most crossings near
/// it would lie in it.
pub const AREA_MAX_M: f64 = 1_000.0;

/// Whether the range is measured well enough to distinguish a fire from another one behind it.
pub fn is_ranged(ray: &Ray) -> bool {
    ray.range.is_measured() && ray.far_m - ray.near_m <= RANGE_DEPTH_MAX_M
}

/// Whether a ray without a range and something seen at another time may be joined by time and the
/// ray's width alone.
pub fn is_close(ray: &Ray, one: Timestamp, other: Timestamp) -> bool {
    ray.half_width_deg <= NARROW_DEG && one.duration_since(other).abs() <= CLOSE_IN_TIME
}

/// Probability that two pieces of evidence that could be one fire are one, 0..=1: 0.95 at the same
/// time, falling to 0 at one hour. On simulated days it is higher: 98 % within 5 minutes, 90 %
/// within 15, 70 % within 30, 35 % within 60.
pub fn one_fire(one: Timestamp, other: Timestamp) -> f64 {
    const AT_ONCE: f64 = 0.95;
    let apart = one.duration_since(other).abs().as_secs_f64() / CLOSE_IN_TIME.as_secs_f64();
    AT_ONCE * (1.0 - apart).max(0.0)
}

/// A pixel or a reported disc, and a bearing that meets it: with a measured range, or close in
/// time.
pub fn pixel_and_bearing(area: &Locus, seen_at: Timestamp, ray: &Ray, ray_at: Timestamp) -> bool {
    let reach_m = reach_m(area);
    ray.distance_m(area.centre()) <= reach_m
        && reach_m <= AREA_MAX_M
        && (is_ranged(ray) || is_close(ray, seen_at, ray_at))
}

/// Two ranges support a crossing, which lies within both of them (see [`Ray::crossing`]): either
/// both are measured well, or the bearings are close in time and the ranges together leave open at
/// most a third of all crossings. A second fire there within the hour is rare.
pub fn ranges_agree(a: &Ray, b: &Ray, one: Timestamp, other: Timestamp) -> bool {
    let close = is_close(a, one, other) && is_close(b, one, other);
    is_ranged(a) && is_ranged(b) || close && left_open(a) * left_open(b) <= OPEN_MAX
}

/// Share of all that a camera sees along its ray which the range leaves open.
fn left_open(ray: &Ray) -> f64 {
    if ray.range.is_measured() { ((ray.far_m - ray.near_m) / SEEN_M).min(1.0) } else { 1.0 }
}

/// The ray of a third mast passes within its width of the crossing of two others, and along
/// neither.
pub fn third_ray(ray: &Ray, crossing: LatLon, a: &Ray, b: &Ray) -> bool {
    ray.distance_m(crossing) <= 0.0
        && [a, b].iter().all(|it| !ray.same_mast(it) && ray.crossing_deg(it) >= CROSSING_MIN_DEG)
}

/// A pixel or a reported disc lies where the bearings cross.
pub fn area_at(centre: LatLon, radius_m: f64, crossing: &Fix) -> bool {
    radius_m <= AREA_MAX_M && crossing.apart(centre, radius_m) <= 1.0
}
