//! Pure: what the registers say about a sighting. Labels explain and order; they never hide.

use super::{CameraEntry, County};
use crate::triage::geo::{LatLon, Locus, Ray, turn_deg};
use crate::triage::id::CameraId;
use crate::triage::overlap::reach_m;
use crate::triage::sighting::Label;
use jiff::Timestamp;
use std::collections::BTreeSet;

impl County {
    /// Known heat sources and approved burns at a place and time, whatever the size of the hotspot:
    /// the policy decides what three pixels mean. A burn under a ban explains nothing away.
    pub fn labels(&self, locus: &Locus, at: Timestamp) -> Vec<Label> {
        let known = self
            .heat_sources
            .iter()
            .filter(|source| at < source.expires)
            .filter(|source| may_be(locus, source.at, source.radius_m))
            .map(|source| Label::KnownHeatSource { name: source.name.clone() });
        let approved = self
            .burns
            .iter()
            .filter(|burn| burn.from <= at && at <= burn.to)
            .filter(|burn| may_be(locus, burn.at, burn.radius_m))
            .map(|burn| match self.ban_on(burn, at) {
                Some(ban) => Label::BurnInBan { name: burn.name.clone(), ban: ban.name.clone() },
                None => Label::ApprovedBurn { name: burn.name.clone() },
            });
        known.chain(approved).collect()
    }

    /// Cameras whose view covers the place, each once.
    pub fn cameras_towards(&self, locus: &Locus) -> BTreeSet<&CameraId> {
        let looks = |entry: &&CameraEntry| may_be(&entry.view(), locus.centre(), reach_m(locus));
        self.cameras.iter().filter(looks).map(|entry| &entry.id).collect()
    }
}

/// Whether the sighting may be the registered thing: a disc whose centre lies within the larger of
/// both radii, or a sector that points at it.
fn may_be(locus: &Locus, thing: LatLon, thing_radius_m: f64) -> bool {
    match *locus {
        Locus::Disc { .. } | Locus::Pixel { .. } => {
            locus.centre().distance_m(thing) <= reach_m(locus).max(thing_radius_m)
        }
        // The camera may point anywhere: a label would be a guess.
        Locus::Unaimed { .. } => false,
        Locus::Sector(Ray { apex, azimuth_deg, half_width_deg, near_m, far_m, .. }) => {
            let distance_m = apex.distance_m(thing);
            let thing_half_width_deg = thing_radius_m.atan2(distance_m).to_degrees();
            distance_m >= near_m - thing_radius_m
                && distance_m <= far_m + thing_radius_m
                && turn_deg(azimuth_deg, apex.azimuth_deg(thing))
                    <= half_width_deg + thing_half_width_deg
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::county::{Burn, HeatSource};

    fn at(lat: f64, lon: f64) -> LatLon {
        LatLon::new(lat, lon).expect("a place")
    }

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn county() -> County {
        County {
            heat_sources: vec![HeatSource {
                name: "红砖厂".to_owned(),
                at: at(28.5, 110.4),
                radius_m: 300.0,
                expires: time("2026-12-31T16:00:00Z"),
            }],
            burns: vec![Burn {
                name: "杉木冲炼山".to_owned(),
                at: at(28.6, 110.4),
                radius_m: 200.0,
                from: time("2026-11-21T00:00:00Z"),
                to: time("2026-11-21T10:00:00Z"),
                approver: "县林业局".to_owned(),
            }],
            ..County::default()
        }
    }

    fn pixel(lat: f64, lon: f64) -> Locus {
        Locus::Pixel { centre: at(lat, lon), scan_m: 375.0, track_m: 375.0 }
    }

    #[test]
    fn a_kiln_labels_what_it_may_be_until_it_expires() {
        let county = county();
        let kiln = vec![Label::KnownHeatSource { name: "红砖厂".to_owned() }];
        let now = time("2026-11-21T06:00:00Z");
        assert_eq!(county.labels(&pixel(28.503, 110.4), now), kiln, "333 m north");
        assert_eq!(county.labels(&pixel(28.5, 110.4), now), kiln);
        assert_eq!(county.labels(&pixel(28.504, 110.4), now), [], "445 m north");
        assert_eq!(county.labels(&pixel(28.5, 110.4), time("2026-12-31T16:00:00Z")), [], "expired");
    }

    #[test]
    fn an_approved_burn_counts_inside_its_window_only() {
        let county = county();
        let burn = vec![Label::ApprovedBurn { name: "杉木冲炼山".to_owned() }];
        assert_eq!(county.labels(&pixel(28.6, 110.4), time("2026-11-21T00:00:00Z")), burn);
        assert_eq!(county.labels(&pixel(28.6, 110.4), time("2026-11-21T10:00:01Z")), []);
        assert_eq!(county.labels(&pixel(28.6, 110.4), time("2026-11-20T23:59:59Z")), []);
    }

    #[test]
    fn a_camera_that_looks_at_the_kiln_says_so() {
        let county = county();
        let looking = |azimuth_deg| {
            Locus::Sector(Ray {
                apex: at(28.45, 110.4),
                azimuth_deg,
                half_width_deg: 2.0,
                near_m: 200.0,
                far_m: 8000.0,
                range: crate::triage::geo::RangeBasis::Unknown,
                profile: None,
            })
        };
        let now = time("2026-11-21T06:00:00Z");
        assert_eq!(county.labels(&looking(359.0), now).len(), 1);
        assert_eq!(county.labels(&looking(10.0), now), []);
        assert_eq!(county.labels(&looking(180.0), now), []);
    }
    #[test]
    fn only_cameras_that_look_at_a_hotspot_are_asked_to_look_sooner() {
        let camera = |id: &str, azimuth_deg, pose: &str| CameraEntry {
            id: id.into(),
            at: at(28.45, 110.4),
            azimuth_deg: Some(azimuth_deg),
            pose: pose.into(),
            ..super::super::camera::tests::camera()
        };
        let mut county = county();
        county.cameras = vec![
            camera("north", 0.0, "a"),
            camera("north", 20.0, "b"),
            camera("edge", 34.0, "a"),
            camera("south", 180.0, "a"),
        ];
        let towards = |lat| -> Vec<String> {
            county
                .cameras_towards(&pixel(lat, 110.4))
                .into_iter()
                .map(|id| id.0.to_string())
                .collect()
        };
        assert_eq!(
            towards(28.5),
            ["edge", "north"],
            "5.6 km north: the pixel's rim reaches the third one's picture"
        );
        assert_eq!(towards(28.55), [""; 0], "11 km: beyond what they can make out");
    }
}
