use super::*;
use crate::triage::detection::Stream;
use std::sync::Arc;

/// Brightness of a hillside under a sky, with sensor noise; `paint` adds to it.
struct Hill {
    gate: Gate,
    noise: u32,
    at_s: i64,
}

const WIDTH: u32 = 640;
const HEIGHT: u32 = 360;

impl Hill {
    fn new(every: u32) -> Self {
        Self { gate: Gate::new(every), noise: 1, at_s: 1_790_000_000 }
    }

    /// One frame, ten seconds after the previous one. Returns whether it is let through.
    fn frame(&mut self, paint: impl Fn(u32, u32) -> i32) -> bool {
        let mut i420 = vec![128; (WIDTH * HEIGHT * 3 / 2) as usize];
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let noise = (self.noise >> 24) as i32 % 13 - 6;
                let hill = if y < 120 { 170 } else { 80 + 25 * ((x / 5 + y / 7) % 2) as i32 };
                i420[(y * WIDTH + x) as usize] = (hill + noise + paint(x, y)).clamp(16, 235) as u8;
            }
        }
        let picture = Picture::from_i420(WIDTH, HEIGHT, i420).expect("sizes fit");
        let captured_at = Timestamp::from_second(self.at_s).expect("a time");
        self.at_s += 10;
        let cells = Cells::of(&picture);
        let frame = Frame {
            camera: "c".into(),
            pose: "p".into(),
            captured_at,
            picture: Arc::new(picture),
            stream: Stream::Screened,
        };
        self.gate.lets_through(&frame, cells)
    }

    fn quiet(&mut self, frames: usize) -> Vec<bool> {
        (0..frames).map(|_| self.frame(|_, _| 0)).collect()
    }

    /// Feeds frames until the gate knows what is usual.
    fn known(every: u32) -> Self {
        let mut hill = Self::new(every);
        hill.quiet(60);
        hill
    }
}

/// Thin smoke: 24 × 20 pixels, 0.2 % of the picture, brighter than the hill by this number of
/// levels.
fn smoke(levels: i32) -> impl Fn(u32, u32) -> i32 {
    move |x, y| if (300..324).contains(&x) && (200..220).contains(&y) { levels } else { 0 }
}

#[test]
fn the_first_minutes_of_a_pose_are_let_through_and_then_one_frame_in_so_many() {
    let mut hill = Hill::new(6);
    let first = hill.quiet(60);
    assert!(first[..30].iter().all(|&open| open), "nothing is known yet: {first:?}");
    let quiet = hill.quiet(60);
    assert_eq!(
        quiet.iter().filter(|&&open| open).count(),
        10,
        "one in six of a still hill: {quiet:?}"
    );
    assert!(quiet.windows(6).all(|six| six.contains(&true)), "{quiet:?}");
}

#[test]
fn thin_smoke_opens_at_once_and_for_minutes() {
    let mut hill = Hill::known(1_000);
    assert_eq!(hill.quiet(12), [false; 12]);
    let seen: Vec<bool> = (0..30).map(|_| hill.frame(smoke(12))).collect();
    assert!(seen[..12].iter().all(|&open| open), "{seen:?}");
    assert!(!seen[29], "after that it has been looked at: {seen:?}");
}

#[test]
fn smoke_that_grows_by_less_than_a_level_a_frame_opens_too() {
    let mut hill = Hill::known(1_000);
    let first = (0..40).position(|frame| hill.frame(smoke(frame * 2 / 3)));
    assert!(first.is_some_and(|frame| frame <= 12), "{first:?}");
}

#[test]
fn a_cloud_before_the_sun_a_trembling_mast_and_the_burnt_in_clock_do_not_open() {
    let mut hill = Hill::known(1_000);
    for frame in 0..30 {
        assert!(!hill.frame(|_, _| -frame), "all of the picture darkens");
    }
    let mut hill = Hill::new(1_000);
    let clock = |frame: u32| {
        move |x: u32, y: u32| {
            i32::from(y < 16 && x < 200 && (x / 8 + frame).is_multiple_of(3)) * 150
        }
    };
    for frame in 0..120 {
        // Every edge of the hillside moves back and forth by a pixel.
        let sway = |x: u32, y: u32| {
            let at = |x: u32| 25 * ((x / 5 + y / 7) % 2) as i32;
            if y >= 120 { at(x + frame % 2) - at(x) } else { 0 }
        };
        let is_open = hill.frame(|x, y| sway(x, y) + clock(frame)(x, y));
        assert!(frame < 60 || !is_open, "frame {frame}");
    }
}

#[test]
fn a_pose_with_a_detection_stays_open_for_ten_minutes() {
    let mut hill = Hill::known(1_000);
    let picture = Arc::new(Picture::from_i420(2, 2, vec![16; 6]).expect("sizes fit"));
    let captured_at = Timestamp::from_second(hill.at_s).expect("a time");
    hill.gate.found(&Frame {
        camera: "c".into(),
        pose: "p".into(),
        captured_at,
        picture,
        stream: Stream::Screened,
    });
    let after = hill.quiet(61);
    assert!(after[..60].iter().all(|&open| open), "{after:?}");
    assert!(!after[60]);
}

#[test]
fn after_a_gap_another_size_or_a_clock_set_back_all_is_let_through_again() {
    for gap_s in [3_600, -3_600] {
        let mut hill = Hill::known(1_000);
        hill.at_s += gap_s;
        assert_eq!(hill.quiet(10), [true; 10]);
    }
    let mut gate = Gate::new(1_000);
    for (minute, height) in [(0, 48), (1, 48), (2, 64), (3, 64)] {
        let picture = Picture::from_i420(64, height, vec![90; (64 * height * 3 / 2) as usize])
            .expect("sizes fit");
        let captured_at = Timestamp::from_second(1_790_000_000 + 60 * minute).expect("a time");
        let cells = Cells::of(&picture);
        let frame = Frame {
            camera: "c".into(),
            pose: "p".into(),
            captured_at,
            picture: Arc::new(picture),
            stream: Stream::Screened,
        };
        assert!(gate.lets_through(&frame, cells), "minute {minute}");
    }
}
