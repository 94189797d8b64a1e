//! Pictures of the demo county's cameras: a landscape with a little sensor noise, slowly changing
//! light and, on request, smoke.
//!
//! Landscapes are crops of photographs from the Debian package lomiri-wallpapers-16.04 (CC BY 4.0,
//! Aitzol Berasategi). Without that package, ridges are drawn.

use super::plume::{Plume, SplitMix64, composite, mix};
use crate::error::Result;
use crate::frame::Picture;
use jiff::SignedDuration;
use std::path::Path;

/// A usual size of a sub-stream, pixels.
pub const WIDTH: u32 = 640;
pub const HEIGHT: u32 = 360;

/// The folder of Debian's background pictures.
pub const PHOTOGRAPHS: &str = "/usr/share/backgrounds";

/// Crops of photographs: file, then left, top and width as fractions; the height follows from 16:9.
const VIEWS: [(&str, f64, f64, f64); 7] = [
    ("picosdeeuropa_by_Aitzol_Berasategi.jpg", 0.0, 0.2, 1.0),
    ("sunset_by_Aitzol_Berasategi.jpg", 0.0, 0.1, 1.0),
    ("aitzgorri_by_Aitzol_Berasategi.jpg", 0.0, 0.1, 1.0),
    ("picosdeeuropa_by_Aitzol_Berasategi.jpg", 0.0, 0.0, 1.0),
    ("sunset_by_Aitzol_Berasategi.jpg", 0.0, 0.2, 1.0),
    ("aitzgorri_by_Aitzol_Berasategi.jpg", 0.0, 0.2, 1.0),
    ("aitzgorri_by_Aitzol_Berasategi.jpg", 0.0, 0.0, 1.0),
];

/// One clip to render.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Clip {
    /// Selects the landscape, its light and its noise.
    pub seed: u32,
    pub frames_per_s: u32,
    pub length_s: f64,
    /// When smoke begins, seconds after the first frame.
    pub smoke_after_s: Option<f64>,
}

/// The frames of a clip, one after the other.
pub fn clip(spec: Clip, photographs: &Path) -> Result<impl Iterator<Item = Picture>> {
    let ground = landscape(spec.seed, photographs)?;
    let plume = Plume::on_terrain(&ground, spec.seed);
    let mut sensor = Sensor::new(spec.seed);
    let frames = (spec.length_s * f64::from(spec.frames_per_s)).round() as u32;
    Ok((0..frames).map(move |i| {
        let now_s = f64::from(i) / f64::from(spec.frames_per_s);
        let smoke_s = spec.smoke_after_s.map_or(0.0, |after_s| now_s - after_s);
        let seen = if smoke_s > 0.0 { composite(&ground, &plume, smoke_s) } else { ground.clone() };
        sensor.take(&seen, now_s)
    }))
}

/// Where a turning camera stops: a landscape of its own.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stop {
    pub seed: u32,
    /// When smoke begins there, seconds after the first frame of the clip.
    pub smoke_after_s: Option<f64>,
}

/// How a turning camera goes round.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Patrol {
    pub frames_per_s: u32,
    /// How long it stays at a stop, and how long it turns to the next.
    pub stay_s: f64,
    pub turn_s: f64,
    pub rounds: u32,
}

/// The frames of a camera that turns from stop to stop and, after the last, back to the first.
pub fn patrol<'a>(
    stops: &'a [Stop],
    spec: Patrol,
    photographs: &Path,
) -> Result<impl Iterator<Item = Picture> + use<'a>> {
    let mut views = Vec::new();
    for Stop { seed, .. } in stops {
        let ground = landscape(*seed, photographs)?;
        let plume = Plume::on_terrain(&ground, *seed);
        views.push((ground, plume, Sensor::new(*seed)));
    }
    let fps = f64::from(spec.frames_per_s);
    let (stay, turn) = ((spec.stay_s * fps).round() as u32, (spec.turn_s * fps).round() as u32);
    let frames = (stay + turn) * stops.len() as u32 * spec.rounds;
    Ok((0..frames).map(move |i| {
        let (stop, into) = ((i / (stay + turn)) as usize % stops.len(), i % (stay + turn));
        let now_s = f64::from(i) / fps;
        let mut seen = |stop: usize| {
            let (ground, plume, sensor) = &mut views[stop];
            let smoke_s = stops[stop].smoke_after_s.map_or(0.0, |after_s| now_s - after_s);
            let smoky = (smoke_s > 0.0).then(|| composite(ground, plume, smoke_s));
            sensor.take(smoky.as_ref().unwrap_or(ground), now_s)
        };
        let here = seen(stop);
        if into < stay {
            return here;
        }
        let turned = f64::from(into - stay + 1) / f64::from(turn + 1);
        panned(&here, &seen((stop + 1) % stops.len()), turned)
    }))
}

/// A part of one view, and to its right a part of the next. `turned`: 0 only the first, 1 only the
/// next.
fn panned(from: &Picture, to: &Picture, turned: f64) -> Picture {
    let (w, h) = (from.width() as usize, from.height() as usize);
    let by = (turned * w as f64) as usize & !1;
    let mut i420 = Vec::with_capacity(from.as_i420().len());
    let mut planes = |offset: usize, width: usize, rows: usize, by: usize| {
        for row in 0..rows {
            let at = offset + row * width;
            i420.extend_from_slice(&from.as_i420()[at + by..at + width]);
            i420.extend_from_slice(&to.as_i420()[at..at + by]);
        }
    };
    planes(0, w, h, by);
    planes(w * h, w / 2, h, by / 2);
    Picture::from_i420(from.width(), from.height(), i420).unwrap_or_else(|_| from.clone())
}

/// Cameras of the demo county: the first scenes.
pub const DEMO_CAMERAS: u32 = 13;
/// The share of daylight that is left in the middle of the night.
const NIGHT: f64 = 0.12;

/// A night without smoke, from the last daylight to the first: frames at a fixed interval, each
/// with the time since the beginning.
pub fn quiet_night(
    seed: u32,
    photographs: &Path,
    every: SignedDuration,
    length: SignedDuration,
) -> Result<impl Iterator<Item = (SignedDuration, Picture)> + use<>> {
    let ground = landscape(seed, photographs)?;
    let mut sensor = Sensor::new(seed);
    let passed = std::iter::successors(Some(SignedDuration::ZERO), move |at| at.checked_add(every));
    Ok(passed.take_while(move |at| *at <= length).map(move |at| {
        let day = (std::f64::consts::PI * at.as_secs_f64() / length.as_secs_f64()).cos().powi(2);
        (at, sensor.take(&dimmed(&ground, NIGHT + (1.0 - NIGHT) * day), at.as_secs_f64()))
    }))
}

/// A landscape without noise or smoke.
pub fn landscape(seed: u32, photographs: &Path) -> Result<Picture> {
    view(seed, photographs, (WIDTH, HEIGHT))
}

/// The same as shown by another stream of the camera. `size` in pixels, 16:9. A drawn landscape
/// gains no detail.
pub fn view(seed: u32, photographs: &Path, (across, down): (u32, u32)) -> Result<Picture> {
    let (file, left, top, share) = VIEWS[seed as usize % VIEWS.len()];
    let path = photographs.join(file);
    let Ok(bytes) = std::fs::read(&path) else {
        tracing::info!(file = %path.display(), "photograph not installed, the landscape is drawn");
        return Ok(drawn(seed)?.resized(across, down));
    };
    let photograph = Picture::from_image_bytes(&bytes)?;
    let (w, h) = (f64::from(photograph.width()), f64::from(photograph.height()));
    let width = share * w;
    let part = photograph.cropped(
        (left * w) as u32,
        (top * h) as u32,
        width as u32,
        (width * 9.0 / 16.0) as u32,
    );
    let view = part.resized(across, down);
    // A photograph that is used again is mirrored.
    if (seed as usize / VIEWS.len()).is_multiple_of(2) { Ok(view) } else { mirrored(&view) }
}

/// Sky above three ridges, each darker than the one behind it.
fn drawn(seed: u32) -> Result<Picture> {
    let mut random = SplitMix64(mix(u64::from(seed)));
    let mut rgb = vec![0u8; (WIDTH * HEIGHT * 3) as usize];
    let waves: Vec<[f64; 6]> = (0..3).map(|_| std::array::from_fn(|_| random.unit())).collect();
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (u, v) = (f64::from(x) / f64::from(WIDTH), f64::from(y) / f64::from(HEIGHT));
            let ridge = (0..3).rev().find(|&i| v > skyline(i, u, &waves[i]));
            let grain = (mix(u64::from(y * WIDTH + x) ^ u64::from(seed) << 32) % 24) as f64 - 12.0;
            let colour = match ridge {
                None => [150.0 + 60.0 * v, 180.0 + 45.0 * v, 215.0 + 20.0 * v],
                Some(0) => [118.0 + grain / 4.0, 132.0 + grain / 4.0, 140.0],
                Some(1) => [82.0 + grain / 2.0, 104.0 + grain / 2.0, 84.0],
                Some(_) => [58.0 + grain, 82.0 + grain, 48.0 + grain / 2.0],
            };
            let at = ((y * WIDTH + x) * 3) as usize;
            rgb[at..at + 3].iter_mut().zip(colour).for_each(|(byte, c)| *byte = c as u8);
        }
    }
    Picture::from_rgb(WIDTH, HEIGHT, &rgb)
}

/// Height of a ridge at `u`, both as fractions from the top left.
fn skyline(ridge: usize, u: f64, phases: &[f64; 6]) -> f64 {
    let waves = phases.iter().enumerate().map(|(k, phase)| {
        let turns = 0.8 * 1.9f64.powi(k as i32);
        (std::f64::consts::TAU * (turns * u + phase)).sin() * 0.07 / 1.8f64.powi(k as i32)
    });
    [0.36, 0.50, 0.68][ridge] + waves.sum::<f64>()
}

fn mirrored(picture: &Picture) -> Result<Picture> {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let (luma, chroma) = picture.as_i420().split_at(w * h);
    let turn = |plane: &[u8], width: usize| -> Vec<u8> {
        plane.chunks_exact(width).flat_map(|row| row.iter().rev().copied()).collect()
    };
    let mut i420 = turn(luma, w);
    i420.extend(turn(chroma, w / 2));
    Picture::from_i420(picture.width(), picture.height(), i420)
}

/// The picture at this share of its light, 0..=1.
fn dimmed(picture: &Picture, light: f64) -> Picture {
    let scaled = |middle: f64| -> Vec<u8> {
        (0..256)
            .map(|level| {
                (middle + (f64::from(level) - middle) * light).round().clamp(0.0, 255.0) as u8
            })
            .collect()
    };
    let (luma, chroma) = (scaled(16.0), scaled(128.0));
    let pixels = picture.luma().len();
    let level = |(at, byte): (usize, &u8)| {
        if at < pixels { luma[usize::from(*byte)] } else { chroma[usize::from(*byte)] }
    };
    let i420 = picture.as_i420().iter().enumerate().map(level).collect();
    Picture::from_i420(picture.width(), picture.height(), i420).unwrap_or_else(|_| picture.clone())
}

/// What a camera adds: light that changes over minutes, and noise in every pixel of every frame.
struct Sensor {
    /// Much longer than a frame. Each frame reads it from another position.
    noise: Vec<i8>,
    random: SplitMix64,
    phase: f64,
}

/// Number of positions to start reading the noise from.
const STARTS: usize = 1 << 16;

impl Sensor {
    fn new(seed: u32) -> Self {
        let mut random = SplitMix64(mix(u64::from(seed) + 1));
        let phase = random.unit();
        // The sum of four values in -1..=1 is about a Gaussian of sigma 1.6 levels.
        let level = |bits: u64| {
            (0..4).map(|i| ((bits >> (8 * i)) & 0xff) as i8 as i32 * 3 / 256).sum::<i32>() as i8
        };
        let noise = (0..(WIDTH * HEIGHT) as usize + STARTS).map(|_| level(random.next())).collect();
        Self { noise, random, phase }
    }

    fn take(&mut self, seen: &Picture, now_s: f64) -> Picture {
        let turn = |period_s: f64| (std::f64::consts::TAU * (now_s / period_s + self.phase)).sin();
        let gain = 1.0 + 0.02 * turn(210.0) + 0.005 * turn(23.0);
        let lit: Vec<u8> = (0..256)
            .map(|y| (16.0 + (f64::from(y) - 16.0) * gain).clamp(16.0, 235.0) as u8)
            .collect();
        let start = self.random.next() as usize % STARTS;
        let mut i420 = seen.as_i420().to_vec();
        let luma = seen.luma().len().min(self.noise.len() - STARTS);
        for (y, noise) in i420[..luma].iter_mut().zip(&self.noise[start..]) {
            *y = lit[usize::from(*y)].saturating_add_signed(*noise);
        }
        Picture::from_i420(seen.width(), seen.height(), i420).unwrap_or_else(|_| seen.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(smoke_after_s: Option<f64>) -> Vec<Picture> {
        let spec = Clip { seed: 4, frames_per_s: 1, length_s: 61.0, smoke_after_s };
        clip(spec, Path::new("/nowhere")).expect("ridges can always be drawn").collect()
    }

    fn change(a: &Picture, b: &Picture) -> f64 {
        let sum: u64 = a.luma().iter().zip(b.luma()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f64 / a.luma().len() as f64
    }

    #[test]
    fn a_quiet_camera_is_never_frozen_and_never_jumps() {
        let quiet = frames(None);
        assert_eq!(quiet.len(), 61);
        for pair in quiet.windows(2) {
            let change = change(&pair[0], &pair[1]);
            assert!(
                0.3 < change && change < 4.0,
                "{change} levels a pixel from one second to the next"
            );
        }
    }

    #[test]
    fn a_quiet_night_falls_and_ends_without_smoke() {
        let (minute, hour) = (SignedDuration::from_mins(1), SignedDuration::from_hours(1));
        let night = quiet_night(4, Path::new("/nowhere"), minute, hour).expect("ridges");
        let night: Vec<(SignedDuration, Picture)> = night.collect();
        let level = |at: usize| {
            let luma = night[at].1.luma();
            luma.iter().map(|y| u64::from(*y)).sum::<u64>() as f64 / luma.len() as f64
        };
        assert_eq!((night.len(), night[60].0), (61, hour));
        assert!(
            level(0) > 80.0 && level(30) < 35.0 && level(60) > 80.0,
            "{} {} {}",
            level(0),
            level(30),
            level(60)
        );
        let jump = night.windows(2).map(|pair| change(&pair[0].1, &pair[1].1)).fold(0.0, f64::max);
        assert!(jump < 8.0, "the light fades: {jump} levels a pixel within a minute");
    }

    #[test]
    fn smoke_appears_when_told_and_the_same_every_time() {
        let (quiet, smoky) = (frames(None), frames(Some(10.0)));
        assert_eq!(quiet[..11], smoky[..11]);
        let seen = |i: usize| {
            let changed = quiet[i]
                .luma()
                .iter()
                .zip(smoky[i].luma())
                .filter(|(a, b)| a.abs_diff(**b) > 10)
                .count();
            changed as f64 / f64::from(WIDTH * HEIGHT)
        };
        assert!(
            seen(20) > 0.0002 && seen(60) > 0.003 && seen(60) < 0.05,
            "{} {}",
            seen(20),
            seen(60)
        );
        assert_eq!(frames(Some(10.0))[60], smoky[60]);
    }

    #[test]
    fn a_turning_camera_shows_each_stop_in_turn_and_smoke_at_its_own() {
        let stop = |seed, smoke_after_s| Stop { seed, smoke_after_s };
        let spec = Patrol { frames_per_s: 1, stay_s: 4.0, turn_s: 2.0, rounds: 2 };
        let frames = |smoke| -> Vec<Picture> {
            let stops = [stop(1, None), stop(2, smoke), stop(3, None)];
            patrol(&stops, spec, Path::new("/nowhere")).expect("ridges").collect()
        };
        let (quiet, smoky) = (frames(None), frames(Some(0.0)));
        assert_eq!(quiet.len(), 36);
        assert!(change(&quiet[0], &quiet[3]) < 4.0 && change(&quiet[0], &quiet[18]) < 8.0);
        for (i, j) in [(0, 6), (6, 12), (0, 12), (3, 4), (5, 6)] {
            assert!(change(&quiet[i], &quiet[j]) > 8.0, "{i} and {j} show different directions");
        }
        let differs: Vec<usize> = (0..36).filter(|&i| quiet[i] != smoky[i]).collect();
        assert!(differs.contains(&27) && !differs.iter().any(|i| i % 18 < 4 || i % 18 > 11));
    }

    #[test]
    fn every_seed_has_a_landscape_of_its_own() {
        let mut seen = Vec::new();
        for seed in 0..12 {
            let picture = landscape(seed, Path::new("/nowhere")).expect("ridges");
            assert!(!seen.contains(&picture), "seed {seed} looks like another");
            seen.push(picture);
        }
    }

    #[test]
    fn photographs_are_cropped_and_shown_from_both_sides() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let photograph =
            drawn(1).and_then(|p| p.resized(300, 200).to_jpeg(90)).expect("a small picture");
        std::fs::write(folder.path().join(VIEWS[3].0), photograph).expect("written");
        let view = landscape(3, folder.path()).expect("a photograph");
        assert_eq!((view.width(), view.height()), (WIDTH, HEIGHT));
        assert_eq!(
            landscape(3 + VIEWS.len() as u32, folder.path()).and_then(|p| mirrored(&p)).ok(),
            Some(view)
        );
    }
}
