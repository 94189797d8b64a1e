//! Edge cases of the judgement, on synthetic pictures. Rendered clips through the real decoder:
//! tests/it/truth.rs.

use super::*;

const FROZEN_AFTER: SignedDuration = SignedDuration::from_secs(300);
const WIDTH: usize = 160;
const HEIGHT: usize = 90;

fn picture(luma: impl Fn(usize, usize) -> u8) -> Picture {
    let mut bytes: Vec<u8> = (0..WIDTH * HEIGHT).map(|i| luma(i % WIDTH, i / WIDTH)).collect();
    bytes.resize(WIDTH * HEIGHT * 3 / 2, 110);
    Picture::from_i420(WIDTH as u32, HEIGHT as u32, bytes).expect("sizes fit")
}

fn at(s: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + s).expect("a time in this century")
}

fn judge(sight: &mut Sight, picture: &Picture, s: i64) -> Option<Fault> {
    sight.judge(picture, at(s), FROZEN_AFTER, None).fault
}

/// A wood below a bright sky.
fn hills(noise: u8) -> Picture {
    picture(|x, y| {
        if y < 40 {
            180
        } else {
            60 + ((x * 7 + y * 13) % 29) as u8 + u8::from((x, y) == (50, 50)) * noise
        }
    })
}

#[test]
fn a_picture_without_a_single_changed_pixel_is_frozen_in_time_not_before() {
    let mut sight = Sight::default();
    for s in (0..300).step_by(10) {
        assert_eq!(judge(&mut sight, &hills(0), s), None, "after {s} s");
    }
    assert_eq!(judge(&mut sight, &hills(0), 300), Some(Fault::Frozen { seconds: 300 }));
    assert_eq!(judge(&mut sight, &hills(1), 310), None, "one pixel of noise is life");
    assert_eq!(judge(&mut sight, &hills(0), 320), None, "and starts the time over");
}

#[test]
fn a_clock_written_into_the_picture_is_no_life_and_no_light() {
    let with_clock = |ground: fn(usize, usize) -> u8, s: i64| {
        picture(move |x, y| if y < 6 && (x as i64 + s) % 7 < 3 { 235 } else { ground(x, y) })
    };
    let still = |x: usize, y: usize| if y < 40 { 180 } else { 60 + ((x * 7 + y * 13) % 29) as u8 };
    let mut sight = Sight::default();
    let said: Vec<_> =
        (0..=300).step_by(10).map(|s| judge(&mut sight, &with_clock(still, s), s)).collect();
    assert_eq!(said[30], Some(Fault::Frozen { seconds: 300 }), "{said:?}");
    let mut sight = Sight::default();
    let dark: Vec<_> =
        (0..30).step_by(10).map(|s| judge(&mut sight, &with_clock(|_, _| 16, s), s)).collect();
    assert_eq!(dark[2], Some(Fault::Black), "{dark:?}");
}

#[test]
fn black_is_dark_and_even() {
    for (what, lamps, expected) in
        [("a covered lens", 0, Some(Fault::Black)), ("a village at night", 90, None)]
    {
        let night = picture(|x, y| if y == 50 && x < lamps { 200 } else { 16 });
        let mut sight = Sight::default();
        let said = (0..3).map(|i| judge(&mut sight, &night, 10 * i)).last();
        assert_eq!(said, Some(expected), "{what}");
    }
}

#[test]
fn one_odd_frame_flips_nothing_and_three_do() {
    let mut sight = Sight::default();
    let black = picture(|_, _| 16);
    let mut said = Vec::new();
    for (i, is_black) in [0, 0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 0, 0, 0].into_iter().enumerate() {
        let seen = if is_black == 1 { &black } else { &hills(i as u8) };
        said.push(u8::from(judge(&mut sight, seen, 10 * i as i64).is_some()));
    }
    assert_eq!(said, [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]);
}

#[test]
fn what_the_office_accepts_is_the_rule_from_then_on() {
    let turned = picture(|x, y| if y < 60 { 180 } else { 60 + ((x * 11 + y * 5) % 31) as u8 });
    let mut sight = Sight::default();
    (0..20).for_each(|i| drop(judge(&mut sight, &hills(i as u8), 10 * i)));
    let told = (20..30).map(|i| judge(&mut sight, &turned, 10 * i)).last().flatten();
    assert_eq!(told.map(|fault| fault.health()), Some(crate::frame::Health::Moved));
    sight.accept();
    assert!((30..40).all(|i| judge(&mut sight, &turned, 10 * i).is_none()));
}
