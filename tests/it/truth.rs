//! Does the board say the truth about a camera? Rendered clips go through the real encoder and
//! decoder, with a look every ten seconds. After two ordinary minutes something happens.

use huoyan::camera::{self, ClipCodec, Sight, encode_clip};
use huoyan::drill::scene::{self, Clip};
use huoyan::frame::{Health, Picture};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;

const FROZEN_AFTER: SignedDuration = SignedDuration::from_mins(5);
/// Number of looks before and after the change.
const BEFORE: usize = 12;
const AFTER: usize = 14;
/// Number of looks within which it must be reported, and then stay reported.
const TOLD_WITHIN: usize = 9;

/// Makes the picture that the camera sees at a look, from the ordinary picture.
type Happens = fn(usize, &Picture) -> Picture;

/// The health that must be reported, and a word of its sentence; None: nothing.
type Expected = Option<(Health, &'static str)>;

/// What is reported at every look.
fn said(seed: u32, name: &str, happens: Happens) -> Vec<Option<(Health, String)>> {
    let folder = tempfile::tempdir().expect("a folder");
    let spec =
        Clip { seed, frames_per_s: 1, length_s: (BEFORE + AFTER) as f64, smoke_after_s: None };
    let ground = scene::clip(spec, Path::new("/nowhere")).expect("ridges can always be drawn");
    let looks = ground.enumerate().map(|(i, seen)| happens(i, &seen.resized(320, 180)));
    // At one frame a second the encoder makes every second picture a keyframe, and only those are
    // looked at.
    let frames: Vec<Picture> = looks.flat_map(|look| [look.clone(), look]).collect();
    let mut sight = Sight::default();
    let (mut said, mut look) = (Vec::new(), 0);
    // A change of the camera's size starts a new stream.
    for (part, frames) in frames.chunk_by(|a, b| a.width() == b.width()).enumerate() {
        let file = folder.path().join(format!("{name}-{part}.h264"));
        encode_clip(&file, 1, frames.to_vec(), ClipCodec::H264, |_| {})
            .expect("the clip is encoded");
        let start = Timestamp::UNIX_EPOCH;
        for picture in camera::frames(&file, SignedDuration::ZERO, start).expect("opens") {
            let (_, picture) = picture.expect("decodes");
            let at = start + SignedDuration::from_secs(10 * look);
            look += 1;
            let judged = sight.judge(&picture, at, FROZEN_AFTER, Some(60.0));
            said.push(
                judged
                    .fault
                    .map(|fault| (fault.health(), fault.sentence(name, huoyan::lang::Lang::En))),
            );
        }
    }
    assert_eq!(said.len(), BEFORE + AFTER, "{name}: every keyframe was looked at");
    said
}

#[test]
fn each_fault_is_told_by_its_name_and_ordinary_days_by_none() {
    let table: [(&str, Happens, Expected); 16] = [
        ("a quiet day", |_, seen| seen.clone(), None),
        (
            "clouds",
            |i, seen| {
                lit(seen, |x, y| {
                    if y < 0.4 && ((x * 9.0 + i as f64 / 3.0).sin() > 0.3) { 1.35 } else { 1.0 }
                })
            },
            None,
        ),
        (
            "cloud shadows",
            |i, seen| {
                lit(seen, |x, _| if ((x * 5.0 + i as f64 / 2.0).sin()) > 0.0 { 0.6 } else { 1.0 })
            },
            None,
        ),
        (
            "a swaying mast",
            |i, seen| shifted(seen, [0, 3, 5, 3, 0, -3, -5, -3][i % 8], [0, 1, 0, -1][i % 4]),
            None,
        ),
        ("dusk", |i, seen| lit(seen, |_, _| 1.0 - 0.85 * i as f64 / (BEFORE + AFTER) as f64), None),
        ("haze", |i, seen| fog(seen, 0.4 * since(i)), None),
        (
            "a great plume",
            |i, seen| veiled(seen, since(i), |x, y| (0.3..0.6).contains(&x) && y < 0.7),
            None,
        ),
        (
            "night falls",
            |i, seen| if i < BEFORE { seen.clone() } else { lit(seen, |_, _| 0.12) },
            None,
        ),
        (
            "the cable is dead",
            |i, seen| if i < BEFORE { seen.clone() } else { even(seen, 16) },
            Some((Health::Black, "lens cover")),
        ),
        (
            "the sun",
            |i, seen| if i < BEFORE { seen.clone() } else { lit(seen, |_, _| 6.0) },
            Some((Health::Overexposed, "overexposed")),
        ),
        (
            "drops on the glass",
            |i, seen| if i < BEFORE { seen.clone() } else { blurred(seen, 3) },
            Some((Health::Blurred, "clean the lens")),
        ),
        (
            "a hand",
            |i, seen| if i < BEFORE { seen.clone() } else { even(seen, 60) },
            Some((Health::Covered, "covers the lens")),
        ),
        (
            "a bag",
            |i, seen| if i < BEFORE { seen.clone() } else { even(seen, 150) },
            Some((Health::Covered, "covers the lens")),
        ),
        ("fog", |i, seen| fog(seen, 0.97 * since(i)), Some((Health::Fog, "still analysed"))),
        (
            "a knock",
            |i, seen| if i < BEFORE { seen.clone() } else { shifted(seen, -32, 16) },
            Some((Health::Moved, "6° right, 3")),
        ),
        (
            "another size",
            |i, seen| if i < BEFORE { seen.clone() } else { seen.resized(160, 90) },
            Some((Health::Resized, "160x90")),
        ),
    ];
    let mut wrong = Vec::new();
    for (name, happens, expected) in table {
        let said = said(3, name, happens);
        let (before, after) = said.split_at(BEFORE);
        let told = &after[TOLD_WITHIN..];
        let is_right = match expected {
            None => after.iter().all(Option::is_none),
            Some((health, word)) => told.iter().all(|it| {
                it.as_ref().is_some_and(|(told, words)| *told == health && words.contains(word))
            }),
        };
        if !is_right || before.iter().any(Option::is_some) {
            wrong.push(format!("{name}: expected {expected:?}, said {said:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn another_view_is_told_whatever_it_shows() {
    let said =
        said(1, "turned away", |i, seen| if i < BEFORE { seen.clone() } else { upside_down(seen) });
    assert!(said[..BEFORE].iter().all(Option::is_none), "{said:?}");
    let moved = |it: &Option<(Health, String)>| {
        it.as_ref().is_some_and(|(health, _)| *health == Health::Moved)
    };
    assert!(said[BEFORE + TOLD_WITHIN..].iter().all(moved), "{said:?}");
}

/// 0 before the change, then rising to at most 1.
fn since(i: usize) -> f64 {
    (i.saturating_sub(BEFORE) as f64 / 6.0).min(1.0)
}

/// Replaces every brightness by `change` of its position (fractions) and value. Colour stays.
fn changed(seen: &Picture, change: impl Fn(f64, f64, f64) -> f64) -> Picture {
    let (w, h) = (seen.width() as usize, seen.height() as usize);
    let mut i420 = seen.as_i420().to_vec();
    for (at, y) in i420[..w * h].iter_mut().enumerate() {
        let place = ((at % w) as f64 / w as f64, (at / w) as f64 / h as f64);
        *y = change(place.0, place.1, f64::from(*y)).clamp(16.0, 235.0) as u8;
    }
    Picture::from_i420(seen.width(), seen.height(), i420).expect("the size is kept")
}

fn lit(seen: &Picture, gain: impl Fn(f64, f64) -> f64) -> Picture {
    changed(seen, |x, y, luma| 16.0 + (luma - 16.0) * gain(x, y))
}

fn veiled(seen: &Picture, thickness: f64, is_there: impl Fn(f64, f64) -> bool) -> Picture {
    changed(
        seen,
        |x, y, luma| if is_there(x, y) { luma + (190.0 - luma) * thickness * 0.9 } else { luma },
    )
}

/// Brighter at the top than at the bottom, like fog.
fn fog(seen: &Picture, thickness: f64) -> Picture {
    changed(seen, |_, y, luma| luma + (175.0 - 30.0 * y - luma) * thickness)
}

/// Something directly in front of the lens: out of focus, with a little sensor noise left.
fn even(seen: &Picture, level: u8) -> Picture {
    changed(seen, |_, _, luma| f64::from(level) + (luma as u64 % 3) as f64)
}

/// The view shifted by this number of pixels; its edge is repeated.
fn shifted(seen: &Picture, right: i64, down: i64) -> Picture {
    let (w, h) = (i64::from(seen.width()), i64::from(seen.height()));
    let luma = seen.luma().to_vec();
    changed(seen, |x, y, _| {
        let from = |at: f64, by: i64, size: i64| {
            ((at * size as f64).round() as i64 - by).clamp(0, size - 1)
        };
        f64::from(luma[(from(y, down, h) * w + from(x, right, w)) as usize])
    })
}

/// Three box blurs of this radius, pixels: close to a Gaussian.
fn blurred(seen: &Picture, radius: i64) -> Picture {
    let (w, h) = (i64::from(seen.width()), i64::from(seen.height()));
    let mut luma: Vec<u32> = seen.luma().iter().map(|&y| u32::from(y)).collect();
    for (dx, dy) in [(1, 0), (0, 1), (1, 0), (0, 1), (1, 0), (0, 1)] {
        let mean = |at: i64| {
            let (x, y) = (at % w, at / w);
            let value = |i: i64| {
                luma[((y + i * dy).clamp(0, h - 1) * w + (x + i * dx).clamp(0, w - 1)) as usize]
            };
            (-radius..=radius).map(value).sum::<u32>() / (2 * radius + 1) as u32
        };
        luma = (0..w * h).map(mean).collect();
    }
    changed(seen, |x, y, _| {
        f64::from(
            luma[((y * h as f64).round() as i64 * w + (x * w as f64).round() as i64) as usize],
        )
    })
}

fn upside_down(seen: &Picture) -> Picture {
    let luma = seen.luma().to_vec();
    let (w, h) = (seen.width() as usize, seen.height() as usize);
    changed(seen, |x, y, _| {
        let (x, y) = ((x * w as f64).round() as usize, (y * h as f64).round() as usize);
        f64::from(luma[(h - 1 - y) * w + (w - 1 - x)])
    })
}
