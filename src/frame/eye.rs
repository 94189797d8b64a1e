//! The eye: the model and its licence, the CPU, and how many cameras this machine holds with them.
//! Written by the wiring, read by the pages.

use crate::triage::detection::ModelVersion;
use jiff::SignedDuration;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Clone, PartialEq, Debug)]
pub struct Eye {
    pub model: ModelVersion,
    /// None: the model's publisher states no licence.
    pub licence: Option<Licence>,
    /// None: a look could not be measured here.
    pub capacity: Option<Capacity>,
}

/// The terms of use of the weights, as stated by their publisher.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Licence {
    /// Short: "non-commercial", "Apache-2.0".
    pub name: String,
    /// The basis of the licence and its consequences, one sentence in each language.
    pub note_zh: String,
    pub note_en: String,
}

/// Share of a worker's time that may be planned for. Beyond it looks come late: 400 cameras took 82
/// % of both cores with 99.94 % in time; 267 on a slower machine took 89 % and lost half of their
/// slots.
const PLANNED: f64 = 0.8;
/// CPU milliseconds of a look outside the model: receiving for one cadence, decoding, the picture's
/// health, the choice of the next tile. `make county` measured 14 with AVX-512 and 31 with AVX2
/// alone.
const BESIDES_MS: f64 = 20.0;

/// What this machine holds, as measured at the start.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct Capacity {
    /// Instruction sets that decide what a look costs: [`cpu_flags`].
    pub cpu_flags: Vec<&'static str>,
    /// Milliseconds of the model for one view without smoke, the screening network and its calls
    /// together: of a core's time; where a graphics card looks, of its time.
    pub look_ms: f64,
    /// Looks at once: the workers configured, of which each needs a core.
    pub workers: usize,
    pub cadence_s: f64,
    /// Cameras at that cadence, each looked at whole.
    pub holds: usize,
    /// Cameras at that cadence, each looked at whole and in as many tiles as a look may have. With
    /// more of them tiles are left out.
    pub holds_with_tiles: usize,
}

impl Capacity {
    /// `workers`: threads that look; each needs one of this machine's `cores`. `tiles`: at most,
    /// per look.
    pub fn of(
        look_ms: f64,
        tiles: usize,
        workers: usize,
        cores: usize,
        cadence: SignedDuration,
    ) -> Self {
        let (workers, cadence_s) = (workers.min(cores), cadence.as_secs_f64());
        let planned_ms = workers as f64 * PLANNED * cadence_s * 1000.0;
        let holding = |views: usize| (planned_ms / (look_ms * views as f64 + BESIDES_MS)) as usize;
        let (holds, holds_with_tiles) = (holding(1), holding(1 + tiles));
        Self { cpu_flags: cpu_flags(), look_ms, workers, cadence_s, holds, holds_with_tiles }
    }

    /// Seconds from one look to the next with this number of cameras; None: as often as configured.
    pub fn stretched_s(&self, cameras: usize) -> Option<f64> {
        (cameras > self.holds).then(|| self.cadence_s * cameras as f64 / self.holds.max(1) as f64)
    }
}

/// The CPU's instruction sets that decide a network's cost, the plainest first. A figure without
/// them says little: a look costs four times as much with AVX2 alone as with AVX-512.
pub fn cpu_flags() -> Vec<&'static str> {
    macro_rules! has {
        ($ask:ident: $($flag:tt)*) => { [$(($flag, std::arch::$ask!($flag))),*] };
    }
    #[cfg(target_arch = "x86_64")]
    let all = has!(is_x86_feature_detected: "sse4.2" "avx" "f16c" "fma" "avx2" "avxvnni" "avx512f" "avx512bw" "avx512vnni");
    #[cfg(target_arch = "aarch64")]
    let all = has!(is_aarch64_feature_detected: "neon" "fp16" "dotprod" "i8mm" "bf16" "sve");
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let all: [(&str, bool); 0] = [];
    all.into_iter().filter(|(_, has)| *has).map(|(flag, _)| flag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two machines on which a whole county was played. One held 400 cameras, the other lost
    /// slots from about 145 on.
    #[test]
    fn what_is_foretold_is_what_was_measured() {
        let cadence = SignedDuration::from_secs(10);
        let with_avx512 = Capacity::of(22.0, 0, 2, 2, cadence);
        assert!((350..=420).contains(&with_avx512.holds), "{with_avx512:?}");
        assert_eq!(with_avx512.stretched_s(267), None);
        let with_avx2 = Capacity::of(92.0, 0, 2, 2, cadence);
        assert!((130..=150).contains(&with_avx2.holds), "{with_avx2:?}");
        let stretched = with_avx2.stretched_s(267).expect("more than it holds");
        assert!((18.0..20.0).contains(&stretched), "{stretched} s");
    }

    #[test]
    fn tiles_are_left_out_before_a_camera_waits() {
        let held = Capacity::of(30.0, 1, 2, 2, SignedDuration::from_secs(10));
        assert_eq!((held.holds, held.holds_with_tiles), (320, 200));
        assert_eq!(held.stretched_s(267), None);
    }

    #[test]
    fn a_worker_without_a_core_holds_nothing_more() {
        let minute = SignedDuration::from_secs(60);
        assert_eq!(
            Capacity::of(30.0, 0, 8, 2, minute).holds,
            Capacity::of(30.0, 0, 2, 2, minute).holds
        );
        assert_eq!(
            Capacity::of(30.0, 0, 1, 2, minute).holds * 2,
            Capacity::of(30.0, 0, 2, 2, minute).holds
        );
    }
}
